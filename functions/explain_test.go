package functions_test

import (
	"encoding/json"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/admission"
	"github.com/aigne-hub/aigne-hub/shared/calls"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/routing"
)

// explained reads a call's explanation as somebody.
func (w *world) explained(as, id string) string {
	w.t.Helper()
	res := w.do("usage", as, "GET", "/api/user/model-calls/"+id, "")
	require.Equal(w.t, 200, res.Code)
	var v struct{ Explanation json.RawMessage }
	require.NoError(w.t, json.Unmarshal(res.Body.Bytes(), &v))
	return regexp.MustCompile(`"duration_ms":\d+`).ReplaceAllString(settled(string(v.Explanation)), `"duration_ms":0`)
}

func (w *world) explanation(id string) *calls.Explanation {
	w.t.Helper()
	x := calls.Explainer{Store: w.app.Store, CreditPrice: "1"}
	e, err := x.Explain(w.t.Context(), id, true)
	require.NoError(w.t, err)
	return e
}

func TestACallIsExplainedLineByLine(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_BILLING=on")
	w.priced()
	w.grant("member@example.com", "1")
	id := w.call("member")
	const line = `"lines":[{"bucket":"input","units":1000,"rate":"0.000002","amount":"0.002","priced":true},
		{"bucket":"cache_read","units":20,"rate":"0.000002","amount":"0.00004","fallback":"input","priced":true},
		{"bucket":"output","units":100,"rate":"0.00001","amount":"0.001","priced":true}],"left_out":[],
		"sum":"0.00304","amount":"0.00304","due":"0.00304","charged":"0.00304","reasons":[],
		"policies":{"on_abort":"reported","on_failure":"delivered","on_empty":"charge","decided":""},
		"hold":{"amount":"0.014","computed":{"amount":"0.014","target":"alpha/m","bound":{"input":2000,"output":1000,"n":1}},"extensions":[],"open":false,"released":"0.01096"},
		"operations":[{"id":"ID/settle","kind":"charge","amount":"0.00304","created_at":"TIME",
			"entries":[{"account":"ID","amount":"-0.00304"},{"account":"revenue","amount":"0.00304"}]}]`
	assert.JSONEq(t, `{"user":"member@example.com","key":"laptop","attempts":[
		{"provider":"alpha","model":"m","answered":false,"http_status":429,"category":"rate_limited","duration_ms":0},
		{"provider":"alpha","model":"m","answered":true,"http_status":200,"category":"","duration_ms":0}],
		"rate":{"id":"ID","version":1,"target":"alpha/m","set_at":"TIME"},`+line+`}`, w.explained("member", id))
	before := w.explained("admin", id)
	assert.JSONEq(t, `{"user":"member@example.com","key":"laptop","attempts":[
		{"provider":"alpha","model":"m","credential":"spent","answered":false,"http_status":429,"category":"rate_limited",
			"error":"the operator's quota is used up","duration_ms":0,"cost_usd":"0.001"},
		{"provider":"alpha","model":"m","credential":"hush","answered":true,"http_status":200,"category":"","duration_ms":0,"cost_usd":"0.00152"}],
		"rate":{"id":"ID","version":1,"target":"alpha/m","set_at":"TIME","set_by":"test"},`+line+`,
		"operator":{"shortfall":"0","cost_usd":"0.00152","cost_from":"rate","cost_lines":[
			{"bucket":"input","units":1000,"rate":"0.000001","amount":"0.001","priced":true},
			{"bucket":"cache_read","units":20,"rate":"0.000001","amount":"0.00002","fallback":"input","priced":true},
			{"bucket":"output","units":100,"rate":"0.000005","amount":"0.0005","priced":true}],
			"attempts_usd":"0.001","revenue_usd":"0.00304","margin_usd":"0.00052"}}`, before)

	_, err := w.app.Desk.SetRate(t.Context(), "test", operator.NewRate{Provider: "alpha", Model: "m", Prices: map[hub.Bucket]string{hub.Input: "99"}})
	require.NoError(t, err)
	assert.Equal(t, before, w.explained("admin", id), "a rate that changes later changes no explanation")
	require.NoError(t, w.app.Store.Exec(t.Context(), "DELETE FROM ai_model_rates WHERE provider = 'alpha'"))
	assert.Equal(t, before, w.explained("admin", id), "nor does one that is gone")
}

// finish admits a call of a user and settles it.
func (w *world) finish(as string, o admission.Outcome) *calls.Explanation {
	w.t.Helper()
	ticket, plan := w.admit(as)
	o.Target = &plan.Targets[0]
	_, err := ticket.Settle(w.t.Context(), o)
	require.NoError(w.t, err)
	return w.explanation(ticket.CallID)
}

func codes(e *calls.Explanation) []string {
	out := []string{}
	for _, r := range e.Reasons {
		out = append(out, r.Code)
	}
	return out
}

func TestAnExplanationNamesWhyTheLinesAreNotTheCharge(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_BILLING=on", "AIGNE_HUB_BILLING_ON_ABORT=free", "AIGNE_HUB_BILLING_ON_UPSTREAM_FAILURE=free")
	w.priced()
	w.grant("member@example.com", "1")
	w.grant("other@example.com", "0.02")

	e := w.finish("member", admission.Outcome{Status: hub.StatusAborted, Usage: hub.Usage{hub.Input: 5}, Source: hub.UsageReported})
	assert.Equal(t, []string{calls.Policy}, codes(e))
	assert.Equal(t, "0.00001", e.Amount.String(), "what it would have been")
	assert.Zero(t, e.Charged)

	e = w.finish("member", admission.Outcome{Status: hub.StatusFailed, Usage: hub.Usage{hub.Input: 5}, Source: hub.UsageEstimated})
	assert.Equal(t, []string{calls.Policy, calls.Estimated}, codes(e))

	e = w.finish("member", admission.Outcome{Status: hub.StatusSuccess, Usage: hub.Usage{hub.Input: 1 << 62, hub.Output: 1 << 62}, Source: hub.UsageReported})
	assert.Equal(t, []string{calls.Overflow}, codes(e))
	assert.Equal(t, e.Hold.Amount, e.Charged)

	e = w.finish("other", admission.Outcome{Status: hub.StatusSuccess, Usage: hub.Usage{hub.Output: 5000}, Source: hub.UsageReported})
	assert.Equal(t, []string{calls.LimitedByWallet}, codes(e))
	assert.Equal(t, "0.05", e.Amount.String())
	assert.Equal(t, "0.02", e.Charged.String())
	assert.Equal(t, "0.03", e.Operator.Shortfall.String())
	assert.Equal(t, e.Amount, e.Due)

	ticket, plan := w.admit("member")
	assert.Equal(t, []string{calls.Open}, codes(w.explanation(ticket.CallID)))
	require.NoError(t, w.app.Store.Exec(t.Context(), "UPDATE leases SET dead = 1"))
	require.NoError(t, w.app.Sweeper.Sweep(t.Context()))
	_, err := ticket.Settle(t.Context(), admission.Outcome{Status: hub.StatusSuccess, Target: &plan.Targets[0],
		Usage: hub.Usage{hub.Input: 1000}, Source: hub.UsageReported})
	require.NoError(t, err)
	e = w.explanation(ticket.CallID)
	assert.Equal(t, []string{calls.Corrected}, codes(e))
	assert.Equal(t, "0.002", e.Charged.String())
	assert.Len(t, e.Operations, 2)
	assert.Equal(t, e.Amount, e.Due)
}

func TestAnAnswerFromTheCacheIsExplainedByItsShareOfThePrice(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_BILLING=on")
	w.priced()
	w.grant("member@example.com", "1")
	caller, err := w.app.Keys.Caller(t.Context(), w.keys["member"])
	require.NoError(t, err)
	for percent, want := range map[int64]string{0: "0", 10: "0.0003", 33: "0.00099", 100: "0.003"} {
		plan, err := w.app.Routes().Plan(routing.Request{Model: "alpha/m", Type: hub.TypeChat, Dialect: "openai"})
		require.NoError(t, err)
		usage := hub.Usage{hub.Input: 1500}
		ticket, err := w.app.Gate.Admit(t.Context(), admission.Request{Caller: caller, Plan: plan, Type: hub.TypeChat, Dialect: "openai",
			Replay: &admission.Replay{Target: &plan.Targets[0], Usage: usage, Percent: percent}})
		require.NoError(t, err)
		_, err = ticket.Settle(t.Context(), admission.Outcome{Status: hub.StatusSuccess, Target: &plan.Targets[0], Usage: usage, Source: hub.UsageReported})
		require.NoError(t, err)
		e := w.explanation(ticket.CallID)
		assert.Equal(t, []string{calls.KeptAnswer}, codes(e))
		assert.Equal(t, want, e.Charged.String())
		assert.Equal(t, "cache", e.Operator.CostFrom)
	}
}

func TestWithBillingOffACallIsPricedAndSaysThatItIsNotCharged(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.priced()
	e := w.explanation(w.call("member"))
	assert.Equal(t, []string{calls.BillingOff}, codes(e))
	assert.Equal(t, "0.00304", e.Amount.String())
	assert.Zero(t, e.Charged)
	assert.Nil(t, e.Hold)
}

func TestAHoldThatGrewIsExplainedSliceBySlice(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_BILLING=on")
	_, err := w.app.Desk.SetRate(t.Context(), "test", operator.NewRate{Provider: "openai", Model: "gpt-4o-mini",
		Prices: map[hub.Bucket]string{hub.Input: "1", hub.Output: "10"}, MaxOutput: 1000})
	require.NoError(t, err)
	require.NoError(t, w.app.Reload(t.Context()))
	w.app.Gate.Settings.Slice = 100
	w.grant("member@example.com", "0.0035")
	caller, err := w.app.Keys.Caller(t.Context(), w.keys["member"])
	require.NoError(t, err)
	plan, err := w.app.Routes().Plan(routing.Request{Model: "openai/gpt-4o-mini", Type: hub.TypeChat, Dialect: "openai"})
	require.NoError(t, err)
	ticket, err := w.app.Gate.Admit(t.Context(), admission.Request{Caller: caller, Plan: plan, Type: hub.TypeChat, Dialect: "openai", Stream: true, PromptBytes: 500})
	require.NoError(t, err)
	got := hub.Usage{hub.Input: 400, hub.Output: 60}
	_, err = ticket.Extend(t.Context(), 150, admission.Delivered{Target: &plan.Targets[0], CredentialID: "c", Credential: "key", Usage: got, Source: hub.UsageEstimated})
	require.NoError(t, err)

	e := w.explanation(ticket.CallID)
	assert.Equal(t, []string{calls.Open}, codes(e))
	assert.True(t, e.Hold.Open)
	got[hub.Output] = 250
	_, err = ticket.Settle(t.Context(), admission.Outcome{Status: hub.StatusSuccess, Target: &plan.Targets[0], Usage: got, Source: hub.UsageReported, Ended: hub.MoneyEnded})
	require.NoError(t, err)

	e = w.explanation(ticket.CallID)
	assert.Equal(t, []string{calls.Ended}, codes(e))
	assert.Equal(t, "0.0015", e.Hold.Computed.Amount.String(), "500 of prompt and a slice of 100")
	assert.True(t, e.Hold.Computed.Slice)
	assert.EqualValues(t, 100, e.Hold.Computed.Bound.Output)
	require.Len(t, e.Hold.Extensions, 1)
	x := e.Hold.Extensions[0]
	assert.Equal(t, []string{"0.0025", "0.001"}, []string{x.Hold.String(), x.Delivered.String()})
	assert.EqualValues(t, 200, x.Tokens)
	assert.Equal(t, x.Hold, e.Hold.Amount)
	assert.Equal(t, "0.0029", e.Charged.String())
	assert.Equal(t, e.Amount, e.Due)
}
