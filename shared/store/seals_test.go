package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func (w *world) charge(t *testing.T, amount money.Credits) {
	t.Helper()
	a := w.admission(amount)
	require.NoError(t, w.Do(t.Context(), w.AdmitUnit(a)))
	require.NoError(t, w.Do(t.Context(), w.SettleUnit(w.settlement(a, amount))))
}

func (w *world) seal(t *testing.T, least int64) bool {
	t.Helper()
	made, err := w.SealAccount(t.Context(), w.user.AccountID, -time.Second, least)
	require.NoError(t, err)
	return made
}

func TestWhatIsSealedIsNotReadAgain(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, 1000)
		for range 5 {
			w.charge(t, 10)
		}
		require.False(t, w.seal(t, 7), "too few operations")
		require.True(t, w.seal(t, 6))
		require.False(t, w.seal(t, 1), "all is sealed")
		_, n, err := s.VerifyLedger(t.Context(), false)
		require.NoError(t, err)
		assert.Zero(t, n)
		w.charge(t, 10)
		violations, n, err := s.VerifyLedger(t.Context(), false)
		require.NoError(t, err)
		assert.Empty(t, violations)
		assert.EqualValues(t, 1, n, "what came late is dated after the seal")
		require.True(t, w.seal(t, 1))
		w.requireCleanBooks(t)
	})
}

func TestASealedOperationThatIsAlteredIsFound(t *testing.T) {
	t.Parallel()
	s := openFile(t, t.TempDir()+"/hub.db")
	w := newWorld(t, s, 1000)
	w.charge(t, 10)
	w.charge(t, 20)
	require.True(t, w.seal(t, 1))
	require.NoError(t, s.Exec(t.Context(), "UPDATE ledger_operations SET cause = 'forged' WHERE kind = 'charge' AND amount_nano = ?1", 10))
	violations, _, err := s.VerifyLedger(t.Context(), true)
	require.NoError(t, err)
	require.Len(t, violations, 1)
	assert.Equal(t, w.user.AccountID, violations[0].Subject)
	require.Error(t, s.Exec(t.Context(), "UPDATE ledger_seals SET hash = ?1", ""), "seals are append-only")
}

func TestNothingWrongIsSealed(t *testing.T) {
	t.Parallel()
	s := openFile(t, t.TempDir()+"/hub.db")
	w := newWorld(t, s, 1000)
	w.charge(t, 10)
	require.NoError(t, s.Exec(t.Context(), "UPDATE ledger_operations SET amount_nano = 11 WHERE kind = 'charge' AND amount_nano = ?1", 10))
	_, err := s.SealAccount(t.Context(), w.user.AccountID, -time.Second, 1)
	require.ErrorContains(t, err, "is not in order")
	violations, _, err := s.VerifyLedger(t.Context(), false)
	require.NoError(t, err)
	require.NotEmpty(t, violations)
}

func TestTheHorizonStopsBeforeACallThatIsNotInOrder(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := openStore(t, store.Options{URL: "file:" + t.TempDir() + "/hub.db", Now: func() time.Time { return now }})
	w := newWorld(t, s, 1000)
	for range 4 {
		w.charge(t, 10)
	}
	open := w.admission(10)
	require.NoError(t, s.Do(t.Context(), s.AdmitUnit(open)))
	w.charge(t, 10)
	more, err := s.AdvanceHorizon(t.Context())
	require.NoError(t, err)
	assert.False(t, more, "they are too young")
	now = now.Add(100 * time.Hour)
	more, err = s.AdvanceHorizon(t.Context())
	require.NoError(t, err)
	assert.False(t, more, "one is open")
	var horizon string
	require.NoError(t, s.Tx(t.Context(), horizonOf(&horizon)))
	assert.Less(t, horizon, open.CallID)
	assert.NotEmpty(t, horizon)
	w.requireCleanBooks(t)
	require.NoError(t, s.Do(t.Context(), s.SettleUnit(w.settlement(open, 10))))
	more, err = s.AdvanceHorizon(t.Context())
	require.NoError(t, err)
	assert.True(t, more)
	require.NoError(t, s.Tx(t.Context(), horizonOf(&horizon)))
	assert.Greater(t, horizon, open.CallID)
}

func horizonOf(id *string) func(context.Context, *store.Tx) error {
	return func(ctx context.Context, tx *store.Tx) error {
		return tx.QueryRowContext(ctx, "SELECT calls FROM ledger_horizon WHERE id = 1").Scan(id)
	}
}
