package admin

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func noRate(err error, id string) error {
	if errors.Is(err, store.ErrNotFound) {
		return hub.Errorf(hub.CodeNotFound, "There is no rate %s.", id)
	}
	return err
}

// findingView is something that a check found about a rate; its figures are per
// unit.
type findingView struct {
	Kind     string                  `json:"kind"`
	RateID   string                  `json:"rate_id"`
	Provider string                  `json:"provider"`
	Model    string                  `json:"model"`
	Type     hub.CallType            `json:"type"`
	Places   []operator.FindingPlace `json:"places"`
}

// checkRates lists prices below cost, costs that drifted and margins that were
// lost: ?tolerance= in percent, 1 unless given; paged by ?page=.
func (h *handler) checkRates(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	paging, err := httpkit.ParsePaging(r)
	if err != nil {
		return err
	}
	tolerance := int64(operator.DefaultTolerance)
	if text := r.URL.Query().Get("tolerance"); text != "" {
		percent, err := strconv.ParseInt(text, 10, 64)
		if err != nil || percent < 0 || percent > 100 {
			return hub.Invalid("tolerance", "tolerance must be a whole number of percent from 0 to 100.")
		}
		tolerance = 100 * percent
	}
	found, err := h.Desk.CheckRates(r.Context(), tolerance)
	if err != nil {
		return err
	}
	data := []findingView{}
	for i := paging.Offset(); i < min(len(found), paging.Offset()+paging.Size); i++ {
		f := found[i]
		data = append(data, findingView{f.Kind, f.Rate.ID, f.Rate.Provider, f.Rate.Model, f.Rate.Type, f.Places})
	}
	return httpkit.WriteJSON(w, http.StatusOK, map[string]any{"data": data, "total": len(found)})
}

// pricesView is prices per million units.
type pricesView struct {
	PerMillion table      `json:"per_million"`
	Tiers      []tierView `json:"tiers,omitempty"`
}

func showPrices(p *pricing.Prices) *pricesView {
	v := &pricesView{PerMillion: viewBase(p)}
	for i := range p.Tiers {
		v.Tiers = append(v.Tiers, tierView{p.Tiers[i].AbovePrompt, viewTable(&p.Tiers[i].Buckets)})
	}
	return v
}

// repricedView is what a bulk change makes of a rate, in credits.
type repricedView struct {
	ID         string       `json:"id"`
	Provider   string       `json:"provider"`
	Model      string       `json:"model"`
	Type       hub.CallType `json:"type"`
	Version    int64        `json:"version"` // the new one, unless it was a dry run
	CostSource string       `json:"cost_source"`
	Old        *pricesView  `json:"old"`
	New        *pricesView  `json:"new"`
	Changed    bool         `json:"changed"`
	Skipped    string       `json:"skipped,omitempty"` // why it stays
}

func viewRepriced(list []operator.Repriced) (out []repricedView, changed int) {
	out = make([]repricedView, len(list))
	for i := range list {
		p := &list[i]
		out[i] = repricedView{ID: p.Row.ID, Provider: p.Row.Provider, Model: p.Row.Model, Type: p.Row.Type, Version: p.Row.Version, CostSource: p.CostSource,
			Old: showPrices(&p.Old), New: showPrices(&p.New), Changed: p.Skipped == "", Skipped: p.Skipped}
		if p.Skipped == "" {
			changed++
		}
	}
	return out, changed
}

type repricing struct {
	Margin      string `json:"margin" validate:"required"` // percent, such as "20"
	CreditPrice string `json:"credit_price"`               // dollars per credit; "": the hub's
	Provider    string `json:"provider"`                   // "": all
	Model       string `json:"model"`                      // "": all
	DryRun      bool   `json:"dry_run"`
	Reason      string `json:"reason"`
}

// repriceRates computes prices from costs; the answer has a row for each rate.
func (h *handler) repriceRates(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[repricing](r)
	if err != nil {
		return err
	}
	list, err := h.Desk.Reprice(r.Context(), c.Email, operator.Repricing(in))
	if err != nil {
		return err
	}
	data, changed := viewRepriced(list)
	return httpkit.WriteJSON(w, http.StatusOK, map[string]any{"dry_run": in.DryRun, "changed": changed, "total": len(data), "data": data})
}

type costSync struct {
	Margin      string `json:"margin"` // "": prices stay
	CreditPrice string `json:"credit_price"`
	DryRun      bool   `json:"dry_run"`
	Reason      string `json:"reason"`
}

// syncRates brings the costs that rates keep to what the catalogue in force says.
func (h *handler) syncRates(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[costSync](r)
	if err != nil {
		return err
	}
	done, err := h.Desk.SyncCosts(r.Context(), c.Email, operator.CostSync{Margin: in.Margin, CreditPrice: in.CreditPrice, DryRun: in.DryRun, Reason: in.Reason})
	if err != nil {
		return err
	}
	updated, _ := viewRepriced(done.Updated)
	unchanged, _ := viewRepriced(done.Unchanged)
	return httpkit.WriteJSON(w, http.StatusOK, map[string]any{"dry_run": in.DryRun, "updated": updated, "unchanged": unchanged})
}
