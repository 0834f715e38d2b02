package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/functions/admin"
	"github.com/aigne-hub/aigne-hub/functions/auth"
	"github.com/aigne-hub/aigne-hub/functions/billing"
	"github.com/aigne-hub/aigne-hub/functions/console"
	"github.com/aigne-hub/aigne-hub/functions/proxy"
	"github.com/aigne-hub/aigne-hub/functions/usage"
	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
)

// openHub opens a hub in this process.
func openHub(t *testing.T, overrides map[string]string) *boot.App {
	t.Helper()
	all := map[string]string{"AIGNE_HUB_DATA": filepath.Join(t.TempDir(), "data")}
	for name, v := range overrides {
		all[name] = v
	}
	cfg, err := boot.Load(func(string) (string, bool) { return "", false }, nil, all)
	require.NoError(t, err)
	a, err := boot.Open(t.Context(), cfg, boot.Options{Log: slog.New(slog.DiscardHandler), Migrate: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close(context.Background())) })
	return a
}

// named are functions that say who they are and which path they saw.
func named() functions {
	as := func(name string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte(name + " " + r.URL.EscapedPath() + " " + r.RequestURI))
		})
	}
	return functions{proxy: as("proxy"), auth: as("auth"), usage: as("usage"), billing: as("billing"), admin: as("admin"), console: as("console")}
}

func get(h http.Handler, method, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	r.RemoteAddr = "127.0.0.1:4711"
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "peer" {
			r.RemoteAddr = header[i+1]
			continue
		}
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestEachPathGoesToItsFunction(t *testing.T) {
	t.Parallel()
	a := openHub(t, map[string]string{"AIGNE_HUB_PUBLIC_URL": "https://x.test/ai"})
	h := compose(a, named(), &health{app: a})
	tests := []struct {
		name, target, want string
		header             []string
	}{
		{"chat", "/v1/chat/completions", "proxy /v1/chat/completions /v1/chat/completions", nil},
		{"Gemini", "/v1beta/models/m:generateContent?alt=sse", "proxy /v1beta/models/m:generateContent /v1beta/models/m:generateContent?alt=sse", nil},
		{"AIGNE", "/api/v2/chat", "proxy /api/v2/chat /api/v2/chat", nil},
		{"AIGNE's first routes", "/api/v1/embeddings", "proxy /api/v1/embeddings /api/v1/embeddings", nil},
		{"AIGNE's models", "/api/ai/models", "proxy /api/ai/models /api/ai/models", nil},
		{"discovery", "/__blocklet__.js?type=json", "proxy /__blocklet__.js /__blocklet__.js?type=json", nil},
		{"two slashes are not cleaned away", "/v1//models", "proxy /v1//models /v1//models", nil},
		{"identity", "/api/auth/me", "auth /api/auth/me /api/auth/me", nil},
		{"calls", "/api/user/model-calls/x", "usage /api/user/model-calls/x /api/user/model-calls/x", nil},
		{"usage", "/api/usage/quota", "usage /api/usage/quota /api/usage/quota", nil},
		{"the status page", "/api/status", "usage /api/status /api/status", nil},
		{"credits", "/api/user/credit/balance", "billing /api/user/credit/balance /api/user/credit/balance", nil},
		{"user", "/api/user/info", "billing /api/user/info /api/user/info", nil},
		{"users by id", "/api/user/admin/user-info", "billing /api/user/admin/user-info /api/user/admin/user-info", nil},
		{"billing", "/api/billing/grants", "billing /api/billing/grants /api/billing/grants", nil},
		{"admin", "/api/admin/rates", "admin /api/admin/rates /api/admin/rates", nil},
		{"providers", "/api/ai-providers", "admin /api/ai-providers /api/ai-providers", nil},
		{"health by its other name", "/api/ai/health", "admin /api/ai/health /api/ai/health", nil},
		{"a name that only begins like one", "/v12/x", "console /v12/x /v12/x", nil},
		{"the rest", "/anything", "console /anything /anything", nil},
		{"the root", "/", "console / /", nil},
		{"below the public URL", "/ai/v1/models?x=1", "proxy /v1/models /v1/models?x=1", nil},
		{"the mount point itself", "/ai", "console / /", nil},
		{"a name that only begins like the mount point", "/aix", "console /aix /aix", nil},
		{"escapes stay", "/ai/v1/models/a%2Fb", "proxy /v1/models/a%2Fb /v1/models/a%2Fb", nil},
		{"below what the host says", "/hub/api/v2/chat", "proxy /api/v2/chat /api/v2/chat", []string{"X-Path-Prefix", "/hub/"}},
		{"a host that took it off itself", "/api/v2/chat", "proxy /api/v2/chat /api/v2/chat", []string{"X-Path-Prefix", "/hub"}},
		{"a host at the root", "/v1/models", "proxy /v1/models /v1/models", []string{"X-Path-Prefix", "/"}},
		{"no way out through slashes", "/hub//evil.test/x", "console /evil.test/x /evil.test/x", []string{"X-Path-Prefix", "/hub"}},
		{"a stranger's prefix", "/hub/api/admin/users", "console /hub/api/admin/users /hub/api/admin/users", []string{"X-Path-Prefix", "/hub", "peer", "203.0.113.7:1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := get(h, http.MethodGet, tt.target, tt.header...)
			assert.Equal(t, tt.want, w.Body.String())
		})
	}
	w := get(h, http.MethodHead, "/")
	assert.Equal(t, http.StatusOK, w.Code)
	assert.Empty(t, w.Body.String(), "answered before any function")
	assert.Equal(t, http.StatusOK, get(h, http.MethodHead, "/ai/").Code)
}

func TestTheFunctionsFitTogether(t *testing.T) {
	t.Parallel()
	a := openHub(t, nil)
	require.NoError(t, a.Reload(t.Context()))
	h := compose(a, wire(a), &health{app: a})
	for target, want := range map[string]int{
		"/": 200, "/v1/models": 401, "/api/auth/me": 401, "/api/user/model-calls": 401, "/api/user/credit/balance": 401,
		"/api/admin/users": 401, "/api/ai/models": 200, "/api/status": 200, "/api/ai-providers/health": 401, "/api/admin/events": 401, "/__blocklet__.js": 200, "/v1/nothing": 404, "/healthz": 200, "/readyz": 200, "/openapi.json": 200,
	} {
		assert.Equal(t, want, get(h, http.MethodGet, target).Code, target)
	}
	assert.NotEmpty(t, jobs(a))
}

func TestReadiness(t *testing.T) {
	t.Parallel()
	a := openHub(t, nil)
	state := &health{app: a}
	h := compose(a, named(), state)
	assert.JSONEq(t, `{"status":"ok"}`, get(h, http.MethodGet, "/healthz").Body.String())
	assert.JSONEq(t, `{"status":"ready"}`, get(h, http.MethodGet, "/readyz").Body.String())

	state.draining.Store(true)
	w := get(h, http.MethodGet, "/readyz")
	assert.Equal(t, http.StatusServiceUnavailable, w.Code)
	assert.JSONEq(t, `{"status":"unavailable","open":0,"reasons":["shutting down"]}`, w.Body.String())
	assert.Equal(t, http.StatusOK, get(h, http.MethodGet, "/healthz").Code, "it still lives")
	state.draining.Store(false)

	require.NoError(t, a.Store.Exec(t.Context(), "DELETE FROM schema_migrations"))
	assert.JSONEq(t, `{"status":"unavailable","open":0,"reasons":["the database is not migrated for this version"]}`, get(h, http.MethodGet, "/readyz").Body.String())
}

func TestReadinessWithoutDatabaseOrKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a := openHub(t, map[string]string{"AIGNE_HUB_DATA": dir, "AIGNE_HUB_MASTER_KEY": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="})
	_, err := a.Vault(t.Context())
	require.NoError(t, err)
	other := openHub(t, map[string]string{"AIGNE_HUB_DATA": dir, "AIGNE_HUB_MASTER_KEY": "YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODk="})
	w := get(compose(other, named(), &health{app: other}), http.MethodGet, "/readyz")
	assert.JSONEq(t, `{"status":"unavailable","open":0,"reasons":["the keyring cannot be opened"]}`, w.Body.String())

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequest(http.MethodGet, "/readyz", nil).WithContext(ctx)
	rec := httptest.NewRecorder()
	compose(a, named(), &health{app: a}).ServeHTTP(rec, r)
	assert.JSONEq(t, `{"status":"unavailable","open":0,"reasons":["the database does not answer"]}`, rec.Body.String())
}

func TestMetricsAreForAdmins(t *testing.T) {
	t.Parallel()
	a := openHub(t, nil)
	h := compose(a, named(), &health{app: a})
	assert.Equal(t, http.StatusUnauthorized, get(h, http.MethodGet, "/metrics").Code)
	key := func(role hub.Role, scopes []hub.Scope) string {
		email := fmt.Sprintf("%s%d@example.com", role, len(scopes))
		_, err := a.Desk.CreateUser(t.Context(), "test", email, role, "")
		require.NoError(t, err)
		var limits operator.KeyLimits
		limits.Scopes = scopes
		key, _, err := a.Desk.CreateLimitedKey(t.Context(), "test", email, "k", nil, limits)
		require.NoError(t, err)
		return "Bearer " + key.Reveal()
	}
	for _, tt := range []struct {
		role   hub.Role
		scopes []hub.Scope
		want   int
	}{
		{hub.RoleMember, nil, http.StatusForbidden},
		{hub.RoleAdmin, nil, http.StatusOK},
		{hub.RoleAdmin, []hub.Scope{hub.ScopeInference, hub.ScopeUsage}, http.StatusForbidden},
		{hub.RoleOwner, []hub.Scope{hub.ScopeAdmin}, http.StatusOK},
	} {
		w := get(h, http.MethodGet, "/metrics", "Authorization", key(tt.role, tt.scopes))
		assert.Equal(t, tt.want, w.Code, "%s %s", tt.role, tt.scopes)
		assert.Equal(t, tt.want == http.StatusOK, strings.Contains(w.Body.String(), "aigne_hub_open_calls 0\n"), w.Body)
	}
	assert.Equal(t, http.StatusOK, get(metrics(a, httpkit.Anonymous), http.MethodGet, "/metrics").Code, "on a listener of its own")
	assert.Equal(t, http.StatusNotFound, get(metrics(a, httpkit.Anonymous), http.MethodGet, "/debug/pprof/").Code)
}

func TestProfilesAreForTheMachineItself(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]int{"127.0.0.1:6060": 200, "localhost:6060": 200, "[::1]:6060": 200, "evil.example": 421, "10.0.0.1:6060": 421} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/debug/pprof/goroutine?debug=1", nil)
		r.Host = host
		w := httptest.NewRecorder()
		profiles().ServeHTTP(w, r)
		assert.Equal(t, want, w.Code, host)
	}
}

func TestEveryRouteOfEveryFunctionIsBehindTheDoor(t *testing.T) {
	t.Parallel()
	a := openHub(t, nil)
	h := compose(a, named(), &health{app: a})
	placeholder := regexp.MustCompile(`\{[^}]*\}`)
	for name, routes := range map[string][]httpkit.Route{"proxy": proxy.Routes(), "auth": auth.Routes(), "usage": usage.Routes(),
		"billing": billing.Routes(), "admin": admin.Routes(), "console": console.Routes()} {
		for _, rt := range routes {
			path := placeholder.ReplaceAllString(rt.Pattern, "x")
			assert.Regexp(t, "^"+name+" ", get(h, cmp.Or(rt.Method, http.MethodGet), path).Body.String(), rt.Pattern)
		}
	}
}
