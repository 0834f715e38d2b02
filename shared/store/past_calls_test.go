package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func TestCallsOfThePastBelongToTheHistoryAndNotToTheBooks(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		now := time.Now()
		u, err := s.TakeUser(ctx, store.User{Email: "z1abcdefghijk@did.invalid", Role: hub.RoleMember, DID: "z1abcdefghijk", Groups: []string{"vip"}, DisabledAt: &now})
		require.NoError(t, err)
		back, err := s.UserByEmail(ctx, u.Email)
		require.NoError(t, err)
		assert.Equal(t, "z1abcdefghijk", back.DID)
		assert.Equal(t, []string{"vip"}, back.Groups)
		assert.NotNil(t, back.DisabledAt)
		_, err = s.TakeUser(ctx, store.User{Email: "other@example.com", Role: hub.RoleMember, DID: "z1abcdefghijk"})
		require.ErrorIs(t, err, store.ErrConflict, "one DID is one user")

		calls := make([]store.PastCall, 3)
		for i := range calls {
			calls[i] = store.PastCall{ID: fmt.Sprintf("01H0000000000000000000000%d", i), CreatedAt: 1_700_000_000_000, FinishedAt: 1_700_000_001_000, UserID: u.ID, App: "app",
				Type: hub.TypeChat, Provider: "openai", Model: "m'\"", Requested: "openai/m", Status: hub.StatusSuccess, Credits: money.Credit / 4}
			calls[i].Usage[hub.Input], calls[i].Usage[hub.Images] = 5, 2
		}
		ms := int64(7)
		calls[1].DurationMS = &ms
		calls[2].Credits, calls[2].Reported.Pending, calls[2].Reported.Credits, calls[2].Reported.Tokens = 0, true, 2*money.Credit, map[string]int64{"input": 9}
		added, err := s.AddPastCalls(ctx, calls[:2], "import/x", "b")
		require.NoError(t, err)
		assert.EqualValues(t, 2, added)
		added, err = s.AddPastCalls(ctx, calls, "import/x", "c")
		require.NoError(t, err)
		assert.EqualValues(t, 1, added, "what is there is not put in again")
		mark, err := s.Setting(ctx, "import/x")
		require.NoError(t, err)
		assert.Equal(t, "c", mark)
		n, err := s.HasCalls(ctx, []string{calls[0].ID, "none", calls[2].ID})
		require.NoError(t, err)
		assert.EqualValues(t, 2, n)

		c, err := s.CallByID(ctx, calls[1].ID)
		require.NoError(t, err)
		assert.Equal(t, money.Credit/4, c.Credits)
		assert.Equal(t, calls[1].Usage, c.Usage)
		assert.Equal(t, &ms, c.DurationMS)
		assert.Equal(t, "m'\"", c.Model)
		assert.Equal(t, hub.UsageImported, c.Source)
		assert.False(t, c.Billing)
		account, err := s.AccountByID(ctx, u.AccountID)
		require.NoError(t, err)
		assert.Zero(t, account.Balance, "no wallet here pays for it")
		amount, waits, err := s.Unconfirmed(ctx, u.ID)
		require.NoError(t, err)
		assert.True(t, waits)
		assert.Equal(t, 2*money.Credit, amount, "only what is to be reported is")
		require.NoError(t, s.Exec(ctx, "UPDATE payment_customers SET opened_at = ?1 WHERE user_id = ?2", 1, u.ID))
		waiting, err := s.PendingUsage(ctx, 10)
		require.NoError(t, err)
		require.Equal(t, []store.PendingUsage{{UserID: u.ID, AppID: "app"}}, waiting)
		require.NoError(t, s.Do(ctx, s.BatchUnit(waiting[0])))
		batches, err := s.Batches(ctx, store.BatchPending, "", 10)
		require.NoError(t, err)
		require.Len(t, batches, 1)
		assert.Equal(t, 2*money.Credit, batches[0].Amount)
		assert.Equal(t, "z1abcdefghijk", batches[0].DID)
		violations, _, err := s.VerifyLedger(ctx, true)
		require.NoError(t, err)
		assert.Empty(t, violations)
	})
}

func TestAKeyThatClientsHoldIsTakenOnceWithItsLimits(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		u, err := s.CreateUser(ctx, store.User{Email: "a@example.com", Role: hub.RoleMember})
		require.NoError(t, err)
		row := store.APIKey{UserID: u.ID, Name: "k", Hash: "h", Hint: "1234", Models: []string{"m"}}
		k, err := s.TakeKey(ctx, row, []store.Limit{{Metric: "credits", Period: "month", Amount: 5}})
		require.NoError(t, err)
		_, err = s.TakeKey(ctx, row, nil)
		require.ErrorIs(t, err, store.ErrConflict)
		limits, err := s.LimitsOf(ctx, "key", k.ID)
		require.NoError(t, err)
		require.Len(t, limits, 1)
		assert.EqualValues(t, 5, limits[0].Amount)
	})
}
