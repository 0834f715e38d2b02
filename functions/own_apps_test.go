package functions_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

func TestUsersRegisterApplicationsOfTheirOwn(t *testing.T) {
	t.Parallel()
	w := open(t)
	for body, param := range map[string]string{`{}`: "name", `{"name":""}`: "name", `{"name":"x","logo":"javascript:alert(1)"}`: "logo", `{"name":"x","url":"https://me@x.test"}`: "url",
		`{"name":"x","public_key":"00"}`: "public_key", `{"name":"x","id":"zNKXaK3UuYfDW4vV6PmkscF8X2w9VzNu5b48"}`: "id"} {
		res := w.do("auth", "member", "POST", "/api/auth/apps", body)
		assert.Equal(t, 400, res.Code, body)
		assert.Equal(t, param, field(t, res, "error", "param"), body)
	}
	res := w.do("auth", "member", "POST", "/api/auth/apps", `{"name":"Shop","url":"https://shop.test"}`)
	require.Equal(t, 201, res.Code, res.Body.String())
	id := field(t, res, "id")
	assert.Regexp(t, `^app-`, id)

	res = w.do("auth", "member", "POST", "/api/auth/keys", `{"name":"svc","app":"`+id+`"}`)
	require.Equal(t, 201, res.Code, res.Body.String())
	key := field(t, res, "id")
	w.keys["svc"] = hub.Secret(field(t, res, "key"))
	w.secrets = append(w.secrets, field(t, res, "key"))
	assert.Equal(t, 400, w.do("auth", "other", "POST", "/api/auth/keys", `{"name":"mine now","app":"`+id+`"}`).Code, "nobody else makes keys for it")
	c, err := w.app.Keys.Authenticate(asking(t, w.keys["svc"]))
	require.NoError(t, err)
	assert.Equal(t, id, c.AppID)
	assert.Equal(t, []hub.Scope{hub.ScopeInference}, c.Scopes, "it calls models, and does nothing else")
	assert.Equal(t, 403, w.do("auth", "svc", "GET", "/api/auth/apps", "").Code)

	shown := w.do("auth", "member", "GET", "/api/auth/apps/"+id, "").Body.String()
	assert.Contains(t, shown, `"own":true`)
	assert.Contains(t, shown, key)
	require.Equal(t, 200, w.do("auth", "member", "PATCH", "/api/auth/apps/"+id, `{"name":"Store"}`).Code)
	assert.Equal(t, 400, w.do("auth", "member", "PATCH", "/api/auth/apps/"+id, `{"name":""}`).Code)
	assert.NotContains(t, w.do("auth", "other", "GET", "/api/auth/apps", "").Body.String(), id)
	for _, as := range []string{"other", "admin"} {
		assert.Equal(t, 404, w.do("auth", as, "DELETE", "/api/auth/apps/"+id, "").Code, as)
	}

	require.Equal(t, 204, w.do("auth", "member", "DELETE", "/api/auth/apps/"+id, "").Code)
	_, err = w.app.Store.KeyByID(t.Context(), key)
	require.NoError(t, err)
	require.NoError(t, w.app.Reload(t.Context()))
	_, err = w.app.Keys.Authenticate(asking(t, w.keys["svc"]))
	assert.Equal(t, hub.CodeUnauthenticated, hub.CodeOf(err), "its keys end with it")
	assert.Equal(t, 404, w.do("auth", "member", "PATCH", "/api/auth/apps/"+id, `{"name":"again"}`).Code)
	assert.Equal(t, 404, w.do("auth", "member", "DELETE", "/api/auth/apps/"+id, "").Code)
}

func TestUsersSeeTheApplicationsOfTheirCallsAlone(t *testing.T) {
	t.Parallel()
	w := open(t)
	fake := fakeprovider.Start(t, fakeprovider.OpenAI, fakeprovider.Options{})
	_, err := w.app.Desk.AddProvider(t.Context(), "test", operator.NewProvider{Kind: "openai", BaseURL: fake.URL + "/v1", Credential: fakeprovider.DefaultKey})
	require.NoError(t, err)
	require.NoError(t, w.app.Reload(t.Context()))
	call := func(as, app string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/chat/completions", strings.NewReader(`{"model":"openai/gpt-fake","messages":[{"role":"user","content":"hi"}]}`))
		r.Header.Set("Authorization", "Bearer "+w.keys[as].Reveal())
		r.Header.Set("x-aigne-hub-client-did", app)
		res := httptest.NewRecorder()
		w.fn["proxy"].ServeHTTP(res, r)
		require.Equal(t, 200, res.Code, res.Body.String())
	}
	call("member", "named/by-a-call")
	call("other", "of somebody else")
	theirs, err := w.app.Desk.RegisterApp(t.Context(), "test", w.user("other"), operator.AboutApp{Name: new("Not for members")})
	require.NoError(t, err)
	call("member", theirs.ID)

	res := w.do("auth", "member", "GET", "/api/auth/apps?pageSize=1", "")
	require.Equal(t, 200, res.Code, res.Body.String())
	first := res.Body.String()
	cursor := field(t, res, "next_cursor")
	second := w.do("auth", "member", "GET", "/api/auth/apps?pageSize=1&cursor="+cursor, "").Body.String()
	both := first + second
	assert.Contains(t, both, `"named/by-a-call"`)
	assert.Contains(t, both, theirs.ID)
	assert.Contains(t, second, `"next_cursor":null`)
	assert.NotContains(t, both, "of somebody else")
	assert.NotContains(t, both, "Not for members", "what a stranger calls its application is shown to nobody else")
	assert.Contains(t, both, `"calls":1`)
	assert.NotContains(t, both, `"cost_usd":"0.`, "what calls cost the operator is its own")
	assert.Equal(t, 200, w.do("auth", "member", "GET", "/api/auth/apps/named/by-a-call", "").Code)
	assert.Equal(t, 404, w.do("auth", "member", "GET", "/api/auth/apps/of%20somebody%20else", "").Code)
	assert.Equal(t, 400, w.do("auth", "member", "GET", "/api/auth/apps?startTime=x", "").Code)
}

func TestAUserRegistersSoManyApplications(t *testing.T) {
	t.Parallel()
	w := open(t)
	me := w.user("member")
	var last error
	made := 0
	for range 101 {
		var a store.App
		if a, last = w.app.Desk.RegisterApp(t.Context(), "test", me, operator.AboutApp{Name: new("one of many")}); last == nil {
			made++
			require.NotEmpty(t, a.ID)
		}
	}
	assert.Equal(t, 100, made)
	assert.Equal(t, hub.CodeConflict, hub.CodeOf(last))
	all, err := w.app.Desk.AppsOf(t.Context(), me, store.Span{From: time.Now().Add(-time.Hour), Until: time.Now()})
	require.NoError(t, err)
	assert.Len(t, all.IDs, 100)
}

// asking is a request with a key.
func asking(t *testing.T, key hub.Secret) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/models", nil)
	r.Header.Set("Authorization", "Bearer "+key.Reveal())
	return r
}

// user is the id of somebody.
func (w *world) user(name string) string {
	w.t.Helper()
	u, err := w.app.Store.UserByEmail(w.t.Context(), name+"@example.com")
	require.NoError(w.t, err)
	return u.ID
}
