package rollup_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/rollup"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// call makes a finished call now.
func (w *world) call(r *rand.Rand) store.Admission {
	a := w.admission(r)
	require.NoError(w.t, w.Do(w.t.Context(), w.AdmitUnit(a)))
	require.NoError(w.t, w.Do(w.t.Context(), w.SettleUnit(w.settlement(r, a))))
	return a
}

// asked is how many calls the reader knows of a span.
func (w *world) asked(from, until time.Time) int64 {
	reader := &rollup.Reader{Store: w.Store, Now: w.clock.now}
	_, current, _, err := reader.Summary(w.t.Context(), rollup.Question{From: from, Until: until})
	require.NoError(w.t, err)
	return current.Calls
}

// alone is a world on a file.
func alone(t *testing.T, at time.Time) (*world, *rand.Rand) {
	return open(t, at, store.Options{URL: "file:" + t.TempDir() + "/hub.db"}), rand.New(rand.NewPCG(9, 9))
}

func TestCallsAreKnownBeforeAnyJobRan(t *testing.T) {
	t.Parallel()
	w, r := alone(t, begin)
	w.call(r)
	assert.EqualValues(t, 1, w.asked(begin.Add(-time.Hour), begin.Add(time.Hour)))
	w.clock.add(20 * time.Minute)
	w.call(r)
	require.NoError(t, w.roller().Run(t.Context()))
	assert.EqualValues(t, 2, w.asked(begin.Add(-time.Hour), begin.Add(time.Hour)), "one in a row, one not summed up yet")
}

func TestACallBelongsToTheBucketOfItsAdmissionForEver(t *testing.T) {
	t.Parallel()
	eachStore(t, "late", begin, func(w *world) {
		ctx, r := w.t.Context(), rand.New(rand.NewPCG(1, 1))
		a := w.admission(r)
		require.NoError(w.t, w.Do(ctx, w.AdmitUnit(a)))
		w.clock.add(50 * time.Hour)
		require.NoError(w.t, w.roller().Run(ctx))
		bucket := store.Quarter.Floor(begin)
		assert.Zero(w.t, w.asked(bucket, bucket.Add(time.Minute)), "an open call counts for nothing")
		require.NoError(w.t, w.Do(ctx, w.SettleUnit(w.settlement(r, a))))
		require.NoError(w.t, w.roller().Run(ctx))
		assert.EqualValues(w.t, 1, w.asked(bucket, bucket.Add(time.Minute)))
		assert.EqualValues(w.t, 1, w.asked(store.Day.Floor(begin), store.Day.Floor(begin).Add(24*time.Hour)), "in the day above it too")
		assert.Zero(w.t, w.asked(bucket.Add(15*time.Minute), w.clock.now()))
	})
}

func TestAStaleTurnWritesNothing(t *testing.T) {
	t.Parallel()
	eachStore(t, "turn", begin, func(w *world) {
		t, ctx := w.t, w.t.Context()
		b := store.StatBucket{Period: store.Quarter, Start: store.Quarter.Floor(begin)}
		require.NoError(t, w.QueueStats(ctx, nil, []store.StatBucket{b}, false))
		first, err := w.DueStats(ctx, store.Quarter, time.UnixMilli(0), begin, 10)
		require.NoError(t, err)
		require.Len(t, first, 1)
		row := func(n int64) []store.StatChange {
			return []store.StatChange{{Put: []store.StatRow{{StatKey: store.StatKey{UserID: "u"}, StatSums: store.StatSums{Calls: n}}}}}
		}
		require.NoError(t, w.QueueStats(ctx, nil, []store.StatBucket{b}, false), "calls changed after the first turn was read")
		second, err := w.DueStats(ctx, store.Quarter, time.UnixMilli(0), begin, 10)
		require.NoError(t, err)
		require.NoError(t, w.PutStats(ctx, []store.MadeStat{{DueStat: second[0], Changes: row(2)}}))
		for range 2 {
			require.ErrorIs(t, w.PutStats(ctx, []store.MadeStat{{DueStat: first[0], Changes: row(1)}}), store.ErrNotOpen)
			require.ErrorIs(t, w.PutStats(ctx, []store.MadeStat{{DueStat: second[0], Changes: row(3)}}), store.ErrNotOpen, "twice is too often")
			require.NoError(t, w.QueueStats(ctx, nil, []store.StatBucket{b}, false)) // a new turn revives no old one
		}
		rows, err := w.FullRows(ctx, store.Quarter, b.Start, b.Start.Add(time.Minute))
		require.NoError(t, err)
		require.Len(t, rows, 1)
		assert.EqualValues(t, 2, rows[0].Calls)
	})
}

func TestSumsOfCallsThatCannotBeReadStay(t *testing.T) {
	t.Parallel()
	w, r := alone(t, begin)
	ctx := t.Context()
	for range 5 {
		w.call(r)
	}
	w.clock.add(72 * time.Hour)
	require.NoError(t, w.roller().Run(ctx))
	w.archive(w.clock.now(), true)
	lost := w.archives.stores
	w.archives.stores = nil // out of reach, as on a server whose calls were exported
	from, until := store.Day.Floor(begin), store.Day.Floor(begin).Add(24*time.Hour)

	report, err := w.roller().Rebuild(ctx, from, until, false, nil)
	require.NoError(t, err)
	assert.Equal(t, 1, report.Refused, "the quarter-hour; what stands on it is right")
	assert.EqualValues(t, 5, w.asked(from, until))

	w.archives.stores = lost
	report, err = w.roller().Rebuild(ctx, from, until, false, nil)
	require.NoError(t, err)
	assert.Zero(t, report.Refused)
	assert.Zero(t, report.Changed, "from the archive they are what they were")

	w.archives.stores = nil
	_, err = w.roller().Rebuild(ctx, from, until, true, nil)
	require.NoError(t, err)
	assert.Zero(t, w.asked(from, until), "by force they go")
}

func TestWhatIsWrongIsMadeGood(t *testing.T) {
	t.Parallel()
	w, r := alone(t, begin)
	ctx := t.Context()
	for range 50 {
		w.call(r)
		w.clock.add(30 * time.Minute)
	}
	w.clock.add(40 * 24 * time.Hour)
	require.NoError(t, w.roller().Run(ctx))
	want := w.asked(begin.Add(-time.Hour), w.clock.now())
	u := &store.Unit{}
	u.Add("UPDATE model_call_stats SET calls = calls - 1, more = 'A1' WHERE period IN (0, 2)")
	u.Add("DELETE FROM model_call_stats WHERE period = 3")
	require.NoError(t, w.Do(ctx, u))
	require.NotEqual(t, want, w.asked(begin.Add(-time.Hour), w.clock.now()))
	report, err := w.roller().Rebuild(ctx, begin.Add(-time.Hour), w.clock.now(), false, nil)
	require.NoError(t, err)
	assert.NotZero(t, report.Changed)
	w.requireTrue(r)
	report, err = w.roller().Rebuild(ctx, begin.Add(-time.Hour), w.clock.now(), false, nil)
	require.NoError(t, err)
	assert.Zero(t, report.Changed, "once more changes nothing")
}

// broken is archives that cannot be read.
type broken struct{}

func (broken) Of(context.Context, time.Time, time.Time) ([]*store.Store, error) {
	return nil, errors.New("disk gone")
}

func (broken) Newest(context.Context, time.Time, time.Time) ([]*store.Store, string, error) {
	return nil, "", errors.New("disk gone")
}

func (broken) First(context.Context) (at time.Time, ok bool, err error) {
	return at, false, errors.New("disk gone")
}

func TestAnArchiveThatFailsLosesNothing(t *testing.T) {
	t.Parallel()
	w, r := alone(t, begin)
	w.call(r)
	w.clock.add(time.Hour)
	job := w.roller()
	job.Archives = broken{}
	require.ErrorContains(t, job.Run(t.Context()), "disk gone")
	assert.EqualValues(t, 1, w.asked(begin.Add(-time.Hour), w.clock.now()), "what is not summed up is counted")
	require.NoError(t, w.roller().Run(t.Context()))
	w.requireTrue(r)
}

// TestAHubThatIsOlderThanItsSums is an upgrade: calls that no trigger saw.
func TestAHubThatIsOlderThanItsSums(t *testing.T) {
	t.Parallel()
	w, r := alone(t, begin)
	ctx := t.Context()
	for range 40 {
		w.call(r)
		w.clock.add(3 * time.Hour)
	}
	u := &store.Unit{}
	u.Add("DELETE FROM model_call_changes")
	for p := store.Quarter; p < store.NumPeriods; p++ {
		at := p.Floor(w.clock.now()).UnixMilli()
		u.Add("UPDATE model_call_stats_state SET horizon = ?2, filled_from = ?2 WHERE period = ?1", int(p), at)
	}
	require.NoError(t, w.Do(ctx, u))
	x, _, _, err := (&rollup.Reader{Store: w.Store, Now: w.clock.now}).Summary(ctx, rollup.Question{From: begin, Until: w.clock.now()})
	require.NoError(t, err)
	assert.True(t, x.CompleteFrom.After(begin), "it says that older sums are missing")
	w.requireTrue(r)
	x, _, _, err = (&rollup.Reader{Store: w.Store, Now: w.clock.now}).Summary(ctx, rollup.Question{From: begin, Until: w.clock.now()})
	require.NoError(t, err)
	assert.Zero(t, x.CompleteFrom.UnixMilli())
}

// TestOlderThanTheQuarterHoursIsInDaysOfUTC: what their rows can no longer tell is
// not guessed.
func TestOlderThanTheQuarterHoursIsInDaysOfUTC(t *testing.T) {
	t.Parallel()
	w, r := alone(t, begin)
	for range 30 {
		w.call(r)
		w.clock.add(24 * time.Hour)
	}
	job := w.roller()
	job.Keep = 10 * 24 * time.Hour
	require.NoError(t, job.Run(t.Context()))
	rows, err := w.FullRows(t.Context(), store.Quarter, begin.Add(-time.Hour), w.clock.now().Add(-11*24*time.Hour))
	require.NoError(t, err)
	assert.Empty(t, rows, "they are deleted")
	kolkata, err := rollup.Zone("Asia/Kolkata")
	require.NoError(t, err)
	reader := &rollup.Reader{Store: w.Store, Now: w.clock.now}
	ask := func(days int) (rollup.Range, []rollup.Total) {
		x, all, err := reader.Trend(t.Context(), rollup.Question{From: w.clock.now().Add(-time.Duration(days) * 24 * time.Hour), Until: w.clock.now(), Zone: kolkata, Step: rollup.ByHour})
		require.NoError(t, err)
		return x, all
	}
	x, all := ask(20)
	assert.True(t, x.UTCDays)
	assert.Equal(t, "UTC", x.Zone.String())
	assert.Equal(t, rollup.ByDay, x.Step)
	require.Len(t, all, 21)
	for i, s := range all[:20] {
		assert.EqualValues(t, 1, s.Calls, fmt.Sprint("day ", i))
	}
	x, all = ask(5)
	assert.False(t, x.UTCDays)
	assert.Equal(t, "Asia/Kolkata", x.Zone.String())
	assert.Len(t, all, 121)
	w.requireTrue(r)
}

func TestMarginIsOfCallsWhoseCostIsKnown(t *testing.T) {
	t.Parallel()
	w, r := alone(t, begin)
	ctx := t.Context()
	for _, c := range []struct {
		credits money.Credits
		cost    *money.Credits
	}{{100_000_000, new(money.Credits(60_000_000))}, {50_000_000, nil}, {10_000_000, new(money.Credits(0))}} {
		a := w.admission(r)
		a.Hold = c.credits
		require.NoError(t, w.Do(ctx, w.AdmitUnit(a)))
		x := w.settlement(r, a)
		x.Status, x.Amount, x.Cost = hub.StatusSuccess, c.credits, c.cost
		require.NoError(t, w.Do(ctx, w.SettleUnit(x)))
	}
	reader := &rollup.Reader{Store: w.Store, Now: w.clock.now}
	_, total, _, err := reader.Summary(ctx, rollup.Question{From: begin, Until: begin.Add(time.Hour)})
	require.NoError(t, err)
	f, err := total.Figures("2")
	require.NoError(t, err)
	assert.Equal(t, "0.16", f.Credits.String())
	assert.Equal(t, "0.32", f.RevenueUSD.String())
	assert.Equal(t, "0.06", f.CostUSD.String())
	assert.EqualValues(t, 1, f.Uncosted)
	require.NotNil(t, f.MarginUSD)
	assert.Equal(t, "0.16", f.MarginUSD.String(), "0.11 credits at 2 dollars, less 0.06 dollars")
	f, err = total.Figures("")
	require.NoError(t, err)
	assert.Nil(t, f.OperatorFigures)
}
