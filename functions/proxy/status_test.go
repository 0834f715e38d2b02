package proxy_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/functions/proxy"
	"github.com/aigne-hub/aigne-hub/shared/health"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

// read gets a path without a key.
func (h *testHub) read(path string) string {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, h.url+path, nil)
	require.NoError(h.t, err)
	res, err := http.DefaultClient.Do(r)
	require.NoError(h.t, err)
	defer res.Body.Close()
	require.Equal(h.t, http.StatusOK, res.StatusCode)
	text, err := io.ReadAll(res.Body)
	require.NoError(h.t, err)
	return string(text)
}

func TestCallersSeeWhetherAModelAnswers(t *testing.T) {
	t.Parallel()
	now := time.Now()
	h := start(t, map[string]string{"AIGNE_HUB_COOLDOWN": "0s"})
	h.app.Statuses.Now = func() time.Time { return now }
	fake := h.provider(fakeprovider.OpenAI)
	h.rate("openai", "gpt-fake", "1", "2")
	status := func() any {
		t.Helper()
		require.NoError(t, h.app.Reporter.Report(t.Context()))
		now = now.Add(3 * time.Second) // past what was read last
		var list []map[string]any
		require.NoError(t, json.Unmarshal([]byte(h.read("/api/ai/models")), &list))
		for _, m := range list {
			if m["model"] == "gpt-fake" {
				return m["status"]
			}
		}
		require.Fail(t, "the model is not listed")
		return nil
	}
	const ask = `{"model":"openai/gpt-fake","messages":[{"role":"user","content":"hello"}]}`
	probe := "/api/v2/status?model=" + url.QueryEscape("openai/gpt-fake")
	assert.Nil(t, status(), "never called")
	assert.JSONEq(t, `{"available":true}`, h.read(probe), "nobody knows better")

	res, text := h.send("/v1/chat/completions", ask)
	require.Equal(t, http.StatusOK, res.StatusCode, text)
	assert.Equal(t, map[string]any{"available": true}, status())
	seen := h.app.Health.State(health.Target{Provider: "openai", Model: "gpt-fake", Type: hub.TypeChat})
	assert.EqualValues(t, 1, seen.Calls)
	assert.Positive(t, seen.P50)

	res, _ = h.send("/v1/chat/completions", strings.Replace(ask, `"role":"user"`, `"role":"nobody"`, 1))
	require.Equal(t, http.StatusBadRequest, res.StatusCode)
	assert.Equal(t, map[string]any{"available": true}, status(), "a wrong request says nothing of the model")

	fake.Always("gpt-fake", fakeprovider.Answer{Status: http.StatusInternalServerError})
	for range 3 {
		res, _ = h.send("/v1/chat/completions", ask)
		require.NotEqual(t, http.StatusOK, res.StatusCode)
	}
	assert.Equal(t, map[string]any{"available": false}, status())
	assert.JSONEq(t, `{"available":false,"error":"The model does not answer at the moment.","code":503}`, h.read(probe))
	now = now.Add(10 * time.Minute)
	assert.Nil(t, status(), "an old failure: somebody has to try")
	assert.JSONEq(t, `{"available":true}`, h.read(probe))
}

func TestProbesCallOnlyPricedModelsThatNobodyCalled(t *testing.T) {
	t.Parallel()
	h := start(t, map[string]string{"AIGNE_HUB_PROBE": "30m", "AIGNE_HUB_BILLING": "on"})
	fake := h.provider(fakeprovider.OpenAI)
	claude := h.provider(fakeprovider.Anthropic)
	cost := func(n *operator.NewRate) { n.Costs = map[hub.Bucket]string{hub.Input: "1", hub.Output: "1"} }
	h.rate("openai", "gpt-fake", "1", "2", cost)
	h.rate("openai", "no-such-model", "1", "2")
	h.rate("anthropic", "claude-fake", "1", "2", cost)
	jobs := proxy.Jobs(h.app)
	require.Len(t, jobs, 1)
	assert.Equal(t, time.Minute, jobs[0].Every)
	require.NoError(t, jobs[0].Run(t.Context()))
	require.NoError(t, jobs[0].Run(t.Context()), "all have just been called, the one that failed too")

	rows, err := h.app.Store.Probes(t.Context(), "", 10)
	require.NoError(t, err)
	require.Len(t, rows, 3)
	for _, p := range rows {
		if p.Model == "no-such-model" {
			assert.False(t, p.OK)
			assert.Equal(t, http.StatusNotFound, p.HTTPStatus)
			assert.Nil(t, p.Cost)
			continue
		}
		assert.True(t, p.OK, p.Error)
		require.NotNil(t, p.Cost, "what it cost the operator is on record")
		assert.Positive(t, *p.Cost)
		assert.Less(t, *p.Cost, money.Credit/1000)
		assert.Equal(t, "default", p.Credential)
	}
	assert.Len(t, fake.Requests(), 2)
	assert.Len(t, claude.Requests(), 1)
	statuses, err := h.app.Store.ModelStatuses(t.Context())
	require.NoError(t, err)
	assert.Len(t, statuses, 2, "the model that does not exist is no target that is down")
	account := h.account()
	assert.Zero(t, account.Balance, "no wallet has to do with it")
}

func TestProbesAreOffUnlessAskedFor(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	fake := h.provider(fakeprovider.OpenAI)
	h.rate("openai", "gpt-fake", "1", "2")
	jobs := proxy.Jobs(h.app)
	assert.Zero(t, jobs[0].Every)
	require.NoError(t, jobs[0].Run(t.Context()), "as a schedule may name it all the same")
	assert.Empty(t, fake.Requests())
}
