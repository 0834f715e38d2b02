// Package pricing turns usage and prices into amounts: what a call is charged,
// what is held for it beforehand, and how either comes about line by line. It
// also carries the embedded catalogue of what providers charge and what their
// models can do. It knows no accounts, no database and no provider's wire.
package pricing

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
)

// ErrUnpriced is returned where units were used, or may be used, that have no
// rate; the text names the bucket. It is never free by accident.
var ErrUnpriced = errors.New("no rate")

// Price is the rate of one bucket, per unit. Set tells an explicit 0, which is
// free, from a rate that was never given.
type Price struct {
	Rate money.Rate
	Set  bool
}

// Table holds a price for every bucket.
type Table [hub.NumBuckets]Price

// Tier replaces base prices for a whole call when its prompt is longer than
// AbovePrompt tokens, caches and modalities included (hub.Usage.Prompt).
type Tier struct {
	AbovePrompt int64
	Buckets     Table
}

// Prices is what one model costs, or is sold for, per unit and bucket: a table
// and context tiers, ascending by AbovePrompt. The zero value prices nothing.
//
// The rate of a bucket is the first one set along its fallback chain (see
// Fallback). At each step of the chain the call's tier is asked first, then the
// base; other tiers are never asked. So a tier names only what it changes.
type Prices struct {
	Buckets  Table
	Tiers    []Tier
	Variants []VariantPrice // of pictures and seconds; see For
}

// Fallback returns the bucket whose rate stands in for b's when b has none:
// cache_read → input; cache_write_5m → input; cache_write_1h → cache_write_5m;
// reasoning, output_audio, output_image → output; input_audio, input_image →
// input. Other buckets have none: without a rate, web_searches and requests are
// free, and images, seconds and characters cannot be priced (but see Measured).
func Fallback(b hub.Bucket) (hub.Bucket, bool) {
	switch b {
	case hub.CacheRead, hub.CacheWrite5m, hub.InputAudio, hub.InputImage:
		return hub.Input, true
	case hub.CacheWrite1h:
		return hub.CacheWrite5m, true
	case hub.Reasoning, hub.OutputAudio, hub.OutputImage:
		return hub.Output, true
	}
	return 0, false
}

// optional reports whether a bucket without a rate is free.
func optional(b hub.Bucket) bool { return b == hub.WebSearches || b == hub.Requests }

// Empty reports whether no price is set at all.
func (p *Prices) Empty() bool {
	for _, price := range p.Buckets {
		if price.Set {
			return false
		}
	}
	return len(p.Tiers) == 0 && len(p.Variants) == 0
}

// Set gives bucket b of the base table a rate.
func (p *Prices) Set(b hub.Bucket, rate money.Rate) { p.Buckets[b] = Price{Rate: rate, Set: true} }

// Check reports what makes prices unusable: a negative rate, or tiers that do
// not ascend strictly.
func (p *Prices) Check() error {
	if err := p.Buckets.check(); err != nil {
		return err
	}
	for i := range p.Tiers {
		t := &p.Tiers[i]
		if t.AbovePrompt < 0 {
			return fmt.Errorf("tier above %d: the threshold is negative", t.AbovePrompt)
		}
		if i > 0 && t.AbovePrompt <= p.Tiers[i-1].AbovePrompt {
			return fmt.Errorf("tier above %d: thresholds must ascend", t.AbovePrompt)
		}
		if err := t.Buckets.check(); err != nil {
			return fmt.Errorf("tier above %d: %w", t.AbovePrompt, err)
		}
	}
	for i := range p.Variants {
		if err := p.Variants[i].check(); err != nil {
			return err
		}
	}
	return nil
}

func (t *Table) check() error {
	for b, price := range t {
		if price.Set && price.Rate < 0 {
			return fmt.Errorf("%s: the rate is negative", hub.Bucket(b))
		}
	}
	return nil
}

// tier finds the tier of a call with that many prompt tokens: the one with the
// largest threshold exceeded. It is nil for the base.
func (p *Prices) tier(prompt int64) *Tier {
	var best *Tier
	for i := range p.Tiers {
		t := &p.Tiers[i]
		if prompt > t.AbovePrompt && (best == nil || t.AbovePrompt > best.AbovePrompt) {
			best = t
		}
	}
	return best
}

// rate follows the chain of b within a tier (nil: the base). from is the bucket
// whose rate was found.
func (p *Prices) rate(b hub.Bucket, t *Tier) (rate money.Rate, from hub.Bucket, ok bool) {
	for from = b; ; {
		if t != nil && t.Buckets[from].Set {
			return t.Buckets[from].Rate, from, true
		}
		if p.Buckets[from].Set {
			return p.Buckets[from].Rate, from, true
		}
		next, more := Fallback(from)
		if !more {
			return 0, b, optional(b)
		}
		from = next
	}
}

// Rate returns what one unit of b costs in a call with that many prompt tokens.
// ok is false where b cannot be priced.
func (p *Prices) Rate(b hub.Bucket, prompt int64) (rate money.Rate, ok bool) {
	rate, _, ok = p.rate(b, p.tier(prompt))
	return rate, ok
}

// Charge prices usage: the sum over the buckets in 128 bits, rounded half up
// once to nano-credits. It fails with ErrUnpriced when a used bucket has no
// rate, and with money.ErrOverflow for counts that are negative or out of range.
func (p *Prices) Charge(u hub.Usage) (money.Credits, error) {
	prompt, err := total(&u, inputSide[:])
	if err != nil {
		return 0, err
	}
	tier := p.tier(prompt)
	var sum money.Sum
	for b, units := range u {
		if units == 0 {
			continue
		}
		rate, _, ok := p.rate(hub.Bucket(b), tier)
		if !ok {
			return 0, unpriced(hub.Bucket(b))
		}
		if err := sum.Add(units, rate); err != nil {
			return 0, fmt.Errorf("%s: %w", hub.Bucket(b), err)
		}
	}
	return sum.Charge()
}

// total adds the units of some buckets; counts that are negative or do not fit
// are errors, since a sum that wraps would pick the wrong tier.
func total(u *hub.Usage, side []hub.Bucket) (int64, error) {
	var n int64
	for _, b := range side {
		if u[b] < 0 || u[b] > math.MaxInt64-n {
			return 0, fmt.Errorf("%s: %d units: %w", b, u[b], money.ErrOverflow)
		}
		n += u[b]
	}
	return n, nil
}

func unpriced(b hub.Bucket) error { return fmt.Errorf("%s: %w", b, ErrUnpriced) }

// Line explains one bucket of a charge: Units × Rate.
type Line struct {
	Bucket hub.Bucket
	Units  int64
	Rate   money.Rate // per unit
	From   hub.Bucket // the bucket whose rate was used; Bucket itself without a fallback
	Tier   int64      // the threshold of the call's tier, 0 for the base
	Priced bool       // false: the bucket has no rate and Charge fails
}

// Explain lists the used buckets of u in their order, as Charge prices them.
// Counts that Charge refuses are listed as they are.
func (p *Prices) Explain(u hub.Usage) []Line {
	var tier *Tier
	if n, err := total(&u, inputSide[:]); err == nil {
		tier = p.tier(n)
	}
	var above int64
	if tier != nil {
		above = tier.AbovePrompt
	}
	var lines []Line
	for b, units := range u {
		if units == 0 {
			continue
		}
		rate, from, ok := p.rate(hub.Bucket(b), tier)
		lines = append(lines, Line{
			Bucket: hub.Bucket(b), Units: units, Rate: rate, From: from, Tier: above, Priced: ok,
		})
	}
	return lines
}

// FromCost makes rates (pico-credits) of costs (pico-dollars): each set price ×
// (1 + margin ÷ 100) ÷ creditPrice, rounded half up to a pico-credit. Margin is
// a percentage such as "20", creditPrice dollars per credit. Prices that are not
// set stay unset, so both fall back along the same chain.
func FromCost(cost Prices, margin, creditPrice string) (Prices, error) {
	out := Prices{Tiers: slices.Clone(cost.Tiers), Variants: slices.Clone(cost.Variants)}
	if err := fromCost(&out.Buckets, &cost.Buckets, margin, creditPrice); err != nil {
		return Prices{}, err
	}
	for i := range out.Tiers {
		if err := fromCost(&out.Tiers[i].Buckets, &cost.Tiers[i].Buckets, margin, creditPrice); err != nil {
			return Prices{}, err
		}
	}
	for i := range out.Variants {
		v := &out.Variants[i]
		rate, err := money.RateFromCost(v.Rate, margin, creditPrice)
		if err != nil {
			return Prices{}, fmt.Errorf("%s: %w", v.Bucket, err)
		}
		v.Rate = rate
	}
	return out, nil
}

func fromCost(dst, cost *Table, margin, creditPrice string) error {
	for b, price := range cost {
		if !price.Set {
			continue
		}
		rate, err := money.RateFromCost(price.Rate, margin, creditPrice)
		if err != nil {
			return fmt.Errorf("%s: %w", hub.Bucket(b), err)
		}
		dst[b] = Price{Rate: rate, Set: true}
	}
	return nil
}
