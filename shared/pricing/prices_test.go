package pricing

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
)

func parsePrices(t *testing.T, text string) Prices {
	t.Helper()
	var p Prices
	require.NoError(t, p.UnmarshalJSON([]byte(text)))
	return p
}

func TestChargeFollowsTheFallbackChains(t *testing.T) {
	t.Parallel()
	const base = `{"input":"0.001","output":"0.01"}`
	tests := []struct {
		name   string
		prices string
		usage  hub.Usage
		want   string
	}{
		{"nothing used costs nothing", base, hub.Usage{}, "0"},
		{"nothing used costs nothing without prices", `{}`, hub.Usage{}, "0"},
		{"cache reads without a rate cost input", base, hub.Usage{hub.CacheRead: 2}, "0.002"},
		{"five-minute writes without a rate cost input", base, hub.Usage{hub.CacheWrite5m: 2}, "0.002"},
		{"one-hour writes without rates cost input", base, hub.Usage{hub.CacheWrite1h: 2}, "0.002"},
		{"one-hour writes fall back to five-minute writes first",
			`{"input":"0.001","cache_write_5m":"0.003"}`, hub.Usage{hub.CacheWrite1h: 2}, "0.006"},
		{"thinking without a rate costs output", base, hub.Usage{hub.Reasoning: 3}, "0.03"},
		{"audio and pictures cost the tokens of their side", base,
			hub.Usage{hub.InputAudio: 1, hub.OutputAudio: 1, hub.InputImage: 1, hub.OutputImage: 1}, "0.022"},
		{"an explicit zero is free and does not fall back",
			`{"input":"0.001","cache_read":"0"}`, hub.Usage{hub.CacheRead: 1000}, "0"},
		{"searches and requests are free without a rate", `{}`, hub.Usage{hub.WebSearches: 3, hub.Requests: 1}, "0"},
		{"searches and requests cost their fees",
			`{"web_searches":"0.01","requests":"0.5"}`, hub.Usage{hub.WebSearches: 3, hub.Requests: 1}, "0.53"},
		{"half a nano is rounded up", `{"input":"0.0000000005"}`, hub.Usage{hub.Input: 1}, "0.000000001"},
		{"less than half a nano is rounded down", `{"input":"0.000000000499"}`, hub.Usage{hub.Input: 1}, "0"},
		{"rounding happens once, over the sum",
			`{"input":"0.0000000004","output":"0.0000000004"}`, hub.Usage{hub.Input: 1, hub.Output: 1}, "0.000000001"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := parsePrices(t, tt.prices)
			got, err := p.Charge(tt.usage)
			require.NoError(t, err)
			assert.Equal(t, tt.want, got.String())
		})
	}
}

func TestTiersReplaceThePriceOfTheWholeCall(t *testing.T) {
	t.Parallel()
	p := parsePrices(t, `{"input":"1","cache_read":"0.5","output":"10","tiers":[
		{"above":1000,"input":"3","output":"30"},{"above":100,"input":"2","output":"20","reasoning":"25"}]}`)
	tests := []struct {
		name  string
		usage hub.Usage
		want  string
	}{
		{"a prompt at the threshold pays the base", hub.Usage{hub.Input: 100, hub.Output: 1}, "110"},
		{"a prompt above it pays the tier for every token", hub.Usage{hub.Input: 101, hub.Output: 1}, "222"},
		{"cached tokens count towards the threshold", hub.Usage{hub.Input: 1, hub.CacheRead: 100}, "52"},
		{"generated tokens do not", hub.Usage{hub.Input: 1, hub.Output: 5000}, "50001"},
		{"the largest threshold exceeded wins", hub.Usage{hub.Input: 1001, hub.Output: 1}, "3033"},
		{"a bucket the tier does not name keeps its base rate", hub.Usage{hub.CacheRead: 1001}, "500.5"},
		{"a tier does not inherit from a lower one", hub.Usage{hub.Input: 1001, hub.Reasoning: 1}, "3033"},
		{"a bucket neither names falls back within the tier", hub.Usage{hub.InputAudio: 101}, "202"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := p.Charge(tt.usage)
			require.NoError(t, err)
			assert.Equal(t, tt.want, got.String())
		})
	}
}

func TestChargeRefusesWhatItCannotPrice(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		prices string
		usage  hub.Usage
		want   error
	}{
		{"tokens without any rate", `{}`, hub.Usage{hub.Input: 1}, ErrUnpriced},
		{"thinking where only input has a rate", `{"input":"1"}`, hub.Usage{hub.Reasoning: 1}, ErrUnpriced},
		{"pictures without a rate", `{"input":"1","output":"1"}`, hub.Usage{hub.Images: 1}, ErrUnpriced},
		{"seconds without a rate", `{"input":"1","output":"1"}`, hub.Usage{hub.Seconds: 1}, ErrUnpriced},
		{"characters without a rate", `{"input":"1","output":"1"}`, hub.Usage{hub.Characters: 1}, ErrUnpriced},
		{"a negative count", `{"input":"1"}`, hub.Usage{hub.Input: -1}, money.ErrOverflow},
		{"a negative count beyond the prompt", `{"output":"1"}`, hub.Usage{hub.Output: -1}, money.ErrOverflow},
		{"a prompt beyond 64 bits", `{"input":"0"}`, hub.Usage{hub.Input: math.MaxInt64, hub.CacheRead: 1}, money.ErrOverflow},
		{"an amount beyond 64 bits", `{"input":"1000000"}`, hub.Usage{hub.Input: math.MaxInt64}, money.ErrOverflow},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := parsePrices(t, tt.prices)
			_, err := p.Charge(tt.usage)
			require.ErrorIs(t, err, tt.want)
		})
	}
}

func TestExplainNamesBucketRateAndTier(t *testing.T) {
	t.Parallel()
	p := parsePrices(t, `{"input":"1","output":"10","tiers":[{"above":100,"input":"2"}]}`)
	assert.Empty(t, p.Explain(hub.Usage{}))
	got := p.Explain(hub.Usage{hub.Input: 100, hub.CacheRead: 1, hub.Reasoning: 5, hub.Images: 2})
	assert.Equal(t, []Line{
		{Bucket: hub.Input, Units: 100, Rate: 2_000_000_000_000, From: hub.Input, Tier: 100, Priced: true},
		{Bucket: hub.CacheRead, Units: 1, Rate: 2_000_000_000_000, From: hub.Input, Tier: 100, Priced: true},
		{Bucket: hub.Reasoning, Units: 5, Rate: 10_000_000_000_000, From: hub.Output, Tier: 100, Priced: true},
		{Bucket: hub.Images, Units: 2, From: hub.Images, Tier: 100},
	}, got)
}

func TestFromCostAddsTheMarginToEveryPrice(t *testing.T) {
	t.Parallel()
	cost := parsePrices(t, `{"input":"0.000003","cache_read":"0","tiers":[{"above":200000,"input":"0.000006"}]}`)
	rates, err := FromCost(cost, "20", "0.5")
	require.NoError(t, err)
	text, err := rates.MarshalJSON()
	require.NoError(t, err)
	assert.JSONEq(t, `{"input":"0.0000072","cache_read":"0","tiers":[{"above":200000,"input":"0.0000144"}]}`, string(text))
	assert.Equal(t, "0.000006", cost.Tiers[0].Buckets[hub.Input].Rate.String(), "the cost is left as it was")

	_, err = FromCost(cost, "much", "1")
	require.Error(t, err)
	_, err = FromCost(cost, "20", "0")
	require.Error(t, err)
}

func TestRateAndEmptyTellWhatIsPriced(t *testing.T) {
	t.Parallel()
	var p Prices
	assert.True(t, p.Empty())
	_, ok := p.Rate(hub.Input, 0)
	assert.False(t, ok)
	p.Set(hub.Input, 7)
	assert.False(t, p.Empty())
	rate, ok := p.Rate(hub.CacheWrite1h, 10)
	assert.True(t, ok)
	assert.Equal(t, money.Rate(7), rate)
}

// randomPrices has a base for each side, any other bucket by chance, and up to
// three tiers.
func randomPrices(r *rand.Rand) Prices {
	var p Prices
	table := func(dst *Table, chance float64) {
		for b := range dst {
			if r.Float64() < chance {
				dst[b] = Price{Rate: money.Rate(r.Int64N(1 << r.IntN(40))), Set: true}
			}
		}
	}
	table(&p.Buckets, 0.5)
	for _, b := range []hub.Bucket{hub.Input, hub.Output, hub.Images, hub.Seconds, hub.Characters} {
		p.Set(b, money.Rate(r.Int64N(1<<40)))
	}
	above := int64(0)
	for range r.IntN(4) {
		above += 1 + r.Int64N(500)
		t := Tier{AbovePrompt: above}
		table(&t.Buckets, 0.4)
		p.Tiers = append(p.Tiers, t)
	}
	return p
}

func randomUsage(r *rand.Rand) hub.Usage {
	var u hub.Usage
	for b := range u {
		if r.IntN(2) == 0 {
			u[b] = r.Int64N(1 << r.IntN(12))
		}
	}
	return u
}

// chargeReference prices usage with big integers and a chain of its own.
func chargeReference(p *Prices, u hub.Usage) *big.Int {
	chains := map[hub.Bucket][]hub.Bucket{
		hub.CacheRead:    {hub.CacheRead, hub.Input},
		hub.CacheWrite5m: {hub.CacheWrite5m, hub.Input},
		hub.CacheWrite1h: {hub.CacheWrite1h, hub.CacheWrite5m, hub.Input},
		hub.Reasoning:    {hub.Reasoning, hub.Output},
		hub.InputAudio:   {hub.InputAudio, hub.Input},
		hub.OutputAudio:  {hub.OutputAudio, hub.Output},
		hub.InputImage:   {hub.InputImage, hub.Input},
		hub.OutputImage:  {hub.OutputImage, hub.Output},
	}
	var tables []*Table
	for i := range p.Tiers {
		if u.Prompt() > p.Tiers[i].AbovePrompt {
			tables = []*Table{&p.Tiers[i].Buckets}
		}
	}
	tables = append(tables, &p.Buckets)
	sum := new(big.Int)
	for b, units := range u {
		chain, ok := chains[hub.Bucket(b)]
		if !ok {
			chain = []hub.Bucket{hub.Bucket(b)}
		}
		rate := func() money.Rate {
			for _, c := range chain {
				for _, table := range tables {
					if table[c].Set {
						return table[c].Rate
					}
				}
			}
			return 0
		}()
		sum.Add(sum, new(big.Int).Mul(big.NewInt(units), big.NewInt(int64(rate))))
	}
	return sum.Div(sum.Add(sum, big.NewInt(500)), big.NewInt(1000))
}

func TestChargeEqualsBigIntegers(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		p, u := randomPrices(r), randomUsage(r)
		got, err := p.Charge(u)
		require.NoError(t, err)
		require.Equal(t, chargeReference(&p, u).String(), big.NewInt(int64(got)).String(), "%+v %v", p, u)
	}
}

func TestHoldCoversEveryChargeWithinItsBound(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		p, u := randomPrices(r), randomUsage(r)
		u[hub.Requests] = min(u[hub.Requests], 1)
		n := 1 + r.Int64N(4)
		b := Bound{
			Input: u.Prompt() + r.Int64N(300), Output: (u.Completion()+n-1)/n + r.Int64N(100), N: n,
			Images: u[hub.Images], Seconds: u[hub.Seconds], Characters: u[hub.Characters], WebSearches: u[hub.WebSearches],
		}
		for bucket := range b.Never {
			b.Never[bucket] = u[bucket] == 0 && r.IntN(3) == 0
		}
		require.True(t, b.Covers(&u))
		charge, err := p.Charge(u)
		require.NoError(t, err)
		hold, err := p.Hold(b)
		require.NoError(t, err)
		require.GreaterOrEqual(t, hold, charge, "%+v %v %+v", p, u, b)
	}
}

func TestChargeAndHoldGrowWithEveryBucket(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	for range 5_000 {
		p, u := randomPrices(r), randomUsage(r)
		// A tier that is cheaper than the base is a vendor's own affair; growth is
		// promised within one tier.
		p.Tiers = nil
		before, err := p.Charge(u)
		require.NoError(t, err)
		for b := range u {
			more := u
			more[b] += 1 + r.Int64N(1000)
			after, err := p.Charge(more)
			require.NoError(t, err)
			require.GreaterOrEqual(t, after, before, hub.Bucket(b))
		}
	}
	for range 5_000 {
		p := randomPrices(r)
		b := Bound{Input: r.Int64N(2000), Output: r.Int64N(2000), N: 1 + r.Int64N(3), Images: r.Int64N(5)}
		before, err := p.Hold(b)
		require.NoError(t, err)
		wider := b
		wider.Input += r.Int64N(500)
		wider.Output += r.Int64N(500)
		wider.N += r.Int64N(2)
		wider.WebSearches += r.Int64N(3)
		after, err := p.Hold(wider)
		require.NoError(t, err)
		require.GreaterOrEqual(t, after, before)
	}
}

func BenchmarkCharge(b *testing.B) {
	var p Prices
	if err := p.UnmarshalJSON([]byte(`{"input":"0.000003","cache_read":"0.0000003","output":"0.000015","tiers":[{"above":200000,"input":"0.000006"}]}`)); err != nil {
		b.Fatal(err)
	}
	u := hub.Usage{hub.Input: 1000, hub.CacheRead: 5000, hub.Output: 300}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Charge(u); err != nil {
			b.Fatal(err)
		}
	}
}
