package aigne_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/dialect/aigne"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

func post(t testing.TB, s dialect.Server, body string, accept string) (*dialect.View, error) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	if accept != "" {
		r.Header.Set("Accept", accept)
	}
	return s.View(r, []byte(body))
}

func decode(t testing.TB, s dialect.Server, body string) (*dialect.View, *chat.Request) {
	t.Helper()
	v, err := post(t, s, body, "")
	require.NoError(t, err)
	req, err := s.Decode(v)
	require.NoError(t, err)
	return v, req
}

func text(s string) chat.Part { return chat.Part{Kind: chat.Text, Text: s} }

// protocol wraps messages and more members of input into a request.
func protocol(messages, more, options string) string {
	if more != "" {
		more = "," + more
	}
	return `{"input":{"messages":` + messages + more + `,"modelOptions":{"model":"openai/m"` + options + `},"outputFileType":"url"},"agent":"$CHAT_MODEL","options":{"userContext":{},"memories":[]}}`
}

const hi = `[{"role":"user","content":"hi"}]`

func TestProtocolReadsAWholeConversation(t *testing.T) {
	t.Parallel()
	v, req := decode(t, aigne.Server{}, `{"input":{"messages":[
		{"role":"system","content":"be brief","cacheControl":{"type":"ephemeral","ttl":"1h"}},
		{"role":"user","name":"ann","content":[{"type":"text","text":"look","cacheControl":{"type":"ephemeral"}},
			{"type":"url","url":"https://a.example/x?y"},{"type":"url","url":"https://a.example/report.PDF#p2","filename":"r.pdf"},
			{"type":"url","url":"data:image/gif;base64,R0lG"},
			{"type":"file","data":"UklGRg==","mimeType":"audio/wav"},{"type":"file","data":"iVBORw0KGgoAAAANSUhEUg==","filename":"pic"}]},
		{"role":"agent","content":null,"toolCalls":[{"id":"c1","type":"function","function":{"name":"f","arguments":{"n":12345678901234567890}},"metadata":{"thoughtSignature":"U0lH","x":1}},
			{"id":"c2","type":"function","function":{"name":"g","arguments":"{\"a\": 1}"}},{"id":"c3","function":{"name":"h"}}]},
		{"role":"tool","toolCallId":"c1","name":"f","content":"42"},{"role":"tool","toolCallId":"c2","content":[{"type":"text","text":"ok"}]},
		{"role":"assistant","content":""},{"role":"user","content":"so?"}],
		"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"}},"cacheControl":{"type":"ephemeral"}}],
		"toolChoice":{"type":"function","function":{"name":"f"}},
		"responseFormat":{"type":"json_schema","jsonSchema":{"name":"r","schema":{"type":"object"},"strict":true}},
		"modelOptions":{"model":"google/gemini-2.5-pro","temperature":0.2,"topP":null,"frequencyPenalty":1,"presencePenalty":-1,"parallelToolCalls":true,
			"maxTokens":500,"reasoningEffort":2048,"modalities":["text"],"preferInputFileType":"url","promptCacheKey":"k","nothing":null},
		"userId":"left alone"},"agent":"$CHAT_MODEL","options":{"streaming":true,"returnProgressChunks":true}}`)

	assert.Equal(t, "google/gemini-2.5-pro", v.Model)
	assert.True(t, v.Stream)
	assert.True(t, v.WantsUsage)
	assert.True(t, v.OpaqueInput)
	assert.Equal(t, int64(1), v.N)
	assert.Equal(t, int64(500), *v.MaxOutput)
	assert.Equal(t, int64(2048), v.Thinking)

	call := func(id, name, args, signature string) chat.Part {
		by := ""
		if signature != "" {
			by = chat.SignedGoogle
		}
		return chat.Part{Kind: chat.ToolCallPart, Signature: signature, SignedBy: by, ToolCall: &chat.ToolCall{ID: id, Name: name, Arguments: args}}
	}
	assert.Equal(t, []chat.Message{
		{Role: chat.System, Parts: []chat.Part{{Text: "be brief", Cache: &chat.Cache{TTL: "1h"}}}},
		{Role: chat.User, Name: "ann", Parts: []chat.Part{
			{Text: "look", Cache: &chat.Cache{TTL: "5m"}},
			{Kind: chat.Image, Media: &chat.Media{URL: "https://a.example/x?y"}},
			{Kind: chat.File, Media: &chat.Media{URL: "https://a.example/report.PDF#p2", Filename: "r.pdf"}},
			{Kind: chat.Image, Media: &chat.Media{MIME: "image/gif", Data: "R0lG"}},
			{Kind: chat.Audio, Media: &chat.Media{MIME: "audio/wav", Data: "UklGRg=="}},
			{Kind: chat.Image, Media: &chat.Media{MIME: "image/png", Data: "iVBORw0KGgoAAAANSUhEUg==", Filename: "pic"}},
		}},
		{Role: chat.Assistant, Parts: []chat.Part{call("c1", "f", `{"n":12345678901234567890}`, "U0lH"), call("c2", "g", `{"a": 1}`, ""), call("c3", "h", "{}", "")}},
		{Role: chat.ToolRole, Parts: []chat.Part{{Kind: chat.ToolResultPart, ToolResult: &chat.ToolResult{CallID: "c1", Name: "f", Parts: []chat.Part{text("42")}}}}},
		{Role: chat.ToolRole, Parts: []chat.Part{{Kind: chat.ToolResultPart, ToolResult: &chat.ToolResult{CallID: "c2", Parts: []chat.Part{text("ok")}}}}},
		{Role: chat.User, Parts: []chat.Part{text("so?")}},
	}, req.Messages)
	assert.Equal(t, []chat.Tool{{Name: "f", Description: "d", Parameters: json.RawMessage(`{"type":"object"}`), Cache: &chat.Cache{TTL: "5m"}}}, req.Tools)
	assert.Equal(t, &chat.ToolChoice{Mode: "tool", Name: "f"}, req.ToolChoice)
	assert.Equal(t, &chat.Format{Kind: "json_schema", Name: "r", Schema: json.RawMessage(`{"type":"object"}`), Strict: new(true)}, req.Format)
	assert.InDelta(t, 0.2, *req.Temperature, 0)
	assert.Nil(t, req.TopP)
	assert.True(t, *req.ParallelToolCalls)
	assert.Equal(t, map[string]json.RawMessage{"prompt_cache_key": json.RawMessage(`"k"`)}, req.Extra)
	assert.Equal(t, "input.modelOptions.temperature", req.ParamName("temperature"))
	assert.Equal(t, "input.modelOptions.maxTokens", req.ParamName("max_completion_tokens"))
	assert.Equal(t, "input.messages", req.ParamName("messages"))
	assert.Equal(t, "input.modelOptions.promptCacheKey", req.ParamName("prompt_cache_key"))
}

func TestProtocolFindsTheModel(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, body, want string }{
		{"in the body first", `{"model":"a","input":{"model":"b","messages":` + hi + `,"modelOptions":{"model":"c"}}}`, "a"},
		{"then in input", `{"model":null,"input":{"model":"b","messages":` + hi + `,"modelOptions":{"model":"c"}}}`, "b"},
		{"then in modelOptions", `{"model":"","input":{"messages":` + hi + `,"modelOptions":{"model":"aignehub/openai/c"}}}`, "aignehub/openai/c"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v, req := decode(t, aigne.Server{}, tt.body)
			assert.Equal(t, tt.want, v.Model)
			assert.Equal(t, tt.want, req.Model)
			assert.False(t, v.Stream)
		})
	}
}

func TestProtocolReasoning(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]*chat.Reasoning{
		`null`: nil, `""`: nil,
		`"high"`: {Effort: "high"},
		`"none"`: {Effort: "none", Disabled: true},
		`0`:      {Disabled: true},
		`1e3`:    {Budget: new(int64(1000))},
	} {
		_, req := decode(t, aigne.Server{}, protocol(hi, "", `,"reasoningEffort":`+raw))
		assert.Equal(t, want, req.Reasoning, raw)
	}
}

func TestProtocolCacheConfig(t *testing.T) {
	t.Parallel()
	messages := `[{"role":"system","content":"a"},{"role":"system","content":"b"},{"role":"user","content":"c","cacheControl":{"type":"ephemeral"}},{"role":"user","content":"d"}]`
	tools := `"tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"g"}}]`
	tests := []struct{ name, config, want string }{
		{"nothing is added without a config", ``, "c:5m"},
		{"null is no config", `null`, "c:5m"},
		{"the default marks tools, system and the last message", `{}`, "g:5m b:5m d:5m"},
		{"what the client sends", `{"autoBreakpoints":{"lastMessage":true},"ttl":"1h"}`, "g:1h b:1h d:1h"},
		{"breakpoints can be left out", `{"strategy":"auto","autoBreakpoints":{"tools":false,"system":false,"lastMessage":null}}`, "d:5m"},
		{"manual keeps the caller's", `{"strategy":"manual"}`, "c:5m"},
		{"disabled forgets all", `{"enabled":false}`, ""},
		{"seconds choose the lifetime", `{"ttl":3600,"autoBreakpoints":{"tools":false,"system":false}}`, "d:1h"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			options := ""
			if tt.config != "" {
				options = `,"cacheConfig":` + tt.config
			}
			_, req := decode(t, aigne.Server{}, protocol(messages, tools, options))
			var marks []string
			for _, tool := range req.Tools {
				if tool.Cache != nil {
					marks = append(marks, tool.Name+":"+tool.Cache.TTL)
				}
			}
			for _, m := range req.Messages {
				for _, p := range m.Parts {
					if p.Cache != nil {
						marks = append(marks, p.Text+":"+p.Cache.TTL)
					}
				}
			}
			assert.Equal(t, tt.want, strings.Join(marks, " "))
			assert.Empty(t, req.Extra)
		})
	}
}

func TestProtocolRefuses(t *testing.T) {
	t.Parallel()
	user := func(part string) string { return protocol(`[{"role":"user","content":[`+part+`]}]`, "", "") }
	tests := []struct{ name, body, param string }{
		{"what is no object", `[]`, ""},
		{"a repeated member", `{"input":{},"input":{}}`, "input"},
		{"a repeated model", `{"input":{"messages":` + hi + `,"modelOptions":{"model":"cheap","model":"dear"}}}`, "input.modelOptions.model"},
		{"no input", `{"agent":"$CHAT_MODEL"}`, "input"},
		{"no model", `{"input":{"messages":` + hi + `}}`, "input.modelOptions.model"},
		{"a model that is no string", `{"input":{"messages":` + hi + `,"modelOptions":{"model":7}}}`, "input.modelOptions.model"},
		{"no messages", `{"input":{"modelOptions":{"model":"m"}}}`, "input.messages"},
		{"empty messages", protocol(`[]`, "", ""), "input.messages"},
		{"messages that say nothing", protocol(`[{"role":"user","content":""}]`, "", ""), "input.messages"},
		{"a message that is no object", protocol(`["hi"]`, "", ""), "input.messages[0]"},
		{"an unknown role", protocol(`[{"role":"function","content":"x"}]`, "", ""), "input.messages[0].role"},
		{"content of another type", protocol(`[{"role":"user","content":5}]`, "", ""), "input.messages[0].content"},
		{"a file of the hub's disk", user(`{"type":"text","text":"a"},{"type":"local","path":"/etc/passwd"}`), "input.messages[0].content[1]"},
		{"a part of unknown type", user(`{"type":"video"}`), "input.messages[0].content[0].type"},
		{"a file without data", user(`{"type":"file"}`), "input.messages[0].content[0].data"},
		{"a URL part without one", user(`{"type":"url"}`), "input.messages[0].content[0].url"},
		{"a data URL that is not base64", user(`{"type":"url","url":"data:text/plain,hi"}`), "input.messages[0].content[0].url"},
		{"a lifetime nobody offers", user(`{"type":"text","text":"a","cacheControl":{"type":"ephemeral","ttl":"2h"}}`), "input.messages[0].content[0].cacheControl.ttl"},
		{"a tool result without its call", protocol(`[{"role":"tool","content":"x"}]`, "", ""), "input.messages[0].toolCallId"},
		{"a call without id", protocol(`[{"role":"agent","toolCalls":[{"function":{"name":"f"}}]}]`, "", ""), "input.messages[0].toolCalls[0].id"},
		{"arguments that are no object", protocol(`[{"role":"agent","toolCalls":[{"id":"1","function":{"name":"f","arguments":"[1]"}}]}]`, "", ""), "input.messages[0].toolCalls[0].function.arguments"},
		{"a tool that is no function", protocol(hi, `"tools":[{"type":"web_search"}]`, ""), "input.tools[0].type"},
		{"a tool without a name", protocol(hi, `"tools":[{"type":"function","function":{}}]`, ""), "input.tools[0].function.name"},
		{"an unknown tool choice", protocol(hi, `"toolChoice":"any"`, ""), "input.toolChoice"},
		{"an unknown format", protocol(hi, `"responseFormat":{"type":"xml"}`, ""), "input.responseFormat.type"},
		{"a schema that is missing", protocol(hi, `"responseFormat":{"type":"json_schema"}`, ""), "input.responseFormat.jsonSchema"},
		{"too high a temperature", protocol(hi, "", `,"temperature":2.5`), "input.modelOptions.temperature"},
		{"no output at all", protocol(hi, "", `,"maxTokens":0`), "input.modelOptions.maxTokens"},
		{"half a token", protocol(hi, "", `,"maxTokens":1.5`), "input.modelOptions.maxTokens"},
		{"an unknown effort", protocol(hi, "", `,"reasoningEffort":"immense"`), "input.modelOptions.reasoningEffort"},
		{"an unknown cache strategy", protocol(hi, "", `,"cacheConfig":{"strategy":"x"}`), "input.modelOptions.cacheConfig.strategy"},
		{"streaming that is no boolean", `{"input":{"messages":` + hi + `,"modelOptions":{"model":"m"}},"options":{"streaming":"yes"}}`, "options.streaming"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := post(t, aigne.Server{}, tt.body, "")
			require.Error(t, err)
			e := hub.AsError(err)
			assert.Equal(t, hub.CodeInvalid, e.Code)
			assert.Equal(t, tt.param, e.Param)
			assert.Contains(t, e.Message, tt.param)
		})
	}
}

func TestRestTakesBothSpellings(t *testing.T) {
	t.Parallel()
	camel := `{"model":"openai/m","messages":[
		{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","imageUrl":{"url":"https://a.example/b","detail":"low"}}]},
		{"role":"assistant","content":null,"toolCalls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"},"extraContent":{"google":{"thought_signature":"U0lH"}}}]},
		{"role":"tool","content":"x","toolCallId":"c"}],
		"temperature":1,"topP":0.5,"presencePenalty":0.1,"frequencyPenalty":0.2,"maxTokens":9,"toolChoice":"required","parallelToolCalls":false,
		"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}],"reasoningEffort":"low","stream":true,"streamOptions":{"includeUsage":true},
		"responseFormat":{"type":"json_schema","jsonSchema":{"name":"n","schema":{}}},"n":2,"stop":"END","logitBias":{"1":2},"route":"x","promptCacheKey":"k"}`
	snake := strings.NewReplacer("imageUrl", "image_url", "toolCallId", "tool_call_id", "toolCalls", "tool_calls", "topP", "top_p", "presencePenalty", "presence_penalty",
		"frequencyPenalty", "frequency_penalty", "maxTokens", "max_tokens", "toolChoice", "tool_choice", "parallelToolCalls", "parallel_tool_calls", "reasoningEffort", "reasoning_effort",
		"streamOptions", "stream_options", "includeUsage", "include_usage", "responseFormat", "response_format", "jsonSchema", "json_schema", "logitBias", "logit_bias",
		"extraContent", "extra_content", "promptCacheKey", "prompt_cache_key").Replace(camel)
	v, a := decode(t, aigne.RestServer{}, camel)
	_, b := decode(t, aigne.RestServer{}, snake)
	assert.Equal(t, "topP", a.ParamName("top_p"))
	assert.Equal(t, "top_p", b.ParamName("top_p"))
	a.Names, b.Names = nil, nil
	assert.Equal(t, a, b)

	assert.Equal(t, int64(2), v.N)
	assert.True(t, v.OpaqueInput)
	assert.Equal(t, int64(9), *a.MaxOutput)
	assert.Equal(t, []string{"END"}, a.Stop)
	assert.Equal(t, &chat.ToolChoice{Mode: "required"}, a.ToolChoice)
	assert.Equal(t, &chat.Media{URL: "https://a.example/b", Detail: "low"}, a.Messages[0].Parts[1].Media)
	assert.Equal(t, "U0lH", a.Messages[1].Parts[0].Signature)
	assert.Equal(t, "c", a.Messages[2].Parts[0].ToolResult.CallID)
	assert.Equal(t, map[string]json.RawMessage{"prompt_cache_key": json.RawMessage(`"k"`)}, a.Extra)
}

func TestRestReadsPromptsAndOpenAIParts(t *testing.T) {
	t.Parallel()
	_, req := decode(t, aigne.RestServer{}, `{"model":"m","prompt":"hello","messages":null,"stream":""}`)
	assert.Equal(t, []chat.Message{{Role: chat.User, Parts: []chat.Part{text("hello")}}}, req.Messages)

	v, req := decode(t, aigne.RestServer{}, `{"model":"m","messages":[{"role":"user","content":[
		{"type":"image_url","image_url":"data:image/png;base64,iVBO"},{"type":"input_audio","input_audio":{"data":"QUJD","format":"mp3"}},
		{"type":"file","file":{"file_data":"data:application/pdf;base64,JVBERg==","filename":"a.pdf"}}]}]}`)
	assert.False(t, v.OpaqueInput)
	assert.Equal(t, []chat.Part{
		{Kind: chat.Image, Media: &chat.Media{MIME: "image/png", Data: "iVBO"}},
		{Kind: chat.Audio, Media: &chat.Media{MIME: "audio/mpeg", Data: "QUJD"}},
		{Kind: chat.File, Media: &chat.Media{MIME: "application/pdf", Data: "JVBERg==", Filename: "a.pdf"}},
	}, req.Messages[0].Parts)
	v, req = decode(t, aigne.RestServer{}, `{"model":"m","messages":[{"role":"user","content":[{"type":"file","file":{"file_id":"file-1"}}]}]}`)
	assert.True(t, v.OpaqueInput)
	assert.Equal(t, &chat.Media{FileID: "file-1"}, req.Messages[0].Parts[0].Media)
}

func TestRestStreamIsAskedForByBodyOrAccept(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, stream, accept string
		want                 bool
	}{
		{"neither", ``, "application/json", false},
		{"the body", `,"stream":true`, "application/json", true},
		{"the header", ``, "application/json, text/event-stream", true},
		{"the header beside null", `,"stream":null`, "text/event-stream", true},
		{"the body says no", `,"stream":false`, "text/event-stream", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := aigne.RestServer{}
			v, err := post(t, s, `{"model":"m","prompt":"x"`+tt.stream+`}`, tt.accept)
			require.NoError(t, err)
			req, err := s.Decode(v)
			require.NoError(t, err)
			assert.Equal(t, tt.want, v.Stream)
			assert.Equal(t, tt.want, req.Stream)
			assert.Equal(t, tt.want, v.WantsUsage)
		})
	}
}

func TestRestRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, body, param string }{
		{"no model", `{"prompt":"x"}`, "model"},
		{"an empty model", `{"model":"","prompt":"x"}`, "model"},
		{"prompt and messages", `{"model":"m","prompt":"x","messages":` + hi + `}`, "prompt"},
		{"neither prompt nor messages", `{"model":"m"}`, "messages"},
		{"two spellings that differ", `{"model":"m","prompt":"x","topP":0.5,"top_p":0.6}`, "topP"},
		{"two names of the limit that differ", `{"model":"m","prompt":"x","max_tokens":5,"max_completion_tokens":6}`, "max_completion_tokens"},
		{"two spellings in a message", `{"model":"m","messages":[{"role":"tool","content":"x","toolCallId":"a","tool_call_id":"b"}]}`, "messages[0].toolCallId"},
		{"an unknown parameter in two spellings", `{"model":"m","prompt":"x","fooBar":1,"foo_bar":1}`, "foo_bar"},
		{"a picture without a URL", `{"model":"m","messages":[{"role":"user","content":[{"type":"image_url"}]}]}`, "messages[0].content[0].imageUrl"},
		{"a file of the hub's disk", `{"model":"m","messages":[{"role":"user","content":[{"type":"local","path":"x"}]}]}`, "messages[0].content[0]"},
		{"too many answers", `{"model":"m","prompt":"x","n":1000}`, "n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := post(t, aigne.RestServer{}, tt.body, "text/event-stream")
			require.Error(t, err)
			assert.Equal(t, hub.CodeInvalid, hub.CodeOf(err))
			assert.Equal(t, tt.param, hub.AsError(err).Param)
		})
	}
	_, err := post(t, aigne.RestServer{}, `{"model":"m","prompt":"x","topP":0.5,"top_p":0.5}`, "")
	assert.NoError(t, err, "two spellings with one value")
}

func TestDecodeWithoutAViewedConversation(t *testing.T) {
	t.Parallel()
	for _, s := range []dialect.Server{aigne.Server{}, aigne.RestServer{}} {
		body := protocol(hi, "", "")
		if s.Name() == dialect.AIGNERest {
			body = `{"model":"openai/m","prompt":"hi"}`
		}
		v, err := post(t, s, body, "text/event-stream")
		require.NoError(t, err)
		want := v.Chat
		v.Chat = nil
		got, err := s.Decode(v)
		require.NoError(t, err)
		assert.Equal(t, want, got, s.Name())
	}
}

func FuzzView(f *testing.F) {
	f.Add(protocol(hi, `"tools":[{"function":{"name":"f"}}],"toolChoice":"auto"`, `,"cacheConfig":{},"reasoningEffort":1`))
	f.Add(protocol(`[{"role":"agent","toolCalls":[{"id":"1","function":{"name":"f","arguments":{}}}]},{"role":"tool","toolCallId":"1"}]`, "", ""))
	f.Add(`{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:;base64,AA"}}]}],"top_p":1}`)
	f.Add(`{"model":"m","prompt":"x","stop":["a"],"n":1,"Foo":[]}`)
	f.Fuzz(func(t *testing.T, body string) {
		for _, s := range []dialect.Server{aigne.Server{}, aigne.RestServer{}} {
			v, err := s.View(nil, []byte(body))
			if err != nil {
				assert.Equal(t, hub.CodeInvalid, hub.CodeOf(err))
				continue
			}
			require.NotEmpty(t, v.Model)
			require.NotEmpty(t, v.Chat.Messages)
			for _, m := range v.Chat.Messages {
				require.NotEmpty(t, m.Parts)
				for _, p := range m.Parts {
					if p.Kind == chat.ToolCallPart {
						require.True(t, json.Valid([]byte(p.ToolCall.Arguments)))
					}
				}
			}
		}
	})
}
