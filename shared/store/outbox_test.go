package store_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// known makes the world's user a customer whose grants were taken over.
func (w *world) known(t *testing.T) {
	t.Helper()
	w.ReportUsage(true)
	require.NoError(t, w.SetDID(t.Context(), w.user.ID, "z"+w.user.ID))
	require.NoError(t, w.OpenCustomer(t.Context(), w.user.ID, 0))
}

func (w *world) batch(t *testing.T) []store.Batch {
	t.Helper()
	groups, err := w.PendingUsage(t.Context(), 100)
	require.NoError(t, err)
	for _, g := range groups {
		require.NoError(t, w.Do(t.Context(), w.BatchUnit(g)))
	}
	due, err := w.DueBatches(t.Context(), 100)
	require.NoError(t, err)
	return due
}

func TestUsageOfKnownUsersGoesIntoBatchesOnce(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, 1000)
		ctx := t.Context()
		w.charge(t, 5) // nobody reports yet
		s.ReportUsage(true)
		w.charge(t, 7) // nobody knows the user outside
		require.NoError(t, s.SetDID(ctx, w.user.ID, "zUser"))
		require.NoError(t, s.SetDID(ctx, w.user.ID, "zUser"), "the same again is harmless")
		require.ErrorIs(t, s.SetDID(ctx, w.user.ID, "zOther"), store.ErrNotFound, "a DID stays")
		w.charge(t, 11)
		assert.Empty(t, w.batch(t), "the user's grants were not taken over")
		require.NoError(t, s.OpenCustomer(ctx, w.user.ID, 0))
		w.charge(t, 13)
		w.charge(t, 0) // costs nothing
		due := w.batch(t)
		require.Len(t, due, 1)
		b := due[0]
		assert.Equal(t, money.Credits(24), b.Amount)
		assert.EqualValues(t, 2, b.Calls)
		assert.Equal(t, "zUser", b.DID)
		again := w.batch(t)
		assert.Equal(t, due, again, "there is nothing more")
		o, err := s.Outbox(ctx)
		require.NoError(t, err)
		assert.Zero(t, o.Calls)
		assert.EqualValues(t, 1, o.Pending)
		assert.Equal(t, b.ID, o.OldestID)

		require.NoError(t, s.ClaimBatch(ctx, b, time.Minute))
		require.ErrorIs(t, s.ClaimBatch(ctx, b, time.Minute), store.ErrNotFound, "somebody has it")
		none, err := s.DueBatches(ctx, 10)
		require.NoError(t, err)
		assert.Empty(t, none)
		require.NoError(t, s.BuryBatch(ctx, b.ID, "refused"))
		amount, open, err := s.Unconfirmed(ctx, w.user.ID)
		require.NoError(t, err)
		assert.True(t, open, "what is dead has not arrived")
		assert.Equal(t, money.Credits(24), amount)
		dead, err := s.Batches(ctx, store.BatchDead, "", 10)
		require.NoError(t, err)
		require.Len(t, dead, 1)
		assert.Equal(t, "refused", dead[0].Error)
		require.NoError(t, s.ReviveBatch(ctx, b.ID))
		require.ErrorIs(t, s.ReviveBatch(ctx, b.ID), store.ErrNotFound)
		for range 2 {
			require.NoError(t, s.ConfirmBatch(ctx, b.ID))
		}
		require.ErrorIs(t, s.ReviveBatch(ctx, b.ID), store.ErrNotFound, "what has arrived is not sent again")
		require.NoError(t, s.BuryBatch(ctx, b.ID, "too late"))
		_, open, err = s.Unconfirmed(ctx, w.user.ID)
		require.NoError(t, err)
		assert.False(t, open)
		c, err := s.CustomerOf(ctx, w.user.ID)
		require.NoError(t, err)
		assert.EqualValues(t, -24, c.Expected, "confirmed twice, counted once")
		w.requireCleanBooks(t)
	})
}

func TestACorrectionIsReportedBesideWhatWas(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, 1000)
		w.known(t)
		ctx := t.Context()
		a := w.admission(100)
		require.NoError(t, s.Do(ctx, s.AdmitUnit(a)))
		x := w.settlement(a, 10)
		x.Status = hub.StatusInterrupted
		require.NoError(t, s.Do(ctx, s.SettleUnit(x)))
		first := w.batch(t)
		require.Len(t, first, 1)
		require.NoError(t, s.Do(ctx, s.CorrectUnit(w.settlement(a, 34))))
		both := w.batch(t)
		require.Len(t, both, 2)
		assert.Equal(t, money.Credits(34), both[0].Amount+both[1].Amount)
		for _, b := range both {
			require.NoError(t, s.ConfirmBatch(ctx, b.ID))
		}
		_, open, err := s.Unconfirmed(ctx, w.user.ID)
		require.NoError(t, err)
		assert.False(t, open)
		w.requireCleanBooks(t)
	})
}

func TestSharedWalletsAreNotReported(t *testing.T) {
	t.Parallel()
	s := openFile(t, filepath.Join(t.TempDir(), "hub.db"))
	w := newWorld(t, s, 100)
	w.known(t)
	team, err := s.CreateWallet(t.Context(), store.Wallet{Name: "team", Kind: "team"})
	require.NoError(t, err)
	require.NoError(t, s.Do(t.Context(), s.GrantUnit(store.Grant{ID: s.NewID(), AccountID: team.AccountID, Kind: "promotional", Amount: 100, Priority: 50})))
	w.user.AccountID = team.AccountID
	w.charge(t, 5)
	assert.Empty(t, w.batch(t), "the team pays, whom nobody knows outside")
}

func TestConcurrentBatchersTakeEachCallOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "hub.db")
	a, b := openFile(t, path), openFile(t, path)
	b.ReportUsage(true)
	w := newWorld(t, a, 1_000_000)
	w.known(t)
	var total money.Credits
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for _, s := range []*store.Store{a, b} {
		wg.Go(func() {
			for {
				groups, err := s.PendingUsage(context.Background(), 10)
				assert.NoError(t, err)
				for _, g := range groups {
					if err := s.Do(context.Background(), s.BatchUnit(g)); err != nil && !errors.Is(err, store.ErrUnavailable) {
						assert.NoError(t, err)
					}
				}
				select {
				case <-stop:
					return
				case <-time.After(time.Millisecond):
				}
			}
		})
	}
	for i := range 150 {
		w.charge(t, money.Credits(i+1))
		total += money.Credits(i + 1)
	}
	close(stop)
	wg.Wait()
	w.batch(t)
	all, err := a.Batches(t.Context(), store.BatchPending, "", 1000)
	require.NoError(t, err)
	var sum money.Credits
	for _, x := range all {
		sum += x.Amount
	}
	assert.Equal(t, total, sum)
	w.requireCleanBooks(t)
}

func TestDurableIsAnsweredWhereverTheDataLies(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, 100)
		w.charge(t, 5)
		require.NoError(t, s.Durable(t.Context()))
	})
	full := openStore(t, store.Options{URL: "file:" + filepath.Join(t.TempDir(), "hub.db"), Synchronous: "FULL"})
	require.NoError(t, full.Durable(t.Context()))
}

func TestACustomersStoryIsKept(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, 0)
		ctx := t.Context()
		_, err := s.CustomerOf(ctx, w.user.ID)
		require.ErrorIs(t, err, store.ErrNotFound)
		w.known(t)
		g := store.Grant{ID: "pk/cg_1", AccountID: w.user.AccountID, Kind: "purchased", Amount: 100, Priority: 50}
		require.NoError(t, s.Do(ctx, s.MirrorUnit(w.user.ID, "cg_1", g, 90)))
		require.ErrorIs(t, s.Do(ctx, s.MirrorUnit(w.user.ID, "cg_1", g, 90)), store.ErrConflict)
		require.NoError(t, s.SkipMirror(ctx, w.user.ID, "cg_0"))
		require.NoError(t, s.SeeMirror(ctx, "cg_1", 80))
		all, err := s.MirroredGrants(ctx, w.user.ID)
		require.NoError(t, err)
		assert.Equal(t, []store.MirroredGrant{{ID: "cg_0", Ended: true}, {ID: "cg_1", Remaining: 80}}, all)
		for range 2 {
			require.NoError(t, s.EndMirror(ctx, w.user.ID, "cg_1", 80))
		}
		c, err := s.CustomerOfWallet(ctx, w.user.AccountID)
		require.NoError(t, err)
		assert.EqualValues(t, 20, c.Expected)

		since := time.UnixMilli(1_800_000_000_000).UTC()
		require.NoError(t, s.NoteDrift(ctx, w.user.ID, -7, &since))
		require.NoError(t, s.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
			return s.TakeIn(ctx, tx, store.Reversal{ID: "drift", AccountID: w.user.AccountID, Cause: "adjust", Amount: 5, Reason: "r"})
		}))
		for range 2 {
			require.NoError(t, s.TakeDrift(ctx, w.user.ID, "adjust/drift", since))
		}
		c, err = s.CustomerNamed(ctx, "z"+w.user.ID)
		require.NoError(t, err)
		assert.EqualValues(t, 15, c.Expected, "by what was taken, once")
		assert.Nil(t, c.DriftSince)

		require.NoError(t, s.AskWelcome(ctx, c))
		require.ErrorIs(t, s.AskWelcome(ctx, c), store.ErrNotFound, "another one asks")
		require.NoError(t, s.GaveWelcome(ctx, w.user.ID))
		due, err := s.DueCustomers(ctx, time.Now(), 10)
		require.NoError(t, err)
		require.Len(t, due, 1)
		require.NoError(t, s.NameCustomer(ctx, w.user.ID, "cus_1"))
		named, err := s.CustomerNamed(ctx, "cus_1")
		require.NoError(t, err)
		assert.Equal(t, w.user.ID, named.UserID)
		_, err = s.CustomerNamed(ctx, "")
		require.ErrorIs(t, err, store.ErrNotFound)
		require.NoError(t, s.SyncedCustomer(ctx, w.user.ID))
		due, err = s.DueCustomers(ctx, time.Now().Add(-time.Minute), 10)
		require.NoError(t, err)
		assert.Empty(t, due)
		w.requireCleanBooks(t)
	})
}
