package hostusers

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/blocklet"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// knownKey is what the server said about an access key; the zero AccessKey for
// one that it does not know.
type knownKey struct {
	blocklet.AccessKey
	at time.Time // when it was asked
}

const (
	// keyFresh is how long what the server said of a key is used without asking
	// again: that long a key may outlive its revocation.
	keyFresh = 2 * time.Second
	// keyStale is how long it is used while the server does not answer: it restarts
	// now and then, which must not stop its app.
	keyStale = time.Minute
	mostKeys = 10_000
)

// byAccessKey finds who made an access key. It is used with the role of the key's
// passport, or the user's own where that is weaker.
func (h *Host) byAccessKey(ctx context.Context, key hub.Secret) (hub.Caller, error) {
	k, err := h.accessKey(ctx, key)
	if err != nil {
		return hub.Caller{}, err
	}
	if k.ID == "" || (!k.ExpiresAt.IsZero() && !k.ExpiresAt.After(h.Now())) {
		return hub.Caller{}, errKey
	}
	u, err := h.Store.HostUser(ctx, k.Owner, "")
	if errors.Is(err, store.ErrNotFound) || (err == nil && u.ReadAt.IsZero()) {
		u, err = h.Learn(ctx, k.Owner)
	}
	if err != nil {
		return hub.Caller{}, unavailable(err)
	}
	c, err := h.caller(u, k.Role)
	c.KeyName = k.Name
	c.AppID = k.ID // what is used by it can be told apart, unless the call names an application
	return c, err
}

func (h *Host) accessKey(ctx context.Context, key hub.Secret) (blocklet.AccessKey, error) {
	if _, ok := blocklet.AccessKeyID(key); !ok {
		return blocklet.AccessKey{}, errKey
	}
	sum := sha256.Sum256([]byte(key.Reveal()))
	now := h.Now()
	h.mu.Lock()
	known, ok := h.keys[sum]
	h.mu.Unlock()
	if ok && now.Sub(known.at) < keyFresh {
		return known.AccessKey, nil
	}
	select {
	case h.asks <- struct{}{}:
		defer func() { <-h.asks }()
	case <-ctx.Done():
		return blocklet.AccessKey{}, unavailable(ctx.Err())
	}
	k, err := h.Env.AccessKey(ctx, key, now)
	if err != nil && !errors.Is(err, blocklet.ErrUnknown) {
		if ok && now.Sub(known.at) < keyStale {
			return known.AccessKey, nil
		}
		return k, unavailable(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.keys) >= mostKeys {
		clear(h.keys)
	}
	h.keys[sum] = knownKey{k, now}
	return k, nil
}

// Forget has the server asked anew about every access key.
func (h *Host) Forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.keys)
}
