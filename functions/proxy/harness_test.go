package proxy_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/functions/proxy"
	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/telemetry"
	"github.com/aigne-hub/aigne-hub/shared/testkit/blank"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
	"github.com/aigne-hub/aigne-hub/shared/testkit/logbuf"
)

// testHub is a whole hub with one user, over a real database file.
type testHub struct {
	t     *testing.T
	app   *boot.App
	url   string
	key   hub.Secret
	email string
	logs  *logbuf.Buffer
	fakes map[fakeprovider.Kind]*fakeprovider.Provider
	ended chan struct{} // a value for each request whose client left or was answered
}

// start opens a hub. The environment holds settings such as
// "AIGNE_HUB_BILLING": "on".
func start(t *testing.T, env map[string]string) *testHub {
	t.Helper()
	return startAt(t, env, nil)
}

// startAt is start by another clock than the wall's.
func startAt(t *testing.T, env map[string]string, now hub.Now) *testHub {
	t.Helper()
	h := &testHub{t: t, email: "member@example.com", logs: &logbuf.Buffer{}, fakes: map[fakeprovider.Kind]*fakeprovider.Provider{}}
	lookup := func(name string) (string, bool) {
		if name == "AIGNE_HUB_DATA" {
			return filepath.Join(t.TempDir(), "data"), true
		}
		v, ok := env[name]
		return v, ok
	}
	cfg, err := boot.Load(lookup, nil, nil)
	require.NoError(t, err)
	blank.At(t, cfg.Database)
	h.app, err = boot.Open(t.Context(), cfg, boot.Options{Log: telemetry.NewLogger(h.logs, telemetry.FormatText, slog.LevelDebug), Env: lookup, Migrate: true, Now: now})
	require.NoError(t, err)
	_, err = h.app.Desk.CreateUser(t.Context(), "test", h.email, hub.RoleMember, "")
	require.NoError(t, err)
	h.key, _, err = h.app.Desk.CreateKey(t.Context(), "test", h.email, "test", nil)
	require.NoError(t, err)
	require.NoError(t, h.app.Reload(t.Context()))
	h.ended = make(chan struct{}, 10_000)
	function := proxy.Wire(h.app)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		context.AfterFunc(r.Context(), func() { h.ended <- struct{}{} })
		function.ServeHTTP(w, r)
	}))
	h.url = srv.URL
	t.Cleanup(func() {
		srv.Close()
		report, err := h.app.Book.Verify(context.Background())
		require.NoError(t, err)
		require.Empty(t, report.Violations)
		require.NoError(t, h.app.Close(context.Background()))
		for _, secret := range []string{h.key.Reveal(), fakeprovider.DefaultKey} {
			require.NotContains(t, h.logs.String(), secret, "a secret is in the log")
		}
	})
	return h
}

// kinds maps the fakes to the hub's kinds and the path of their API.
var kinds = map[fakeprovider.Kind]struct{ kind, path string }{
	fakeprovider.OpenAI:    {"openai", "/v1"},
	fakeprovider.Anthropic: {"anthropic", "/v1"},
	fakeprovider.Gemini:    {"google", "/v1beta"},
	fakeprovider.Bedrock:   {"bedrock", ""},
}

// provider adds a fake provider, named after its kind, with the default key.
func (h *testHub) provider(kind fakeprovider.Kind) *fakeprovider.Provider {
	h.t.Helper()
	fake := fakeprovider.Start(h.t, kind, fakeprovider.Options{})
	h.fakes[kind] = fake
	key := fakeprovider.DefaultKey
	if kind == fakeprovider.Bedrock {
		key = fakeprovider.KeyPair()
	}
	h.add(kinds[kind].kind, kinds[kind].kind, fake.URL+kinds[kind].path, key)
	return fake
}

func (h *testHub) add(kind, name, base, key string) {
	h.t.Helper()
	_, err := h.app.Desk.AddProvider(h.t.Context(), "test", operator.NewProvider{Kind: kind, Name: name, BaseURL: base, Region: "us-east-1", Credential: hub.Secret(key)})
	require.NoError(h.t, err)
	require.NoError(h.t, h.app.Reload(h.t.Context()))
}

// rate prices a model in dollars per million tokens.
func (h *testHub) rate(provider, model, input, output string, more ...func(*operator.NewRate)) {
	h.t.Helper()
	n := operator.NewRate{Provider: provider, Model: model, Prices: map[hub.Bucket]string{hub.Input: input, hub.Output: output}}
	for _, m := range more {
		m(&n)
	}
	_, err := h.app.Desk.SetRate(h.t.Context(), "test", n)
	require.NoError(h.t, err)
	require.NoError(h.t, h.app.Reload(h.t.Context()))
}

func (h *testHub) grant(amount string) {
	h.t.Helper()
	c, err := money.ParseCredits(amount)
	require.NoError(h.t, err)
	_, err = h.app.Desk.Grant(h.t.Context(), "test", h.email, c, nil, "test")
	require.NoError(h.t, err)
}

func (h *testHub) account() store.Account {
	h.t.Helper()
	a, err := h.app.Desk.Balance(h.t.Context(), h.email)
	require.NoError(h.t, err)
	return a
}

// post sends JSON with the hub's key.
func (h *testHub) post(ctx context.Context, path, body string, header ...string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+h.key.Reveal())
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return http.DefaultClient.Do(r)
}

// send posts and reads the whole answer.
func (h *testHub) send(path, body string, header ...string) (*http.Response, string) {
	h.t.Helper()
	res, err := h.post(h.t.Context(), path, body, header...)
	require.NoError(h.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(h.t, err)
	return res, string(text)
}

// insist posts and, like the SDKs, tries again when the hub is too busy to
// admit; it may be called from any goroutine.
func (h *testHub) insist(path, body string) (status int, text string) {
	for {
		res, err := h.post(context.Background(), path, body)
		if err != nil {
			return 0, err.Error()
		}
		b, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil {
			return 0, err.Error()
		}
		if res.StatusCode != http.StatusServiceUnavailable {
			return res.StatusCode, string(b)
		}
	}
}

// lastCall is the newest call on record.
func (h *testHub) lastCall() store.Call {
	h.t.Helper()
	calls, err := h.app.Store.Calls(h.t.Context(), store.CallFilter{Limit: 1})
	require.NoError(h.t, err)
	require.Len(h.t, calls, 1)
	return calls[0]
}

// settledCall waits until the newest call is settled: of a client that left,
// nobody else tells.
func (h *testHub) settledCall() store.Call {
	h.t.Helper()
	var c store.Call
	require.Eventually(h.t, func() bool {
		c = h.lastCall()
		return c.Status != hub.StatusProcessing
	}, 10*time.Second, 10*time.Millisecond)
	return c
}

func decode(t *testing.T, text string) map[string]any {
	t.Helper()
	var m map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &m), text)
	return m
}

// providerRow is a provider as another process would store it.
func providerRow(base string) store.Provider {
	return store.Provider{Kind: "openai-compatible", Name: "fresh", BaseURL: base, Enabled: true}
}
