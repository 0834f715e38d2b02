package store_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/blank"
	"github.com/aigne-hub/aigne-hub/shared/testkit/hrana"
)

func TestTwoWritersOnOneFileNeverOverdraw(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "hub.db")
	a, b := openFile(t, path), openFile(t, path)
	w := newWorld(t, a, 50*7)
	var ok atomic.Int64
	var wg sync.WaitGroup
	for i := range 200 {
		s := a
		if i%2 == 1 {
			s = b
		}
		wg.Go(func() {
			x := w.admission(7)
			var err error
			for range 20 {
				if err = s.Do(context.Background(), s.AdmitUnit(x)); !errors.Is(err, store.ErrUnavailable) {
					break
				}
			}
			if err != nil {
				assert.ErrorIs(t, err, store.ErrInsufficient)
				return
			}
			ok.Add(1)
			assert.NoError(t, s.Do(context.Background(), s.SettleUnit(w.settlement(x, 7))))
		})
	}
	wg.Wait()
	assert.EqualValues(t, 50, ok.Load())
	assert.Equal(t, money.Credits(0), w.account(t).Balance)
	w.requireCleanBooks(t)
}

func TestALostAnswerIsSettledByTheSameUnitAgain(t *testing.T) {
	t.Parallel()
	server := hrana.New(t, hrana.Options{})
	s := openStore(t, store.Options{URL: server.URL, Token: hub.Secret(server.Token)})
	w := newWorld(t, s, 100)
	a := w.admission(60)
	server.Plan(hrana.Faults{Drop: 1, Match: "model_calls"})
	require.ErrorIs(t, s.Do(t.Context(), s.AdmitUnit(a)), store.ErrUnavailable)
	require.ErrorIs(t, s.Do(t.Context(), s.AdmitUnit(a)), store.ErrExists, "it had arrived")
	server.Plan(hrana.Faults{Drop: 1, Match: "open_owner"})
	x := w.settlement(a, 25)
	require.ErrorIs(t, s.Do(t.Context(), s.SettleUnit(x)), store.ErrUnavailable)
	require.ErrorIs(t, s.Do(t.Context(), s.SettleUnit(x)), store.ErrNotOpen, "the hold is gone: it was settled")
	assert.Equal(t, money.Credits(75), w.account(t).Balance)
	w.requireCleanBooks(t)
}

func TestATransactionThatTheServerLosesIsToBeTriedAgain(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "hub.db")
	blank.Copy(t, file) // a migration may take longer than this server lets a transaction be open
	server := hrana.New(t, hrana.Options{File: file, TxnTimeout: 300 * time.Millisecond})
	s := openStore(t, store.Options{URL: server.URL, Token: hub.Secret(server.Token)})
	bump := func(ctx context.Context, tx *store.Tx) error { return tx.Bump(ctx) }
	for _, f := range []hrana.Faults{{Errors: 1}, {Reset: 1}, {Drop: 1}} {
		f.Match = "UPDATE config_version"
		server.Plan(f)
		err := s.Tx(t.Context(), bump)
		require.ErrorIs(t, err, store.ErrUnavailable)
		assert.Equal(t, hub.CodeUnavailable, hub.CodeOf(err))
		assert.Eventually(t, func() bool { return s.Tx(t.Context(), bump) == nil }, 10*time.Second, 50*time.Millisecond, "once the server has given the lock back")
	}
	own := errors.New("the caller's own")
	require.ErrorIs(t, s.Tx(t.Context(), func(context.Context, *store.Tx) error { return own }), own)
	require.ErrorContains(t, s.Tx(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE no_such SET x = 1")
		return err
	}), "no such table", "a fault of the hub's is not hidden")
}

func TestAQueryThatTheServerDoesNotAnswerIsToBeTriedAgain(t *testing.T) {
	t.Parallel()
	server := hrana.New(t, hrana.Options{})
	s := openStore(t, store.Options{URL: server.URL, Token: hub.Secret(server.Token)})
	w := newWorld(t, s, 100)
	read := func() error { _, err := s.AccountByID(t.Context(), w.user.AccountID); return err }
	verify := func() error { _, _, err := s.VerifyLedger(t.Context(), true); return err }
	for _, ask := range []func() error{read, verify} {
		for _, f := range []hrana.Faults{{Errors: 3}, {Reset: 3}, {Drop: 3}} { // some are repeated by database/sql
			require.NoError(t, ask())
			f.Match = "held_nano"
			server.Plan(f)
			err := ask()
			server.Plan(hrana.Faults{})
			require.ErrorIs(t, err, store.ErrUnavailable)
			assert.Equal(t, hub.CodeUnavailable, hub.CodeOf(err))
		}
	}
	ctx, leave := context.WithCancel(t.Context())
	leave()
	_, err := s.AccountByID(ctx, "x")
	require.ErrorIs(t, err, context.Canceled)
	assert.NotErrorIs(t, err, store.ErrUnavailable, "nobody waits for it")
}

func TestACallerThatStopsWaitingHarmsNobody(t *testing.T) {
	t.Parallel()
	s := openFile(t, filepath.Join(t.TempDir(), "hub.db"))
	w := newWorld(t, s, 1_000_000)
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			ctx, cancel := context.WithCancel(context.Background())
			if i%3 == 0 {
				cancel()
			}
			defer cancel()
			a := w.admission(7)
			err := s.Do(ctx, s.AdmitUnit(a))
			if i%3 != 0 {
				assert.NoError(t, err)
			}
			err = s.Do(context.Background(), s.SettleUnit(w.settlement(a, 7)))
			var notSent *store.NotSentError
			if !errors.As(err, &notSent) && i%3 != 0 {
				assert.NoError(t, err)
			}
		})
	}
	wg.Wait()
	w.requireCleanBooks(t)
}

func TestOfTwoStartersOneMigratesAndBothGoOn(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "hub.db")
	var applied atomic.Int64
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			s, err := store.Open(context.Background(), store.Options{URL: "file:" + path})
			if !assert.NoError(t, err) {
				return
			}
			done, err := s.Migrate(context.Background())
			assert.NoError(t, err)
			applied.Add(int64(len(done)))
			assert.NoError(t, s.Close())
		})
	}
	wg.Wait()
	all, err := filepath.Glob("migrations/*.sql")
	require.NoError(t, err)
	assert.EqualValues(t, len(all), applied.Load(), "each is applied once")
}

func TestALeaseThatIsDeadStaysDead(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		id, err := s.OpenLease(ctx)
		require.NoError(t, err)
		require.NoError(t, s.RenewLease(ctx, id))
		require.ErrorIs(t, s.KillLease(ctx, id, 2, time.Hour), store.ErrNotFound, "it was just renewed")
		require.Eventually(t, func() bool { return s.KillLease(ctx, id, 2, time.Millisecond) == nil }, 5*time.Second, 5*time.Millisecond)
		require.ErrorIs(t, s.RenewLease(ctx, id), store.ErrLeaseLost)
	})
}

func TestATransactionIsOverWhenTxReturns(t *testing.T) {
	t.Parallel()
	s := openFile(t, filepath.Join(t.TempDir(), "hub.db"))
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	running := false // plain on purpose: the caller's variables belong to the caller again
	_ = s.Tx(ctx, func(context.Context, *store.Tx) error {
		running = true
		leave()
		time.Sleep(50 * time.Millisecond)
		running = false
		return nil
	})
	assert.False(t, running)
}
