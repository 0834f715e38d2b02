package store_test

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func addPayment(t *testing.T, s *store.Store, u store.User, credits money.Credits, amount int64) store.Payment {
	t.Helper()
	p := store.Payment{ID: s.NewID(), Kind: "checkout", UserID: u.ID, AccountID: u.AccountID, Credits: credits, Amount: amount, Currency: "usd", CustomerID: "cus", State: "new"}
	require.NoError(t, s.AddPayment(t.Context(), p, time.Hour))
	require.NoError(t, s.OpenPayment(t.Context(), p.ID, "cs_"+p.ID, "", time.Hour))
	return p
}

// inTx runs fn in one transaction.
func inTx(t *testing.T, s *store.Store, fn func(ctx context.Context, tx *store.Tx) error) {
	t.Helper()
	require.NoError(t, s.Tx(t.Context(), fn))
}

func settle(t *testing.T, s *store.Store, p store.Payment) {
	t.Helper()
	inTx(t, s, func(ctx context.Context, tx *store.Tx) error {
		row, err := tx.PaymentBySession(ctx, "cs_"+p.ID)
		if err != nil {
			return err
		}
		return s.SettlePayment(ctx, tx, row, store.Paid{IntentID: "pi_" + p.ID, Total: p.Amount, Receipt: "{}"})
	})
}

func TestAPaymentAndWhatGoesBackOfIt(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		u := people(t, s, 1)[0]
		p := addPayment(t, s, u, 10, 3) // three cents for ten nano-credits: nothing divides evenly
		settle(t, s, p)
		settle(t, s, p)
		balance := func() money.Credits {
			a, err := s.AccountByID(t.Context(), u.AccountID)
			require.NoError(t, err)
			return a.Balance - a.Debt
		}
		assert.Equal(t, money.Credits(10), balance())
		for _, step := range []struct{ refunded, want int64 }{{1, 7}, {1, 7}, {2, 4}, {1, 4}, {3, 0}, {3, 0}} {
			inTx(t, s, func(ctx context.Context, tx *store.Tx) error {
				return s.NoteRefund(ctx, tx, "pi_"+p.ID, "ch", step.refunded)
			})
			assert.Equal(t, money.Credits(step.want), balance())
		}
		inTx(t, s, func(ctx context.Context, tx *store.Tx) error {
			return s.NoteDispute(ctx, tx, "pi_"+p.ID, "ch", store.Dispute{ID: "dp", Amount: 3, Currency: "usd", Stage: store.DisputeOpen})
		})
		assert.Equal(t, money.Credits(0), balance(), "no more than all goes back")
		receipts, err := s.Receipts(t.Context(), u.ID, 0, 10)
		require.NoError(t, err)
		require.Len(t, receipts, 1)
		b := receipts[0].Backs
		assert.Equal(t, [3]int64{3, 3, 10}, [3]int64{b.Refunded, b.Disputed, int64(b.Reversed)})
		violations, _, err := s.VerifyLedger(t.Context(), true)
		require.NoError(t, err)
		assert.Empty(t, violations)
		require.NoError(t, s.ForgetEvents(t.Context()))
	})
}

func TestADisputeThatIsWonGivesBackOverAnyServer(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		u := people(t, s, 1)[0]
		p := addPayment(t, s, u, 1000, 500)
		dispute := func(stage int64) {
			inTx(t, s, func(ctx context.Context, tx *store.Tx) error {
				return s.NoteDispute(ctx, tx, "pi_"+p.ID, "ch", store.Dispute{ID: "dp", Amount: 250, Currency: "usd", Stage: stage})
			})
		}
		dispute(store.DisputeOpen) // before the purchase
		settle(t, s, p)
		a, err := s.AccountByID(t.Context(), u.AccountID)
		require.NoError(t, err)
		assert.Equal(t, money.Credits(500), a.Balance)
		dispute(store.DisputeWon)
		dispute(store.DisputeOpen) // late
		dispute(store.DisputeLost)
		a, err = s.AccountByID(t.Context(), u.AccountID)
		require.NoError(t, err)
		assert.Equal(t, money.Credits(1000), a.Balance)
		inTx(t, s, func(ctx context.Context, tx *store.Tx) error {
			fresh, err := s.NoteEvent(ctx, tx, "evt")
			assert.True(t, fresh)
			return err
		})
		inTx(t, s, func(ctx context.Context, tx *store.Tx) error {
			fresh, err := s.NoteEvent(ctx, tx, "evt")
			assert.False(t, fresh)
			return err
		})
	})
}

func TestReceiptsHaveNoGaps(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "hub.db")
	a, b := openFile(t, path), openFile(t, path)
	users := people(t, a, 2)
	const each = 20
	var wg sync.WaitGroup
	for i := range 2 * each {
		p := addPayment(t, a, users[i%2], 1000, 500)
		s := a
		if i%3 == 0 {
			s = b
		}
		wg.Go(func() {
			for {
				err := s.Tx(context.Background(), func(ctx context.Context, tx *store.Tx) error {
					row, err := tx.PaymentBySession(ctx, "cs_"+p.ID)
					if err != nil {
						return err
					}
					if i%5 == 4 {
						if err := s.SettlePayment(ctx, tx, row, store.Paid{IntentID: "pi_" + p.ID, Total: 500, Receipt: "{}"}); err != nil {
							return err
						}
						return store.ErrNotFound // it comes to nothing
					}
					return s.SettlePayment(ctx, tx, row, store.Paid{IntentID: "pi_" + p.ID, Total: 500, Receipt: "{}"})
				})
				if i%5 == 4 || err == nil {
					return
				}
			}
		})
	}
	wg.Wait()
	all, err := a.Receipts(t.Context(), "", 0, 100)
	require.NoError(t, err)
	require.Len(t, all, 2*each*4/5)
	for i, r := range all {
		assert.EqualValues(t, len(all)-i, r.Number)
	}
	own, err := a.Receipts(t.Context(), users[0].ID, all[0].Number, 3)
	require.NoError(t, err)
	require.Len(t, own, 3)
	for _, r := range own {
		assert.Equal(t, users[0].ID, r.Payment.UserID)
		assert.Less(t, r.Number, all[0].Number)
	}
	list, err := a.Payments(t.Context(), users[0].AccountID, "paid", "", 100)
	require.NoError(t, err)
	assert.Len(t, list, each*4/5)
	list, err = a.Payments(t.Context(), "", "", list[3].ID, 2)
	require.NoError(t, err)
	assert.Len(t, list, 2)
}

func TestATopUpBeginsOnceAndWithinItsCap(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		u := people(t, s, 1)[0]
		_, err := s.AddCardCustomer(t.Context(), u.ID, "cus_1")
		require.NoError(t, err)
		c, err := s.AddCardCustomer(t.Context(), u.ID, "cus_2")
		require.NoError(t, err)
		assert.Equal(t, "cus_1", c.CustomerID, "the first one stays")
		require.NoError(t, s.SetCard(t.Context(), u.ID, "pm_1", "visa"))
		top := store.TopUp{AccountID: u.AccountID, UserID: u.ID, Threshold: 5, Credits: 10, MonthlyCap: 250, Currency: "usd", Enabled: true}
		require.NoError(t, s.SetTopUp(t.Context(), top))
		begin := func() (string, error) {
			p := store.Payment{ID: s.NewID(), AccountID: u.AccountID, Credits: 10, Amount: 100, Currency: "usd", CustomerID: "cus_1", MethodID: "pm_1"}
			return p.ID, s.BeginTopUp(t.Context(), p, time.Minute)
		}
		due := func() int {
			list, err := s.DueTopUps(t.Context(), "", 10)
			require.NoError(t, err)
			return len(list)
		}
		assert.Equal(t, 1, due())
		require.NoError(t, s.SetUserDisabled(t.Context(), u.ID, true))
		_, err = begin()
		require.ErrorIs(t, err, store.ErrNotFound, "nobody is charged who cannot use it")
		require.NoError(t, s.SetUserDisabled(t.Context(), u.ID, false))
		first, err := begin()
		require.NoError(t, err)
		_, err = begin()
		require.ErrorIs(t, err, store.ErrNotFound, "one at a time")
		assert.Equal(t, 0, due())
		require.NoError(t, s.EndPayment(t.Context(), first, "failed", "x"))
		require.ErrorIs(t, s.EndPayment(t.Context(), first, "failed", "x"), store.ErrNotFound)
		for range 2 {
			id, err := begin()
			require.NoError(t, err)
			inTx(t, s, func(ctx context.Context, tx *store.Tx) error {
				p, err := tx.PaymentByID(ctx, id)
				if err != nil {
					return err
				}
				return s.SettlePayment(ctx, tx, p, store.Paid{IntentID: "pi_" + id, Total: 100, Receipt: "{}"})
			})
			a, err := s.AccountByID(t.Context(), u.AccountID)
			require.NoError(t, err)
			inTx(t, s, func(ctx context.Context, tx *store.Tx) error {
				_, err := s.ReverseIn(ctx, tx, store.Reversal{ID: id, AccountID: u.AccountID, Cause: "correction", Amount: a.Balance, Actor: "test"})
				return err
			})
		}
		spent, err := s.MonthSpent(t.Context(), u.AccountID)
		require.NoError(t, err)
		assert.EqualValues(t, 200, spent)
		_, err = begin()
		require.ErrorIs(t, err, store.ErrNotFound, "a third one is above the cap")
		for range 3 {
			inTx(t, s, func(ctx context.Context, tx *store.Tx) error {
				return tx.TopUpFailed(ctx, u.AccountID, "declined", 3, time.Hour)
			})
			assert.Equal(t, 0, due())
		}
		top, err = s.TopUpOf(t.Context(), u.AccountID)
		require.NoError(t, err)
		assert.False(t, top.Enabled)
		_, err = s.DueTopUp(t.Context(), u.AccountID)
		require.ErrorIs(t, err, store.ErrNotFound)
	})
}

func TestARefundDuringACallTakesWhatIsFreeAndTheRestWhenItEnds(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, 0)
		p := addPayment(t, s, w.user, 100, 1000)
		settle(t, s, p)
		a := w.admission(60)
		require.NoError(t, s.Do(t.Context(), s.AdmitUnit(a)))
		inTx(t, s, func(ctx context.Context, tx *store.Tx) error { return s.NoteRefund(ctx, tx, "pi_"+p.ID, "ch", 1000) })
		acc := w.account(t)
		assert.Equal(t, [3]money.Credits{60, 60, 60}, [3]money.Credits{acc.Balance, acc.Held, acc.Debt}, "what the call holds is not touched")
		require.NoError(t, s.Do(t.Context(), s.SettleUnit(w.settlement(a, 25))))
		acc = w.account(t)
		assert.Equal(t, [3]money.Credits{0, 0, 25}, [3]money.Credits{acc.Balance, acc.Held, acc.Debt}, "what it did not use pays the debt")
		inTx(t, s, func(ctx context.Context, tx *store.Tx) error {
			return s.NoteDispute(ctx, tx, "pi_"+p.ID, "ch", store.Dispute{ID: "dp", Amount: 1000, Currency: "usd", Stage: store.DisputeLost})
		})
		next := addPayment(t, s, w.user, 40, 400)
		settle(t, s, next)
		acc = w.account(t)
		assert.Equal(t, [2]money.Credits{15, 0}, [2]money.Credits{acc.Balance, acc.Debt})
		w.requireCleanBooks(t)
	})
}
