package money

import (
	"encoding/json"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// seed keeps the random cases the same from run to run.
func seed() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

func TestCreditsAreReadExactly(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]Credits{
		"0": 0, "-0": 0, "1": Credit, "12.5": 12_500_000_000, "-0.000000001": -1, "007": 7 * Credit,
		"0.1": 100_000_000, "3.140000000000000000": 3_140_000_000,
		"9223372036.854775807": math.MaxInt64, "-9223372036.854775808": math.MinInt64,
	} {
		got, err := ParseCredits(in)
		require.NoError(t, err, in)
		assert.Equal(t, want, got, in)
	}
}

func TestWhatIsNoDecimalIsRefused(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{
		"nothing": "", "a sign alone": "-", "a plus": "+1", "two signs": "--1", "no digit before the point": ".5",
		"no digit after the point": "1.", "a point alone": ".", "two points": "1.2.3", "an exponent": "1e3",
		"a sign within": "1.-5", "a comma": "1,5", "a blank": " 1", "a line break": "1\n", "hexadecimal": "0x10",
		"a fraction": "1/3", "an underscore": "1_000", "infinity": "Inf", "not a number": "NaN", "foreign digits": "١",
		"a tenth decimal": "0.0000000001", "too large": "9223372036.854775808", "too small": "-9223372036.854775809",
		"far too large": strings.Repeat("9", 60), "endless": strings.Repeat("0", 65),
	} {
		_, err := ParseCredits(in)
		require.Error(t, err, name)
	}
	_, err := ParseCredits("9223372036.854775808")
	require.ErrorIs(t, err, ErrOverflow)
}

func TestEachKindHasItsOwnPrecision(t *testing.T) {
	t.Parallel()
	r, err := ParseRate("0.000003")
	require.NoError(t, err)
	assert.Equal(t, Rate(3_000_000), r)
	p, err := ParsePerMillion("3")
	require.NoError(t, err)
	assert.Equal(t, r, p, "three per million is 0.000003 each")
	assert.Equal(t, "3", p.PerMillion())
	assert.Equal(t, "0.000003", p.String())
	_, err = ParseRate("0.0000000000001")
	require.Error(t, err)
	_, err = ParsePerMillion("0.0000001")
	require.Error(t, err)
	p, err = ParsePerMillion("0.000001")
	require.NoError(t, err)
	assert.Equal(t, Rate(1), p)
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	t.Parallel()
	rnd := seed()
	values := []int64{0, 1, -1, 999_999_999, 1_000_000_000, math.MaxInt64, math.MinInt64}
	for range 5000 {
		values = append(values, int64(rnd.Uint64())>>rnd.IntN(64))
	}
	for _, n := range values {
		c, err := ParseCredits(Credits(n).String())
		require.NoError(t, err, n)
		require.Equal(t, Credits(n), c)
		r, err := ParseRate(Rate(n).String())
		require.NoError(t, err, n)
		require.Equal(t, Rate(n), r)
		r, err = ParsePerMillion(Rate(n).PerMillion())
		require.NoError(t, err, n)
		require.Equal(t, Rate(n), r)
	}
	for want, c := range map[string]Credits{"0": 0, "1": Credit, "-1.5": -Credit * 3 / 2, "0.000000001": 1, "10": 10 * Credit} {
		assert.Equal(t, want, c.String(), "the shortest form")
	}
}

func TestAmountsTravelInJSONAsStrings(t *testing.T) {
	t.Parallel()
	type row struct {
		Amount Credits `json:"amount"`
		Rate   Rate    `json:"rate"`
	}
	b, err := json.Marshal(row{Amount: math.MaxInt64, Rate: 1})
	require.NoError(t, err)
	assert.JSONEq(t, `{"amount":"9223372036.854775807","rate":"0.000000000001"}`, string(b))
	var back row
	require.NoError(t, json.Unmarshal(b, &back))
	assert.Equal(t, row{Amount: math.MaxInt64, Rate: 1}, back)
	for _, bad := range []string{`{"amount":1.5}`, `{"amount":"1e3"}`, `{"rate":"x"}`} {
		require.Error(t, json.Unmarshal([]byte(bad), &back), bad)
	}
}

// rounded is what a sum of pico-credits is in nano-credits, by other means.
func rounded(pico *big.Int, add int64) (Credits, bool) {
	n := new(big.Int).Add(pico, big.NewInt(add))
	n.Quo(n, big.NewInt(1000))
	return Credits(n.Int64()), n.IsInt64()
}

func TestSumsAgreeWithNumbersOfAnySize(t *testing.T) {
	t.Parallel()
	rnd := seed()
	for range 10_000 {
		var sum Sum
		want, wide := new(big.Int), false
		shift := rnd.IntN(63)
		for range 1 + rnd.IntN(15) {
			units, rate := rnd.Int64()>>shift, Rate(rnd.Int64()>>rnd.IntN(63))
			err := sum.Add(units, rate)
			want.Add(want, new(big.Int).Mul(big.NewInt(units), big.NewInt(int64(rate))))
			if wide = want.BitLen() > 128; wide {
				require.ErrorIs(t, err, ErrOverflow)
				break
			}
			require.NoError(t, err)
		}
		if wide {
			continue
		}
		for _, r := range []struct {
			round func() (Credits, error)
			add   int64
		}{{sum.Charge, 500}, {sum.Hold, 999}} {
			got, err := r.round()
			exact, fits := rounded(want, r.add)
			if !fits {
				require.ErrorIs(t, err, ErrOverflow)
				continue
			}
			require.NoError(t, err)
			require.Equal(t, exact, got, want.String())
		}
	}
}

func TestChargesRoundHalfUpAndHoldsUp(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		pico         int64
		charge, hold Credits
	}{{0, 0, 0}, {1, 0, 1}, {499, 0, 1}, {500, 1, 1}, {999, 1, 1}, {1000, 1, 1}, {1001, 1, 2}, {1499, 1, 2}, {1500, 2, 2}} {
		var s Sum
		require.NoError(t, s.Add(tt.pico, 1))
		charge, err := s.Charge()
		require.NoError(t, err)
		hold, err := s.Hold()
		require.NoError(t, err)
		assert.Equal(t, tt.charge, charge, tt.pico)
		assert.Equal(t, tt.hold, hold, tt.pico)
	}
	var s Sum
	for range 3 {
		require.NoError(t, s.Add(1, 400))
	}
	charge, err := s.Charge()
	require.NoError(t, err)
	assert.Equal(t, Credits(1), charge, "three times 0.4 is rounded once, to 1, not three times to 0")
}

func TestOverflowIsAnErrorAndNeverWraps(t *testing.T) {
	t.Parallel()
	var s Sum
	require.ErrorIs(t, s.Add(-1, 1), ErrOverflow)
	require.ErrorIs(t, s.Add(1, -1), ErrOverflow)
	assert.Equal(t, Sum{}, s, "what is refused adds nothing")

	for range 4 {
		require.NoError(t, s.Add(math.MaxInt64, math.MaxInt64))
	}
	require.ErrorIs(t, s.Add(math.MaxInt64, math.MaxInt64), ErrOverflow)

	for _, full := range []Sum{
		{hi: math.MaxUint64, lo: math.MaxUint64}, {hi: math.MaxUint64, lo: math.MaxUint64 - 499}, {hi: picoPerNano - 1, lo: math.MaxUint64},
		{hi: picoPerNano, lo: 0}, {hi: picoPerNano / 2, lo: 0},
	} {
		_, err := full.Charge()
		require.ErrorIs(t, err, ErrOverflow, "%+v", full)
		_, err = full.Hold()
		require.ErrorIs(t, err, ErrOverflow, "%+v", full)
	}
	largest := Sum{}
	require.NoError(t, largest.Add(math.MaxInt64, picoPerNano))
	got, err := largest.Hold()
	require.NoError(t, err)
	assert.Equal(t, Credits(math.MaxInt64), got)
	require.NoError(t, largest.Add(1, 1))
	got, err = largest.Charge()
	require.NoError(t, err)
	assert.Equal(t, Credits(math.MaxInt64), got)
	_, err = largest.Hold()
	require.ErrorIs(t, err, ErrOverflow)
}

func TestSumsCompare(t *testing.T) {
	t.Parallel()
	sums := []Sum{{}, {lo: 1}, {lo: math.MaxUint64}, {hi: 1}, {hi: 1, lo: 1}, {hi: 2}}
	for i, a := range sums {
		for j, b := range sums {
			assert.Equal(t, i < j, a.Less(b), "%+v %+v", a, b)
		}
	}
}

func TestRatesFromCostsAreExactToThePicoCredit(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name          string
		cost          Rate
		margin, price string
		want          Rate
	}{
		{"no margin, one dollar a credit", 3_000_000, "0", "1", 3_000_000},
		{"a fifth on top", 3_000_000, "20", "1", 3_600_000},
		{"a margin with a fraction", 8, "12.5", "1", 9},
		{"a credit of three cents", 3_000_000, "0", "0.03", 100_000_000},
		{"a credit of three cents, not even", 1_000_000, "0", "0.03", 33_333_333},
		{"half a pico-credit goes up", 1, "50", "1", 2},
		{"less than half goes down", 1, "49.999999", "1", 1},
		{"a third that no float holds", 2, "0", "3", 1},
		{"free stays free", 0, "20", "0.03", 0},
		{"a rebate", 1000, "-25", "1", 750},
		{"given away", 1000, "-100", "1", 0},
		{"the largest", math.MaxInt64, "0", "1", math.MaxInt64},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := RateFromCost(tt.cost, tt.margin, tt.price)
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
		})
	}
	for name, c := range map[string]struct {
		cost          Rate
		margin, price string
	}{
		"no margin":             {1, "", "1"},
		"a word for a margin":   {1, "much", "1"},
		"no credit price":       {1, "0", ""},
		"a credit for nothing":  {1, "0", "0"},
		"a negative price":      {1, "0", "-1"},
		"worse than given away": {1, "-101", "1"},
		"a negative cost":       {-1, "0", "1"},
		"too large":             {math.MaxInt64, "1", "1"},
		"too large by price":    {math.MaxInt64, "0", "0.5"},
	} {
		_, err := RateFromCost(c.cost, c.margin, c.price)
		require.Error(t, err, name)
	}
}

func TestRatesFromCostsAgreeWithFractions(t *testing.T) {
	t.Parallel()
	rnd := seed()
	for range 2000 {
		cost, margin, price := rnd.Int64()>>20, rnd.Int64N(1_000_000), 1+rnd.Int64N(1_000_000)
		got, err := RateFromCost(Rate(cost), format(margin, 3), format(price, 4))
		// cost × (100000 + margin) ÷ 100000 × 10000 ÷ price, plus a half.
		num := new(big.Int).Mul(big.NewInt(cost), big.NewInt((100_000+margin)*2))
		den := new(big.Int).Mul(big.NewInt(price), big.NewInt(10))
		num.Add(num, den).Quo(num, den.Lsh(den, 1))
		if !num.IsInt64() {
			require.ErrorIs(t, err, ErrOverflow)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, Rate(num.Int64()), got, "%d %d %d", cost, margin, price)
	}
}

func TestAddingAmountsNeverWraps(t *testing.T) {
	t.Parallel()
	edges := []int64{0, 1, -1, 2, -2, math.MaxInt64, math.MaxInt64 - 1, math.MinInt64, math.MinInt64 + 1, math.MaxInt64 / 2, math.MinInt64 / 2}
	for _, a := range edges {
		for _, b := range edges {
			want := new(big.Int).Add(big.NewInt(a), big.NewInt(b))
			got, err := Add(Credits(a), Credits(b))
			if !want.IsInt64() {
				assert.ErrorIs(t, err, ErrOverflow, "%d + %d", a, b)
				continue
			}
			require.NoError(t, err, "%d + %d", a, b)
			assert.Equal(t, Credits(want.Int64()), got)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"0", "-1.5", "1.", ".5", "9223372036.854775807", "00.10", "1e5"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseCredits(s)
		if err != nil {
			return
		}
		exact, ok := new(big.Rat).SetString(s)
		require.True(t, ok)
		require.Zero(t, exact.Cmp(big.NewRat(int64(c), int64(Credit))), s)
	})
}

func TestSumsAreShownWithoutRounding(t *testing.T) {
	t.Parallel()
	var s Sum
	assert.Equal(t, "0", s.String())
	require.NoError(t, s.Add(1, 1))
	assert.Equal(t, "0.000000000001", s.String())
	require.NoError(t, s.Add(3, 500_000_000_000))
	assert.Equal(t, "1.500000000001", s.String())
	require.NoError(t, s.Add(math.MaxInt64, math.MaxInt64))
	assert.Equal(t, "85070591730234615847396909.28423250125", s.String(), "far beyond 64 bits")
}

func TestPercentAndDollarsRoundHalfUp(t *testing.T) {
	t.Parallel()
	assert.Equal(t, Credits(1), Credits(1).Percent(50))
	assert.Equal(t, Credits(0), Credits(1).Percent(49))
	assert.Equal(t, Credits(math.MaxInt64), Credits(math.MaxInt64).Percent(100))
	d, err := Credit.Dollars("0.05")
	require.NoError(t, err)
	assert.Equal(t, "0.05", d.String())
	_, err = Credit.Dollars("0")
	require.Error(t, err)
}
