package pricing

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
)

// A Place is one place of Prices where a rate stands: a bucket of the base, of a
// tier, or a variant. Places can be compared.
type Place struct {
	Bucket        hub.Bucket
	Above         int64 // the tier's threshold; -1 for the base
	Quality, Size string
}

// String is how people write it, such as input, input>200000 or images:hd:1024x1792.
func (p Place) String() string {
	key := (&VariantPrice{Bucket: p.Bucket, Quality: p.Quality, Size: p.Size}).Key()
	if p.Above >= 0 {
		key += fmt.Sprintf(">%d", p.Above)
	}
	return key
}

func (p Place) less(o Place) int {
	return cmp.Or(cmp.Compare(p.Above, o.Above), cmp.Compare(p.Bucket, o.Bucket), cmp.Compare(p.Quality, o.Quality), cmp.Compare(p.Size, o.Size))
}

// Places maps every place that has a rate of its own to it.
func (p *Prices) Places() map[Place]money.Rate {
	out := map[Place]money.Rate{}
	add := func(t *Table, above int64) {
		for b, price := range t {
			if price.Set {
				out[Place{Bucket: hub.Bucket(b), Above: above}] = price.Rate
			}
		}
	}
	add(&p.Buckets, -1)
	for i := range p.Tiers {
		add(&p.Tiers[i].Buckets, p.Tiers[i].AbovePrompt)
	}
	for _, v := range p.Variants {
		out[Place{Bucket: v.Bucket, Above: -1, Quality: v.Quality, Size: v.Size}] = v.Rate
	}
	return out
}

// Difference is a place where two prices differ. A rate that is not there is nil.
type Difference struct {
	Place    Place
	Old, New *money.Rate
}

// Diff lists where two prices differ by more than tolerance, a share of the larger
// in hundredths of a percent, ordered by tier and bucket. A rate beside none
// always differs, unless what stands in for it by fallback is the same: then
// nobody pays anything else.
func Diff(old, now *Prices, tolerance int64) []Difference {
	a, b := old.Places(), now.Places()
	var out []Difference
	for place := range union(a, b) {
		x, inOld := a[place]
		y, inNew := b[place]
		switch {
		case inOld && inNew && !apart(x, y, tolerance):
			continue
		case inOld != inNew && place.Quality == "" && place.Size == "":
			if x, okX := old.at(place); okX {
				if y, okY := now.at(place); okY && !apart(x, y, tolerance) {
					continue
				}
			}
		}
		d := Difference{Place: place}
		if inOld {
			d.Old = &x
		}
		if inNew {
			d.New = &y
		}
		out = append(out, d)
	}
	slices.SortFunc(out, func(x, y Difference) int { return x.Place.less(y.Place) })
	return out
}

// Drift is Diff without the services that old does not name: what nobody noted has
// not drifted.
func Drift(old, now *Prices, tolerance int64) []Difference {
	known := *now
	known.Variants = slices.DeleteFunc(slices.Clone(now.Variants), func(v VariantPrice) bool { return isToken(v.Bucket) && !old.names(v.Quality) })
	return Diff(old, &known, tolerance)
}

func union(a, b map[Place]money.Rate) map[Place]bool {
	out := make(map[Place]bool, len(a)+len(b))
	for p := range a {
		out[p] = true
	}
	for p := range b {
		out[p] = true
	}
	return out
}

// at is the rate that a call pays in a place, with fallbacks.
func (p *Prices) at(place Place) (money.Rate, bool) {
	if place.Quality != "" || place.Size != "" {
		prices := p.For(place.Quality, place.Size)
		return prices.Rate(place.Bucket, 0)
	}
	return p.Rate(place.Bucket, place.Above+1)
}

// apart reports whether two rates differ by more than tolerance/10000 of the larger.
func apart(x, y money.Rate, tolerance int64) bool {
	if x == y {
		return false
	}
	d, most := uint64(max(x, y)-min(x, y)), uint64(max(x, y))
	dh, dl := bits.Mul64(d, 10_000)
	mh, ml := bits.Mul64(most, uint64(max(tolerance, 0)))
	return dh > mh || (dh == mh && dl > ml)
}

// Shortage is a place where a price does not cover the cost.
type Shortage struct {
	Place Place
	Price money.Rate // credits per unit that a call pays there
	Cost  money.Rate // dollars per unit that it costs there
	Least money.Rate // the price that would just cover it
	// Unpriced: nothing is asked there at all, since no rate stands for the bucket.
	Unpriced bool
}

// Shortages lists where prices (credits) are below cost (dollars) at a credit
// price in dollars: in every bucket, tier and variant that either of them names,
// each with its fallbacks, as a call would be charged. Work that the prices count
// in another measure than the costs (pictures by the piece, which cost by tokens)
// cannot be compared place by place and is left out.
func Shortages(prices, cost *Prices, creditPrice string) ([]Shortage, error) {
	named := union(prices.Places(), cost.Places())
	found := map[Place]Shortage{}
	for place := range crossed(named) {
		c, known := cost.at(place)
		if !known || c == 0 {
			continue
		}
		if isToken(place.Bucket) && place.Quality != "" && !prices.names(place.Quality) {
			continue // refused where it is dearer, see Serves
		}
		p, priced := prices.at(place)
		if !priced && !prices.comparable(place.Bucket) {
			continue
		}
		least, err := money.RateFromCost(c, "0", creditPrice)
		if err != nil {
			return nil, err
		}
		if p < least || !priced {
			free := optional(place.Bucket) && !prices.Buckets[place.Bucket].Set
			found[place] = Shortage{Place: place, Price: p, Cost: c, Least: least, Unpriced: !priced || free}
		}
	}
	out := make([]Shortage, 0, len(found))
	for place, s := range found {
		base := found[Place{Bucket: place.Bucket, Above: -1}]
		if place.Above >= 0 && !named[place] && base.Price == s.Price && base.Cost == s.Cost {
			continue // a tier that changes nothing here
		}
		out = append(out, s)
	}
	slices.SortFunc(out, func(x, y Shortage) int { return x.Place.less(y.Place) })
	return out, nil
}

// crossed adds to places every bucket in every tier: a tier of one side changes
// what falls back to it on the other.
func crossed(named map[Place]bool) map[Place]bool {
	out := make(map[Place]bool, len(named))
	for p := range named {
		out[p] = true
		if p.Quality != "" || p.Size != "" {
			continue
		}
		for tier := range named {
			out[Place{Bucket: p.Bucket, Above: tier.Above}] = true
		}
	}
	return out
}

// comparable reports whether a bucket that has a cost and no price would really
// be used without a charge: not where Measured leaves it out because the same work
// is paid by another measure.
func (p *Prices) comparable(b hub.Bucket) bool {
	if optional(b) {
		return true
	}
	var byUnit, byToken bool
	for i := range p.Buckets {
		bucket := hub.Bucket(i)
		if !p.priced(bucket) && !p.variantPriced(bucket) {
			continue
		}
		byUnit = byUnit || isUnit(bucket)
		byToken = byToken || isToken(bucket)
	}
	if p.Buckets[hub.Requests].Set {
		byUnit = true
	}
	return (!isToken(b) || !byUnit) && (!isUnit(b) || !byToken)
}

func (p *Prices) variantPriced(b hub.Bucket) bool {
	return slices.ContainsFunc(p.Variants, func(v VariantPrice) bool { return v.Bucket == b })
}
