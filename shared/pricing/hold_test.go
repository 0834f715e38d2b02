package pricing

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
)

func TestHoldTakesTheDearestPossibleRate(t *testing.T) {
	t.Parallel()
	const cached = `{"input":"1","cache_write_5m":"1.25","cache_write_1h":"2","input_audio":"9","output":"10","reasoning":"12",
		"web_searches":"0.5","requests":"0.1","tiers":[{"above":100,"input":"4","output":"20"},{"above":1000,"input":"50"}]}`
	var noCache, noAudio Bound
	noCache.Never = [hub.NumBuckets]bool{hub.CacheWrite5m: true, hub.CacheWrite1h: true, hub.InputAudio: true}
	noAudio.Never[hub.InputAudio] = true
	tests := []struct {
		name  string
		bound Bound
		want  string
	}{
		{"nothing but the fee of the request", Bound{}, "0.1"},
		{"input at the dearest bucket of its side", Bound{Input: 10}, "90.1"},
		{"without audio at the dearest of the rest", Bound{Input: 10, Never: noAudio.Never}, "20.1"},
		{"without caching and audio at the input rate", Bound{Input: 10, Never: noCache.Never}, "10.1"},
		{"output at the dearest bucket, times the answers", Bound{Output: 5, N: 3}, "180.1"},
		{"no number of answers means one", Bound{Output: 5, N: 0}, "60.1"},
		{"a tier the prompt may reach counts", Bound{Input: 101, Output: 1, Never: noCache.Never}, "424.1"},
		{"a tier it cannot reach does not", Bound{Input: 100, Output: 1, Never: noCache.Never}, "112.1"},
		{"searches at their maximum", Bound{WebSearches: 4}, "2.1"},
		{"several requests", Bound{Requests: 3}, "0.3"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := parsePrices(t, cached)
			got, err := p.Hold(tt.bound)
			require.NoError(t, err)
			assert.Equal(t, tt.want, got.String())
		})
	}
}

func TestHoldRoundsUp(t *testing.T) {
	t.Parallel()
	p := parsePrices(t, `{"input":"0.000000000001"}`)
	got, err := p.Hold(Bound{Input: 1})
	require.NoError(t, err)
	assert.Equal(t, money.Credits(1), got)
}

func TestHoldRefusesBoundsWithoutAPrice(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		prices string
		bound  Bound
		want   error
	}{
		{"input without a rate", `{"output":"1"}`, Bound{Input: 1}, ErrUnpriced},
		{"output without a rate", `{"input":"1"}`, Bound{Output: 1}, ErrUnpriced},
		{"pictures without a rate", `{"input":"1","output":"1"}`, Bound{Images: 1}, ErrUnpriced},
		{"a negative input", `{"input":"1"}`, Bound{Input: -1}, money.ErrOverflow},
		{"a negative number of pictures", `{"images":"1"}`, Bound{Images: -1}, money.ErrOverflow},
		{"answers beyond 64 bits", `{"output":"0"}`, Bound{Output: math.MaxInt64, N: 2}, money.ErrOverflow},
		{"an amount beyond 64 bits", `{"output":"10"}`, Bound{Output: math.MaxInt64}, money.ErrOverflow},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := parsePrices(t, tt.prices)
			_, err := p.Hold(tt.bound)
			require.ErrorIs(t, err, tt.want)
		})
	}
}

func TestCoversTellsUsageWithinTheBound(t *testing.T) {
	t.Parallel()
	b := Bound{Input: 10, Output: 5, N: 2, Seconds: 3}
	b.Never[hub.InputAudio] = true
	tests := []struct {
		name  string
		usage hub.Usage
		want  bool
	}{
		{"nothing", hub.Usage{}, true},
		{"all of it", hub.Usage{hub.Input: 4, hub.CacheRead: 6, hub.Output: 9, hub.Reasoning: 1, hub.Seconds: 3, hub.Requests: 1}, true},
		{"too long a prompt", hub.Usage{hub.Input: 11}, false},
		{"too long an answer", hub.Usage{hub.Output: 11}, false},
		{"a bucket ruled out", hub.Usage{hub.InputAudio: 1}, false},
		{"a unit not bounded", hub.Usage{hub.Images: 1}, false},
		{"a second fee", hub.Usage{hub.Requests: 2}, false},
		{"a negative count", hub.Usage{hub.Input: -1}, false},
		{"counts that wrap", hub.Usage{hub.Output: math.MaxInt64, hub.Reasoning: math.MaxInt64}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, b.Covers(&tt.usage))
		})
	}
}
