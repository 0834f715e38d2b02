package admin

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// aigneRateBody is what the original takes: credits, dollars for costs, per unit.
type aigneRateBody struct {
	Providers   []string     `json:"providers"` // ids or names
	Model       string       `json:"model"`
	Display     *string      `json:"modelDisplay"`
	Description *string      `json:"description"`
	Type        hub.CallType `json:"type"`
	InputRate   *number      `json:"inputRate"`
	OutputRate  *number      `json:"outputRate"`
	UnitCosts   *struct {
		Input  number `json:"input"`
		Output number `json:"output"`
	} `json:"unitCosts"`
	Caching *struct {
		Read  number `json:"readRate"`
		Write number `json:"writeRate"`
	} `json:"caching"`
	Metadata json.RawMessage `json:"modelMetadata"`
	Reason   string          `json:"reason"` // ours: kept in the history
}

// put writes a number into a bucket. A zero is a price like any other: it is free,
// not missing.
func put(p *pricing.Prices, field string, n number, buckets ...hub.Bucket) error {
	if n == "" {
		return nil
	}
	rate, err := n.rate()
	if err != nil || rate < 0 {
		return hub.Invalid(field, "%s must be a decimal of 0 or more per unit, not %.60q.", field, string(n))
	}
	for _, b := range buckets {
		p.Set(b, rate)
	}
	return nil
}

// prices puts the body's rates into p.
func (in *aigneRateBody) prices(p *pricing.Prices, kind hub.CallType) error {
	if in.InputRate != nil {
		if err := put(p, "inputRate", *in.InputRate, hub.Input); err != nil {
			return err
		}
	}
	if in.OutputRate != nil {
		if err := put(p, "outputRate", *in.OutputRate, outputBucket(kind, p)); err != nil {
			return err
		}
	}
	if in.Caching == nil {
		return nil
	}
	if err := put(p, "caching.readRate", in.Caching.Read, hub.CacheRead); err != nil {
		return err
	}
	return put(p, "caching.writeRate", in.Caching.Write, hub.CacheWrite5m, hub.CacheWrite1h)
}

func (in *aigneRateBody) costs(p *pricing.Prices, kind hub.CallType) error {
	if err := put(p, "unitCosts.input", in.UnitCosts.Input, hub.Input); err != nil {
		return err
	}
	return put(p, "unitCosts.output", in.UnitCosts.Output, outputBucket(kind, p))
}

// metadata takes the limit out of what a client says of the model; the rest is
// kept for it.
func (in *aigneRateBody) limit() (*int64, error) {
	if len(in.Metadata) == 0 || string(in.Metadata) == "null" {
		return nil, nil
	}
	const most = 8 << 10
	var m struct {
		MaxTokens *int64 `json:"maxTokens"`
	}
	if err := json.Unmarshal(in.Metadata, &m); err != nil || in.Metadata[0] != '{' || len(in.Metadata) > most {
		return nil, hub.Invalid("modelMetadata", "modelMetadata must be an object of at most %d bytes, with maxTokens a whole number.", most)
	}
	if m.MaxTokens != nil && *m.MaxTokens < 1 {
		return nil, hub.Invalid("modelMetadata.maxTokens", "maxTokens must be 1 or more.")
	}
	return m.MaxTokens, nil
}

// spec is the body as a new rate.
func (in *aigneRateBody) spec() (operator.RateSpec, error) {
	n := operator.RateSpec{Model: in.Model, Type: in.Type, Client: in.Metadata, Reason: in.Reason}
	if n.Type == "" {
		n.Type = hub.TypeChat
	}
	if string(n.Client) == "null" {
		n.Client = nil
	}
	if in.Display != nil {
		n.Display = *in.Display
	}
	if in.Description != nil {
		n.Description = *in.Description
	}
	limit, err := in.limit()
	if err != nil {
		return n, err
	}
	if limit != nil {
		n.MaxOutput = *limit
	}
	if err := in.prices(&n.Prices, n.Type); err != nil {
		return n, err
	}
	if in.UnitCosts != nil {
		return n, in.costs(&n.Costs, n.Type)
	}
	return n, nil
}

// aigneAdd makes the rate at some providers and shows it.
func (h *handler) aigneAdd(r *http.Request, c hub.Caller, in aigneRateBody, ids []string) ([]aigneRate, error) {
	n, err := in.spec()
	if err != nil {
		return nil, err
	}
	byName := map[string]aigneProvider{}
	var names []string
	for _, id := range ids {
		p, err := h.aigneProvider(r, id)
		if err != nil {
			return nil, err
		}
		byName[p.Name] = p
		names = append(names, p.Name)
	}
	rows, err := h.Desk.CreateRateSpecs(r.Context(), c.Email, n, names)
	if err != nil {
		return nil, err
	}
	out := make([]aigneRate, len(rows))
	for i, row := range rows {
		if out[i], err = viewAigne(row, byName[row.Provider], true); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (h *handler) aigneAddRate(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[aigneRateBody](r)
	if err != nil {
		return err
	}
	if len(in.Providers) > 0 {
		return hub.Invalid("providers", "The provider is the one in the path.")
	}
	out, err := h.aigneAdd(r, c, in, []string{r.PathValue("provider")})
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, out[0])
}

// aigneAddRates makes a rate at several providers, or at none.
func (h *handler) aigneAddRates(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[aigneRateBody](r)
	if err != nil {
		return err
	}
	if len(in.Providers) == 0 {
		return hub.Invalid("providers", "Name at least one provider.")
	}
	out, err := h.aigneAdd(r, c, in, in.Providers)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, map[string]any{"message": "Rates created.", "data": out, "summary": map[string]int{"total": len(out)}})
}

// aigneRateIn finds the rate in the path, which must be the provider's.
func (h *handler) aigneRateIn(r *http.Request) (store.Rate, aigneProvider, error) {
	p, err := h.aigneProvider(r, r.PathValue("provider"))
	if err != nil {
		return store.Rate{}, p, err
	}
	row, err := h.Store.RateByID(r.Context(), r.PathValue("rate"))
	if err == nil && row.Provider != p.Name {
		err = store.ErrNotFound
	}
	return row, p, noRate(err, r.PathValue("rate"))
}

func (h *handler) aigneEditRate(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[aigneRateBody](r)
	if err != nil {
		return err
	}
	row, p, err := h.aigneRateIn(r)
	if err != nil {
		return err
	}
	if (in.Model != "" && in.Model != row.Model) || (in.Type != "" && in.Type != row.Type) {
		return hub.Invalid("model", "The model and the type of a rate cannot change; make another one.")
	}
	e := operator.RateEdit{Display: in.Display, Description: in.Description, Reason: in.Reason, Expect: row.Version}
	if e.MaxOutput, err = in.limit(); err != nil {
		return err
	}
	if len(in.Metadata) > 0 && string(in.Metadata) != "null" {
		e.Client = in.Metadata
	}
	if in.InputRate != nil || in.OutputRate != nil || in.Caching != nil {
		e.Prices = &pricing.Prices{}
		if err := json.Unmarshal([]byte(row.Prices), e.Prices); err != nil {
			return err
		}
		if err := in.prices(e.Prices, row.Type); err != nil {
			return err
		}
	}
	if in.UnitCosts != nil {
		e.Costs = &pricing.Prices{}
		if row.Costs != "" {
			if err := json.Unmarshal([]byte(row.Costs), e.Costs); err != nil {
				return err
			}
		}
		if err := in.costs(e.Costs, row.Type); err != nil {
			return err
		}
	}
	if row, err = h.Desk.EditRate(r.Context(), c.Email, row.ID, e); err != nil {
		return err
	}
	v, err := viewAigne(row, p, true)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, v)
}

// aigneRemoveRate deletes a rate: ?force=true although aliases lead to it.
func (h *handler) aigneRemoveRate(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	row, _, err := h.aigneRateIn(r)
	if err != nil {
		return err
	}
	if _, err := h.Desk.RemoveRate(r.Context(), c.Email, row.ID, r.URL.Query().Get("reason"), r.URL.Query().Get("force") == "true"); err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, map[string]string{"message": "Rate deleted."})
}

// aigneRateCheck checks all rates at once and tells operators what it finds.
func (h *handler) aigneRateCheck(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	if err := h.Desk.WatchRates(r.Context()); err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, map[string]any{"message": "Rates checked.", "timestamp": h.Now().UTC().Format(time.RFC3339)})
}
