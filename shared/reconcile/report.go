package reconcile

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Query selects what a report compares.
type Query struct {
	Provider string    // "" for all that have imports
	From     time.Time // days that begin at this time or later …
	Until    time.Time // … and before this one
	// Tolerance is how much of the larger figure may differ, in hundredths of a
	// percent.
	Tolerance int64
	// MinCost is the difference of cost, in nano-dollars, up to which a cost is
	// taken for equal.
	MinCost money.Credits
}

// Report sets bills against what this hub recorded.
type Report struct {
	From      time.Time `json:"from"`
	Until     time.Time `json:"until"`
	Tolerance string    `json:"tolerance_percent"`
	Drifts    []Drift   `json:"data"`
	Over      int       `json:"over"` // how many of them are beyond the tolerance
	Total     Total     `json:"total"`
	// Cut says that there are more days than a report compares.
	Cut bool `json:"cut"`
}

// Total sums the costs of a report.
type Total struct {
	BilledUSD   money.Credits `json:"billed_usd"`
	RecordedUSD money.Credits `json:"recorded_usd"` // on days with a bill of costs
	DriftUSD    money.Credits `json:"drift_usd"`    // billed - recorded
	Unattached  money.Credits `json:"unattributed_usd"`
	Interrupted int64         `json:"interrupted_calls"` // of the days compared: calls of dead processes, whose cost is not on record
}

// Figures are what one side says. A figure that it does not have is null.
type Figures struct {
	Requests   *int64         `json:"requests"`
	Input      *int64         `json:"input"`
	CacheRead  *int64         `json:"cache_read"`
	CacheWrite *int64         `json:"cache_write"`
	Output     *int64         `json:"output"`
	CostUSD    *money.Credits `json:"cost_usd"`
}

// anything reports a figure that is not 0.
func (f *Figures) anything() bool {
	l := line{requests: f.Requests, input: f.Input, read: f.CacheRead, write: f.CacheWrite, output: f.Output, cost: (*int64)(f.CostUSD)}
	return !l.nothing()
}

// Drift is one comparison: a day, a model and a credential, as far as the bill
// tells them apart.
type Drift struct {
	Provider   string    `json:"provider"`
	Day        time.Time `json:"day"` // its beginning
	Until      time.Time `json:"until"`
	Model      string    `json:"model"`      // the hub's name; the bill's where the hub has none; "" when the bill has no models
	Credential string    `json:"credential"` // its name; "" when the bill has no keys, or the key is nobody's
	Models     []string  `json:"billed_models"`
	Keys       []string  `json:"billed_keys"`
	Billed     Figures   `json:"billed"`
	Recorded   Figures   `json:"recorded"`
	Failed     int64     `json:"failed_attempts"`   // recorded; providers may bill them
	Unknown    int64     `json:"unknown_cost"`      // recorded calls without a known cost
	Attributed bool      `json:"attributed"`        // the hub knows the model and the key
	Over       bool      `json:"over"`              // beyond the tolerance
	Reasons    []string  `json:"reasons,omitempty"` // which figures are, and what else is to be known
}

// The reasons of a drift that are not figures.
const (
	UnknownKey   = "unknown_key"   // map it: aigne-hub reconcile map
	UnknownModel = "unknown_model" // the hub called no such model that day
	NotBilled    = "not_billed"    // the bill has nothing of it
	NoKey        = "no_key"        // a row that names no key, where others do
	NoModel      = "no_model"      // a row that names no model, where others do: fees of the provider's own
)

// mostDays bounds a report: a day and a provider each.
const mostDays = 400

// Report compares day by day. Providers' days are UTC unless the import said
// otherwise; a call belongs to the day on which it was admitted.
func (b *Book) Report(ctx context.Context, q Query) (Report, error) {
	if !q.From.Before(q.Until) {
		return Report{}, hub.Invalid("from", "from must lie before to.")
	}
	r := Report{From: q.From.UTC(), Until: q.Until.UTC(), Tolerance: percent(q.Tolerance), Drifts: []Drift{}}
	days, err := b.Store.BillDays(ctx, q.Provider, q.From, q.Until, mostDays+1)
	if err != nil {
		return r, err
	}
	if len(days) > mostDays {
		days, r.Cut = days[:mostDays], true
	}
	keys := map[string]map[string]string{}
	looked := map[time.Time]bool{}
	for _, d := range days {
		if keys[d.Provider] == nil {
			if keys[d.Provider], err = b.Store.BillKeys(ctx, d.Provider); err != nil {
				return r, err
			}
		}
		drifts, err := b.day(ctx, d, keys[d.Provider])
		if err != nil {
			return r, err
		}
		for i := range drifts {
			drifts[i].judge(q)
		}
		r.Drifts = append(r.Drifts, drifts...)
		if !looked[d.From] { // days of several providers are the same calls
			looked[d.From] = true
			n, err := b.interrupted(ctx, d.From, d.Until)
			if err != nil {
				return r, err
			}
			r.Total.Interrupted += n
		}
	}
	r.sum()
	return r, nil
}

func percent(hundredths int64) string {
	return (money.Credits(hundredths) * (money.Credit / 100)).String()
}

func (r *Report) sum() {
	for i := range r.Drifts {
		d := &r.Drifts[i]
		if d.Over {
			r.Over++
		}
		if d.Recorded.CostUSD != nil {
			r.Total.RecordedUSD += *d.Recorded.CostUSD
		}
		if d.Billed.CostUSD == nil {
			continue
		}
		r.Total.BilledUSD += *d.Billed.CostUSD
		if !d.Attributed {
			r.Total.Unattached += *d.Billed.CostUSD
		}
	}
	r.Total.DriftUSD = r.Total.BilledUSD - r.Total.RecordedUSD
}

// day compares one day of a provider.
func (b *Book) day(ctx context.Context, d store.BillDay, mapped map[string]string) ([]Drift, error) {
	rows, err := b.Store.BillRows(ctx, d)
	if err != nil {
		return nil, err
	}
	recorded, err := b.recorded(ctx, d.Provider, d.From, d.Until)
	if err != nil {
		return nil, err
	}
	c := comparison{day: d, mapped: mapped, recorded: recorded, found: map[place]*Drift{}}
	for _, facet := range []string{usageFacet, costFacet} {
		var of []store.BillRow
		for _, r := range rows {
			if r.Facet == facet {
				of = append(of, r)
			}
		}
		c.facet(of, facet)
	}
	out := make([]Drift, 0, len(c.found))
	for _, drift := range c.found {
		if drift.billedAnything() || drift.Recorded.anything() {
			out = append(out, *drift)
		}
	}
	slices.SortFunc(out, func(a, b Drift) int {
		return cmp.Or(cmp.Compare(a.Model, b.Model), cmp.Compare(a.Credential, b.Credential), slices.Compare(a.Keys, b.Keys))
	})
	return out, nil
}

// judge says whether and where a drift is beyond the tolerance.
func (d *Drift) judge(q Query) {
	b, r := &d.Billed, &d.Recorded
	for _, f := range []struct {
		name             string
		billed, recorded *int64
	}{
		{"requests", b.Requests, r.Requests}, {"input", b.Input, r.Input}, {"cache_read", b.CacheRead, r.CacheRead},
		{"cache_write", b.CacheWrite, r.CacheWrite}, {"output", b.Output, r.Output},
	} {
		if f.billed != nil && f.recorded != nil && apart(*f.billed, *f.recorded, q.Tolerance) {
			d.Reasons = append(d.Reasons, f.name)
		}
	}
	if b.CostUSD != nil && r.CostUSD != nil {
		x, y := int64(*b.CostUSD), int64(*r.CostUSD)
		if diff := max(x-y, y-x); money.Credits(diff) > q.MinCost && apart(x, y, q.Tolerance) {
			d.Reasons = append(d.Reasons, "cost")
		}
	}
	d.Over = len(d.Reasons) > 0
}

// apart reports whether two figures differ by more than so many hundredths of a
// percent of the larger one.
func apart(a, b, hundredths int64) bool {
	const whole = 10_000
	diff, most := max(a-b, b-a), max(a, b, -a, -b)
	// Both sides divided, so that neither can overflow.
	return diff > most/whole*hundredths+most%whole*hundredths/whole
}
