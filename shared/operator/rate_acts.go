package operator

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// CreateRates makes the same rate at several providers, at all of them or at none.
func (d *Desk) CreateRates(ctx context.Context, actor string, n NewRate, providers []string) ([]store.Rate, error) {
	if len(providers) == 0 {
		return nil, hub.Invalid("providers", "Name at least one provider.")
	}
	var rows []store.Rate
	for _, name := range providers {
		n.Provider = name
		row, err := d.newRate(n)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return d.createRates(ctx, actor, rows, n.Reason)
}

// createRates makes rates that must not be there yet.
func (d *Desk) createRates(ctx context.Context, actor string, rows []store.Rate, reason string) ([]store.Rate, error) {
	seen := map[string]bool{}
	changes := make([]store.RateChange, len(rows))
	for i, row := range rows {
		key := strings.ToLower(row.Provider + "/" + row.Model + " " + string(row.Type))
		if seen[key] {
			return nil, hub.Invalid("providers", "%s is named twice.", row.Provider)
		}
		seen[key] = true
		changes[i] = store.RateChange{Rate: row, Change: store.RateCreate, Actor: actor, Reason: reason}
	}
	out, err := d.changeRates(ctx, changes)
	if err != nil {
		return nil, conflicting(err)
	}
	for _, row := range out {
		if err := d.auditRate(ctx, actor, "rate.create", row, reason); err != nil {
			return out, err
		}
	}
	return out, nil
}

// conflicting says in words which rates stood in the way.
func conflicting(err error) error {
	var c *store.RateConflictError
	if !errors.As(err, &c) {
		return err
	}
	switch {
	case len(c.There) > 0:
		return hub.Errorf(hub.CodeConflict, "There is a rate already for %s; nothing was changed.", strings.Join(c.There, ", "))
	case len(c.Missing) > 0:
		return hub.Errorf(hub.CodeNotFound, "There is no rate any more for %s; nothing was changed.", strings.Join(c.Missing, ", "))
	}
	return hub.Errorf(hub.CodeConflict, "Somebody else has just changed %s; look again. Nothing was changed.", strings.Join(c.Changed, ", "))
}

// RateEdit says what of a rate changes; nil stays.
type RateEdit struct {
	Prices      *pricing.Prices // credits per unit
	Costs       *pricing.Prices // dollars per unit; empty ones go back to the catalogue's
	Display     *string
	Description *string
	Client      json.RawMessage
	Context     *int64
	MaxOutput   *int64
	Reason      string
	Expect      int64 // the version that the editor saw; 0: any
}

// EditRate changes parts of a rate. Prices that are given count as set by hand,
// and a deprecated rate stays deprecated.
func (d *Desk) EditRate(ctx context.Context, actor, id string, e RateEdit) (store.Rate, error) {
	row, err := d.rate(ctx, id)
	if err != nil {
		return row, err
	}
	if err := checkReason(e.Reason); err != nil {
		return row, err
	}
	if e.Prices != nil {
		if e.Prices.Empty() {
			return row, hub.Invalid("input", "A rate needs at least one price.")
		}
		if row.Prices, err = encode(e.Prices); err != nil {
			return row, hub.Invalid("prices", "The prices cannot be used: %v.", err)
		}
		row.Margin, row.CreditPrice = "", ""
	}
	if e.Costs != nil {
		row.Costs = ""
		if !e.Costs.Empty() {
			if row.Costs, err = encode(e.Costs); err != nil {
				return row, hub.Invalid("costs", "The costs cannot be used: %v.", err)
			}
		}
	}
	if row.Metadata, err = e.metadata(row.Metadata); err != nil {
		return row, err
	}
	if e.Expect == 0 {
		e.Expect = row.Version
	}
	rows, err := d.changeRates(ctx, []store.RateChange{{Rate: row, Change: store.RateSet, Expect: e.Expect, Actor: actor, Reason: e.Reason}})
	if err != nil {
		return row, conflicting(err)
	}
	return rows[0], d.auditRate(ctx, actor, "rate.edit", rows[0], e.Reason)
}

func (e *RateEdit) metadata(stored string) (string, error) {
	var m routing.RateMetadata
	if err := json.Unmarshal([]byte(stored), &m); err != nil {
		return stored, err
	}
	for _, f := range []struct {
		into, from *string
		name       string
	}{{&m.Display, e.Display, "display"}, {&m.Description, e.Description, "description"}} {
		if f.from == nil {
			continue
		}
		if len(*f.from) > maxReason {
			return stored, hub.Invalid(f.name, "The %s must have at most %d bytes.", f.name, maxReason)
		}
		*f.into = *f.from
	}
	for _, f := range []struct {
		into, from *int64
		name       string
	}{{&m.Context, e.Context, "context"}, {&m.MaxOutput, e.MaxOutput, "max_output"}} {
		if f.from == nil {
			continue
		}
		if *f.from < 0 {
			return stored, hub.Invalid(f.name, "%s must not be negative.", f.name)
		}
		*f.into = *f.from
	}
	if e.Client != nil {
		m.Client = e.Client
	}
	return encode(m)
}

// rate finds a rate by its id, to change it.
func (d *Desk) rate(ctx context.Context, id string) (store.Rate, error) {
	row, err := d.Store.RateByID(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return row, hub.Errorf(hub.CodeNotFound, "There is no rate %s.", id)
	}
	if err != nil {
		return row, err
	}
	return row, d.free(row.Managed, "the rate of "+row.Provider+"/"+row.Model)
}

// FindRate finds a rate by what it prices.
func (d *Desk) FindRate(ctx context.Context, provider, model string, kind hub.CallType) (store.Rate, error) {
	if kind == "" {
		kind = hub.TypeChat
	}
	all, err := d.Store.Rates(ctx)
	if err != nil {
		return store.Rate{}, err
	}
	for _, row := range all {
		if row.Provider == provider && row.Model == model && row.Type == kind {
			return row, nil
		}
	}
	return store.Rate{}, hub.Errorf(hub.CodeNotFound, "There is no rate of %s/%s (%s).", provider, model, kind)
}

// RemoveRate deletes a rate. Aliases that lead to its model are in the way unless
// force is set; open calls never are. The history stays.
func (d *Desk) RemoveRate(ctx context.Context, actor, id, reason string, force bool) (Dependants, error) {
	row, err := d.rate(ctx, id)
	if err != nil {
		return Dependants{}, err
	}
	if err := checkReason(reason); err != nil {
		return Dependants{}, err
	}
	deps, err := d.RateDependants(ctx, row)
	if err != nil {
		return deps, err
	}
	if len(deps.Aliases) > 0 && !force {
		return deps, hub.Errorf(hub.CodeConflict, "%s/%s is used by the alias %s. Change them first, or remove the rate by force.",
			row.Provider, row.Model, strings.Join(deps.Aliases, "; "))
	}
	if _, err := d.changeRates(ctx, []store.RateChange{{Rate: row, Change: store.RateRemove, Expect: row.Version, Actor: actor, Reason: reason}}); err != nil {
		return deps, conflicting(err)
	}
	return deps, d.audit(ctx, actor, "rate.remove", row.Provider+"/"+row.Model, map[string]any{"version": row.Version, "prices": json.RawMessage(row.Prices)},
		map[string]any{"reason": reason, "forced": force})
}

// DeprecateRate marks a rate as one to leave. Calls go on until refusedFrom, for
// ever where it is nil.
func (d *Desk) DeprecateRate(ctx context.Context, actor, id, reason string, refusedFrom *time.Time) (store.Rate, error) {
	row, err := d.rate(ctx, id)
	if err != nil {
		return row, err
	}
	if err := checkReason(reason); err != nil {
		return row, err
	}
	now := d.Now()
	if row.Deprecated == nil {
		row.Deprecated = &now
	}
	row.DeprecatedReason, row.RefusedFrom = reason, refusedFrom
	row.Retired = refusedFrom != nil && !refusedFrom.After(now)
	return d.mark(ctx, actor, row, store.RateDeprecate, reason)
}

// RestoreRate takes a deprecation back.
func (d *Desk) RestoreRate(ctx context.Context, actor, id, reason string) (store.Rate, error) {
	row, err := d.rate(ctx, id)
	if err != nil {
		return row, err
	}
	if err := checkReason(reason); err != nil {
		return row, err
	}
	row.Deprecated, row.DeprecatedReason, row.RefusedFrom, row.Retired = nil, "", nil, false
	return d.mark(ctx, actor, row, store.RateRestore, reason)
}

func (d *Desk) mark(ctx context.Context, actor string, row store.Rate, change, reason string) (store.Rate, error) {
	rows, err := d.changeRates(ctx, []store.RateChange{{Rate: row, Change: change, Expect: row.Version, Actor: actor, Reason: reason}})
	if err != nil {
		return row, conflicting(err)
	}
	return rows[0], d.auditRate(ctx, actor, "rate."+change, rows[0], reason)
}

// planRate keeps a rate for later.
func (d *Desk) planRate(ctx context.Context, actor string, row store.Rate, from time.Time, reason string) (store.Rate, error) {
	if from.Sub(d.Now()) > maxAhead {
		return row, hub.Invalid("effective_from", "Prices can be planned at most two years ahead.")
	}
	if err := d.freeRates(ctx, []store.RateChange{{Rate: row}}); err != nil {
		return row, err
	}
	p, err := d.Store.PlanRate(ctx, store.RatePlan{Rate: row, From: from, Actor: actor, Reason: reason})
	if err != nil {
		return row, err
	}
	row.Effective = p.From
	return row, d.audit(ctx, actor, "rate.plan", row.Provider+"/"+row.Model, nil, map[string]any{"from": from.UTC(), "prices": json.RawMessage(row.Prices), "reason": reason})
}

// DropRatePlan forgets prices that were planned.
func (d *Desk) DropRatePlan(ctx context.Context, actor, id string) error {
	err := d.Store.DropRatePlan(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return hub.Errorf(hub.CodeNotFound, "There is no plan %s.", id)
	}
	if err != nil {
		return err
	}
	return d.audit(ctx, actor, "rate.unplan", id, nil, nil)
}

// TurnRates puts planned prices in force and retires rates, where the time has
// come.
func (d *Desk) TurnRates(ctx context.Context) error {
	const actor = "schedule"
	applied, err := d.Store.ApplyRatePlans(ctx)
	if err != nil {
		return err
	}
	for _, row := range applied {
		if err := d.auditRate(ctx, actor, "rate.planned", row, ""); err != nil {
			return err
		}
	}
	retired, err := d.Store.RetireRates(ctx, actor)
	if err != nil {
		return err
	}
	for _, row := range retired {
		if err := d.auditRate(ctx, actor, "rate.retire", row, row.DeprecatedReason); err != nil {
			return err
		}
	}
	return nil
}

// RateSpec is a rate in the units it is kept in.
type RateSpec struct {
	Model                string
	Type                 hub.CallType
	Prices               pricing.Prices // credits per unit
	Costs                pricing.Prices // dollars per unit; empty: the catalogue's
	MaxOutput            int64
	Display, Description string
	Client               json.RawMessage
	Reason               string
}

// CreateRateSpecs makes the same rate at several providers, at all of them or at
// none.
func (d *Desk) CreateRateSpecs(ctx context.Context, actor string, n RateSpec, providers []string) ([]store.Rate, error) {
	if n.Prices.Empty() {
		return nil, hub.Invalid("inputRate", "A rate needs at least one price.")
	}
	if err := checkReason(n.Reason); err != nil {
		return nil, err
	}
	e := RateEdit{Display: &n.Display, Description: &n.Description, Client: n.Client, MaxOutput: &n.MaxOutput}
	meta, err := e.metadata("{}")
	if err != nil {
		return nil, err
	}
	prices, err := encode(n.Prices)
	if err != nil {
		return nil, hub.Invalid("inputRate", "The prices cannot be used: %v.", err)
	}
	costs := ""
	if !n.Costs.Empty() {
		if costs, err = encode(n.Costs); err != nil {
			return nil, hub.Invalid("unitCosts", "The costs cannot be used: %v.", err)
		}
	}
	rows := make([]store.Rate, len(providers))
	for i, name := range providers {
		if err := checkRateName(name, n.Model, n.Type); err != nil {
			return nil, err
		}
		rows[i] = store.Rate{Provider: name, Model: n.Model, Type: n.Type, Prices: prices, Costs: costs, Metadata: meta}
	}
	return d.createRates(ctx, actor, rows, n.Reason)
}
