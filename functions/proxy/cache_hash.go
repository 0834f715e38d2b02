package proxy

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"sync"

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
	mu   sync.Mutex
	made []byte
}

func (c *cacheHash) key(ctx context.Context, h *handler) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.made != nil {
		return c.made, nil
	}
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
			c.made = []byte(plain.Reveal())
			return c.made, nil
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
	if err != nil {
		return nil, err
	}
	c.made = []byte(plain.Reveal())
	return c.made, nil
}

func random32() []byte {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // crypto/rand.Read never fails
	return b
}
