package movein

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/md5" //nolint:gosec // how the old values are sealed; nothing new is
	"crypto/pbkdf2"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// The form of values that a Blocklet Server's SDK sealed: OpenSSL's, with a
// passphrase that is derived from the application's key and its DID.
const (
	sealedPrefix = "U2FsdGVkX1" // base64 of "Salted__"
	saltedMark   = "Salted__"
	saltSize     = 8
	stretchTimes = 256
	stretchSize  = 32
)

// ErrWrongKey says that a sealed value does not open with the key.
var ErrWrongKey = errors.New("the value does not open with this key")

// SecretKey opens what a Blocklet sealed.
type SecretKey struct{ phrase hub.Secret }

// NewSecretKey makes one of the text of BLOCKLET_APP_EK and the application's DID.
func NewSecretKey(appEK hub.Secret, appDID string) (*SecretKey, error) {
	key, err := pbkdf2.Key(sha512.New, strings.TrimSpace(appEK.Reveal()), []byte(appDID), stretchTimes, stretchSize)
	if err != nil {
		return nil, err
	}
	return &SecretKey{hub.Secret(hex.EncodeToString(key))}, nil
}

// Sealed reports whether a value is sealed; without a key the SDK stored values as
// they are.
func Sealed(value string) bool { return strings.HasPrefix(value, sealedPrefix) }

// Open opens a value; one that is not sealed is itself. The form has no
// authentication: a key is wrong where padding or text are.
func (k *SecretKey) Open(value string) (hub.Secret, error) {
	if !Sealed(value) {
		return hub.Secret(value), nil
	}
	raw, err := base64.StdEncoding.DecodeString(value)
	if err != nil || len(raw) < len(saltedMark)+saltSize+aes.BlockSize || len(raw)%aes.BlockSize != 0 {
		return "", ErrWrongKey
	}
	salt, text := raw[len(saltedMark):len(saltedMark)+saltSize], raw[len(saltedMark)+saltSize:]
	key, iv := stretch([]byte(k.phrase.Reveal()), salt)
	block, err := aes.NewCipher(key)
	if err != nil {
		return "", err
	}
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(text, text)
	pad := int(text[len(text)-1])
	if pad == 0 || pad > aes.BlockSize {
		return "", ErrWrongKey
	}
	for _, b := range text[len(text)-pad:] {
		if int(b) != pad {
			return "", ErrWrongKey
		}
	}
	text = text[:len(text)-pad]
	if len(text) == 0 || !utf8.Valid(text) || strings.ContainsFunc(string(text), func(r rune) bool { return !unicode.IsPrint(r) && !unicode.IsSpace(r) }) {
		return "", ErrWrongKey
	}
	return hub.Secret(text), nil
}

// stretch is OpenSSL's EVP_BytesToKey with MD5 and one round.
func stretch(phrase, salt []byte) (key, iv []byte) {
	const need = 32 + aes.BlockSize
	var out, last []byte
	for len(out) < need {
		sum := md5.Sum(append(append(last, phrase...), salt...)) //nolint:gosec // see above
		last = sum[:]
		out = append(out, last...)
	}
	return out[:32], out[32:need]
}
