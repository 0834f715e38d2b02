package main

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// rateView is a rate as it is shown, per million units.
type rateView struct {
	ID         string       `json:"id"`
	Provider   string       `json:"provider"`
	Model      string       `json:"model"`
	Type       hub.CallType `json:"type"`
	Version    int64        `json:"version"`
	Prices     *priceView   `json:"prices"`      // credits
	Cost       *priceView   `json:"cost"`        // US dollars; null: unknown
	CostSource string       `json:"cost_source"` // rate, catalogue or unknown
	Context    int64        `json:"context"`     // tokens; 0: not set
	MaxOutput  int64        `json:"max_output"`  // tokens; 0: not set
	Margin     string       `json:"margin"`      // percent that the prices were computed with; "": set by hand

	Managed string `json:"managed,omitempty"` // file: only the file that was applied may change it

	EffectiveFrom    time.Time  `json:"effective_from"`
	DeprecatedAt     *time.Time `json:"deprecated_at"`
	DeprecatedReason string     `json:"deprecated_reason,omitempty"`
	RefusedFrom      *time.Time `json:"refused_from"` // calls are refused from then on

	Timeouts routing.Timeouts `json:"timeouts,omitzero"` // what is not set is the provider's
}

// state is whether the rate is on its way out.
func (v *rateView) state() string {
	switch {
	case v.DeprecatedAt == nil:
		return "in use"
	case v.RefusedFrom == nil:
		return "deprecated"
	}
	return "refused from " + v.RefusedFrom.Format(time.RFC3339)
}

// priceView is prices per million units, as decimals by bucket.
type priceView struct {
	Base  map[string]string `json:"per_million"`
	Tiers []tierView        `json:"tiers,omitempty"`

	Variants []variantView `json:"variants,omitempty"`
}

// variantView is the price of pictures or seconds of one quality and size.
type variantView struct {
	Bucket     string `json:"bucket"`
	Quality    string `json:"quality,omitempty"`
	Size       string `json:"size,omitempty"`
	PerMillion string `json:"per_million"`
}

// words is the variant as --price takes it.
func (v variantView) words() string {
	return strings.TrimRight(v.Bucket+":"+v.Quality+":"+v.Size, ":") + " " + v.PerMillion // see pricing.VariantPrice.Key
}

type tierView struct {
	AbovePrompt int64             `json:"above_prompt_tokens"`
	Base        map[string]string `json:"per_million"`
}

func viewPrices(p *pricing.Prices) *priceView {
	v := &priceView{Base: perMillion(&p.Buckets)}
	for i := range p.Tiers {
		v.Tiers = append(v.Tiers, tierView{p.Tiers[i].AbovePrompt, perMillion(&p.Tiers[i].Buckets)})
	}
	for _, x := range p.Variants {
		v.Variants = append(v.Variants, variantView{x.Bucket.String(), x.Quality, x.Size, x.Rate.PerMillion()})
	}
	return v
}

func perMillion(t *pricing.Table) map[string]string {
	out := map[string]string{}
	for b, price := range t {
		if price.Set {
			out[hub.Bucket(b).String()] = price.Rate.PerMillion()
		}
	}
	return out
}

// words is the base prices in one line, in the order of the buckets.
func (v *priceView) words() string {
	if v == nil {
		return "unknown"
	}
	var parts []string
	for b := range hub.NumBuckets {
		if price, ok := v.Base[b.String()]; ok {
			parts = append(parts, b.String()+" "+price)
		}
	}
	services := map[string]bool{}
	for _, x := range v.Variants {
		if b, _ := hub.ParseBucket(x.Bucket); b != hub.Images && b != hub.Seconds {
			services[x.Quality] = true // many figures that are the same but for a factor
			continue
		}
		parts = append(parts, x.words())
	}
	for _, name := range pricing.Services() {
		if services[name] {
			parts = append(parts, "+"+name)
		}
	}
	for _, t := range v.Tiers {
		for b := range hub.NumBuckets {
			if price, ok := t.Base[b.String()]; ok {
				parts = append(parts, b.String()+">"+strconv.FormatInt(t.AbovePrompt, 10)+" "+price)
			}
		}
	}
	return strings.Join(parts, ", ")
}

// kindsByName maps stored providers to their kinds. A provider of the
// environment is named after its kind.
func kindsByName(ctx context.Context, a *boot.App) (map[string]string, error) {
	stored, err := a.Store.Providers(ctx)
	kinds := map[string]string{}
	for _, p := range stored {
		kinds[p.Name] = p.Kind
	}
	return kinds, err
}

func viewRate(a *boot.App, kinds map[string]string, row store.Rate) (rateView, error) {
	r, err := boot.ReadRate(row)
	if err != nil {
		return rateView{}, err
	}
	v := rateView{ID: row.ID, Provider: row.Provider, Model: row.Model, Type: row.Type, Version: row.Version,
		Prices: viewPrices(&r.Prices), CostSource: "unknown", Context: r.Context, MaxOutput: r.MaxOutput, Timeouts: r.Timeouts, Margin: row.Margin, Managed: row.Managed,
		EffectiveFrom: row.Effective, DeprecatedAt: row.Deprecated, DeprecatedReason: row.DeprecatedReason, RefusedFrom: row.RefusedFrom}
	if r.Cost != nil {
		v.Cost, v.CostSource = viewPrices(r.Cost), "rate"
		return v, nil
	}
	kind, ok := kinds[row.Provider]
	if !ok {
		kind = row.Provider
	}
	if m, ok := a.Catalogue().Lookup(kind, row.Model); ok && !m.Cost.Empty() {
		v.Cost, v.CostSource = viewPrices(&m.Cost), "catalogue"
	}
	return v, nil
}
