package operator

import (
	"context"
	"encoding/json"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func setTimeouts(p *store.Provider, t routing.Timeouts) error {
	b, err := json.Marshal(routing.ProviderSettings{Timeouts: t})
	p.Settings = string(b)
	return err
}

// SetProviderTimeouts replaces a provider's time-outs.
func (d *Desk) SetProviderTimeouts(ctx context.Context, actor, name string, t routing.Timeouts) (store.Provider, error) {
	p, err := d.provider(ctx, name)
	if err != nil {
		return p, err
	}
	before := p.Settings
	if err := setTimeouts(&p, t); err != nil {
		return p, err
	}
	if err := d.Store.SetProviderSettings(ctx, p.ID, p.Settings); err != nil {
		return p, err
	}
	return p, d.audit(ctx, actor, "provider.timeouts", name, map[string]any{"settings": json.RawMessage(before)}, map[string]any{"settings": json.RawMessage(p.Settings)})
}

// CredentialUse is how much a credential is used; nil leaves a value as it is.
type CredentialUse struct {
	Weight        *int64
	MaxConcurrent *int64 // calls at once in each process; 0: any number
}

const (
	maxWeight     = 1_000_000
	maxConcurrent = 1_000_000
)

// SetCredentialUse changes how much a credential is used.
func (d *Desk) SetCredentialUse(ctx context.Context, actor, providerName, name string, use CredentialUse) error {
	if w := use.Weight; w != nil && (*w < 1 || *w > maxWeight) {
		return hub.Invalid("weight", "The weight must be 1 to %d.", maxWeight)
	}
	if n := use.MaxConcurrent; n != nil && (*n < 0 || *n > maxConcurrent) {
		return hub.Invalid("max_concurrent", "The most calls at once must be 0 to %d; 0 is any number.", maxConcurrent)
	}
	c, err := d.credential(ctx, providerName, name)
	if err != nil {
		return err
	}
	before := map[string]any{"weight": c.Weight, "max_concurrent": c.MaxConcurrent}
	if use.Weight != nil {
		c.Weight = *use.Weight
	}
	if use.MaxConcurrent != nil {
		c.MaxConcurrent = *use.MaxConcurrent
	}
	if err := d.Store.SetCredentialUse(ctx, c.ID, c.Weight, c.MaxConcurrent); err != nil {
		return err
	}
	return d.audit(ctx, actor, "credential.use", providerName+"/"+c.Name, before, map[string]any{"weight": c.Weight, "max_concurrent": c.MaxConcurrent})
}
