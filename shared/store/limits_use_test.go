package store_test

import (
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func (w *world) limit(t *testing.T, metric, period string, amount int64) store.LimitHold {
	t.Helper()
	l, err := w.SetLimit(t.Context(), store.Limit{Scope: "key", Subject: w.key.ID, Metric: metric, Period: period, Amount: amount})
	require.NoError(t, err)
	w.ver, err = w.ConfigVersion(t.Context())
	require.NoError(t, err)
	return store.LimitHold{LimitID: l.ID, Counts: w.key.ID, Metric: metric, Period: period, Most: amount, Amount: 1}
}

func (w *world) used(t *testing.T, h store.LimitHold) int64 {
	t.Helper()
	win, err := w.Window(t.Context(), h)
	require.NoError(t, err)
	if h.Period != "now" {
		assert.Positive(t, win.Ends)
	}
	return win.Used
}

func TestALimitIsHeldToTheLastRequest(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, 0)
		h := w.limit(t, "requests", "day", 7)
		var passed, refused atomic.Int64
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				a := w.admission(0)
				a.Billing, a.Limits = false, []store.LimitHold{h}
				switch err := s.Do(t.Context(), s.AdmitUnit(a)); {
				case err == nil:
					passed.Add(1)
				case errors.Is(err, store.ErrLimit):
					refused.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		assert.EqualValues(t, 7, passed.Load())
		assert.EqualValues(t, 13, refused.Load())
		assert.EqualValues(t, 7, w.used(t, h))
	})
}

func TestTokensAreReservedAndCorrected(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, 100)
		for _, period := range []string{"minute", "hour", "day", "week", "month"} {
			h := w.limit(t, "tokens", period, 1000)
			h.Amount = 900
			budget := w.limit(t, "credits", period, 60)
			budget.Amount = 50
			a := w.admission(50)
			a.Limits = []store.LimitHold{h, budget}
			require.NoError(t, s.Do(t.Context(), s.AdmitUnit(a)))
			assert.EqualValues(t, 900, w.used(t, h))
			b := w.admission(1)
			h.Amount = 101
			b.Limits = []store.LimitHold{h}
			require.ErrorIs(t, s.Do(t.Context(), s.AdmitUnit(b)), store.ErrLimit)
			x := w.settlement(a, 3)
			x.Usage[hub.OutputAudio] = 7
			require.NoError(t, s.Do(t.Context(), s.SettleUnit(x)))
			assert.EqualValues(t, 22, w.used(t, h), "10 in, 5 out, 7 of sound; the search is no token")
			assert.EqualValues(t, 3, w.used(t, budget))
			require.NoError(t, s.RemoveLimit(t.Context(), budget.LimitID))
			w.ver, _ = w.ConfigVersion(t.Context())
		}
		w.requireCleanBooks(t)
	})
}

func TestConcurrencyIsCountedFromOpenCalls(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, 0)
		h := w.limit(t, "concurrency", "now", 2)
		var open []store.Admission
		for range 2 {
			a := w.admission(0)
			a.Billing, a.Limits = false, []store.LimitHold{h}
			require.NoError(t, s.Do(t.Context(), s.AdmitUnit(a)))
			open = append(open, a)
		}
		c := w.admission(0)
		c.Billing, c.Limits = false, []store.LimitHold{h}
		require.ErrorIs(t, s.Do(t.Context(), s.AdmitUnit(c)), store.ErrLimit)
		x := w.settlement(open[0], 0)
		x.Billing, x.Status = false, hub.StatusInterrupted
		require.NoError(t, s.Do(t.Context(), s.SettleUnit(x)), "a swept call frees its place too")
		require.NoError(t, s.Do(t.Context(), s.AdmitUnit(c)))
		assert.EqualValues(t, 2, w.used(t, h))
		require.NoError(t, s.Do(t.Context(), s.CancelUnit(c)))
		assert.EqualValues(t, 1, w.used(t, h))
	})
}

func TestARefusedCallTakesNothingOfOtherLimits(t *testing.T) {
	t.Parallel()
	s := openFile(t, filepath.Join(t.TempDir(), "hub.db"))
	w := newWorld(t, s, 10)
	requests, tokens := w.limit(t, "requests", "minute", 5), w.limit(t, "tokens", "minute", 10)
	tokens.Amount = 11
	a := w.admission(5)
	a.Limits = []store.LimitHold{requests, tokens}
	require.ErrorIs(t, s.Do(t.Context(), s.AdmitUnit(a)), store.ErrLimit)
	assert.Zero(t, w.used(t, requests))
	a = w.admission(11) // more than the wallet
	a.Limits = []store.LimitHold{requests}
	require.ErrorIs(t, s.Do(t.Context(), s.AdmitUnit(a)), store.ErrInsufficient)
	assert.Zero(t, w.used(t, requests))
	require.NoError(t, s.ForgetWindows(t.Context()))
}

func TestACancelledAdmissionGivesItsRequestBack(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, 0)
		requests, tokens := w.limit(t, "requests", "day", 5), w.limit(t, "tokens", "day", 500)
		tokens.Amount = 100
		w.ver, _ = w.ConfigVersion(t.Context())
		a := w.admission(0)
		a.Billing, a.Limits = false, []store.LimitHold{requests, tokens}
		require.NoError(t, s.Do(t.Context(), s.AdmitUnit(a)))
		for range 2 { // it may be sent twice
			require.NoError(t, s.Do(t.Context(), s.CancelUnit(a)))
			assert.Zero(t, w.used(t, requests))
			assert.Zero(t, w.used(t, tokens))
		}
	})
}
