package identity

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// The bounds of what a key is made with.
const (
	maxKeyName  = 100
	maxNetworks = 100
	// MaxGrace is how long at most a secret stays good after its rotation.
	MaxGrace = 90 * 24 * time.Hour
)

// Create makes a key of a row with a user, a name and, where it is not to do all,
// what restricts it. The key is returned this once.
func (k *Keys) Create(ctx context.Context, row store.APIKey) (hub.Secret, store.APIKey, error) {
	if err := k.Check(&row); err != nil {
		return "", row, err
	}
	if row.ExpiresAt != nil && !row.ExpiresAt.After(k.now()) {
		return "", row, hub.Invalid("expires_at", "The expiry must lie in the future.")
	}
	key := NewKey()
	row.Hash, row.Hint = Hash(key), hint(key)
	row, err := k.store.CreateKey(ctx, row)
	return key, row, err
}

// hint is what of a key is shown to tell it from others.
func hint(key hub.Secret) string {
	plain := key.Reveal()
	return plain[len(plain)-4:]
}

// Rotate gives a key another secret, which is returned this once. The one before
// stays good for the grace, at most MaxGrace; one of an earlier rotation ends at
// once. All else of the key stays: it is the same key. store.ErrNotFound: it is
// revoked, or was rotated meanwhile.
func (k *Keys) Rotate(ctx context.Context, row store.APIKey, grace time.Duration) (hub.Secret, store.APIKey, error) {
	if grace < 0 || grace > MaxGrace {
		return "", row, hub.Invalid("grace", "The grace must be from 0 to %d hours.", int(MaxGrace.Hours()))
	}
	key, until := NewKey(), k.now().Add(grace).UTC()
	if err := k.store.RotateKey(ctx, row, Hash(key), hint(key), until); err != nil {
		return "", row, err
	}
	row, err := k.store.KeyByID(ctx, row.ID)
	return key, row, err
}

// Check reports what makes a key's name, addresses or scopes unusable, and brings
// the addresses into their one form: networks without host bits. The error's
// Param names the field.
func (k *Keys) Check(row *store.APIKey) error {
	if strings.TrimSpace(row.Name) == "" || len(row.Name) > maxKeyName {
		return hub.Invalid("name", "A key needs a name of 1 to %d characters.", maxKeyName)
	}
	if err := checkScopes(row); err != nil {
		return err
	}
	if row.IPs == nil {
		return nil
	}
	if len(row.IPs) == 0 || len(row.IPs) > maxNetworks {
		return hub.Invalid("ips", "A list of addresses has 1 to %d entries.", maxNetworks)
	}
	all, err := networks(row.IPs)
	if err != nil {
		return err
	}
	row.IPs = make([]string, 0, len(all))
	for _, p := range all {
		if text := p.String(); !slices.Contains(row.IPs, text) {
			row.IPs = append(row.IPs, text)
		}
	}
	return nil
}

func checkScopes(row *store.APIKey) error {
	if row.AppID != "" && !slices.Equal(row.Scopes, []hub.Scope{hub.ScopeInference}) {
		return hub.Invalid("scopes", "A service key has the scope inference and no other.")
	}
	if row.Scopes == nil {
		return nil
	}
	if len(row.Scopes) == 0 {
		return hub.Invalid("scopes", "A key without any scope would be good for nothing.")
	}
	for i, s := range row.Scopes {
		switch {
		case !slices.Contains(hub.Scopes(), s):
			return hub.Invalid("scopes", "%.40q is no scope; there are inference, usage, billing and admin.", string(s))
		case slices.Contains(row.Scopes[:i], s):
			return hub.Invalid("scopes", "The scope %s is named twice.", s)
		}
	}
	return nil
}

// networks reads addresses and CIDRs; nil gives nil.
func networks(list []string) ([]netip.Prefix, error) {
	if list == nil {
		return nil, nil
	}
	out := make([]netip.Prefix, len(list))
	for i, text := range list {
		p, err := network(strings.TrimSpace(text))
		if err != nil {
			return nil, hub.Invalid("ips", "%.60q is neither an address nor a network such as 192.0.2.0/24.", text)
		}
		out[i] = p
	}
	return out, nil
}

var errMapped = errors.New("a network of IPv4 addresses written as IPv6")

func network(text string) (netip.Prefix, error) {
	if !strings.Contains(text, "/") {
		a, err := netip.ParseAddr(text)
		if err != nil {
			return netip.Prefix{}, err
		}
		return a.Unmap().WithZone("").Prefix(a.Unmap().BitLen())
	}
	p, err := netip.ParsePrefix(text)
	if err == nil && p.Addr().Is4In6() {
		err = errMapped // callers' addresses are never written so: it would match nobody
	}
	return p.Masked(), err
}

const (
	touchLimit = 5 * time.Second
	maxTouches = 8 // at once; what finds no place is noted the next time
)

// touch notes, beside the request, that a key is in use.
func (k *Keys) touch(id string, serial int64, last *time.Time, now time.Time) {
	if last != nil && now.Sub(*last) < touchEvery {
		return
	}
	select {
	case k.touches <- struct{}{}:
	default:
		return
	}
	go func() {
		defer func() { <-k.touches }()
		ctx, cancel := context.WithTimeout(context.Background(), touchLimit)
		defer cancel()
		_ = k.store.TouchKey(ctx, id, serial) // a note that is lost is made again
	}()
}
