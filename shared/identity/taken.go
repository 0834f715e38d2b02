package identity

import (
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// anyKeyPrefix begins keys that came from other gateways too, which their clients
// go on to use.
const anyKeyPrefix = "sk-"

// IsKey reports whether a text can be an API key of the hub.
func IsKey(text string) bool { return strings.HasPrefix(text, anyKeyPrefix) }

// Take checks a row of which the secret was made elsewhere, and fills in what is
// stored of it.
func (k *Keys) Take(row *store.APIKey, secret hub.Secret) error {
	const shortest = 16
	if len(secret) < shortest || !IsKey(secret.Reveal()) {
		return hub.Invalid("key", "A key from elsewhere begins with %s and has at least %d characters.", anyKeyPrefix, shortest)
	}
	row.Hash, row.Hint = Hash(secret), Hint(secret)
	return k.Check(row)
}

// CheckStrength refuses a secret that somebody made up: one that is short, or of
// few different characters. Nobody can tell a random one from another, so this is
// the least that can be asked for.
func CheckStrength(secret hub.Secret) error {
	const shortest, different = 32, 10
	text := strings.TrimPrefix(secret.Reveal(), anyKeyPrefix)
	seen := map[rune]bool{}
	for _, r := range text {
		seen[r] = true
	}
	if !IsKey(secret.Reveal()) || len(text) < shortest || len(seen) < different {
		return hub.Invalid("key", "A key is %s and at least %d random characters, such as openssl rand -hex 32 makes.", anyKeyPrefix, shortest)
	}
	return nil
}
