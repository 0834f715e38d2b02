package operator

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

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
	Provider  string
	Model     string
	Type      hub.CallType // "" means chatCompletion
	Prices    map[hub.Bucket]string
	Variants  []Variant             // prices of pictures or seconds by quality and size
	Costs     map[hub.Bucket]string // empty: the catalogue's
	Context   int64                 // tokens; 0: the catalogue's
	MaxOutput int64
	Timeouts  routing.Timeouts
}

// Variant prices the pictures or seconds of one quality and size, in dollars
// per million.
type Variant struct {
	Bucket        hub.Bucket
	Quality, Size string // "" fits every one
	Price         string
}

// SetRate creates or replaces a rate. Prices are stored as credits: dollars ÷
// the credit price, exact to the pico-credit.
func (d *Desk) SetRate(ctx context.Context, actor string, n NewRate) (store.Rate, error) {
	if n.Type == "" {
		n.Type = hub.TypeChat
	}
	switch {
	case n.Provider == "" || len(n.Provider) > 64:
		return store.Rate{}, hub.Invalid("provider", "A rate needs the name of its provider.")
	case n.Model == "" || len(n.Model) > 200 || strings.TrimSpace(n.Model) != n.Model:
		return store.Rate{}, hub.Invalid("model", "A rate needs a model name of 1 to 200 characters.")
	case !n.Type.Valid():
		return store.Rate{}, hub.Invalid("type", "The type must be chatCompletion, embedding, imageGeneration, audioGeneration, video, moderation or rerank.")
	case len(n.Prices) == 0 && len(n.Variants) == 0:
		return store.Rate{}, hub.Invalid("input", "A rate needs at least one price.")
	case n.Context < 0:
		return store.Rate{}, hub.Invalid("context", "The context must not be negative.")
	case n.MaxOutput < 0:
		return store.Rate{}, hub.Invalid("max_output", "The output limit must not be negative.")
	}
	prices, err := d.table(n.Prices, n.Variants, d.CreditPrice)
	if err != nil {
		return store.Rate{}, err
	}
	row := store.Rate{Provider: n.Provider, Model: n.Model, Type: n.Type}
	if row.Prices, err = encode(prices); err != nil {
		return row, err
	}
	if len(n.Costs) > 0 {
		costs, err := d.table(n.Costs, nil, "1")
		if err != nil {
			return row, err
		}
		if row.Costs, err = encode(costs); err != nil {
			return row, err
		}
	}
	if row.Metadata, err = encode(routing.RateMetadata{Context: n.Context, MaxOutput: n.MaxOutput, Timeouts: n.Timeouts}); err != nil {
		return row, err
	}
	if row, err = d.Store.SetRate(ctx, row, actor); err != nil {
		return row, err
	}
	return row, d.audit(ctx, actor, "rate.set", n.Provider+"/"+n.Model, nil, map[string]any{"version": row.Version, "prices": json.RawMessage(row.Prices)})
}

func (d *Desk) table(perMillion map[hub.Bucket]string, variants []Variant, creditPrice string) (pricing.Prices, error) {
	var dollars pricing.Prices
	for b, text := range perMillion {
		rate, err := dollarRate(b, text, creditPrice)
		if err != nil {
			return dollars, err
		}
		dollars.Set(b, rate)
	}
	for _, v := range variants {
		rate, err := dollarRate(v.Bucket, v.Price, creditPrice)
		if err != nil {
			return dollars, err
		}
		dollars.Variants = append(dollars.Variants, pricing.VariantPrice{Bucket: v.Bucket, Quality: v.Quality, Size: v.Size, Rate: rate})
	}
	if err := dollars.Check(); err != nil {
		return dollars, hub.Invalid("variants", "The prices cannot be used: %v.", err)
	}
	return pricing.FromCost(dollars, "0", creditPrice)
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
