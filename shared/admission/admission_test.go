package admission_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/admission"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/ledger"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/blank"
	"github.com/aigne-hub/aigne-hub/shared/testkit/hrana"
)

type world struct {
	*store.Store
	gate *admission.Gate
	book ledger.Book
	user store.User
	plan routing.Plan
}

// open makes a gate over a store, and a user with a balance in nano-credits. A
// token costs 1000 nano-credits.
func open(t *testing.T, o store.Options, balance money.Credits) *world {
	t.Helper()
	blank.At(t, o.URL)
	s, err := store.Open(t.Context(), o)
	require.NoError(t, err)
	_, err = s.Migrate(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	u, err := s.CreateUser(t.Context(), store.User{Email: "a@example.com", Role: hub.RoleMember})
	require.NoError(t, err)
	log := slog.New(slog.DiscardHandler)
	w := &world{Store: s, user: u, book: ledger.Book{Store: s, Now: time.Now},
		gate: &admission.Gate{Store: s, Lease: admission.NewLease(s, log), Log: log, Now: time.Now,
			Settings: admission.Settings{Billing: true, OnAbort: "reported", OnFailure: "delivered", DefaultOutput: 4096},
			Reload:   func(context.Context) error { return nil }}}
	t.Cleanup(func() { require.NoError(t, w.gate.Lease.Close(context.Background())) })
	if balance > 0 {
		_, err = w.book.Grant(t.Context(), ledger.Gift{AccountID: u.AccountID, Amount: balance})
		require.NoError(t, err)
	}
	version, err := s.ConfigVersion(t.Context())
	require.NoError(t, err)
	prices := &pricing.Prices{}
	prices.Set(hub.Input, 1_000_000)
	prices.Set(hub.Output, 1_000_000)
	w.plan = routing.Plan{Version: version, Requested: "m", Targets: []routing.Target{{
		Provider: &routing.Provider{Name: "p"}, Model: "m", Prices: prices, Context: 1000, MaxOutput: 500, LimitKnown: true}}}
	return w
}

func file(t *testing.T) store.Options {
	return store.Options{URL: "file:" + filepath.Join(t.TempDir(), "hub.db")}
}

func (w *world) request() admission.Request {
	return admission.Request{Caller: hub.Caller{UserID: w.user.ID, AccountID: w.user.AccountID}, Plan: w.plan, Type: hub.TypeChat,
		Dialect: "openai-chat", RequestID: "r", PromptBytes: 100, N: 1}
}

func (w *world) account(t *testing.T) store.Account {
	t.Helper()
	a, err := w.AccountByID(t.Context(), w.user.AccountID)
	require.NoError(t, err)
	return a
}

func (w *world) clean(t *testing.T) {
	t.Helper()
	r, err := w.book.Verify(t.Context())
	require.NoError(t, err)
	require.Empty(t, r.Violations)
}

func (w *world) outcome(input, output int64) admission.Outcome {
	return admission.Outcome{Status: hub.StatusSuccess, Target: &w.plan.Targets[0], Usage: hub.Usage{hub.Input: input, hub.Output: output},
		Source: hub.UsageReported, HTTPStatus: 200, Tries: 1}
}

func ptr[T any](v T) *T { return &v }

func TestTheHoldIsAnUpperBound(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*admission.Request)
		tokens int64
	}{
		"bytes of the prompt and the model's limit": {func(*admission.Request) {}, 100 + 500},
		"the limit that was asked for":              {func(r *admission.Request) { r.MaxOutput = ptr[int64](50) }, 100 + 50},
		"several answers":                           {func(r *admission.Request) { r.N = 3 }, 100 + 3*500},
		"content outside the body":                  {func(r *admission.Request) { r.OpaqueInput = true }, 1000 + 500},
		"tools of the provider may fill the window": {func(r *admission.Request) { r.ServerTools = true }, 1000 + 500},
		"thinking on top of the model's limit":      {func(r *admission.Request) { r.Thinking = 70 }, 100 + 500 + 70},
		"the dearest of all targets": {func(r *admission.Request) {
			dear := r.Plan.Targets[0]
			dear.Prices = &pricing.Prices{}
			dear.Prices.Set(hub.Input, 2_000_000)
			dear.Prices.Set(hub.Output, 2_000_000)
			r.Plan.Targets = append(r.Plan.Targets, dear)
		}, 2 * (100 + 500)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := open(t, file(t), 10*money.Credit)
			r := w.request()
			tt.change(&r)
			ticket, err := w.gate.Admit(t.Context(), r)
			require.NoError(t, err)
			assert.Equal(t, money.Credits(1000*tt.tokens), w.account(t).Held)
			_, err = ticket.Settle(t.Context(), w.outcome(90, 40))
			require.NoError(t, err)
			assert.Equal(t, 10*money.Credit-130_000, w.account(t).Balance)
			w.clean(t)
		})
	}
}

func TestATicketSettlesOnce(t *testing.T) {
	t.Parallel()
	w := open(t, file(t), money.Credit)
	ticket, err := w.gate.Admit(t.Context(), w.request())
	require.NoError(t, err)
	_, err = ticket.Settle(t.Context(), w.outcome(90, 40))
	require.NoError(t, err)
	_, err = ticket.Settle(t.Context(), w.outcome(90, 40))
	require.Error(t, err)
	assert.Equal(t, money.Credit-130_000, w.account(t).Balance)
}

func TestAWalletThatCoversLessLowersOutputOrRefuses(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		balance money.Credits // tokens × 1000
		asked   *int64
		lower   int64 // 0: refused
	}{
		"no limit asked: what it covers":         {400_000, nil, 300},
		"a limit asked: what it covers":          {400_000, ptr[int64](400), 300},
		"below 256 nobody is helped":             {300_000, nil, 0},
		"a small limit is all or nothing":        {150_000, ptr[int64](60), 0},
		"the prompt alone is more than there is": {50_000, nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := open(t, file(t), tt.balance)
			r := w.request()
			r.MaxOutput = tt.asked
			ticket, err := w.gate.Admit(t.Context(), r)
			if tt.lower == 0 {
				assert.Equal(t, hub.CodeInsufficientCredits, hub.CodeOf(err))
				assert.Zero(t, w.account(t).Held)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.lower, ticket.LowerTo)
			_, err = ticket.Settle(t.Context(), w.outcome(100, tt.lower))
			require.NoError(t, err)
			assert.Zero(t, w.account(t).Balance)
			w.clean(t)
		})
	}
}

func TestExpiredGrantsAreGoneBeforeTheHold(t *testing.T) {
	t.Parallel()
	w := open(t, file(t), 0)
	soon := time.Now().Add(50 * time.Millisecond)
	require.NoError(t, w.Do(t.Context(), w.GrantUnit(store.Grant{ID: "g", AccountID: w.user.AccountID, Kind: "promotional", Amount: money.Credit, ExpiresAt: &soon})))
	require.Eventually(t, func() bool {
		ticket, err := w.gate.Admit(t.Context(), w.request())
		if err == nil {
			_, serr := ticket.Settle(t.Context(), w.outcome(0, 0))
			require.NoError(t, serr)
			return false
		}
		assert.Equal(t, hub.CodeInsufficientCredits, hub.CodeOf(err))
		return true
	}, 5*time.Second, 10*time.Millisecond)
	assert.Zero(t, w.account(t).Balance)
	w.clean(t)
}

func TestAProcessThatWasSweptCorrectsItsCallOnce(t *testing.T) {
	t.Parallel()
	w := open(t, file(t), money.Credit)
	ticket, err := w.gate.Admit(t.Context(), w.request())
	require.NoError(t, err)
	c, err := w.CallByID(t.Context(), ticket.CallID)
	require.NoError(t, err)
	owner := ""
	leases, err := w.QuietLeases(t.Context(), -time.Hour)
	require.NoError(t, err)
	owner = leases[0].ID
	x := store.Settlement{CallID: c.ID, Owner: owner, UserID: c.UserID, AccountID: w.user.AccountID, Type: c.Type, Billing: true, Status: hub.StatusInterrupted}
	require.NoError(t, w.Do(t.Context(), w.SettleUnit(x)))
	settled, err := ticket.Settle(t.Context(), w.outcome(90, 40))
	require.NoError(t, err)
	assert.Equal(t, money.Credits(130_000), settled.Credits)
	assert.Equal(t, money.Credit-130_000, w.account(t).Balance)
	w.clean(t)
}

func TestLostAnswersOfAServerChargeOnce(t *testing.T) {
	t.Parallel()
	server := hrana.New(t, hrana.Options{})
	w := open(t, store.Options{URL: server.URL, Token: hub.Secret(server.Token)}, money.Credit)
	ticket, err := w.gate.Admit(t.Context(), w.request())
	require.NoError(t, err)
	server.Plan(hrana.Faults{Drop: 2, Match: "open_owner"})
	settled, err := ticket.Settle(t.Context(), w.outcome(90, 40))
	require.NoError(t, err)
	assert.Equal(t, money.Credits(130_000), settled.Credits)
	assert.Equal(t, money.Credit-130_000, w.account(t).Balance)
	w.clean(t)
}

func TestAnAdmissionWhoseAnswerIsLostIsCancelled(t *testing.T) {
	t.Parallel()
	server := hrana.New(t, hrana.Options{})
	w := open(t, store.Options{URL: server.URL, Token: hub.Secret(server.Token)}, money.Credit)
	first, err := w.gate.Admit(t.Context(), w.request()) // takes the lease
	require.NoError(t, err)
	_, err = first.Settle(t.Context(), w.outcome(0, 0))
	require.NoError(t, err)
	server.Plan(hrana.Faults{Drop: 1, Match: "INSERT INTO credit_holds"})
	_, err = w.gate.Admit(t.Context(), w.request())
	assert.Equal(t, hub.CodeUnavailable, hub.CodeOf(err))
	require.Eventually(t, func() bool { return w.account(t).Held == 0 }, 10*time.Second, 10*time.Millisecond)
	assert.Equal(t, money.Credit, w.account(t).Balance)
	w.clean(t)
}

func TestATicketThatNobodySettlesGivesItsHoldBack(t *testing.T) {
	t.Parallel()
	w := open(t, file(t), money.Credit)
	ticket, err := w.gate.Admit(t.Context(), w.request())
	require.NoError(t, err)
	ticket.Abandon(t.Context())
	assert.Zero(t, w.account(t).Held)
	c, err := w.CallByID(t.Context(), ticket.CallID)
	require.NoError(t, err)
	assert.Equal(t, hub.StatusFailed, c.Status)
	assert.Zero(t, c.Credits)
	ticket.Abandon(t.Context()) // once more changes nothing
	w.clean(t)
}

func TestFiguresBeyondAllBoundsCostAtMostTheHold(t *testing.T) {
	t.Parallel()
	w := open(t, file(t), 10*money.Credit)
	ticket, err := w.gate.Admit(t.Context(), w.request())
	require.NoError(t, err)
	settled, err := ticket.Settle(t.Context(), w.outcome(1<<62, 1<<62))
	require.NoError(t, err)
	assert.Equal(t, money.Credits(600_000), settled.Credits)
	w.clean(t)
}

func TestAFeePerRequestIsHeldAndChargedOnce(t *testing.T) {
	t.Parallel()
	w := open(t, file(t), 10*money.Credit)
	w.plan.Targets[0].Prices.Set(hub.Requests, 5_000_000)
	ticket, err := w.gate.Admit(t.Context(), w.request())
	require.NoError(t, err)
	assert.Equal(t, money.Credits(605_000), w.account(t).Held)
	settled, err := ticket.Settle(t.Context(), w.outcome(90, 40))
	require.NoError(t, err)
	assert.Equal(t, money.Credits(135_000), settled.Credits)
	w.clean(t)
}

func TestARefusedSettlementIsNoSuccess(t *testing.T) {
	t.Parallel()
	w := open(t, file(t), money.Credit)
	ticket, err := w.gate.Admit(t.Context(), w.request())
	require.NoError(t, err)
	require.NoError(t, w.Exec(t.Context(), "UPDATE model_calls SET owner = 'somebody else' WHERE id = ?1", ticket.CallID))
	_, err = ticket.Settle(t.Context(), w.outcome(90, 40))
	assert.Equal(t, hub.CodeUnavailable, hub.CodeOf(err))
	assert.Equal(t, money.Credit, w.account(t).Balance, "nothing of the refused unit is left")
	w.clean(t)
}
