package dialecttest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// TestRefusalsNameTheFieldAsTheCallerWroteIt: whatever shape a conversation takes
// within the hub, and whoever refuses it.
func TestRefusalsNameTheFieldAsTheCallerWroteIt(t *testing.T) {
	t.Parallel()
	const sound = `"AAAA"`
	for _, tt := range []struct{ as, to, body, want string }{
		// Sound is refused by Claude and by the Responses API.
		{"openai", "anthropic", `{"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"x"},{"type":"input_audio","input_audio":{"format":"wav","data":` + sound + `}}]}]}`, "messages[1].content[1]"},
		{"openai", "bedrock", `{"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"x"},{"type":"image_url","image_url":{"url":"https://x.example/a.png"}}]}]}`, "messages[1].content[1]"},
		{"gemini", "anthropic", `{"systemInstruction":{"parts":[{"text":"s"}]},"contents":[{"role":"user","parts":[{"text":"x"},{"inlineData":{"mimeType":"audio/wav","data":` + sound + `}}]}]}`, "contents[0].parts[1]"},
		{"gemini", "openai", `{"systemInstruction":{"parts":[{"text":"s"}]},"contents":[{"role":"user","parts":[{"inlineData":{"mimeType":"audio/wav","data":` + sound + `}}]}]}`, "contents[0]"},
		// Results of tools that follow each other are one message of the hub's.
		{"openai", "anthropic", `{"model":"m","messages":[{"role":"user","content":"x"},{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"b","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"a","content":"1"},{"role":"tool","tool_call_id":"b","content":"2"},{"role":"user","content":[{"type":"input_audio","input_audio":{"format":"wav","data":` + sound + `}}]}]}`, "messages[4].content[0]"},
		// A part that only its own vendor knows.
		{"anthropic", "openai", `{"model":"m","max_tokens":9,"system":"s","messages":[{"role":"user","content":[{"type":"text","text":"x"},{"type":"search_result","source":"s","title":"t","content":[{"type":"text","text":"x"}]}]}]}`, "messages[0]"},
		{"anthropic", "bedrock", `{"model":"m","max_tokens":9,"system":"s","messages":[{"role":"user","content":"x"},{"role":"assistant","content":[{"type":"tool_use","id":"c","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"c","content":"1"},{"type":"text","text":"x"},{"type":"search_result","source":"s","title":"t","content":[{"type":"text","text":"x"}]}]}]}`, "messages[2].content[2]"},
		{"anthropic", "google", `{"model":"m","max_tokens":9,"system":"s","messages":[{"role":"user","content":[{"type":"search_result","source":"s","title":"t","content":[{"type":"text","text":"x"}]}]}]}`, "messages[0].content[0].type"},
		// Items of the Responses API become turns.
		{"responses", "deepseek", `{"model":"m","instructions":"s","input":[{"role":"user","content":"x"},{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c","output":"1"},{"role":"user","content":[{"type":"input_file","file_url":"https://x.example/a.pdf"}]}]}`, "input[3]"},
		{"responses", "bedrock", `{"model":"m","instructions":"s","input":[{"role":"user","content":"x"},{"role":"user","content":[{"type":"input_text","text":"x"},{"type":"input_image","file_id":"f"}]}]}`, "input[1].content[1]"},
		// Tools.
		{"responses", "anthropic", `{"model":"m","input":"x","tools":[{"type":"file_search","vector_store_ids":["v"]},{"type":"function","name":"json_output"}]}`, "tools[1]"},
		{"gemini", "anthropic", `{"contents":[{"parts":[{"text":"x"}]}],"tools":[{"codeExecution":{}},{"functionDeclarations":[{"name":"f"},{"name":"json_output"}]}]}`, "tools[1].functionDeclarations[1]"},
		// Parameters.
		{"anthropic", "openai", `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"}],"stop_sequences":["END"]}`, "stop_sequences"},
		{"gemini", "openai", `{"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"stopSequences":["END"]}}`, "generationConfig.stopSequences"},
		{"gemini", "anthropic", `{"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"candidateCount":2}}`, "generationConfig.candidateCount"},
		{"gemini", "bedrock", `{"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"responseLogprobs":true}}`, "generationConfig.responseLogprobs"},
		{"responses", "anthropic", `{"model":"m","input":"x","top_logprobs":2}`, "top_logprobs"},
		{"aigne", "openai", `{"input":{"modelOptions":{"model":"a/m","seed":4},"messages":[{"role":"user","content":"x"}]}}`, "input.modelOptions.seed"},
		{"aigne", "anthropic", `{"input":{"modelOptions":{"model":"a/m"},"messages":[{"role":"user","content":""},{"role":"user","content":[{"type":"file","mimeType":"audio/wav","data":"AAAA"}]}]}}`, "input.messages[1].content[0]"},
	} {
		t.Run(tt.as+" to "+tt.to+" "+tt.want, func(t *testing.T) {
			t.Parallel()
			_, req := asked(t, tt.as, tt.body)
			target := targets()[tt.to]
			_, err := target.client.Encode(req, dialect.Target{Model: target.model, MaxOutput: 4096})
			require.Error(t, err)
			assert.Equal(t, hub.CodeInvalid, hub.CodeOf(err))
			assert.Equal(t, tt.want, hub.AsError(err).Param)
		})
	}
}
