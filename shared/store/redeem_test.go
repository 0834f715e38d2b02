package store_test

import (
	"context"
	"errors"
	"fmt"
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
)

func people(t *testing.T, s *store.Store, n int) []store.User {
	t.Helper()
	all := make([]store.User, n)
	for i := range all {
		var err error
		all[i], err = s.CreateUser(t.Context(), store.User{Email: s.NewID() + "@example.com", Role: hub.RoleMember})
		require.NoError(t, err)
	}
	return all
}

func addCode(t *testing.T, s *store.Store, change func(*store.RedeemCode)) store.RedeemCode {
	t.Helper()
	id := s.NewID()
	c := store.RedeemCode{ID: id, Hash: "hash-" + id, Hint: "ABCD", Sealed: "v1.k.x", KeyID: "k", Batch: "b", Amount: 5, Kind: "promotional", Priority: 50, MaxUses: 1, Actor: "test"}
	if change != nil {
		change(&c)
	}
	require.NoError(t, s.AddRedeemCodes(t.Context(), []store.RedeemCode{c}))
	return c
}

func TestACodeIsRedeemedAsOftenAsItAllows(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		users := people(t, s, 4)
		c := addCode(t, s, func(c *store.RedeemCode) { c.MaxUses, c.Life = 3, time.Hour })
		for i, u := range users {
			g, err := s.Redeem(t.Context(), c.Hash, u.ID, u.AccountID, 10)
			if i == 3 {
				require.ErrorIs(t, err, store.ErrCodeUsed)
				continue
			}
			require.NoError(t, err)
			require.NotNil(t, g.ExpiresAt)
			assert.WithinDuration(t, time.Now().Add(time.Hour), *g.ExpiresAt, time.Minute)
			_, err = s.Redeem(t.Context(), c.Hash, u.ID, u.AccountID, 10)
			require.ErrorIs(t, err, store.ErrCodeYours)
			a, err := s.AccountByID(t.Context(), u.AccountID)
			require.NoError(t, err)
			assert.Equal(t, money.Credits(5), a.Balance)
		}
		row, err := s.RedeemCodeByID(t.Context(), c.ID)
		require.NoError(t, err)
		assert.EqualValues(t, 3, row.Uses)
		violations, _, err := s.VerifyLedger(t.Context(), true)
		require.NoError(t, err)
		assert.Empty(t, violations)
	})
}

func TestOfManyUsersOverTwoProcessesExactlySoManyRedeem(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "hub.db")
	a, b := openFile(t, path), openFile(t, path)
	users := people(t, a, 40)
	c := addCode(t, a, func(c *store.RedeemCode) { c.MaxUses = 7 })
	var given atomic.Int64
	var wg sync.WaitGroup
	for i, u := range users {
		for try := range 2 { // each user at both processes
			s := a
			if (i+try)%2 == 1 {
				s = b
			}
			wg.Go(func() {
				var err error
				for range 50 {
					if _, err = s.Redeem(context.Background(), c.Hash, u.ID, u.AccountID, 10); !errors.Is(err, store.ErrUnavailable) {
						break
					}
				}
				if err == nil {
					given.Add(1)
					return
				}
				assert.True(t, errors.Is(err, store.ErrCodeUsed) || errors.Is(err, store.ErrCodeYours), "%v", err)
			})
		}
	}
	wg.Wait()
	assert.EqualValues(t, 7, given.Load())
	var total money.Credits
	for _, u := range users {
		acc, err := a.AccountByID(t.Context(), u.AccountID)
		require.NoError(t, err)
		total += acc.Balance
	}
	assert.Equal(t, money.Credits(35), total)
}

func TestWrongCodesAreCountedAgainstWhoTypesThem(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		users := people(t, s, 2)
		bad, good := users[0], users[1]
		past := time.Now().Add(-time.Second)
		expired := addCode(t, s, func(c *store.RedeemCode) { c.ExpiresAt = &past })
		disabled := addCode(t, s, nil)
		require.NoError(t, s.DisableRedeemCode(t.Context(), disabled.ID))
		require.ErrorIs(t, s.DisableRedeemCode(t.Context(), disabled.ID), store.ErrNotFound)
		for hash, want := range map[string]error{"nothing": store.ErrNoCode, expired.Hash: store.ErrCodeExpired, disabled.Hash: store.ErrNoCode} {
			_, err := s.Redeem(t.Context(), hash, bad.ID, bad.AccountID, 3)
			require.ErrorIs(t, err, want)
		}
		c := addCode(t, s, nil)
		_, err := s.Redeem(t.Context(), c.Hash, bad.ID, bad.AccountID, 3)
		var tries *store.TriesError
		require.ErrorAs(t, err, &tries, "even a code that works")
		assert.Positive(t, tries.Wait)
		assert.LessOrEqual(t, tries.Wait, time.Hour)
		_, err = s.Redeem(t.Context(), c.Hash, good.ID, good.AccountID, 3)
		require.NoError(t, err, "nobody else suffers")
		require.NoError(t, s.ForgetTries(t.Context()))
	})
}

func TestCodesAreListedByBatchAndState(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		u := people(t, s, 1)[0]
		var many []store.RedeemCode
		for i := range 1203 {
			id := s.NewID()
			many = append(many, store.RedeemCode{ID: id, Hash: fmt.Sprint("h", i), Hint: "ABCD", Sealed: "x", KeyID: "k", Batch: "many", Amount: 1, Kind: "purchased", Priority: 50, MaxUses: 1, Actor: "test"})
		}
		require.NoError(t, s.AddRedeemCodes(t.Context(), many))
		other := addCode(t, s, nil)
		_, err := s.Redeem(t.Context(), "h1", u.ID, u.AccountID, 10)
		require.NoError(t, err)
		require.NoError(t, s.DisableRedeemCode(t.Context(), many[2].ID))
		count := func(batch, state string) (n int) {
			for after := ""; ; {
				rows, err := s.RedeemCodes(t.Context(), batch, state, after, 500)
				require.NoError(t, err)
				n += len(rows)
				if len(rows) < 500 {
					return n
				}
				after = rows[499].ID
			}
		}
		assert.Equal(t, 1204, count("", ""))
		assert.Equal(t, 1203, count("many", ""))
		assert.Equal(t, 1, count("many", "used"))
		assert.Equal(t, 1, count("many", "disabled"))
		assert.Equal(t, 1202, count("", "active"))
		n, err := s.DisableBatch(t.Context(), "many")
		require.NoError(t, err)
		assert.EqualValues(t, 1202, n)
		row, err := s.RedeemCodeByID(t.Context(), other.ID)
		require.NoError(t, err)
		assert.Nil(t, row.DisabledAt)
		require.ErrorIs(t, s.AddRedeemCodes(t.Context(), []store.RedeemCode{other}), store.ErrConflict)
	})
}
