package admin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// table is rates by bucket, decimal text per million units.
type table map[string]string

// rateView is what a model costs: the user in credits, the operator in dollars.
type rateView struct {
	ID                string       `json:"id"`
	Provider          string       `json:"provider"`
	Model             string       `json:"model"`
	Type              hub.CallType `json:"type"`
	Version           int64        `json:"version"`
	CreditsPerMillion table        `json:"credits_per_million"`
	Tiers             []tierView   `json:"tiers,omitempty"`
	CostUSDPerMillion table        `json:"cost_usd_per_million" openapi:"null"` // null: the catalogue's
	CostTiers         []tierView   `json:"cost_tiers,omitempty"`
	Context           int64        `json:"context"`    // tokens; 0: the catalogue's
	MaxOutput         int64        `json:"max_output"` // tokens; 0: the catalogue's
	EffectiveFrom     time.Time    `json:"effective_from"`
	Margin            string       `json:"margin"`        // percent that the prices were computed with; "": set by hand
	Display           string       `json:"display"`       // what people read; "": the model's name
	Description       string       `json:"description"`   //
	DeprecatedAt      *time.Time   `json:"deprecated_at"` // null: not deprecated
	DeprecatedReason  string       `json:"deprecated_reason"`
	RefusedFrom       *time.Time   `json:"refused_from"` // calls are refused from then on; null: never

	Timeouts routing.Timeouts `json:"timeouts,omitzero"` // what is not set is the provider's
	Managed  string           `json:"managed,omitempty"` // file: only the file that was applied may change it
}

// tierView replaces rates for calls whose prompt is longer.
type tierView struct {
	AbovePromptTokens int64 `json:"above_prompt_tokens"`
	PerMillion        table `json:"per_million"`
}

func viewRate(r store.Rate) (rateView, error) {
	v := rateView{ID: r.ID, Provider: r.Provider, Model: r.Model, Type: r.Type, Version: r.Version, EffectiveFrom: r.Effective,
		Margin: r.Margin, DeprecatedAt: r.Deprecated, DeprecatedReason: r.DeprecatedReason, RefusedFrom: r.RefusedFrom, Managed: r.Managed}
	var err error
	if v.CreditsPerMillion, v.Tiers, err = viewPrices(r.Prices); err != nil {
		return v, fmt.Errorf("prices of %s/%s: %w", r.Provider, r.Model, err)
	}
	if r.Costs != "" {
		if v.CostUSDPerMillion, v.CostTiers, err = viewPrices(r.Costs); err != nil {
			return v, fmt.Errorf("costs of %s/%s: %w", r.Provider, r.Model, err)
		}
	}
	var m routing.RateMetadata
	if err := json.Unmarshal([]byte(r.Metadata), &m); err != nil {
		return v, fmt.Errorf("metadata of %s/%s: %w", r.Provider, r.Model, err)
	}
	v.Context, v.MaxOutput, v.Timeouts, v.Display, v.Description = m.Context, m.MaxOutput, m.Timeouts, m.Display, m.Description
	return v, nil
}

func viewPrices(stored string) (table, []tierView, error) {
	var p pricing.Prices
	if err := json.Unmarshal([]byte(stored), &p); err != nil {
		return nil, nil, err
	}
	var tiers []tierView
	for i := range p.Tiers {
		tiers = append(tiers, tierView{p.Tiers[i].AbovePrompt, viewTable(&p.Tiers[i].Buckets)})
	}
	return viewBase(&p), tiers, nil
}

func viewBase(p *pricing.Prices) table {
	base := viewTable(&p.Buckets)
	for i := range p.Variants {
		base[p.Variants[i].Key()] = p.Variants[i].Rate.PerMillion()
	}
	return base
}

func viewTable(t *pricing.Table) table {
	out := table{}
	for b, price := range t {
		if price.Set {
			out[hub.Bucket(b).String()] = price.Rate.PerMillion()
		}
	}
	return out
}

// listRates lists rates by provider and model, deprecated ones too: ?provider=,
// ?model=, ?deprecated=true|false, ?page=, ?pageSize=.
func (h *handler) listRates(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	paging, err := httpkit.ParsePaging(r)
	if err != nil {
		return err
	}
	if paging.Cursor != "" {
		return hub.Invalid("cursor", "This list has no cursor; use page.")
	}
	all, err := h.Store.Rates(r.Context())
	if err != nil {
		return err
	}
	q := r.URL.Query()
	only, model, deprecated := q.Get("provider"), q.Get("model"), q.Get("deprecated")
	if deprecated != "" && deprecated != "true" && deprecated != "false" {
		return hub.Invalid("deprecated", "deprecated must be true or false.")
	}
	data, total := []rateView{}, 0
	for _, row := range all {
		if (only != "" && row.Provider != only) || (model != "" && row.Model != model) || (deprecated != "" && (row.Deprecated != nil) != (deprecated == "true")) {
			continue
		}
		if total >= paging.Offset() && len(data) < paging.Size {
			v, err := viewRate(row)
			if err != nil {
				return err
			}
			data = append(data, v)
		}
		total++
	}
	return httpkit.WriteJSON(w, http.StatusOK, map[string]any{"data": data, "total": total})
}

// newRate sets a rate. Prices are what the user pays; they are kept as credits,
// dollars divided by the credit price.
type newRate struct {
	Provider          string       `json:"provider"`
	Providers         []string     `json:"providers"` // of POST, in place of provider
	Model             string       `json:"model" validate:"required"`
	Type              hub.CallType `json:"type"` // "" means chatCompletion
	USDPerMillion     table        `json:"usd_per_million" validate:"required,min=1"`
	Tiers             []newTier    `json:"tiers"`
	CostUSDPerMillion table        `json:"cost_usd_per_million"` // none: the catalogue's
	CostTiers         []newTier    `json:"cost_tiers"`
	Context           int64        `json:"context"`
	MaxOutput         int64        `json:"max_output"`
	Reason            string       `json:"reason"`         // kept in the history
	EffectiveFrom     *time.Time   `json:"effective_from"` // null: now

	Timeouts routing.Timeouts `json:"timeouts"` // durations such as "30s"; unset: the provider's
}

// newTier replaces prices for calls whose prompt is longer.
type newTier struct {
	AbovePromptTokens int64 `json:"above_prompt_tokens"`
	USDPerMillion     table `json:"usd_per_million"`
}

func (in *newRate) rate() (n operator.NewRate, err error) {
	n = operator.NewRate{Provider: in.Provider, Model: in.Model, Type: in.Type, Context: in.Context, MaxOutput: in.MaxOutput, Timeouts: in.Timeouts,
		Reason: in.Reason, From: in.EffectiveFrom}
	if n.Prices, n.Variants, err = in.USDPerMillion.prices("usd_per_million"); err != nil {
		return n, err
	}
	if n.Costs, n.CostVariants, err = in.CostUSDPerMillion.prices("cost_usd_per_million"); err != nil {
		return n, err
	}
	if n.Tiers, err = tiersOf("tiers", in.Tiers); err != nil {
		return n, err
	}
	n.CostTiers, err = tiersOf("cost_tiers", in.CostTiers)
	return n, err
}

func tiersOf(field string, in []newTier) ([]operator.Tier, error) {
	var out []operator.Tier
	for _, t := range in {
		prices, variants, err := t.USDPerMillion.prices(field)
		if err != nil {
			return nil, err
		}
		if len(variants) > 0 {
			return nil, hub.Invalid(field, "%s has no entries by quality or size.", field)
		}
		out = append(out, operator.Tier{Above: t.AbovePromptTokens, Prices: prices})
	}
	return out, nil
}

// setRate creates or replaces the rate of a model, or plans it for later.
func (h *handler) setRate(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[newRate](r)
	if err != nil {
		return err
	}
	if len(in.Providers) > 0 {
		return hub.Invalid("providers", "PUT sets the rate of one provider; POST makes it at several.")
	}
	n, err := in.rate()
	if err != nil {
		return err
	}
	row, err := h.Desk.SetRate(r.Context(), c.Email, n)
	if err != nil {
		return err
	}
	return writeRate(w, http.StatusOK, row)
}

func writeRate(w http.ResponseWriter, status int, row store.Rate) error {
	v, err := viewRate(row)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, status, v)
}

// prices reads the entries; a key may name the quality and size of pictures or
// seconds, as pricing.ParseKey has it. field is where they stand in the request.
func (t table) prices(field string) (map[hub.Bucket]string, []operator.Variant, error) {
	out := make(map[hub.Bucket]string, len(t))
	var variants []operator.Variant
	for key, price := range t {
		b, quality, size, ok := pricing.ParseKey(key)
		switch {
		case !ok:
			return nil, nil, hub.Invalid(field, "%s has an entry that is no billable unit: %.40q.", field, key)
		case quality == "" && size == "":
			out[b] = price
		default:
			variants = append(variants, operator.Variant{Bucket: b, Quality: quality, Size: size, Price: price})
		}
	}
	return out, variants, nil
}
