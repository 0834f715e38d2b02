package rollup

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEveryTimeIsInAClassNearIt(t *testing.T) {
	t.Parallel()
	last := -1
	for ms := int64(0); ms < 1<<27; ms += 1 + ms/1000 {
		c := class(ms)
		require.GreaterOrEqual(t, c, last, "classes are in order")
		require.Less(t, c, numClasses)
		last = c
		if ms < 32 {
			require.Equal(t, ms, middle(c))
			continue
		}
		off := max(middle(c)-ms, ms-middle(c))
		require.LessOrEqual(t, off*32, ms, "%d is counted as %d", ms, middle(c))
	}
	assert.Equal(t, numClasses-1, class(1<<40), "what takes for ever is counted")
	assert.Equal(t, 0, class(-5))
}

func TestPercentilesAreNearTheTrueOnes(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		var all []int64
		var parts [4]Histogram
		for range 1 + r.IntN(3000) {
			ms := int64(r.ExpFloat64() * float64(1+r.IntN(20_000)))
			all = append(all, ms)
			parts[r.IntN(4)].Add(ms)
		}
		slices.Sort(all)
		var whole Histogram
		for i := range parts {
			whole.merge(&parts[i])
		}
		require.EqualValues(t, len(all), whole.Count())
		for _, p := range []int64{1, 500, 950, 990, 1000} {
			want := all[max(1, (int64(len(all))*p+999)/1000)-1]
			got, ok := whole.Percentile(p)
			require.True(t, ok)
			require.LessOrEqual(t, max(got-want, want-got)*32, want, "p%d of %d: %d, true %d", p, len(all), got, want)
		}
	}
	_, ok := new(Histogram).Percentile(500)
	assert.False(t, ok)
}

func TestTextsPutTogetherAreTheTextOfTheSum(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		var together, parsed Sums
		text := ""
		for range 1 + r.IntN(5) {
			var one Sums
			for _, n := range one.numbers() {
				if r.IntN(2) == 0 {
					*n = r.Int64N(1 << 40)
				}
			}
			one.LastAt = r.Int64N(1 << 42)
			for range r.IntN(20) {
				one.Durations.Add(r.Int64N(1 << 28))
				one.TTFBs.Add(r.Int64N(1 << 12))
			}
			together.Add(&one)
			text += one.text()
		}
		parsed.addText(text)
		require.Equal(t, together, parsed)
		require.Equal(t, together.text(), parsed.text())
	}
	var none Sums
	assert.Empty(t, none.text())
	none.addText("?xA!") // what is no text of sums breaks nothing
	assert.Equal(t, Sums{}, none)
}

func FuzzAnyTextIsRead(f *testing.F) {
	f.Add("A12abZ9!ab3cc")
	f.Fuzz(func(_ *testing.T, text string) {
		var s Sums
		s.addText(text)
		_ = s.text()
	})
}
