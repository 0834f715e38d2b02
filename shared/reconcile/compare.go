package reconcile

import (
	"slices"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// place is where a drift stands within a day. known tells a key that is nobody's
// from a credential of the same name.
type place struct {
	model, credential string
	known             bool
}

// comparison sets the rows of a day against what was recorded of it.
type comparison struct {
	day      store.BillDay
	mapped   map[string]string // credentials by key
	recorded []store.Recorded
	found    map[place]*Drift
}

// facet compares the rows of one facet. Models and keys are told apart where the
// bill does; a bill without them is compared as a whole. What it names for some
// rows only, such as fees that are of no model, stands alone in the others.
func (c *comparison) facet(rows []store.BillRow, facet string) {
	if len(rows) == 0 {
		return
	}
	byModel, byKey := false, false
	for _, r := range rows {
		byModel, byKey = byModel || r.Model != "", byKey || r.Key != ""
	}
	seen := map[place]bool{}
	for _, r := range c.recorded {
		p := place{known: true}
		if byModel {
			p.model = r.Model
		}
		if byKey {
			p.credential = r.Credential
		}
		d := c.at(p)
		if !seen[p] {
			seen[p] = true
			d.begin(facet)
		}
		d.record(facet, r)
	}
	for i := range rows {
		r := &rows[i]
		p, reasons := c.place(r, byModel, byKey)
		d := c.at(p)
		if !seen[p] {
			seen[p] = true
			d.begin(facet)
		}
		d.bill(facet, r)
		for _, reason := range reasons {
			d.because(reason)
			d.Attributed = false
		}
	}
	for p := range seen {
		if d := c.found[p]; len(d.Models) == 0 && len(d.Keys) == 0 && !d.billedAnything() {
			d.because(NotBilled)
		}
	}
}

// place finds where a row belongs, and what about it the hub does not know.
func (c *comparison) place(r *store.BillRow, byModel, byKey bool) (p place, reasons []string) {
	p.known = true
	switch {
	case !byKey:
	case r.Key == "":
		p.known, reasons = false, append(reasons, NoKey)
	default:
		if p.credential = c.credential(r.Key); p.credential == "" {
			p.known, p.credential = false, r.Key
			reasons = append(reasons, UnknownKey)
		}
	}
	switch {
	case !byModel:
	case r.Model == "":
		reasons = append(reasons, NoModel)
	default:
		var called []string
		for _, v := range c.recorded {
			if (!byKey || !p.known || v.Credential == p.credential) && !slices.Contains(called, v.Model) {
				called = append(called, v.Model)
			}
		}
		if p.model = modelOf(r.Model, called); p.model == "" {
			p.model = r.Model
			reasons = append(reasons, UnknownModel)
		}
	}
	return p, reasons
}

// credential is whose key it is: as the operator said, else the credential of
// that name.
func (c *comparison) credential(key string) string {
	if name := c.mapped[key]; name != "" {
		return name
	}
	for _, r := range c.recorded {
		if strings.EqualFold(r.Credential, key) {
			return r.Credential
		}
	}
	return ""
}

func (c *comparison) at(p place) *Drift {
	d := c.found[p]
	if d == nil {
		d = &Drift{Provider: c.day.Provider, Day: c.day.From, Until: c.day.Until, Model: p.model, Attributed: true, Models: []string{}, Keys: []string{}}
		if p.known {
			d.Credential = p.credential
		}
		c.found[p] = d
	}
	return d
}

func (d *Drift) because(reason string) {
	if !slices.Contains(d.Reasons, reason) {
		d.Reasons = append(d.Reasons, reason)
	}
}

func (d *Drift) billedAnything() bool { return d.Billed != Figures{} }

// begin makes what was recorded count as 0, not as unknown, for a facet.
func (d *Drift) begin(facet string) {
	r := &d.Recorded
	if facet == costFacet {
		r.CostUSD = new(money.Credits)
		return
	}
	r.Requests, r.Input, r.CacheRead, r.CacheWrite, r.Output = new(int64), new(int64), new(int64), new(int64), new(int64)
}

func (d *Drift) record(facet string, v store.Recorded) {
	r := &d.Recorded
	if facet == costFacet {
		*r.CostUSD += v.Cost
		d.Unknown += v.Unknown
		if r.Requests == nil {
			d.Failed += v.Failed
		}
		return
	}
	*r.Requests += v.Calls
	*r.Input += v.Input
	*r.CacheRead += v.CacheRead
	*r.CacheWrite += v.CacheWrite
	*r.Output += v.Output
	d.Failed += v.Failed
}

func (d *Drift) bill(facet string, r *store.BillRow) {
	b := &d.Billed
	if facet == costFacet {
		b.CostUSD = (*money.Credits)(plus((*int64)(b.CostUSD), r.Cost))
	} else {
		b.Requests, b.Input, b.CacheRead = plus(b.Requests, r.Requests), plus(b.Input, r.Input), plus(b.CacheRead, r.CacheRead)
		b.CacheWrite, b.Output = plus(b.CacheWrite, r.CacheWrite), plus(b.Output, r.Output)
	}
	if r.Model != "" && !slices.Contains(d.Models, r.Model) {
		d.Models = append(d.Models, r.Model)
	}
	if r.Key != "" && !slices.Contains(d.Keys, r.Key) {
		d.Keys = append(d.Keys, r.Key)
	}
}
