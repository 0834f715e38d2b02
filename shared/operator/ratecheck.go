package operator

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/notify"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// What a check of rates finds. A price above its cost, by whatever margin, is
// none of these.
const (
	// FindingBelowCost: somewhere a call can be charged less than it costs, at the
	// hub's credit price, with all fallbacks applied.
	FindingBelowCost = "below_cost"
	// FindingCostDrift: a cost kept with the rate differs from the catalogue's by
	// more than the tolerance.
	FindingCostDrift = "cost_drift"
	// FindingMarginDrift: prices were computed with a margin, and the cost has
	// changed since, so that they no longer have it.
	FindingMarginDrift = "margin_drift"
)

// DefaultTolerance is by how much costs may differ, in hundredths of a percent.
const DefaultTolerance = 100

// Finding is something that a check found about a rate.
type Finding struct {
	Kind   string         `json:"kind"`
	Rate   store.Rate     `json:"-"`
	Places []FindingPlace `json:"places"`
}

// FindingPlace is where: per unit, prices in credits, costs in dollars. For
// below_cost Is is the price and Should the least that covers the cost; for
// cost_drift the rate's cost and the catalogue's; for margin_drift the price and
// what it would be.
type FindingPlace struct {
	Place  string      `json:"place"` // a bucket, with its tier or variant
	Is     *money.Rate `json:"is"`    // null: none
	Should *money.Rate `json:"should"`
}

// CheckRates compares all rates that are in use with what their models cost.
// tolerance is in hundredths of a percent.
func (d *Desk) CheckRates(ctx context.Context, tolerance int64) ([]Finding, error) {
	if tolerance < 0 || tolerance > 10_000 {
		return nil, hub.Invalid("tolerance", "The tolerance must be 0 to 100 percent.")
	}
	all, err := d.Store.Rates(ctx)
	if err != nil {
		return nil, err
	}
	known, err := d.costs(ctx, nil)
	if err != nil {
		return nil, err
	}
	out := []Finding{}
	for _, row := range all {
		if row.Retired {
			continue
		}
		found, err := d.checkRate(known, row, tolerance)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

func (d *Desk) checkRate(known *costs, row store.Rate, tolerance int64) ([]Finding, error) {
	var prices pricing.Prices
	if err := json.Unmarshal([]byte(row.Prices), &prices); err != nil {
		return nil, fmt.Errorf("prices of %s/%s: %w", row.Provider, row.Model, err)
	}
	cost, source, err := known.of(row)
	if err != nil || cost == nil {
		return nil, err
	}
	var out []Finding
	short, err := pricing.Shortages(&prices, cost, d.CreditPrice)
	if err != nil {
		return nil, fmt.Errorf("check %s/%s: %w", row.Provider, row.Model, err)
	}
	if len(short) > 0 {
		f := Finding{Kind: FindingBelowCost, Rate: row}
		for _, s := range short {
			p := FindingPlace{Place: s.Place.String(), Should: &s.Least}
			if !s.Unpriced {
				p.Is = &s.Price
			}
			f.Places = append(f.Places, p)
		}
		out = append(out, f)
	}
	if m := known.listed(row.Provider, row.Model); source == CostOwn && m != nil && !m.Cost.Empty() {
		out = drifted(out, FindingCostDrift, row, pricing.Drift(cost, &m.Cost, tolerance))
	}
	if row.Margin == "" {
		return out, nil
	}
	made, why, err := pricing.Reprice(prices, *cost, row.Margin, row.CreditPrice)
	if err != nil || why != "" {
		return out, err
	}
	return drifted(out, FindingMarginDrift, row, pricing.Drift(&prices, &made, tolerance)), nil
}

func drifted(out []Finding, kind string, row store.Rate, apart []pricing.Difference) []Finding {
	if len(apart) == 0 {
		return out
	}
	f := Finding{Kind: kind, Rate: row}
	for _, x := range apart {
		f.Places = append(f.Places, FindingPlace{Place: x.Place.String(), Is: x.Old, Should: x.New})
	}
	return append(out, f)
}

// WatchRates checks all rates and tells operators what is found, each state of
// affairs once.
func (d *Desk) WatchRates(ctx context.Context) error {
	found, err := d.CheckRates(ctx, DefaultTolerance)
	if err != nil {
		return err
	}
	below := slices.DeleteFunc(slices.Clone(found), func(f Finding) bool { return f.Kind != FindingBelowCost })
	drift := slices.DeleteFunc(slices.Clone(found), func(f Finding) bool { return f.Kind == FindingBelowCost })
	if err := d.tellRates(ctx, notify.RateBelowCost, "%d rate(s) do not cover their cost: %s.", below); err != nil {
		return err
	}
	return d.tellRates(ctx, notify.RateDrift, "%d rate(s) no longer fit their cost: %s.", drift)
}

func (d *Desk) tellRates(ctx context.Context, kind notify.Kind, title string, found []Finding) error {
	if len(found) == 0 || d.Notify == nil {
		return nil
	}
	const named = 5
	sum := sha256.New()
	var names, lines []string
	for _, f := range found {
		name := f.Rate.Provider + "/" + f.Rate.Model
		if len(names) < named && !slices.Contains(names, name) {
			names = append(names, name)
		}
		places := make([]string, len(f.Places))
		for i, p := range f.Places {
			places[i] = p.words()
		}
		line := fmt.Sprintf("%s %s (%s): %s", f.Kind, name, f.Rate.Type, strings.Join(places, ", "))
		_, _ = fmt.Fprintf(sum, "%s v%d\n", line, f.Rate.Version) // a hash takes everything
		lines = append(lines, line)
	}
	const most = 100
	if len(lines) > most {
		lines = lines[:most]
	}
	return d.Notify.Tell(ctx, notify.Event{ID: string(kind) + "/" + hex.EncodeToString(sum.Sum(nil)[:16]), Kind: kind, Severity: notify.Warning,
		Title: fmt.Sprintf(title, len(found), strings.Join(names, ", ")), Data: map[string]any{"findings": lines, "rates": len(found)}})
}

func (p FindingPlace) words() string {
	is, should := "none", "none"
	if p.Is != nil {
		is = p.Is.PerMillion()
	}
	if p.Should != nil {
		should = p.Should.PerMillion()
	}
	return p.Place + " " + is + " instead of " + should + " per million"
}
