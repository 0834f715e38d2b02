// Package identity says who calls: API keys, the one-time set-up token and
// passwords. It stores through store and decides no permissions beyond whether
// a key is good.
package identity

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// KeyPrefix begins every API key of the hub.
const KeyPrefix = "sk-hub-"

// NewKey makes an API key of 256 random bits. The key is shown once; only its
// hash is kept.
func NewKey() hub.Secret {
	return hub.Secret(KeyPrefix + random())
}

func random() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// Hash is what is stored of a key or token: hex SHA-256 of the whole of it.
func Hash(s hub.Secret) string {
	h := sha256.Sum256([]byte(s.Reveal()))
	return hex.EncodeToString(h[:])
}

// Keys authenticates requests by API key.
type Keys struct {
	store *store.Store
	now   hub.Now

	mu    sync.Mutex
	cache map[[32]byte]entry
	// version of the configuration that the cache belongs to.
	version func() int64
	cached  int64
}

type entry struct {
	caller    hub.Caller
	expiresAt *time.Time
	until     time.Time
}

const (
	cacheSize = 10_000
	cacheLife = 30 * time.Second
)

// NewKeys makes an authenticator. version is the configuration's version, whose
// change empties the cache. A cached key that was revoked meanwhile admits
// nothing: the admitting statement checks it again.
func NewKeys(s *store.Store, now hub.Now, version func() int64) *Keys {
	return &Keys{store: s, now: now, version: version, cache: map[[32]byte]entry{}}
}

// Create makes a key for a user and returns it with its row.
func (k *Keys) Create(ctx context.Context, userID, name string, expires *time.Time) (hub.Secret, store.APIKey, error) {
	if strings.TrimSpace(name) == "" || len(name) > 100 {
		return "", store.APIKey{}, hub.Invalid("name", "A key needs a name of 1 to 100 characters.")
	}
	if expires != nil && !expires.After(k.now()) {
		return "", store.APIKey{}, hub.Invalid("expires_at", "The expiry must lie in the future.")
	}
	key := NewKey()
	plain := key.Reveal()
	row, err := k.store.CreateKey(ctx, store.APIKey{UserID: userID, Name: name, Hash: Hash(key), Hint: plain[len(plain)-4:], ExpiresAt: expires})
	return key, row, err
}

var errNoKey = hub.Errorf(hub.CodeUnauthenticated, "No API key was given. Send it as `Authorization: Bearer sk-hub-…`.")

// Authenticate finds the caller of a request. Without any credential it returns
// the zero Caller; with a bad one CodeUnauthenticated.
func (k *Keys) Authenticate(r *http.Request) (hub.Caller, error) {
	key, err := FromRequest(r)
	if err != nil || key == "" {
		return hub.Caller{}, err
	}
	c, err := k.Caller(r.Context(), key)
	if err != nil {
		return hub.Caller{}, err
	}
	c.AppID = appID(r.Header.Get("x-aigne-hub-client-did"))
	return c, nil
}

// Require is Authenticate for routes that need a caller.
func (k *Keys) Require(r *http.Request) (hub.Caller, error) {
	c, err := k.Authenticate(r)
	if err == nil && c.UserID == "" {
		return c, errNoKey
	}
	return c, err
}

func appID(raw string) string {
	if s, err := url.QueryUnescape(strings.ReplaceAll(raw, "+", "%2B")); err == nil {
		raw = s
	}
	raw = strings.TrimSpace(raw)
	if len(raw) > 200 {
		raw = raw[:200]
	}
	return raw
}

// FromRequest takes the key out of a request: Authorization: Bearer,
// x-api-key, x-goog-api-key or ?key=. The query parameter is removed from the
// URL, so that nothing later logs or forwards it. Two different keys are an
// error.
func FromRequest(r *http.Request) (hub.Secret, error) {
	var found hub.Secret
	add := func(v string) error {
		v = strings.TrimSpace(v)
		if v == "" || hub.Secret(v) == found {
			return nil
		}
		if found != "" {
			return hub.Errorf(hub.CodeUnauthenticated, "Two different API keys were given; send one.")
		}
		found = hub.Secret(v)
		return nil
	}
	if r.URL.RawQuery != "" && strings.Contains(r.URL.RawQuery, "key=") {
		q := r.URL.Query()
		v := q.Get("key")
		q.Del("key")
		r.URL.RawQuery = q.Encode()
		r.RequestURI = r.URL.RequestURI()
		if err := add(v); err != nil {
			return "", err
		}
	}
	if auth := r.Header.Get("Authorization"); auth != "" {
		scheme, v, ok := strings.Cut(auth, " ")
		if !ok || !strings.EqualFold(scheme, "Bearer") {
			return "", hub.Errorf(hub.CodeUnauthenticated, "The Authorization header must be `Bearer` followed by an API key.")
		}
		if err := add(v); err != nil {
			return "", err
		}
	}
	for _, h := range []string{"x-api-key", "x-goog-api-key"} {
		if err := add(r.Header.Get(h)); err != nil {
			return "", err
		}
	}
	return found, nil
}

var errBadKey = hub.Errorf(hub.CodeUnauthenticated, "This API key is not known here, or is revoked or expired.")

var errNoWallet = hub.Errorf(hub.CodeForbidden, "This API key may no longer spend from the shared wallet that it is bound to.")

// Caller finds whom a key belongs to.
func (k *Keys) Caller(ctx context.Context, key hub.Secret) (hub.Caller, error) {
	if !strings.HasPrefix(key.Reveal(), KeyPrefix) {
		return hub.Caller{}, errBadKey
	}
	sum := sha256.Sum256([]byte(key.Reveal()))
	now := k.now()
	if e, ok := k.cachedEntry(sum, now); ok {
		if e.expiresAt != nil && !e.expiresAt.After(now) {
			return hub.Caller{}, errBadKey
		}
		return e.caller, nil
	}
	version := k.version()
	row, user, err := k.store.KeyByHash(ctx, hex.EncodeToString(sum[:]))
	switch {
	case errors.Is(err, store.ErrNotFound):
		return hub.Caller{}, errBadKey
	case err != nil:
		return hub.Caller{}, hub.Wrap(hub.CodeUnavailable, err, "API keys cannot be checked now; the database does not answer.")
	case row.RevokedAt != nil, user.DisabledAt != nil, row.ExpiresAt != nil && !row.ExpiresAt.After(now):
		return hub.Caller{}, errBadKey
	}
	if row.WalletID != "" && user.AccountID == "" {
		return hub.Caller{}, errNoWallet
	}
	c := hub.Caller{UserID: user.ID, Email: user.Email, Role: user.Role, Groups: user.Groups, KeyID: row.ID, KeyName: row.Name, AccountID: user.AccountID,
		SharedWallet: row.WalletID != ""}
	k.remember(sum, entry{c, row.ExpiresAt, now.Add(cacheLife)}, version)
	return c, nil
}

func (k *Keys) cachedEntry(sum [32]byte, now time.Time) (entry, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if v := k.version(); v != k.cached {
		clear(k.cache)
		k.cached = v
	}
	e, ok := k.cache[sum]
	return e, ok && now.Before(e.until)
}

func (k *Keys) remember(sum [32]byte, e entry, version int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if version != k.cached {
		return
	}
	if len(k.cache) >= cacheSize {
		clear(k.cache)
	}
	k.cache[sum] = e
}
