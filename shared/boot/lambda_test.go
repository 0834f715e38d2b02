package boot

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/schedule"
	"github.com/aigne-hub/aigne-hub/shared/telemetry"
)

// sleeper is a hub that has not been opened yet, over a file in a fresh folder.
type sleeper struct {
	*lazy
	logs  bytes.Buffer
	wired int
	ran   []*App
	end   error // what the job returns
}

func sleeping(t *testing.T) *sleeper {
	t.Helper()
	env := Env(func(name string) (string, bool) {
		v, ok := map[string]string{
			"AWS_LAMBDA_FUNCTION_NAME": "test", "AIGNE_HUB_DATABASE": "file:" + filepath.Join(t.TempDir(), "hub.db"),
			"AIGNE_HUB_MASTER_KEY": base64.StdEncoding.EncodeToString([]byte("0123456789abcdef0123456789ABCDEF")),
		}[name]
		return v, ok
	})
	cfg, err := Load(env, nil, nil)
	require.NoError(t, err)
	s := &sleeper{}
	s.lazy = &lazy{cfg: cfg, env: env, log: telemetry.NewLogger(&s.logs, cfg.LogFormat, cfg.LogLevel), now: time.Now, wire: s.wireUp, jobs: s.list}
	t.Cleanup(func() {
		if s.hub != nil {
			assert.NoError(t, s.hub.app.Close(context.Background()))
		}
	})
	return s
}

func (s *sleeper) wireUp(a *App) http.Handler {
	s.wired++
	return httpkit.Mux([]httpkit.Route{{Method: "GET", Pattern: "/version", Who: httpkit.Anonymous,
		Handler: func(w http.ResponseWriter, _ *http.Request) error {
			return httpkit.WriteJSON(w, http.StatusOK, a.Routes().Version)
		}}}, httpkit.Deps{Log: a.Log, Now: a.Now})
}

func (s *sleeper) list(a *App) []schedule.Job {
	return []schedule.Job{{Name: "test.job", Every: time.Minute, Run: func(context.Context) error {
		s.ran = append(s.ran, a)
		return s.end
	}}}
}

func (s *sleeper) get(path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

// migrate does what `aigne-hub migrate` does, with a hub of its own.
func (s *sleeper) migrate(t *testing.T) {
	t.Helper()
	a, err := Open(t.Context(), s.cfg, Options{Log: s.log, Migrate: true})
	require.NoError(t, err)
	require.NoError(t, a.Close(t.Context()))
}

func TestALambdaOpensTheHubWithTheFirstRequestThatCan(t *testing.T) {
	t.Parallel()
	s := sleeping(t)
	assert.Equal(t, 200, s.get("/healthz").Code, "alive before anything is open")
	assert.Contains(t, s.get("/openapi.json").Body.String(), `"/v1/chat/completions"`, "every function describes the whole hub")
	assert.Nil(t, s.hub)

	for path, says := range map[string]string{"/version": "aigne-hub migrate", "/readyz": "not migrated"} {
		w := s.get(path)
		assert.Equal(t, 503, w.Code, path)
		assert.Contains(t, w.Body.String(), says)
		assert.NotContains(t, w.Body.String(), "hub.db")
	}
	assert.Zero(t, s.wired)

	s.migrate(t)
	w := s.get("/version")
	assert.Equal(t, 200, w.Code, "a failure is not remembered")
	assert.Equal(t, "1\n", w.Body.String())
	assert.JSONEq(t, `{"status":"ready"}`, s.get("/readyz").Body.String())
	assert.Equal(t, 404, s.get("/nothing").Code)
	assert.Equal(t, 1, s.wired, "opened once")
}

func TestALambdaSeesAChangedConfiguration(t *testing.T) {
	t.Parallel()
	s := sleeping(t)
	s.migrate(t)
	now := time.Now()
	s.now = func() time.Time { return now }
	require.Equal(t, "1\n", s.get("/version").Body.String())
	_, err := s.hub.app.Desk.SetRate(t.Context(), "test", operator.NewRate{
		Provider: "openai", Model: "m", Prices: map[hub.Bucket]string{hub.Input: "1", hub.Output: "2"}})
	require.NoError(t, err)
	assert.Equal(t, "1\n", s.get("/version").Body.String(), "it looks once a second")
	now = now.Add(time.Second)
	assert.Equal(t, "2\n", s.get("/version").Body.String())
}

func TestALambdaGoesOnWithTheOldConfigurationWhenItCannotLook(t *testing.T) {
	t.Parallel()
	s := sleeping(t)
	s.migrate(t)
	now := time.Now()
	s.now = func() time.Time { return now }
	require.Equal(t, 200, s.get("/version").Code)
	require.NoError(t, s.hub.app.Store.Close())
	now = now.Add(time.Minute)
	assert.Equal(t, 200, s.get("/version").Code)
	assert.Contains(t, s.logs.String(), "configuration not refreshed")
	assert.JSONEq(t, `{"status":"unavailable","reasons":["the database does not answer"]}`, s.get("/readyz").Body.String())
	s.hub = nil // closed already
}

func TestALambdasJobsOpenTheHubWhenTheyRun(t *testing.T) {
	t.Parallel()
	s := sleeping(t)
	jobs := s.proxies()
	require.Len(t, jobs, 1)
	assert.Equal(t, "test.job", jobs[0].Name)
	assert.Equal(t, time.Minute, jobs[0].Every)

	err := jobs[0].Run(t.Context())
	assert.Equal(t, hub.CodeUnavailable, hub.CodeOf(err))
	_, _, err = s.lease(t.Context(), "test.job", time.Minute)
	assert.Equal(t, hub.CodeUnavailable, hub.CodeOf(err))
	assert.Empty(t, s.ran)

	s.migrate(t)
	release, ok, err := s.lease(t.Context(), "test.job", time.Minute)
	require.NoError(t, err)
	assert.True(t, ok)
	release()
	s.end = errors.New("no luck")
	assert.ErrorIs(t, jobs[0].Run(t.Context()), s.end)
	require.Len(t, s.ran, 1)
	assert.Same(t, s.hub.app, s.ran[0], "the job of the open hub ran")
}
