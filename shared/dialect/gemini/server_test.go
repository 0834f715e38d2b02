package gemini_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/dialect/gemini"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

const (
	generate = "/v1beta/models/m:generateContent"
	turn     = `"contents":[{"role":"user","parts":[{"text":"hi"}]}]`
)

func see(path, body string) (*dialect.View, error) {
	return gemini.Server{}.View(httptest.NewRequest(http.MethodPost, path, nil), []byte(body))
}

func decodeRequest(body string) (*chat.Request, error) {
	v, err := see(generate, body)
	if err != nil {
		return nil, err
	}
	return gemini.Server{}.Decode(v)
}

func TestViewReadsThePath(t *testing.T) {
	t.Parallel()
	tests := []struct {
		path          string
		model         string
		stream, array bool
	}{
		{"/v1beta/models/gemini-2.5-pro:generateContent", "gemini-2.5-pro", false, false},
		{"/v1/models/openai%2Fgpt-x:generateContent", "openai/gpt-x", false, false},
		{"/v1/models/openai/gpt-x:streamGenerateContent?alt=sse", "openai/gpt-x", true, false},
		{"/v1beta/models/openai/gpt-x:streamGenerateContent", "openai/gpt-x", true, true},
		{"/v1beta/models/ollama/llama3:8b:streamGenerateContent?alt=json", "ollama/llama3:8b", true, true},
		{"/v1beta/models/fireworks/accounts/fireworks/models/x:generateContent", "fireworks/accounts/fireworks/models/x", false, false},
		{"/v1beta/models/models/gemini-x:countTokens", "gemini-x", false, false},
	}
	for _, tt := range tests {
		v, err := see(tt.path, `{`+turn+`}`)
		require.NoError(t, err, tt.path)
		assert.Equal(t, tt.model, v.Model, tt.path)
		assert.Equal(t, tt.stream, v.Stream, tt.path)
		assert.Equal(t, tt.array, v.Array, tt.path)
		assert.Equal(t, int64(1), v.N)
	}
}

func TestViewFindsWhatDecidesThePrice(t *testing.T) {
	t.Parallel()
	v, err := see(generate, `{`+turn+`,"generation_config":{"max_output_tokens":"70","candidate_count":3,"thinking_config":{"thinking_budget":900}}}`)
	require.NoError(t, err)
	assert.Equal(t, int64(70), *v.MaxOutput)
	assert.Equal(t, int64(3), v.N)
	assert.Equal(t, int64(900), v.Thinking)
	assert.False(t, v.OpaqueInput)
	assert.False(t, v.ServerTools)

	for body, want := range map[string][2]bool{ // opaque, server tools
		`{` + turn + `,"cachedContent":"cachedContents/1"}`:                                                        {true, false},
		`{"contents":[{"parts":[{"fileData":{"fileUri":"https://x"}}]}]}`:                                          {true, false},
		`{"contents":[{"parts":[{"inline_data":{"mimeType":"image/png","data":"AA=="}}]}]}`:                        {true, false},
		`{"contents":[{"parts":[{"inline\u0044ata":{"mimeType":"image/png","data":"AA=="}}]}]}`:                    {true, false},
		`{"contents":[{"parts":[{"text":"\"fileData\""}]}]}`:                                                       {false, false},
		`{` + turn + `,"tools":[{"functionDeclarations":[{"name":"f"}]}]}`:                                         {false, false},
		`{` + turn + `,"tools":[{"function_declarations":[{"name":"f"}],"google_search":{}}]}`:                     {false, true},
		`{` + turn + `,"tools":{"codeExecution":{}}}`:                                                              {false, true},
		`{"generateContentRequest":{"contents":[{"parts":[{"fileData":{"fileUri":"https://x"}}]}]},"contents":[]}`: {false, false},
	} {
		v, err := see(generate, body)
		require.NoError(t, err, body)
		assert.Equal(t, want, [2]bool{v.OpaqueInput, v.ServerTools}, body)
	}
}

func TestDecodeTakesBothSpellings(t *testing.T) {
	t.Parallel()
	camel, err := decodeRequest(`{"systemInstruction":{"parts":[{"text":"be brief"}]},"contents":[{"role":"user","parts":[{"text":"a"},{"inlineData":{"mimeType":"image/png","data":"_-8="}}]},
		{"role":"model","parts":[{"functionCall":{"name":"f","args":{"a": 1}},"thoughtSignature":"U0lH"}]},
		{"role":"function","parts":[{"functionResponse":{"name":"f","response":{"output":"ok"}}}]}],
		"tools":[{"functionDeclarations":[{"name":"f","parametersJsonSchema":{"type":"object"}}]},{"googleSearch":{}}],
		"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f"]}},
		"generationConfig":{"maxOutputTokens":9,"topP":0.5,"topK":40.0,"candidateCount":2,"stopSequences":["x"],"presencePenalty":1,"frequencyPenalty":-1,"seed":7,
			"responseLogprobs":true,"logprobs":2,"responseMimeType":"application/json","responseJsonSchema":{"type":"object"},"responseModalities":["TEXT"],
			"thinkingConfig":{"includeThoughts":true,"thinkingLevel":"LOW"},"mediaResolution":"MEDIA_RESOLUTION_LOW"},
		"safetySettings":[{"category":"C","threshold":"BLOCK_NONE"}],"serviceTier":"flex","labels":{"team":"a"},"cachedContent":"cachedContents/1"}`)
	require.NoError(t, err)
	snake, err := decodeRequest(`{"system_instruction":{"parts":[{"text":"be brief"}]},"contents":[{"role":"user","parts":[{"text":"a"},{"inline_data":{"mime_type":"image/png","data":"/+8="}}]},
		{"role":"model","parts":[{"function_call":{"name":"f","args":{"a":1}},"thought_signature":"U0lH"}]},
		{"role":"user","parts":[{"function_response":{"name":"f","response":{"output":"ok"}}}]}],
		"tools":[{"function_declarations":[{"name":"f","parameters_json_schema":{"type":"object"}}]},{"google_search":{}}],
		"tool_config":{"function_calling_config":{"mode":"ANY","allowed_function_names":["f"]}},
		"generation_config":{"max_output_tokens":"9","top_p":0.5,"top_k":40,"candidate_count":2,"stop_sequences":["x"],"presence_penalty":1,"frequency_penalty":-1,"seed":7,
			"response_logprobs":true,"logprobs":2,"response_mime_type":"application/json","_response_json_schema":{"type":"object"},"response_modalities":["TEXT"],
			"thinking_config":{"include_thoughts":true,"thinking_level":"low"},"media_resolution":"MEDIA_RESOLUTION_LOW"},
		"safety_settings":[{"category":"C","threshold":"OFF"}],"service_tier":"flex","labels":{"team":"a"},"cached_content":"cachedContents/1"}`)
	require.NoError(t, err)
	assert.Equal(t, "generation_config.max_output_tokens", snake.ParamName("max_completion_tokens"))
	assert.Equal(t, "generationConfig.candidateCount", camel.ParamName("n"))
	assert.Contains(t, snake.Extra, "cached_content")
	assert.Contains(t, snake.Extra, "generation_config.media_resolution")
	assert.Len(t, camel.Extra, 2)
	for _, r := range []*chat.Request{camel, snake} {
		r.Names, r.Extra = nil, nil
	}
	assert.Equal(t, camel, snake)
	assert.Equal(t, &chat.Request{
		Model: "m", MaxOutput: new(int64(9)), TopP: new(0.5), TopK: new(int64(40)), N: new(int64(2)), Stop: []string{"x"},
		PresencePenalty: new(1.0), FrequencyPenalty: new(-1.0), Seed: new(int64(7)), Logprobs: new(true), TopLogprobs: new(int64(2)),
		Format: &chat.Format{Kind: "json_schema", Name: "output", Schema: json.RawMessage(`{"type":"object"}`)}, Modalities: []string{"text"},
		Reasoning: &chat.Reasoning{Effort: "low"}, ServiceTier: "flex", Metadata: map[string]string{"team": "a"},
		ToolChoice: &chat.ToolChoice{Mode: "tool", Name: "f"},
		Tools:      []chat.Tool{{Name: "f", Parameters: json.RawMessage(`{"type":"object"}`)}, {RawType: "googleSearch", Raw: json.RawMessage(`{"googleSearch":{}}`)}},
		Messages: []chat.Message{
			say(chat.System, "be brief"),
			{Role: chat.User, Parts: []chat.Part{{Text: "a"}, {Kind: chat.Image, Media: &chat.Media{MIME: "image/png", Data: "/+8="}}}},
			{Role: chat.Assistant, Parts: []chat.Part{{Kind: chat.ToolCallPart, ToolCall: &chat.ToolCall{ID: "call_1", Name: "f", Arguments: `{"a":1}`}, Signature: "U0lH", SignedBy: chat.SignedGoogle}}},
			{Role: chat.ToolRole, Parts: []chat.Part{{Kind: chat.ToolResultPart, ToolResult: &chat.ToolResult{CallID: "call_1", Name: "f", Parts: []chat.Part{{Text: "ok"}}}}}},
		},
	}, camel)
}

func TestCallsWithoutIDsAreAnsweredInOrder(t *testing.T) {
	t.Parallel()
	r, err := decodeRequest(`{"contents":[{"parts":[{"text":"go"}]},
		{"role":"model","parts":[{"functionCall":{"name":"f"}},{"functionCall":{"name":"g"}},{"functionCall":{"name":"f"}},{"functionCall":{"name":"f","id":"own"}}]},
		{"role":"user","parts":[{"functionResponse":{"name":"f","id":"own","response":{"error":"no"}}},{"functionResponse":{"name":"g","response":{}}},{"functionResponse":{"name":"f","response":{"a":[1, 2]}}},
			{"functionResponse":{"name":"f","response":{"result":{"b":1}}}},{"text":"well?"}]}]}`)
	require.NoError(t, err)
	require.Len(t, r.Messages, 4)
	var ids, texts []string
	for _, p := range r.Messages[2].Parts {
		ids = append(ids, p.ToolResult.CallID)
		texts = append(texts, chat.TextOf(p.ToolResult.Parts, chat.Text))
	}
	assert.Equal(t, []string{"own", "call_2", "call_1", "call_3"}, ids)
	assert.Equal(t, []string{"no", "{}", `{"a":[1,2]}`, `{"result":{"b":1}}`}, texts)
	assert.True(t, r.Messages[2].Parts[0].ToolResult.IsError)
	assert.Equal(t, say(chat.User, "well?"), r.Messages[3])
}

func TestPiecesOfAStreamAreOneTurn(t *testing.T) {
	t.Parallel()
	piece := func(part string) string { return `{"role":"model","parts":[` + part + `]},` }
	r, err := decodeRequest(`{"contents":[{"parts":[{"text":"a"}]},{"parts":[{"text":"b"}]},` +
		piece(`{"text":"h","thought":true}`) + piece(`{"text":"m","thought":true}`) + piece(`{"text":"","thought":true,"thoughtSignature":"c2ln"}`) +
		piece(`{"text":"Hel"}`) + piece(`{"text":"lo"}`) + piece(`{"functionCall":{"name":"f"}}`) + piece(`{"functionCall":{"name":"g"}}`) + piece(`{"text":""}`) +
		`{"parts":[{"functionResponse":{"name":"f","response":{}}}]},{"parts":[{"functionResponse":{"name":"g","response":{}}}]}]}`)
	require.NoError(t, err)
	require.Len(t, r.Messages, 4)
	assert.Equal(t, []chat.Part{
		{Kind: chat.Thinking, Text: "hm", Signature: "c2ln", SignedBy: chat.SignedGoogle}, {Text: "Hello"},
		{Kind: chat.ToolCallPart, ToolCall: &chat.ToolCall{ID: "call_1", Name: "f", Arguments: "{}"}},
		{Kind: chat.ToolCallPart, ToolCall: &chat.ToolCall{ID: "call_2", Name: "g", Arguments: "{}"}},
	}, r.Messages[2].Parts)
	assert.Len(t, r.Messages[3].Parts, 2)
}

func TestSchemasOfTheAPIBecomeJSONSchema(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"type":"OBJECT","properties":{"type":{"type":"STRING"},"n_b":{"type":"INTEGER","format":"int32","nullable":true}},"required":["type"],"propertyOrdering":["n_b","type"]}`: `{"type":"object","properties":{"n_b":{"type":["integer","null"]},"type":{"type":"string"}},"required":["type"]}`,
		`{"type":"ARRAY","min_items":"1","maxItems":5,"items":{"type":"STRING","enum":["a"],"format":"enum","nullable":true}}`:                                                      `{"type":"array","minItems":1,"maxItems":5,"items":{"type":["string","null"],"enum":["a",null]}}`,
		`{"any_of":[{"type":"NUMBER"},{"type":"STRING","format":"date-time"}],"nullable":true,"description":"d","example":1}`:                                                       `{"anyOf":[{"type":"number"},{"type":"string","format":"date-time"},{"type":"null"}],"description":"d","examples":[1]}`,
		`{"type":["object","null"],"additionalProperties":false,"$defs":{"x_y":{"type":"STRING"}},"$ref":"#/$defs/x_y"}`:                                                            `{"type":["object","null"],"additionalProperties":false,"$defs":{"x_y":{"type":"string"}},"$ref":"#/$defs/x_y"}`,
		`{"type":"TYPE_UNSPECIFIED"}`: `{}`,
	} {
		r, err := decodeRequest(`{` + turn + `,"tools":[{"functionDeclarations":[{"name":"f","parameters":` + in + `}]}]}`)
		require.NoError(t, err, in)
		assert.Equal(t, want, string(r.Tools[0].Parameters))
	}
}

func TestToolChoices(t *testing.T) {
	t.Parallel()
	tools := `,"tools":[{"functionDeclarations":[{"name":"f"},{"name":"g"},{"name":"h"}]}],"toolConfig":{"functionCallingConfig":`
	tests := []struct {
		config string
		want   *chat.ToolChoice
		tools  int
		strict bool
	}{
		{`{}`, nil, 3, false},
		{`{"mode":"AUTO"}`, &chat.ToolChoice{Mode: "auto"}, 3, false},
		{`{"mode":"NONE"}`, &chat.ToolChoice{Mode: "none"}, 3, false},
		{`{"mode":"ANY"}`, &chat.ToolChoice{Mode: "required"}, 3, false},
		{`{"mode":"ANY","allowedFunctionNames":["g"]}`, &chat.ToolChoice{Mode: "tool", Name: "g"}, 3, false},
		{`{"mode":"ANY","allowedFunctionNames":["g","h"]}`, &chat.ToolChoice{Mode: "required"}, 2, false},
		{`{"mode":"VALIDATED"}`, &chat.ToolChoice{Mode: "auto"}, 3, true},
	}
	for _, tt := range tests {
		r, err := decodeRequest(`{` + turn + tools + tt.config + `}}`)
		require.NoError(t, err, tt.config)
		assert.Equal(t, tt.want, r.ToolChoice, tt.config)
		assert.Len(t, r.Tools, tt.tools, tt.config)
		assert.Equal(t, tt.strict, r.Tools[0].Strict != nil, tt.config)
	}
}

func TestThinkingSettings(t *testing.T) {
	t.Parallel()
	for config, want := range map[string]*chat.Reasoning{
		`{}`:                       nil,
		`{"includeThoughts":true}`: {},
		`{"thinkingBudget":0,"includeThoughts":true}`:          {Disabled: true},
		`{"thinkingBudget":-1}`:                                {Adaptive: true, Hidden: true},
		`{"thinkingBudget":1024,"includeThoughts":true}`:       {Budget: new(int64(1024))},
		`{"thinkingLevel":"HIGH"}`:                             {Effort: "high", Hidden: true},
		`{"thinkingLevel":"THINKING_LEVEL_UNSPECIFIED"}`:       nil,
		`{"thinking_level":"minimal","include_thoughts":true}`: {Effort: "minimal"},
	} {
		r, err := decodeRequest(`{` + turn + `,"generationConfig":{"thinkingConfig":` + config + `}}`)
		require.NoError(t, err, config)
		assert.Equal(t, want, r.Reasoning, config)
	}
}

func TestBadRequestsNameTheirField(t *testing.T) {
	t.Parallel()
	for body, param := range map[string]string{
		`{}`:                "contents",
		`{"contents":[]}`:   "contents",
		`{"contents":"hi"}`: "contents[0]",
		`{"contents":[{"role":"system","parts":[]}]}`:                                                       "contents[0].role",
		`{"contents":[{"parts":[{}]}]}`:                                                                     "contents[0].parts[0]",
		`{"contents":[{"parts":[{"text":"a","inlineData":{}}]}]}`:                                           "contents[0].parts[0]",
		`{"contents":[{"parts":[{"text":1}]}]}`:                                                             "contents[0].parts[0].text",
		`{"contents":[{"parts":[{"inlineData":{"data":"AA=="}}]}]}`:                                         "contents[0].parts[0].inlineData",
		`{"contents":[{"parts":[{"fileData":{}}]}]}`:                                                        "contents[0].parts[0].fileData.fileUri",
		`{"contents":[{"role":"user","parts":[{"functionCall":{"name":"f"}}]}]}`:                            "contents[0].parts[0]",
		`{"contents":[{"role":"model","parts":[{"functionCall":{"args":{}}}]}]}`:                            "contents[0].parts[0].functionCall.name",
		`{"contents":[{"role":"model","parts":[{"functionCall":{"name":"f","args":[]}}]}]}`:                 "contents[0].parts[0].functionCall.args",
		`{"contents":[{"parts":[{"functionResponse":{"name":"f","response":{}}}]}]}`:                        "contents[0].parts[0].functionResponse",
		`{` + turn + `,"generationConfig":{},"generation_config":{}}`:                                       "generation_config",
		`{` + turn + `,"generationConfig":{"maxOutputTokens":1,"max_output_tokens":9}}`:                     "generationConfig.max_output_tokens",
		`{` + turn + `,"generationConfig":{"maxOutputTokens":0}}`:                                           "generationConfig.maxOutputTokens",
		`{` + turn + `,"generationConfig":{"candidateCount":9}}`:                                            "generationConfig.candidateCount",
		`{` + turn + `,"generationConfig":{"topK":1.5}}`:                                                    "generationConfig.topK",
		`{` + turn + `,"generationConfig":{"temperature":"hot"}}`:                                           "generationConfig.temperature",
		`{` + turn + `,"generationConfig":{"responseSchema":{}}}`:                                           "generationConfig.responseSchema",
		`{` + turn + `,"generationConfig":{"thinkingConfig":{"thinkingLevel":"deep"}}}`:                     "generationConfig.thinkingConfig.thinkingLevel",
		`{` + turn + `,"generationConfig":{"thinkingConfig":{"thinkingLevel":"low","thinkingBudget":1}}}`:   "generationConfig.thinkingConfig.thinkingBudget",
		`{` + turn + `,"tools":[{"functionDeclarations":[{}]}]}`:                                            "tools[0].functionDeclarations[0].name",
		`{` + turn + `,"tools":[{"functionDeclarations":[{"name":"f","parameters":{"properties":[]}}]}]}`:   "tools[0].functionDeclarations[0].parameters.properties",
		`{` + turn + `,"toolConfig":{"functionCallingConfig":{"mode":"MAYBE"}}}`:                            "toolConfig.functionCallingConfig.mode",
		`{` + turn + `,"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f"]}}}`: "toolConfig.functionCallingConfig.allowedFunctionNames",
		`{` + turn + `,"serviceTier":"gold"}`:                                                               "serviceTier",
	} {
		_, err := decodeRequest(body)
		require.Error(t, err, body)
		assert.Equal(t, hub.CodeInvalid, hub.CodeOf(err), body)
		assert.Equal(t, param, hub.AsError(err).Param, body)
	}
}

func TestWhatHasNoMeaningElsewhereIsKeptByItsName(t *testing.T) {
	t.Parallel()
	r, err := decodeRequest(`{"contents":[{"parts":[{"text":"a","videoMetadata":{"fps":2}}]}],"cachedContent":"c","generationConfig":{"speechConfig":{},"responseMimeType":"text/x.enum"},
		"tools":[{"functionDeclarations":[{"name":"f","response":{"type":"STRING"},"behavior":"NON_BLOCKING"}]}],"toolConfig":{"retrievalConfig":{}},
		"safetySettings":[{"category":"C","threshold":"OFF"},{"category":"D","threshold":"BLOCK_ONLY_HIGH"}],"future":1}`)
	require.NoError(t, err)
	var names []string
	for name := range r.Extra {
		names = append(names, name)
	}
	assert.ElementsMatch(t, []string{
		"contents[0].parts[0].videoMetadata", "cachedContent", "generationConfig.speechConfig", "generationConfig.responseMimeType",
		"tools[0].functionDeclarations[0].response", "tools[0].functionDeclarations[0].behavior", "toolConfig.retrievalConfig", "safetySettings", "future",
	}, names)
}

func TestErrorsAreGoogles(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  *hub.Error
		want string
	}{
		{hub.Invalid("contents", "contents is required."), `{"error":{"code":400,"message":"contents is required.","status":"INVALID_ARGUMENT","details":[
			{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":"contents","description":"contents is required."}]}]}}`},
		{&hub.Error{Code: hub.CodeRateLimited, Message: "Wait.", RetryAfter: 1500 * time.Millisecond}, `{"error":{"code":429,"message":"Wait.","status":"RESOURCE_EXHAUSTED","details":[
			{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"1.5s"}]}}`},
		{&hub.Error{Code: hub.CodeInsufficientCredits, Message: "Buy <more>.", Link: "https://pay"}, `{"error":{"code":402,"message":"Buy <more>. https://pay","status":"FAILED_PRECONDITION"}}`},
		{&hub.Error{Code: hub.CodeUpstream, Message: "No.", Status: 404}, `{"error":{"code":404,"message":"No.","status":"NOT_FOUND"}}`},
		{&hub.Error{Code: hub.CodeUpstream, Message: "Not here.", Status: 400, Type: "FAILED_PRECONDITION"}, `{"error":{"code":400,"message":"Not here.","status":"FAILED_PRECONDITION"}}`},
		{&hub.Error{Code: hub.CodeUpstream, Message: "No.", Status: 401}, `{"error":{"code":502,"message":"No.","status":"UNAVAILABLE"}}`},
		{&hub.Error{Code: "new", Message: "?"}, `{"error":{"code":500,"message":"?","status":"INTERNAL"}}`},
	} {
		assert.JSONEq(t, tt.want, string(gemini.Server{}.Error(tt.err, "req-1")))
	}
	v, err := see("/v1/models/m:streamGenerateContent?alt=sse", `{`+turn+`}`)
	require.NoError(t, err)
	frame := string(gemini.Server{}.Stream(v).Fail(nil, hub.Errorf(hub.CodeTimeout, "Late.")))
	assert.Equal(t, `data: {"error":{"code":504,"message":"Late.","status":"DEADLINE_EXCEEDED"}}`+"\r\n\r\n", frame)
}

func TestCountsGoOutAsTheyCame(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{ "contents":[ ] }`: `{ "contents":[ ] }`,
		`{"generateContentRequest":{"model":"models/x","contents":[]}}`:   `{"generateContentRequest":{"model":"models/own","contents":[]}}`,
		`{"generate_content_request":{"contents":[]},"model":"models/x"}`: `{"generate_content_request":{"contents":[],"model":"models/own"}}`,
	} {
		v, err := see("/v1beta/models/m:countTokens", body)
		require.NoError(t, err, body)
		path, enc, err := gemini.Client{}.Count(v, dialect.Target{Model: "own"})
		require.NoError(t, err)
		assert.Equal(t, "/models/own:countTokens", path)
		assert.Equal(t, strings.TrimSpace(want), string(enc.Body))
	}
	assert.JSONEq(t, `{"totalTokens":7}`, string(gemini.Server{}.Counted(7)))
}
