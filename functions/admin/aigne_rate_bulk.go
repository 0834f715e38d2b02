package admin

import (
	"net/http"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
)

// aigneBulk is the body of POST bulk-rate-update: mode margin computes all prices
// from costs; mode sync writes costs, and prices with applyRates.
type aigneBulk struct {
	Mode        string         `json:"mode"` // margin (unless given) or sync
	Margin      number         `json:"profitMargin"`
	CreditPrice number         `json:"creditPrice"`
	Updates     []aigneUpdate  `json:"updates"`
	Entries     []aigneListing `json:"entries"`
	ApplyRates  bool           `json:"applyRates"`
	Deprecate   bool           `json:"deprecateUnmatched"`
	DryRun      bool           `json:"dryRun"`
	Reason      string         `json:"reason"` // ours: kept in the history
}

// aigneUpdate is what a model is said to cost.
type aigneUpdate struct {
	Provider  string `json:"providerId"` // name or id
	Model     string `json:"model"`
	UnitCosts struct {
		Input  number `json:"input"`
		Output number `json:"output"`
	} `json:"unitCosts"`
	Caching struct {
		Read  number `json:"readRate"`
		Write number `json:"writeRate"`
	} `json:"caching"` // dollars here, unlike in a rate
	Source string `json:"source"`
	New    bool   `json:"isNew"`
	Type   string `json:"modelType"`
}

// aigneListing is an entry of the original's list of prices.
type aigneListing struct {
	Provider   string `json:"provider"`
	Model      string `json:"modelId"`
	Input      number `json:"inputCostPerToken"`
	Output     number `json:"outputCostPerToken"`
	CacheRead  number `json:"cachedInputCostPerToken"`
	CacheTiers []struct {
		Label string `json:"label"`
		Cost  number `json:"costPerToken"`
	} `json:"cacheTiers"`
	Type string `json:"modelType"`
	New  bool   `json:"isNew"`
}

func (u *aigneUpdate) update() (operator.CostUpdate, error) {
	kind, ok := aigneTypes[u.Type]
	if !ok {
		return operator.CostUpdate{}, hub.Invalid("updates", "modelType %.40q is not known.", u.Type)
	}
	out := operator.CostUpdate{Provider: u.Provider, Model: u.Model, Type: kind, New: u.New}
	for _, f := range []struct {
		name string
		n    number
		into []hub.Bucket
	}{
		{"unitCosts.input", u.UnitCosts.Input, []hub.Bucket{hub.Input}}, {"unitCosts.output", u.UnitCosts.Output, []hub.Bucket{outputBucket(kind, nil)}},
		{"caching.readRate", u.Caching.Read, []hub.Bucket{hub.CacheRead}}, {"caching.writeRate", u.Caching.Write, []hub.Bucket{hub.CacheWrite5m}},
	} {
		if err := put(&out.Costs, f.name, f.n, f.into...); err != nil {
			return out, err
		}
	}
	return out, nil
}

// update reads an entry; ok is false for pictures and films, whose entries say
// nothing per unit.
func (e *aigneListing) update() (out operator.CostUpdate, ok bool, err error) {
	kind, known := aigneTypes[e.Type]
	if !known || kind == hub.TypeImage || kind == hub.TypeVideo {
		return out, false, nil
	}
	out = operator.CostUpdate{Provider: e.Provider, Model: e.Model, Type: kind, New: e.New}
	fields := []struct {
		n    number
		into hub.Bucket
	}{{e.Input, hub.Input}, {e.Output, hub.Output}, {e.CacheRead, hub.CacheRead}}
	for _, t := range e.CacheTiers {
		label := strings.ToLower(t.Label)
		switch {
		case !strings.Contains(label, "write"):
		case strings.Contains(label, "1h") || strings.Contains(label, "hour"):
			fields = append(fields, struct {
				n    number
				into hub.Bucket
			}{t.Cost, hub.CacheWrite1h})
		default:
			fields = append(fields, struct {
				n    number
				into hub.Bucket
			}{t.Cost, hub.CacheWrite5m})
		}
	}
	for _, f := range fields {
		if err := put(&out.Costs, "entries", f.n, f.into); err != nil {
			return out, false, err
		}
	}
	return out, true, nil
}

// aigneSummary is a row of what a bulk change made, credits per unit.
type aigneSummary struct {
	ID         string `json:"id"`
	Model      string `json:"model"`
	Provider   string `json:"provider"`
	OldInput   string `json:"oldInputRate"`
	NewInput   string `json:"newInputRate"`
	OldOutput  string `json:"oldOutputRate"`
	NewOutput  string `json:"newOutputRate"`
	Reason     string `json:"reason,omitempty"` // why it stays
	CostSource string `json:"costSource,omitempty"`
}

func summarise(list []operator.Repriced) []aigneSummary {
	out := make([]aigneSummary, len(list))
	for i := range list {
		p := &list[i]
		side := func(prices *pricing.Prices) (string, string) {
			return priceOf(prices, hub.Input), priceOf(prices, outputBucket(p.Row.Type, prices))
		}
		v := aigneSummary{ID: p.Row.ID, Model: p.Row.Model, Provider: p.Row.Provider, Reason: p.Skipped, CostSource: p.CostSource}
		v.OldInput, v.OldOutput = side(&p.Old)
		v.NewInput, v.NewOutput = side(&p.New)
		out[i] = v
	}
	return out
}

func (h *handler) aigneBulkUpdate(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[aigneBulk](r)
	if err != nil {
		return err
	}
	switch in.Mode {
	case "", "margin":
		return h.aigneMargin(w, r, c, &in)
	case "sync":
		return h.aigneSync(w, r, c, &in)
	}
	return hub.Invalid("mode", "mode must be margin or sync.")
}

func (h *handler) aigneMargin(w http.ResponseWriter, r *http.Request, c hub.Caller, in *aigneBulk) error {
	if in.Margin == "" || in.CreditPrice == "" {
		return hub.Invalid("profitMargin", "profitMargin and creditPrice are needed.")
	}
	list, err := h.Desk.Reprice(r.Context(), c.Email, operator.Repricing{Margin: string(in.Margin), CreditPrice: string(in.CreditPrice), DryRun: in.DryRun, Reason: in.Reason})
	if err != nil {
		return err
	}
	changed, skipped := []aigneSummary{}, 0
	for _, v := range summarise(list) {
		if v.Reason != "" {
			skipped++
			continue
		}
		changed = append(changed, v)
	}
	return httpkit.WriteJSON(w, http.StatusOK, map[string]any{"message": "Rates updated.", "dryRun": in.DryRun, "updated": len(changed), "skipped": skipped,
		"parameters": map[string]string{"profitMargin": string(in.Margin), "creditPrice": string(in.CreditPrice)}, "summary": changed})
}

func (h *handler) aigneSync(w http.ResponseWriter, r *http.Request, c hub.Caller, in *aigneBulk) error {
	if len(in.Updates) == 0 && len(in.Entries) == 0 {
		return hub.Invalid("updates", "Send updates or entries.")
	}
	s := operator.CostSync{DeprecateRest: in.Deprecate, DryRun: in.DryRun, Reason: in.Reason}
	if in.ApplyRates {
		if in.Margin == "" || in.CreditPrice == "" {
			return hub.Invalid("profitMargin", "applyRates needs profitMargin and creditPrice.")
		}
		s.Margin, s.CreditPrice = string(in.Margin), string(in.CreditPrice)
	}
	for i := range in.Updates {
		u, err := in.Updates[i].update()
		if err != nil {
			return err
		}
		s.Updates = append(s.Updates, u)
	}
	for i := range in.Entries {
		u, ok, err := in.Entries[i].update()
		if err != nil {
			return err
		}
		if ok {
			s.Updates = append(s.Updates, u)
		}
	}
	done := operator.CostSynced{}
	if len(s.Updates) > 0 {
		var err error
		if done, err = h.Desk.SyncCosts(r.Context(), c.Email, s); err != nil {
			return err
		}
	}
	unmatched := make([]map[string]string, len(done.Unmatched))
	for i, u := range done.Unmatched {
		unmatched[i] = map[string]string{"providerId": u.Provider, "model": u.Model}
	}
	return httpkit.WriteJSON(w, http.StatusOK, map[string]any{"message": "Costs synchronised.", "dryRun": in.DryRun, "updated": summarise(done.Updated),
		"unchanged": summarise(done.Unchanged), "unmatched": unmatched, "created": summarise(done.Created), "errors": []string{}, "deprecated": summarise(done.Deprecated),
		"summary": map[string]int{"total": len(s.Updates), "updated": len(done.Updated), "unchanged": len(done.Unchanged), "unmatched": len(unmatched),
			"created": len(done.Created), "errors": 0}})
}
