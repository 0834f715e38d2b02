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

func decode(t testing.TB, body string) *chat.Request {
	t.Helper()
	req, err := Server{}.Decode(viewOf(t, body))
	require.NoError(t, err)
	return req
}

func ptr[T any](v T) *T { return &v }

func TestDecodeReadsEveryParameter(t *testing.T) {
	t.Parallel()
	req := decode(t, with(`"temperature":0.5,"top_p":1,"top_k":40,"frequency_penalty":-1,"presence_penalty":2,"stop":"END",
		"seed":7,"n":2,"logprobs":true,"top_logprobs":3,"logit_bias":{"5":1},"response_format":{"type":"json_object"},
		"reasoning_effort":"high","service_tier":"flex","user":"u","metadata":{"a":"b"},"modalities":["text"],
		"parallel_tool_calls":false,"max_tokens":10,"store":true,"route":"x","stream_options":null,"verbosity":"low","tool_choice":"any"`))
	assert.Equal(t, &chat.Request{
		Model:       "m",
		Messages:    []chat.Message{{Role: chat.User, Parts: []chat.Part{{Text: "hi"}}}},
		Temperature: ptr(0.5), TopP: ptr(1.0), TopK: ptr(int64(40)), FrequencyPenalty: ptr(-1.0), PresencePenalty: ptr(2.0),
		Stop: []string{"END"}, Seed: ptr(int64(7)), N: ptr(int64(2)), Logprobs: ptr(true), TopLogprobs: ptr(int64(3)),
		LogitBias: json.RawMessage(`{"5":1}`), Format: &chat.Format{Kind: "json_object"}, Reasoning: &chat.Reasoning{Effort: "high"},
		ServiceTier: "flex", User: "u", Metadata: map[string]string{"a": "b"}, Modalities: []string{"text"},
		ParallelToolCalls: ptr(false), MaxOutput: ptr(int64(10)), ToolChoice: &chat.ToolChoice{Mode: "required"},
		Extra: map[string]json.RawMessage{"store": json.RawMessage("true"), "verbosity": json.RawMessage(`"low"`)},
		Names: map[string]string{"max_completion_tokens": "max_tokens"},
	}, req)
}

func TestDecodeReadsAConversation(t *testing.T) {
	t.Parallel()
	req := decode(t, `{"model":"m","messages":[
		{"role":"developer","content":[{"type":"text","text":"be brief","cache_control":{"type":"ephemeral","ttl":"1h"}}]},
		{"role":"user","name":"bo","content":[{"type":"text","text":"look"},
			{"type":"image_url","image_url":{"url":"data:image/png;base64,AAA=","detail":"low"}},
			{"type":"image_url","image_url":{"url":"https://x/y.png"}},
			{"type":"image_url","image_url":{"url":"data:,a%20b"}},
			{"type":"input_audio","input_audio":{"data":"BBB=","format":"mp3"}},
			{"type":"file","file":{"file_data":"data:application/pdf;base64,CCC=","filename":"a.pdf"}},
			{"type":"file","file":{"file_id":"file-1"}}]},
		{"role":"assistant","content":null,"reasoning_content":"hm","tool_calls":[
			{"id":"c1","type":"function","function":{"name":"f","arguments":""},"extra_content":{"google":{"thought_signature":"sig"}}},
			{"id":"c2","type":"function","function":{"name":"g","arguments":"{\"a\":1}"}}]},
		{"role":"tool","tool_call_id":"c1","content":"one"},
		{"role":"tool","tool_call_id":"c2","content":[{"type":"text","text":"two"}]},
		{"role":"assistant","content":"so","refusal":"no"}]}`)
	assert.Equal(t, []chat.Message{
		{Role: chat.Developer, Parts: []chat.Part{{Text: "be brief", Cache: &chat.Cache{TTL: "1h"}}}},
		{Role: chat.User, Name: "bo", Parts: []chat.Part{
			{Text: "look"},
			{Kind: chat.Image, Media: &chat.Media{MIME: "image/png", Data: "AAA=", Detail: "low"}},
			{Kind: chat.Image, Media: &chat.Media{URL: "https://x/y.png"}},
			{Kind: chat.Image, Media: &chat.Media{MIME: "text/plain", Data: "YSBi"}},
			{Kind: chat.Audio, Media: &chat.Media{MIME: "audio/mpeg", Data: "BBB="}},
			{Kind: chat.File, Media: &chat.Media{MIME: "application/pdf", Data: "CCC=", Filename: "a.pdf"}},
			{Kind: chat.File, Media: &chat.Media{FileID: "file-1"}},
		}},
		{Role: chat.Assistant, Parts: []chat.Part{
			{Kind: chat.Thinking, Text: "hm"},
			{Kind: chat.ToolCallPart, ToolCall: &chat.ToolCall{ID: "c1", Name: "f", Arguments: "{}"}, Signature: "sig", SignedBy: chat.SignedGoogle},
			{Kind: chat.ToolCallPart, ToolCall: &chat.ToolCall{ID: "c2", Name: "g", Arguments: `{"a":1}`}},
		}},
		{Role: chat.ToolRole, Parts: []chat.Part{
			{Kind: chat.ToolResultPart, ToolResult: &chat.ToolResult{CallID: "c1", Name: "f", Parts: []chat.Part{{Text: "one"}}}},
			{Kind: chat.ToolResultPart, ToolResult: &chat.ToolResult{CallID: "c2", Name: "g", Parts: []chat.Part{{Text: "two"}}}},
		}},
		{Role: chat.Assistant, Parts: []chat.Part{{Text: "so"}, {Kind: chat.Refusal, Text: "no"}}},
	}, req.Messages)
}

func TestDecodeReadsToolsOldAndNew(t *testing.T) {
	t.Parallel()
	req := decode(t, with(`"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"},"strict":true}},
		{"type":"web_search","x":1}],"tool_choice":{"type":"function","function":{"name":"f"}}`))
	require.Len(t, req.Tools, 2)
	assert.Equal(t, chat.Tool{Name: "f", Description: "d", Parameters: json.RawMessage(`{"type":"object"}`), Strict: ptr(true)}, req.Tools[0])
	assert.Equal(t, "web_search", req.Tools[1].RawType)
	assert.Equal(t, &chat.ToolChoice{Mode: "tool", Name: "f"}, req.ToolChoice)

	req = decode(t, `{"model":"m","functions":[{"name":"f"}],"function_call":{"name":"f"},"messages":[
		{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}},{"role":"function","name":"f","content":"r"}]}`)
	assert.Equal(t, []chat.Tool{{Name: "f"}}, req.Tools)
	assert.Equal(t, &chat.ToolChoice{Mode: "tool", Name: "f"}, req.ToolChoice)
	assert.Equal(t, "functions", req.ParamName("tools"))
	call, result := req.Messages[0].Parts[0].ToolCall, req.Messages[1].Parts[0].ToolResult
	assert.Equal(t, call.ID, result.CallID)
	assert.Equal(t, "f", result.Name)

	req = decode(t, with(`"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"f"}}]}},
		"tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"g"}}]`))
	assert.Equal(t, []chat.Tool{{Name: "f"}}, req.Tools, "others are as good as not there")
	assert.Equal(t, &chat.ToolChoice{Mode: "required"}, req.ToolChoice)
	req = decode(t, with(`"tool_choice":{"type":"custom","custom":{"name":"f"}}`))
	assert.Contains(t, req.Extra, "tool_choice")
}

func TestDecodeReadsThinkingInItsDialects(t *testing.T) {
	t.Parallel()
	for members, want := range map[string]chat.Reasoning{
		`"reasoning_effort":"none"`:                              {Effort: "none"},
		`"reasoning":{"max_tokens":900,"exclude":true}`:          {Budget: ptr(int64(900)), Hidden: true},
		`"reasoning":{"enabled":false}`:                          {Disabled: true},
		`"reasoning":{"enabled":true}`:                           {Adaptive: true},
		`"thinking":{"type":"disabled"}`:                         {Disabled: true},
		`"thinking":{"type":"enabled","budget_tokens":1024}`:     {Budget: ptr(int64(1024))},
		`"thinking":{"type":"enabled"},"reasoning_effort":"low"`: {Effort: "low", Adaptive: true},
	} {
		assert.Equal(t, &want, decode(t, with(members)).Reasoning, members)
	}
}

func TestDecodeRefusesWithTheField(t *testing.T) {
	t.Parallel()
	messages := func(m string) string { return `{"model":"m","messages":[{"role":"user","content":"a"},` + m + `]}` }
	call := func(c string) string { return messages(`{"role":"assistant","tool_calls":[` + c + `]}`) }
	for name, tc := range map[string]struct{ body, param string }{
		"no message":               {`{"model":"m","messages":[]}`, "messages"},
		"a message as a string":    {messages(`"x"`), "messages[1]"},
		"a message that is null":   {messages(`null`), "messages[1]"},
		"a name of another type":   {messages(`{"role":"user","content":"a","name":5}`), "messages[1].name"},
		"no role":                  {messages(`{"content":"a"}`), "messages[1].role"},
		"a role not known":         {messages(`{"role":"agent","content":"a"}`), "messages[1].role"},
		"no content":               {messages(`{"role":"user"}`), "messages[1].content"},
		"content as a number":      {messages(`{"role":"user","content":5}`), "messages[1].content"},
		"a part of unknown type":   {messages(`{"role":"user","content":[{"type":"text","text":"a"},{"type":"local","path":"/etc"}]}`), "messages[1].content[1].type"},
		"a part as a string":       {messages(`{"role":"user","content":["a"]}`), "messages[1].content[0]"},
		"a file of this machine":   {messages(`{"role":"user","content":[{"type":"image_url","image_url":{"url":"file:///etc/passwd"}}]}`), "messages[1].content[0].image_url.url"},
		"file data of this one":    {messages(`{"role":"user","content":[{"type":"file","file":{"file_data":"file:///etc/passwd"}}]}`), "messages[1].content[0].file.file_data"},
		"an image without URL":     {messages(`{"role":"user","content":[{"type":"image_url"}]}`), "messages[1].content[0].image_url.url"},
		"sound without data":       {messages(`{"role":"user","content":[{"type":"input_audio"}]}`), "messages[1].content[0].input_audio.data"},
		"a file without anything":  {messages(`{"role":"user","content":[{"type":"file","file":{}}]}`), "messages[1].content[0].file"},
		"a result without call":    {messages(`{"role":"tool","content":"a"}`), "messages[1].tool_call_id"},
		"a function never called":  {messages(`{"role":"function","name":"f","content":"a"}`), "messages[1].name"},
		"a call without id":        {call(`{"type":"function","function":{"name":"f","arguments":"{}"}}`), "messages[1].tool_calls[0].id"},
		"a call without name":      {call(`{"id":"a","type":"function","function":{"arguments":"{}"}}`), "messages[1].tool_calls[0].function.name"},
		"arguments cut short":      {call(`{"id":"a","type":"function","function":{"name":"f","arguments":"{\"a\":"}}`), "messages[1].tool_calls[0].function.arguments"},
		"arguments as an object":   {call(`{"id":"a","type":"function","function":{"name":"f","arguments":{}}}`), "messages[1].tool_calls[0]"},
		"a call of another type":   {call(`{"id":"a","type":"custom","custom":{}}`), "messages[1].tool_calls[0].type"},
		"a warm temperature":       {with(`"temperature":"warm"`), "temperature"},
		"half a seed":              {with(`"seed":0.5`), "seed"},
		"stop as a number":         {with(`"stop":5`), "stop"},
		"user as a number":         {with(`"user":5`), "user"},
		"metadata with numbers":    {with(`"metadata":{"a":1}`), "metadata.a"},
		"logit_bias as a list":     {with(`"logit_bias":[]`), "logit_bias"},
		"logprobs as a number":     {with(`"logprobs":1`), "logprobs"},
		"a format not known":       {with(`"response_format":{"type":"xml"}`), "response_format.type"},
		"a schema without name":    {with(`"response_format":{"type":"json_schema","json_schema":{"schema":{}}}`), "response_format.json_schema"},
		"a schema as a string":     {with(`"response_format":{"type":"json_schema","json_schema":{"name":"a","schema":"x"}}`), "response_format.json_schema.schema"},
		"tools as an object":       {with(`"tools":{}`), "tools"},
		"a tool without type":      {with(`"tools":[{"function":{"name":"f"}}]`), "tools[0].type"},
		"a tool without function":  {with(`"tools":[{"type":"function"}]`), "tools[0].function.name"},
		"parameters as a string":   {with(`"tools":[{"type":"function","function":{"name":"f","parameters":"x"}}]`), "tools[0].function.parameters"},
		"a function without name":  {with(`"functions":[{}]`), "functions[0].name"},
		"a null function":          {with(`"functions":[null]`), "functions[0].name"},
		"a choice not known":       {with(`"tool_choice":"maybe"`), "tool_choice"},
		"a choice without name":    {with(`"tool_choice":{"type":"function"}`), "tool_choice.function.name"},
		"an old choice of nothing": {with(`"function_call":{}`), "function_call"},
		"a kind of thinking":       {with(`"thinking":{"type":"hard"}`), "thinking.type"},
		"reasoning as a string":    {with(`"reasoning":"high"`), "reasoning"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Server{}.Decode(viewOf(t, tc.body))
			require.Error(t, err)
			e := hub.AsError(err)
			assert.Equal(t, hub.CodeInvalid, e.Code)
			assert.Equal(t, tc.param, e.Param, e.Message)
		})
	}
}

func TestDecodeOfWhatIsNoAnswer(t *testing.T) {
	t.Parallel()
	for body, class := range map[string]hub.Class{
		``:                   hub.ClassRetry,
		`<html>`:             hub.ClassRetry,
		`{"id":"a"`:          hub.ClassRetry,
		`{"id":"a"}`:         hub.ClassRetry,
		`{"choices":[]}`:     hub.ClassRetry,
		`{"error":"whoops"}`: hub.ClassRetry,
		`{"error":{"message":"x","type":"invalid_request_error"}}`: hub.ClassRequest,
		`{"error":{"message":"x","code":429}}`:                     hub.ClassRateLimit,
	} {
		_, err := Client{}.Decode([]byte(body), dialect.Quirks{})
		assert.Equal(t, class, hub.AsError(err).Class, body)
	}
}
