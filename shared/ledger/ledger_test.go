package ledger_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/ledger"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/blank"
)

type world struct {
	*store.Store
	book *ledger.Book
	user store.User
}

func open(t *testing.T) *world {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hub.db")
	blank.Copy(t, path)
	s, err := store.Open(t.Context(), store.Options{URL: "file:" + path})
	require.NoError(t, err)
	_, err = s.Migrate(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	u, err := s.CreateUser(t.Context(), store.User{Email: "a@example.com", Role: hub.RoleMember})
	require.NoError(t, err)
	return &world{s, &ledger.Book{Store: s, Now: time.Now}, u}
}

func (w *world) admission(t *testing.T, lease string, hold money.Credits, limits ...store.LimitHold) store.Admission {
	t.Helper()
	v, err := w.ConfigVersion(t.Context())
	require.NoError(t, err)
	return store.Admission{CallID: w.NewID(), Caller: hub.Caller{UserID: w.user.ID, AccountID: w.user.AccountID}, Type: hub.TypeChat,
		Dialect: "openai-chat", RequestedModel: "m", Owner: lease, ConfigVersion: v, RequestID: "r", Billing: true,
		OnAbort: "reported", OnFailure: "delivered", PlanJSON: "{}", Hold: hold, Limits: limits}
}

func (w *world) admit(t *testing.T, lease string, hold money.Credits, limits ...store.LimitHold) store.Admission {
	t.Helper()
	a := w.admission(t, lease, hold, limits...)
	require.NoError(t, w.Do(t.Context(), w.AdmitUnit(a)))
	return a
}

func (w *world) clean(t *testing.T) {
	t.Helper()
	for _, verify := range []func(context.Context) (ledger.Report, error){w.book.Verify, w.book.VerifyAll} {
		r, err := verify(t.Context())
		require.NoError(t, err)
		require.Empty(t, r.Violations)
	}
}

func TestCallsOfADeadProcessAreClosedAndChargedNothing(t *testing.T) {
	t.Parallel()
	w := open(t)
	_, err := w.book.Grant(t.Context(), ledger.Gift{AccountID: w.user.AccountID, Amount: 100})
	require.NoError(t, err)
	dead, err := w.OpenLease(t.Context())
	require.NoError(t, err)
	alive, err := w.OpenLease(t.Context())
	require.NoError(t, err)
	lost, kept := w.admit(t, dead, 60), w.admit(t, alive, 10)

	sweeper := ledger.Sweeper{Store: w.Store, Log: slog.New(slog.DiscardHandler), After: 100 * time.Millisecond}
	require.NoError(t, sweeper.Sweep(t.Context()))
	c, err := w.CallByID(t.Context(), lost.CallID)
	require.NoError(t, err)
	require.Equal(t, hub.StatusProcessing, c.Status, "nothing is swept because a sweeper just started")

	require.Eventually(t, func() bool {
		require.NoError(t, w.RenewLease(t.Context(), alive))
		require.NoError(t, sweeper.Sweep(t.Context()))
		c, err = w.CallByID(t.Context(), lost.CallID)
		require.NoError(t, err)
		return c.Status == hub.StatusInterrupted
	}, 10*time.Second, 20*time.Millisecond)
	assert.Zero(t, c.Credits)
	k, err := w.CallByID(t.Context(), kept.CallID)
	require.NoError(t, err)
	assert.Equal(t, hub.StatusProcessing, k.Status)
	a, err := w.book.Balance(t.Context(), w.user.AccountID)
	require.NoError(t, err)
	assert.Equal(t, money.Credits(90), a.Available())
	require.ErrorIs(t, w.RenewLease(t.Context(), dead), store.ErrLeaseLost, "a dead id never lives again")
	w.clean(t)
}

func TestASweepFreesThePlacesOfADeadProcess(t *testing.T) {
	t.Parallel()
	w := open(t)
	_, err := w.book.Grant(t.Context(), ledger.Gift{AccountID: w.user.AccountID, Amount: 100})
	require.NoError(t, err)
	var holds []store.LimitHold
	for _, l := range []store.Limit{{Metric: "concurrency", Period: "now", Amount: 1}, {Metric: "tokens", Period: "month", Amount: 1000},
		{Metric: "credits", Period: "month", Amount: 50}, {Metric: "requests", Period: "month", Amount: 9}} {
		l.Scope, l.Subject = "user", w.user.ID
		l, err = w.SetLimit(t.Context(), l)
		require.NoError(t, err)
		h := store.LimitHold{LimitID: l.ID, Counts: w.user.ID, Metric: l.Metric, Period: l.Period, Most: l.Amount, Amount: 1}
		switch l.Metric {
		case "tokens":
			h.Amount = 900
		case "credits":
			h.Amount = 40
		}
		holds = append(holds, h)
	}
	dead, err := w.OpenLease(t.Context())
	require.NoError(t, err)
	w.admit(t, dead, 40, holds...)
	sweeper := ledger.Sweeper{Store: w.Store, Log: slog.New(slog.DiscardHandler), After: 10 * time.Millisecond}
	used := func(i int) int64 {
		win, err := w.Window(t.Context(), holds[i])
		require.NoError(t, err)
		return win.Used
	}
	require.EqualValues(t, 1, used(0))
	require.Eventually(t, func() bool {
		require.NoError(t, sweeper.Sweep(t.Context()))
		return used(0) == 0
	}, 10*time.Second, 20*time.Millisecond)
	assert.Zero(t, used(1), "tokens")
	assert.Zero(t, used(2), "the budget")
	assert.EqualValues(t, 1, used(3), "the request was made")
	w.clean(t)
}

func TestAGrantWithAnIDIsGivenOnce(t *testing.T) {
	t.Parallel()
	w := open(t)
	for range 3 {
		_, err := w.book.Grant(t.Context(), ledger.Gift{ID: "payment-1", AccountID: w.user.AccountID, Amount: 100})
		require.NoError(t, err)
	}
	a, err := w.book.Balance(t.Context(), w.user.AccountID)
	require.NoError(t, err)
	assert.Equal(t, money.Credits(100), a.Balance)
	w.clean(t)
}

func TestBadGiftsNameTheirFault(t *testing.T) {
	t.Parallel()
	w := open(t)
	past := time.Now().Add(-time.Hour)
	for param, g := range map[string]ledger.Gift{
		"amount":     {AccountID: w.user.AccountID},
		"expires_at": {AccountID: w.user.AccountID, Amount: 1, ExpiresAt: &past},
	} {
		_, err := w.book.Grant(t.Context(), g)
		assert.Equal(t, hub.CodeInvalid, hub.CodeOf(err))
		assert.Equal(t, param, hub.AsError(err).Param)
	}
}

func TestVerificationFindsWhatWasTamperedWith(t *testing.T) {
	t.Parallel()
	w := open(t)
	_, err := w.book.Grant(t.Context(), ledger.Gift{AccountID: w.user.AccountID, Amount: 100})
	require.NoError(t, err)
	require.NoError(t, w.Exec(t.Context(), "UPDATE accounts SET balance_nano = balance_nano + 1 WHERE id = ?1", w.user.AccountID))
	r, err := w.book.Verify(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, r.Violations)
	assert.Equal(t, w.user.AccountID, r.Violations[0].Subject)
	require.Error(t, w.Exec(t.Context(), "DELETE FROM ledger_entries WHERE account_id = ?1", w.user.AccountID), "entries are append-only")
}
