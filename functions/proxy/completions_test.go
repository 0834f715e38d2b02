package proxy_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

func TestLegacyCompletionsReachEveryProvider(t *testing.T) {
	t.Parallel()
	for kind, model := range models {
		for _, stream := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s stream=%t", kind, stream), func(t *testing.T) {
				t.Parallel()
				h := start(t, nil)
				fake := h.provider(kind)
				res, body := h.send("/v1/completions", fmt.Sprintf(`{"model":%q,"prompt":"Once","max_tokens":50,"stream":%t,"stream_options":{"include_usage":true}}`, kinds[kind].kind+"/"+model, stream))
				require.Equal(t, http.StatusOK, res.StatusCode, body)
				said := ""
				if stream {
					said = deltas(`"text":"`)(body)
					assert.Contains(t, body, `"finish_reason":"stop"`)
					assert.Contains(t, body, `"usage":{`)
					assert.Contains(t, body, "data: [DONE]")
				} else {
					whole := decode(t, body)
					assert.Equal(t, "text_completion", whole["object"])
					said = whole["choices"].([]any)[0].(map[string]any)["text"].(string)
				}
				assert.Equal(t, "Hello from "+model+": Once", said)
				assert.Equal(t, fake.Last().Usage, h.settledCall().Usage)
				assert.Equal(t, hub.StatusSuccess, h.settledCall().Status)
			})
		}
	}
}

func TestModelsThatOnlyContinueTextGetTheBytesAsTheyCame(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	const model = "gpt-3.5-turbo-instruct"
	fake := fakeprovider.Start(t, fakeprovider.OpenAI, fakeprovider.Options{Models: []string{model}})
	h.add("openai", "openai", fake.URL+"/v1", fakeprovider.DefaultKey)
	for _, stream := range []bool{false, true} {
		request := fmt.Sprintf(`{"model":%q,"prompt":["a","b"],"n":2,"suffix":"!","stream":%t}`, model, stream)
		res, body := h.send("/v1/completions", request)
		require.Equal(t, http.StatusOK, res.StatusCode, body)
		assert.Equal(t, "/v1/completions", fake.Last().Path)
		assert.Contains(t, string(fake.Last().Body), `"prompt":["a","b"],"n":2,"suffix":"!"`)
		assert.Contains(t, body, `"index":3`)
		c := h.settledCall()
		assert.Equal(t, hub.UsageReported, c.Source)
		assert.Equal(t, fake.Last().Usage, c.Usage)
		if stream {
			assert.NotContains(t, body, `"usage"`, "the caller did not ask for it")
		}
	}
	res, body := h.send("/v1/chat/completions", `{"model":"`+model+`","messages":[{"role":"user","content":"Once"}]}`)
	require.Equal(t, http.StatusOK, res.StatusCode, body)
	assert.Equal(t, "chat.completion", decode(t, body)["object"])
	res, body = h.send("/v1/chat/completions", `{"model":"`+model+`","messages":[{"role":"system","content":"x"},{"role":"user","content":"Once"}]}`)
	assert.Equal(t, http.StatusBadRequest, res.StatusCode)
	assert.Equal(t, "messages", decode(t, body)["error"].(map[string]any)["param"])
}

func TestWhatOnlyContinuingModelsCanDoIsRefusedByName(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	h.provider(fakeprovider.Anthropic)
	for param, more := range map[string]string{
		"suffix":  `"prompt":"a","suffix":"b"`,
		"echo":    `"prompt":"a","echo":true`,
		"best_of": `"prompt":"a","best_of":3`,
		"prompt":  `"prompt":[1,2,3]`,
	} {
		res, body := h.send("/v1/completions", `{"model":"claude-fake",`+more+`}`)
		assert.Equal(t, http.StatusBadRequest, res.StatusCode, body)
		assert.Equal(t, param, decode(t, body)["error"].(map[string]any)["param"], body)
	}
	res, body := h.send("/v1/completions", `{"model":"claude-fake","prompt":["a","b"]}`)
	assert.Equal(t, http.StatusBadRequest, res.StatusCode, body)
}

func TestModelsThatOnlySpeakResponsesServeChatCallers(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	const model = "gpt-5-codex"
	fake := fakeprovider.Start(t, fakeprovider.OpenAI, fakeprovider.Options{Models: []string{model}})
	h.add("openai", "openai", fake.URL+"/v1", fakeprovider.DefaultKey)
	for _, s := range surfaces {
		for _, stream := range []bool{false, true} {
			res, body := h.send(s.path, fmt.Sprintf(s.body, model, stream, "hello there"))
			require.Equal(t, http.StatusOK, res.StatusCode, body)
			assert.Equal(t, "/v1/responses", fake.Last().Path)
			assert.Equal(t, false, fake.Last().JSON["store"])
			if stream {
				assert.Contains(t, s.streamed(body), "hello there", s.name)
			} else {
				assert.Equal(t, "Hello from "+model+": hello there", s.text(t, body), s.name)
			}
			assert.Equal(t, fake.Last().Usage, h.settledCall().Usage)
		}
	}
}

func TestThoughtsOfAResponsesModelAreKeptOverTurnsOfAnthropicCallers(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	const model = "gpt-5-codex"
	fake := fakeprovider.Start(t, fakeprovider.OpenAI, fakeprovider.Options{Models: []string{model}})
	h.add("openai", "openai", fake.URL+"/v1", fakeprovider.DefaultKey)
	fake.Script(model, fakeprovider.Answer{Text: "Four.", Reasoning: "Two and two."})
	const ask = `{"model":"gpt-5-codex","max_tokens":2000,"thinking":{"type":"enabled","budget_tokens":1500},"messages":[{"role":"user","content":"2+2?"}%s]}`
	res, body := h.send("/v1/messages", fmt.Sprintf(ask, ""))
	require.Equal(t, http.StatusOK, res.StatusCode, body)
	blocks := decode(t, body)["content"].([]any)
	require.Equal(t, "thinking", blocks[0].(map[string]any)["type"], body)
	assert.Equal(t, "medium", fake.Last().JSON["reasoning"].(map[string]any)["effort"])
	signature := blocks[0].(map[string]any)["signature"].(string)
	assert.NotEmpty(t, signature)
}
