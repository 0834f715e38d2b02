package proxy_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

const (
	claudeFake = "us.anthropic.claude-fake-4-5-v1:0"
	novaFake   = "us.amazon.nova-fake-v1:0"
)

// toolTurns are, for each dialect, a request for a call of the tool weather and
// the next one with its result. The verbs: model, stream, the call's id.
var toolTurns = []struct{ name, path, first, second, call string }{
	{"openai", "/v1/chat/completions",
		`{"model":%q,"stream":%t,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"use tool weather"}],
			"tools":[{"type":"function","function":{"name":"weather","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}}]}`,
		`{"model":%q,"stream":%t,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"use tool weather"},
			{"role":"assistant","content":null,"tool_calls":[{"id":%[3]q,"type":"function","function":{"name":"weather","arguments":"{\"city\":\"Paris\"}"}}]},
			{"role":"tool","tool_call_id":%[3]q,"content":"sunny"}],
			"tools":[{"type":"function","function":{"name":"weather","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}}]}`,
		`"name":"weather"`},
	{"anthropic", "/v1/messages",
		`{"model":%q,"stream":%t,"max_tokens":500,"messages":[{"role":"user","content":"use tool weather"}],
			"tools":[{"name":"weather","input_schema":{"type":"object","properties":{"city":{"type":"string"}}}}]}`,
		`{"model":%q,"stream":%t,"max_tokens":500,"messages":[{"role":"user","content":"use tool weather"},
			{"role":"assistant","content":[{"type":"tool_use","id":%[3]q,"name":"weather","input":{"city":"Paris"}}]},
			{"role":"user","content":[{"type":"tool_result","tool_use_id":%[3]q,"content":"sunny"}]}],
			"tools":[{"name":"weather","input_schema":{"type":"object","properties":{"city":{"type":"string"}}}}]}`,
		`"name":"weather"`},
	{"aigne", "/api/v2/chat",
		`{"input":{"modelOptions":{"model":%q},"messages":[{"role":"user","content":"use tool weather"}],
			"tools":[{"type":"function","function":{"name":"weather","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}}]},"options":{"streaming":%t}}`,
		`{"input":{"modelOptions":{"model":%q},"messages":[{"role":"user","content":"use tool weather"},
			{"role":"agent","toolCalls":[{"id":%[3]q,"type":"function","function":{"name":"weather","arguments":{"city":"Paris"}}}]},
			{"role":"tool","toolCallId":%[3]q,"content":"sunny"}],
			"tools":[{"type":"function","function":{"name":"weather","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}}]},"options":{"streaming":%[2]t}}`,
		`"name":"weather"`},
}

func TestEveryDialectCallsToolsOfBedrockAndTheMoneyIsExact(t *testing.T) {
	t.Parallel()
	for _, tt := range toolTurns {
		for _, model := range []string{claudeFake, novaFake} {
			for _, stream := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s %s stream=%t", tt.name, model, stream), func(t *testing.T) {
					t.Parallel()
					h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on"})
					fake := h.provider(fakeprovider.Bedrock)
					h.rate("bedrock", model, "3", "15")
					h.grant("10")
					res, body := h.send(tt.path, fmt.Sprintf(tt.first, "bedrock/"+model, stream))
					require.Equal(t, 200, res.StatusCode, body)
					assert.Contains(t, body, tt.call)
					assert.Contains(t, body, "tooluse_fake000001_0_0")
					assert.Contains(t, body, "Paris")
					res, body = h.send(tt.path, fmt.Sprintf(tt.second, "bedrock/"+model, stream, "tooluse_fake000001_0_0"))
					require.Equal(t, 200, res.StatusCode, body)
					assert.Contains(t, strings.Join(strings.Fields(body), ""), "sunny", body)
					requests := fake.Requests()
					require.Len(t, requests, 2)
					want := fake.Reported()
					charge := money.Credits(3000*want[hub.Input] + 15000*want[hub.Output])
					require.NotZero(t, charge)
					assert.Equal(t, 10*money.Credit-charge, h.account().Balance)
					assert.Equal(t, requests[1].Usage, h.lastCall().Usage)
				})
			}
		}
	}
}

func TestPicturesCachesThoughtsAndFormsReachBedrock(t *testing.T) {
	t.Parallel()
	h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on"})
	fake := h.provider(fakeprovider.Bedrock)
	h.rate("bedrock", claudeFake, "3", "15")
	h.grant("10")
	for _, stream := range []bool{false, true} {
		fake.Script(claudeFake, fakeprovider.Answer{Text: "A cat.", Reasoning: "Whiskers.", Cached: 5, CacheWritten: 7})
		res, body := h.send("/v1/messages", fmt.Sprintf(`{"model":"bedrock/%s","stream":%t,"max_tokens":4000,"thinking":{"type":"enabled","budget_tokens":2000},
			"system":[{"type":"text","text":"You look at pictures and say what is in them.","cache_control":{"type":"ephemeral","ttl":"1h"}}],
			"messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgo="}},
			{"type":"document","title":"notes: v1.txt","source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0="}},
			{"type":"text","text":"What is it?","cache_control":{"type":"ephemeral"}}]}]}`, claudeFake, stream))
		require.Equal(t, 200, res.StatusCode, body)
		assert.Contains(t, body, "Whiskers.")
		assert.Regexp(t, `"id":"msg_[A-Z0-9]{20,}"`, body, "Bedrock names no answer")
		assert.Contains(t, body, "ZmFrZS1zaWduYXR1cmU=", "the signature goes to the caller, who has to send it back")
		sent := string(fake.Last().Body)
		assert.Contains(t, sent, `{"cachePoint":{"type":"default","ttl":"1h"}}`)
		assert.Contains(t, sent, `"name":"notes v1"`)
		c := h.lastCall()
		assert.Equal(t, fake.Last().Usage, c.Usage)
		assert.Equal(t, int64(5), c.Usage[hub.CacheRead])
		assert.Equal(t, int64(7), c.Usage[hub.CacheWrite5m])
	}
	for _, strict := range []bool{false, true} {
		res, body := h.send("/v1/chat/completions", fmt.Sprintf(`{"model":"bedrock/%s","messages":[{"role":"user","content":"Where?"}],
			"response_format":{"type":"json_schema","json_schema":{"name":"place","strict":%t,"schema":{"type":"object","properties":{"city":{"type":"string"}}}}}}`, claudeFake, strict))
		require.Equal(t, 200, res.StatusCode, body)
		message := decode(t, body)["choices"].([]any)[0].(map[string]any)
		assert.JSONEq(t, `{"city":"Paris"}`, message["message"].(map[string]any)["content"].(string))
		assert.Equal(t, "stop", message["finish_reason"])
		assert.Equal(t, strict, strings.Contains(string(fake.Last().Body), "outputConfig"))
	}
}

func TestBedrocksFailuresAreToldAndSettled(t *testing.T) {
	t.Parallel()
	for _, stream := range []bool{false, true} {
		h := start(t, nil)
		fake := h.provider(fakeprovider.Bedrock)
		for _, tt := range []struct {
			answer fakeprovider.Answer
			status int
		}{
			{fakeprovider.Answer{Status: 429}, 429},
			{fakeprovider.Answer{Status: 403}, 502},
			{fakeprovider.Answer{Status: 400, Body: `{"message":"Input is too long for requested model."}`}, 400},
			{fakeprovider.Answer{Status: 503}, 503},
		} {
			fake.Always(claudeFake, tt.answer)
			res, body := h.send("/v1/chat/completions", fmt.Sprintf(`{"model":"bedrock/%s","stream":%t,"messages":[{"role":"user","content":"Hello"}]}`, claudeFake, stream))
			assert.Equal(t, tt.status, res.StatusCode, body)
			assert.NotContains(t, body, fakeprovider.AccessKeyID)
		}
		if !stream {
			continue
		}
		for _, b := range []fakeprovider.Break{fakeprovider.Cut, fakeprovider.ErrorFrame, fakeprovider.NoFinish, fakeprovider.BadUTF8} {
			fake.Always(claudeFake, fakeprovider.Answer{Text: "The quick brown fox jumps over the lazy dog", Break: b})
			_, body := h.send("/v1/chat/completions", fmt.Sprintf(`{"model":"bedrock/%s","stream":true,"messages":[{"role":"user","content":"Hello"}]}`, claudeFake))
			assert.Contains(t, body, `"error"`, "%v", b)
			assert.NotContains(t, body, "[DONE]", "%v", b)
			assert.Equal(t, hub.StatusFailed, h.settledCall().Status)
		}
	}
}

func TestBedrockTakesAnAPIKeyAndRefusesForeignSignatures(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	const apiKey = "ABSKfake0123456789"
	fake := fakeprovider.Start(t, fakeprovider.Bedrock, fakeprovider.Options{Keys: []string{apiKey}})
	h.add("bedrock", "bearer", fake.URL, apiKey)
	h.add("bedrock", "signing", fake.URL, strings.Replace(fakeprovider.KeyPair(), fakeprovider.DefaultKey, "a-secret-that-is-wrong", 1))
	ask := `{"model":"%s/` + claudeFake + `","messages":[{"role":"user","content":"Hello"}]}`
	res, body := h.send("/v1/chat/completions", fmt.Sprintf(ask, "bearer"))
	require.Equal(t, 200, res.StatusCode, body)
	res, body = h.send("/v1/chat/completions", fmt.Sprintf(ask, "signing"))
	assert.Equal(t, http.StatusBadGateway, res.StatusCode, body)
	assert.NotContains(t, h.logs.String()+body, "a-secret-that-is-wrong")
}

func TestBothLanguagesOfVertexWithOneToken(t *testing.T) {
	t.Parallel()
	h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on"})
	gemini := fakeprovider.Start(t, fakeprovider.Gemini, fakeprovider.Options{})
	claude := fakeprovider.Start(t, fakeprovider.Anthropic, fakeprovider.Options{})
	v := fakeprovider.StartVertex(t, gemini, claude)
	h.add("vertex", "vertex", v.BaseURL(), v.Account(t))
	h.rate("vertex", "gemini-fake", "3", "15")
	h.rate("vertex", "claude-fake", "3", "15")
	h.grant("10")
	for _, fake := range []struct {
		p     *fakeprovider.Provider
		model string
	}{{gemini, "gemini-fake"}, {claude, "claude-fake"}} {
		for _, s := range surfaces {
			for _, stream := range []bool{false, true} {
				text := "The quick brown fox jumps over the lazy dog and on."
				fake.p.Always(fake.model, fakeprovider.Answer{Text: text})
				before := h.account().Balance
				res, body := h.send(s.path, fmt.Sprintf(s.body, "vertex/"+fake.model, stream, "Say it."))
				require.Equal(t, 200, res.StatusCode, "%s %s: %s", s.name, fake.model, body)
				if stream {
					assert.Equal(t, text, s.streamed(body), body)
				} else {
					assert.Equal(t, text, s.text(t, body))
				}
				want := fake.p.Last().Usage
				assert.Equal(t, want, h.lastCall().Usage)
				assert.Equal(t, money.Credits(3000*want[hub.Input]+15000*want[hub.Output]), before-h.account().Balance)
			}
		}
	}
	assert.Equal(t, int64(1), v.Asked.Load(), "the token is kept")
	assert.NotContains(t, h.logs.String(), "ya29.")
}

func TestAzureIsOpenAIWithAnotherHeaderAndPath(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	fake := fakeprovider.Start(t, fakeprovider.OpenAI, fakeprovider.Options{Models: []string{"my-deployment"}})
	h.add("azure", "azure", fakeprovider.StartAzure(t, fake), fakeprovider.DefaultKey)
	for _, s := range surfaces {
		for _, stream := range []bool{false, true} {
			res, body := h.send(s.path, fmt.Sprintf(s.body, "azure/my-deployment", stream, "Say it."), "Api-Key", "callers")
			require.Equal(t, 200, res.StatusCode, body)
			assert.Equal(t, fakeprovider.DefaultKey, fake.Last().Header.Get("Api-Key"))
		}
	}
}
