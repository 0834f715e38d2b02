package gemini

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"mime"
	"strconv"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

// encodeSpeech asks for the sound of a text (ai.google.dev/gemini-api/docs/speech-generation).
// The API makes bare samples only; they are given as WAV unless pcm was asked for.
// How newer models are told a manner of speaking differs from older ones, which
// take it from the text itself, so instructions are refused.
func encodeSpeech(req *task.Request, t dialect.Target) (dialect.TaskEncoded, error) {
	s, enc := req.Speak, dialect.TaskEncoded{Path: embedPath(t, Generate)}
	if err := refuseEmbedExtra(req); err != nil {
		return enc, err
	}
	refuse := func(param, why string) error {
		return hub.Invalid(req.ParamName(param), "%s %s", req.ParamName(param), why)
	}
	switch {
	case s.Format != "" && s.Format != "wav" && s.Format != "pcm":
		return enc, refuse("response_format", "must be wav or pcm for this model.")
	case s.Speed != nil && *s.Speed != 1:
		return enc, refuse("speed", "is not supported by this model.")
	case s.Instructions != "":
		return enc, refuse("instructions", "are not supported by this model.")
	}
	if req.User != "" {
		enc.Dropped = append(enc.Dropped, req.ParamName("user"))
	}
	config := map[string]any{"responseModalities": []string{"AUDIO"}}
	if s.Voice != "" {
		config["speechConfig"] = map[string]any{"voiceConfig": map[string]any{"prebuiltVoiceConfig": map[string]string{"voiceName": s.Voice}}}
	}
	var err error
	enc.Body, err = json.Marshal(map[string]any{"contents": []spokenContent{{"user", []embedPart{{s.Input}}}}, "generationConfig": config})
	return enc, err
}

// spokenContent says whose text it is, which Vertex AI demands.
type spokenContent struct {
	Role  string      `json:"role"`
	Parts []embedPart `json:"parts"`
}

func decodeSpeech(s *task.Speak, body []byte) (*task.Result, error) {
	var in struct {
		Candidates []struct {
			Content struct {
				Parts []struct {
					Inline *struct {
						Type string `json:"mimeType"`
						Data string `json:"data"`
					} `json:"inlineData"`
				} `json:"parts"`
			} `json:"content"`
			Finish string `json:"finishReason"`
		} `json:"candidates"`
		Usage json.RawMessage `json:"usageMetadata"`
		Model string          `json:"modelVersion"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("speech: %w", err)
	}
	res := &task.Result{Model: in.Model}
	var sound []byte
	kind := ""
	for _, c := range in.Candidates {
		for _, p := range c.Content.Parts {
			if p.Inline == nil {
				continue
			}
			b, err := base64.StdEncoding.DecodeString(p.Inline.Data)
			if err != nil {
				return nil, fmt.Errorf("speech: %w", err)
			}
			sound, kind = append(sound, b...), p.Inline.Type
		}
	}
	if len(sound) == 0 {
		return nil, fmt.Errorf("the answer holds no sound")
	}
	rate, err := sampleRate(kind)
	if err != nil {
		return nil, err
	}
	res.Seconds = float64(len(sound)) / float64(2*rate)
	res.Sound = &task.File{MIME: "audio/pcm", Data: sound}
	if s.Format != "pcm" {
		res.Sound = &task.File{MIME: "audio/wav", Data: append(waveHead(len(sound), rate), sound...)}
	}
	c := cursor{b: in.Usage}
	if n, ok := readTokens(&c); ok && len(in.Usage) > 0 {
		if n.candidatesAudio == 0 {
			n.candidatesAudio = n.candidates // all that such a model makes
		}
		res.Usage, res.UsageKnown = n.usage(), true
	}
	return res, nil
}

// sampleRate reads a type such as audio/L16;codec=pcm;rate=24000.
func sampleRate(kind string) (int, error) {
	const usual = 24_000
	name, params, err := mime.ParseMediaType(kind)
	if err != nil || (!strings.EqualFold(name, "audio/l16") && !strings.EqualFold(name, "audio/pcm")) {
		return 0, fmt.Errorf("sound of the type %q", kind)
	}
	if params["rate"] == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(params["rate"])
	if err != nil || n < 1000 || n > 400_000 {
		return 0, fmt.Errorf("sound of the type %q", kind)
	}
	return n, nil
}

// waveHead is the head of a WAV file of 16-bit samples of one channel.
func waveHead(size, rate int) []byte {
	b := append([]byte("RIFF"), binary.LittleEndian.AppendUint32(nil, uint32(36+size))...)
	b = append(b, "WAVEfmt "...)
	b = binary.LittleEndian.AppendUint32(b, 16)
	b = binary.LittleEndian.AppendUint16(b, 1)
	b = binary.LittleEndian.AppendUint16(b, 1)
	b = binary.LittleEndian.AppendUint32(b, uint32(rate))
	b = binary.LittleEndian.AppendUint32(b, uint32(2*rate))
	b = binary.LittleEndian.AppendUint16(b, 2)
	b = binary.LittleEndian.AppendUint16(b, 16)
	return binary.LittleEndian.AppendUint32(append(b, "data"...), uint32(size))
}
