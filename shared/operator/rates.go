package operator

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// NewRate sets what a model costs. Prices are what the user pays and Costs what
// the operator pays, both in dollars per million units as decimal text by
// bucket.
type NewRate struct {
	Provider     string
	Model        string
	Type         hub.CallType // "" means chatCompletion
	Prices       map[hub.Bucket]string
	Variants     []Variant             // prices of pictures or seconds by quality and size
	Tiers        []Tier                // prices of calls with longer prompts
	Costs        map[hub.Bucket]string // empty, like the next two: the catalogue's
	CostVariants []Variant
	CostTiers    []Tier
	Context      int64 // tokens; 0: the catalogue's
	MaxOutput    int64
	Timeouts     routing.Timeouts

	// InCredits: Prices, their variants and tiers are credits instead of dollars.
	InCredits bool

	Reason string     // kept in the history; may be empty
	From   *time.Time // when the rate begins to hold; nil: now
}

// Variant prices the pictures or seconds of one quality and size, in dollars
// per million.
type Variant struct {
	Bucket        hub.Bucket
	Quality, Size string // "" fits every one
	Price         string
}

// Tier prices calls whose prompt is longer than Above tokens.
type Tier struct {
	Above  int64
	Prices map[hub.Bucket]string
}

const (
	maxReason = 500
	// maxAhead bounds how far ahead prices are planned: what is further away is a
	// mistyped year.
	maxAhead = 2 * 365 * 24 * time.Hour
)

// SetRate creates or replaces a rate, or plans it for later. Prices are stored as
// credits: dollars ÷ the credit price, exact to the pico-credit.
func (d *Desk) SetRate(ctx context.Context, actor string, n NewRate) (store.Rate, error) {
	row, err := d.newRate(n)
	if err != nil {
		return row, err
	}
	if n.From != nil && n.From.After(d.Now()) {
		return d.planRate(ctx, actor, row, *n.From, n.Reason)
	}
	rows, err := d.changeRates(ctx, []store.RateChange{{Rate: row, Change: store.RateSet, Actor: actor, Reason: n.Reason}})
	if err != nil {
		return row, err
	}
	return rows[0], d.auditRate(ctx, actor, "rate.set", rows[0], n.Reason)
}

func (d *Desk) auditRate(ctx context.Context, actor, action string, row store.Rate, reason string) error {
	after := map[string]any{"version": row.Version, "prices": json.RawMessage(row.Prices)}
	if reason != "" {
		after["reason"] = reason
	}
	return d.audit(ctx, actor, action, row.Provider+"/"+row.Model, nil, after)
}

// newRate checks a rate and makes its row.
func (d *Desk) newRate(n NewRate) (store.Rate, error) {
	if n.Type == "" {
		n.Type = hub.TypeChat
	}
	if err := n.check(); err != nil {
		return store.Rate{}, err
	}
	price := d.CreditPrice
	if n.InCredits {
		price = "1"
	}
	prices, err := d.table(n.Prices, n.Variants, n.Tiers, price)
	if err != nil {
		return store.Rate{}, err
	}
	row := store.Rate{Provider: n.Provider, Model: n.Model, Type: n.Type}
	if row.Prices, err = encode(prices); err != nil {
		return row, err
	}
	if len(n.Costs)+len(n.CostVariants)+len(n.CostTiers) > 0 {
		costs, err := d.table(n.Costs, n.CostVariants, n.CostTiers, "1")
		if err != nil {
			return row, err
		}
		if row.Costs, err = encode(costs); err != nil {
			return row, err
		}
	}
	row.Metadata, err = encode(routing.RateMetadata{Context: n.Context, MaxOutput: n.MaxOutput, Timeouts: n.Timeouts})
	return row, err
}

func (n *NewRate) check() error {
	if err := checkRateName(n.Provider, n.Model, n.Type); err != nil {
		return err
	}
	switch {
	case len(n.Prices) == 0 && len(n.Variants) == 0:
		return hub.Invalid("input", "A rate needs at least one price.")
	case n.Context < 0:
		return hub.Invalid("context", "The context must not be negative.")
	case n.MaxOutput < 0:
		return hub.Invalid("max_output", "The output limit must not be negative.")
	}
	return checkReason(n.Reason)
}

func checkRateName(provider, model string, kind hub.CallType) error {
	switch {
	case provider == "" || len(provider) > 64:
		return hub.Invalid("provider", "A rate needs the name of its provider.")
	case model == "" || len(model) > 200 || strings.TrimSpace(model) != model:
		return hub.Invalid("model", "A rate needs a model name of 1 to 200 characters.")
	case !kind.Valid():
		return hub.Invalid("type", "The type must be chatCompletion, embedding, imageGeneration, audioGeneration, video, moderation or rerank.")
	}
	return nil
}

func checkReason(reason string) error {
	if len(reason) > maxReason {
		return hub.Invalid("reason", "The reason must have at most %d bytes.", maxReason)
	}
	return nil
}

func (d *Desk) table(perMillion map[hub.Bucket]string, variants []Variant, tiers []Tier, creditPrice string) (pricing.Prices, error) {
	var dollars pricing.Prices
	if err := fill(&dollars.Buckets, perMillion, creditPrice); err != nil {
		return dollars, err
	}
	for _, v := range variants {
		rate, err := dollarRate(v.Bucket, v.Price, creditPrice)
		if err != nil {
			return dollars, err
		}
		dollars.Variants = append(dollars.Variants, pricing.VariantPrice{Bucket: v.Bucket, Quality: v.Quality, Size: v.Size, Rate: rate})
	}
	for _, t := range tiers {
		tier := pricing.Tier{AbovePrompt: t.Above}
		if err := fill(&tier.Buckets, t.Prices, creditPrice); err != nil {
			return dollars, err
		}
		dollars.Tiers = append(dollars.Tiers, tier)
	}
	slices.SortFunc(dollars.Tiers, func(a, b pricing.Tier) int { return cmp.Compare(a.AbovePrompt, b.AbovePrompt) })
	if err := dollars.Check(); err != nil {
		field := "variants"
		if len(tiers) > 0 {
			field = "tiers"
		}
		return dollars, hub.Invalid(field, "The prices cannot be used: %v.", err)
	}
	return pricing.FromCost(dollars, "0", creditPrice)
}

func fill(t *pricing.Table, perMillion map[hub.Bucket]string, creditPrice string) error {
	for b, text := range perMillion {
		rate, err := dollarRate(b, text, creditPrice)
		if err != nil {
			return err
		}
		t[b] = pricing.Price{Rate: rate, Set: true}
	}
	return nil
}

func dollarRate(b hub.Bucket, text, creditPrice string) (money.Rate, error) {
	rate, err := money.ParsePerMillion(text)
	if err != nil || rate < 0 {
		return 0, hub.Invalid(b.String(), "The price of %s must be dollars per million units with at most six decimals; %q is not.", b, text)
	}
	if _, err := money.RateFromCost(rate, "0", creditPrice); errors.Is(err, money.ErrOverflow) {
		return 0, hub.Invalid(b.String(), "The price of %s is too large: %q.", b, text)
	}
	return rate, nil
}

func encode(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}
