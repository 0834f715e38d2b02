package upstream

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/routing"
)

func spotTarget(provider string) *routing.Target {
	return &routing.Target{Provider: &routing.Provider{Name: provider}, Model: "m"}
}

func TestABreakerOpensWhenMostFails(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		outcomes string // + and -
		every    time.Duration
		open     bool
	}{
		{"four in a row are not enough", "----", 0, false},
		{"five in a row are", "-----", 0, true},
		{"a success between begins anew", "----+----", 0, false},
		{"half of twenty is not most", "-+-+-+-+-+-+-+-+-+-+", 0, false},
		{"eleven of twenty are", "-+-+-+-+-+--+-+-+-+-", 0, true},
		{"most of nineteen are too few calls", "--+--+--+--+--+--+-", 0, false},
		{"what is older than the window does not count", "--+--+--+--+--+--+--+--+--+--+", 6 * time.Second, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			clock := startOfTime()
			b := newBreaker(clock.now)
			target := spotTarget("p")
			for _, o := range tt.outcomes {
				b.record(target, o == '+', false)
				clock.move(tt.every)
			}
			assert.Equal(t, tt.open, b.last(target))
		})
	}
}

func TestAnOpenTargetIsTriedByOneCallAtATime(t *testing.T) {
	t.Parallel()
	clock := startOfTime()
	b := newBreaker(clock.now)
	sick, well := spotTarget("sick"), spotTarget("well")
	for range breakStreak {
		b.record(sick, false, false)
	}
	enter := func() (ok, probe bool) { return b.enter(sick) }
	ok, _ := enter()
	require.False(t, ok, "not before the wait is over")
	ok, probe := b.enter(well)
	assert.True(t, ok)
	assert.False(t, probe, "others are closed")
	cands := []candidate{{target: sick}, {target: well}}
	assert.Equal(t, []candidate{{target: well}, {target: sick}}, b.arrange(cands), "at the end, not away")

	for _, wait := range []time.Duration{breakWait, 2 * breakWait, 4 * breakWait, 8 * breakWait, breakLongest, breakLongest} {
		clock.move(wait - time.Millisecond)
		ok, _ = enter()
		require.False(t, ok)
		clock.move(time.Millisecond)
		require.False(t, b.last(sick), "in its own place again, for one call")
		ok, probe = enter()
		require.True(t, ok && probe)
		require.True(t, b.last(sick))
		ok, _ = enter()
		require.False(t, ok, "one at a time")
		b.record(sick, false, true)
	}
	clock.move(breakLongest)
	_, _ = enter()
	b.leave(sick) // the caller left: nothing is known
	ok, probe = enter()
	require.True(t, ok && probe, "the next call may")
	b.record(sick, true, true)
	ok, probe = enter()
	assert.True(t, ok)
	assert.False(t, probe, "a success closes it")
	assert.Zero(t, b.open.Load())
	assert.Equal(t, cands, b.arrange(cands))
}

func TestAForcedSuccessClosesABreakerToo(t *testing.T) {
	t.Parallel()
	b := newBreaker(startOfTime().now)
	target := spotTarget("p")
	for range breakStreak {
		b.record(target, false, false)
	}
	b.record(target, true, false)
	assert.False(t, b.last(target))
}

func TestABreakerRemembersABoundedNumberOfTargets(t *testing.T) {
	t.Parallel()
	b := newBreaker(startOfTime().now)
	for i := range maxCircuits + 10 {
		target := spotTarget("p")
		target.Model = time.Duration(i).String()
		for range breakStreak {
			b.record(target, false, false)
		}
	}
	assert.LessOrEqual(t, len(b.at), maxCircuits)
	assert.LessOrEqual(t, b.open.Load(), int64(maxCircuits))
}
