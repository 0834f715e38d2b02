package operator

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
	"github.com/aigne-hub/aigne-hub/shared/provider"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// costs finds what models cost the operator.
type costs struct {
	kinds     map[string]string // stored providers' kinds by name
	catalogue *pricing.Catalogue
}

// costs reads the providers' kinds. A catalogue of nil is the one in force.
func (d *Desk) costs(ctx context.Context, c *pricing.Catalogue) (*costs, error) {
	if c == nil && d.Catalogue != nil {
		c = d.Catalogue()
	}
	out := &costs{kinds: map[string]string{}, catalogue: c}
	stored, err := d.Store.Providers(ctx)
	for _, p := range stored {
		out.kinds[p.Name] = p.Kind
	}
	return out, err
}

// kind is a provider's kind: one of the environment is named after its own.
func (c *costs) kind(name string) string {
	if kind, ok := c.kinds[name]; ok {
		return kind
	}
	if k, ok := provider.Find(name); ok {
		return k.ID
	}
	return ""
}

// listed is what the catalogue says of a model; Cost is the dearest of the day,
// since a rate holds at every hour. nil: nothing.
func (c *costs) listed(providerName, model string) *pricing.Model {
	if c.catalogue == nil {
		return nil
	}
	m, ok := c.catalogue.Lookup(c.kind(providerName), model)
	if !ok {
		return nil
	}
	m.Cost = m.Peak
	return &m
}

// Where a rate's costs come from.
const (
	CostOwn       = "rate"
	CostCatalogue = "catalogue"
	CostUnknown   = "unknown"
)

// of is what a rate's model costs, and who says so. nil: unknown.
func (c *costs) of(row store.Rate) (cost *pricing.Prices, source string, err error) {
	if row.Costs != "" {
		cost = &pricing.Prices{}
		if err := json.Unmarshal([]byte(row.Costs), cost); err != nil {
			return nil, CostUnknown, fmt.Errorf("cost of %s/%s: %w", row.Provider, row.Model, err)
		}
		return cost, CostOwn, nil
	}
	if m := c.listed(row.Provider, row.Model); m != nil && !m.Cost.Empty() {
		return &m.Cost, CostCatalogue, nil
	}
	return nil, CostUnknown, nil
}

// Repricing asks for new prices: cost × (1 + Margin ÷ 100) ÷ CreditPrice.
type Repricing struct {
	Margin      string // percent, 0 or more, such as "20" or "12.5"
	CreditPrice string // dollars per credit; "": the hub's
	Provider    string // only of this provider; "": all
	Model       string // only this model; "": all
	DryRun      bool
	Reason      string
}

// Repriced is what a re-pricing makes, or would make, of one rate.
type Repriced struct {
	Row        store.Rate // with its new version, unless it was a dry run or skipped
	Old, New   pricing.Prices
	CostSource string
	Changes    []pricing.Difference
	Skipped    string // why the rate stays as it is; "" when it changes
}

// Reprice computes prices from costs, the rates' own or the catalogue's, in every
// bucket, tier and variant, exact to the pico-credit. Rates change all together;
// those that cannot be computed, or would not change, are listed with the reason.
// Prices of use that has no known cost, such as web searches, stay.
func (d *Desk) Reprice(ctx context.Context, actor string, r Repricing) ([]Repriced, error) {
	if err := r.check(d.CreditPrice); err != nil {
		return nil, err
	}
	all, err := d.Store.Rates(ctx)
	if err != nil {
		return nil, err
	}
	known, err := d.costs(ctx, nil)
	if err != nil {
		return nil, err
	}
	var out []Repriced
	var changes []store.RateChange
	for _, row := range all {
		if (r.Provider != "" && row.Provider != r.Provider) || (r.Model != "" && row.Model != r.Model) {
			continue
		}
		p, err := r.row(known, row)
		if err != nil {
			return nil, err
		}
		if p.Skipped == "" {
			changes = append(changes, store.RateChange{Rate: p.Row, Change: store.RateReprice, Expect: row.Version, Actor: actor, Reason: r.Reason})
		}
		out = append(out, p)
	}
	if r.DryRun || len(changes) == 0 {
		return out, nil
	}
	return out, d.carryOut(ctx, actor, "rate.reprice", out, changes, map[string]any{"margin": r.Margin, "credit_price": r.CreditPrice, "reason": r.Reason})
}

// carryOut makes the changes and puts the new versions into out.
func (d *Desk) carryOut(ctx context.Context, actor, action string, out []Repriced, changes []store.RateChange, about map[string]any) error {
	rows, err := d.changeRates(ctx, changes)
	if err != nil {
		return conflicting(err)
	}
	names := make([]string, 0, len(rows))
	for _, row := range rows {
		names = append(names, row.Provider+"/"+row.Model)
		i := slices.IndexFunc(out, func(p Repriced) bool { return p.Row.ID == row.ID })
		if i >= 0 {
			out[i].Row = row
		}
	}
	about["rates"] = names
	return d.audit(ctx, actor, action, fmt.Sprintf("%d rates", len(rows)), nil, about)
}

func (r *Repricing) check(creditPrice string) error {
	if r.CreditPrice == "" {
		r.CreditPrice = creditPrice
	}
	return checkMargin(r.Margin, r.CreditPrice, r.Reason)
}

// checkMargin takes plain decimals only: an exponent would cost hours.
func checkMargin(margin, creditPrice, reason string) error {
	if len(margin) > 32 || len(creditPrice) > 32 {
		return hub.Invalid("margin", "The margin and the credit price have at most 32 digits.")
	}
	if _, err := money.ParseRate(margin); err != nil || margin[0] == '-' {
		return hub.Invalid("margin", "The margin must be a percentage of 0 or more, such as 20 or 12.5, not %q.", margin)
	}
	if price, err := money.ParseRate(creditPrice); err != nil || price <= 0 {
		return hub.Invalid("credit_price", "The credit price must be dollars per credit, above 0, not %q.", creditPrice)
	}
	return checkReason(reason)
}

func (r *Repricing) row(known *costs, row store.Rate) (Repriced, error) {
	p := Repriced{Row: row}
	if err := json.Unmarshal([]byte(row.Prices), &p.Old); err != nil {
		return p, fmt.Errorf("prices of %s/%s: %w", row.Provider, row.Model, err)
	}
	p.New = p.Old
	if row.Managed != "" {
		p.Skipped = "a file manages it"
		return p, nil
	}
	cost, source, err := known.of(row)
	if p.CostSource = source; err != nil {
		return p, err
	}
	if cost == nil {
		p.Skipped = "no cost is known"
		return p, nil
	}
	made, why, err := pricing.Reprice(p.Old, *cost, r.Margin, r.CreditPrice)
	if err != nil {
		return p, hub.Invalid("margin", "The price of %s/%s cannot be computed: %v.", row.Provider, row.Model, err)
	}
	if p.Skipped = why; why != "" {
		return p, nil
	}
	p.New = made
	p.Changes = pricing.Diff(&p.Old, &p.New, 0)
	text, err := encode(made)
	if err != nil {
		return p, err
	}
	if text == row.Prices && row.Margin == r.Margin && row.CreditPrice == r.CreditPrice {
		p.Skipped = "unchanged"
		return p, nil
	}
	p.Row.Prices, p.Row.Margin, p.Row.CreditPrice = text, r.Margin, r.CreditPrice
	return p, nil
}
