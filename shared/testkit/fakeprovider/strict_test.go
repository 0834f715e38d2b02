package fakeprovider

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRequestsWithoutAGoodKeyAreRefusedInTheProvidersShape(t *testing.T) {
	t.Parallel()
	cases := map[Kind]struct {
		missing, wrong int
		path           []any
		want           any
	}{
		OpenAI:    {401, 401, []any{"error", "code"}, "invalid_api_key"},
		Anthropic: {401, 401, []any{"error", "type"}, "authentication_error"},
		Gemini:    {403, 400, []any{"error", "details", 0, "reason"}, "API_KEY_INVALID"},
	}
	kinds(t, func(t *testing.T, p *Provider) {
		want := cases[p.kind]
		res, err := post(t, p, endpoint(p.kind, false), http.Header{"Content-Type": {"application/json"}}, hello(p.kind, false))
		require.NoError(t, err)
		res.Body.Close()
		assert.Equal(t, want.missing, res.StatusCode)

		res, err = post(t, p, endpoint(p.kind, false), withKey(p.kind, "wrong"), hello(p.kind, false))
		require.NoError(t, err)
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		assert.Equal(t, want.wrong, res.StatusCode)
		assert.Equal(t, want.want, dig(decode(t, string(body)), want.path...))
	})
}

func TestOtherWaysToSendAKeyAreTaken(t *testing.T) {
	t.Parallel()
	claude := Start(t, Anthropic, Options{})
	h := withKey(OpenAI, DefaultKey)
	h.Set("Anthropic-Version", "2026-10-21")
	res, err := post(t, claude, "/v1/messages?beta=true", h, hello(Anthropic, false))
	require.NoError(t, err)
	res.Body.Close()
	assert.Equal(t, 200, res.StatusCode)

	google := Start(t, Gemini, Options{})
	res, err = post(t, google, "/v1/models/gemini-fake:generateContent?key="+DefaultKey, http.Header{"Content-Type": {"application/json"}}, hello(Gemini, false))
	require.NoError(t, err)
	res.Body.Close()
	assert.Equal(t, 200, res.StatusCode)
}

func TestAnthropicNeedsItsVersionHeader(t *testing.T) {
	t.Parallel()
	p := Start(t, Anthropic, Options{})
	h := withKey(Anthropic, DefaultKey)
	h.Del("Anthropic-Version")
	res, err := post(t, p, "/v1/messages", h, hello(Anthropic, false))
	require.NoError(t, err)
	res.Body.Close()
	assert.Equal(t, 400, res.StatusCode)
}

const (
	oaHead   = `{"model":"gpt-fake","messages":[{"role":"user","content":"Hi"}]`
	oaTool   = `{"type":"function","function":{"name":"weather","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}}`
	oaCalled = `{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"weather","arguments":"{}"}}]}`
	anHead   = `{"model":"claude-fake","max_tokens":2000,"messages":[{"role":"user","content":"Hi"}]`
	anTool   = `{"name":"weather","input_schema":{"type":"object","properties":{"city":{"type":"string"}}}}`
	anCalled = `{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"weather","input":{}}]}`
	anResult = `{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"20"}]}`
	gmHead   = `{"contents":[{"role":"user","parts":[{"text":"Hi"}]}]`
	gmCalled = `{"role":"model","parts":[{"functionCall":{"name":"weather","args":{}}}]}`
	gmAsk    = `{"role":"user","parts":[{"text":"Hi"}]}`
	gmResult = `{"role":"user","parts":[{"functionResponse":{"name":"weather","response":{"t":20}}}]}`
)

func TestOpenAIRefusesWhatTheRealOneRefuses(t *testing.T) {
	t.Parallel()
	p := Start(t, OpenAI, Options{Models: []string{"gpt-fake", "o3-fake"}})
	for name, c := range map[string]struct{ body, message string }{
		"no JSON":                         {`{"model":`, "parse the JSON body"},
		"an unknown field":                {oaHead + `,"max_output":1}`, "Unrecognized request argument supplied: max_output"},
		"no model":                        {`{"messages":[]}`, "model parameter"},
		"an unknown model":                {`{"model":"gpt-none","messages":[]}`, "does not exist"},
		"no messages":                     {`{"model":"gpt-fake","messages":[]}`, "empty array"},
		"a wrong role":                    {`{"model":"gpt-fake","messages":[{"role":"agent","content":"x"}]}`, "Invalid value: 'agent'"},
		"temperature out of range":        {oaHead + `,"temperature":2.5}`, "above maximum value"},
		"both limits":                     {oaHead + `,"max_tokens":5,"max_completion_tokens":5}`, "at the same time"},
		"max_tokens for a reasoner":       {`{"model":"o3-fake","messages":[{"role":"user","content":"Hi"}],"max_tokens":5}`, "max_completion_tokens"},
		"temperature for a reasoner":      {`{"model":"o3-fake","messages":[{"role":"user","content":"Hi"}],"temperature":0.5}`, "does not support 0.5"},
		"stream_options without stream":   {oaHead + `,"stream_options":{"include_usage":true}}`, "only allowed when 'stream'"},
		"an unknown stream option":        {oaHead + `,"stream":true,"stream_options":{"usage":true}}`, "stream_options.usage"},
		"a tool message out of the blue":  {`{"model":"gpt-fake","messages":[{"role":"user","content":"Hi"},{"role":"tool","tool_call_id":"c1","content":"20"}]}`, "must be a response"},
		"a tool message for another call": {`{"model":"gpt-fake","messages":[{"role":"user","content":"Hi"},` + oaCalled + `,{"role":"tool","tool_call_id":"c2","content":"20"}]}`, "must be a response"},
		"a call without its result":       {`{"model":"gpt-fake","messages":[{"role":"user","content":"Hi"},` + oaCalled + `,{"role":"user","content":"?"}]}`, "did not have response messages: c1"},
		"a call at the end":               {`{"model":"gpt-fake","messages":[{"role":"user","content":"Hi"},` + oaCalled + `]}`, "did not have response messages: c1"},
		"arguments that are no text":      {`{"model":"gpt-fake","messages":[{"role":"user","content":"Hi"},{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"w","arguments":{}}}]}]}`, "expected a string"},
		"null content of a user":          {`{"model":"gpt-fake","messages":[{"role":"user","content":null}]}`, "got null"},
		"an image of an assistant":        {`{"model":"gpt-fake","messages":[{"role":"assistant","content":[{"type":"image_url","image_url":{"url":"https://x/y.png"}}]}]}`, "Invalid content part type"},
		"a bad tool name":                 {oaHead + `,"tools":[{"type":"function","function":{"name":"a b"}}]}`, "does not match pattern"},
		"parameters that are no object":   {oaHead + `,"tools":[{"type":"function","function":{"name":"a","parameters":{"type":"string"}}}]}`, "type: \"object\""},
		"a loose schema in strict mode":   {oaHead + `,"tools":[{"type":"function","function":{"name":"a","strict":true,"parameters":{"type":"object","properties":{}}}}]}`, "additionalProperties"},
		"tool_choice without tools":       {oaHead + `,"tool_choice":"auto"}`, "only allowed when 'tools'"},
		"tool_choice of another tool":     {oaHead + `,"tools":[` + oaTool + `],"tool_choice":{"type":"function","function":{"name":"b"}}}`, "not found in 'tools'"},
		"parallel calls without tools":    {oaHead + `,"parallel_tool_calls":true}`, "only allowed when 'tools'"},
		"json_object without the word":    {oaHead + `,"response_format":{"type":"json_object"}}`, "word 'json'"},
		"a json_schema without a name":    {oaHead + `,"response_format":{"type":"json_schema","json_schema":{"schema":{"type":"object"}}}}`, "json_schema.name"},
	} {
		status, body := ask(t, p, false, c.body)
		assert.Contains(t, []int{400, 404}, status, "%s: %s", name, body)
		assert.Equal(t, "invalid_request_error", dig(decode(t, body), "error", "type"), name)
		assert.Contains(t, dig(decode(t, body), "error", "message"), c.message, name)
	}
}

func TestAnthropicRefusesWhatTheRealOneRefuses(t *testing.T) {
	t.Parallel()
	p := Start(t, Anthropic, Options{})
	thinking := `,"thinking":{"type":"enabled","budget_tokens":1024}`
	for name, c := range map[string]struct{ body, message string }{
		"an unknown field":                    {anHead + `,"stop":["x"]}`, "stop: Extra inputs are not permitted"},
		"a beta field without its header":     {anHead + `,"context_management":{}}`, "context_management: Extra inputs"},
		"no max_tokens":                       {`{"model":"claude-fake","messages":[{"role":"user","content":"Hi"}]}`, "max_tokens: Field required"},
		"an unknown model":                    {`{"model":"claude-none","max_tokens":1,"messages":[{"role":"user","content":"Hi"}]}`, "model: claude-none"},
		"temperature out of range":            {anHead + `,"temperature":1.5}`, "temperature: range: 0..1"},
		"temperature while thinking":          {anHead + `,"temperature":0.5` + thinking + `}`, "may only be set to 1"},
		"top_k while thinking":                {anHead + `,"top_k":5` + thinking + `}`, "top_k"},
		"a thinking budget beyond max_tokens": {anHead + `,"thinking":{"type":"enabled","budget_tokens":2000}}`, "must be greater than"},
		"a thinking budget that is too small": {anHead + `,"thinking":{"type":"enabled","budget_tokens":100}}`, "1024"},
		"forced tools while thinking":         {anHead + `,"tools":[` + anTool + `],"tool_choice":{"type":"any"}` + thinking + `}`, "forces tool use"},
		"an assistant first":                  {`{"model":"claude-fake","max_tokens":9,"messages":[{"role":"assistant","content":"Hi"}]}`, `must use the "user" role`},
		"a system message first":              {`{"model":"claude-fake","max_tokens":9,"messages":[{"role":"system","content":"Hi"}]}`, "top-level `system`"},
		"empty content":                       {`{"model":"claude-fake","max_tokens":9,"messages":[{"role":"user","content":""}]}`, "non-empty content"},
		"an empty text block":                 {`{"model":"claude-fake","max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":""}]}]}`, "text content blocks must be non-empty"},
		"a result without its call":           {`{"model":"claude-fake","max_tokens":9,"tools":[` + anTool + `],"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"x"},` + anResult + `]}`, "unexpected `tool_use_id`"},
		"a call without its result":           {`{"model":"claude-fake","max_tokens":9,"tools":[` + anTool + `],"messages":[{"role":"user","content":"Hi"},` + anCalled + `,{"role":"user","content":"?"}]}`, "without `tool_result` blocks"},
		"text before a result":                {`{"model":"claude-fake","max_tokens":9,"tools":[` + anTool + `],"messages":[{"role":"user","content":"Hi"},` + anCalled + `,{"role":"user","content":[{"type":"text","text":"so"},{"type":"tool_result","tool_use_id":"t1"}]}]}`, "must come first"},
		"tool blocks without tools":           {`{"model":"claude-fake","max_tokens":9,"messages":[{"role":"user","content":"Hi"},` + anCalled + `,` + anResult + `]}`, "must define tools"},
		"a thought without its signature":     {`{"model":"claude-fake","max_tokens":9,"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":[{"type":"thinking","thinking":"x"}]},{"role":"user","content":"?"}]}`, "signature: Field required"},
		"an answer prefilled with a blank":    {`{"model":"claude-fake","max_tokens":9,"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"So "}]}`, "trailing whitespace"},
		"a tool without a schema":             {anHead + `,"tools":[{"name":"a"}]}`, "input_schema: Field required"},
		"OpenAI's form of a tool":             {anHead + `,"tools":[` + oaTool + `]}`, "Input tag 'function'"},
		"tool_choice without tools":           {anHead + `,"tool_choice":{"type":"auto"}}`, "while providing tools"},
		"tool_choice of another tool":         {anHead + `,"tools":[` + anTool + `],"tool_choice":{"type":"tool","name":"b"}}`, "not found in provided tools"},
		"an image of an unknown type":         {`{"model":"claude-fake","max_tokens":9,"messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/bmp","data":"AA"}}]}]}`, "media_type"},
		"a schema that is open":               {anHead + `,"output_config":{"format":{"type":"json_schema","schema":{"type":"object"}}}}`, "additionalProperties"},
		"five cache marks":                    {anHead + `,"system":[` + marks(5) + `]}`, "maximum of 4 blocks"},
		"metadata of another kind":            {anHead + `,"metadata":{"user":"x"}}`, "metadata.user"},
		"a stop sequence of blanks":           {anHead + `,"stop_sequences":[" "]}`, "non-whitespace"},
	} {
		status, body := ask(t, p, false, c.body)
		assert.Contains(t, []int{400, 404}, status, "%s: %s", name, body)
		assert.Equal(t, "error", dig(decode(t, body), "type"), name)
		assert.Contains(t, dig(decode(t, body), "error", "message"), c.message, name)
	}
}

func marks(n int) string {
	out := ""
	for range n {
		out += `,{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}`
	}
	return out[1:]
}

func TestGeminiRefusesWhatTheRealOneRefuses(t *testing.T) {
	t.Parallel()
	p := Start(t, Gemini, Options{})
	declare := func(parameters string) string {
		return gmHead + `,"tools":[{"functionDeclarations":[{"name":"weather","parameters":` + parameters + `}]}]}`
	}
	for name, c := range map[string]struct{ body, message string }{
		"an unknown field":                  {gmHead + `,"messages":[]}`, `Unknown name "messages"`},
		"an unknown setting":                {gmHead + `,"generationConfig":{"max_tokens":5}}`, `Unknown name "maxTokens"`},
		"$schema in parameters":             {declare(`{"$schema":"x","type":"object","properties":{"a":{"type":"string"}}}`), `Unknown name "$schema" at 'tools[0].function_declarations[0].parameters'`},
		"additionalProperties below":        {declare(`{"type":"object","properties":{"a":{"type":"object","additionalProperties":false}}}`), `Unknown name "additionalProperties"`},
		"a list of types":                   {declare(`{"type":"object","properties":{"a":{"type":["string","null"]}}}`), "not a Schema type"},
		"an object without properties":      {declare(`{"type":"object","properties":{}}`), "should be non-empty"},
		"no contents":                       {`{"contents":[]}`, "contents is not specified"},
		"a wrong role":                      {`{"contents":[{"role":"assistant","parts":[{"text":"x"}]}]}`, "valid role"},
		"no parts":                          {`{"contents":[{"role":"user","parts":[]}]}`, "must not be empty"},
		"a part without data":               {`{"contents":[{"role":"user","parts":[{"thought":true}]}]}`, "oneof field"},
		"temperature out of range":          {gmHead + `,"generationConfig":{"temperature":3}}`, "supported range"},
		"a schema without the media type":   {gmHead + `,"generationConfig":{"responseSchema":{"type":"STRING"}}}`, "responseMimeType"},
		"a call that follows no user":       {`{"contents":[` + gmCalled + `,` + gmResult + `]}`, "immediately after a user turn"},
		"a call without its response":       {`{"contents":[` + gmAsk + `,` + gmCalled + `,` + gmAsk + `]}`, "comes immediately after a function call turn"},
		"a response without its call":       {`{"contents":[` + gmAsk + `,` + gmResult + `]}`, "comes immediately after a function call turn"},
		"names allowed without mode ANY":    {gmHead + `,"toolConfig":{"functionCallingConfig":{"mode":"AUTO","allowedFunctionNames":["a"]}}}`, "mode to ANY"},
		"a response that is no object":      {`{"contents":[` + gmAsk + `,` + gmCalled + `,{"role":"user","parts":[{"functionResponse":{"name":"weather","response":"20"}}]}]}`, "Struct"},
		"budget and level of thinking both": {gmHead + `,"generationConfig":{"thinkingConfig":{"thinkingBudget":1,"thinkingLevel":"low"}}}`, "only one"},
	} {
		status, body := ask(t, p, false, c.body)
		assert.Equal(t, 400, status, "%s: %s", name, body)
		assert.Equal(t, "INVALID_ARGUMENT", dig(decode(t, body), "error", "status"), name)
		assert.Contains(t, dig(decode(t, body), "error", "message"), c.message, name)
	}
	res, err := post(t, p, "/v1beta/models/gemini-none:generateContent", withKey(Gemini, DefaultKey), hello(Gemini, false))
	require.NoError(t, err)
	res.Body.Close()
	assert.Equal(t, 404, res.StatusCode)
}

func TestGemini3WantsItsThoughtSignaturesBack(t *testing.T) {
	t.Parallel()
	p := Start(t, Gemini, Options{Models: []string{"gemini-3-fake"}})
	send := func(call string) int {
		res, err := post(t, p, "/v1beta/models/gemini-3-fake:generateContent", withKey(Gemini, DefaultKey),
			`{"contents":[`+gmAsk+`,`+call+`,`+gmResult+`]}`)
		require.NoError(t, err)
		res.Body.Close()
		return res.StatusCode
	}
	assert.Equal(t, 400, send(gmCalled))
	assert.Equal(t, 200, send(`{"role":"model","parts":[{"functionCall":{"name":"weather","args":{}},"thoughtSignature":"c2ln"}]}`))
}

func TestGoodConversationsPassTheChecks(t *testing.T) {
	t.Parallel()
	bodies := map[Kind][]string{
		OpenAI: {
			`{"model":"gpt-fake","messages":[{"role":"developer","content":"Be brief."},{"role":"user","content":[{"type":"text","text":"Hi"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}}]},` + oaCalled + `,{"role":"tool","tool_call_id":"c1","content":"20"},{"role":"user","content":"So?"}],"tools":[` + oaTool + `],"temperature":1,"n":2}`,
			oaHead + `,"response_format":{"type":"json_schema","json_schema":{"name":"a","strict":true,"schema":{"$schema":"x","type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}}}}`,
		},
		Anthropic: {
			`{"model":"claude-fake","max_tokens":2000,"system":[{"type":"text","text":"Be brief.","cache_control":{"type":"ephemeral"}}],"messages":[{"role":"user","content":"Hi"},` + anCalled + `,` + anResult + `],"tools":[` + anTool + `,{"type":"web_search_20250305","name":"web_search"}],"thinking":{"type":"adaptive"}}`,
			`{"model":"claude-fake","max_tokens":20,"messages":[{"role":"user","content":"Hi"},{"role":"user","content":"there"},{"role":"assistant","content":"So"}]}`,
		},
		Gemini: {
			`{"system_instruction":{"parts":[{"text":"Be brief."}]},"contents":[` + gmAsk + `,` + gmCalled + `,` + gmResult + `],"generation_config":{"max_output_tokens":100,"temperature":0},"tools":[{"function_declarations":[{"name":"weather","parametersJsonSchema":{"$schema":"x","type":"object"}}]}]}`,
			`{"contents":[{"parts":[{"text":"Hi"},{"inline_data":{"mime_type":"image/png","data":"AA"}}]}]}`,
		},
	}
	kinds(t, func(t *testing.T, p *Provider) {
		for i, body := range bodies[p.kind] {
			status, answer := ask(t, p, false, body)
			assert.Equal(t, 200, status, "%d: %s", i, answer)
		}
	})
}
