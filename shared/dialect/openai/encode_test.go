package openai

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

func user(parts ...chat.Part) chat.Message { return chat.Message{Role: chat.User, Parts: parts} }

func encode(t testing.TB, req *chat.Request, target dialect.Target) (map[string]any, dialect.Encoded) {
	t.Helper()
	target.Model = "vendor-model"
	enc, err := Client{}.Encode(req, target)
	require.NoError(t, err)
	var body map[string]any
	require.NoError(t, json.Unmarshal(enc.Body, &body))
	return body, enc
}

func TestEncodeMapsWhatHasAnotherName(t *testing.T) {
	t.Parallel()
	req := func(change func(*chat.Request)) *chat.Request {
		r := &chat.Request{Model: "m", Messages: []chat.Message{user(chat.Part{Text: "hi"})}}
		change(r)
		return r
	}
	for name, tc := range map[string]struct {
		req    *chat.Request
		target dialect.Target
		want   string // members beside model and messages
		drops  []string
	}{
		"a limit": {req(func(r *chat.Request) { r.MaxOutput = ptr(int64(9)) }), dialect.Target{}, `{"max_completion_tokens":9}`, nil},
		"a limit of an old vendor, lowered": {
			req(func(r *chat.Request) { r.MaxOutput = ptr(int64(9)) }),
			dialect.Target{LowerTo: 5, Quirks: dialect.Quirks{MaxTokensField: "max_tokens"}}, `{"max_tokens":5}`, nil,
		},
		"a limit where none was asked for": {req(func(*chat.Request) {}), dialect.Target{LowerTo: 5}, `{"max_completion_tokens":5}`, nil},
		"a stream":                         {req(func(*chat.Request) {}), dialect.Target{Stream: true}, `{"stream":true,"stream_options":{"include_usage":true}}`, nil},
		"a stream without usage":           {req(func(*chat.Request) {}), dialect.Target{Stream: true, Quirks: dialect.Quirks{NoStreamUsage: true}}, `{"stream":true}`, nil},
		"a great budget":                   {req(func(r *chat.Request) { r.Reasoning = &chat.Reasoning{Budget: ptr(int64(5001))} }), dialect.Target{}, `{"reasoning_effort":"high"}`, nil},
		"a budget":                         {req(func(r *chat.Request) { r.Reasoning = &chat.Reasoning{Budget: ptr(int64(5000))} }), dialect.Target{}, `{"reasoning_effort":"medium"}`, nil},
		"a small budget":                   {req(func(r *chat.Request) { r.Reasoning = &chat.Reasoning{Budget: ptr(int64(1000))} }), dialect.Target{}, `{"reasoning_effort":"low"}`, nil},
		"a tiny budget":                    {req(func(r *chat.Request) { r.Reasoning = &chat.Reasoning{Budget: ptr(int64(500))} }), dialect.Target{}, `{"reasoning_effort":"minimal"}`, nil},
		"thinking off": {
			req(func(r *chat.Request) {
				r.Reasoning, r.Names = &chat.Reasoning{Disabled: true}, map[string]string{"reasoning_effort": "thinking"}
			}),
			dialect.Target{}, `{}`, []string{"thinking"},
		},
		"thinking as the model likes": {req(func(r *chat.Request) { r.Reasoning = &chat.Reasoning{Adaptive: true} }), dialect.Target{}, `{}`, nil},
		"what the vendor ignores": {
			req(func(r *chat.Request) { r.TopK, r.TopP = ptr(int64(4)), ptr(0.5) }),
			dialect.Target{Quirks: dialect.Quirks{Ignores: []string{"top_k", "top_p"}}}, `{}`, []string{"top_k", "top_p"},
		},
		"a foreign parameter that is ignored": {
			req(func(r *chat.Request) { r.Extra = map[string]json.RawMessage{"safetySettings": json.RawMessage("[]")} }),
			dialect.Target{Quirks: dialect.Quirks{Ignores: []string{"safetySettings"}}}, `{}`, []string{"safetySettings"},
		},
		"a parameter of this language": {
			req(func(r *chat.Request) { r.Extra = map[string]json.RawMessage{"verbosity": json.RawMessage(`"low"`)} }),
			dialect.Target{}, `{"verbosity":"low"}`, nil,
		},
		"cache breakpoints, said once": {
			req(func(r *chat.Request) {
				r.Messages = []chat.Message{user(chat.Part{Text: "hi", Cache: &chat.Cache{TTL: "5m"}})}
				r.Tools = []chat.Tool{{Name: "f", Cache: &chat.Cache{TTL: "5m"}, Strict: ptr(true)}}
			}),
			dialect.Target{Quirks: dialect.Quirks{NoStrictTools: true}},
			`{"tools":[{"type":"function","function":{"name":"f"}}]}`, []string{"cache_control", "strict"},
		},
		"a schema": {
			req(func(r *chat.Request) {
				r.Format = &chat.Format{Kind: "json_schema", Name: "a", Schema: json.RawMessage(`{"$schema":"x"}`), Strict: ptr(true)}
			}),
			dialect.Target{}, `{"response_format":{"type":"json_schema","json_schema":{"name":"a","schema":{"$schema":"x"},"strict":true}}}`, nil,
		},
		"a schema by a forced tool": {
			req(func(r *chat.Request) {
				r.Format = &chat.Format{Kind: "json_schema", Name: "a", Description: "d", Schema: json.RawMessage(`{}`)}
			}),
			dialect.Target{Quirks: dialect.Quirks{NoJSONSchema: true}},
			`{"tools":[{"type":"function","function":{"name":"hub_structured_answer","description":"d","parameters":{}}}],
			  "tool_choice":{"type":"function","function":{"name":"hub_structured_answer"}}}`, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body, enc := encode(t, tc.req, tc.target)
			assert.Equal(t, "vendor-model", body["model"])
			delete(body, "model")
			delete(body, "messages")
			got, err := json.Marshal(body)
			require.NoError(t, err)
			assert.JSONEq(t, tc.want, string(got))
			assert.Equal(t, tc.drops, enc.Dropped)
		})
	}
}

func TestEncodeWritesMessagesAsVendorsReadThem(t *testing.T) {
	t.Parallel()
	req := &chat.Request{Model: "m", Messages: []chat.Message{
		{Role: chat.Developer, Parts: []chat.Part{{Text: "a"}}},
		user(chat.Part{Text: "<b>"}, chat.Part{Kind: chat.File, Media: &chat.Media{MIME: "text/plain", Data: "Yg=="}}),
		{Role: chat.Assistant, Parts: []chat.Part{
			{Kind: chat.Thinking, Text: "hm", Signature: "s"},
			{Kind: chat.RedactedThinking, Signature: "r"},
			{Kind: chat.ToolCallPart, ToolCall: &chat.ToolCall{ID: "c", Name: "f"}},
		}},
		{Role: chat.ToolRole, Parts: []chat.Part{
			{Kind: chat.ToolResultPart, ToolResult: &chat.ToolResult{CallID: "c", IsError: true, Parts: []chat.Part{
				{Kind: chat.Image, Media: &chat.Media{MIME: "image/png", Data: "AA=="}},
			}}},
			{Kind: chat.ToolResultPart, ToolResult: &chat.ToolResult{CallID: "d", Parts: []chat.Part{{Text: "ok"}}}},
		}},
		{Role: chat.Assistant, Parts: []chat.Part{{Kind: chat.Refusal, Text: "no"}}},
	}}
	body, enc := encode(t, req, dialect.Target{Quirks: dialect.Quirks{NoDeveloper: true, ReasoningField: "reasoning_content"}})
	got, err := json.Marshal(body["messages"])
	require.NoError(t, err)
	assert.JSONEq(t, `[
		{"role":"system","content":"a"},
		{"role":"user","content":[{"type":"text","text":"<b>"},{"type":"text","text":"b"}]},
		{"role":"assistant","content":null,"reasoning_content":"hm","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},
		{"role":"tool","tool_call_id":"c","content":"The result is attached to the next message."},
		{"role":"tool","tool_call_id":"d","content":"ok"},
		{"role":"user","content":[{"type":"text","text":"Attached to the result of tool call c:"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]},
		{"role":"assistant","content":null,"refusal":"no"}]`, string(got))
	assert.Equal(t, []string{"is_error"}, enc.Dropped)

	body, _ = encode(t, req, dialect.Target{})
	assert.NotContains(t, body["messages"].([]any)[2], "reasoning_content", "thinking is not sent back unless the vendor takes it")
	body, _ = encode(t, req, dialect.Target{Quirks: dialect.Quirks{ReasoningField: "reasoning"}})
	assert.Equal(t, "hm", body["messages"].([]any)[2].(map[string]any)["reasoning"])
}

func TestEncodeRefusesWithTheField(t *testing.T) {
	t.Parallel()
	media := func(kind chat.PartKind, m chat.Media) []chat.Message {
		return []chat.Message{user(chat.Part{Kind: kind, Media: &m})}
	}
	for name, tc := range map[string]struct {
		req    chat.Request
		quirks dialect.Quirks
		param  string
	}{
		"top_k":                     {chat.Request{TopK: ptr(int64(1))}, dialect.Quirks{}, "top_k"},
		"top_k by its other name":   {chat.Request{TopK: ptr(int64(1)), Names: map[string]string{"top_k": "generationConfig.topK"}}, dialect.Quirks{}, "generationConfig.topK"},
		"what the vendor refuses":   {chat.Request{Seed: ptr(int64(1))}, dialect.Quirks{Refuses: []string{"seed"}}, "seed"},
		"a foreign parameter":       {chat.Request{Extra: map[string]json.RawMessage{"container": json.RawMessage(`"c"`)}}, dialect.Quirks{}, "container"},
		"another language's tool":   {chat.Request{Tools: []chat.Tool{{Name: "f"}, {RawType: "bash_20250124"}}}, dialect.Quirks{}, "tools[1].type"},
		"another language's block":  {chat.Request{Messages: []chat.Message{user(chat.Part{Kind: chat.Raw, RawType: "x"})}}, dialect.Quirks{}, "messages[0]"},
		"an image by a file id":     {chat.Request{Messages: media(chat.Image, chat.Media{FileID: "f"})}, dialect.Quirks{}, "messages[0]"},
		"sound by its URL":          {chat.Request{Messages: media(chat.Audio, chat.Media{URL: "https://x"})}, dialect.Quirks{}, "messages[0]"},
		"a document by its URL":     {chat.Request{Messages: media(chat.File, chat.Media{URL: "https://x"})}, dialect.Quirks{}, "messages[0]"},
		"an image in an answer":     {chat.Request{Messages: []chat.Message{{Role: chat.Assistant, Parts: media(chat.Image, chat.Media{Data: "AA=="})[0].Parts}}}, dialect.Quirks{}, "messages[0]"},
		"an image in instructions":  {chat.Request{Messages: []chat.Message{{Role: chat.System, Parts: media(chat.Image, chat.Media{Data: "AA=="})[0].Parts}}}, dialect.Quirks{}, "messages[0]"},
		"text in a tool's message":  {chat.Request{Messages: []chat.Message{{Role: chat.ToolRole, Parts: []chat.Part{{Text: "a"}}}}}, dialect.Quirks{}, "messages[0]"},
		"thinking in a user's turn": {chat.Request{Messages: []chat.Message{user(chat.Part{Kind: chat.Thinking})}}, dialect.Quirks{}, "messages[0]"},
		"a role not known":          {chat.Request{Messages: []chat.Message{{Role: "x"}}}, dialect.Quirks{}, "messages[0].role"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Client{}.Encode(&tc.req, dialect.Target{Quirks: tc.quirks})
			require.Error(t, err)
			e := hub.AsError(err)
			assert.Equal(t, hub.CodeInvalid, e.Code)
			assert.Equal(t, tc.param, e.Param)
		})
	}
}

func TestStructuredAnswerByAToolIsText(t *testing.T) {
	t.Parallel()
	body := []byte(`{"id":"1","choices":[{"index":0,"finish_reason":"tool_calls","message":{"content":null,"tool_calls":[
		{"id":"c","type":"function","function":{"name":"hub_structured_answer","arguments":"{\"a\":1}"}}]}}]}`)
	res, err := Client{}.Decode(body, dialect.Quirks{NoJSONSchema: true})
	require.NoError(t, err)
	assert.Equal(t, []chat.Part{{Text: `{"a":1}`}}, res.Choices[0].Parts)
	assert.Equal(t, chat.FinishStop, res.Choices[0].Finish)
}
