package health

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/logbuf"
)

func database(t *testing.T) (*store.Store, string) {
	t.Helper()
	url := "file:" + filepath.Join(t.TempDir(), "hub.db")
	s, err := store.Open(t.Context(), store.Options{URL: url})
	require.NoError(t, err)
	_, err = s.Migrate(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() }) // a test may have closed it
	return s, url
}

func TestProcessesSeeTheSame(t *testing.T) {
	t.Parallel()
	one, url := database(t)
	two, err := store.Open(t.Context(), store.Options{URL: url})
	require.NoError(t, err)
	t.Cleanup(func() { _ = two.Close() }) // closed below
	b, _ := board()
	other, now := board()
	r := &Reporter{Board: b, Store: one, Log: slog.New(slog.DiscardHandler)}
	seen := &Statuses{Store: two, Now: time.Now}
	assert.Nil(t, seen.Available(t.Context(), pm))
	for range 3 {
		b.Record(pm, Event{Code: hub.CodeTimeout, Reason: strings.Repeat("ü", 400)})
	}
	require.NoError(t, r.Report(t.Context()))
	seen.read = time.Time{}
	assert.Equal(t, new(false), seen.Available(t.Context(), pm))
	all, err := seen.All(t.Context())
	require.NoError(t, err)
	assert.LessOrEqual(t, len(all[pm].Error), maxReason+4)

	*now = now.Add(time.Second)
	other.Record(pm, Event{OK: true, TTFB: time.Second})
	require.NoError(t, (&Reporter{Board: other, Store: two, Log: r.Log}).Report(t.Context()))
	assert.Equal(t, new(false), seen.Available(t.Context(), pm), "read at most every two seconds")
	seen.read = time.Time{}
	assert.Equal(t, new(true), seen.Available(t.Context(), pm), "the newer attempt is believed")
	m, ok := seen.Recent(pm)
	assert.True(t, ok)
	assert.Positive(t, m.Response)
	seen.Now = func() time.Time { return time.Now().Add(time.Hour) }
	_, ok = seen.Recent(pm)
	assert.False(t, ok, "an hour ago")
	seen.Now = time.Now
	require.NoError(t, two.Close())
	seen.read = time.Time{}
	assert.Equal(t, new(true), seen.Available(t.Context(), pm), "while the database is away, what was read last")
}

func TestAReportThatFailsIsMadeUpForByTheNext(t *testing.T) {
	t.Parallel()
	s, url := database(t)
	b, _ := board()
	logs := &logbuf.Buffer{}
	r := &Reporter{Board: b, Store: s, Log: slog.New(slog.NewTextHandler(logs, nil))}
	const targets = 2*reportBatch + 5
	for i := range targets {
		b.Record(Target{"p", strings.Repeat("m", i+1), hub.TypeChat}, Event{OK: true})
	}
	require.NoError(t, s.Close())
	r.report(t.Context(), waitLimit)
	assert.Contains(t, logs.String(), "not stored")
	again, err := store.Open(t.Context(), store.Options{URL: url})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, again.Close()) })
	r.Store = again
	require.NoError(t, r.Report(t.Context()))
	hours, err := again.StatusHours(t.Context(), time.Now().Add(-2*time.Hour))
	require.NoError(t, err)
	assert.Len(t, hours, targets)
	require.NoError(t, r.Report(t.Context()))
	hours, err = again.StatusHours(t.Context(), time.Now().Add(-2*time.Hour))
	require.NoError(t, err)
	for _, h := range hours {
		assert.EqualValues(t, 1, h.OK, "counted once")
	}
}

func TestOnLambdaAReportIsDueEveryTenSecondsOrAtAChange(t *testing.T) {
	t.Parallel()
	s, _ := database(t)
	b, now := board()
	r := &Reporter{Board: b, Store: s, Log: slog.New(slog.DiscardHandler)}
	stored := func() int64 {
		t.Helper()
		r.Due(t.Context())
		all, err := s.ModelStatuses(t.Context())
		require.NoError(t, err)
		require.Len(t, all, 1)
		return all[0].Calls
	}
	b.Record(pm, Event{OK: true})
	assert.EqualValues(t, 1, stored())
	*now = now.Add(time.Second)
	b.Record(pm, Event{OK: true})
	assert.EqualValues(t, 1, stored(), "not yet")
	for range 3 {
		b.Record(pm, Event{Code: hub.CodeTimeout})
	}
	assert.EqualValues(t, 5, stored(), "at once")
	*now = now.Add(10 * time.Second)
	b.Record(pm, Event{Code: hub.CodeTimeout})
	assert.EqualValues(t, 6, stored())
}

func TestTheLastReportIsMadeWhenTheProcessStops(t *testing.T) {
	t.Parallel()
	s, _ := database(t)
	b, _ := board()
	b.Record(pm, Event{OK: true})
	ctx, stop := context.WithCancel(t.Context())
	stop()
	(&Reporter{Board: b, Store: s, Log: slog.New(slog.DiscardHandler)}).Serve(ctx)
	all, err := s.ModelStatuses(t.Context())
	require.NoError(t, err)
	assert.Len(t, all, 1)
}
