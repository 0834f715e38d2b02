package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
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
				&cli.StringSliceFlag{Name: "tier", Usage: "`ABOVE:BUCKET=PRICE` in place of the price of calls with a longer prompt, such as 200000:input=5 (may be repeated)"},
				&cli.StringSliceFlag{Name: "cost-tier", Usage: "`ABOVE:BUCKET=COST`, the same for the cost (may be repeated)"},
				number("context", "the model's context in tokens; without it the catalogue's"),
				number("max-output", "the model's output limit in tokens; without it the catalogue's"),
				timeoutFlag("the provider's"),
				reasonFlag(), text("from", "`TIME` from which the rate holds, such as 2027-01-31T00:00:00Z; now unless given"),
			},
		},
		{name: "list", usage: "list rates per million units, in credits, beside their cost in US dollars", run: rateList},
		rateRemoveSpec(), rateHistorySpec(), repriceSpec(), rateCheckSpec(), rateDeprecateSpec(), rateRestoreSpec(), ratePlansSpec(),
	}
}

func reasonFlag() cli.Flag { return text("reason", "`WHY`, kept in the history") }

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
		if err := a.AdoptCatalogue(j.ctx); err != nil {
			return err
		}
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
		if n.From != nil && row.Version == 0 {
			return j.show(v, fmt.Sprintf("Planned rate %s/%s (%s) from %s: %s credits per million.\n", v.Provider, v.Model, v.Type, row.Effective.Format(time.RFC3339), v.Prices.words()))
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
		if v.Quality == "" && v.Size == "" {
			n.Costs[v.Bucket] = v.Price
		} else {
			n.CostVariants = append(n.CostVariants, v)
		}
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
	if n.Tiers, err = readTiers("tier", j.c.StringSlice("tier")); err != nil {
		return n, err
	}
	if n.CostTiers, err = readTiers("cost-tier", j.c.StringSlice("cost-tier")); err != nil {
		return n, err
	}
	n.Reason = j.text("reason")
	if n.From, err = j.time("from"); err != nil {
		return n, err
	}
	n.Timeouts, err = j.timeouts()
	return n, err
}

// time reads a flag that holds a time; nil without one.
func (j *job) time(flag string) (*time.Time, error) {
	if j.text(flag) == "" {
		return nil, nil
	}
	t, err := time.Parse(time.RFC3339, j.text(flag))
	if err != nil {
		return nil, hub.Invalid(flag, "--%s must be a time such as 2027-01-31T00:00:00Z, not %q", flag, j.text(flag))
	}
	return &t, nil
}

// readTiers reads ABOVE:BUCKET=PRICE.
func readTiers(flag string, pairs []string) ([]operator.Tier, error) {
	byAbove := map[int64]map[hub.Bucket]string{}
	for _, pair := range pairs {
		head, price, cut := strings.Cut(pair, "=")
		threshold, name, colon := strings.Cut(head, ":")
		above, err := strconv.ParseInt(threshold, 10, 64)
		b, ok := hub.ParseBucket(name)
		if !cut || !colon || err != nil || !ok {
			return nil, hub.Invalid(flag, "--%s must be ABOVE:BUCKET=PRICE with the prompt's tokens and one of the buckets %s, not %q", flag, bucketNames(), pair)
		}
		if byAbove[above] == nil {
			byAbove[above] = map[hub.Bucket]string{}
		}
		byAbove[above][b] = price
	}
	var out []operator.Tier
	for above, prices := range byAbove {
		out = append(out, operator.Tier{Above: above, Prices: prices})
	}
	slices.SortFunc(out, func(a, b operator.Tier) int { return cmp.Compare(a.Above, b.Above) })
	return out, nil
}

// readPrice reads BUCKET=PRICE or BUCKET:QUALITY:SIZE=PRICE, either of the two
// left empty where it makes no difference.
func readPrice(flag, pair string) (operator.Variant, error) {
	key, price, cut := strings.Cut(pair, "=")
	b, quality, size, ok := pricing.ParseKey(key)
	v := operator.Variant{Bucket: b, Quality: quality, Size: size, Price: price}
	if !cut || !ok {
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

func rateList(j *job) error {
	return j.withHub(func(a *boot.App) error {
		if err := a.AdoptCatalogue(j.ctx); err != nil {
			return err
		}
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
			lines = append(lines, []string{v.Provider, v.Model, string(v.Type), strconv.FormatInt(v.Version, 10), v.Prices.words(), v.Cost.words(), v.CostSource, v.state()})
		}
		return j.show(views, table("PROVIDER MODEL TYPE VERSION CREDITS/1M COST-USD/1M COST-FROM STATE", lines))
	})
}
