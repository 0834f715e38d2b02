package functions_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
)

// as makes a key of a user's with restrictions and lets requests come with it.
func (w *world) as(name, email string, k operator.KeyLimits) string {
	w.t.Helper()
	key, row, err := w.app.Desk.CreateLimitedKey(w.t.Context(), "test", email, name, nil, k)
	require.NoError(w.t, err)
	w.keys[name] = key
	w.secrets = append(w.secrets, key.Reveal(), row.Hash)
	return row.ID
}

const shownKey = `"last_used_at":"USED","wallet_id":""`

func TestUsersRestrictTheirKeys(t *testing.T) {
	t.Parallel()
	w := open(t)
	bad := func(body string) *httptest.ResponseRecorder {
		return w.do("auth", "member", "POST", "/api/auth/keys", body)
	}
	for body, param := range map[string]string{
		`{"name":"k","models":[]}`: "models", `{"name":"k","models":["a b"]}`: "models", `{"name":"k","ips":[]}`: "ips", `{"name":"k","ips":["intranet"]}`: "ips",
		`{"name":"k","ips":["::ffff:10.0.0.0/104"]}`: "ips", `{"name":"k","scopes":[]}`: "scopes", `{"name":"k","scopes":["all"]}`: "scopes",
		`{"name":"k","scopes":["usage","usage"]}`: "scopes", `{"name":"k","budget_day":"-1"}`: "budget_day", `{"name":"k","budget_week":"x"}`: "budget_week",
		`{"name":"k","rpm":-1}`: "rpm", `{"name":"k","app":"x"}`: "app",
	} {
		res := bad(body)
		assert.Equal(t, 400, res.Code, body)
		assert.Equal(t, param, field(t, res, "error", "param"), body)
	}
	made := w.do("auth", "member", "POST", "/api/auth/keys", `{"name":"ci","models":["openai/*","fast"],"ips":["192.0.2.7","10.1.2.3/8","10.0.0.0/8"],
		"scopes":["inference","usage"],"budget_day":"1.5","rpm":60}`)
	require.Equal(t, 201, made.Code, made.Body.String())
	id := field(t, made, "id")
	w.secrets = append(w.secrets, field(t, made, "key"))
	const terms = `"models":["openai/*","fast"],"ips":["192.0.2.7/32","10.0.0.0/8"],"scopes":["inference","usage"],"app":""`
	head := func(name, expires string) string {
		return `{"id":"ID","user_id":"ID","name":"` + name + `","hint":"HINT","created_at":"TIME","expires_at":` + expires + `,"revoked_at":null,` + shownKey + `,`
	}
	w.golden("auth", []apiCase{
		{"a key is shown with its limits and use", "member", "GET /api/auth/keys/" + id, "", 200, head("ci", "null") + terms + `,"rotated_at":null,"old":null,
			"limits":[{"id":"ID","metric":"credits","period":"day","amount":"1.5","used":"0"},{"id":"ID","metric":"requests","period":"minute","amount":"60","used":"0"}],
			"use":{"from":"TIME","until":"TIME","calls":0,"failed":0,"input_tokens":0,"output_tokens":0,"credits":"0"}}`},
		{"but to nobody else", "other", "GET /api/auth/keys/" + id, "", 404, notFound("There is no API key with this id among yours.")},
		{"nor by an admin here", "admin", "GET /api/auth/keys/" + id, "", 404, notFound("There is no API key with this id among yours.")},
		{"a range is bounded", "member", "GET /api/auth/keys/" + id + "?startTime=1&endTime=1800000000", "", 400,
			invalid("startTime", "startTime must lie before endTime, by at most 31 days.")},
		{"another's key cannot be changed", "other", "PATCH /api/auth/keys/" + id, `{"name":"mine"}`, 404, notFound("There is no API key with this id among yours.")},
		{"nor rotated", "other", "POST /api/auth/keys/" + id + "/rotate", `{}`, 404, notFound("There is no API key with this id among yours.")},
		{"what is named changes", "member", "PATCH /api/auth/keys/" + id, `{"name":"build","expires_at":"2099-01-01T00:00:00Z","budget_day":null,"budget_month":"9"}`, 200,
			head("build", `"TIME"`) + terms + `,"rotated_at":null,"old":null}`},
		{"an end in the past is refused", "member", "PATCH /api/auth/keys/" + id, `{"expires_at":"2020-01-01T00:00:00Z"}`, 400,
			invalid("expires_at", "The expiry must lie in the future; revoke the key to end it now.")},
		{"an empty list is no way to allow all", "member", "PATCH /api/auth/keys/" + id, `{"models":[]}`, 400,
			invalid("models", "An empty list of models would allow nothing; leave it out, or null, to allow all.")},
		{"null takes restrictions away", "member", "PATCH /api/auth/keys/" + id, `{"models":null,"ips":null,"scopes":null,"expires_at":null,"rpm":null}`, 200,
			head("build", "null") + `"models":null,"ips":null,"scopes":null,"app":"","rotated_at":null,"old":null}`},
		{"a grace is bounded", "member", "POST /api/auth/keys/" + id + "/rotate", `{"grace_seconds":7776001}`, 400,
			invalid("grace_seconds", "grace_seconds must be from 0 to 7776000.")},
		{"a rotation shows the new secret", "member", "POST /api/auth/keys/" + id + "/rotate", `{"grace_seconds":3600}`, 200,
			`{"id":"ID","name":"build","key":"KEY","old_until":"TIME"}`},
	})
	var v operator.KeyDetail
	require.NoError(t, json.Unmarshal(w.do("auth", "member", "GET", "/api/auth/keys/"+id, "").Body.Bytes(), &v))
	require.NotNil(t, v.Old)
	assert.WithinDuration(t, time.Now().Add(time.Hour), v.Old.Until, time.Minute)
	require.Len(t, v.Limits, 1)
	assert.Equal(t, "month", v.Limits[0].Period)
	require.Equal(t, 204, w.do("auth", "member", "DELETE", "/api/auth/keys/"+id, "").Code)
	assert.Equal(t, 409, w.do("auth", "member", "POST", "/api/auth/keys/"+id+"/rotate", `{}`).Code, "a revoked key does not come back")
	assert.Equal(t, 409, w.do("auth", "member", "PATCH", "/api/auth/keys/"+id, `{"name":"x"}`).Code)
}

func TestAUsersKeysGoOnByCursor(t *testing.T) {
	t.Parallel()
	w := open(t)
	for range 4 {
		w.as("more", "member@example.com", operator.KeyLimits{})
	}
	var seen []string
	for path := "/api/auth/keys?pageSize=2"; path != ""; {
		var page struct {
			Data []operator.KeyView `json:"data"`
			Next string             `json:"next_cursor"`
		}
		require.NoError(t, json.Unmarshal(w.do("auth", "member", "GET", path, "").Body.Bytes(), &page))
		for _, k := range page.Data {
			seen = append(seen, k.ID)
		}
		path = ""
		if page.Next != "" {
			path = "/api/auth/keys?pageSize=2&cursor=" + page.Next
		}
	}
	assert.Len(t, seen, 5)
	assert.IsIncreasing(t, seen)
	assert.Equal(t, 400, w.do("auth", "member", "GET", "/api/auth/keys?cursor=x", "").Code)
}

func TestARestrictedKeyCannotMakeItselfAnother(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_TRUSTED_PROXIES=192.0.2.0/24")
	_, err := w.app.Desk.SetApp(t.Context(), "test", "shop", operator.ChangedApp{})
	require.NoError(t, err)
	n := int64(5)
	ids := map[string]string{
		"scoped": w.as("scoped", "member@example.com", operator.KeyLimits{Scopes: []hub.Scope{hub.ScopeInference, hub.ScopeAdmin}}),
		"models": w.as("models", "member@example.com", operator.KeyLimits{Models: []string{"openai/*"}}),
		"ips":    w.as("ips", "member@example.com", operator.KeyLimits{IPs: []string{"192.0.2.1"}}),
		"budget": w.as("budget", "member@example.com", operator.KeyLimits{BudgetWeek: "1"}),
		"rpm":    w.as("rpm", "member@example.com", operator.KeyLimits{RPM: &n}),
		"app":    w.as("app", "member@example.com", operator.KeyLimits{App: "shop"}),
	}
	mine := field(t, w.do("auth", "member", "GET", "/api/auth/me", ""), "key", "id")
	for name, id := range ids {
		for _, target := range []string{id, mine} {
			assert.Equal(t, 403, w.do("auth", name, "PATCH", "/api/auth/keys/"+target, `{"name":"x"}`).Code, name)
			assert.Equal(t, 403, w.do("auth", name, "POST", "/api/auth/keys/"+target+"/rotate", `{}`).Code, name)
		}
		assert.Equal(t, 403, w.do("auth", name, "POST", "/api/auth/keys", `{"name":"free"}`).Code, name)
		assert.Equal(t, 403, w.do("auth", name, "DELETE", "/api/auth/keys/"+mine, "").Code, "a leaked key must not end the others: %s", name)
		assert.Equal(t, 204, w.do("auth", name, "DELETE", "/api/auth/keys/"+id, "").Code, "it may end itself: %s", name)
	}
}

func TestAKeyIsBoundToAddresses(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_TRUSTED_PROXIES=192.0.2.0/24") // httptest's peer is 192.0.2.1
	w.as("bound", "member@example.com", operator.KeyLimits{IPs: []string{"203.0.113.0/24", "2001:db8::1"}})
	get := func(peer, forwarded string) int {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/models", nil)
		r.Header.Set("Authorization", "Bearer "+w.keys["bound"].Reveal())
		if peer != "" {
			r.RemoteAddr = peer
		}
		if forwarded != "" {
			r.Header.Set("X-Forwarded-For", forwarded)
		}
		res := httptest.NewRecorder()
		w.fn["proxy"].ServeHTTP(res, r)
		return res.Code
	}
	for range 2 { // the second time from the cache
		assert.Equal(t, 200, get("", "203.0.113.9"))
		assert.Equal(t, 200, get("203.0.113.9:1234", ""))
		assert.Equal(t, 200, get("[2001:db8::1]:80", ""))
		assert.Equal(t, 200, get("[::ffff:203.0.113.9]:80", ""), "an IPv4 address in IPv6's clothes")
		assert.Equal(t, 403, get("", ""), "the proxy itself is not on the list")
		assert.Equal(t, 403, get("", "203.0.113.9, 198.51.100.1"), "what the client typed does not count")
		assert.Equal(t, 403, get("198.51.100.1:80", "203.0.113.9"), "a stranger is no proxy")
		assert.Equal(t, 403, get("nonsense", ""))
	}
	_, err := w.app.Keys.Caller(context.Background(), w.keys["bound"])
	assert.Equal(t, hub.CodeForbidden, hub.CodeOf(err), "no address is not any address")
}

func TestAdminsChangeAndRotateKeysButNotAnOwners(t *testing.T) {
	t.Parallel()
	w := open(t)
	owners := field(t, w.do("auth", "owner", "GET", "/api/auth/me", ""), "key", "id")
	members := field(t, w.do("auth", "member", "GET", "/api/auth/me", ""), "key", "id")
	for _, as := range []string{"member", "guest"} {
		assert.Equal(t, 403, w.do("admin", as, "GET", "/api/admin/keys/"+members, "").Code)
		assert.Equal(t, 403, w.do("admin", as, "PATCH", "/api/admin/keys/"+members, `{}`).Code)
		assert.Equal(t, 403, w.do("admin", as, "POST", "/api/admin/keys/"+members+"/rotate", `{}`).Code)
	}
	assert.Equal(t, 403, w.do("admin", "admin", "PATCH", "/api/admin/keys/"+owners, `{"name":"x"}`).Code)
	assert.Equal(t, 403, w.do("admin", "admin", "POST", "/api/admin/keys/"+owners+"/rotate", `{}`).Code, "its secret would be an owner's power")
	assert.Equal(t, 404, w.do("admin", "admin", "POST", "/api/admin/keys/none/rotate", `{}`).Code)
	res := w.do("admin", "admin", "PATCH", "/api/admin/keys/"+members, `{"models":["openai/*"],"concurrency":3}`)
	require.Equal(t, 200, res.Code, res.Body.String())
	res = w.do("admin", "admin", "GET", "/api/admin/keys/"+members, "")
	assert.Contains(t, res.Body.String(), `"concurrency"`)
	res = w.do("admin", "owner", "POST", "/api/admin/keys/"+members+"/rotate", `{}`)
	require.Equal(t, 200, res.Code, res.Body.String())
	assert.Equal(t, "no-store", res.Header().Get("Cache-Control"))
	require.NoError(t, w.app.Reload(t.Context()))
	assert.Equal(t, 401, w.do("auth", "member", "GET", "/api/auth/me", "").Code, "without a grace the old secret ends")
	w.keys["member"] = hub.Secret(field(t, res, "key"))
	w.secrets = append(w.secrets, field(t, res, "key"))
	assert.Equal(t, members, field(t, w.do("auth", "member", "GET", "/api/auth/me", ""), "key", "id"), "it is the same key")
}

func TestAServiceKeySpeaksForItsApplicationAlone(t *testing.T) {
	t.Parallel()
	w := open(t)
	const app = "zNKXaK3UuYfDW4vV6PmkscF8X2w9VzNu5b48"
	form := func(more string) string {
		return `{"user":"admin@example.com","name":"svc","app":"` + app + `"` + more + `}`
	}
	assert.Equal(t, 404, w.do("admin", "admin", "POST", "/api/admin/keys", form("")).Code, "an unknown application has no keys")
	res := w.do("admin", "admin", "PATCH", "/api/admin/apps/"+app, `{"name":"Shop"}`)
	require.Equal(t, 200, res.Code, res.Body.String())
	assert.Equal(t, 400, w.do("admin", "admin", "POST", "/api/admin/keys", form(`,"scopes":["admin"]`)).Code)
	res = w.do("admin", "admin", "POST", "/api/admin/keys", form(""))
	require.Equal(t, 201, res.Code, res.Body.String())
	key := hub.Secret(field(t, res, "key"))
	w.keys["svc"], w.secrets = key, append(w.secrets, key.Reveal())
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/models", nil)
	r.Header.Set("Authorization", "Bearer "+key.Reveal())
	r.Header.Set("x-aigne-hub-client-did", "another")
	c, err := w.app.Keys.Authenticate(r)
	require.NoError(t, err)
	assert.Equal(t, app, c.AppID, "whatever it says")
	assert.Equal(t, hub.RoleMember, c.Role, "it has none of an admin's powers")
	assert.Equal(t, []hub.Scope{hub.ScopeInference}, c.Scopes)
	assert.Equal(t, 403, w.do("admin", "svc", "GET", "/api/admin/users", "").Code)
	id := field(t, res, "id")
	assert.Equal(t, 400, w.do("admin", "owner", "PATCH", "/api/admin/keys/"+id, `{"scopes":null}`).Code, "nor can it be given more")
	assert.Contains(t, w.do("admin", "admin", "GET", "/api/admin/apps/"+app, "").Body.String(), id)
	u, err := w.app.Desk.User(t.Context(), "admin@example.com")
	require.NoError(t, err)
	require.NoError(t, w.app.Store.SetUserDisabled(t.Context(), u.ID, true))
	require.NoError(t, w.app.Reload(t.Context()))
	_, err = w.app.Keys.Authenticate(r)
	assert.Equal(t, hub.CodeUnauthenticated, hub.CodeOf(err), "it goes with who answers for it")
}

func TestOperatorsNameApplications(t *testing.T) {
	t.Parallel()
	w := open(t)
	view := func(name, source string) string {
		return `{"id":"@aigne/cli","name":"` + name + `","logo":"","url":"","source":"` + source + `","public_key":"","first_seen_at":null,"fetched_at":null,"fetch_error":"","created_at":"TIME"`
	}
	const none = `"use":{"from":"TIME","until":"TIME","calls":0,"failed":0,"input_tokens":0,"output_tokens":0,"credits":"0","cost_usd":"0"}`
	w.golden("admin", []apiCase{
		{"members do not", "member", "GET /api/admin/apps", "", 403, refused("permission_error", "forbidden", "Only owners and admins may do this.")},
		{"nobody called yet", "admin", "GET /api/admin/apps", "", 200, `{"data":[],"next_cursor":null}`},
		{"an application is made known", "admin", "PATCH /api/admin/apps/@aigne/cli", `{"name":"AIGNE CLI"}`, 200, view("AIGNE CLI", "operator") + `}`},
		{"a link must be one", "admin", "PATCH /api/admin/apps/@aigne/cli", `{"logo":"javascript:alert(1)"}`, 400,
			invalid("logo", "logo must be an http or https URL without a user.")},
		{"a public key must be the application's", "admin", "PATCH /api/admin/apps/@aigne/cli",
			`{"public_key":"3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29"}`, 400,
			invalid("public_key", "The application's id is not derived from this key.")},
		{"they are listed with their use", "admin", "GET /api/admin/apps", "", 200, `{"data":[` + view("AIGNE CLI", "operator") + `,` + none + `}],"next_cursor":null}`},
		{"one is shown", "owner", "GET /api/admin/apps/@aigne/cli", "", 200, view("AIGNE CLI", "operator") + `,` + none + `}`},
		{"what is taken back is its own again", "admin", "PATCH /api/admin/apps/@aigne/cli", `{"name":""}`, 200, view("", "seen") + `}`},
		{"an unknown one is not found", "admin", "GET /api/admin/apps/none", "", 404, notFound("There is no application none. `aigne-hub app set` makes it known.")},
	})
}
