package operator

import (
	"context"
	"errors"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/selling"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// CreateCodes makes redeem codes.
func (d *Desk) CreateCodes(ctx context.Context, actor string, n selling.NewCodes) ([]selling.Code, error) {
	codes, err := d.Codes.Create(ctx, actor, n)
	if err != nil {
		return nil, err
	}
	c := codes[0]
	return codes, d.audit(ctx, actor, "codes.create", c.Batch, nil, map[string]any{"count": len(codes), "amount": c.Amount.String(), "kind": c.Kind,
		"max_uses": c.MaxUses, "expires_at": c.ExpiresAt, "life": c.Life.String()})
}

// ExportCodes lists a batch's codes with their texts, up to limit after the one
// with id after.
func (d *Desk) ExportCodes(ctx context.Context, actor, batch, after string, limit int) ([]selling.Code, error) {
	codes, err := d.Codes.Export(ctx, batch, after, limit)
	if err != nil {
		return nil, err
	}
	if after == "" {
		if len(codes) == 0 {
			return nil, hub.Errorf(hub.CodeNotFound, "There is no batch named %s.", batch)
		}
		err = d.audit(ctx, actor, "codes.export", batch, nil, nil)
	}
	return codes, err
}

// DisableCode ends one code.
func (d *Desk) DisableCode(ctx context.Context, actor, id string) error {
	err := d.Store.DisableRedeemCode(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return hub.Errorf(hub.CodeNotFound, "There is no redeem code with the id %s that could be disabled.", id)
	}
	if err != nil {
		return err
	}
	return d.audit(ctx, actor, "codes.disable", id, nil, nil)
}

// DisableBatch ends every code of a batch and says how many worked until now.
func (d *Desk) DisableBatch(ctx context.Context, actor, batch string) (int64, error) {
	there, err := d.Store.HasBatch(ctx, batch)
	if err != nil {
		return 0, err
	}
	if !there {
		return 0, hub.Errorf(hub.CodeNotFound, "There is no batch named %s.", batch)
	}
	n, err := d.Store.DisableBatch(ctx, batch)
	if err != nil {
		return n, err
	}
	return n, d.audit(ctx, actor, "codes.disable", batch, nil, map[string]any{"count": n})
}
