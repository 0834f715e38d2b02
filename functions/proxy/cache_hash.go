package proxy

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"sync/atomic"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// tape records what a client gets, as long as it may be kept. A nil tape records
// nothing.
type tape struct {
	said []byte
	full bool
}

func (t *tape) add(p []byte) {
	if t == nil || t.full {
		return
	}
	if len(t.said)+len(p) > maxKept {
		t.said, t.full = nil, true
		return
	}
	t.said = append(t.said, p...)
}

// cacheKeySetting is the stored setting that holds the hashing key, sealed.
const (
	cacheKeySetting = "cache_hash_key"
	cacheKeyAAD     = "settings/" + cacheKeySetting + "/value"
)

// cacheHash holds the key under which requests are hashed: one for the hub,
// made when first needed. One that cannot be opened any more is replaced, which
// empties the cache.
type cacheHash struct {
	known atomic.Pointer[[]byte]
	turn  slots // one at a time reads it; who cannot wait goes without
}

func (c *cacheHash) key(ctx context.Context, h *handler) ([]byte, error) {
	if key := c.known.Load(); key != nil {
		return *key, nil
	}
	select {
	case c.turn <- struct{}{}:
		defer c.turn.give()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if key := c.known.Load(); key != nil {
		return *key, nil
	}
	key, err := readCacheKey(ctx, h)
	if err == nil {
		c.known.Store(&key)
	}
	return key, err
}

func readCacheKey(ctx context.Context, h *handler) ([]byte, error) {
	keys, err := h.Vault(ctx)
	if err != nil {
		return nil, err
	}
	sealed, err := h.Store.Setting(ctx, cacheKeySetting)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if err == nil {
		if plain, oerr := keys.Open(cacheKeyAAD, sealed); oerr == nil {
			return []byte(plain.Reveal()), nil
		}
	}
	fresh := hub.Secret(base64.RawStdEncoding.EncodeToString(random32()))
	mine, _, serr := keys.Seal(cacheKeyAAD, fresh)
	if serr != nil {
		return nil, serr
	}
	if err == nil { // what is there opens no more
		err = h.Store.SetSetting(ctx, cacheKeySetting, mine)
	} else {
		mine, err = h.Store.AddSetting(ctx, cacheKeySetting, mine)
	}
	if err != nil {
		return nil, err
	}
	plain, err := keys.Open(cacheKeyAAD, mine)
	return []byte(plain.Reveal()), err
}

func random32() []byte {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // crypto/rand.Read never fails
	return b
}
