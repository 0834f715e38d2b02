package ledger_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/ledger"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func (w *world) give(t *testing.T, g ledger.Gift) {
	t.Helper()
	if g.AccountID == "" {
		g.AccountID = w.user.AccountID
	}
	_, err := w.book.Grant(t.Context(), g)
	require.NoError(t, err)
}

func (w *world) account(t *testing.T) store.Account {
	t.Helper()
	a, err := w.book.Balance(t.Context(), w.user.AccountID)
	require.NoError(t, err)
	return a
}

func (w *world) settle(t *testing.T, a store.Admission, amount money.Credits) {
	t.Helper()
	require.NoError(t, w.Do(t.Context(), w.SettleUnit(store.Settlement{CallID: a.CallID, Owner: a.Owner, UserID: w.user.ID, AccountID: w.user.AccountID,
		Type: hub.TypeChat, Billing: true, SplitGrants: true, Status: hub.StatusSuccess, Amount: amount})))
}

func (w *world) reverse(t *testing.T, id string, amount money.Credits, grant string) ledger.Reversed {
	t.Helper()
	r, err := w.book.Reverse(t.Context(), ledger.Reversal{ID: id, AccountID: w.user.AccountID, GrantID: grant, Cause: ledger.Refund, Amount: amount, Reason: "test"})
	require.NoError(t, err)
	return r
}

func (w *world) remaining(t *testing.T) map[string]money.Credits {
	t.Helper()
	grants, err := w.Grants(t.Context(), w.user.AccountID)
	require.NoError(t, err)
	out := map[string]money.Credits{}
	for _, g := range grants {
		out[g.ID] = g.Remaining
	}
	return out
}

func TestAReversalTakesWhatIsFreeAndTheRestIsOwed(t *testing.T) {
	t.Parallel()
	w := open(t)
	lease, err := w.OpenLease(t.Context())
	require.NoError(t, err)
	w.give(t, ledger.Gift{ID: "gift", Amount: 20, Priority: 1})
	w.give(t, ledger.Gift{ID: "bought", Kind: ledger.Purchased, Amount: 100, Priority: 2})
	call := w.admit(t, lease, 70)

	assert.Equal(t, ledger.Reversed{Taken: 50, Debt: 40}, w.reverse(t, "r", 90, "bought"))
	assert.Equal(t, ledger.Reversed{Taken: 50, Debt: 40}, w.reverse(t, "r", 90, "bought"), "the same reversal again")
	assert.Equal(t, map[string]money.Credits{"gift": 20, "bought": 50}, w.remaining(t), "the reversed purchase is drawn from first")
	a := w.account(t)
	assert.Equal(t, []money.Credits{70, 70, 40}, []money.Credits{a.Balance, a.Held, a.Debt})
	require.ErrorIs(t, w.Do(t.Context(), w.AdmitUnit(w.admission(t, lease, 0))), store.ErrDebt, "who owes starts no call")
	w.clean(t)

	w.settle(t, call, 35)
	a = w.account(t)
	assert.Equal(t, []money.Credits{0, 0, 5}, []money.Credits{a.Balance, a.Held, a.Debt}, "what the call's hold freed is collected")
	w.clean(t)

	w.give(t, ledger.Gift{ID: "hello", Kind: ledger.Welcome, Amount: 3})
	assert.Equal(t, money.Credits(5), w.account(t).Debt, "a welcome pays no debt")
	w.give(t, ledger.Gift{ID: "again", Kind: ledger.Purchased, Amount: 30})
	a = w.account(t)
	assert.Equal(t, []money.Credits{28, 0}, []money.Credits{a.Balance, a.Debt}, "the next purchase does")
	assert.Equal(t, map[string]money.Credits{"gift": 0, "bought": 0, "hello": 3, "again": 25}, w.remaining(t))
	w.settle(t, w.admit(t, lease, 28), 28)
	assert.Zero(t, w.account(t).Balance)
	w.clean(t)
}

func TestAnAdjustmentIsWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	w := open(t)
	adjust := func(id string, amount money.Credits) error {
		return w.book.Adjust(t.Context(), ledger.Adjustment{ID: id, AccountID: w.user.AccountID, Amount: amount, Reason: "test"})
	}
	for range 2 {
		require.NoError(t, adjust("more", 50))
	}
	require.Equal(t, hub.CodeInvalid, hub.CodeOf(adjust("less", -51)))
	for range 2 {
		require.NoError(t, adjust("less", -20))
	}
	assert.Equal(t, money.Credits(30), w.account(t).Balance)
	for _, bad := range []ledger.Adjustment{{Amount: 1}, {Reason: "none"}, {Amount: -1 << 63, Reason: "far"}} {
		bad.AccountID = w.user.AccountID
		require.Equal(t, hub.CodeInvalid, hub.CodeOf(w.book.Adjust(t.Context(), bad)))
	}
	require.Equal(t, hub.CodeNotFound, hub.CodeOf(w.book.Adjust(t.Context(), ledger.Adjustment{AccountID: "nobody", Amount: 1, Reason: "test"})))
	w.clean(t)
}

func TestATransferKeepsWhatCreditsAre(t *testing.T) {
	t.Parallel()
	w := open(t)
	team, err := w.CreateWallet(t.Context(), store.Wallet{Name: "Team", Kind: "team"})
	require.NoError(t, err)
	end := time.Now().Add(time.Hour).Truncate(time.Millisecond).UTC()
	w.give(t, ledger.Gift{ID: "hello", Kind: ledger.Welcome, Amount: 10})
	w.give(t, ledger.Gift{ID: "gift", Amount: 20, ExpiresAt: &end, Priority: 7})
	w.give(t, ledger.Gift{ID: "bought", Kind: ledger.Purchased, Amount: 30})
	move := func(id string, amount money.Credits) error {
		return w.book.Transfer(t.Context(), ledger.Transfer{ID: id, From: w.user.AccountID, To: team.AccountID, Amount: amount, Reason: "test"})
	}
	require.Equal(t, hub.CodeInvalid, hub.CodeOf(move("much", 51)), "welcome credits stay")
	for range 2 {
		require.NoError(t, move("some", 35))
	}
	assert.Equal(t, map[string]money.Credits{"hello": 10, "gift": 0, "bought": 15}, w.remaining(t))
	got, err := w.Grants(t.Context(), team.AccountID)
	require.NoError(t, err)
	require.Len(t, got, 2)
	assert.Equal(t, []any{ledger.Promotional, money.Credits(20), int64(7), &end}, []any{got[0].Kind, got[0].Remaining, got[0].Priority, got[0].ExpiresAt})
	assert.Equal(t, []any{ledger.Purchased, money.Credits(15)}, []any{got[1].Kind, got[1].Remaining})
	require.Equal(t, hub.CodeInvalid, hub.CodeOf(w.book.Transfer(t.Context(), ledger.Transfer{From: "x", To: "x", Amount: 1})), "no reason")
	require.Equal(t, hub.CodeNotFound, hub.CodeOf(w.book.Transfer(t.Context(), ledger.Transfer{From: w.user.AccountID, To: "x", Amount: 1, Reason: "test"})))
	w.reverse(t, "r", 30, "")
	require.Equal(t, hub.CodeConflict, hub.CodeOf(move("owing", 1)))
	w.clean(t)
}

func TestAPurchasePaysACreditLineBack(t *testing.T) {
	t.Parallel()
	w := open(t)
	lease, err := w.OpenLease(t.Context())
	require.NoError(t, err)
	lend := func(limit, want money.Credits) {
		t.Helper()
		got, err := w.book.Lend(t.Context(), w.user.AccountID, limit, "test")
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	lend(40, 40)
	lend(40, 0)
	w.settle(t, w.admit(t, lease, 30), 30)
	lend(40, 0)
	w.give(t, ledger.Gift{ID: "bought", Kind: ledger.Purchased, Amount: 25})
	a := w.account(t)
	assert.Equal(t, money.Credits(10), a.Balance, "25 of the 30 spent are paid back")
	w.give(t, ledger.Gift{ID: "more", Kind: ledger.Purchased, Amount: 25})
	assert.Equal(t, money.Credits(30), w.account(t).Balance)
	assert.Equal(t, money.Credits(20), w.remaining(t)["more"])
	lend(40, 30)
	w.clean(t)
	w.reverse(t, "r", 100, "")
	_, err = w.book.Lend(t.Context(), w.user.AccountID, 100, "test")
	require.Equal(t, hub.CodeConflict, hub.CodeOf(err), "nothing is lent to who owes")
	w.clean(t)
}

func TestANewUserIsWelcomedOnce(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.book.WelcomeGift = ledger.WelcomeGift{Amount: 5, Life: time.Hour}
	granted := make(chan bool)
	for range 20 {
		go func() {
			ok, err := w.book.Welcome(t.Context(), w.user.ID, w.user.AccountID)
			assert.NoError(t, err)
			granted <- ok
		}()
	}
	n := 0
	for range 20 {
		if <-granted {
			n++
		}
	}
	assert.Equal(t, 1, n)
	assert.Equal(t, money.Credits(5), w.account(t).Balance)
	w.clean(t)
}
