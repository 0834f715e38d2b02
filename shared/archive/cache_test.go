package archive_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/calls"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// exportInPieces archives calls in files of a few: those that are due by and by.
func (w *world) exportInPieces(pieces int) {
	w.t.Helper()
	after := w.keeper.Settings.After
	for i := range pieces {
		w.keeper.Settings.After = after + time.Duration(pieces-1-i)*10*24*time.Hour
		w.run(w.keeper)
	}
	w.keeper.Settings.After = after
}

// TestExportedCallsAreListedPageByPage: a list reads back a few files at a time,
// and misses no call.
func TestExportedCallsAreListedPageByPage(t *testing.T) {
	t.Parallel()
	w, s3 := exporter(t)
	w.fill(72)
	late := w.call(today.Add(-11*month), true, 7) // exported long after those beside it
	require.NoError(t, w.Exec(t.Context(), "UPDATE usage SET report_state = 'pending' WHERE call_id = ?1", late))
	before := w.history(nil)
	w.exportInPieces(12)
	require.NoError(t, w.Exec(t.Context(), "UPDATE usage SET report_state = 'confirmed' WHERE call_id = ?1", late))
	w.run(w.keeper)
	require.Greater(t, len(exportedCalls(t, s3)), 50)
	log := &calls.Log{Store: w.Store, Archives: w.keeper}
	for _, f := range []store.CallFilter{{Limit: 7}, {Limit: 1000}, {Limit: 5, UserID: w.user.ID}, {Limit: 9, Span: store.Span{From: today.Add(-10 * month), Until: today.Add(-5 * month)}}} {
		got := map[string]bool{}
		pages := 0
		for last := "~"; ; pages++ {
			p, err := log.Page(t.Context(), f)
			require.NoError(t, err)
			for _, c := range p.Calls {
				require.Less(t, c.ID, last, "newest first, none twice")
				last = c.ID
				got[c.ID] = true
			}
			if p.Floor == "" {
				break
			}
			require.True(t, f.Before == "" || p.Floor < f.Before, "it goes on")
			f.Before = p.Floor
		}
		want := 0
		for id := range before {
			at, _ := store.AdmittedAt(id)
			if (f.Span.From.IsZero() || !at.Before(f.Span.From)) && (f.Span.Until.IsZero() || at.Before(f.Span.Until)) {
				want++
				assert.True(t, got[id], "a call is missing: %s", id)
			}
		}
		assert.Len(t, got, want)
		assert.Positive(t, pages, "not everything is read back at once")
	}
	call, home, err := log.Find(t.Context(), late)
	require.NoError(t, err)
	assert.Equal(t, late, call.ID)
	assert.NotSame(t, w.Store, home)
	first, ok, err := w.keeper.First(t.Context())
	require.NoError(t, err)
	require.True(t, ok)
	assert.WithinDuration(t, today.Add(-12*month), first, time.Second)
}

// TestWhatIsReadBackIsWhatWasWritten: a file that was altered is refused.
func TestWhatIsReadBackIsWhatWasWritten(t *testing.T) {
	t.Parallel()
	w, s3 := exporter(t)
	w.fill(30)
	w.run(w.keeper)
	files, err := w.ArchiveFiles(t.Context(), "2026Q2", "", 10)
	require.NoError(t, err)
	data := s3.Object("hub/" + files[0].Name)
	s3.Set("hub/"+files[0].Name, append([]byte{0}, data[1:]...))
	q2 := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	_, err = w.keeper.Of(t.Context(), q2, q2.AddDate(0, 1, 0))
	require.ErrorContains(t, err, files[0].Name)
	s3.Set("hub/"+files[0].Name, data)
	found, err := w.keeper.Of(t.Context(), q2, q2.AddDate(0, 1, 0))
	require.NoError(t, err, "it is tried again")
	require.Len(t, found, 1)
	require.ErrorIs(t, found[0].Exec(t.Context(), "DELETE FROM model_calls"), store.ErrReadOnly)

	w.keeper.Settings.Cache = 0
	none, err := w.keeper.Of(t.Context(), q2, time.Time{})
	require.NoError(t, err)
	assert.Empty(t, none, "an operator does not want it")
}

// TestTheCacheIsBounded: what was not used for longest makes room, and more than
// there is room for is refused.
func TestTheCacheIsBounded(t *testing.T) { //nolint:paralleltest // TMPDIR
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	w, _ := exporter(t)
	w.fill(60)
	before := w.history(nil)
	w.run(w.keeper)
	databases := func() int {
		t.Helper()
		found, err := filepath.Glob(filepath.Join(temp, "*", "*.db"))
		require.NoError(t, err)
		return len(found)
	}
	quarter := func(i int) (from, until time.Time) {
		from = time.Date(2026, time.Month(1+3*i), 20, 0, 0, 0, 0, time.UTC)
		return from, from.AddDate(0, 2, 0)
	}
	w.keeper.Settings.Cache = 100 // bytes
	from, until := quarter(1)
	_, err := w.keeper.Of(t.Context(), from, until)
	require.Equal(t, hub.CodeInvalid, hub.CodeOf(err), "%v", err)
	w.keeper.Settings.Cache = 1 << 19 // less than two databases
	for round := range 2 {
		for i := range 3 {
			from, until := quarter(i)
			found, err := w.keeper.Of(t.Context(), from, until)
			require.NoError(t, err)
			require.Len(t, found, 1)
			page, err := found[0].Calls(t.Context(), store.CallFilter{Span: store.Span{From: from, Until: until}, Limit: 1000})
			require.NoError(t, err)
			require.NotEmpty(t, page, "%d %d", round, i)
		}
	}
	assert.Equal(t, 6, databases(), "those that were left may still be read")
	w.clock.set(today.Add(time.Hour))
	_, err = w.keeper.Of(t.Context(), from, until)
	require.NoError(t, err)
	assert.LessOrEqual(t, databases(), 2)
	w.clock.set(today)
	w.keeper.Settings.Cache = 1e9
	assert.Equal(t, before, w.history(w.keeper))
	require.NoError(t, w.keeper.Close())
	left, err := os.ReadDir(temp)
	require.NoError(t, err)
	for _, e := range left {
		assert.NotContains(t, e.Name(), "aigne-hub-archive")
	}
	assert.Equal(t, before, w.history(w.keeper), "and is made anew")
}
