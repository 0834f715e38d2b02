package admin

import (
	"net/http"
	"strconv"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func (h *handler) rateRoutes(admin administered) []httpkit.Route {
	const rates = "/api/admin/rates"
	return []httpkit.Route{
		admin("GET", rates, h.listRates),
		admin("PUT", rates, h.setRate),
		admin("POST", rates, h.createRates),
		admin("PATCH", rates+"/{id}", h.editRate),
		admin("DELETE", rates+"/{id}", h.removeRate),
		admin("GET", rates+"/{id}/dependants", h.rateDependants),
		admin("POST", rates+"/{id}/deprecate", h.deprecateRate),
		admin("POST", rates+"/{id}/restore", h.restoreRate),
		admin("GET", rates+"/history", h.rateHistory),
		admin("GET", rates+"/check", h.checkRates),
		admin("GET", rates+"/plans", h.ratePlans),
		admin("DELETE", rates+"/plans/{id}", h.dropRatePlan),
		admin("POST", rates+"/reprice", h.repriceRates),
		admin("POST", rates+"/sync", h.syncRates),
	}
}

// createRates makes the rate of a model at several providers, or at none.
func (h *handler) createRates(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[newRate](r)
	if err != nil {
		return err
	}
	if in.EffectiveFrom != nil {
		return hub.Invalid("effective_from", "Rates are planned one by one, with PUT.")
	}
	names := in.Providers
	if len(names) == 0 && in.Provider != "" {
		names = []string{in.Provider}
	}
	n, err := in.rate()
	if err != nil {
		return err
	}
	rows, err := h.Desk.CreateRates(r.Context(), c.Email, n, names)
	if err != nil {
		return err
	}
	return writeRates(w, http.StatusCreated, rows)
}

func writeRates(w http.ResponseWriter, status int, rows []store.Rate) error {
	data := make([]rateView, len(rows))
	for i, row := range rows {
		var err error
		if data[i], err = viewRate(row); err != nil {
			return err
		}
	}
	return httpkit.WriteJSON(w, status, map[string]any{"data": data, "total": len(data)})
}

// rateEdit changes parts of a rate; what is left out stays. Prices are credits and
// costs dollars, per million units, as they are shown.
type rateEdit struct {
	CreditsPerMillion table      `json:"credits_per_million"`
	Tiers             []tierView `json:"tiers"` // with credits_per_million only: both are replaced
	CostUSDPerMillion *table     `json:"cost_usd_per_million"`
	CostTiers         []tierView `json:"cost_tiers"`
	Display           *string    `json:"display"`
	Description       *string    `json:"description"`
	Context           *int64     `json:"context"`
	MaxOutput         *int64     `json:"max_output"`
	Version           int64      `json:"version"` // that was seen; 0: any
	Reason            string     `json:"reason"`
}

func (h *handler) editRate(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[rateEdit](r)
	if err != nil {
		return err
	}
	e := operator.RateEdit{Display: in.Display, Description: in.Description, Context: in.Context, MaxOutput: in.MaxOutput, Reason: in.Reason, Expect: in.Version}
	if in.CreditsPerMillion != nil {
		if e.Prices, err = readTables("credits_per_million", in.CreditsPerMillion, in.Tiers); err != nil {
			return err
		}
	} else if in.Tiers != nil {
		return hub.Invalid("tiers", "tiers come together with credits_per_million.")
	}
	if in.CostUSDPerMillion != nil {
		if e.Costs, err = readTables("cost_usd_per_million", *in.CostUSDPerMillion, in.CostTiers); err != nil {
			return err
		}
	} else if in.CostTiers != nil {
		return hub.Invalid("cost_tiers", "cost_tiers come together with cost_usd_per_million.")
	}
	row, err := h.Desk.EditRate(r.Context(), c.Email, r.PathValue("id"), e)
	if err != nil {
		return err
	}
	return writeRate(w, http.StatusOK, row)
}

// readTables reads prices as they are shown.
func readTables(field string, base table, tiers []tierView) (*pricing.Prices, error) {
	var p pricing.Prices
	if err := base.into(field, &p.Buckets, &p.Variants); err != nil {
		return nil, err
	}
	for _, t := range tiers {
		tier := pricing.Tier{AbovePrompt: t.AbovePromptTokens}
		if err := t.PerMillion.into(field, &tier.Buckets, nil); err != nil {
			return nil, err
		}
		p.Tiers = append(p.Tiers, tier)
	}
	if err := p.Check(); err != nil {
		return nil, hub.Invalid(field, "%s cannot be used: %v.", field, err)
	}
	return &p, nil
}

func (t table) into(field string, buckets *pricing.Table, variants *[]pricing.VariantPrice) error {
	for key, text := range t {
		b, quality, size, ok := pricing.ParseKey(key)
		rate, err := money.ParsePerMillion(text)
		switch {
		case !ok || (variants == nil && (quality != "" || size != "")):
			return hub.Invalid(field, "%s has an entry that is no billable unit here: %.40q.", field, key)
		case err != nil || rate < 0:
			return hub.Invalid(field, "%s: the price of %s must be per million units with at most six decimals, not %q.", field, key, text)
		case quality == "" && size == "":
			buckets[b] = pricing.Price{Rate: rate, Set: true}
		default:
			*variants = append(*variants, pricing.VariantPrice{Bucket: b, Quality: quality, Size: size, Rate: rate})
		}
	}
	return nil
}

// removeRate deletes a rate: ?force=true although aliases lead to it, ?reason=.
func (h *handler) removeRate(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	q := r.URL.Query()
	deps, err := h.Desk.RemoveRate(r.Context(), c.Email, r.PathValue("id"), q.Get("reason"), q.Get("force") == "true")
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, map[string]any{"removed": true, "dependants": deps})
}

func (h *handler) rateDependants(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	row, err := h.Store.RateByID(r.Context(), r.PathValue("id"))
	if err != nil {
		return noRate(err, r.PathValue("id"))
	}
	deps, err := h.Desk.RateDependants(r.Context(), row)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, deps)
}

type deprecation struct {
	Reason      string     `json:"reason"`
	RefusedFrom *time.Time `json:"refused_from"` // null: never
}

func (h *handler) deprecateRate(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[deprecation](r)
	if err != nil {
		return err
	}
	row, err := h.Desk.DeprecateRate(r.Context(), c.Email, r.PathValue("id"), in.Reason, in.RefusedFrom)
	if err != nil {
		return err
	}
	return writeRate(w, http.StatusOK, row)
}

func (h *handler) restoreRate(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	row, err := h.Desk.RestoreRate(r.Context(), c.Email, r.PathValue("id"), r.URL.Query().Get("reason"))
	if err != nil {
		return err
	}
	return writeRate(w, http.StatusOK, row)
}

// rateVersionView is a change of a rate.
type rateVersionView struct {
	At     time.Time `json:"at"`
	Change string    `json:"change"`
	Actor  string    `json:"actor"`
	Reason string    `json:"reason"`
	rateView
}

// rateHistory lists changes, newest first: ?provider= and ?model= together, paged
// by ?cursor=.
func (h *handler) rateHistory(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	p, err := httpkit.ParsePaging(r)
	if err != nil {
		return err
	}
	q := store.RateHistoryQuery{Provider: r.URL.Query().Get("provider"), Model: r.URL.Query().Get("model"), Limit: p.Size + 1}
	if (q.Provider == "") != (q.Model == "") {
		return hub.Invalid("model", "provider and model belong together.")
	}
	if p.Cursor != "" {
		keys, err := httpkit.DecodeCursor(p.Cursor, 3)
		if err != nil {
			return err
		}
		at, errAt := strconv.ParseInt(keys[0], 10, 64)
		version, errVersion := strconv.ParseInt(keys[2], 10, 64)
		if errAt != nil || errVersion != nil {
			return hub.Invalid("cursor", "cursor is not one that this list gave out.")
		}
		q.Before = &store.RateVersion{Rate: store.Rate{ID: keys[1], Version: version}, At: time.UnixMilli(at)}
	}
	rows, err := h.Store.RateHistory(r.Context(), q)
	if err != nil {
		return err
	}
	var out httpkit.Listing[rateVersionView]
	if len(rows) > p.Size {
		rows = rows[:p.Size]
		last := rows[p.Size-1]
		next := httpkit.EncodeCursor(strconv.FormatInt(last.At.UnixMilli(), 10), last.ID, strconv.FormatInt(last.Version, 10))
		out.NextCursor = &next
	}
	out.Data = make([]rateVersionView, len(rows))
	for i, row := range rows {
		v, err := viewRate(row.Rate)
		if err != nil {
			return err
		}
		v.EffectiveFrom = row.At
		out.Data[i] = rateVersionView{At: row.At, Change: row.Change, Actor: row.Actor, Reason: row.Reason, rateView: v}
	}
	return httpkit.WriteJSON(w, http.StatusOK, out)
}

// ratePlanView is prices that hold from a time to come.
type ratePlanView struct {
	PlanID string `json:"plan_id"`
	Actor  string `json:"actor"`
	Reason string `json:"reason"`
	rateView
}

func (h *handler) ratePlans(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	p, err := httpkit.ParsePaging(r)
	if err != nil {
		return err
	}
	from, after := time.Time{}, ""
	if p.Cursor != "" {
		keys, err := httpkit.DecodeCursor(p.Cursor, 2)
		if err != nil {
			return err
		}
		at, err := strconv.ParseInt(keys[0], 10, 64)
		if err != nil {
			return hub.Invalid("cursor", "cursor is not one that this list gave out.")
		}
		from, after = time.UnixMilli(at), keys[1]
	}
	rows, err := h.Store.RatePlans(r.Context(), from, after, p.Size+1)
	if err != nil {
		return err
	}
	var out httpkit.Listing[ratePlanView]
	if len(rows) > p.Size {
		rows = rows[:p.Size]
		next := httpkit.EncodeCursor(strconv.FormatInt(rows[p.Size-1].From.UnixMilli(), 10), rows[p.Size-1].ID)
		out.NextCursor = &next
	}
	out.Data = make([]ratePlanView, len(rows))
	for i, row := range rows {
		v, err := viewRate(row.Rate)
		if err != nil {
			return err
		}
		v.EffectiveFrom = row.From
		out.Data[i] = ratePlanView{PlanID: row.ID, Actor: row.Actor, Reason: row.Reason, rateView: v}
	}
	return httpkit.WriteJSON(w, http.StatusOK, out)
}

func (h *handler) dropRatePlan(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	if err := h.Desk.DropRatePlan(r.Context(), c.Email, r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
