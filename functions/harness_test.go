package functions_test

import (
	"cmp"
	"context"
	"encoding/json"
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
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/telemetry"
	"github.com/aigne-hub/aigne-hub/shared/testkit/blank"
	"github.com/aigne-hub/aigne-hub/shared/testkit/logbuf"
)

// function is one of the functions whose API is tested here.
type function struct {
	wire   func(*boot.App) http.Handler
	routes func() []httpkit.Route
}

var all = map[string]function{
	"auth":    {auth.Wire, auth.Routes},
	"usage":   {usage.Wire, usage.Routes},
	"billing": {billing.Wire, billing.Routes},
	"admin":   {admin.Wire, admin.Routes},
	"console": {console.Wire, console.Routes},
	"proxy":   {proxy.Wire, proxy.Routes},
}

// providerKey is the provider credential of the environment in every world.
const providerKey = "sk-env-provider-key-0123456789"

// world is an open hub over a database file of its own, with a user and a key
// for each role.
type world struct {
	t       *testing.T
	app     *boot.App
	fn      map[string]http.Handler
	keys    map[string]hub.Secret // by role, and "other" for a second member
	secrets []string              // what must never be seen
	logs    *logbuf.Buffer
}

// empty opens a hub without users. Settings are NAME=value.
func empty(t *testing.T, settings ...string) *world {
	t.Helper()
	env := map[string]string{"AIGNE_HUB_DATA": filepath.Join(t.TempDir(), "data"), "OPENAI_API_KEY": providerKey}
	for _, s := range settings {
		name, value, _ := strings.Cut(s, "=")
		env[name] = value
	}
	lookup := func(name string) (string, bool) {
		v, ok := env[name]
		return v, ok
	}
	w := &world{t: t, fn: map[string]http.Handler{}, keys: map[string]hub.Secret{}, secrets: []string{providerKey}, logs: &logbuf.Buffer{}}
	cfg, err := boot.Load(lookup, nil, nil)
	require.NoError(t, err)
	blank.At(t, cfg.Database)
	w.app, err = boot.Open(t.Context(), cfg, boot.Options{Log: telemetry.NewLogger(w.logs, telemetry.FormatText, slog.LevelDebug), Env: lookup, Migrate: true})
	require.NoError(t, err)
	require.NoError(t, w.app.Reload(t.Context()))
	for name, f := range all {
		w.fn[name] = f.wire(w.app)
	}
	t.Cleanup(func() {
		assert.NoError(t, w.app.Close(context.Background()))
		for _, s := range w.secrets {
			assert.NotContains(t, w.logs.String(), s, "a secret is in the log")
		}
	})
	return w
}

// open opens a hub with the users owner@, admin@, member@, other@ and guest@
// example.com.
func open(t *testing.T, settings ...string) *world {
	t.Helper()
	w := empty(t, settings...)
	for name, role := range map[string]hub.Role{"owner": "owner", "admin": "admin", "member": "member", "other": "member", "guest": "guest"} {
		_, err := w.app.Desk.CreateUser(t.Context(), "test", name+"@example.com", role, "")
		require.NoError(t, err)
		key, row, err := w.app.Desk.CreateKey(t.Context(), "test", name+"@example.com", "laptop", nil)
		require.NoError(t, err)
		w.keys[name] = key
		w.secrets = append(w.secrets, key.Reveal(), row.Hash)
	}
	return w
}

// eachRoute visits every route of every function, with x where its path has a name.
func eachRoute(visit func(fn, method, path string, rt httpkit.Route)) {
	placeholder := regexp.MustCompile(`\{[^}]*\}`)
	for name, f := range all {
		for _, rt := range f.routes() {
			visit(name, cmp.Or(rt.Method, http.MethodGet), placeholder.ReplaceAllString(rt.Pattern, "x"), rt)
		}
	}
}

// do sends a request as somebody; "" sends no key, "bad" an unknown one.
func (w *world) do(fn, as, method, target, body string) *httptest.ResponseRecorder {
	w.t.Helper()
	r := httptest.NewRequestWithContext(w.t.Context(), method, target, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if as == "bad" {
		r.Header.Set("Authorization", "Bearer sk-hub-unknown")
	} else if as != "" {
		require.Contains(w.t, w.keys, as)
		r.Header.Set("Authorization", "Bearer "+w.keys[as].Reveal())
	}
	res := httptest.NewRecorder()
	w.fn[fn].ServeHTTP(res, r)
	w.changed(fn, as, r, res)
	checkers()[fn].Check(w.t, method, target, body, res.Code, res.Header(), res.Body.Bytes())
	return res
}

// apiCase is one request and the whole of its answer.
type apiCase struct {
	name   string
	as     string
	send   string // "METHOD target"
	body   string
	status int
	want   string // JSON, with what differs from run to run written as ID, TIME, KEY and HINT; "" for an empty body
}

// golden runs cases in their order; each sees what the ones before it did.
func (w *world) golden(fn string, cases []apiCase) {
	w.t.Helper()
	for _, c := range cases {
		w.t.Run(c.name, func(t *testing.T) {
			method, target, _ := strings.Cut(c.send, " ")
			res := w.do(fn, c.as, method, target, c.body)
			got := settled(res.Body.String())
			require.Equal(t, c.status, res.Code, got)
			assert.NotEmpty(t, res.Header().Get("X-Request-Id"))
			if c.want == "" {
				assert.Empty(t, got)
			} else {
				assert.JSONEq(t, c.want, got, got)
				assert.Equal(t, "application/json", res.Header().Get("Content-Type"))
			}
			if strings.Contains(got, `"KEY"`) {
				assert.Equal(t, "no-store", res.Header().Get("Cache-Control"))
				w.secrets = append(w.secrets, wholeKey.FindString(res.Body.String()))
			}
			for _, s := range w.secrets[:len(w.secrets)-strings.Count(got, `"KEY"`)] {
				assert.NotContains(t, res.Body.String(), s, "a secret is in the answer")
			}
		})
	}
}

var (
	wholeKey = regexp.MustCompile(`sk-hub-[A-Za-z0-9_-]{43}`)
	volatile = []struct {
		find *regexp.Regexp
		put  string
	}{
		{wholeKey, "KEY"},
		{regexp.MustCompile(`\b[0-9A-HJKMNP-TV-Z]{26}\b`), "ID"},
		{regexp.MustCompile(`"20\d\d-\d\d-\d\dT[0-9:.]+Z"`), `"TIME"`},
		{regexp.MustCompile(`"hint":"[A-Za-z0-9_-]{4}"`), `"hint":"HINT"`},
		// Use is noted beside the request, so now or a moment later.
		{regexp.MustCompile(`"last_used_at":(null|"TIME")`), `"last_used_at":"USED"`},
	}
)

// settled replaces what differs from run to run.
func settled(body string) string {
	for _, v := range volatile {
		body = v.find.ReplaceAllString(body, v.put)
	}
	return body
}

// refused is the body of an error answer.
func refused(kind, code, message string) string { return refusedAt(kind, code, "", message) }

func refusedAt(kind, code, param, message string) string {
	e := map[string]string{"type": kind, "code": code, "message": message}
	if param != "" {
		e["param"] = param
	}
	b, _ := json.Marshal(map[string]any{"error": e}) // strings only
	return string(b)
}

func invalid(param, message string) string {
	return refusedAt("invalid_request_error", "invalid_request", param, message)
}

func notFound(message string) string {
	return refused("invalid_request_error", "not_found", message)
}

var (
	noKey      = refused("authentication_error", "unauthenticated", "Sign in or send an API key: Authorization: Bearer sk-hub-….")
	badKey     = refused("authentication_error", "unauthenticated", "This API key is not known here, or is revoked or expired.")
	adminsOnly = refused("permission_error", "forbidden", "Only owners and admins may do this.")
	needJSON   = refused("invalid_request_error", "unsupported_media_type", "Send the body as JSON with the header Content-Type: application/json.")
)

// field takes a string out of an answer, by its path.
func field(t *testing.T, res *httptest.ResponseRecorder, path ...string) string {
	t.Helper()
	var v any
	require.NoError(t, json.Unmarshal(res.Body.Bytes(), &v), res.Body.String())
	for _, p := range path {
		m, ok := v.(map[string]any)
		require.True(t, ok, res.Body.String())
		v = m[p]
	}
	s, ok := v.(string)
	require.True(t, ok, res.Body.String())
	return s
}

// readAudit lists the acts of an actor, oldest first, without those that the
// ledger makes.
func readAudit(actor string, into *[]string) func(context.Context, *store.Tx) error {
	return func(ctx context.Context, tx *store.Tx) error {
		rows, err := tx.QueryContext(ctx, "SELECT action FROM audit_log WHERE actor = ? AND id NOT LIKE 'ledger/%' ORDER BY id", actor)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var action string
			if err := rows.Scan(&action); err != nil {
				return err
			}
			*into = append(*into, action)
		}
		return rows.Err()
	}
}
