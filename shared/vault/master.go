package vault

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// keySize is the length of every key: AES-256.
const keySize = 32

// ErrMasterKey is returned for text that is no master key.
var ErrMasterKey = errors.New("master key must be base64 of exactly 32 bytes")

// Master is the key that wraps data keys. It never seals values itself. It is
// immutable and prints as "***".
type Master struct {
	id   string
	aead cipher.AEAD
}

// ParseMaster reads a master key from base64 of 32 bytes: the standard or the
// URL alphabet, with or without padding, blanks around it ignored. Its error
// never holds the text.
func ParseMaster(encoded hub.Secret) (*Master, error) {
	text := strings.TrimRight(strings.TrimSpace(encoded.Reveal()), "=")
	text = strings.NewReplacer("-", "+", "_", "/").Replace(text)
	key, err := base64.RawStdEncoding.Strict().DecodeString(text)
	if err != nil || len(key) != keySize {
		return nil, ErrMasterKey
	}
	if bytes.Count(key, key[:1]) == keySize {
		return nil, fmt.Errorf("%w: all bytes of this one are the same", ErrMasterKey)
	}
	return newMaster(key)
}

// GenerateMaster makes a new master key in the form that ParseMaster reads.
func GenerateMaster() hub.Secret {
	key := make([]byte, keySize)
	rand.Read(key) // never fails: crypto/rand ends the process instead
	return hub.Secret(base64.StdEncoding.EncodeToString(key))
}

// MasterOf makes a master key of 32 bytes that a key service gave out.
func MasterOf(key []byte) (*Master, error) {
	if len(key) != keySize {
		return nil, ErrMasterKey
	}
	return newMaster(key)
}

func newMaster(key []byte) (*Master, error) {
	aead, err := newAEAD(key)
	if err != nil {
		return nil, fmt.Errorf("prepare master key: %w", err)
	}
	sum := sha256.Sum256(append([]byte("aigne-hub vault master id\x00"), key...))
	return &Master{id: hex.EncodeToString(sum[:8]), aead: aead}, nil
}

// ID is a short hash that names the key without telling anything about it: 16
// hexadecimal digits.
func (m *Master) ID() string { return m.id }

// String hides the key.
func (*Master) String() string { return "***" }

// GoString hides the key from %#v.
func (*Master) GoString() string { return "***" }

// LogValue shows only the key's id.
func (m *Master) LogValue() slog.Value { return slog.StringValue("master " + m.id) }

// newAEAD makes AES-256-GCM that puts a fresh random 96-bit nonce before each
// ciphertext.
func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}
