package task

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
)

// PackVector writes a vector as base64 of little-endian float32, as OpenAI's
// encoding_format base64 has it.
func PackVector(values []float32) string {
	raw := make([]byte, 0, 4*len(values))
	for _, f := range values {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(f))
	}
	return base64.StdEncoding.EncodeToString(raw)
}

// UnpackVector reads what PackVector wrote.
func UnpackVector(text string) ([]float32, error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("an embedding is no base64: %w", err)
	}
	if len(raw)%4 != 0 {
		return nil, fmt.Errorf("an embedding of %d bytes holds no whole numbers", len(raw))
	}
	values := make([]float32, len(raw)/4)
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return values, nil
}
