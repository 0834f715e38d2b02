package health

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

var pm = Target{"p", "m", hub.TypeChat}

func board() (*Board, *time.Time) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return &Board{Now: func() time.Time { return now }}, &now
}

func TestAWindowForgets(t *testing.T) {
	t.Parallel()
	b, now := board()
	assert.Equal(t, State{Target: pm, Available: true, Success: 1}, b.State(pm), "nothing is known")
	for range 3 {
		b.Record(pm, Event{Code: hub.CodeUpstream})
	}
	for range 9 {
		b.Record(pm, Event{OK: true, TTFB: 100 * time.Millisecond})
	}
	s := b.State(pm)
	assert.EqualValues(t, 12, s.Calls)
	assert.InDelta(t, 0.75, s.Success, 0.001)
	assert.InDelta(t, 100, s.P50.Milliseconds(), 35)
	*now = now.Add(6 * time.Minute)
	s = b.State(pm)
	assert.Zero(t, s.Calls)
	assert.InDelta(t, 1, s.Success, 0)
	assert.Zero(t, s.P50)
	b.Record(pm, Event{OK: true, TTFB: time.Hour})
	assert.EqualValues(t, 1, b.State(pm).Calls, "the slot counts anew")
}

func TestPercentilesTellTheTail(t *testing.T) {
	t.Parallel()
	b, _ := board()
	for range 90 {
		b.Record(pm, Event{OK: true, TTFB: 50 * time.Millisecond})
	}
	for range 10 {
		b.Record(pm, Event{OK: true, TTFB: 5 * time.Second})
	}
	s := b.State(pm)
	assert.Less(t, s.P50, 80*time.Millisecond)
	assert.Greater(t, s.P95, 4*time.Second)
}

func TestThreeFailuresInARowMakeATargetUnavailable(t *testing.T) {
	t.Parallel()
	b, _ := board()
	for range 2 {
		b.Record(pm, Event{Code: hub.CodeTimeout, Reason: "slow"})
	}
	assert.True(t, b.State(pm).Available)
	b.Record(pm, Event{Code: hub.CodeTimeout, Reason: "slow"})
	s := b.State(pm)
	assert.False(t, s.Available)
	assert.Equal(t, hub.CodeTimeout, s.Error)
	assert.True(t, b.Turned())
	b.Record(pm, Event{OK: true})
	assert.True(t, b.State(pm).Available)
}

func TestWhatIsTakenIsReportedOnce(t *testing.T) {
	t.Parallel()
	b, _ := board()
	for range 3 {
		b.Record(pm, Event{Code: hub.CodeUpstream})
	}
	b.Record(Target{"a", "m", hub.TypeChat}, Event{OK: true})
	taken := b.Take()
	assert.Len(t, taken, 2)
	assert.Equal(t, "a", taken[0].Provider)
	assert.EqualValues(t, 3, taken[1].Failed)
	assert.False(t, taken[1].Available)
	assert.False(t, b.Turned())
	assert.Empty(t, b.Take())
	b.GiveBack(taken[1:])
	b.Record(pm, Event{OK: true})
	again := b.Take()
	assert.Len(t, again, 1)
	assert.EqualValues(t, 3, again[0].Failed, "not lost")
	assert.EqualValues(t, 1, again[0].OK)
	assert.True(t, again[0].Available, "as it is now")
}

func TestOnlyFaultsOfTheTargetCount(t *testing.T) {
	t.Parallel()
	b, _ := board()
	for _, class := range []hub.Class{hub.ClassNone, hub.ClassRequest, hub.ClassRefused} {
		b.Attempt("p", "m", hub.TypeChat, 0, &hub.Error{Class: class})
	}
	b.Attempt("p", "m", "", 0, nil)
	assert.Zero(t, b.State(pm).Calls, "what is wrong with the request says nothing of the target")
	for _, class := range []hub.Class{hub.ClassRetry, hub.ClassRateLimit} {
		b.Attempt("p", "m", hub.TypeChat, 0, &hub.Error{Class: class, Code: hub.CodeUpstream})
	}
	b.Attempt("p", "m", hub.TypeChat, 0, &hub.Error{Class: hub.ClassCredential, Code: hub.CodeUpstream, Message: "bad key sk-1"})
	s := b.State(pm)
	assert.EqualValues(t, 3, s.Calls)
	assert.Equal(t, hub.CodeProviderCredential, s.Error)
	assert.NotContains(t, s.Reason, "sk-1", "what a provider says of a key may hold parts of it")
	b.Attempt("p", "m", hub.TypeChat, time.Second, nil)
	assert.True(t, b.State(pm).Available)
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	b, now := board()
	for i := range maxTargets + 100 {
		*now = now.Add(time.Millisecond * 10)
		b.Record(Target{Provider: "p", Model: fmt.Sprint(i), Type: hub.TypeChat}, Event{OK: true})
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
				b.Record(Target{Provider: "p", Model: fmt.Sprint(i % 7), Type: hub.TypeChat}, Event{OK: i%3 > 0, TTFB: time.Duration(i) * time.Millisecond})
				b.State(pm)
				b.GiveBack(b.Take())
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
