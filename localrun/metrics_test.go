package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

// figures are the names of the hub's own figures in a text.
func figures(text string) []string {
	names := regexp.MustCompile(`\baigne_hub_[a-z_]+|process_resident_memory_bytes`).FindAllString(text, -1)
	for i, n := range names {
		names[i] = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(n, "_bucket"), "_sum"), "_count")
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func fetch(t *testing.T, url string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(body)
}

func TestAServingHubIsObservedBesideItsOwnAddress(t *testing.T) {
	t.Parallel()
	fake := fakeprovider.Start(t, fakeprovider.OpenAI, fakeprovider.Options{})
	h := newHub(t, "AIGNE_HUB_METRICS_LISTEN=127.0.0.1:0", "AIGNE_HUB_PPROF=127.0.0.1:0", "OPENAI_API_KEY="+fakeprovider.DefaultKey, "OPENAI_BASE_URL="+fake.URL+"/v1")
	h.ok("rate", "set", "--provider", "openai", "--model", "gpt-fake", "--input", "1", "--output", "2")
	h.ok("user", "create", "--email", "me@example.com", "--role", "owner")
	key := strings.TrimSpace(h.ok("key", "create", "--user", "me@example.com", "--name", "k"))
	s := h.serve()
	require.NotEmpty(t, s.metrics)
	require.NotEmpty(t, s.profiles)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/v1/chat/completions", strings.NewReader(`{"model":"openai/gpt-fake","messages":[{"role":"user","content":"hi"}]}`))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+key)
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, 200, res.StatusCode)

	status, text := fetch(t, s.metrics)
	assert.Equal(t, 200, status)
	assert.Contains(t, text, `aigne_hub_calls_total{provider="openai",model="gpt-fake",type="chatCompletion",status="success"} 1`+"\n")
	assert.NotContains(t, text, key)
	status, _ = fetch(t, s.url+"/metrics")
	assert.Equal(t, 401, status, "a key is needed on the hub's own address")
	status, _ = fetch(t, s.url+"/debug/pprof/")
	assert.Equal(t, 404, status, "no profile is there at all")
	status, text = fetch(t, s.profiles+"goroutine?debug=1")
	assert.Equal(t, 200, status)
	assert.Contains(t, text, "goroutine profile")

	assert.Empty(t, decode[[]alertRow](h, "alert", "list"))
	assert.NotZero(t, h.run("", "alert", "ack", "x").code)
	assert.Contains(t, h.ok("alert", "set", "spend", "--to", "least=2", "--to", "percent=500"), `"least": "2"`)
	assert.Contains(t, h.ok("alert", "set", "calm_minutes", "--to", "7"), `"calm_minutes": 7`)
}

func TestDashboardAndReadmeNameFiguresThatExist(t *testing.T) {
	t.Parallel()
	a := openHub(t, nil)
	// These appear with providers, verifications and what is wrong; tests of functions see them do so.
	known := map[string]bool{"aigne_hub_credential_rest_seconds": true, "aigne_hub_breakers_open": true, "aigne_hub_alerts_open": true, "aigne_hub_ledger_violations": true}
	for _, f := range a.Observe.Registry.Known(t.Context()) {
		known[f] = true
	}
	for _, file := range []string{"../infra/grafana.json", "../README.md"} {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		found := figures(string(text))
		require.Greater(t, len(found), 15, file)
		for _, name := range found {
			assert.True(t, known[name], "%s: %s", file, name)
		}
	}
	text, err := os.ReadFile("../infra/grafana.json")
	require.NoError(t, err)
	assert.True(t, json.Valid(text))
}
