package admission_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/admission"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/ledger"
	"github.com/aigne-hub/aigne-hub/shared/limits"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
	"github.com/aigne-hub/aigne-hub/shared/provider"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/hrana"
)

// eachStore runs a test on a file and on a server.
func eachStore(t *testing.T, test func(t *testing.T, o store.Options)) {
	t.Run("embedded file", func(t *testing.T) {
		t.Parallel()
		test(t, file(t))
	})
	t.Run("libSQL server", func(t *testing.T) {
		t.Parallel()
		url, token := hrana.Start(t)
		test(t, store.Options{URL: url, Token: hub.Secret(token)})
	})
}

// showing makes the plan one of models that show all they bill, and gives slices a
// size.
func (w *world) showing(t *testing.T, slice int64) {
	t.Helper()
	w.gate.Settings.Slice = slice
	k, ok := provider.Find(provider.OpenAI)
	require.True(t, ok)
	rate := &routing.Rate{Provider: "openai", Model: "gpt-4o-mini", Type: hub.TypeChat, Prices: *w.plan.Targets[0].Prices, Context: 1000, MaxOutput: 500, ID: "rate", Version: 3}
	p := &routing.Provider{Name: "openai", Kind: k, Credentials: []routing.Credential{{ID: "c", Name: "key"}}}
	s := routing.NewSnapshot(w.plan.Version, routing.Settings{Billing: true, CreditPrice: "1"}, pricing.OpenCatalogue(time.Now), []*routing.Provider{p}, []*routing.Rate{rate})
	plan, err := s.Plan(routing.Request{Model: "openai/gpt-4o-mini", Type: hub.TypeChat})
	require.NoError(t, err)
	require.True(t, plan.Targets[0].Shows())
	w.plan = plan
}

func (w *world) stream() admission.Request {
	r := w.request()
	r.Stream = true
	return r
}

func (w *world) delivered(output int64) admission.Delivered {
	return admission.Delivered{Target: &w.plan.Targets[0], CredentialID: "c", Credential: "key",
		Usage: hub.Usage{hub.Input: 50, hub.Output: output}, Source: hub.UsageEstimated}
}

func TestOnlyStreamsThatShowAllTheyBillAreHeldInSlices(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*world, *admission.Request)
		held   int64 // tokens
		grows  bool
	}{
		"a stream of a plain model":       {func(*world, *admission.Request) {}, 100 + 60, true},
		"several answers":                 {func(_ *world, r *admission.Request) { r.N = 3 }, 100 + 60, true},
		"answers that divide it":          {func(_ *world, r *admission.Request) { r.N = 7 }, 100 + 63, true},
		"an answer in one piece":          {func(_ *world, r *admission.Request) { r.Stream = false }, 100 + 500, false},
		"a limit within the slice":        {func(_ *world, r *admission.Request) { r.MaxOutput = ptr[int64](60) }, 100 + 60, false},
		"a limit above the slice":         {func(_ *world, r *admission.Request) { r.MaxOutput = ptr[int64](61) }, 100 + 60, true},
		"tools of the provider":           {func(_ *world, r *admission.Request) { r.ServerTools = true }, 1000 + 500, false},
		"a model that is asked to think":  {func(_ *world, r *admission.Request) { r.Thinking = 10 }, 100 + 510, false},
		"a prediction that may be billed": {func(_ *world, r *admission.Request) { r.Unseen = true }, 100 + 500, false},
		"slices switched off":             {func(w *world, _ *admission.Request) { w.gate.Settings.Slice = 0 }, 100 + 500, false},
		"a model of which nothing is known": {func(_ *world, r *admission.Request) {
			r.Plan.Targets[0].Reasoning = 0
		}, 100 + 500, false},
		"a target that may give pictures": {func(_ *world, r *admission.Request) {
			other := r.Plan.Targets[0]
			other.TextOnly = 0
			r.Plan.Targets = append(r.Plan.Targets, other)
		}, 100 + 500, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := open(t, file(t), 10*money.Credit)
			w.showing(t, 60)
			r := w.stream()
			tt.change(w, &r)
			ticket, err := w.gate.Admit(t.Context(), r)
			require.NoError(t, err)
			assert.Equal(t, money.Credits(1000*tt.held), w.account(t).Held)
			held, ceiling := ticket.Held()
			assert.Equal(t, tt.grows, held < ceiling)
			assert.Zero(t, ticket.LowerTo)
			_, err = ticket.Settle(t.Context(), w.outcome(90, 40))
			require.NoError(t, err)
			w.clean(t)
		})
	}
}

func TestAHoldGrowsSliceBySliceToItsCeiling(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, o store.Options) {
		w := open(t, o, money.Credit)
		w.showing(t, 200)
		ticket, err := w.gate.Admit(t.Context(), w.stream())
		require.NoError(t, err)
		held, err := ticket.Extend(t.Context(), 0, w.delivered(100))
		require.NoError(t, err)
		assert.EqualValues(t, 400, held)
		assert.Equal(t, money.Credits(500_000), w.account(t).Held)
		held, err = ticket.Extend(t.Context(), 0, w.delivered(300))
		require.NoError(t, err)
		assert.EqualValues(t, 500, held, "the ceiling")
		last, err := w.LastSlice(t.Context(), ticket.CallID)
		require.NoError(t, err)
		assert.EqualValues(t, 2, last.Number)
		assert.Equal(t, money.Credits(350_000), last.Amount)
		assert.Equal(t, hub.Usage{hub.Input: 50, hub.Output: 300}, last.Usage)
		assert.EqualValues(t, 3, last.RateVersion)
		settled, err := ticket.Settle(t.Context(), w.outcome(90, 450))
		require.NoError(t, err)
		assert.Equal(t, money.Credits(540_000), settled.Credits)
		assert.Equal(t, money.Credit-540_000, w.account(t).Balance)
		w.clean(t)
	})
}

func TestAnExtensionTakesWhatIsLeftAndThenIsRefused(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, o store.Options) {
		w := open(t, o, 350_000)
		w.showing(t, 200)
		ticket, err := w.gate.Admit(t.Context(), w.stream())
		require.NoError(t, err)
		held, err := ticket.Extend(t.Context(), 0, w.delivered(100))
		require.NoError(t, err)
		assert.EqualValues(t, 250, held, "50 tokens are affordable")
		assert.Zero(t, w.account(t).Available())
		var refused *admission.RefusedError
		_, err = ticket.Extend(t.Context(), 260, w.delivered(200))
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, hub.MoneyEnded, refused.Policy)
		out := w.outcome(50, 240)
		out.Ended = refused.Policy
		_, err = ticket.Settle(t.Context(), out)
		require.NoError(t, err)
		c, err := w.CallByID(t.Context(), ticket.CallID)
		require.NoError(t, err)
		assert.Equal(t, hub.MoneyEnded, c.ChargePolicy)
		assert.Equal(t, money.Credits(290_000), c.Credits)
		w.clean(t)
	})
}

func TestABudgetIsNeverExceededByAHoldThatGrows(t *testing.T) {
	t.Parallel()
	for metric, most := range map[string]int64{limits.Credits: 330_000, limits.Tokens: 25 + 230} { // both: 230 tokens of output
		t.Run(metric, func(t *testing.T) {
			t.Parallel()
			w := open(t, file(t), money.Credit)
			w.showing(t, 200)
			limit, err := w.SetLimit(t.Context(), store.Limit{Scope: limits.User, Subject: w.user.ID, Metric: metric, Period: "day", Amount: most})
			require.NoError(t, err)
			w.plan.Version, err = w.ConfigVersion(t.Context())
			require.NoError(t, err)
			set := limits.NewSet([]store.Limit{limit})
			w.gate.Limits = func() *limits.Set { return set }
			ticket, err := w.gate.Admit(t.Context(), w.stream())
			require.NoError(t, err)
			held, err := ticket.Extend(t.Context(), 0, w.delivered(100))
			require.NoError(t, err)
			assert.EqualValues(t, 230, held)
			window, err := w.Window(t.Context(), store.LimitHold{LimitID: limit.ID, Counts: w.user.ID, Metric: metric, Period: "day"})
			require.NoError(t, err)
			assert.Equal(t, most, window.Used)
			var refused *admission.RefusedError
			_, err = ticket.Extend(t.Context(), 0, w.delivered(200))
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, hub.LimitEnded, refused.Policy)
			_, err = ticket.Settle(t.Context(), w.outcome(50, 220))
			require.NoError(t, err)
			w.clean(t)
		})
	}
}

func TestLostAnswersOfExtensionsExtendOnce(t *testing.T) {
	t.Parallel()
	server := hrana.New(t, hrana.Options{})
	w := open(t, store.Options{URL: server.URL, Token: hub.Secret(server.Token)}, money.Credit)
	w.showing(t, 100)
	ticket, err := w.gate.Admit(t.Context(), w.stream())
	require.NoError(t, err)
	server.Plan(hrana.Faults{Drop: 2, Match: "INSERT INTO call_slices"})
	held, err := ticket.Extend(t.Context(), 0, w.delivered(60))
	require.NoError(t, err)
	assert.EqualValues(t, 200, held)
	all, err := w.Slices(t.Context(), ticket.CallID)
	require.NoError(t, err)
	assert.Len(t, all, 1)
	assert.Equal(t, money.Credits(300_000), w.account(t).Held)
	_, err = ticket.Settle(t.Context(), w.outcome(50, 150))
	require.NoError(t, err)
	w.clean(t)
}

// sweep closes the calls of w's lease as a sweeper in another process would.
func (w *world) sweep(t *testing.T) {
	t.Helper()
	s := &ledger.Sweeper{Store: w.Store, Log: w.gate.Log, After: time.Millisecond}
	require.Eventually(t, func() bool {
		require.NoError(t, s.Sweep(t.Context()))
		dead, err := w.DeadLeases(t.Context())
		require.NoError(t, err)
		quiet, err := w.QuietLeases(t.Context(), -time.Hour)
		require.NoError(t, err)
		return len(dead) == 0 && len(quiet) == 0
	}, 10*time.Second, 5*time.Millisecond)
}

func TestASweptStreamIsChargedItsLastCheckpoint(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, o store.Options) {
		w := open(t, o, 200_000)
		_, err := w.book.Grant(t.Context(), ledger.Gift{AccountID: w.user.AccountID, Amount: money.Credit, Priority: 60}) // two grants pay for it
		require.NoError(t, err)
		w.showing(t, 200)
		ticket, err := w.gate.Admit(t.Context(), w.stream())
		require.NoError(t, err)
		none, err := w.gate.Admit(t.Context(), w.stream())
		require.NoError(t, err)
		_, err = ticket.Extend(t.Context(), 0, w.delivered(120))
		require.NoError(t, err)
		_, err = ticket.Extend(t.Context(), 0, w.delivered(310))
		require.NoError(t, err)
		w.sweep(t)

		c, err := w.CallByID(t.Context(), ticket.CallID)
		require.NoError(t, err)
		assert.Equal(t, hub.StatusInterrupted, c.Status)
		assert.Equal(t, hub.SweptCheckpoint, c.ChargePolicy)
		assert.Equal(t, money.Credits(360_000), c.Credits)
		assert.Equal(t, hub.Usage{hub.Input: 50, hub.Output: 310}, c.Usage)
		assert.Equal(t, "openai", c.Provider)
		assert.EqualValues(t, 3, c.RateVersion)
		c, err = w.CallByID(t.Context(), none.CallID)
		require.NoError(t, err)
		assert.Equal(t, hub.SweptCheckpoint, c.ChargePolicy)
		assert.Zero(t, c.Credits, "nothing was delivered for certain")
		a := w.account(t)
		assert.Zero(t, a.Held)
		assert.Equal(t, money.Credit-160_000, a.Balance)
		w.clean(t)

		// The process was not dead after all.
		_, err = ticket.Extend(t.Context(), 0, w.delivered(320))
		require.ErrorIs(t, err, admission.ErrSwept)
		settled, err := ticket.Settle(t.Context(), w.outcome(50, 400))
		require.NoError(t, err)
		assert.Equal(t, money.Credits(450_000), settled.Credits, "the checkpoint, and by one correction the rest")
		assert.Equal(t, money.Credit-250_000, w.account(t).Balance)
		w.clean(t)
	})
}

func TestAnExtensionEndsWithItsContext(t *testing.T) {
	t.Parallel()
	server := hrana.New(t, hrana.Options{})
	w := open(t, store.Options{URL: server.URL, Token: hub.Secret(server.Token)}, money.Credit)
	w.showing(t, 100)
	ticket, err := w.gate.Admit(t.Context(), w.stream())
	require.NoError(t, err)
	server.Plan(hrana.Faults{Drop: 1_000_000, Match: "INSERT INTO call_slices"})
	ctx, stop := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer stop()
	_, err = ticket.Extend(ctx, 0, w.delivered(60))
	require.Error(t, err)
	var refused *admission.RefusedError
	assert.NotErrorAs(t, err, &refused, "a database that is away is no empty wallet")
	server.Plan(hrana.Faults{})
	settled, err := ticket.Settle(t.Context(), w.outcome(50, 190))
	require.NoError(t, err)
	assert.Equal(t, money.Credits(240_000), settled.Credits, "whatever became of the extension")
	w.clean(t)
}

func TestACorrectionTakesNothingBackOfWhatWasDelivered(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, o store.Options) {
		w := open(t, o, money.Credit)
		w.gate.Settings.OnFailure = "free"
		w.showing(t, 200)
		ticket, err := w.gate.Admit(t.Context(), w.stream())
		require.NoError(t, err)
		_, err = ticket.Extend(t.Context(), 0, w.delivered(120))
		require.NoError(t, err)
		w.sweep(t)
		out := w.outcome(50, 130)
		out.Status = hub.StatusFailed
		settled, err := ticket.Settle(t.Context(), out)
		require.NoError(t, err)
		assert.Equal(t, money.Credits(170_000), settled.Credits)
		c, err := w.CallByID(t.Context(), ticket.CallID)
		require.NoError(t, err)
		assert.Equal(t, hub.StatusFailed, c.Status)
		assert.Equal(t, hub.SweptCheckpoint, c.ChargePolicy)
		assert.Zero(t, c.Shortfall)
		w.clean(t)
	})
}
