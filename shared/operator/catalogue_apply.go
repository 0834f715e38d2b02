package operator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// KeepMargin is the margin of an application that prices each rate anew with the
// margin that it was computed with; prices set by hand stay.
const KeepMargin = "keep"

// CatalogueChoice says what of a reviewed catalogue is applied.
type CatalogueChoice struct {
	IDs  []string // of open proposals; none: all that are open, but for what the next say
	None bool     // apply no proposal, only put the catalogue in force
	// SkipNew leaves new models out, and costs that rates keep are changed only with
	// OwnCosts, where no IDs are given: they are the operator's own.
	SkipNew, OwnCosts bool
	// Activate puts the catalogue in force: models without costs of their own then
	// cost what it says, and are sold at the default margin on that where they have
	// no rate. Prices and costs of rates that are not among IDs stay.
	Activate bool
	Digest   string // of the catalogue, "" for the one of the proposals
	// Margin, when set, prices rates anew: a percentage, or KeepMargin. New models
	// need one; "" and KeepMargin are the default margin for them.
	Margin, CreditPrice string
	Reason              string
	DryRun              bool
}

// CatalogueApplied is what came of one proposal.
type CatalogueApplied struct {
	Proposal store.Proposal
	Old, New *pricing.Prices // prices in credits; nil where there is no rate, or they stay
	Skipped  string          // why the rate was left alone, though the proposal counts as applied
}

// ApplyCatalogue carries out proposals, all or none, and puts the catalogue in
// force if asked to.
func (d *Desk) ApplyCatalogue(ctx context.Context, actor string, c CatalogueChoice) ([]CatalogueApplied, error) {
	if err := d.checkChoice(&c); err != nil {
		return nil, err
	}
	chosen, err := d.chosen(ctx, &c)
	if err != nil {
		return nil, err
	}
	rates, err := d.Store.Rates(ctx)
	if err != nil {
		return nil, err
	}
	byName := map[string]store.Rate{}
	for _, row := range rates {
		byName[rateKey(row.Provider, row.Model, row.Type)] = row
	}
	if len(c.IDs) == 0 {
		chosen = slices.DeleteFunc(chosen, func(p store.Proposal) bool {
			row := byName[rateKey(p.Provider, p.Model, p.Type)]
			own := p.Kind == ProposeCost && row.Costs != ""
			return row.Managed != "" || (own && !c.OwnCosts) || (c.SkipNew && p.Kind == ProposeNew)
		})
	}
	out := make([]CatalogueApplied, 0, len(chosen))
	decision := store.Decision{State: store.ProposalApplied, Actor: actor, Reason: c.Reason}
	for _, p := range chosen {
		a, change, err := d.applied(p, byName, &c)
		if err != nil {
			return nil, err
		}
		if change != nil {
			change.Actor, change.Reason = actor, c.Reason
			decision.Changes = append(decision.Changes, *change)
		}
		out, decision.IDs = append(out, a), append(decision.IDs, p.ID)
	}
	if c.Activate {
		decision.Activate = c.Digest
	}
	if c.DryRun {
		return out, nil
	}
	if err := d.freeRates(ctx, decision.Changes); err != nil {
		return nil, err
	}
	if err := d.Store.Decide(ctx, decision); err != nil {
		if errors.As(err, new(*store.RateConflictError)) {
			return nil, conflicting(err)
		}
		if errors.Is(err, store.ErrConflict) {
			return nil, hub.Errorf(hub.CodeConflict, "Somebody else has just decided about one of the proposals; look again. Nothing was changed.")
		}
		return nil, err
	}
	return out, d.audit(ctx, actor, "catalogue.apply", c.Digest, nil, map[string]any{"proposals": len(out), "rates": len(decision.Changes), "in_force": c.Activate,
		"margin": c.Margin, "reason": c.Reason})
}

func (d *Desk) checkChoice(c *CatalogueChoice) error {
	if c.CreditPrice == "" {
		c.CreditPrice = d.CreditPrice
	}
	if c.Margin == "" || c.Margin == KeepMargin {
		return checkReason(c.Reason)
	}
	return checkMargin(c.Margin, c.CreditPrice, c.Reason)
}

// chosen reads the proposals to apply and settles which catalogue they are of.
func (d *Desk) chosen(ctx context.Context, c *CatalogueChoice) (out []store.Proposal, err error) {
	switch {
	case c.None:
	case len(c.IDs) == 0:
		out, err = d.Store.Proposals(ctx, store.ProposalOpen, "", maxProposals)
	default:
		out, err = d.openProposals(ctx, c.IDs)
	}
	if err != nil {
		return nil, err
	}
	for _, p := range out {
		if c.Digest != "" && c.Digest != p.Digest {
			return nil, hub.Errorf(hub.CodeConflict, "The proposals come from another catalogue than the one to be applied; review it again.")
		}
		c.Digest = p.Digest
	}
	if c.Activate && c.Digest == "" {
		return nil, hub.Invalid("digest", "Nothing is proposed; review a catalogue first.")
	}
	if c.Activate {
		if _, err := d.Store.CatalogueContent(ctx, c.Digest); errors.Is(err, store.ErrNotFound) {
			return nil, hub.Errorf(hub.CodeNotFound, "There is no catalogue %s; review it first.", c.Digest)
		} else if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (d *Desk) openProposals(ctx context.Context, ids []string) ([]store.Proposal, error) {
	if len(ids) > maxProposals {
		return nil, hub.Invalid("ids", "At most %d proposals are decided at once.", maxProposals)
	}
	out, err := d.Store.ProposalsByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	have := map[string]string{}
	for _, p := range out {
		have[p.ID] = p.State
	}
	for _, id := range ids {
		switch state, there := have[id]; {
		case !there:
			return nil, hub.Errorf(hub.CodeNotFound, "There is no proposal %s.", id)
		case state != store.ProposalOpen:
			return nil, hub.Errorf(hub.CodeConflict, "The proposal %s is %s already.", id, state)
		}
	}
	return out, nil
}

// applied works out what a proposal does to its rate.
func (d *Desk) applied(p store.Proposal, byName map[string]store.Rate, c *CatalogueChoice) (CatalogueApplied, *store.RateChange, error) {
	out := CatalogueApplied{Proposal: p}
	row, there := byName[rateKey(p.Provider, p.Model, p.Type)]
	switch {
	case p.Kind == ProposeNew && there:
		out.Skipped = "it has a rate by now"
		return out, nil, nil
	case p.Kind == ProposeNew:
		return d.appliedNew(out, c)
	case !there:
		out.Skipped = "the rate is gone"
		return out, nil, nil
	case p.Kind == ProposeGone:
		now := d.Now()
		row.Deprecated, row.DeprecatedReason = &now, "the catalogue does not know it any more"
		return out, &store.RateChange{Rate: row, Change: store.RateDeprecate, Expect: row.Version}, nil
	}
	before := row
	if row.Costs != "" || !c.Activate {
		row.Costs = p.After
	}
	if err := reprice(&out, &row, p.After, c); err != nil {
		return out, nil, err
	}
	if row == before {
		return out, nil, nil // the catalogue's cost counts by itself
	}
	return out, &store.RateChange{Rate: row, Change: store.RateSync, Expect: row.Version}, nil
}

// reprice computes a rate's prices from its new cost, if that was asked for.
func reprice(out *CatalogueApplied, row *store.Rate, cost string, c *CatalogueChoice) error {
	margin, creditPrice := c.Margin, c.CreditPrice
	if margin == KeepMargin {
		margin, creditPrice = row.Margin, row.CreditPrice
	}
	if margin == "" {
		return nil
	}
	var old, costs pricing.Prices
	if err := errors.Join(json.Unmarshal([]byte(row.Prices), &old), json.Unmarshal([]byte(cost), &costs)); err != nil {
		return fmt.Errorf("prices of %s/%s: %w", row.Provider, row.Model, err)
	}
	made, why, err := pricing.Reprice(old, costs, margin, creditPrice)
	if err != nil {
		return hub.Invalid("margin", "The price of %s/%s cannot be computed: %v.", row.Provider, row.Model, err)
	}
	if why != "" {
		out.Skipped = why
		return nil
	}
	out.Old, out.New = &old, &made
	row.Margin, row.CreditPrice = margin, creditPrice
	row.Prices, err = encode(made)
	return err
}

func (d *Desk) appliedNew(out CatalogueApplied, c *CatalogueChoice) (CatalogueApplied, *store.RateChange, error) {
	p, margin := out.Proposal, c.Margin
	if margin == "" || margin == KeepMargin {
		margin = d.DefaultMargin
	}
	if margin == "" {
		return out, nil, hub.Invalid("margin", "%s/%s is new: say with which margin it is sold.", p.Provider, p.Model)
	}
	var costs pricing.Prices
	if err := json.Unmarshal([]byte(p.After), &costs); err != nil {
		return out, nil, fmt.Errorf("cost of %s/%s: %w", p.Provider, p.Model, err)
	}
	made, err := pricing.FromCost(costs, margin, c.CreditPrice)
	if err != nil {
		return out, nil, hub.Invalid("margin", "The price of %s/%s cannot be computed: %v.", p.Provider, p.Model, err)
	}
	row := store.Rate{Provider: p.Provider, Model: p.Model, Type: p.Type, Margin: margin, CreditPrice: c.CreditPrice}
	if !c.Activate {
		row.Costs = p.After
	}
	if row.Prices, err = encode(made); err != nil {
		return out, nil, err
	}
	if row.Metadata, err = encode(routing.RateMetadata{}); err != nil {
		return out, nil, err
	}
	out.New = &made
	return out, &store.RateChange{Rate: row, Change: store.RateCreate}, nil
}

// DismissProposals says no. What was dismissed is proposed again only when a
// catalogue says something else.
func (d *Desk) DismissProposals(ctx context.Context, actor string, ids []string, reason string) error {
	if len(ids) == 0 {
		return hub.Invalid("ids", "Name at least one proposal.")
	}
	if err := checkReason(reason); err != nil {
		return err
	}
	open, err := d.openProposals(ctx, ids)
	if err != nil {
		return err
	}
	ids = ids[:0:0]
	names := make([]string, 0, len(open))
	for _, p := range open {
		ids, names = append(ids, p.ID), append(names, p.Kind+" "+p.Provider+"/"+p.Model)
	}
	err = d.Store.Decide(ctx, store.Decision{IDs: ids, State: store.ProposalDismissed, Actor: actor, Reason: reason})
	if errors.Is(err, store.ErrConflict) {
		return hub.Errorf(hub.CodeConflict, "Somebody else has just decided about one of the proposals; look again. Nothing was changed.")
	}
	if err != nil {
		return err
	}
	return d.audit(ctx, actor, "catalogue.dismiss", fmt.Sprintf("%d proposals", len(names)), nil, map[string]any{"proposals": names, "reason": reason})
}
