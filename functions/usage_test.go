package functions_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/admission"
	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// priced makes the models m of two providers, with rates; calls are planned on
// them and never made.
func (w *world) priced() {
	w.t.Helper()
	for _, name := range []string{"alpha", "beta"} {
		_, err := w.app.Desk.AddProvider(w.t.Context(), "test", operator.NewProvider{Kind: "openai", Name: name,
			BaseURL: "http://127.0.0.1:1/v1", Credential: "sk-stored-key-" + hub.Secret(name), CredentialName: "hush"})
		require.NoError(w.t, err)
		w.secrets = append(w.secrets, "sk-stored-key-"+name)
		_, err = w.app.Desk.SetRate(w.t.Context(), "test", operator.NewRate{Provider: name, Model: "m",
			Prices: map[hub.Bucket]string{hub.Input: "2", hub.Output: "10"}, Costs: map[hub.Bucket]string{hub.Input: "1", hub.Output: "5"}})
		require.NoError(w.t, err)
	}
	require.NoError(w.t, w.app.Reload(w.t.Context()))
}

func (w *world) grant(email, amount string) {
	w.t.Helper()
	n, err := money.ParseCredits(amount)
	require.NoError(w.t, err)
	_, err = w.app.Desk.Grant(w.t.Context(), "test", email, n, nil, "for a test")
	require.NoError(w.t, err)
}

// admit opens a call of a user.
func (w *world) admit(as string) (*admission.Ticket, routing.Plan) {
	w.t.Helper()
	caller, err := w.app.Keys.Caller(w.t.Context(), w.keys[as])
	require.NoError(w.t, err)
	return admit(w.t, w.app, caller, "alpha/m")
}

// admit opens a call as the proxy does.
func admit(t *testing.T, app *boot.App, caller hub.Caller, model string) (*admission.Ticket, routing.Plan) {
	t.Helper()
	plan, err := app.Routes().Plan(routing.Request{Model: model, Type: hub.TypeChat, Dialect: "openai"})
	require.NoError(t, err)
	most := int64(1000)
	ticket, err := app.Gate.Admit(t.Context(), admission.Request{Caller: caller, Plan: plan, Type: hub.TypeChat,
		Dialect: "openai", Stream: true, RequestID: "req-1", PromptBytes: 2000, MaxOutput: &most})
	require.NoError(t, err)
	return ticket, plan
}

// call makes a settled call of a user, whose first try failed.
func (w *world) call(as string) string {
	w.t.Helper()
	ticket, plan := w.admit(as)
	cost := money.Credits(1_000_000)
	_, err := ticket.Settle(w.t.Context(), admission.Outcome{Status: hub.StatusSuccess, Target: &plan.Targets[0], CredentialID: "c1", Credential: "hush",
		Usage: hub.Usage{hub.Input: 1000, hub.CacheRead: 20, hub.Output: 100}, Source: hub.UsageReported, HTTPStatus: 200, Tries: 2,
		Attempts: []store.Attempt{{Provider: "alpha", Model: "m", Credential: "spent", HTTPStatus: 429, Category: "rate_limited",
			Error: "the operator's quota is used up", Duration: 30 * time.Millisecond, Cost: &cost}}})
	require.NoError(w.t, err)
	return ticket.CallID
}

// duration is what differs from run to run in a call that was just made.
var duration = regexp.MustCompile(`"attempts":2,"duration_ms":\d+`)

func TestACallIsShownToItsUserWithoutTheOperatorsAffairs(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_BILLING=on")
	w.priced()
	w.grant("member@example.com", "1")
	id := w.call("member")
	const seen = `"id":"ID","created_at":"TIME","finished_at":"TIME","user_id":"ID","api_key_id":"ID","app_id":"","request_id":"req-1",
		"type":"chatCompletion","dialect":"openai","requested_model":"alpha/m","provider":"alpha","model":"m","stream":true,"status":"success",
		"http_status":200,"error_category":"","error":"","usage":{"input":1000,"cache_read":20,"output":100},"usage_source":"reported",
		"billed":true,"hold":"0.014","credits":"0.00304","rate_id":"ID","rate_version":1,"attempts":2,"duration_ms":0,"ttfb_ms":null,"provider_ttfb_ms":null`
	const operators = `,"credential":"hush","cost_usd":"0.00152","shortfall":"0"`
	const plan = `"plan":{"targets":[{"target":"alpha/m","rate_id":"ID","rate_version":1}]}`
	const attempt = `"provider":"alpha","model":"m","http_status":429,"category":"rate_limited","duration_ms":30`

	for _, c := range []struct{ name, as, target, want string }{
		{"in a list", "member", "/api/user/model-calls", `{"data":[{` + seen + `}],"next_cursor":null}`},
		{"alone", "member", "/api/user/model-calls/" + id, `{` + seen + `,"failed_attempts":[{` + attempt + `}],` + plan + `}`},
		{"to an admin in a list", "admin", "/api/user/model-calls?scope=all", `{"data":[{` + seen + operators + `}],"next_cursor":null}`},
		{"to an admin alone", "admin", "/api/user/model-calls/" + id, `{` + seen + operators + `,"failed_attempts":[{` + attempt +
			`,"credential":"spent","error":"the operator's quota is used up","cost_usd":"0.001"}],` + plan + `}`},
	} {
		res := w.do("usage", c.as, "GET", c.target, "")
		require.Equal(t, 200, res.Code, c.name)
		got := duration.ReplaceAllString(settled(res.Body.String()), `"attempts":2,"duration_ms":0`)
		assert.JSONEq(t, c.want, without(t, got, "explanation"), c.name)
		if c.as == "member" {
			for _, hidden := range []string{"hush", "spent", "cost", "quota", "shortfall"} {
				assert.NotContains(t, got, hidden, c.name)
			}
		}
	}
}

// without takes a field out of an answer.
func without(t *testing.T, body, name string) string {
	t.Helper()
	var v map[string]json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(body), &v))
	delete(v, name)
	out, err := json.Marshal(v)
	require.NoError(t, err)
	return string(out)
}

func TestCallsOfOthersAreNotShown(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.priced()
	other := w.call("other")
	w.golden("usage", []apiCase{
		{"a list needs a key", "", "GET /api/user/model-calls", "", 401, noKey},
		{"a list has the caller's calls only", "member", "GET /api/user/model-calls", "", 200, `{"data":[],"next_cursor":null}`},
		{"an admin's own list too", "admin", "GET /api/user/model-calls?scope=own", "", 200, `{"data":[],"next_cursor":null}`},
		{"a member may not ask for all", "member", "GET /api/user/model-calls?scope=all", "", 403,
			refused("permission_error", "forbidden", "Only owners and admins may see everybody's calls.")},
		{"another's call looks like none", "member", "GET /api/user/model-calls/" + other, "", 404, notFound("There is no call with this id.")},
		{"so does none", "admin", "GET /api/user/model-calls/nope", "", 404, notFound("There is no call with this id.")},
		{"an unknown scope is refused", "member", "GET /api/user/model-calls?scope=some", "", 400, invalid("scope", "scope must be own or all.")},
		{"a bad cursor is refused", "member", "GET /api/user/model-calls?before=%27", "", 400, invalid("before", "before must be the id of a call.")},
		{"a page too large is refused", "member", "GET /api/user/model-calls?pageSize=101", "", 400,
			invalid("pageSize", "pageSize must be a whole number from 1 to 100.")},
		{"page numbers are answered in AIGNE Hub's form", "member", "GET /api/user/model-calls?page=2", "", 200,
			`{"count":0,"countExact":true,"list":[],"paging":{"page":2,"pageSize":20,"asOf":""}}`},
		{"the list is only read", "owner", "DELETE /api/user/model-calls", "", 405,
			refused("invalid_request_error", "method_not_allowed", "DELETE is not allowed here; GET, HEAD is.")},
	})
}

func TestAListOfCallsGoesOnByCursor(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.priced()
	var want []string
	for range 5 {
		want = append([]string{w.call("member")}, want...)
		w.call("other")
	}
	var got []string
	target := "/api/user/model-calls?pageSize=2"
	for pages := 0; target != ""; pages++ {
		require.Less(t, pages, 3)
		res := w.do("usage", "member", "GET", target, "")
		require.Equal(t, 200, res.Code)
		ids, next := idsOf(t, res)
		got = append(got, ids...)
		if target = ""; next != "" {
			target = "/api/user/model-calls?pageSize=2&before=" + next
		}
	}
	assert.Equal(t, want, got, "newest first, each once")

	ids, _ := idsOf(t, w.do("usage", "owner", "GET", "/api/user/model-calls?scope=all", ""))
	assert.Len(t, ids, 10)
	ids, _ = idsOf(t, w.do("usage", "member", "GET", fmt.Sprintf("/api/user/model-calls?startTime=%d&endTime=%d", time.Now().Unix()-3600, time.Now().Unix()+3600), ""))
	assert.Len(t, ids, 5)
	ids, _ = idsOf(t, w.do("usage", "member", "GET", fmt.Sprintf("/api/user/model-calls?endTime=%d", time.Now().Unix()-3600), ""))
	assert.Empty(t, ids)
	assert.Equal(t, 400, w.do("usage", "member", "GET", "/api/user/model-calls?startTime=soon", "").Code)
}

func idsOf(t *testing.T, res *httptest.ResponseRecorder) (ids []string, next string) {
	t.Helper()
	var page struct {
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
		NextCursor *string `json:"next_cursor"`
	}
	require.NoError(t, json.Unmarshal(res.Body.Bytes(), &page), fmt.Sprint(res))
	for _, d := range page.Data {
		ids = append(ids, d.ID)
	}
	if page.NextCursor != nil {
		next = *page.NextCursor
	}
	return ids, next
}

func TestACallSaysHowAnAliasLedToItsModel(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.priced()
	require.NoError(t, w.app.Desk.SetAlias(t.Context(), "test", routing.Alias{Name: "smart",
		Rules: []routing.Rule{{Policy: routing.Cheap, Steps: []routing.Step{{Targets: []routing.Weighted{{Model: "beta/m"}}}}}}}))
	require.NoError(t, w.app.Reload(t.Context()))
	caller, err := w.app.Keys.Caller(t.Context(), w.keys["member"])
	require.NoError(t, err)
	ticket, plan := admit(t, w.app, caller, "smart")
	_, err = ticket.Settle(t.Context(), admission.Outcome{Status: hub.StatusSuccess, Target: &plan.Targets[0], HTTPStatus: 200})
	require.NoError(t, err)
	body := w.do("usage", "member", "GET", "/api/user/model-calls", "").Body.String()
	assert.Contains(t, body, `"requested_model":"smart","why":"alias smart, rule 1, policy cheap","provider":"beta"`)
}
