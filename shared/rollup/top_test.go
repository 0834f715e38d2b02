package rollup_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/rollup"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// requireSameTop compares the greatest parts of a question with those found by
// summing everybody up.
func (w *world) requireSameTop(r *rand.Rand, reader *rollup.Reader, q rollup.Question) {
	t := w.t
	t.Helper()
	name := []string{"user", "key", "app", "model"}[r.IntN(4)]
	measure := []rollup.Measure{rollup.Calls, rollup.Credit, rollup.Cost, rollup.Tokens, rollup.Errors}[r.IntN(5)]
	skip, most := r.IntN(2), 1+r.IntN(2)
	x, top, err := reader.Top(t.Context(), q, name, measure, skip, most)
	require.NoError(t, err)
	keys := map[string]func(store.StatKey) string{"user": func(k store.StatKey) string { return k.UserID }, "key": func(k store.StatKey) string { return k.KeyID },
		"app": func(k store.StatKey) string { return k.AppID }, "model": func(k store.StatKey) string { return k.Provider + "/" + k.Model }}
	q.By = store.ByUser | store.ByKey | store.ByApp | store.ByModel | store.ByProvider
	y, all, err := reader.Parts(t.Context(), q, func(k store.StatKey) []string { return []string{keys[name](k)} })
	require.NoError(t, err)
	require.Equal(t, y.From, x.From)
	require.Equal(t, y.Until, x.Until)
	rollup.SortParts(all, measure)
	require.Equal(t, len(all), top.Count, name)
	var whole int64
	rest := make([]rollup.Total, len(x.Starts))
	for i, p := range all {
		whole += p.By(measure)
		if i < skip || i >= skip+most {
			for slot := range p.Slots {
				rest[slot].AddTotal(&p.Slots[slot])
			}
			continue
		}
		require.Less(t, i-skip, len(top.Parts))
		got := top.Parts[i-skip]
		require.Equal(t, p.Key, got.Key, "%s by %s, place %d", name, measure, i)
		require.Equal(t, p.Total, got.Total)
		require.Equal(t, p.Slots, got.Slots)
	}
	require.Equal(t, whole, top.Whole)
	if len(all) == len(top.Parts) || q.Step == "" {
		require.Nil(t, top.Rest)
		return
	}
	for slot := range rest {
		var want, got known
		add(&want, &rest[slot].Sums)
		add(&got, &top.Rest[slot].Sums)
		require.Equal(t, want, got)
		require.Equal(t, rest[slot].By(rollup.Errors), top.Rest[slot].By(rollup.Errors))
	}
}

// TestTheGreatestAreFoundWithoutRosters: of a hub from before there were any, whose
// job has made some of them.
func TestTheGreatestAreFoundWithoutRosters(t *testing.T) {
	t.Parallel()
	eachStore(t, "partly", begin, func(w *world) {
		ctx, r := w.t.Context(), rand.New(rand.NewPCG(3, 3))
		for range 40 {
			w.call(r)
			w.clock.add(3 * time.Hour)
		}
		require.NoError(w.t, w.roller().Run(ctx))
		for _, lost := range []string{"WHERE started_at % 5 = 0", "WHERE period = 2 AND rowid % 2", ""} {
			u := &store.Unit{}
			u.Add("DELETE FROM model_call_rosters " + lost)
			_ = w.Do(ctx, u) // ErrNotFound: none was like this
			reader := &rollup.Reader{Store: w.Store, Now: w.clock.now}
			for range 8 {
				w.requireSameTop(r, reader, rollup.Question{From: begin.Add(-time.Hour), Until: w.clock.now(), Step: []rollup.Step{"", rollup.ByDay}[r.IntN(2)]})
			}
		}
	})
}

// TestCallsWithoutAKeyAreOnePart: whoever made them.
func TestCallsWithoutAKeyAreOnePart(t *testing.T) {
	t.Parallel()
	w, r := alone(t, begin)
	for i := range 12 {
		a := w.admission(r)
		a.Caller.UserID, a.Caller.AccountID = w.users[i%2].ID, w.users[i%2].AccountID
		if i%3 > 0 {
			a.Caller.KeyID = ""
		}
		require.NoError(t, w.Do(t.Context(), w.AdmitUnit(a)))
		require.NoError(t, w.Do(t.Context(), w.SettleUnit(w.settlement(r, a))))
	}
	w.clock.add(30 * time.Hour)
	require.NoError(t, w.roller().Run(t.Context()))
	reader := &rollup.Reader{Store: w.Store, Now: w.clock.now}
	_, top, err := reader.Top(t.Context(), rollup.Question{From: begin.Add(-time.Hour), Until: w.clock.now()}, "key", rollup.Calls, 0, 1)
	require.NoError(t, err)
	require.Len(t, top.Parts, 1)
	assert.Empty(t, top.Parts[0].Key)
	assert.EqualValues(t, 8, top.Parts[0].Calls)
	assert.EqualValues(t, 12, top.Whole)
	_, all, err := reader.Ask(t.Context(), rollup.Question{From: begin.Add(-time.Hour), Until: w.clock.now(), By: store.ByStatus})
	require.NoError(t, err)
	var failed int64
	for _, a := range all {
		if a.Status == hub.StatusFailed || a.Status == hub.StatusInterrupted {
			failed += a.Calls
		}
	}
	_, top, err = reader.Top(t.Context(), rollup.Question{From: begin.Add(-time.Hour), Until: w.clock.now()}, "user", rollup.Errors, 0, 5)
	require.NoError(t, err)
	assert.Equal(t, failed, top.Whole)
}

// TestRostersOfHoursGoWithTheirQuarters keeps the database from growing for ever.
func TestRostersOfHoursGoWithTheirQuarters(t *testing.T) {
	t.Parallel()
	w, r := alone(t, begin)
	w.call(r)
	w.clock.add(20 * 24 * time.Hour)
	w.call(r)
	w.clock.add(50 * time.Hour)
	job := w.roller()
	job.Keep = 10 * 24 * time.Hour
	require.NoError(t, job.Run(t.Context()))
	count := map[store.Period]int{}
	all := []store.StatSpan{{Period: store.Hour, Until: w.clock.now()}, {Period: store.Day, Until: w.clock.now()}}
	require.NoError(t, w.RosterPeople(t.Context(), all, func(_ int, b store.StatBucket, _ []byte) error {
		count[b.Period]++
		return nil
	}))
	assert.Equal(t, map[store.Period]int{store.Hour: 1, store.Day: 2}, count)
}
