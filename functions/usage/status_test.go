package usage_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/functions/usage"
	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
)

func open(t *testing.T, public string) *boot.App {
	t.Helper()
	cfg, err := boot.Load(func(string) (string, bool) { return "", false }, nil,
		map[string]string{"AIGNE_HUB_DATA": filepath.Join(t.TempDir(), "data"), "AIGNE_HUB_PUBLIC_MODELS": public})
	require.NoError(t, err)
	a, err := boot.Open(t.Context(), cfg, boot.Options{Log: slog.New(slog.DiscardHandler), Migrate: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close(context.Background())) })
	for _, name := range []string{"first-vendor", "second-vendor"} {
		_, err := a.Desk.AddProvider(t.Context(), "test", operator.NewProvider{Kind: "openai", Name: name, BaseURL: "https://inner.example.com/v1", Credential: "sk-1"})
		require.NoError(t, err)
		for _, model := range []string{"shared", name + "-only"} {
			_, err = a.Desk.SetRate(t.Context(), "test", operator.NewRate{Provider: name, Model: model, Prices: map[hub.Bucket]string{hub.Input: "1", hub.Output: "1"}})
			require.NoError(t, err)
		}
	}
	require.NoError(t, a.Reload(t.Context()))
	return a
}

type page struct {
	Status string
	Models []struct {
		Model       string
		Type        string
		Available   *bool
		SuccessRate *float64 `json:"success_rate"`
		Hours       []*float64
		ResponseMS  *int64     `json:"response_ms"`
		P95MS       *int64     `json:"p95_ms"`
		CheckedAt   *time.Time `json:"checked_at"`
	}
	Incidents []struct {
		Model string
		Until *time.Time
	}
}

func ask(t *testing.T, a *boot.App, key string) (status int, p page, text string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/api/status", nil)
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	w := httptest.NewRecorder()
	usage.Wire(a).ServeHTTP(w, r)
	if w.Code == http.StatusOK {
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &p))
	}
	return w.Code, p, w.Body.String()
}

func TestTheStatusPageNamesModelsAndNothingElse(t *testing.T) {
	t.Parallel()
	a := open(t, "on")
	_, p, _ := ask(t, a, "")
	assert.Equal(t, "unknown", p.Status)
	assert.Empty(t, p.Models)

	down := &hub.Error{Class: hub.ClassRetry, Code: hub.CodeUpstream, Message: "https://inner.example.com refused"}
	for range 3 {
		a.Health.Attempt("first-vendor", "shared", hub.TypeChat, 0, down)
		a.Health.Attempt("second-vendor", "shared", hub.TypeChat, time.Second, nil)
		a.Health.Attempt("first-vendor", "first-vendor-only", hub.TypeChat, 0, down)
		a.Health.Attempt("first-vendor", "what-a-caller-made-up", hub.TypeChat, 0, down)
	}
	require.NoError(t, a.Reporter.Report(t.Context()))
	_, p, text := ask(t, a, "")
	assert.Equal(t, "degraded", p.Status)
	require.Len(t, p.Models, 2, text)
	only, both := p.Models[0], p.Models[1]
	assert.Equal(t, new(false), only.Available)
	assert.Equal(t, "shared", both.Model)
	assert.Equal(t, new(true), both.Available, "one provider that answers is enough")
	assert.Equal(t, new(0.5), both.SuccessRate)
	require.Len(t, both.Hours, 24)
	var measured int
	for _, h := range both.Hours {
		if h != nil {
			measured++
		}
	}
	assert.Positive(t, measured)
	require.NotNil(t, both.ResponseMS)
	assert.Positive(t, *both.ResponseMS)
	assert.GreaterOrEqual(t, *both.P95MS, *both.ResponseMS)
	assert.NotNil(t, both.CheckedAt)
	require.Len(t, p.Incidents, 2)
	assert.Nil(t, p.Incidents[0].Until, "it goes on")
	for _, not := range []string{"inner.example.com", "made-up", "second-vendor", `"provider`} {
		assert.NotContains(t, text, not)
	}

	// A failure that is old says nothing any more: somebody has to try.
	require.NoError(t, a.Store.Exec(t.Context(), "UPDATE ai_model_statuses SET checked_at = checked_at - 600000 WHERE model LIKE '%-only'"))
	_, p, _ = ask(t, a, "")
	assert.Nil(t, p.Models[0].Available)
	assert.Equal(t, "operational", p.Status)
}

func TestTheStatusPageCanBeKeptToUsers(t *testing.T) {
	t.Parallel()
	a := open(t, "off")
	_, err := a.Desk.CreateUser(t.Context(), "test", "me@example.com", hub.RoleMember, "")
	require.NoError(t, err)
	key, _, err := a.Desk.CreateKey(t.Context(), "test", "me@example.com", "k", nil)
	require.NoError(t, err)
	status, _, _ := ask(t, a, "")
	assert.Equal(t, http.StatusUnauthorized, status)
	status, _, _ = ask(t, a, key.Reveal())
	assert.Equal(t, http.StatusOK, status)
}
