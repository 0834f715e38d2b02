package pricing

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
)

// variedPrices makes prices with gaps, tiers and variants.
func variedPrices(r *rand.Rand) Prices {
	var p Prices
	fill := func(t *Table, share float64) {
		for b := range t {
			if r.Float64() < share {
				t[b] = Price{Rate: money.Rate(r.Int64N(1 << r.IntN(40))), Set: true}
			}
		}
	}
	fill(&p.Buckets, 0.6)
	above := int64(0)
	for range r.IntN(3) {
		above += 1 + r.Int64N(100_000)
		t := Tier{AbovePrompt: above}
		fill(&t.Buckets, 0.4)
		p.Tiers = append(p.Tiers, t)
	}
	for range r.IntN(4) {
		v := VariantPrice{Bucket: []hub.Bucket{hub.Images, hub.Seconds, hub.Input, hub.Output, hub.CacheRead}[r.IntN(5)], Rate: money.Rate(r.Int64N(1 << 40))}
		v.Quality = []string{"", "hd", "low", "priority"}[r.IntN(4)]
		if v.Size = []string{"", "1024x1024", "720p"}[r.IntN(3)]; v.Quality == "" && v.Size == "" {
			v.Quality = "hd"
		}
		p.Variants = append(p.Variants, v)
	}
	return p
}

func variedUsage(r *rand.Rand) hub.Usage {
	var u hub.Usage
	for b := range u {
		if r.IntN(2) == 0 {
			u[b] = r.Int64N(1 << r.IntN(33))
		}
	}
	return u
}

func TestTheLinesOfABillAddUpToTheCharge(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	priced := 0
	for range 20_000 {
		p, u := variedPrices(r), variedUsage(r)
		quality, size := []string{"", "hd", "low", "auto", "priority", "flex"}[r.IntN(6)], []string{"", "1024x1024", "720p", "8k"}[r.IntN(4)]
		chosen := p.For(quality, size)
		want, err := chosen.Charge(chosen.Measured(u))
		bill, berr := p.Bill(u, quality, size)
		require.Equal(t, err == nil, berr == nil, "%v %v", err, berr)
		if err != nil {
			continue
		}
		priced++
		require.Equal(t, want, bill.Amount)
		sum := new(big.Rat)
		for _, l := range bill.Lines {
			product := new(big.Rat).SetFrac(new(big.Int).Mul(big.NewInt(l.Units), big.NewInt(int64(l.Rate))), big.NewInt(1_000_000_000_000))
			shown, ok := new(big.Rat).SetString(l.Amount.String())
			require.True(t, ok)
			require.Zero(t, product.Cmp(shown), "%s: units × rate is the amount shown", l.Bucket)
			sum.Add(sum, shown)
			if l.Variant != "" {
				b, q, s, ok := ParseKey(l.Variant)
				require.True(t, ok)
				require.Contains(t, p.Variants, VariantPrice{Bucket: b, Quality: q, Size: s, Rate: l.Rate})
			}
		}
		total, _ := new(big.Rat).SetString(bill.Sum.String())
		require.Zero(t, sum.Cmp(total), "the lines add up to the sum")
		rounded, err := bill.Sum.Charge()
		require.NoError(t, err)
		require.Equal(t, want, rounded, "the sum rounded once is the charge")
		shown := hub.Usage{}
		for _, l := range append(bill.Lines, bill.LeftOut...) {
			shown[l.Bucket] += l.Units
		}
		require.Equal(t, u, shown, "every unit is charged or said to be left out")
	}
	assert.Greater(t, priced, 2000, "the test prices something")
}

func TestABillSaysWhichPriceApplied(t *testing.T) {
	t.Parallel()
	var p Prices
	p.Set(hub.Input, 2_000_000)
	p.Set(hub.Output, 10_000_000)
	p.Tiers = []Tier{{AbovePrompt: 1000, Buckets: Table{hub.Output: {Rate: 20_000_000, Set: true}}}}
	p.Variants = []VariantPrice{{Bucket: hub.Images, Quality: "hd", Rate: 80_000_000_000}, {Bucket: hub.Images, Quality: "low", Rate: 10_000_000_000}}

	bill, err := p.Bill(hub.Usage{hub.Input: 1000, hub.CacheRead: 1, hub.Reasoning: 3, hub.Images: 2}, "hd", "1024x1024")
	require.NoError(t, err)
	require.Len(t, bill.Lines, 4)
	assert.Equal(t, hub.Input, bill.Lines[1].From, "cache reads fell back to input")
	assert.Equal(t, int64(1000), bill.Lines[2].Tier)
	assert.Equal(t, hub.Output, bill.Lines[2].From)
	assert.Equal(t, money.Rate(20_000_000), bill.Lines[2].Rate, "the tier's rate")
	assert.Equal(t, "images:hd", bill.Lines[3].Variant)
	assert.Equal(t, "0.16", bill.Lines[3].Amount.String())
	assert.Equal(t, "0.162062", bill.Sum.String())

	bill, err = p.Bill(hub.Usage{hub.Images: 1}, "medium", "")
	require.NoError(t, err)
	assert.Equal(t, "images:hd", bill.Lines[0].Variant, "no variant fits, so the dearest stands in")

	_, err = p.Bill(hub.Usage{hub.Characters: 1, hub.Input: 1}, "", "")
	require.NoError(t, err)
	_, err = (Prices{}).Bill(hub.Usage{hub.Input: 1}, "", "")
	require.ErrorIs(t, err, ErrUnpriced)
}
