package calls_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/admission"
	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/calls"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/task"
	"github.com/aigne-hub/aigne-hub/shared/testkit/blank"
)

// lab is a hub with a user and models of random prices.
type lab struct {
	t      *testing.T
	app    *boot.App
	caller hub.Caller
	rand   *rand.Rand
}

func newLab(t *testing.T, models int) *lab {
	t.Helper()
	env := map[string]string{"AIGNE_HUB_DATA": filepath.Join(t.TempDir(), "data"), "AIGNE_HUB_BILLING": "on", "OPENAI_API_KEY": "sk-1"}
	cfg, err := boot.Load(func(name string) (string, bool) { v, ok := env[name]; return v, ok }, nil, nil)
	require.NoError(t, err)
	blank.At(t, cfg.Database)
	a, err := boot.Open(t.Context(), cfg, boot.Options{Log: slog.New(slog.DiscardHandler), Migrate: true,
		Env: func(name string) (string, bool) { v, ok := env[name]; return v, ok }})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close(context.Background())) })
	u, err := a.Desk.CreateUser(t.Context(), "test", "ann@example.com", hub.RoleMember, "")
	require.NoError(t, err)
	l := &lab{t: t, app: a, caller: hub.Caller{UserID: u.ID, AccountID: u.AccountID, Email: u.Email}, rand: rand.New(rand.NewPCG(3, 7))}
	for i := range models {
		l.price(i)
	}
	require.NoError(t, a.Reload(t.Context()))
	return l
}

func (l *lab) rate() money.Rate { return money.Rate(l.rand.Int64N(1 << l.rand.IntN(30))) }

// name is a model's: the first few show every token that they bill, so that the
// holds of their streams grow.
func name(i int) string {
	return append([]string{"gpt-4o-mini", "gpt-4o", "gpt-4.1", "gpt-4.1-mini"}, fmt.Sprint("m", i))[min(i, 4)]
}

// price gives a model a rate with gaps, tiers, variants and per-use fees.
func (l *lab) price(i int) {
	var p pricing.Prices
	p.Set(hub.Input, l.rate())
	p.Set(hub.Output, l.rate())
	for _, b := range []hub.Bucket{hub.CacheRead, hub.CacheWrite5m, hub.CacheWrite1h, hub.Reasoning, hub.OutputAudio, hub.Images, hub.WebSearches, hub.Requests} {
		if l.rand.IntN(2) == 0 {
			p.Set(b, l.rate())
		}
	}
	if l.rand.IntN(2) == 0 {
		p.Tiers = []pricing.Tier{{AbovePrompt: 500, Buckets: pricing.Table{hub.Input: {Rate: l.rate(), Set: true}}}}
	}
	if l.rand.IntN(2) == 0 {
		p.Variants = []pricing.VariantPrice{{Bucket: hub.Images, Quality: "hd", Rate: l.rate()}, {Bucket: hub.Images, Size: "big", Rate: l.rate()}}
	}
	text, err := json.Marshal(p)
	require.NoError(l.t, err)
	for _, kind := range []hub.CallType{hub.TypeChat, hub.TypeImage} {
		r := store.Rate{Provider: "openai", Model: name(i), Type: kind, Prices: string(text), Metadata: `{"max_output":300}`}
		if l.rand.IntN(2) == 0 {
			r.Costs = string(text)
		}
		_, err = l.app.Store.SetRate(l.t.Context(), r, "test")
		require.NoError(l.t, err)
	}
}

// call makes a call with a random outcome; "" when the wallet does not cover it.
func (l *lab) call(models int) string {
	r := l.rand
	kind := []hub.CallType{hub.TypeChat, hub.TypeChat, hub.TypeImage}[r.IntN(3)]
	request := routing.Request{Model: "openai/" + name(r.IntN(models)), Type: kind, Dialect: "openai"}
	if kind == hub.TypeImage {
		request.Task = task.ImageGeneration
	}
	plan, err := l.app.Routes().Plan(request)
	require.NoError(l.t, err)
	in := admission.Request{Caller: l.caller, Plan: plan, Type: kind, Dialect: "openai", PromptBytes: 1000, Stream: r.IntN(2) == 0}
	var v task.Variant
	usage := hub.Usage{hub.Input: r.Int64N(600), hub.CacheRead: r.Int64N(300), hub.CacheWrite1h: r.Int64N(100)}
	if kind == hub.TypeImage {
		v = task.Variant{Quality: []string{"", "hd", "low"}[r.IntN(3)], Size: []string{"", "big", "small"}[r.IntN(3)]}
		in.Variant, in.Stream = v, false
		in.Work = &pricing.Bound{Input: 1000, Output: 9000, N: 1, Images: 2}
		usage[hub.Images] = 1 + r.Int64N(2)
	} else {
		usage[hub.Output], usage[hub.Reasoning], usage[hub.WebSearches] = r.Int64N(300), r.Int64N(100), r.Int64N(2)
	}
	if r.IntN(10) == 0 {
		usage = hub.Usage{}
	}
	if r.IntN(20) == 0 {
		usage[hub.Output] = 1 << 62
	}
	settings := &l.app.Gate.Settings
	settings.OnAbort, settings.OnFailure = []string{"reported", "delivered", "free"}[r.IntN(3)], []string{"delivered", "free"}[r.IntN(2)]
	settings.Slice = []int64{0, 50}[r.IntN(2)]
	settings.OnEmpty = []string{"charge", "free"}[r.IntN(2)]
	ticket, err := l.app.Gate.Admit(l.t.Context(), in)
	if err != nil {
		require.Equal(l.t, hub.CodeInsufficientCredits, hub.AsError(err).Code, err)
		return ""
	}
	o := admission.Outcome{Status: []hub.CallStatus{hub.StatusSuccess, hub.StatusSuccess, hub.StatusFailed, hub.StatusAborted}[r.IntN(4)],
		Target: &plan.Targets[r.IntN(len(plan.Targets))], Usage: usage, Source: hub.UsageReported, Variant: v, Tries: 1, HTTPStatus: 200, Empty: r.IntN(4) == 0}
	if held, ceiling := ticket.Held(); held < ceiling && r.IntN(2) == 0 {
		part := usage
		part[hub.Output] = r.Int64N(200)
		_, err := ticket.Extend(l.t.Context(), 0, admission.Delivered{Target: o.Target, Usage: part, Source: hub.UsageEstimated})
		if refused := (*admission.RefusedError)(nil); errors.As(err, &refused) {
			o.Ended = refused.Policy
		} else {
			require.NoError(l.t, err)
		}
	}
	if r.IntN(8) == 0 {
		require.NoError(l.t, l.app.Store.Exec(l.t.Context(), "UPDATE leases SET dead = 1 WHERE dead = 0"))
		require.NoError(l.t, l.app.Sweeper.Sweep(l.t.Context()))
		if r.IntN(3) == 0 {
			return ticket.CallID // its owner never comes back
		}
	}
	_, err = ticket.Settle(l.t.Context(), o)
	require.NoError(l.t, err)
	return ticket.CallID
}

func TestNoCallIsLeftUnexplained(t *testing.T) {
	t.Parallel()
	const models, times = 12, 600
	l := newLab(t, models)
	x := calls.Explainer{Store: l.app.Store, CreditPrice: "0.05"}
	seen := map[string]int{}
	for i := range times {
		if i%5 == 0 {
			amount := money.Credits(1 + l.rand.Int64N(1<<l.rand.IntN(34)))
			_, err := l.app.Desk.Grant(t.Context(), "test", l.caller.Email, amount, nil, "")
			require.NoError(t, err)
		}
		id := l.call(models)
		if id == "" {
			continue
		}
		seen["calls"]++
		e, err := x.Explain(t.Context(), id, true)
		require.NoError(t, err)
		plain := len(e.Reasons) == 0
		for _, r := range e.Reasons {
			seen[r.Code]++
			require.NotEqual(t, calls.Unexplained, r.Code, "%s: %s", id, r.Text)
		}
		if plain {
			seen["plain"]++
			require.Equal(t, e.Amount, e.Charged, id)
		}
		var booked money.Credits
		for _, o := range e.Operations {
			booked += o.Amount
		}
		require.Equal(t, e.Charged, booked, "the operations are the charge")
		seen["grew"] += min(1, len(extensions(e)))
		if e.Amount == 0 {
			continue // free, or beyond all bounds
		}
		rounded, err := e.Sum.Charge()
		require.NoError(t, err)
		require.Equal(t, e.Amount, rounded)
		var sum money.Sum
		for _, line := range e.Lines {
			require.NoError(t, sum.Add(line.Units, line.Rate))
		}
		require.Equal(t, sum, e.Sum, "the lines add up")
	}
	t.Log(seen)
	assert.Greater(t, seen["plain"], 50)
	assert.Positive(t, seen["grew"])
	for _, code := range []string{calls.Policy, calls.Ended, calls.LimitedByWallet, calls.Corrected, calls.Overflow, calls.Interrupted} {
		assert.Positive(t, seen[code], code)
	}
	report, err := l.app.Book.Verify(t.Context())
	require.NoError(t, err)
	assert.Empty(t, report.Violations)
}

func extensions(e *calls.Explanation) []calls.Extension {
	if e.Hold == nil {
		return nil
	}
	return e.Hold.Extensions
}
