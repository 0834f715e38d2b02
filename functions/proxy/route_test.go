package proxy_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

func (h *testHub) alias(name string, rules ...routing.Rule) {
	h.t.Helper()
	require.NoError(h.t, h.app.Desk.SetAlias(h.t.Context(), "test", routing.Alias{Name: name, Rules: rules}))
	require.NoError(h.t, h.app.Reload(h.t.Context()))
}

func step(models ...string) routing.Step {
	var s routing.Step
	for _, m := range models {
		s.Targets = append(s.Targets, routing.Weighted{Model: m})
	}
	return s
}

func TestAnAliasLeadsToItsTargetsAndIsOnRecord(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	openai, anthropic := h.provider(fakeprovider.OpenAI), h.provider(fakeprovider.Anthropic)
	h.alias("smart", routing.Rule{When: routing.When{Needs: []routing.Need{routing.NeedTools}}, Steps: []routing.Step{step("anthropic/claude-fake")}},
		routing.Rule{Steps: []routing.Step{step("openai/gpt-fake"), step("anthropic/claude-fake")}})

	res, body := h.send("/v1/chat/completions", `{"model":"smart","messages":[{"role":"user","content":"Hi"}]}`)
	require.Equal(t, http.StatusOK, res.StatusCode, body)
	assert.Equal(t, "openai", res.Header.Get("x-aigne-hub-provider"))
	assert.Equal(t, "smart", h.lastCall().RequestedModel)

	res, body = h.send("/v1/chat/completions", `{"model":"smart","tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}],"messages":[{"role":"user","content":"Hi"}]}`)
	require.Equal(t, http.StatusOK, res.StatusCode, body)
	assert.Equal(t, "anthropic", res.Header.Get("x-aigne-hub-provider"))

	openai.Always("gpt-fake", fakeprovider.Answer{Status: 500})
	res, body = h.send("/v1/chat/completions", `{"model":"smart","messages":[{"role":"user","content":"Hi"}]}`)
	require.Equal(t, http.StatusOK, res.StatusCode, body)
	assert.Equal(t, "anthropic", res.Header.Get("x-aigne-hub-provider"), "the next step")
	assert.NotEmpty(t, anthropic.Requests())

	_, body = h.get("/v1/models", h.key.Reveal())
	assert.Contains(t, body, `"id":"smart"`)
	_, body = h.get("/api/ai/plan?model=smart&needs=tools", h.key.Reveal())
	assert.Contains(t, body, `"why":"alias smart, rule 1"`)
	assert.Contains(t, body, `"target":"anthropic/claude-fake"`)
	status, _ := h.get("/api/ai/plan?model=smart&needs=love", h.key.Reveal())
	assert.Equal(t, http.StatusBadRequest, status)
}

func TestACallerMayChooseWithinAPlan(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	openai := h.provider(fakeprovider.OpenAI)
	h.provider(fakeprovider.Anthropic)
	h.alias("any", routing.Rule{Steps: []routing.Step{step("openai/gpt-fake"), step("anthropic/claude-fake")}})
	const ask = `{"model":"any","messages":[{"role":"user","content":"Hi"}]}`
	res, _ := h.send("/v1/chat/completions", ask, "x-aigne-hub-route", "anthropic")
	assert.Equal(t, "anthropic", res.Header.Get("x-aigne-hub-provider"))
	res, body := h.send("/v1/chat/completions", ask, "x-aigne-hub-route", "mistral")
	assert.Equal(t, http.StatusBadRequest, res.StatusCode)
	assert.Contains(t, body, `"param":"route"`)
	res, body = h.send("/v1/chat/completions", `{"route":"openai","model":"any","messages":[{"role":"user","content":"Hi"}]}`)
	require.Equal(t, http.StatusOK, res.StatusCode, body)
	assert.Equal(t, "openai", res.Header.Get("x-aigne-hub-provider"))
	assert.NotContains(t, string(openai.Last().Body), "route", "no provider gets to see it")
	res, _ = h.send("/v1/chat/completions", `{"route":7,"model":"any","messages":[{"role":"user","content":"Hi"}]}`)
	assert.Equal(t, http.StatusBadRequest, res.StatusCode)
}

func TestRulesAskForGroupsAndWorkHasAliasesToo(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	openai := h.provider(fakeprovider.OpenAI)
	h.provider(fakeprovider.Anthropic)
	h.alias("any", routing.Rule{When: routing.When{Groups: []string{"pilots"}}, Steps: []routing.Step{step("anthropic/claude-fake")}},
		routing.Rule{Steps: []routing.Step{step("openai/gpt-fake")}})
	h.alias("vectors", routing.Rule{When: routing.When{Tags: []string{"batch"}}, Steps: []routing.Step{step("openai/text-embedding-none")}},
		routing.Rule{Steps: []routing.Step{step("openai/text-embedding-fake")}})
	const ask = `{"model":"any","messages":[{"role":"user","content":"Hi"}]}`
	res, _ := h.send("/v1/chat/completions", ask)
	assert.Equal(t, "openai", res.Header.Get("x-aigne-hub-provider"))
	_, err := h.app.Desk.SetGroups(t.Context(), "test", h.email, []string{"pilots"})
	require.NoError(t, err)
	require.NoError(t, h.app.Reload(t.Context()))
	res, _ = h.send("/v1/chat/completions", ask)
	assert.Equal(t, "anthropic", res.Header.Get("x-aigne-hub-provider"))
	_, body := h.get("/api/ai/plan?model=any", h.key.Reveal())
	assert.Contains(t, body, `"target":"anthropic/claude-fake"`)

	res, body = h.send("/v1/embeddings", `{"model":"vectors","input":"Hi"}`)
	require.Equal(t, http.StatusOK, res.StatusCode, body)
	assert.Equal(t, "text-embedding-fake", res.Header.Get("x-aigne-hub-model"))
	assert.Contains(t, string(h.lastCall().Plan), "alias vectors, rule 2")
	assert.Equal(t, "vectors", h.lastCall().RequestedModel)
	res, body = h.send("/v1/embeddings", `{"route":"openai","model":"openai/text-embedding-fake","input":"Hi"}`)
	require.Equal(t, http.StatusOK, res.StatusCode, body)
	assert.NotContains(t, string(openai.Last().Body), "route", "no provider gets to see it")
	gemini := h.provider(fakeprovider.Gemini)
	res, body = h.send("/v1/embeddings", `{"route":"google","model":"google/gemini-embedding-fake","input":"Hi"}`)
	require.Equal(t, http.StatusOK, res.StatusCode, body)
	assert.NotContains(t, string(gemini.Last().Body), "route")
	assert.Empty(t, res.Header.Get("x-aigne-hub-dropped-params"))
	res, _ = h.send("/v1/embeddings", `{"model":"vectors","input":"Hi"}`, "x-aigne-hub-tag", "batch")
	assert.Equal(t, http.StatusNotFound, res.StatusCode, "the rule for the tag")
	_, body = h.get("/api/ai/plan?model=vectors&type=embedding", h.key.Reveal())
	assert.Contains(t, body, `"target":"openai/text-embedding-fake"`)

	for path, want := range map[string]string{
		"/v1/models": `"id":"any"`, "/v1beta/models": `"name":"models/any"`, "/api/ai/models": `"model":"any"`, "/api/ai/models?type=embedding": `"model":"vectors"`,
	} {
		_, body = h.get(path, h.key.Reveal())
		assert.Contains(t, body, want, path)
	}
	_, body = h.get("/api/ai/models", "")
	assert.NotContains(t, body, `"model":"any"`, "without a key nobody sees what the operator calls things")
	_, body = h.send("/v1/chat/completions", `{"model":"anny","messages":[{"role":"user","content":"Hi"}]}`)
	assert.Contains(t, body, "Did you mean any")
}

func TestAWishInTheBodyIsKnownInEveryLanguage(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	h.provider(fakeprovider.OpenAI)
	h.provider(fakeprovider.Anthropic)
	h.alias("any", routing.Rule{Steps: []routing.Step{step("openai/gpt-fake"), step("anthropic/claude-fake")}})
	for path, body := range map[string]string{
		"/v1/chat/completions":               `{"route":"%","model":"any","messages":[{"role":"user","content":"Hi"}]}`,
		"/v1/completions":                    `{"route":"%","model":"any","prompt":"Hi"}`,
		"/v1/responses":                      `{"route":"%","model":"any","input":"Hi","store":false}`,
		"/v1/messages":                       `{"route":"%","model":"any","max_tokens":9,"messages":[{"role":"user","content":"Hi"}]}`,
		"/v1beta/models/any:generateContent": `{"route":"%","contents":[{"role":"user","parts":[{"text":"Hi"}]}]}`,
		"/api/v2/chat":                       `{"route":"%","input":{"modelOptions":{"model":"any"},"messages":[{"role":"user","content":"Hi"}]}}`,
		"/api/v2/chat/completions":           `{"route":"%","model":"any","messages":[{"role":"user","content":"Hi"}]}`,
	} {
		for _, to := range []string{"openai", "anthropic"} {
			res, answer := h.send(path, strings.Replace(body, "%", to, 1))
			require.Equal(t, http.StatusOK, res.StatusCode, "%s: %s", path, answer)
			assert.Equal(t, to, res.Header.Get("x-aigne-hub-provider"), path)
			for _, fake := range h.fakes {
				for _, r := range fake.Requests() {
					assert.NotContains(t, string(r.Body), `"route"`, path)
				}
			}
		}
	}
}
