package operator

import (
	"context"
	"errors"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/identity"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Key finds a key by its id.
func (d *Desk) Key(ctx context.Context, id string) (store.APIKey, error) {
	row, err := d.Store.KeyByID(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return row, hub.Errorf(hub.CodeNotFound, "There is no API key with the id %s.", id)
	}
	return row, err
}

// CreateKey makes an API key for a user that may do all that its user may; the
// key is shown once.
func (d *Desk) CreateKey(ctx context.Context, actor, email, name string, expires *time.Time) (hub.Secret, store.APIKey, error) {
	return d.CreateLimitedKey(ctx, actor, email, name, expires, KeyLimits{})
}

// CreateLimitedKey makes an API key with restrictions, limits and a wallet of its
// own. A key for which they cannot all be set is revoked and not shown.
func (d *Desk) CreateLimitedKey(ctx context.Context, actor, email, name string, expires *time.Time, k KeyLimits) (hub.Secret, store.APIKey, error) {
	if _, err := k.of(""); err != nil {
		return "", store.APIKey{}, err
	}
	if err := checkModels(k.Models); err != nil {
		return "", store.APIKey{}, err
	}
	u, err := d.User(ctx, email)
	if err != nil {
		return "", store.APIKey{}, err
	}
	row := store.APIKey{UserID: u.ID, Name: name, ExpiresAt: expires, Models: k.Models, IPs: k.IPs, Scopes: k.Scopes, AppID: k.App}
	if k.App != "" {
		if row.Scopes == nil {
			row.Scopes = []hub.Scope{hub.ScopeInference}
		}
		if _, err := d.App(ctx, k.App); err != nil {
			return "", row, err
		}
	}
	key, row, err := d.Keys.Create(ctx, row)
	if err != nil {
		return "", row, err
	}
	err = d.audit(ctx, actor, "key.create", row.ID, nil, merged(map[string]any{"user": u.Email, "name": name}, terms(&row)))
	if err == nil && k.Wallet != "" {
		err = d.BindKey(ctx, actor, row.ID, k.Wallet)
	}
	all, _ := k.of(row.ID) // they were good a moment ago
	for _, l := range all {
		if err == nil {
			_, err = d.SetLimit(ctx, actor, l)
		}
	}
	if err != nil {
		return "", row, errors.Join(err, d.RevokeKey(context.WithoutCancel(ctx), actor, row.ID))
	}
	return key, row, nil
}

// checkModels reports what makes a list of patterns unusable; nil is no list.
func checkModels(models []string) error {
	if models != nil && len(models) == 0 {
		return hub.Invalid("models", "An empty list of models would allow nothing; leave it out, or null, to allow all.")
	}
	return routing.Allow(models).Check()
}

// terms are a key's restrictions, for the record.
func terms(k *store.APIKey) map[string]any {
	m := map[string]any{}
	if k.ExpiresAt != nil {
		m["expires_at"] = k.ExpiresAt
	}
	if k.Models != nil {
		m["models"] = k.Models
	}
	if k.IPs != nil {
		m["ips"] = k.IPs
	}
	if k.Scopes != nil {
		m["scopes"] = k.Scopes
	}
	if k.AppID != "" {
		m["app"] = k.AppID
	}
	return m
}

func merged(a, b map[string]any) map[string]any {
	for k, v := range b {
		a[k] = v
	}
	return a
}

// RevokeKey ends a key by its id.
func (d *Desk) RevokeKey(ctx context.Context, actor, id string) error {
	row, err := d.Key(ctx, id) // also one that a file manages: who lost a key need not find the file first
	if err != nil {
		return err
	}
	if err := d.Store.RevokeKey(ctx, id); err != nil {
		return err
	}
	return d.audit(ctx, actor, "key.revoke", id, map[string]any{"name": row.Name}, nil)
}

// RotateKey gives a key another secret, shown once; the one before stays good for
// the grace, at most identity.MaxGrace. Usage, limits, wallet and restrictions
// belong to the key and stay as they are, whichever secret a call comes with.
func (d *Desk) RotateKey(ctx context.Context, actor, id string, grace time.Duration) (hub.Secret, store.APIKey, error) {
	row, err := d.freeKey(ctx, id)
	if err != nil {
		return "", row, err
	}
	if row.RevokedAt != nil || (row.ExpiresAt != nil && !row.ExpiresAt.After(d.Now())) {
		return "", row, hub.Errorf(hub.CodeConflict, "The API key %s is revoked or expired; make a new one.", id)
	}
	before := map[string]any{"hint": row.Hint}
	key, row, err := d.Keys.Rotate(ctx, row, grace)
	if errors.Is(err, store.ErrNotFound) {
		return "", row, hub.Errorf(hub.CodeConflict, "The API key %s was rotated or revoked meanwhile.", id)
	}
	if err != nil {
		return "", row, err
	}
	return key, row, d.audit(ctx, actor, "key.rotate", id, before, map[string]any{"hint": row.Hint, "old_until": row.OldUntil})
}

// Grace is a number of seconds as a grace.
func Grace(seconds int64) (time.Duration, error) {
	if seconds < 0 || seconds > int64(identity.MaxGrace/time.Second) {
		return 0, hub.Invalid("grace_seconds", "grace_seconds must be from 0 to %d.", int64(identity.MaxGrace/time.Second))
	}
	return time.Duration(seconds) * time.Second, nil
}

// Rotation asks for another secret of a key.
type Rotation struct {
	Grace int64 `json:"grace_seconds"` // how long the secret in use stays good
}

// Rotate is RotateKey for a request; the document is the only place where the new
// secret can be read.
func (d *Desk) Rotate(ctx context.Context, actor, id string, in Rotation) (map[string]any, error) {
	grace, err := Grace(in.Grace)
	if err != nil {
		return nil, err
	}
	secret, key, err := d.RotateKey(ctx, actor, id, grace)
	if err != nil {
		return nil, err
	}
	return map[string]any{"id": key.ID, "name": key.Name, "key": secret.Reveal(), "old_until": key.OldUntil}, nil
}

// MayManageKeys refuses callers that came with a key which is restricted in any
// way: with it they could make or change one that is not.
func (d *Desk) MayManageKeys(ctx context.Context, c hub.Caller) error {
	if c.KeyID == "" {
		return nil
	}
	row, err := d.Store.KeyByID(ctx, c.KeyID)
	if err != nil {
		return err
	}
	limited, err := d.Store.LimitsOf(ctx, "key", row.ID)
	if err != nil {
		return err
	}
	if c.Scopes != nil || len(terms(&row)) > 0 || row.WalletID != "" || len(limited) > 0 {
		return hub.Errorf(hub.CodeForbidden, "This API key is restricted itself, so it cannot make or change keys; use one that is not.")
	}
	return nil
}
