package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func rateSpecs() []spec {
	return []spec{
		{
			name: "set", usage: "set what a model costs; a rate that is there is replaced", run: rateSet, needs: []string{"provider", "model"}, arg: "model",
			about: "Prices are what the user pays, in US dollars per million units, with at most six decimals; they are stored\n" +
				"as credits (dollars ÷ AIGNE_HUB_CREDIT_PRICE). Costs are what you pay; without them the catalogue's count.\n" +
				"Chat models need --input and --output, others at least one price, by what is counted of their work:\n" +
				"  embeddings, moderation   --input 0.02\n" +
				"  transcripts              --per-unit seconds=0.0001, or --input and --output\n" +
				"  speech                   --price characters=15, or --input and --output\n" +
				"  ranking                  --per-unit requests=0.002, or --input\n" +
				"  pictures                 --per-unit images=0.04, by quality and size --per-unit images:hd:1024x1792=0.12\n" +
				"  films                    --per-unit seconds=0.1, by size --per-unit seconds::1080p=0.5\n" +
				"Where the same work has a price by units and one by tokens, both are charged.",
			flags: []cli.Flag{
				text("provider", "`NAME` of the provider, stored or of the environment"), text("model", "the provider's own `NAME` for the model"),
				text("type", "chatCompletion (default), embedding, imageGeneration, audioGeneration, video, moderation or rerank"),
				text("input", "`PRICE` of prompt tokens"), text("output", "`PRICE` of generated tokens"),
				text("cache-read", "`PRICE` of prompt tokens read from a cache; without it that of --input"),
				text("cache-write", "`PRICE` of prompt tokens written to a cache, for 5 minutes or an hour"),
				text("reasoning", "`PRICE` of thinking tokens; without it that of --output"),
				&cli.StringSliceFlag{Name: "price", Usage: "`BUCKET=PRICE` of any other unit, per million, such as characters=15 (may be repeated)"},
				&cli.StringSliceFlag{Name: "per-unit", Usage: "`BUCKET=PRICE` of a single unit, such as images=0.04 (may be repeated)"},
				text("cost-input", "`COST` of prompt tokens"), text("cost-output", "`COST` of generated tokens"),
				&cli.StringSliceFlag{Name: "cost", Usage: "`BUCKET=COST` of any other unit, per million (may be repeated)"},
				number("context", "the model's context in tokens; without it the catalogue's"),
				number("max-output", "the model's output limit in tokens; without it the catalogue's"),
				timeoutFlag("the provider's"),
			},
		},
		{name: "list", usage: "list rates per million units, in credits, beside their cost in US dollars", run: rateList},
	}
}

// priceFlags maps flags to the buckets they price.
func priceFlags() map[string][]hub.Bucket {
	return map[string][]hub.Bucket{
		"input": {hub.Input}, "output": {hub.Output}, "cache-read": {hub.CacheRead},
		"cache-write": {hub.CacheWrite5m, hub.CacheWrite1h}, "reasoning": {hub.Reasoning},
	}
}

func rateSet(j *job) error {
	n, err := j.newRate()
	if err != nil {
		return err
	}
	return j.withHub(func(a *boot.App) error {
		row, err := a.Desk.SetRate(j.ctx, actor, n)
		if err != nil {
			return err
		}
		kinds, err := kindsByName(j.ctx, a)
		if err != nil {
			return err
		}
		v, err := viewRate(a, kinds, row)
		if err != nil {
			return err
		}
		return j.show(v, fmt.Sprintf("Set rate %s/%s (%s), version %d: %s credits per million.\n", v.Provider, v.Model, v.Type, v.Version, v.Prices.words()))
	})
}

func (j *job) newRate() (operator.NewRate, error) {
	n := operator.NewRate{
		Provider: j.text("provider"), Model: j.text("model"), Type: hub.CallType(j.text("type")),
		Prices: map[hub.Bucket]string{}, Costs: map[hub.Bucket]string{},
		Context: j.c.Int64("context"), MaxOutput: j.c.Int64("max-output"),
	}
	for flag, buckets := range priceFlags() {
		for _, b := range buckets {
			if j.c.IsSet(flag) {
				n.Prices[b] = j.text(flag)
			}
		}
	}
	for _, flag := range []string{"price", "per-unit"} {
		for _, pair := range j.c.StringSlice(flag) {
			v, err := readPrice(flag, pair)
			if err != nil {
				return n, err
			}
			if v.Quality == "" && v.Size == "" {
				n.Prices[v.Bucket] = v.Price
			} else {
				n.Variants = append(n.Variants, v)
			}
		}
	}
	for _, pair := range j.c.StringSlice("cost") {
		v, err := readPrice("cost", pair)
		if err != nil {
			return n, err
		}
		n.Costs[v.Bucket] = v.Price
	}
	for flag, b := range map[string]hub.Bucket{"cost-input": hub.Input, "cost-output": hub.Output} {
		if j.c.IsSet(flag) {
			n.Costs[b] = j.text(flag)
		}
	}
	if n.Type == "" || n.Type == hub.TypeChat {
		for _, need := range []string{"input", "output"} {
			if j.text(need) == "" {
				return n, hub.Invalid(need, "set needs --%s for a chat model", need)
			}
		}
	}
	var err error
	n.Timeouts, err = j.timeouts()
	return n, err
}

// readPrice reads BUCKET=PRICE or BUCKET:QUALITY:SIZE=PRICE, either of the two
// left empty where it makes no difference.
func readPrice(flag, pair string) (operator.Variant, error) {
	key, price, cut := strings.Cut(pair, "=")
	b, quality, size, ok := pricing.ParseKey(key)
	v := operator.Variant{Bucket: b, Quality: quality, Size: size, Price: price}
	if !cut || !ok || (flag == "cost" && strings.Contains(key, ":")) {
		return v, hub.Invalid(flag, "--%s must be BUCKET=PRICE with one of the buckets %s, not %q", flag, bucketNames(), pair)
	}
	if flag == "per-unit" {
		rate, err := money.ParseRate(price)
		if err != nil {
			return v, hub.Invalid(flag, "--per-unit must be dollars for one unit with at most twelve decimals, not %q", pair)
		}
		v.Price = rate.PerMillion()
	}
	return v, nil
}

func bucketNames() string {
	var names []string
	for b := range hub.NumBuckets {
		names = append(names, b.String())
	}
	return strings.Join(names, ", ")
}

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

	Timeouts routing.Timeouts `json:"timeouts,omitzero"` // what is not set is the provider's
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
	for _, x := range v.Variants {
		parts = append(parts, x.words())
	}
	if len(v.Tiers) > 0 {
		parts = append(parts, "+"+strconv.Itoa(len(v.Tiers))+" tier(s)")
	}
	return strings.Join(parts, ", ")
}

func rateList(j *job) error {
	return j.withHub(func(a *boot.App) error {
		rows, err := a.Store.Rates(j.ctx)
		if err != nil {
			return err
		}
		kinds, err := kindsByName(j.ctx, a)
		if err != nil {
			return err
		}
		views, lines := make([]rateView, 0, len(rows)), make([][]string, 0, len(rows))
		for _, row := range rows {
			v, err := viewRate(a, kinds, row)
			if err != nil {
				return err
			}
			views = append(views, v)
			lines = append(lines, []string{v.Provider, v.Model, string(v.Type), strconv.FormatInt(v.Version, 10), v.Prices.words(), v.Cost.words(), v.CostSource})
		}
		return j.show(views, table("PROVIDER MODEL TYPE VERSION CREDITS/1M COST-USD/1M COST-FROM", lines))
	})
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
		Prices: viewPrices(&r.Prices), CostSource: "unknown", Context: r.Context, MaxOutput: r.MaxOutput, Timeouts: r.Timeouts}
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
