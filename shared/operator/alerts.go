package operator

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/aigne-hub/aigne-hub/shared/alert"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// AcknowledgeAlert notes that somebody takes care of an alert. It stays open until what
// it is about is right again. Of several who do so the first stays on record.
func (d *Desk) AcknowledgeAlert(ctx context.Context, actor, id string) (store.Alert, error) {
	err := d.Store.AcknowledgeAlert(ctx, id, actor)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return store.Alert{}, err
	}
	first := err == nil
	a, err := d.Store.AlertByID(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return a, hub.Errorf(hub.CodeNotFound, "There is no alert %s.", id)
	}
	if err != nil {
		return a, err
	}
	return a, d.audit(ctx, actor, "alert.acknowledge", id, nil, map[string]any{"rule": a.Rule, "subject": a.Subject, "first": first})
}

// SetAlertRules changes what a JSON object says of the rules of alerts; the rest stays.
func (d *Desk) SetAlertRules(ctx context.Context, actor string, change json.RawMessage) (alert.Rules, error) {
	before, err := alert.Load(ctx, d.Store)
	if err != nil {
		return before, err
	}
	after, err := before.Change(change)
	if err != nil {
		return before, err
	}
	if err := alert.Save(ctx, d.Store, after); err != nil {
		return before, err
	}
	return after, d.audit(ctx, actor, "alert.rules", "", map[string]any{"rules": before}, map[string]any{"rules": after})
}
