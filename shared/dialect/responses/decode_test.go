package responses

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

func see(t testing.TB, body string) *dialect.View {
	t.Helper()
	v, err := server.View(nil, []byte(body))
	require.NoError(t, err)
	return v
}

func decoded(t testing.TB, body string) *chat.Request {
	t.Helper()
	req, err := server.Decode(see(t, body))
	require.NoError(t, err)
	return req
}

func TestWhatAnAssistantDidBetweenTwoTurnsIsOneMessage(t *testing.T) {
	t.Parallel()
	req := decoded(t, `{"model":"m","instructions":"Be brief.","input":[
		{"role":"developer","content":"Use tools."},
		{"type":"message","role":"user","content":[{"type":"input_text","text":"Look"},{"type":"input_image","image_url":"data:image/png;base64,AA==","detail":"low"},
			{"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,BB=="},{"type":"input_file","file_url":"https://x/y.pdf"},{"type":"input_image","file_id":"file_1"}]},
		{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"Hm"},{"type":"summary_text","text":"so"}],"encrypted_content":"gAAA"},
		{"type":"message","id":"msg_1","role":"assistant","status":"completed","content":[{"type":"output_text","text":"I look.","annotations":[]}]},
		{"type":"function_call","id":"fc_1","call_id":"c1","name":"look","arguments":"{\"at\":1}"},
		{"type":"custom_tool_call","call_id":"c2","name":"patch","input":"*** \"x\""},
		{"type":"function_call","call_id":"c3","namespace":"mail","name":"send","arguments":""},
		{"type":"function_call_output","call_id":"c1","output":"seen"},
		{"type":"custom_tool_call_output","call_id":"c2","output":[{"type":"input_text","text":"done"}]},
		{"type":"reasoning","id":"rs_2","summary":[]},
		{"type":"message","role":"assistant","content":[{"type":"refusal","refusal":"No."}]}]}`)
	assert.Equal(t, []chat.Message{
		{Role: chat.System, Parts: []chat.Part{{Kind: chat.Text, Text: "Be brief."}}},
		{Role: chat.Developer, Parts: []chat.Part{{Kind: chat.Text, Text: "Use tools."}}},
		{Role: chat.User, Parts: []chat.Part{
			{Kind: chat.Text, Text: "Look"},
			{Kind: chat.Image, Media: &chat.Media{MIME: "image/png", Data: "AA==", Detail: "low"}},
			{Kind: chat.File, Media: &chat.Media{MIME: "application/pdf", Data: "BB==", Filename: "a.pdf"}},
			{Kind: chat.File, Media: &chat.Media{URL: "https://x/y.pdf"}},
			{Kind: chat.Image, Media: &chat.Media{FileID: "file_1"}},
		}},
		{Role: chat.Assistant, Parts: []chat.Part{
			{Kind: chat.Thinking, ID: "rs_1", Text: "Hm\n\nso", Signature: "gAAA", SignedBy: chat.SignedOpenAI},
			{Kind: chat.Text, Text: "I look."},
			{Kind: chat.ToolCallPart, ID: "fc_1", ToolCall: &chat.ToolCall{ID: "c1", Name: "look", Arguments: `{"at":1}`}},
			{Kind: chat.ToolCallPart, ToolCall: &chat.ToolCall{ID: "c2", Name: "patch", Arguments: `{"input":"*** \"x\""}`}},
			{Kind: chat.ToolCallPart, ToolCall: &chat.ToolCall{ID: "c3", Name: "mail__send", Arguments: `{}`}},
		}},
		{Role: chat.ToolRole, Parts: []chat.Part{
			{Kind: chat.ToolResultPart, ToolResult: &chat.ToolResult{CallID: "c1", Name: "look", Parts: []chat.Part{{Kind: chat.Text, Text: "seen"}}}},
			{Kind: chat.ToolResultPart, ToolResult: &chat.ToolResult{CallID: "c2", Name: "patch", Parts: []chat.Part{{Kind: chat.Text, Text: "done"}}}},
		}},
		{Role: chat.Assistant, Parts: []chat.Part{{Kind: chat.Refusal, Text: "No."}}},
	}, req.Messages)
}

func TestEveryParameterHasItsFate(t *testing.T) {
	t.Parallel()
	req := decoded(t, `{"model":"m","input":"x","max_output_tokens":99,"temperature":0.5,"top_p":0.9,"top_logprobs":3,"parallel_tool_calls":false,
		"reasoning":{"effort":"high","summary":"auto"},"text":{"format":{"type":"json_schema","name":"n","schema":{"type":"object"},"strict":true},"verbosity":"low"},
		"service_tier":"flex","user":"u","metadata":{"a":"b"},"safety_identifier":"s","prompt_cache_key":"k","client_metadata":{"x":1},"max_tool_calls":3,
		"truncation":"disabled","background":false,"store":true,"include":["reasoning.encrypted_content","web_search_call.action.sources"],
		"tools":[{"type":"function","name":"f","parameters":null,"strict":false},{"type":"web_search"}],"tool_choice":{"type":"function","name":"f"},"stream_options":{"include_obfuscation":false}}`)
	yes, no := true, false
	assert.Equal(t, new(int64(99)), req.MaxOutput)
	assert.Equal(t, new(0.5), req.Temperature)
	assert.Equal(t, new(0.9), req.TopP)
	assert.Equal(t, &yes, req.Logprobs)
	assert.Equal(t, new(int64(3)), req.TopLogprobs)
	assert.Equal(t, &no, req.ParallelToolCalls)
	assert.Equal(t, &chat.Reasoning{Effort: "high", Summary: "auto"}, req.Reasoning)
	assert.Equal(t, &chat.Format{Kind: "json_schema", Name: "n", Schema: json.RawMessage(`{"type":"object"}`), Strict: &yes}, req.Format)
	assert.Equal(t, "flex", req.ServiceTier)
	assert.Equal(t, "u", req.User)
	assert.Equal(t, map[string]string{"a": "b"}, req.Metadata)
	assert.Equal(t, []chat.Tool{{Name: "f", Strict: &no}, {RawType: "web_search", Raw: json.RawMessage(`{"type":"web_search"}`)}}, req.Tools)
	assert.Equal(t, &chat.ToolChoice{Mode: "tool", Name: "f"}, req.ToolChoice)
	assert.Equal(t, map[string]json.RawMessage{"safety_identifier": json.RawMessage(`"s"`), "verbosity": json.RawMessage(`"low"`)}, req.Extra)
	assert.ElementsMatch(t, []string{"prompt_cache_key", "client_metadata", "max_tool_calls", "include.web_search_call.action.sources"}, req.Ignored)
	assert.Equal(t, "max_output_tokens", req.ParamName("max_completion_tokens"))
	assert.Equal(t, "text.verbosity", req.ParamName("verbosity"))
}

func TestWhatCannotBeTranslatedIsRefusedByName(t *testing.T) {
	t.Parallel()
	for body, param := range map[string]string{
		`"input":"x","background":true`:                                                                 "background",
		`"input":"x","truncation":"auto"`:                                                               "truncation",
		`"input":"x","conversation":"c"`:                                                                "conversation",
		`"prompt":{"id":"p"}`:                                                                           "prompt",
		`"input":"x","previous_response_id":"resp_1"`:                                                   "previous_response_id",
		`"input":[{"type":"item_reference","id":"msg_1"}]`:                                              "input[0]",
		`"input":[{"type":"computer_call","call_id":"c"}]`:                                              "input[0].type",
		`"input":[{"role":"robot","content":"x"}]`:                                                      "input[0].role",
		`"input":[{"role":"user","content":[{"type":"video"}]}]`:                                        "input[0].content[0].type",
		`"input":[{"role":"user","content":[{"type":"input_image","image_url":"file:///etc/passwd"}]}]`: "input[0].content[0].image_url",
		`"input":[{"type":"function_call","call_id":"c","name":"f","arguments":"[1]"}]`:                 "input[0].arguments",
		`"input":[{"type":"function_call_output","output":"x"}]`:                                        "input[0].call_id",
		`"input":[]`: "input",
		`"input":"x","tools":[{"type":"web_search"}],"tool_choice":{"type":"web_search"}`:                                                  "tool_choice",
		`"input":"x","tools":[{"type":"function"}]`:                                                                                        "tools[0].name",
		`"input":"x","tools":[{"type":"function","name":"a__b"},{"type":"namespace","name":"a","tools":[{"type":"function","name":"b"}]}]`: "tools[1].tools[0].name",
		`"input":"x","text":{"format":{"type":"json_schema","name":"n"}}`:                                                                  "text.format.schema",
		`"input":"x","text":{"colour":"red"}`:                                                                                              "text.colour",
		`"input":"x","temperature":"hot"`:                                                                                                  "temperature",
	} {
		v, err := server.View(nil, []byte(`{"model":"m",`+body+`}`))
		require.NoError(t, err, body)
		_, err = server.Decode(v)
		require.Equal(t, hub.CodeInvalid, hub.CodeOf(err), body)
		assert.Equal(t, param, hub.AsError(err).Param, body)
	}
}

func TestTheHeadOfARequestIsReadWithoutItsConversation(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]struct{ opaque, tools bool }{
		`"input":"https://x"`: {},
		`"input":[{"role":"user","content":[{"type":"input_image","image_url":"data:image/png;base64,AA=="}]}]`:   {},
		`"input":[{"role":"user","content":[{"type":"input_image","image_url":"https://x/y.png"}]}]`:              {opaque: true},
		`"input":[{"role":"user","content":[{"type":"input_file","file_id":"f"}]}]`:                               {opaque: true},
		`"input":[{"type":"function_call_output","call_id":"c","output":[{"type":"input_file","file_url":"u"}]}]`: {opaque: true},
		`"input":[{"type":"item_reference","id":"x"}]`:                                                            {opaque: true},
		`"previous_response_id":"resp_1"`:                                                                         {opaque: true},
		`"input":"x","tools":[{"type":"function","name":"f"},{"type":"namespace","name":"n","tools":[]}]`:         {},
		`"input":"x","tools":[{"type":"mcp","server_url":"https://x"}]`:                                           {tools: true},
	} {
		v := see(t, `{"model":"m",`+body+`}`)
		assert.Equal(t, want.opaque, v.OpaqueInput, body)
		assert.Equal(t, want.tools, v.ServerTools, body)
	}
	for body, param := range map[string]string{
		`{"input":"x"}`: "model", `{"model":"m"}`: "input", `{"model":"m","input":7}`: "input", `{"model":"m","input":"x","stream":"yes"}`: "stream",
		`{"model":"m","input":"x","max_output_tokens":0}`: "max_output_tokens", `{"model":"m","models":["n"],"input":"x"}`: "models",
		`{"model":"m","model":"n","input":"x"}`: "model",
	} {
		_, err := server.View(nil, []byte(body))
		require.Equal(t, hub.CodeInvalid, hub.CodeOf(err), body)
		assert.Equal(t, param, hub.AsError(err).Param, body)
	}
}

func TestNamesOfNamespacesAreReversibleAndFit(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "a__b", flatName("a", "b"))
	assert.Equal(t, "b", flatName("", "b"))
	long := flatName("mcp__a_server_with_a_very_long_name_indeed", "and_a_tool_with_a_long_name_too")
	assert.Len(t, long, 64)
	assert.NotEqual(t, long, flatName("mcp__a_server_with_a_very_long_name_indeed", "and_a_tool_with_a_long_name_two"))
	assert.NotEqual(t, flatName("a.b", "c"), flatName("a_b", "c"), "characters that models do not take are not lost")
	names := toolNames(see(t, `{"model":"m","input":"x","tools":[{"type":"namespace","name":"a.b","tools":[{"type":"custom","name":"c"}]},{"type":"function","name":"d"}]}`).Object)
	assert.Equal(t, map[string]tool{flatName("a.b", "c"): {"a.b", "c", true}, "d": {"", "d", false}}, names)
}
