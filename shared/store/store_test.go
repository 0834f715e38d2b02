package store_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
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

// eachStore runs a test on an embedded file and on a libSQL server.
func eachStore(t *testing.T, test func(t *testing.T, s *store.Store)) {
	t.Helper()
	t.Run("embedded file", func(t *testing.T) {
		t.Parallel()
		test(t, openFile(t, filepath.Join(t.TempDir(), "hub.db")))
	})
	t.Run("libSQL server", func(t *testing.T) {
		t.Parallel()
		url, token := hrana.Start(t)
		test(t, openStore(t, store.Options{URL: url, Token: hub.Secret(token)}))
	})
}

func openFile(t testing.TB, path string) *store.Store {
	return openStore(t, store.Options{URL: "file:" + path})
}

func openStore(t testing.TB, o store.Options) *store.Store {
	t.Helper()
	blank.At(t, o.URL)
	s, err := store.Open(t.Context(), o)
	require.NoError(t, err)
	_, err = s.Migrate(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

type world struct {
	*store.Store
	user  store.User
	key   store.APIKey
	lease string
	ver   int64
}

func newWorld(t testing.TB, s *store.Store, credits money.Credits) *world {
	t.Helper()
	ctx := t.Context()
	u, err := s.CreateUser(ctx, store.User{Email: s.NewID() + "@example.com", Role: hub.RoleMember})
	require.NoError(t, err)
	k, err := s.CreateKey(ctx, store.APIKey{UserID: u.ID, Name: "k", Hash: s.NewID(), Hint: "abcd"})
	require.NoError(t, err)
	if credits > 0 {
		require.NoError(t, s.Do(ctx, s.GrantUnit(store.Grant{ID: s.NewID(), AccountID: u.AccountID, Kind: "promotional", Amount: credits, Priority: 50})))
	}
	lease, err := s.OpenLease(ctx)
	require.NoError(t, err)
	v, err := s.ConfigVersion(ctx)
	require.NoError(t, err)
	return &world{s, u, k, lease, v}
}

func (w *world) admission(hold money.Credits) store.Admission {
	return store.Admission{CallID: w.NewID(), Caller: hub.Caller{UserID: w.user.ID, KeyID: w.key.ID, KeySerial: w.key.Serial, AccountID: w.user.AccountID},
		Type: hub.TypeChat, Dialect: "openai-chat", RequestedModel: "m", Owner: w.lease, ConfigVersion: w.ver, RequestID: "r",
		Billing: true, OnAbort: "reported", OnFailure: "delivered", PlanJSON: "{}", Hold: hold}
}

func (w *world) settlement(a store.Admission, amount money.Credits) store.Settlement {
	return store.Settlement{CallID: a.CallID, Owner: a.Owner, UserID: w.user.ID, AccountID: w.user.AccountID, Type: hub.TypeChat, Billing: a.Billing,
		Status: hub.StatusSuccess, Usage: hub.Usage{hub.Input: 10, hub.Output: 5, hub.WebSearches: 1}, Source: hub.UsageReported, Amount: amount,
		Provider: "openai", Model: "m", HTTPStatus: 200, Tries: 1}
}

func (w *world) account(t testing.TB) store.Account {
	t.Helper()
	a, err := w.AccountByID(t.Context(), w.user.AccountID)
	require.NoError(t, err)
	return a
}

func (w *world) requireCleanBooks(t testing.TB) {
	t.Helper()
	v, _, err := w.VerifyLedger(t.Context(), true)
	require.NoError(t, err)
	require.Empty(t, v)
}

func TestACallIsAdmittedSettledAndOnRecord(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, 100)
		a := w.admission(60)
		require.NoError(t, s.Do(t.Context(), s.AdmitUnit(a)))
		assert.Equal(t, money.Credits(40), w.account(t).Available())
		w.requireCleanBooks(t)

		x := w.settlement(a, 25)
		x.Attempts = []store.Attempt{{Provider: "openai", Model: "m", HTTPStatus: 500, Category: "upstream_error", Error: "boom", Duration: time.Second}}
		require.NoError(t, s.Do(t.Context(), s.SettleUnit(x)))
		assert.Equal(t, money.Credits(75), w.account(t).Balance)
		assert.Equal(t, money.Credits(0), w.account(t).Held)
		w.requireCleanBooks(t)

		c, err := s.CallByID(t.Context(), a.CallID)
		require.NoError(t, err)
		assert.Equal(t, hub.StatusSuccess, c.Status)
		assert.Equal(t, money.Credits(25), c.Credits)
		assert.Equal(t, money.Credits(0), c.Shortfall)
		assert.Equal(t, x.Usage, c.Usage)
		tries, err := s.CallAttempts(t.Context(), a.CallID)
		require.NoError(t, err)
		assert.Equal(t, x.Attempts, tries)
	})
}

func TestUnitsSentTwiceHappenOnce(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, 100)
		a := w.admission(60)
		require.NoError(t, s.Do(t.Context(), s.AdmitUnit(a)))
		require.ErrorIs(t, s.Do(t.Context(), s.AdmitUnit(a)), store.ErrExists)
		x := w.settlement(a, 25)
		require.NoError(t, s.Do(t.Context(), s.SettleUnit(x)))
		require.Error(t, s.Do(t.Context(), s.SettleUnit(x)))
		assert.Equal(t, money.Credits(75), w.account(t).Balance)
		w.requireCleanBooks(t)
	})
}

func TestAdmissionConditions(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		w := newWorld(t, s, 100)
		tooMuch := w.admission(101)
		require.ErrorIs(t, s.Do(ctx, s.AdmitUnit(tooMuch)), store.ErrInsufficient)
		_, err := s.CallByID(ctx, tooMuch.CallID)
		require.ErrorIs(t, err, store.ErrNotFound, "a refused unit leaves no trace")

		repeated := w.admission(1)
		repeated.IdempotencyKey = "once"
		require.NoError(t, s.Do(ctx, s.AdmitUnit(repeated)))
		again := w.admission(1)
		again.IdempotencyKey = "once"
		require.ErrorIs(t, s.Do(ctx, s.AdmitUnit(again)), store.ErrRepeated)

		dead := w.admission(1)
		dead.Owner = "nobody"
		require.ErrorIs(t, s.Do(ctx, s.AdmitUnit(dead)), store.ErrLeaseLost)

		stale := w.admission(1)
		stale.ConfigVersion--
		require.ErrorIs(t, s.Do(ctx, s.AdmitUnit(stale)), store.ErrStaleConfig)

		require.NoError(t, s.RevokeKey(ctx, w.key.ID))
		v, err := s.ConfigVersion(ctx)
		require.NoError(t, err)
		require.Greater(t, v, w.ver)
		revoked := w.admission(1)
		revoked.ConfigVersion = v
		require.ErrorIs(t, s.Do(ctx, s.AdmitUnit(revoked)), store.ErrKeyGone)

		require.NoError(t, s.SetUserDisabled(ctx, w.user.ID, true))
		gone := w.admission(1)
		gone.ConfigVersion, gone.Caller.KeyID = v+1, ""
		require.ErrorIs(t, s.Do(ctx, s.AdmitUnit(gone)), store.ErrUserGone)
		w.requireCleanBooks(t)
	})
}

func TestAChargeNeverExceedsWhatTheWalletCovers(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, 100)
		a, other := w.admission(60), w.admission(30)
		require.NoError(t, s.Do(t.Context(), s.AdmitUnit(a)))
		require.NoError(t, s.Do(t.Context(), s.AdmitUnit(other)))
		require.NoError(t, s.Do(t.Context(), s.SettleUnit(w.settlement(a, 500))))
		c, err := s.CallByID(t.Context(), a.CallID)
		require.NoError(t, err)
		assert.Equal(t, money.Credits(70), c.Credits, "its own hold and the 10 that nobody holds")
		assert.Equal(t, money.Credits(430), c.Shortfall)
		assert.Equal(t, money.Credits(0), w.account(t).Available())
		w.requireCleanBooks(t)
	})
}

func TestGrantsAreSpentByPriorityThenNearestExpiry(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, 0)
		soon, late := time.Now().Add(time.Hour), time.Now().Add(2*time.Hour)
		for _, g := range []store.Grant{
			{ID: "a-late", Priority: 50, ExpiresAt: &late}, {ID: "b-soon", Priority: 50, ExpiresAt: &soon},
			{ID: "c-never", Priority: 50}, {ID: "d-first", Priority: 10},
		} {
			g.AccountID, g.Kind, g.Amount = w.user.AccountID, "promotional", 10
			require.NoError(t, s.Do(t.Context(), s.GrantUnit(g)))
		}
		require.ErrorIs(t, s.Do(t.Context(), s.GrantUnit(store.Grant{ID: "a-late", AccountID: w.user.AccountID, Kind: "promotional", Amount: 10})), store.ErrConflict)
		a := w.admission(40)
		require.NoError(t, s.Do(t.Context(), s.AdmitUnit(a)))
		x := w.settlement(a, 25)
		require.ErrorIs(t, s.Do(t.Context(), s.SettleUnit(x)), store.ErrGrantSplit)
		x.SplitGrants = true
		require.NoError(t, s.Do(t.Context(), s.SettleUnit(x)))
		grants, err := s.Grants(t.Context(), w.user.AccountID)
		require.NoError(t, err)
		left := map[string]money.Credits{}
		for _, g := range grants {
			left[g.ID] = g.Remaining
		}
		assert.Equal(t, map[string]money.Credits{"a-late": 5, "b-soon": 0, "c-never": 10, "d-first": 0}, left)
		w.requireCleanBooks(t)
	})
}

func TestAnExpiredGrantIsNotSpent(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		w := newWorld(t, s, 0)
		soon := time.Now().Add(1500 * time.Millisecond)
		require.NoError(t, s.Do(ctx, s.GrantUnit(store.Grant{ID: s.NewID(), AccountID: w.user.AccountID, Kind: "promotional", Amount: 100, ExpiresAt: &soon})))
		a := w.admission(60)
		require.NoError(t, s.Do(ctx, s.AdmitUnit(a)))
		var err error
		require.Eventually(t, func() bool {
			err = s.Do(ctx, s.AdmitUnit(w.admission(1)))
			return err != nil
		}, 5*time.Second, 50*time.Millisecond)
		require.ErrorIs(t, err, store.ErrGrantsDue)
		blocked, err := s.ExpireGrants(ctx, w.user.AccountID)
		require.NoError(t, err)
		assert.True(t, blocked, "60 are held and stay until the hold closes")
		w.requireCleanBooks(t)
		require.NoError(t, s.Do(ctx, s.SettleUnit(w.settlement(a, 25))))
		blocked, err = s.ExpireGrants(ctx, w.user.AccountID)
		require.NoError(t, err)
		_ = blocked
		w.requireCleanBooks(t)
	})
}

func TestOnlyTheAffordableCallsPassUnderConcurrency(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, 50*7)
		var ok, refused atomic.Int64
		var wg sync.WaitGroup
		for range 500 {
			wg.Go(func() {
				a := w.admission(7)
				switch err := s.Do(context.Background(), s.AdmitUnit(a)); {
				case err == nil:
					ok.Add(1)
					assert.NoError(t, s.Do(context.Background(), s.SettleUnit(w.settlement(a, 7))))
				case assert.ErrorIs(t, err, store.ErrInsufficient):
					refused.Add(1)
				}
			})
		}
		wg.Wait()
		assert.EqualValues(t, 50, ok.Load())
		assert.EqualValues(t, 450, refused.Load())
		assert.Equal(t, money.Credits(0), w.account(t).Balance)
		w.requireCleanBooks(t)
	})
}

func TestACancelledAdmissionStaysWithoutEffectEvenIfItArrivesLater(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, 100)
		for _, late := range []bool{false, true} {
			a := w.admission(60)
			if !late {
				require.NoError(t, s.Do(t.Context(), s.AdmitUnit(a)))
			}
			require.NoError(t, s.Do(t.Context(), s.CancelUnit(a)))
			require.NoError(t, s.Do(t.Context(), s.CancelUnit(a)), "cancelling twice is harmless")
			require.ErrorIs(t, s.Do(t.Context(), s.AdmitUnit(a)), store.ErrExists)
			assert.Equal(t, money.Credits(100), w.account(t).Available())
			w.requireCleanBooks(t)
		}
	})
}

func TestASweptCallIsCorrectedOnce(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		w := newWorld(t, s, 100)
		a := w.admission(60)
		require.NoError(t, s.Do(ctx, s.AdmitUnit(a)))
		swept := w.settlement(a, 0)
		swept.Status, swept.Usage = hub.StatusInterrupted, hub.Usage{}
		require.NoError(t, s.Do(ctx, s.SettleUnit(swept)))
		own := w.settlement(a, 25)
		require.Error(t, s.Do(ctx, s.SettleUnit(own)), "the owner finds its call swept")
		require.NoError(t, s.Do(ctx, s.CorrectUnit(own)))
		require.ErrorIs(t, s.Do(ctx, s.CorrectUnit(own)), store.ErrExists)
		assert.Equal(t, money.Credits(75), w.account(t).Balance)
		c, err := s.CallByID(ctx, a.CallID)
		require.NoError(t, err)
		assert.Equal(t, money.Credits(25), c.Credits)
		assert.Equal(t, hub.StatusSuccess, c.Status)
		w.requireCleanBooks(t)
	})
}

func BenchmarkCall(b *testing.B) {
	for _, billing := range []bool{false, true} {
		b.Run(fmt.Sprintf("billing=%v", billing), func(b *testing.B) {
			s := openFile(b, filepath.Join(b.TempDir(), "hub.db"))
			w := newWorld(b, s, 1<<60)
			b.ReportAllocs()
			b.SetParallelism(32)
			before := cpuTime(b)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					a := w.admission(60)
					a.Billing = billing
					if err := s.Do(context.Background(), s.AdmitUnit(a)); err != nil {
						b.Error(err)
					}
					x := w.settlement(a, 25)
					if err := s.Do(context.Background(), s.SettleUnit(x)); err != nil {
						b.Error(err)
					}
				}
			})
			b.ReportMetric(float64((cpuTime(b)-before).Microseconds())/float64(b.N), "cpu-us/op")
		})
	}
}

// cpuTime is what this process has used: the steadier figure on a busy machine.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var r syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &r))
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
