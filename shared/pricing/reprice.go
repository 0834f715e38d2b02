package pricing

import (
	"cmp"
	"slices"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// otherMeasure is why prices cannot be computed from costs.
const otherMeasure = "priced by another measure than its cost: by pieces, seconds or characters here, by tokens there"

// Reprice is FromCost for a model that has prices already. What they ask for use
// that has no cost (a fee per search or request) stays. Where they charge by
// pieces, seconds or characters what the costs count in tokens, or the reverse,
// nothing can be computed and why says so: both together would charge the same
// work twice.
func Reprice(old, cost Prices, margin, creditPrice string) (made Prices, why string, err error) {
	if made, err = FromCost(cost, margin, creditPrice); err != nil {
		return Prices{}, "", err
	}
	for _, b := range units {
		asked := old.priced(b) || old.variantPriced(b)
		costs := cost.priced(b) || cost.variantPriced(b)
		if asked && !costs {
			return Prices{}, otherMeasure, nil
		}
	}
	for _, b := range []hub.Bucket{hub.WebSearches, hub.Requests} {
		if old.Buckets[b].Set && !cost.Buckets[b].Set {
			made.Buckets[b] = old.Buckets[b]
		}
	}
	return made, "", nil
}

// Merge puts the rates that b names into a: places that b does not name stay.
func Merge(a, b Prices) Prices {
	out := Prices{Buckets: a.Buckets, Tiers: slices.Clone(a.Tiers), Variants: slices.Clone(a.Variants)}
	out.Buckets.take(&b.Buckets)
	for i := range b.Tiers {
		k := slices.IndexFunc(out.Tiers, func(t Tier) bool { return t.AbovePrompt == b.Tiers[i].AbovePrompt })
		if k < 0 {
			out.Tiers = append(out.Tiers, b.Tiers[i])
			continue
		}
		out.Tiers[k].Buckets.take(&b.Tiers[i].Buckets)
	}
	slices.SortFunc(out.Tiers, func(x, y Tier) int { return cmp.Compare(x.AbovePrompt, y.AbovePrompt) })
	for _, v := range b.Variants {
		k := slices.IndexFunc(out.Variants, func(o VariantPrice) bool { return o.Key() == v.Key() })
		if k < 0 {
			out.Variants = append(out.Variants, v)
			continue
		}
		out.Variants[k] = v
	}
	return out
}

func (t *Table) take(from *Table) {
	for b, price := range from {
		if price.Set {
			t[b] = price
		}
	}
}
