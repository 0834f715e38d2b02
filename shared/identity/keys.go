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
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
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

	proxies []netip.Prefix
	touches chan struct{} // bounds the notes of use that are being written

	// Noticed hears which version the configuration has, whenever a key is read; nil:
	// nobody does.
	Noticed func(ctx context.Context, version int64)

	// Foreign finds whom a bearer value belongs to that is no key of the hub; nil:
	// there are none.
	Foreign func(ctx context.Context, key hub.Secret, client netip.Addr) (hub.Caller, error)
}

type entry struct {
	caller  hub.Caller
	expires *time.Time     // the key, or the secret by which it was shown
	from    []netip.Prefix // nil: from anywhere
	until   time.Time
}

const (
	cacheSize = 10_000
	cacheLife = 30 * time.Second
)

// NewKeys makes an authenticator. version is the configuration's version, whose
// change empties the cache. A cached key that was revoked meanwhile admits
// nothing: the admitting statement checks it again. proxies may say for whom they
// forward, which matters to keys that are bound to addresses.
func NewKeys(s *store.Store, now hub.Now, version func() int64, proxies []netip.Prefix) *Keys {
	return &Keys{store: s, now: now, version: version, proxies: proxies, cache: map[[32]byte]entry{}, touches: make(chan struct{}, maxTouches)}
}

var errNoKey = hub.Errorf(hub.CodeUnauthenticated, "No API key was given. Send it as `Authorization: Bearer sk-hub-…`.")

// Authenticate finds the caller of a request. Without any credential it returns
// the zero Caller; with a bad one CodeUnauthenticated.
func (k *Keys) Authenticate(r *http.Request) (hub.Caller, error) {
	key, err := FromRequest(r)
	if err != nil {
		return hub.Caller{}, err
	}
	client := httpkit.ClientIP(r, k.proxies)
	var c hub.Caller
	if key == "" {
		c, err = k.remote(r, client)
	} else {
		c, err = k.CallerFrom(r.Context(), key, client)
	}
	if err != nil || c.UserID == "" {
		return hub.Caller{}, err
	}
	return k.Describe(r, c), nil
}

// Describe adds to a caller what a request says beside who it is: where it comes
// from and for which application. A service key speaks for its own alone.
func (k *Keys) Describe(r *http.Request, c hub.Caller) hub.Caller {
	if client := httpkit.ClientIP(r, k.proxies); client.IsValid() {
		c.ClientIP = client.String()
	}
	if named := appID(r.Header.Get("x-aigne-hub-client-did")); named != "" && (c.AppID == "" || c.KeyID == "") {
		c.AppID = named
	}
	return c
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
	if len(raw) > 200 {
		raw = raw[:200]
	}
	// Names end up on screens: nothing in them may move a cursor or hide.
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, strings.ToValidUTF8(raw, "")))
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

// Caller is CallerFrom for a request whose address is not known: a key that is
// bound to addresses is refused.
func (k *Keys) Caller(ctx context.Context, key hub.Secret) (hub.Caller, error) {
	return k.CallerFrom(ctx, key, netip.Addr{})
}

// CallerFrom finds whom a key belongs to that came from an address.
// CodeUnauthenticated: it is good for nothing; CodeForbidden: not from there.
func (k *Keys) CallerFrom(ctx context.Context, key hub.Secret, client netip.Addr) (hub.Caller, error) {
	if !IsKey(key.Reveal()) {
		if k.Foreign != nil {
			return k.Foreign(ctx, key, client)
		}
		return hub.Caller{}, errBadKey
	}
	return k.callerOf(ctx, sha256.Sum256([]byte(key.Reveal())), client)
}

// callerOf finds whom the key with a hash belongs to.
func (k *Keys) callerOf(ctx context.Context, sum [32]byte, client netip.Addr) (hub.Caller, error) {
	now := k.now()
	e, ok := k.cachedEntry(sum, now)
	if !ok {
		var err error
		if e, err = k.find(ctx, sum, now); err != nil {
			return hub.Caller{}, err
		}
	}
	switch {
	case e.expires != nil && !e.expires.After(now):
		return hub.Caller{}, errBadKey
	case e.from != nil && !within(client, e.from):
		return hub.Caller{}, hub.Errorf(hub.CodeForbidden, "This API key must not be used from this address.")
	}
	return e.caller, nil
}

func within(client netip.Addr, networks []netip.Prefix) bool {
	return slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(client) })
}

// Expect reads the key of a request that is not in the cache yet, and so tells Noticed.
// Whether it is good says whoever serves the request.
func (k *Keys) Expect(r *http.Request) {
	const scheme = "bearer "
	key := r.Header.Get("Authorization")
	if len(key) <= len(scheme) || !strings.EqualFold(key[:len(scheme)], scheme) || !IsKey(key[len(scheme):]) {
		return
	}
	now, sum := k.now(), sha256.Sum256([]byte(key[len(scheme):]))
	if _, ok := k.cachedEntry(sum, now); !ok {
		_, _ = k.find(r.Context(), sum, now) // its faults are found again
	}
}

// find reads a key that is not in the cache.
func (k *Keys) find(ctx context.Context, sum [32]byte, now time.Time) (entry, error) {
	hash := hex.EncodeToString(sum[:])
	row, user, version, err := k.store.KeyAndVersion(ctx, hash)
	if err == nil && k.Noticed != nil {
		k.Noticed(ctx, version)
	}
	switch {
	case errors.Is(err, store.ErrNotFound):
		return entry{}, errBadKey
	case err != nil:
		return entry{}, hub.Wrap(hub.CodeUnavailable, err, "API keys cannot be checked now; the database does not answer.")
	case row.RevokedAt != nil, user.DisabledAt != nil:
		return entry{}, errBadKey
	case row.WalletID != "" && user.AccountID == "":
		return entry{}, errNoWallet
	}
	e := entry{expires: row.ExpiresAt, until: now.Add(cacheLife)}
	if e.from, err = networks(row.IPs); err != nil {
		return e, fmt.Errorf("key %s: %w", row.ID, err)
	}
	serial, used := row.Serial, row.LastUsedAt
	if row.Old(hash) {
		serial, used = row.Serial-1, row.OldUsedAt
		if row.OldUntil == nil {
			return e, errBadKey
		}
		if e.expires == nil || row.OldUntil.Before(*e.expires) {
			e.expires = row.OldUntil
		}
	}
	if e.expires != nil && !e.expires.After(now) {
		return e, errBadKey
	}
	e.caller = hub.Caller{UserID: user.ID, Email: user.Email, Role: user.Role, Groups: user.Groups, KeyID: row.ID, KeyName: row.Name, KeySerial: serial,
		AccountID: user.AccountID, SharedWallet: row.WalletID != "", Scopes: row.Scopes, Models: row.Models, AppID: row.AppID}
	if row.AppID != "" && user.Role.Administers() {
		e.caller.Role = hub.RoleMember // who answers for an application lends it no powers
	}
	k.remember(sum, e, version)
	k.touch(row.ID, serial, used, now)
	return e, nil
}

func (k *Keys) cachedEntry(sum [32]byte, now time.Time) (entry, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.follow()
	e, ok := k.cache[sum]
	return e, ok && now.Before(e.until)
}

// follow empties the cache of another version. k.mu is held.
func (k *Keys) follow() {
	if v := k.version(); v != k.cached {
		clear(k.cache)
		k.cached = v
	}
}

func (k *Keys) remember(sum [32]byte, e entry, version int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.follow()
	if version != k.cached {
		return
	}
	if len(k.cache) >= cacheSize {
		clear(k.cache)
	}
	k.cache[sum] = e
}
