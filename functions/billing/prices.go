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
	// Capabilities are what the model is known to do beside answering text; of
	// others it is not known.
	Capabilities []routing.Need `json:"capabilities"`
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

// pricesView is a page of what models cost.
type pricesView struct {
	Data     []priceView `json:"data"`
	Total    int         `json:"total"`
	Page     int         `json:"page"`
	PageSize int         `json:"page_size"`
	Billing  bool        `json:"billing"`
	// Providers of all models that the caller may call, whatever was asked for.
	Providers []string `json:"providers"`
}

// prices lists what models cost, in pages: ?type=, ?provider=, ?q= (part of a name),
// ?capability=, ?minContext=, ?models= (whole names), ?sort=. Without a key it has
// what the public may see.
func (h *handler) prices(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	paging, err := httpkit.ParsePaging(r)
	switch {
	case err != nil:
		return err
	case paging.Cursor != "":
		return hub.Invalid("cursor", "This list has no cursor; use page.")
	}
	want, err := wantedOf(r.URL.Query())
	if err != nil {
		return err
	}
	var all []routing.Listed
	if c.UserID != "" || h.PublicModels {
		all = h.callable(c.Models)
	}
	v := pricesView{Page: paging.Page, PageSize: paging.Size, Billing: h.Billing, Providers: providersOf(all)}
	found := slices.DeleteFunc(all, func(l routing.Listed) bool { return !want.takes(&l) })
	want.arrange(found)
	v.Total = len(found)
	found = found[min(paging.Offset(), v.Total):min(paging.Offset()+paging.Size, v.Total)]
	v.Data = make([]priceView, len(found))
	for i := range found {
		v.Data[i] = viewPrice(&found[i])
	}
	return httpkit.WriteJSON(w, http.StatusOK, v)
}

func providersOf(all []routing.Listed) []string {
	out := []string{}
	for i := range all {
		out = append(out, all[i].Provider.Name)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func typeNames() string {
	var names []string
	for _, t := range hub.CallTypes() {
		names = append(names, string(t))
	}
	return strings.Join(names, ", ")
}

func needNames() string {
	var names []string
	for _, n := range routing.Needs() {
		names = append(names, string(n))
	}
	return strings.Join(names, ", ")
}

// callable lists models that can be called, by name.
func (h *handler) callable(allow routing.Allow) []routing.Listed {
	routes := h.Routes()
	var found []routing.Listed
	for _, t := range hub.CallTypes() {
		found = append(found, routes.ModelsFor(allow, t)...)
	}
	slices.SortStableFunc(found, func(a, b routing.Listed) int { return cmp.Compare(a.Name(), b.Name()) })
	return found
}

func viewPrice(l *routing.Listed) priceView {
	v := priceView{Model: l.Name(), Provider: l.Provider.Name, Type: l.Type, Context: l.Context, Capabilities: l.Meets()}
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
