package identity

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// argon2id parameters (RFC 9106, section 4, second recommendation, with the
// memory that a small server can give to a few sign-ins at once).
const (
	argonTime    = 3
	argonMemory  = 64 << 10 // KiB
	argonThreads = 2
	argonKey     = 32
	argonSalt    = 16
)

const (
	minPassword = 10
	maxPassword = 256
)

// HashPassword hashes a password of 10 to 256 bytes with argon2id, in the PHC
// string format.
func HashPassword(p hub.Secret) (string, error) {
	if n := len(p); n < minPassword || n > maxPassword {
		return "", hub.Invalid("password", "A password must have %d to %d characters.", minPassword, maxPassword)
	}
	salt := make([]byte, argonSalt)
	_, _ = rand.Read(salt) // crypto/rand.Read never fails
	key := argon2.IDKey([]byte(p.Reveal()), salt, argonTime, argonMemory, argonThreads, argonKey)
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads,
		b64.EncodeToString(salt), b64.EncodeToString(key)), nil
}

// CheckPassword reports whether p is the password that hash was made of.
func CheckPassword(hash string, p hub.Secret) bool {
	f := strings.Split(hash, "$")
	if len(f) != 6 || f[1] != "argon2id" || len(p) > maxPassword {
		return false
	}
	var version, memory, time, threads int
	if _, err := fmt.Sscanf(f[2]+" "+f[3], "v=%d m=%d,t=%d,p=%d", &version, &memory, &time, &threads); err != nil || version != argon2.Version {
		return false
	}
	if memory < 8 || memory > 1<<20 || time < 1 || time > 100 || threads < 1 || threads > 64 {
		return false
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(f[4])
	key, err2 := base64.RawStdEncoding.DecodeString(f[5])
	if err1 != nil || err2 != nil || len(key) == 0 || len(key) > 128 {
		return false
	}
	got := argon2.IDKey([]byte(p.Reveal()), salt, uint32(time), uint32(memory), uint8(threads), uint32(len(key)))
	return subtle.ConstantTimeCompare(got, key) == 1
}
