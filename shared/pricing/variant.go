package pricing

import (
	"errors"
	"slices"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
)

// VariantPrice is the rate of pictures or seconds of one quality and size, where
// those decide the price; an empty Quality or Size fits every one. For tokens
// Quality is a service tier (see Services) and Size is empty.
type VariantPrice struct {
	Bucket  hub.Bucket
	Quality string
	Size    string
	Rate    money.Rate
}

// Key is how people write what is priced: the bucket, and behind colons the
// quality and the size where they decide, such as images:hd:1024x1792 or
// seconds::1080p.
func (v *VariantPrice) Key() string {
	return strings.TrimRight(v.Bucket.String()+":"+v.Quality+":"+v.Size, ":")
}

// ParseKey reads what Key wrote.
func ParseKey(key string) (b hub.Bucket, quality, size string, ok bool) {
	parts := strings.Split(key, ":")
	if b, ok = hub.ParseBucket(parts[0]); !ok || len(parts) > 3 {
		return b, "", "", false
	}
	parts = append(parts, "", "")
	return b, parts[1], parts[2], true
}

// Services are the tiers of service at which vendors sell the same tokens at other
// prices.
func Services() []string { return []string{"batch", "flex", "priority"} }

func isService(name string) bool { return slices.Contains(Services(), strings.ToLower(name)) }

// anyVariant are words of callers that leave the choice to the model.
const anyVariant = "auto"

// For returns the prices of one variant: the rate that fits it best, quality and
// size before quality before size, takes the bucket's place. Without a fitting
// one the bucket's own rate stays; a variant that has neither, because only
// others are priced, costs the dearest of them.
func (p Prices) For(quality, size string) Prices { return p.pick(quality, size, false) }

// Dearest returns the prices that no variant which fits what is known can
// exceed: unknown or "auto" fits all.
func (p Prices) Dearest(quality, size string) Prices { return p.pick(quality, size, true) }

func (p Prices) pick(quality, size string, dearest bool) Prices {
	if len(p.Variants) == 0 {
		return p
	}
	out := p
	out.Variants = nil
	for _, b := range []hub.Bucket{hub.Images, hub.Seconds} {
		if price, ok := p.variant(b, quality, size, dearest); ok {
			out.Buckets[b] = price
		}
	}
	if isService(quality) {
		out.serve(p.Variants, quality, dearest)
	}
	return out
}

// serve puts the prices of a service in place of the usual ones; with dearest, only
// where they are higher, since the vendor may fall back to the usual service. The
// service's prices hold for prompts of every length: tiers of the buckets that it
// names are dropped.
func (p *Prices) serve(variants []VariantPrice, service string, dearest bool) {
	usual := *p
	tiers := slices.Clone(p.Tiers)
	for _, v := range variants {
		if !isToken(v.Bucket) || !strings.EqualFold(v.Quality, service) {
			continue
		}
		if rate, _, ok := usual.rate(v.Bucket, nil); ok && dearest && rate > v.Rate {
			continue
		}
		p.Buckets[v.Bucket] = Price{Rate: v.Rate, Set: true}
		for i := range tiers {
			if !dearest {
				tiers[i].Buckets[v.Bucket] = Price{}
			}
		}
	}
	p.Tiers = tiers
}

// Serves reports whether these prices tell what a service costs: they name it, or
// it costs no more than the usual one, or that is not known. cost may be nil.
func (p *Prices) Serves(service string, cost *Prices) bool {
	if !isService(service) || p.names(service) || cost == nil || !cost.names(service) {
		return true
	}
	asked := cost.For(service, "")
	for _, b := range []hub.Bucket{hub.Input, hub.Output} {
		dear, _ := asked.Rate(b, 0)
		if usual, ok := cost.Rate(b, 0); ok && dear > usual {
			return false
		}
	}
	return true
}

func (p *Prices) names(service string) bool {
	return slices.ContainsFunc(p.Variants, func(v VariantPrice) bool { return isToken(v.Bucket) && strings.EqualFold(v.Quality, service) })
}

func (p *Prices) variant(b hub.Bucket, quality, size string, dearest bool) (Price, bool) {
	best, most := Price{}, p.Buckets[b]
	score, found := 0, false
	for _, v := range p.Variants {
		if v.Bucket != b {
			continue
		}
		fits, n := v.fits(quality, size, dearest)
		if !most.Set || v.Rate > most.Rate {
			if fits || !dearest {
				most = Price{Rate: v.Rate, Set: true}
			}
		}
		if fits && n > score {
			best, score, found = Price{Rate: v.Rate, Set: true}, n, true
		}
	}
	switch {
	case dearest:
		return most, most.Set
	case found:
		return best, true
	case p.Buckets[b].Set:
		return p.Buckets[b], true
	}
	return most, most.Set
}

// fits tells how well a variant is met: 3 for quality and size, 2 for quality, 1
// for size. With open, what is not known fits everything.
func (v *VariantPrice) fits(quality, size string, open bool) (bool, int) {
	n := 1
	for i, pair := range [2][2]string{{v.Size, size}, {v.Quality, quality}} {
		want, got := pair[0], pair[1]
		switch {
		case want == "":
		case strings.EqualFold(want, got):
			n += i + 1
		case open && (got == "" || strings.EqualFold(got, anyVariant)):
		default:
			return false, 0
		}
	}
	return true, n
}

func (v *VariantPrice) check() error {
	switch {
	case isToken(v.Bucket) && isService(v.Quality) && v.Size == "":
	case v.Bucket != hub.Images && v.Bucket != hub.Seconds:
		return errors.New("variants: only images and seconds have them; tokens have batch, flex and priority")
	case v.Quality == "" && v.Size == "":
		return errors.New("variants: a quality or a size is needed")
	}
	if v.Rate < 0 {
		return errors.New("variants: the rate is negative")
	}
	return nil
}
