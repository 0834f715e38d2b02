package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func (w *world) slice(a store.Admission, number int64, hold, amount money.Credits) store.Slice {
	return store.Slice{CallID: a.CallID, Number: number, AccountID: a.Caller.AccountID, Owner: a.Owner, Hold: hold, Tokens: int64(hold),
		Usage: hub.Usage{hub.Input: 3, hub.Output: int64(amount), hub.WebSearches: 1}, Source: hub.UsageEstimated, Amount: amount, Provider: "openai", Model: "m",
		CredentialID: "c", Credential: "key", RateID: "rate", RateVersion: 7}
}

func TestASliceExtendsTheHoldOnceAndNoFurtherThanTheWallet(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, 100)
		a := w.admission(60)
		require.NoError(t, s.Do(t.Context(), s.AdmitUnit(a)))
		_, err := s.LastSlice(t.Context(), a.CallID)
		require.ErrorIs(t, err, store.ErrNotFound)

		first := w.slice(a, 1, 80, 20)
		require.NoError(t, s.Do(t.Context(), s.SliceUnit(first)))
		require.ErrorIs(t, s.Do(t.Context(), s.SliceUnit(first)), store.ErrExists, "the same unit again is harmless")
		assert.Equal(t, money.Credits(80), w.account(t).Held)
		require.ErrorIs(t, s.Do(t.Context(), s.SliceUnit(w.slice(a, 2, 101, 40))), store.ErrInsufficient)
		assert.Equal(t, money.Credits(80), w.account(t).Held, "a refused one leaves no trace")
		require.NoError(t, s.Do(t.Context(), s.SliceUnit(w.slice(a, 2, 100, 40))), "under the same number")
		assert.Zero(t, w.account(t).Available())
		w.requireCleanBooks(t)

		last, err := s.LastSlice(t.Context(), a.CallID)
		require.NoError(t, err)
		assert.WithinDuration(t, time.Now(), last.CreatedAt, time.Minute)
		want := w.slice(a, 2, 100, 40)
		want.CreatedAt = last.CreatedAt
		assert.Equal(t, want, last)
		all, err := s.Slices(t.Context(), a.CallID)
		require.NoError(t, err)
		assert.Len(t, all, 2)
		c, err := s.CallByID(t.Context(), a.CallID)
		require.NoError(t, err)
		assert.Equal(t, money.Credits(100), c.Hold)

		x := w.settlement(a, 90)
		x.Policy = hub.MoneyEnded
		require.NoError(t, s.Do(t.Context(), s.SettleUnit(x)))
		assert.Equal(t, money.Credits(10), w.account(t).Available())
		require.ErrorIs(t, s.Do(t.Context(), s.SliceUnit(w.slice(a, 3, 100, 40))), store.ErrNotOpen, "late, after the end")
		c, err = s.CallByID(t.Context(), a.CallID)
		require.NoError(t, err)
		assert.Equal(t, hub.MoneyEnded, c.ChargePolicy)
		w.requireCleanBooks(t)
	})
}

func TestASliceOfSomebodyElsesCallIsRefused(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, 100)
		a := w.admission(60)
		require.NoError(t, s.Do(t.Context(), s.AdmitUnit(a)))
		x := w.slice(a, 1, 80, 20)
		x.Owner = "another process"
		require.ErrorIs(t, s.Do(t.Context(), s.SliceUnit(x)), store.ErrNotOpen)
		assert.Equal(t, money.Credits(60), w.account(t).Held)
	})
}

func TestASliceIsNotPaidFromAGrantThatIsDue(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, 0)
		soon := time.Now().Add(300 * time.Millisecond)
		require.NoError(t, s.Do(t.Context(), s.GrantUnit(store.Grant{ID: s.NewID(), AccountID: w.user.AccountID, Kind: "promotional", Amount: 100, ExpiresAt: &soon})))
		a := w.admission(30)
		require.NoError(t, s.Do(t.Context(), s.AdmitUnit(a)))
		require.NoError(t, s.Do(t.Context(), s.SliceUnit(w.slice(a, 1, 40, 5))))
		time.Sleep(time.Until(soon) + 50*time.Millisecond)
		require.ErrorIs(t, s.Do(t.Context(), s.SliceUnit(w.slice(a, 2, 50, 5))), store.ErrGrantsDue)
		require.ErrorIs(t, s.Do(t.Context(), s.SliceUnit(w.slice(a, 1, 40, 5))), store.ErrExists, "what was done before stays done")
		_, err := s.ExpireGrants(t.Context(), w.user.AccountID)
		require.NoError(t, err)
		assert.Equal(t, money.Credits(40), w.account(t).Balance, "the hold keeps what it has")
		require.NoError(t, s.Do(t.Context(), s.SettleUnit(w.settlement(a, 40))))
		w.requireCleanBooks(t)
	})
}

func TestWhatACallReservedOfItsLimitsGrowsWithItsHold(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, 1000)
		budget, tokens := w.limit(t, "credits", "day", 100), w.limit(t, "tokens", "hour", 500)
		budget.Amount, tokens.Amount = 60, 100
		a := w.admission(60)
		a.Limits = []store.LimitHold{budget, tokens}
		require.NoError(t, s.Do(t.Context(), s.AdmitUnit(a)))
		x := w.slice(a, 1, 90, 20)
		budget.Amount, tokens.Amount = 90, 300
		x.Limits = []store.LimitHold{budget, tokens}
		require.NoError(t, s.Do(t.Context(), s.SliceUnit(x)))
		assert.EqualValues(t, 90, w.used(t, budget))
		assert.EqualValues(t, 300, w.used(t, tokens))

		x = w.slice(a, 2, 101, 20)
		budget.Amount = 101
		x.Limits = []store.LimitHold{budget, tokens}
		require.ErrorIs(t, s.Do(t.Context(), s.SliceUnit(x)), store.ErrLimit)
		assert.Equal(t, money.Credits(90), w.account(t).Held)
		assert.EqualValues(t, 90, w.used(t, budget))
		require.NoError(t, s.Do(t.Context(), s.SettleUnit(w.settlement(a, 55))))
		assert.EqualValues(t, 55, w.used(t, budget), "corrected to what was used")
		assert.EqualValues(t, 15, w.used(t, tokens))
		w.requireCleanBooks(t)
	})
}
