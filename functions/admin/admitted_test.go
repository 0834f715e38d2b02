package admin_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/admission"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/routing"
)

// admit admits a call of one/m for the member.
func (h *testHub) admit() *admission.Ticket {
	h.t.Helper()
	require.NoError(h.t, h.app.Reload(h.t.Context()))
	plan, err := h.app.Routes().Plan(routing.Request{Model: "one/m", Type: hub.TypeChat})
	require.NoError(h.t, err)
	caller, err := h.app.Keys.Authenticate(h.bearer(h.member))
	require.NoError(h.t, err)
	most := int64(1000)
	ticket, err := h.app.Gate.Admit(h.t.Context(), admission.Request{Caller: caller, Plan: plan, Type: hub.TypeChat, Dialect: "openai", RequestID: "r",
		PromptBytes: 1000, MaxOutput: &most, N: 1})
	require.NoError(h.t, err)
	return ticket
}

func (h *testHub) bearer(key string) *http.Request {
	r := httptest.NewRequestWithContext(h.t.Context(), http.MethodGet, "/", http.NoBody)
	r.Header.Set("Authorization", "Bearer "+key)
	return r
}

// settle ends an admitted call with 100 tokens in and 10 out.
func (h *testHub) settle(ticket *admission.Ticket, plan routing.Plan) admission.Settled {
	h.t.Helper()
	s, err := ticket.Settle(h.t.Context(), admission.Outcome{Status: hub.StatusSuccess, Target: &plan.Targets[0], HTTPStatus: http.StatusOK, Tries: 1,
		Usage: hub.Usage{hub.Input: 100, hub.Output: 10}, Source: hub.UsageReported})
	require.NoError(h.t, err)
	return s
}

func TestAChangeOfRatesNeverTouchesACallThatWasAdmitted(t *testing.T) {
	t.Parallel()
	h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on"})
	vendors(h)
	_, err := h.app.Desk.Grant(t.Context(), "test", "member@example.com", 100*money.Credit, nil, "")
	require.NoError(t, err)
	made := ok[object](h, "POST", "/api/admin/rates", `{"providers":["one"],"model":"m","usd_per_million":{"input":"1000","output":"2000"},"cost_usd_per_million":{"input":"900","output":"1800"}}`)
	id := made["data"].([]any)[0].(object)["id"].(string)
	for name, change := range map[string]func(){
		"set": func() {
			ok[object](h, "PUT", "/api/admin/rates", `{"provider":"one","model":"m","usd_per_million":{"input":"1","output":"1"}}`)
		},
		"repriced": func() { ok[object](h, "POST", "/api/admin/rates/reprice", `{"margin":"500"}`) },
		"retired": func() {
			ok[object](h, "POST", "/api/admin/rates/"+id+"/deprecate", `{"refused_from":"2020-01-01T00:00:00Z"}`)
		},
	} {
		_ = ok[object](h, "POST", "/api/admin/rates/"+id+"/restore", "")
		_ = ok[object](h, "PATCH", "/api/admin/rates/"+id, `{"credits_per_million":{"input":"1000","output":"2000"},"cost_usd_per_million":{"input":"900","output":"1800"}}`)
		ticket := h.admit()
		plan := planOf(h)
		change()
		require.NoError(t, h.app.Reload(t.Context()))
		s := h.settle(ticket, plan)
		assert.Equal(t, "0.12", s.Credits.String(), name)
		call, err := h.app.Store.CallByID(t.Context(), ticket.CallID)
		require.NoError(t, err)
		assert.Equal(t, []any{id, plan.Targets[0].RateVersion}, []any{call.RateID, call.RateVersion}, name)
	}
	_ = ok[object](h, "POST", "/api/admin/rates/"+id+"/restore", "")
	_ = ok[object](h, "PATCH", "/api/admin/rates/"+id, `{"credits_per_million":{"input":"1000","output":"2000"}}`)
	ticket, plan := h.admit(), planOf(h)
	deps := ok[object](h, "GET", "/api/admin/rates/"+id+"/dependants", "")
	assert.EqualValues(t, 1, deps["open_calls"], "it is told that a call is open")
	ok[object](h, "DELETE", "/api/admin/rates/"+id, "")
	assert.Equal(t, "0.12", h.settle(ticket, plan).Credits.String(), "what was promised holds though the rate is gone")
	report, err := h.app.Book.Verify(t.Context())
	require.NoError(t, err)
	assert.Empty(t, report.Violations)
}

// planOf is the plan that admit admits now.
func planOf(h *testHub) routing.Plan {
	h.t.Helper()
	plan, err := h.app.Routes().Plan(routing.Request{Model: "one/m", Type: hub.TypeChat})
	require.NoError(h.t, err)
	return plan
}
