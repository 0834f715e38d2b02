package operator

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/capture"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// NewCaptureRule says whose bodies are kept. What is not named fits all.
type NewCaptureRule struct {
	User     string   `json:"user" validate:"omitempty,max=200"` // e-mail address
	KeyID    string   `json:"key_id" validate:"omitempty,max=64"`
	AppID    string   `json:"app_id" validate:"omitempty,max=200"`
	Permille *int64   `json:"permille" validate:"omitempty,min=0,max=1000"` // of the calls; all unless given; 0 keeps none
	Parts    string   `json:"parts" validate:"omitempty,oneof=both request response"`
	PII      []string `json:"pii" validate:"omitempty,max=10,dive,oneof=email phone card"` // taken out beside secrets
	UsersSee bool     `json:"users_see"`                                                   // users see what was kept of their own calls
}

// AddCaptureRule makes a rule.
func (d *Desk) AddCaptureRule(ctx context.Context, actor string, n NewCaptureRule) (store.CaptureRule, error) {
	rule := store.CaptureRule{ID: d.Store.NewID(), CreatedAt: d.Now().UTC(), CreatedBy: actor, KeyID: n.KeyID, AppID: strings.TrimSpace(n.AppID),
		Permille: 1000, Parts: capture.Both, PII: []string{}, UsersSee: n.UsersSee}
	if n.Permille != nil {
		rule.Permille = *n.Permille
	}
	if n.Parts != "" {
		rule.Parts = n.Parts
	}
	for _, kind := range n.PII {
		if !slices.Contains(capture.Kinds(), kind) {
			return rule, hub.Invalid("pii", "pii must be of %s those wanted.", strings.Join(capture.Kinds(), ", "))
		}
		if !slices.Contains(rule.PII, kind) {
			rule.PII = append(rule.PII, kind)
		}
	}
	switch {
	case rule.Permille < 0 || rule.Permille > 1000:
		return rule, hub.Invalid("permille", "permille must be a whole number from 0 to 1000.")
	case !slices.Contains([]string{capture.Both, capture.Request, capture.Response}, rule.Parts):
		return rule, hub.Invalid("parts", "parts must be both, request or response.")
	}
	if n.User != "" {
		u, err := d.User(ctx, n.User)
		if err != nil {
			return rule, err
		}
		rule.UserID = u.ID
	}
	if n.KeyID != "" {
		if _, err := d.Store.KeyByID(ctx, n.KeyID); errors.Is(err, store.ErrNotFound) {
			return rule, hub.Invalid("key_id", "There is no API key with this id.")
		} else if err != nil {
			return rule, err
		}
	}
	if err := d.Store.AddCaptureRule(ctx, rule); err != nil {
		return rule, err
	}
	return rule, d.audit(ctx, actor, "capture.rule.add", rule.ID, nil, viewRule(rule))
}

func viewRule(c store.CaptureRule) map[string]any {
	return map[string]any{"user_id": c.UserID, "key_id": c.KeyID, "app_id": c.AppID, "permille": c.Permille, "parts": c.Parts, "pii": c.PII, "users_see": c.UsersSee}
}

// RemoveCaptureRule ends a rule. What was kept by it stays until its time is over.
func (d *Desk) RemoveCaptureRule(ctx context.Context, actor, id string) error {
	all, err := d.Store.CaptureRules(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(c store.CaptureRule) bool { return c.ID == id })
	none := hub.Errorf(hub.CodeNotFound, "There is no rule %q.", id)
	if i < 0 {
		return none
	}
	if err := d.Store.RemoveCaptureRule(ctx, id); errors.Is(err, store.ErrNotFound) {
		return none
	} else if err != nil {
		return err
	}
	return d.audit(ctx, actor, "capture.rule.remove", id, viewRule(all[i]), nil)
}

// Payload opens what was kept of a call, and puts on record that it was looked at.
// hub.CodeNotFound: nothing was.
func (d *Desk) Payload(ctx context.Context, actor, callID string) (*capture.Payload, error) {
	row, err := d.Store.Payload(ctx, callID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, NothingKept()
	}
	if err != nil {
		return nil, err
	}
	if err := d.audit(ctx, actor, "capture.view", callID, nil, map[string]any{"user_id": row.UserID}); err != nil {
		return nil, err
	}
	return d.OpenPayload(ctx, row)
}

// OpenPayload opens what was kept of a call.
func (d *Desk) OpenPayload(ctx context.Context, row store.Payload) (*capture.Payload, error) {
	ring, err := d.Vault(ctx)
	if err != nil {
		return nil, err
	}
	return capture.Read(ring, row)
}

// NothingKept is the answer where nothing was kept of a call, or nothing that the
// caller may see.
func NothingKept() error {
	return hub.Errorf(hub.CodeNotFound, "Nothing was kept of the bodies of this call.")
}

// ForgetPayload deletes what was kept of a call before its time.
func (d *Desk) ForgetPayload(ctx context.Context, actor, callID string) error {
	if err := d.Store.DeletePayload(ctx, callID); errors.Is(err, store.ErrNotFound) {
		return NothingKept()
	} else if err != nil {
		return err
	}
	return d.audit(ctx, actor, "capture.forget", callID, nil, nil)
}
