package proxy_test

import (
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/functions/proxy"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
	"github.com/aigne-hub/aigne-hub/shared/testkit/oas"
)

// get fetches a path, with the hub's key unless key is another.
func (h *testHub) get(path, key string) (int, string) {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, h.url+path, nil)
	require.NoError(h.t, err)
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	res, err := http.DefaultClient.Do(r)
	require.NoError(h.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(h.t, err)
	checker().Check(h.t, http.MethodGet, path, "", res.StatusCode, res.Header, text)
	return res.StatusCode, string(text)
}

// checker holds the hub's own answers against /openapi.json.
var checker = sync.OnceValue(func() *oas.Checker { return oas.NewChecker(proxy.Routes()) })

func TestModelListsShowWhatCanBeCalled(t *testing.T) {
	t.Parallel()
	h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on"})
	fake := h.provider(fakeprovider.OpenAI)
	h.rate("openai", "gpt-fake", "0.25", "2")
	h.rate("nobody", "gpt-none", "1", "1")

	status, _ := h.get("/v1/models", "")
	assert.Equal(t, http.StatusUnauthorized, status)
	status, text := h.get("/v1/models", h.key.Reveal())
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, text, `"id":"openai/gpt-fake"`)
	assert.NotContains(t, text, "gpt-none", "a rate alone does not make a model callable")

	status, text = h.get("/v1/models/openai%2Fgpt-fake", h.key.Reveal())
	assert.Equal(t, http.StatusOK, status, text)
	status, _ = h.get("/v1/models/openai%2Fnone%2Fat-all", h.key.Reveal())
	assert.Equal(t, http.StatusBadRequest, status, "with billing on a model without a rate cannot be called")

	status, text = h.get("/api/ai/models?type=chat", "")
	assert.Equal(t, http.StatusOK, status)
	assert.NotContains(t, text, fake.URL)
	var list []struct {
		Model, Type, Provider string
		Input                 string           `json:"input_credits_per_token"`
		Output                string           `json:"output_credits_per_token"`
		Status                *json.RawMessage `json:"status"`
	}
	require.NoError(t, json.Unmarshal([]byte(text), &list))
	require.Len(t, list, 1)
	assert.Equal(t, "gpt-fake", list[0].Model)
	assert.Equal(t, "0.00000025", list[0].Input)
	assert.Equal(t, "0.000002", list[0].Output)
	status, _ = h.get("/api/ai/models?type=nonsense", "")
	assert.Equal(t, http.StatusBadRequest, status)
}

func TestThePublicModelListCanBeSwitchedOff(t *testing.T) {
	t.Parallel()
	h := start(t, map[string]string{"AIGNE_HUB_PUBLIC_MODELS": "off"})
	h.provider(fakeprovider.OpenAI)
	status, text := h.get("/api/ai/models", "")
	assert.Equal(t, http.StatusOK, status)
	assert.JSONEq(t, "[]", text)
	_, text = h.get("/api/ai/models", h.key.Reveal())
	assert.Contains(t, text, "gpt-4o")
}

func TestStatusAlwaysAnswers200(t *testing.T) {
	t.Parallel()
	h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on"})
	status, text := h.get("/api/v2/status", "")
	assert.Equal(t, http.StatusOK, status)
	assert.JSONEq(t, `{"available":false,"error":"No providers available.","code":503}`, text)
	h.provider(fakeprovider.OpenAI)
	h.rate("openai", "gpt-fake", "1", "1")
	_, text = h.get("/api/v2/status?model=openai/gpt-fake", "")
	assert.JSONEq(t, `{"available":true}`, text)
	_, text = h.get("/api/v2/status?model=unknown-model", "")
	assert.Contains(t, text, `"code":404`)
	_, text = h.get("/api/v2/status", h.key.Reveal())
	assert.Contains(t, text, `"type":"NOT_ENOUGH"`)
	assert.Contains(t, text, `"code":402`)
}

func TestDiscoveryTellsWhereTheHubIsMounted(t *testing.T) {
	t.Parallel()
	h := start(t, map[string]string{"AIGNE_HUB_PUBLIC_URL": "https://example.com/hub"})
	status, text := h.get("/__blocklet__.js?type=json", "")
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, text, `"did":"z8ia3xzq2tMq8CRHfaXj1BTYJyYnEcHbqP8cJ"`)
	assert.Contains(t, text, `"mountPoint":"/hub"`)
	_, text = h.get("/__blocklet__.js", "")
	assert.Contains(t, text, "window.blocklet = {")
}

func TestANameDefinedAMomentAgoIsKnown(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	fake := fakeprovider.Start(t, fakeprovider.OpenAI, fakeprovider.Options{})
	p, err := h.app.Store.CreateProvider(t.Context(), providerRow(fake.URL+"/v1"), nil)
	require.NoError(t, err)
	_, err = h.app.Desk.AddCredential(t.Context(), "test", p.Name, "key", 1, fakeprovider.DefaultKey)
	require.NoError(t, err)
	res, body := h.send("/v1/chat/completions", `{"model":"fresh/gpt-fake","messages":[{"role":"user","content":"hi"}]}`)
	assert.Equal(t, http.StatusOK, res.StatusCode, body)
}

func TestModelsBesideChatAreListedOnceTheyHaveARate(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	h.provider(fakeprovider.OpenAI)
	_, text := h.get("/v1/models", h.key.Reveal())
	assert.NotContains(t, text, "text-embedding-fake")
	h.priceWork("openai", "text-embedding-fake", hub.TypeEmbedding, map[hub.Bucket]string{hub.Input: "0.02"})
	_, text = h.get("/v1/models", h.key.Reveal())
	assert.Contains(t, text, `"id":"openai/text-embedding-fake"`)
	status, text := h.get("/v1/models/openai%2Ftext-embedding-fake", h.key.Reveal())
	assert.Equal(t, 200, status, text)
	_, text = h.get("/api/v2/status?model=openai/text-embedding-fake", "")
	assert.JSONEq(t, `{"available":true}`, text)
}
