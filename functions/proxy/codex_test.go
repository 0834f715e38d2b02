package proxy_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

// codexRequest has the shape of Codex CLI's requests: developer messages and
// items with ids, function, namespace and web_search tools, nothing stored.
const codexRequest = `{"model":%q,"stream":true,"store":false,"include":["reasoning.encrypted_content"],
"input":[
 {"type":"message","id":"msg_1","role":"developer","content":[{"type":"input_text","text":"You are a coding agent."}]},
 {"type":"message","id":"msg_2","role":"user","content":[{"type":"input_text","text":%q}]}%s],
"tools":[
 {"type":"function","name":"shell","description":"Runs a command","strict":false,"parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}},
 {"type":"custom","name":"apply_patch","description":"Edits files","format":{"type":"grammar","syntax":"lark","definition":"start: /.+/"}},
 {"type":"namespace","name":"mcp__mail","description":"Mail","tools":[{"type":"function","name":"send","description":"Sends","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}]},
 {"type":"web_search","external_web_access":false}],
"tool_choice":"auto","parallel_tool_calls":true,"reasoning":{"summary":"auto"},"prompt_cache_key":"t1","client_metadata":{"x":"y"}}`

func TestCodexWorksAgainstAnyProviderWithTools(t *testing.T) {
	t.Parallel()
	for kind, model := range models {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			h := start(t, nil)
			fake := h.provider(kind)
			if kind == fakeprovider.OpenAI {
				h.add("openai-compatible", "local", fake.URL+"/v1", fakeprovider.DefaultKey) // chat completions only
				model = "local/" + model
			} else {
				model = kinds[kind].kind + "/" + model
			}
			done := func(body string) map[string]any {
				all := events(t, body)
				require.Equal(t, "response.completed", all[len(all)-1]["type"], body)
				for _, ev := range all {
					item, _ := ev["item"].(map[string]any)
					if ev["type"] == "response.output_item.done" && item["type"] != "reasoning" {
						return item
					}
				}
				return nil
			}
			res, body := h.send("/v1/responses", fmt.Sprintf(codexRequest, model, "use tool shell", ""), "Accept", "text/event-stream")
			require.Equal(t, http.StatusOK, res.StatusCode, body)
			assert.Contains(t, res.Header.Get("x-aigne-hub-dropped-params"), "web_search")
			call := done(body)
			assert.Equal(t, "function_call", call["type"])
			assert.Equal(t, "shell", call["name"])
			assert.JSONEq(t, `{"city":"Paris"}`, call["arguments"].(string))

			item, err := json.Marshal(call)
			require.NoError(t, err)
			result := `,` + string(item) + `,{"type":"function_call_output","call_id":"` + call["call_id"].(string) + `","output":"fine weather"}`
			res, body = h.send("/v1/responses", fmt.Sprintf(codexRequest, model, "use tool shell", result))
			require.Equal(t, http.StatusOK, res.StatusCode, body)
			assert.Equal(t, "message", done(body)["type"])

			res, body = h.send("/v1/responses", fmt.Sprintf(codexRequest, model, "use tool mcp__mail__send", ""))
			require.Equal(t, http.StatusOK, res.StatusCode, body)
			call = done(body)
			assert.Equal(t, "send", call["name"])
			assert.Equal(t, "mcp__mail", call["namespace"])

			fake.Script(model[strings.IndexByte(model, '/')+1:], fakeprovider.Answer{ToolCalls: []fakeprovider.ToolCall{{Name: "apply_patch", Arguments: `{"input":"*** Begin\n+x"}`}}})
			res, body = h.send("/v1/responses", fmt.Sprintf(codexRequest, model, "patch it", ""))
			require.Equal(t, http.StatusOK, res.StatusCode, body)
			call = done(body)
			assert.Equal(t, "custom_tool_call", call["type"])
			assert.Equal(t, "*** Begin\n+x", call["input"])
		})
	}
}

func TestCodexIsBilledWithoutAPriceForSearchesThatNobodyMakes(t *testing.T) {
	t.Parallel()
	h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on"})
	fake := h.provider(fakeprovider.Anthropic)
	h.rate("anthropic", "claude-fake", "3", "15")
	h.grant("1000")
	res, body := h.send("/v1/responses", fmt.Sprintf(codexRequest, "claude-fake", "hello", ""))
	require.Equal(t, http.StatusOK, res.StatusCode, body)
	assert.Equal(t, fake.Last().Usage, h.settledCall().Usage)
	requireBooksMatch(t, h, fake)
}

func TestThoughtsOfOtherVendorsAreKeptOverTurns(t *testing.T) {
	t.Parallel()
	for _, stored := range []bool{false, true} {
		t.Run(fmt.Sprintf("stored=%t", stored), func(t *testing.T) {
			t.Parallel()
			h := start(t, nil)
			fake := h.provider(fakeprovider.Anthropic)
			const tools = `"reasoning":{"effort":"medium"},"max_output_tokens":9000,"tools":[{"type":"function","name":"shell","parameters":{"type":"object","properties":{}}}]`
			res, body := h.send("/v1/responses", fmt.Sprintf(`{"model":"claude-fake","store":%t,%s,"input":[{"role":"user","content":"use tool shell"}]}`, stored, tools))
			require.Equal(t, http.StatusOK, res.StatusCode, body)
			first := decode(t, body)
			output := first["output"].([]any)
			require.Len(t, output, 2, body)
			assert.Equal(t, "reasoning", output[0].(map[string]any)["type"])
			call := output[1].(map[string]any)
			result := `{"type":"function_call_output","call_id":"` + call["call_id"].(string) + `","output":"fine"}`
			if stored {
				res, body = h.send("/v1/responses", fmt.Sprintf(`{"model":"claude-fake",%s,"previous_response_id":%q,"input":[%s]}`, tools, first["id"], result))
			} else {
				items, err := json.Marshal(output)
				require.NoError(t, err)
				res, body = h.send("/v1/responses", fmt.Sprintf(`{"model":"claude-fake","store":false,%s,"input":[{"role":"user","content":"use tool shell"},%s,%s]}`,
					tools, items[1:len(items)-1], result))
			}
			require.Equal(t, http.StatusOK, res.StatusCode, body)
			assert.Contains(t, string(fake.Last().Body), `"type":"thinking"`, "the thought is sent back with its signature")
			assert.Contains(t, string(fake.Last().Body), `"signature":"`)
		})
	}
}
