package health

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

func board() (*Board, *time.Time) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return &Board{Now: func() time.Time { return now }}, &now
}

func TestAWindowForgets(t *testing.T) {
	t.Parallel()
	b, now := board()
	assert.Equal(t, State{Target: "p/m", Available: true, Success: 1}, b.State("p/m"), "nothing is known")
	for range 3 {
		b.Record("p/m", Event{Code: hub.CodeUpstream})
	}
	for range 9 {
		b.Record("p/m", Event{OK: true, TTFB: 100 * time.Millisecond})
	}
	s := b.State("p/m")
	assert.EqualValues(t, 12, s.Calls)
	assert.InDelta(t, 0.75, s.Success, 0.001)
	assert.InDelta(t, 100, s.P50.Milliseconds(), 35)
	*now = now.Add(6 * time.Minute)
	s = b.State("p/m")
	assert.Zero(t, s.Calls)
	assert.InDelta(t, 1, s.Success, 0)
	assert.Zero(t, s.P50)
	b.Record("p/m", Event{OK: true, TTFB: time.Hour})
	assert.EqualValues(t, 1, b.State("p/m").Calls, "the slot counts anew")
}

func TestPercentilesTellTheTail(t *testing.T) {
	t.Parallel()
	b, _ := board()
	for range 90 {
		b.Record("p/m", Event{OK: true, TTFB: 50 * time.Millisecond})
	}
	for range 10 {
		b.Record("p/m", Event{OK: true, TTFB: 5 * time.Second})
	}
	s := b.State("p/m")
	assert.Less(t, s.P50, 80*time.Millisecond)
	assert.Greater(t, s.P95, 4*time.Second)
}

func TestThreeFailuresInARowMakeATargetUnavailable(t *testing.T) {
	t.Parallel()
	b, _ := board()
	for range 2 {
		b.Record("p/m", Event{Code: hub.CodeTimeout, Reason: "slow"})
	}
	assert.True(t, b.State("p/m").Available)
	b.Record("p/m", Event{Code: hub.CodeTimeout, Reason: "slow"})
	s := b.State("p/m")
	assert.False(t, s.Available)
	assert.Equal(t, hub.CodeTimeout, s.Error)
	changes := b.Changes()
	assert.Len(t, changes, 1)
	assert.False(t, changes[0].Available)
	assert.Empty(t, b.Changes())
	b.Record("p/m", Event{OK: true})
	assert.True(t, b.State("p/m").Available)
	assert.Len(t, b.Changes(), 1)
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	b, now := board()
	for i := range maxTargets + 100 {
		*now = now.Add(time.Millisecond * 10)
		b.Record(fmt.Sprintf("p/%d", i), Event{OK: true})
	}
	assert.LessOrEqual(t, len(b.States()), maxTargets)
}

func TestABoardIsSafeForManyGoroutines(t *testing.T) {
	t.Parallel()
	b := &Board{Now: time.Now}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 1000 {
				b.Record(fmt.Sprint(i%7), Event{OK: i%3 > 0, TTFB: time.Duration(i) * time.Millisecond})
				b.State("3")
				b.Changes()
			}
		})
	}
	all.Wait()
	var calls int64
	for _, s := range b.States() {
		calls += s.Calls
	}
	assert.EqualValues(t, 8000, calls)
}
