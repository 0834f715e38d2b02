package billing

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
	"github.com/aigne-hub/aigne-hub/shared/routing"
)

// priceView is what a model costs its users.
type priceView struct {
	Model     string       `json:"model"` // as calls name it
	Provider  string       `json:"provider"`
	Type      hub.CallType `json:"type"`
	Context   int64        `json:"context_length,omitempty"`
	MaxOutput int64        `json:"max_output_tokens,omitempty"`
	// Prices are credits per unit as decimal text, by bucket, each bucket with what
	// it costs in the end: one without a rate of its own has that of the bucket that
	// stands in for it. null: not charged.
	Prices   map[string]money.Rate `json:"prices" openapi:"null"`
	Tiers    []tierView            `json:"tiers,omitempty"`
	Variants []variantView         `json:"variants,omitempty"`
}

// tierView are the prices of calls with longer prompts.
type tierView struct {
	Above  int64                 `json:"above"` // prompt tokens
	Prices map[string]money.Rate `json:"prices"`
}

// variantView is the price of pictures or seconds of one quality and size.
type variantView struct {
	Unit string     `json:"unit"` // such as images:hd:1024x1792
	Rate money.Rate `json:"rate"`
}

// prices lists what models cost: ?type=, ?provider=, ?q= (part of a name), ?page=,
// ?pageSize=. Without a key it has what the public may see.
func (h *handler) prices(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	paging, err := httpkit.ParsePaging(r)
	switch {
	case err != nil:
		return err
	case paging.Cursor != "":
		return hub.Invalid("cursor", "This list has no cursor; use page.")
	}
	q := r.URL.Query()
	kind := hub.CallType(q.Get("type"))
	if kind != "" && !kind.Valid() {
		return hub.Invalid("type", "%.40q is no type of call; there are %s.", kind, typeNames())
	}
	var found []routing.Listed
	if c.UserID != "" || h.PublicModels {
		found = h.priced(c.Models, kind, q.Get("provider"), strings.ToLower(q.Get("q")))
	}
	total := len(found)
	found = found[min(paging.Offset(), total):min(paging.Offset()+paging.Size, total)]
	data := make([]priceView, len(found))
	for i := range found {
		data[i] = viewPrice(&found[i])
	}
	return httpkit.WriteJSON(w, http.StatusOK, map[string]any{"data": data, "total": total, "page": paging.Page, "page_size": paging.Size, "billing": h.Billing})
}

func typeNames() string {
	var names []string
	for _, t := range hub.CallTypes() {
		names = append(names, string(t))
	}
	return strings.Join(names, ", ")
}

// priced lists models that can be called, by name.
func (h *handler) priced(allow routing.Allow, kind hub.CallType, provider, part string) []routing.Listed {
	routes := h.Routes()
	var found []routing.Listed
	for _, t := range hub.CallTypes() {
		if kind != "" && kind != t {
			continue
		}
		for _, l := range routes.ModelsFor(allow, t) {
			if (provider == "" || l.Provider.Name == provider) && strings.Contains(strings.ToLower(l.Name()), part) {
				found = append(found, l)
			}
		}
	}
	slices.SortStableFunc(found, func(a, b routing.Listed) int { return cmp.Compare(a.Name(), b.Name()) })
	return found
}

func viewPrice(l *routing.Listed) priceView {
	v := priceView{Model: l.Name(), Provider: l.Provider.Name, Type: l.Type, Context: l.Context}
	if l.LimitKnown {
		v.MaxOutput = l.MaxOutput
	}
	if l.Prices == nil {
		return v
	}
	v.Prices = resolved(l.Prices, 0)
	for _, t := range l.Prices.Tiers {
		v.Tiers = append(v.Tiers, tierView{Above: t.AbovePrompt, Prices: resolved(l.Prices, t.AbovePrompt+1)})
	}
	for i := range l.Prices.Variants {
		v.Variants = append(v.Variants, variantView{Unit: l.Prices.Variants[i].Key(), Rate: l.Prices.Variants[i].Rate})
	}
	return v
}

// resolved is what each bucket costs for a prompt of so many tokens.
func resolved(p *pricing.Prices, prompt int64) map[string]money.Rate {
	out := map[string]money.Rate{}
	for b := range hub.NumBuckets {
		if rate, ok := p.Rate(b, prompt); ok {
			out[b.String()] = rate
		}
	}
	return out
}
