package admin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/functions/admin"
	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/testkit/blank"
	"github.com/aigne-hub/aigne-hub/shared/testkit/logbuf"
	"github.com/aigne-hub/aigne-hub/shared/testkit/oas"
)

// testHub is a hub of which the function admin is served, with an admin's and a
// member's key.
type testHub struct {
	t      *testing.T
	app    *boot.App
	url    string
	admin  string
	member string
	logs   *logbuf.Buffer
}

func start(t *testing.T, env map[string]string) *testHub {
	t.Helper()
	h := &testHub{t: t, logs: &logbuf.Buffer{}}
	data := filepath.Join(t.TempDir(), "data")
	lookup := func(name string) (string, bool) {
		if name == "AIGNE_HUB_DATA" {
			return data, true
		}
		v, ok := env[name]
		return v, ok
	}
	cfg, err := boot.Load(lookup, nil, nil)
	require.NoError(t, err)
	blank.At(t, cfg.Database)
	h.app, err = boot.Open(t.Context(), cfg, boot.Options{Log: slog.New(slog.NewTextHandler(h.logs, nil)), Env: lookup, Migrate: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, h.app.Close(context.Background())) })
	for role, key := range map[hub.Role]*string{hub.RoleAdmin: &h.admin, hub.RoleMember: &h.member} {
		email := string(role) + "@example.com"
		_, err := h.app.Desk.CreateUser(t.Context(), "test", email, role, "")
		require.NoError(t, err)
		secret, _, err := h.app.Desk.CreateKey(t.Context(), "test", email, "k", nil)
		require.NoError(t, err)
		*key = secret.Reveal()
	}
	require.NoError(t, h.app.Reload(t.Context()))
	srv := httptest.NewServer(admin.Wire(h.app))
	h.url = srv.URL
	t.Cleanup(func() { h.app.Leave(); srv.Close() })
	return h
}

// open sends a request and leaves the answer's body to the caller.
func (h *testHub) open(key, method, path, body string, header ...string) *http.Response {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), method, h.url+path, bytes.NewReader([]byte(body)))
	require.NoError(h.t, err)
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	require.NoError(h.t, err)
	return res
}

// send sends a request as the admin and reads the whole answer.
func (h *testHub) send(method, path, body string, header ...string) (int, string) {
	h.t.Helper()
	return h.as(h.admin, method, path, body, header...)
}

func (h *testHub) as(key, method, path, body string, header ...string) (int, string) {
	h.t.Helper()
	res := h.open(key, method, path, body, header...)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(h.t, err)
	checker().Check(h.t, method, path, body, res.StatusCode, res.Header, text)
	return res.StatusCode, string(text)
}

// checker holds what is taken and answered against /openapi.json.
var checker = sync.OnceValue(func() *oas.Checker { return oas.NewChecker(admin.Routes()) })

// get reads an answer to the admin.
func get[T any](h *testHub, path string) T {
	h.t.Helper()
	status, text := h.send("GET", path, "")
	require.Equal(h.t, http.StatusOK, status, text)
	var v T
	require.NoError(h.t, json.Unmarshal([]byte(text), &v))
	return v
}

// attempt notes attempts at a target and brings them to the database.
func (h *testHub) attempt(provider, model string, times int, fault *hub.Error) {
	h.t.Helper()
	for range times {
		h.app.Health.Attempt(provider, model, hub.TypeChat, 80*time.Millisecond, fault)
	}
	require.NoError(h.t, h.app.Reporter.Report(h.t.Context()))
}

var down = &hub.Error{Class: hub.ClassRetry, Code: hub.CodeTimeout, Message: "The provider did not answer in time."}

// jobsOf are the function's jobs.
func jobsOf(h *testHub) (runs []func(context.Context) error) {
	for _, j := range admin.Jobs(h.app) {
		runs = append(runs, j.Run)
	}
	return runs
}
