package operator

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// CostUpdate is what a model is said to cost now.
type CostUpdate struct {
	Provider string // name or id
	Model    string
	Type     hub.CallType   // "" means chatCompletion
	Costs    pricing.Prices // dollars per unit; places that it does not name stay
	Whole    bool           // places that Costs does not name have no cost any more
	New      bool           // may be created where there is no rate
}

// CostSync brings costs up to date.
type CostSync struct {
	// Updates are the new costs; none: the catalogue's, for every rate that keeps
	// costs of its own.
	Updates []CostUpdate
	// Margin, when set, computes the prices anew too; then CreditPrice counts, "" for
	// the hub's. Rates can only be created with it.
	Margin, CreditPrice string
	// DeprecateRest marks chat rates of the named providers that no update is about.
	DeprecateRest bool
	DryRun        bool
	Reason        string
}

// CostSynced is what a sync did, or would do.
type CostSynced struct {
	Updated, Unchanged, Created, Deprecated []Repriced
	Unmatched                               []CostUpdate
}

// maxUpdates bounds one sync; catalogues have fewer models.
const maxUpdates = 5000

// SyncCosts writes costs into rates: all changes or none.
func (d *Desk) SyncCosts(ctx context.Context, actor string, s CostSync) (CostSynced, error) {
	if err := s.check(d.CreditPrice); err != nil {
		return CostSynced{}, err
	}
	run := &costRun{CostSync: s, byName: map[string]store.Rate{}, touched: map[string]bool{}, providers: map[string]string{}, seen: map[string]bool{}}
	if err := run.load(ctx, d); err != nil {
		return CostSynced{}, err
	}
	for i, u := range run.Updates {
		if err := run.update(u); err != nil {
			return CostSynced{}, fmt.Errorf("updates[%d]: %w", i, err)
		}
	}
	if s.DeprecateRest {
		run.deprecateRest(d)
	}
	for i := range run.changes {
		run.changes[i].Actor, run.changes[i].Reason = actor, s.Reason
	}
	if s.DryRun || len(run.changes) == 0 {
		return run.out, nil
	}
	if _, err := d.changeRates(ctx, run.changes); err != nil {
		return run.out, conflicting(err)
	}
	return run.out, d.audit(ctx, actor, "rate.sync", fmt.Sprintf("%d rates", len(run.changes)), nil, map[string]any{"updated": len(run.out.Updated),
		"created": len(run.out.Created), "deprecated": len(run.out.Deprecated), "margin": s.Margin, "reason": s.Reason})
}

func (s *CostSync) check(creditPrice string) error {
	if len(s.Updates) > maxUpdates {
		return hub.Invalid("updates", "At most %d updates are taken at once.", maxUpdates)
	}
	if s.Margin == "" {
		return checkReason(s.Reason)
	}
	if s.CreditPrice == "" {
		s.CreditPrice = creditPrice
	}
	return checkMargin(s.Margin, s.CreditPrice, s.Reason)
}

// costRun is one sync under way.
type costRun struct {
	CostSync
	rates     []store.Rate
	byName    map[string]store.Rate // by provider, model and type
	providers map[string]string     // names by name and id
	touched   map[string]bool       // ids of rates that an update is about
	seen      map[string]bool       // providers that updates are about
	changes   []store.RateChange
	out       CostSynced
}

func (r *costRun) load(ctx context.Context, d *Desk) (err error) {
	if r.rates, err = d.Store.Rates(ctx); err != nil {
		return err
	}
	for _, row := range r.rates {
		r.byName[rateKey(row.Provider, row.Model, row.Type)] = row
		r.providers[row.Provider] = row.Provider
	}
	stored, err := d.Store.Providers(ctx)
	if err != nil {
		return err
	}
	for _, p := range stored {
		r.providers[p.Name], r.providers[p.ID] = p.Name, p.Name
	}
	if len(r.Updates) > 0 {
		return nil
	}
	known, err := d.costs(ctx, nil)
	if err != nil {
		return err
	}
	for _, row := range r.rates {
		if row.Costs == "" || row.Managed != "" {
			continue
		}
		if m := known.listed(row.Provider, row.Model); m != nil && !m.Cost.Empty() {
			r.Updates = append(r.Updates, CostUpdate{Provider: row.Provider, Model: row.Model, Type: row.Type, Costs: m.Cost, Whole: true})
		}
	}
	return nil
}

func rateKey(provider, model string, kind hub.CallType) string {
	return provider + "\x00" + model + "\x00" + string(kind)
}

var (
	dateSuffix = regexp.MustCompile(`-\d{4}-\d{2}-\d{2}$`)
	zeroSuffix = regexp.MustCompile(`^(claude-.*)-0$`)
)

// find looks for the rate that an update is about: by its name, without the "-0"
// that some lists write behind names of Claude, without a date.
func (r *costRun) find(name string, u CostUpdate) (store.Rate, bool) {
	for _, model := range []string{u.Model, zeroSuffix.ReplaceAllString(u.Model, "$1"), dateSuffix.ReplaceAllString(u.Model, "")} {
		if row, ok := r.byName[rateKey(name, model, u.Type)]; ok {
			return row, true
		}
	}
	return store.Rate{}, false
}

func (r *costRun) update(u CostUpdate) error {
	if u.Type == "" {
		u.Type = hub.TypeChat
	}
	name, known := r.providers[u.Provider]
	if !known {
		name = u.Provider
	}
	if err := checkRateName(name, u.Model, u.Type); err != nil {
		return err
	}
	if err := u.Costs.Check(); err != nil {
		return hub.Invalid("unitCosts", "The costs of %s cannot be used: %v.", u.Model, err)
	}
	r.seen[name] = true
	row, there := r.find(name, u)
	switch {
	case there && r.touched[row.ID]:
		return hub.Invalid("updates", "There are two updates for %s/%s.", row.Provider, row.Model)
	case there:
		r.touched[row.ID] = true
		return r.renew(row, u)
	case u.New && known && r.Margin != "":
		return r.create(name, u)
	}
	r.out.Unmatched = append(r.out.Unmatched, u)
	return nil
}

func (r *costRun) renew(row store.Rate, u CostUpdate) error {
	var old, prices pricing.Prices
	if row.Costs != "" {
		if err := json.Unmarshal([]byte(row.Costs), &old); err != nil {
			return err
		}
	}
	if err := json.Unmarshal([]byte(row.Prices), &prices); err != nil {
		return err
	}
	merged := u.Costs
	if !u.Whole {
		merged = pricing.Merge(old, u.Costs)
	}
	p := Repriced{Row: row, Old: prices, New: prices, CostSource: CostOwn, Changes: pricing.Diff(&old, &merged, 0)}
	var err error
	if p.Row.Costs, err = encode(merged); err != nil {
		return err
	}
	p.Row.Deprecated, p.Row.DeprecatedReason, p.Row.RefusedFrom, p.Row.Retired = nil, "", nil, false
	if r.Margin != "" {
		if p.New, p.Skipped, err = pricing.Reprice(prices, merged, r.Margin, r.CreditPrice); err != nil {
			return hub.Invalid("profitMargin", "The price of %s cannot be computed: %v.", row.Model, err)
		}
		if p.Skipped == "" {
			if p.Row.Prices, err = encode(p.New); err != nil {
				return err
			}
			p.Row.Margin, p.Row.CreditPrice = r.Margin, r.CreditPrice
		} else {
			p.New = prices
		}
	}
	if p.Row == row {
		r.out.Unchanged = append(r.out.Unchanged, p)
		return nil
	}
	r.out.Updated = append(r.out.Updated, p)
	r.changes = append(r.changes, store.RateChange{Rate: p.Row, Change: store.RateSync, Expect: row.Version})
	return nil
}

func (r *costRun) create(name string, u CostUpdate) error {
	row := store.Rate{Provider: name, Model: u.Model, Type: u.Type, Margin: r.Margin, CreditPrice: r.CreditPrice}
	made, err := pricing.FromCost(u.Costs, r.Margin, r.CreditPrice)
	if err != nil {
		return hub.Invalid("profitMargin", "The price of %s cannot be computed: %v.", u.Model, err)
	}
	if row.Prices, err = encode(made); err != nil {
		return err
	}
	if row.Costs, err = encode(u.Costs); err != nil {
		return err
	}
	if row.Metadata, err = encode(routing.RateMetadata{}); err != nil {
		return err
	}
	r.byName[rateKey(name, u.Model, u.Type)] = row
	r.out.Created = append(r.out.Created, Repriced{Row: row, New: made, CostSource: CostOwn})
	r.changes = append(r.changes, store.RateChange{Rate: row, Change: store.RateCreate})
	return nil
}

// deprecateRest marks the chat rates of providers that updates named which no
// update was about.
func (r *costRun) deprecateRest(d *Desk) {
	now := d.Now()
	for _, row := range r.rates {
		if row.Type != hub.TypeChat || row.Deprecated != nil || row.Managed != "" || !r.seen[row.Provider] || r.touched[row.ID] {
			continue
		}
		p := Repriced{Row: row}
		p.Row.Deprecated, p.Row.DeprecatedReason = &now, strings.TrimSpace("not among the synchronised models. "+r.Reason)
		r.out.Deprecated = append(r.out.Deprecated, p)
		r.changes = append(r.changes, store.RateChange{Rate: p.Row, Change: store.RateDeprecate, Expect: row.Version})
	}
}
