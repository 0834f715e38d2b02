package functions_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/functions/auth"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakestripe"
)

func TestEveryRouteDeclaresItsPolicy(t *testing.T) {
	t.Parallel()
	for name, f := range all {
		for _, rt := range f.routes() {
			assert.Empty(t, rt.Undeclared(), "%s %s of %s does not say", rt.Method, rt.Pattern, name)
		}
	}
}

// every is a caller of each role with each set of scopes that keys can have, nil
// for a key or session without.
var (
	everyRole  = []hub.Role{hub.RoleGuest, hub.RoleMember, hub.RoleAdmin, hub.RoleOwner, "unheard-of"}
	everyScope = [][]hub.Scope{nil, {}, {hub.ScopeInference}, {hub.ScopeUsage}, {hub.ScopeBilling}, {hub.ScopeAdmin}, {hub.ScopeUsage, hub.ScopeAdmin}}
)

// TestEveryRouteByRoleAndScope sends everybody to every route of the tables, with
// handlers that only note what the policy let through.
func TestEveryRouteByRoleAndScope(t *testing.T) {
	t.Parallel()
	for name, f := range all {
		for _, rt := range f.routes() {
			var seen *hub.Caller
			if rt.Who == httpkit.Anonymous {
				rt.Handler, rt.As = func(http.ResponseWriter, *http.Request) error { seen = &hub.Caller{}; return nil }, nil
			} else {
				rt.Handler, rt.As = nil, func(_ http.ResponseWriter, _ *http.Request, c hub.Caller) error { seen = &c; return nil }
			}
			var caller hub.Caller
			h := httpkit.Mux([]httpkit.Route{rt}, httpkit.Deps{Log: slog.New(slog.DiscardHandler), Authenticate: func(*http.Request) (hub.Caller, error) { return caller, nil }})
			for _, role := range everyRole {
				for _, scopes := range everyScope {
					seen, caller = nil, hub.Caller{UserID: "u", Role: role, Scopes: scopes, Session: rt.Session && scopes == nil}
					res := httptest.NewRecorder()
					r := httptest.NewRequestWithContext(t.Context(), method(rt), path(rt, "x"), nil)
					r.Header.Set(httpkit.CSRFHeader, "1")
					h.ServeHTTP(res, r)
					what := strings.TrimSpace(name+": "+rt.Method+" "+rt.Pattern) + " as " + string(role)
					if want := allowed(rt, role, scopes); !want {
						assert.Nil(t, seen, what, scopes)
						assert.Equal(t, 403, res.Code, what, scopes)
						continue
					}
					if assert.NotNil(t, seen, what, scopes) {
						assert.Equal(t, seesAll(rt, role, scopes), seen.All, what, scopes)
					}
				}
			}
		}
	}
}

// allowed says it once more, in other words than the code: what each kind of key is for.
func allowed(rt httpkit.Route, role hub.Role, scopes []hub.Scope) bool {
	rank := map[hub.Role]int{"unheard-of": 0, hub.RoleGuest: 1, hub.RoleMember: 2, hub.RoleAdmin: 3, hub.RoleOwner: 4}[role]
	least := map[httpkit.Who]int{httpkit.Anonymous: 0, httpkit.Optional: 0, httpkit.GuestsToo: 0, httpkit.AnyUser: 2, httpkit.Admin: 3, httpkit.OwnerOnly: 4}[rt.Who]
	if rank < least || (rt.Session && scopes != nil) {
		return false
	}
	return rt.Who == httpkit.Anonymous || scopes == nil || rt.Scope == httpkit.AnyScope || slices.Contains(scopes, rt.Scope)
}

func seesAll(rt httpkit.Route, role hub.Role, scopes []hub.Scope) bool {
	switch rt.Data {
	case httpkit.All:
		return true
	case httpkit.OwnUnlessAdmin, httpkit.AdminsSeeMore:
		return (role == hub.RoleAdmin || role == hub.RoleOwner) && (scopes == nil || slices.Contains(scopes, hub.ScopeAdmin))
	}
	return false
}

// TestScopesAreWhatTheirNamesSay looks at the tables themselves: a route in the
// wrong scope would pass every other test.
func TestScopesAreWhatTheirNamesSay(t *testing.T) {
	t.Parallel()
	for name, f := range all {
		for _, rt := range f.routes() {
			what := rt.Method + " " + rt.Pattern
			switch {
			case rt.Session:
				assert.Empty(t, rt.Scope, "%s is for no key", what)
				assert.Equal(t, "auth", name, "%s decides how somebody signs in", what)
				assert.Equal(t, []any{httpkit.GuestsToo, httpkit.Own}, []any{rt.Who, rt.Data}, what)
				continue
			case rt.Who == httpkit.Anonymous:
				assert.Empty(t, rt.Scope, "%s looks at no key", what)
			case rt.Who >= httpkit.Admin:
				assert.Equal(t, hub.ScopeAdmin, rt.Scope, what)
				assert.Equal(t, httpkit.All, rt.Data, what)
			case name == "proxy":
				assert.Equal(t, hub.ScopeInference, rt.Scope, what)
			case name == "billing":
				assert.Contains(t, []hub.Scope{hub.ScopeBilling, httpkit.AnyScope}, rt.Scope, what)
			case name == "usage":
				assert.Contains(t, []hub.Scope{hub.ScopeUsage, httpkit.AnyScope}, rt.Scope, what)
			}
			if rt.Scope == httpkit.AnyScope {
				assert.Contains(t, []string{"GET /api/auth/me", "DELETE /api/auth/keys/{id}", "POST /api/auth/oidc/{name}/start", "GET /api/status", "GET /api/billing/prices"}, what, "every key may use it")
			}
			if rt.Who == httpkit.GuestsToo {
				assert.Contains(t, []string{"GET /api/auth/me", "PATCH /api/auth/me", "GET /api/user/info"}, what, "guests may use it")
			}
		}
	}
}

var placeholders = regexp.MustCompile(`\{[^}]*\}`)

func method(rt httpkit.Route) string {
	if rt.Method == "" {
		return http.MethodGet
	}
	return rt.Method
}

func path(rt httpkit.Route, id string) string { return placeholders.ReplaceAllString(rt.Pattern, id) }

// belongings makes things of other@ and says where each stands in a path, by
// route, and what must be in no answer for somebody else.
func (w *world) belongings(fake *fakestripe.Stripe) (ids map[string]string, marks []string) {
	t, ctx := w.t, w.t.Context()
	w.priced()
	w.grant("other@example.com", "100")
	other, err := w.app.Store.UserByEmail(ctx, "other@example.com")
	require.NoError(t, err)
	done := func(status int, res *httptest.ResponseRecorder) *httptest.ResponseRecorder {
		require.Equal(t, status, res.Code, res.Body.String())
		return res
	}
	call := w.call("other")
	res := done(201, w.do("auth", "other", "POST", "/api/auth/keys", `{"name":"hidden key"}`))
	w.secrets = append(w.secrets, field(t, res, "key"))
	key := field(t, res, "id")
	ownApp := field(t, done(201, w.do("auth", "other", "POST", "/api/auth/apps", `{"name":"hidden app"}`)), "id")
	done(201, w.do("billing", "admin", "POST", "/api/billing/wallets", `{"name":"Hidden"}`))
	done(204, w.do("billing", "admin", "PUT", "/api/user/wallets/Hidden/members/other@example.com", `{"manager":true}`))
	done(200, w.do("billing", "other", "PUT", "/api/user/credit/notices", `{"email":false,"low_balance":"7.77"}`))
	res = done(201, w.do("billing", "other", "POST", "/api/user/credit/checkout", `{"package":"50"}`))
	payment := field(t, res, "payment_id")
	fake.Pay(field(t, res, "url"))
	w.deliver(fake)
	w.kept(other.ID, call, true)
	export := field(t, done(202, w.do("usage", "other", "POST", "/api/usage/exports", "")), "id")
	media, err := w.app.Blobs.Put(ctx, other.ID, call, "image/png", []byte("a picture"))
	require.NoError(t, err)
	now := time.Now()
	u := &store.Unit{}
	u.Stmts = append(u.Stmts, w.app.Store.PutResponse(store.StoredResponse{UserID: other.ID, ID: "resp_hidden", CallID: call, Provider: "alpha", Model: "m"}, time.Hour))
	u.Add(`INSERT INTO jobs (id, call_id, user_id, account_id, app_id, kind, language, provider, model, credential_id, credential, provider_job, state, asked_json, terms_json,
		created_at, next_poll_at, deadline_at, finished_at, expires_at) VALUES ('hiddenjob', ?1, ?2, ?3, '', 'video', 'openai', 'alpha', 'm', 'c1', 'hush', 'pj', 'failed', '{}', '{}', ?4, ?4, ?5, ?4, ?5)`,
		call, other.ID, other.AccountID, now.UnixMilli(), now.Add(time.Hour).UnixMilli())
	require.NoError(t, w.app.Store.Do(ctx, u))
	return map[string]string{
		"/api/user/model-calls/{id}": call, "/api/usage/exports/{id}": export, "/api/user/model-calls/{id}/payload": call, "/api/auth/keys/{id}": key, "/api/auth/keys/{id}/rotate": key, "/api/auth/apps/{id...}": ownApp, "/api/user/receipts/{number}": "000001",
		"/api/user/wallets/{name}/members": "Hidden", "/api/user/wallets/{name}/members/{email}": "Hidden",
		"/media/{name}": media, "/v1/responses/{id}": "resp_hidden", "/v1/responses/{id}/input_items": "resp_hidden", "/v1/responses/{id}/cancel": "resp_hidden",
		"/v1/videos/{id}": "video_hiddenjob", "/v1/videos/{id}/content": "video_hiddenjob",
	}, []string{call, export, key, payment, "hidden key", ownApp, "hidden app", "Hidden", media, "resp_hidden", "hiddenjob", "7.77", "000001", other.ID, other.AccountID, "other@example.com"}
}

// models are routes whose placeholder is the name of a model, which nobody owns.
var models = []string{"/v1/models/{id...}", "/v1beta/models/{id...}", "/v1beta/models/{call...}", "/v1beta/{call...}", "/v1/models/{call...}"}

func TestWhatBelongsToAnotherUserIsHidden(t *testing.T) {
	t.Parallel()
	w, fake := openShop(t)
	ids, marks := w.belongings(fake)
	hidden := func(fn, as, method, target, body string) (int, string) {
		res := w.do(fn, as, method, target, body)
		for _, m := range marks {
			if !strings.Contains(target+body, m) { // an answer may repeat what was asked for
				assert.NotContains(t, res.Body.String(), m, "%s %s as %s", method, target, as)
			}
		}
		return res.Code, res.Body.String()
	}
	type attempt struct{ fn, method, target, body, stranger string }
	var attempts []attempt
	for name, f := range all {
		for _, rt := range f.routes() {
			switch {
			case rt.Session: // sessions' own tests show it, with sessions
				continue
			case rt.Data != httpkit.Own && rt.Data != httpkit.OwnUnlessAdmin, slices.Contains(models, rt.Pattern):
				continue
			case !strings.Contains(rt.Pattern, "{"):
				if rt.Method == http.MethodGet {
					hidden(name, "member", http.MethodGet, rt.Pattern, "")
				}
				continue
			}
			id, ok := ids[rt.Pattern]
			if !assert.True(t, ok, "%s %s serves own data: this test needs such a thing of another user", rt.Method, rt.Pattern) {
				continue
			}
			target := strings.Replace(placeholders.ReplaceAllString(rt.Pattern, "MARK"), "MARK", id, 1)
			a := attempt{fn: name, method: rt.Method, target: strings.Replace(target, "MARK", "member@example.com", 1)}
			if rt.Method == http.MethodPut || rt.Method == http.MethodPatch || rt.Doc.Request != nil {
				a.body = "{}"
			}
			what := a.method + " " + a.target
			var status int
			status, a.stranger = hidden(name, "member", a.method, a.target, a.body)
			assert.Equal(t, 404, status, what)
			if rt.Data == httpkit.Own { // that one administers the hub does not widen it
				status, _ = hidden(name, "admin", a.method, a.target, a.body)
				assert.Equal(t, 404, status, what+" as admin")
			}
			attempts = append(attempts, a)
		}
	}
	require.GreaterOrEqual(t, len(attempts), len(ids))
	// Things that are named elsewhere than in the path.
	for target, want := range map[string]int{"/api/user/credit/grants?wallet=Hidden": 404, "/api/user/credit/transactions?wallet=Hidden": 404,
		"/api/user/credit/transactions/export?wallet=Hidden": 404} {
		status, _ := hidden("billing", "member", http.MethodGet, target, "")
		assert.Equal(t, want, status, target)
		assert.Equal(t, 200, w.do("billing", "other", http.MethodGet, target, "").Code, target+" of its manager")
	}
	status, _ := hidden("billing", "member", http.MethodPost, "/api/user/credit/transfer", `{"wallet":"Hidden","amount":"1"}`)
	assert.Equal(t, 404, status, "a shared wallet of others takes no credits")
	status, _ = hidden("usage", "member", http.MethodGet, "/api/user/model-calls?scope=all", "")
	assert.Equal(t, 403, status)
	status, _ = hidden("proxy", "member", http.MethodPost, "/v1/responses", `{"model":"alpha/m","input":"go on","previous_response_id":"resp_hidden"}`)
	assert.Contains(t, []int{400, 404}, status, "another user's answer cannot be gone on from")
	// The things are there, so that the answers above mean something.
	for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
		for _, a := range attempts {
			if a.method == m {
				assert.NotEqual(t, a.stranger, w.do(a.fn, "other", a.method, a.target, a.body).Body.String(), a.method+" "+a.target+" of its owner")
			}
		}
	}
}

// Only the mux says whether somebody sees more than the own data: a handler that
// asked the role would give an admin's key for usage everybody's.
func TestHandlersDoNotAskTheRoleThemselves(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*/*.go")
	require.NoError(t, err)
	require.Greater(t, len(files), 50)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		assert.NotContains(t, string(b), ".Administers()", "%s: ask Caller.All, which the route's policy sets", name)
	}
}

// TestAKeyWithScopesEndsOnlyItself: whoever finds a key can end it, and no other.
func TestAKeyWithScopesEndsOnlyItself(t *testing.T) {
	t.Parallel()
	w := open(t)
	caller, err := w.app.Keys.Caller(t.Context(), w.keys["member"])
	require.NoError(t, err)
	_, second, err := w.app.Desk.CreateKey(t.Context(), "test", "member@example.com", "second", nil)
	require.NoError(t, err)
	end := func(id string, scopes ...hub.Scope) int {
		d := w.app.HTTP()
		d.Authenticate = func(*http.Request) (hub.Caller, error) {
			c := caller
			c.Scopes = scopes
			return c, nil
		}
		h := auth.New(auth.Deps{Deps: d, Store: w.app.Store, Users: w.app.Users, Desk: w.app.Desk})
		res := httptest.NewRecorder()
		h.ServeHTTP(res, httptest.NewRequestWithContext(t.Context(), http.MethodDelete, "/api/auth/keys/"+id, nil))
		return res.Code
	}
	assert.Equal(t, 403, end(second.ID, hub.ScopeInference))
	assert.Equal(t, 403, end(second.ID, hub.ScopeAdmin), "whoever could make keys could make one that is not restricted")
	assert.Equal(t, 204, end(caller.KeyID, hub.ScopeInference))
}
