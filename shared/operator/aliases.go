package operator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// SetAlias creates or replaces a model name of the operator's own.
func (d *Desk) SetAlias(ctx context.Context, actor string, a routing.Alias) error {
	all, err := d.Store.Aliases(ctx)
	if err != nil {
		return err
	}
	isAlias := func(name string) bool {
		for _, other := range all {
			if strings.EqualFold(other.Name, name) {
				return true
			}
		}
		return strings.EqualFold(a.Name, name)
	}
	if err := a.Check(isAlias); err != nil {
		return err
	}
	if err := d.freeAlias(ctx, a.Name); err != nil {
		return err
	}
	row := store.Alias{Name: a.Name}
	for i := range a.Rules {
		rule, err := json.Marshal(a.Rules[i])
		if err != nil {
			return err
		}
		row.Rules = append(row.Rules, string(rule))
	}
	if err := d.Store.SetAlias(ctx, row); err != nil {
		return err
	}
	return d.audit(ctx, actor, "alias.set", a.Name, nil, map[string]any{"rules": a.Rules})
}

// RemoveAlias deletes a model name of the operator's own.
func (d *Desk) RemoveAlias(ctx context.Context, actor, name string) error {
	if err := d.freeAlias(ctx, name); err != nil {
		return err
	}
	err := d.Store.RemoveAlias(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return hub.Errorf(hub.CodeNotFound, "There is no alias %s.", name)
	}
	if err != nil {
		return err
	}
	return d.audit(ctx, actor, "alias.remove", name, nil, nil)
}

// ReadAlias decodes an alias row.
func ReadAlias(row store.Alias) (*routing.Alias, error) {
	a := &routing.Alias{Name: row.Name, Rules: make([]routing.Rule, len(row.Rules))}
	for i, rule := range row.Rules {
		if err := json.Unmarshal([]byte(rule), &a.Rules[i]); err != nil {
			return nil, fmt.Errorf("alias %s, rule %d: %w", row.Name, i+1, err)
		}
	}
	return a, nil
}
