package rollup_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/rollup"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func idAt(at time.Time) string {
	var id ulid.ULID
	_ = id.SetTime(ulid.Timestamp(at))
	return id.String()
}

var begin = time.Date(2026, 1, 28, 21, 7, 0, 0, time.UTC)

// TestSumsAreThoseOfTheCalls lives through weeks of calls that end at once, late or
// never, are swept and corrected, billed again, archived (also halfway), with jobs
// that are killed or run twice at a time, and holds every sum against the calls.
func TestSumsAreThoseOfTheCalls(t *testing.T) {
	t.Parallel()
	for _, seed := range []uint64{1, 2} {
		eachStore(t, fmt.Sprintf("seed %d", seed), begin, func(w *world) {
			r := rand.New(rand.NewPCG(seed, 7))
			steps := 700
			if w.Remote() {
				steps = 150 // each is a round trip
			}
			for i := range steps {
				w.step(r)
				if i%50 == 49 {
					w.requireTrue(r)
				}
			}
			for len(w.open) > 0 {
				w.settle(r)
			}
			w.clock.add(40 * 24 * time.Hour)
			w.requireTrue(r)
		})
	}
}

// step does one thing.
func (w *world) step(r *rand.Rand) {
	t, ctx := w.t, w.t.Context()
	w.clock.add(time.Duration(r.ExpFloat64() * float64(40*time.Minute)))
	switch n := r.IntN(100); {
	case n < 40:
		a := w.admission(r)
		require.NoError(t, w.Do(ctx, w.AdmitUnit(a)))
		w.open = append(w.open, a)
	case n < 70:
		w.settle(r)
	case n < 74: // its process died, and wakes up
		if len(w.swept) > 0 {
			x := w.swept[0]
			w.swept = w.swept[1:]
			s := w.settlement(r, store.Admission{CallID: x.CallID, Owner: x.Owner, Type: x.Type,
				Caller: hub.Caller{UserID: x.UserID, AccountID: x.AccountID, AppID: x.AppID}})
			if err := w.Do(ctx, w.CorrectUnit(s)); !errors.Is(err, store.ErrNotOpen) { // archived
				require.NoError(t, err)
			}
		}
	case n < 77:
		require.NoError(t, w.Do(ctx, w.CancelUnit(w.admission(r))))
	case n < 80: // what a bill says of a call
		u := &store.Unit{}
		u.Add("UPDATE model_calls SET cost_nano = ?1 WHERE id = (SELECT id FROM model_calls WHERE status <> 'processing' ORDER BY id LIMIT 1 OFFSET ?2)",
			r.Int64N(9999), r.IntN(20))
		require.NoError(t, w.Do(ctx, u))
	case n < 82 && len(w.archives.stores) < 6:
		w.archive(w.clock.now().Add(-time.Duration(r.IntN(10*24))*time.Hour), r.IntN(2) == 0)
	case n < 90: // a job, killed
		dying, kill := context.WithTimeout(ctx, time.Duration(r.IntN(6000))*time.Microsecond)
		_ = w.roller().Run(dying)
		kill()
	case n < 93: // two jobs at once
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() { assert.NoError(t, w.roller().Run(ctx)) })
		}
		both.Wait()
	case n < 95: // one that forgets quarter-hours
		job := w.roller()
		job.Keep = 10 * 24 * time.Hour
		require.NoError(t, job.Run(ctx))
	case n < 97:
		_, err := w.roller().Rebuild(ctx, w.clock.now().Add(-time.Duration(r.IntN(48))*time.Hour), w.clock.now(), false, nil)
		require.NoError(t, err)
	default:
		require.NoError(t, w.roller().Run(ctx))
	}
}

// settle ends an open call, some of them as a sweeper does.
func (w *world) settle(r *rand.Rand) {
	if len(w.open) == 0 {
		return
	}
	i := r.IntN(len(w.open))
	x := w.settlement(r, w.open[i])
	w.open = append(w.open[:i], w.open[i+1:]...)
	if r.IntN(6) == 0 {
		x.Status, x.Amount, x.Cost = hub.StatusInterrupted, 0, nil
		w.swept = append(w.swept, x)
	}
	require.NoError(w.t, w.Do(w.t.Context(), w.SettleUnit(x)))
}

// requireTrue makes what is due and compares sums of random ranges and keys, in
// every way they can be asked for.
func (w *world) requireTrue(r *rand.Rand) {
	t := w.t
	t.Helper()
	require.NoError(t, w.roller().Run(t.Context()))
	reader := &rollup.Reader{Store: w.Store, Now: w.clock.now}
	now := w.clock.now()
	for range 6 {
		from := begin.Add(-time.Hour).Add(time.Duration(r.Int64N(int64(now.Sub(begin)))))
		until := from.Add(time.Duration(r.Int64N(int64(now.Sub(from)) + 1)))
		if r.IntN(3) == 0 {
			from, until = begin.Add(-time.Hour), now
		}
		only := store.StatKey{}
		switch r.IntN(6) {
		case 4:
			only.UserID, only.KeyID = w.users[1].ID, w.users[1].key.ID
		case 0:
			only.UserID = w.users[0].ID
		case 1:
			only.AppID = "app-a"
		case 2:
			only.Model = "m1"
		case 3:
			only.Status = hub.StatusFailed
		}
		by := []store.Dim{0, store.ByUser | store.ByKey, store.ByModel | store.ByProvider, store.ByStatus | store.ByCategory, store.ByApp}[r.IntN(5)]
		step := []rollup.Step{"", rollup.ByDay, rollup.ByWeek, rollup.ByMonth}[r.IntN(4)]
		zone, err := time.LoadLocation([]string{"Asia/Kolkata", "America/New_York", "UTC"}[r.IntN(3)])
		require.NoError(t, err)
		x, sums, err := reader.Ask(t.Context(), rollup.Question{From: from, Until: until.Add(time.Minute), Zone: zone, Step: step, By: by, Only: only})
		require.NoError(t, err)
		got := known{}
		for _, s := range sums {
			assert.Equal(t, s.Timed, s.Durations.Count())
			assert.Equal(t, s.Begun, s.TTFBs.Count())
			add(&got, &s.Sums)
		}
		require.Equal(t, w.truth(x.From, x.Until, only), got, "from %s to %s by %d in steps of %q, only %+v", x.From, x.Until, by, step, only)
		w.requireSameTop(r, reader, rollup.Question{From: from, Until: until.Add(time.Minute), Zone: zone, Step: step})
	}
}

// add sums what the test's own count knows.
func add(into *known, s *rollup.Sums) {
	into.Calls += s.Calls
	into.Uncosted += s.Uncosted
	into.Attempts += s.Attempts
	into.Credits += s.Credits
	into.CostedCredits += s.CostedCredits
	into.Shortfall += s.Shortfall
	into.Cost += s.Cost
	for _, b := range []hub.Bucket{hub.Input, hub.Output, hub.Images} {
		into.Units[b] += s.Units[b]
	}
	into.Timed += s.Timed
	into.DurationMS += s.DurationMS
	into.Begun += s.Begun
	into.TTFBMS += s.TTFBMS
}
