package proxy_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/provider"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

func TestANativeRequestShowsTheVendorsOwnRefusal(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	k, ok := provider.Find(provider.Groq)
	require.True(t, ok)
	v := startVendor(t, k)
	h.add(k.ID, k.ID, v.base, fakeprovider.DefaultKey)
	body := `{"model":"groq/vendor-model","logprobs":true,"messages":[{"role":"user","content":"hi"}]}`
	res, text := h.send("/v1/chat/completions", body)
	assert.Equal(t, http.StatusBadRequest, res.StatusCode)
	assert.Contains(t, text, "property 'logprobs' is unsupported")
	assert.Equal(t, 1, v.asked(), "the caller's bytes have passed")
}

func TestAnthropicCallersHaveANativeLaneWhereAVendorHasOne(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	for _, id := range []string{
		provider.DeepSeek, provider.Moonshot, provider.Zhipu, provider.Qwen, provider.MiniMax, provider.Fireworks, provider.OpenRouter,
		provider.AIGNEHub, provider.VLLM, provider.LMStudio, provider.LlamaCPP,
	} {
		k, ok := provider.Find(id)
		require.True(t, ok, id)
		v := startVendor(t, k)
		h.add(id, id, v.base, fakeprovider.DefaultKey)
		res, text := h.send("/v1/messages", fmt.Sprintf(
			`{"model":"%s/%s","max_tokens":99,"context_management":{"edits":[]},"messages":[{"role":"user","content":"hi"}]}`, id, v.model),
			"anthropic-beta", "context-management-2025-06-27")
		assert.Equal(t, http.StatusOK, res.StatusCode, "%s: %s", id, text)
		assert.Len(t, v.fakes[dialect.Anthropic].Requests(), 1, id)
		assert.Contains(t, string(v.fakes[dialect.Anthropic].Last().Body), "context_management", id)
	}
}

func TestABaseURLThatLeadsNowhereElseIsTranslatedFor(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	fake := fakeprovider.Start(t, fakeprovider.OpenAI, fakeprovider.Options{})
	h.add(provider.Zhipu, "gate", fake.URL+"/v1", fakeprovider.DefaultKey)
	res, text := h.send("/v1/messages", `{"model":"gate/gpt-fake","max_tokens":99,"messages":[{"role":"user","content":"hi"}]}`)
	assert.Equal(t, http.StatusOK, res.StatusCode, text)
	assert.Equal(t, "/v1/chat/completions", fake.Last().Path)
}

// awkward are requests with one parameter that some vendor refuses.
var awkward = []struct{ path, body string }{
	{"/v1/messages", `"temperature":0.5,"top_p":0.9`},
	{"/v1/messages", `"top_k":5`},
	{"/v1/messages", `"stop_sequences":["END"]`},
	{"/v1/messages", `"metadata":{"user_id":"someone"}`},
	{"/v1/messages", `"service_tier":"auto"`},
	{"/v1/messages", `"thinking":{"type":"disabled"}`},
	{"/v1/messages", `"tools":[{"name":"f","input_schema":{"type":"object"}}],"tool_choice":{"type":"any"}`},
	{"/v1/messages", `"tools":[{"name":"f","input_schema":{"type":"object"}}],"tool_choice":{"type":"tool","name":"f"}`},
	{"/v1/messages", `"tools":[{"name":"f","input_schema":{"type":"object"}}],"tool_choice":{"type":"none"}`},
	{"/v1/messages", `"tools":[{"name":"f","input_schema":{"type":"object"}}],"tool_choice":{"type":"auto","disable_parallel_tool_use":true}`},
	{"/api/v2/chat", `"frequencyPenalty":0.5`},
	{"/api/v2/chat", `"presencePenalty":0.5`},
	{"/api/v2/chat", `"seed":7`},
	{"/api/v2/chat", `"logprobs":true,"topLogprobs":2`},
	{"/api/v2/chat", `"user":"someone"`},
	{"/api/v2/chat", `"metadata":{"a":"b"}`},
	{"/api/v2/chat", `"parallelToolCalls":false`},
	{"/api/v2/chat", `"reasoningEffort":"low"`},
	{"/api/v2/chat", `"reasoningEffort":"none"`},
	{"/api/v2/chat", `"reasoningEffort":2000`},
	{"/api/v2/chat", `"maxTokens":99,"temperature":1,"topP":0.5`},
}

func TestNoTranslatedRequestIsRefusedByTheVendor(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	for _, k := range provider.All() {
		if !k.Offers(provider.Chat) || chatFakes[k.Dialects[0]].kind != fakeprovider.OpenAI {
			continue
		}
		v := startVendor(t, k)
		h.add(k.ID, k.ID, v.gate(), fakeprovider.DefaultKey)
		t.Run(k.ID, func(t *testing.T) {
			for _, tc := range awkward {
				for _, stream := range []bool{false, true} {
					body := fmt.Sprintf(`{"model":"%s/%s","max_tokens":3000,"stream":%t,%s,"messages":[{"role":"user","content":"hi"}]}`, k.ID, v.model, stream, tc.body)
					if tc.path == "/api/v2/chat" {
						body = fmt.Sprintf(`{"input":{"modelOptions":{"model":"%s/%s",%s},"messages":[{"role":"user","content":"hi"}]},"options":{"streaming":%t}}`, k.ID, v.model, tc.body, stream)
					}
					before := v.asked()
					res, text := h.send(tc.path, body)
					if v.asked() > before {
						assert.Equal(t, http.StatusOK, res.StatusCode, "%s: the vendor refuses what the hub sent: %s", tc.body, text)
					} else {
						assert.Equal(t, http.StatusBadRequest, res.StatusCode, "%s: the hub refuses: %s", tc.body, text)
					}
				}
			}
		})
	}
}

// gate is the vendor at a path from which no other of its dialects is reached.
func (v *vendor) gate() string {
	if len(v.kind.Paths) == 0 {
		return v.base
	}
	root, _, _ := strings.Cut(strings.TrimPrefix(v.base, "http://"), "/")
	v.paths[v.kind.Dialects[0]] = "/gate"
	return "http://" + root + "/gate"
}
