package bedrock

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

const (
	claude  = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
	claude3 = "anthropic.claude-3-7-sonnet-20250219-v1:0"
	opus47  = "global.anthropic.claude-opus-4-7"
	nova    = "us.amazon.nova-lite-v1:0"
	nova2   = "us.amazon.nova-2-lite-v1:0"
	llama   = "meta.llama3-3-70b-instruct-v1:0"
	oss     = "openai.gpt-oss-120b-1:0"
)

func say(role chat.Role, text string) chat.Message {
	return chat.Message{Role: role, Parts: []chat.Part{{Text: text}}}
}

func callOf(id, args string) chat.Part {
	return chat.Part{Kind: chat.ToolCallPart, ToolCall: &chat.ToolCall{ID: id, Name: "tide", Arguments: args}}
}

func resultOf(id string, parts ...chat.Part) chat.Part {
	return chat.Part{Kind: chat.ToolResultPart, ToolResult: &chat.ToolResult{CallID: id, Parts: parts}}
}

// hello is a request with one user message, changed by each of change.
func hello(change ...func(*chat.Request)) *chat.Request {
	r := &chat.Request{Messages: []chat.Message{say(chat.User, "Hello")}}
	for _, c := range change {
		c(r)
	}
	return r
}

var tide = chat.Tool{Name: "tide", Parameters: json.RawMessage(`{"properties":{}}`)}

// afterCall is a conversation in which a tool has been called.
func afterCall(r *chat.Request) {
	r.Messages = append(r.Messages, chat.Message{Role: chat.Assistant, Parts: []chat.Part{callOf("t1", `{"port":"Kobe"}`)}},
		chat.Message{Role: chat.ToolRole, Parts: []chat.Part{resultOf("t1", chat.Part{Text: "high"})}})
}

// helloOut is how the message of hello is sent.
const helloOut = `"messages":[{"role":"user","content":[{"text":"Hello"}]}]`

const afterCallOut = `"messages":[{"role":"user","content":[{"text":"Hello"}]},
	{"role":"assistant","content":[{"toolUse":{"toolUseId":"t1","name":"tide","input":{"port":"Kobe"}}}]},
	{"role":"user","content":[{"toolResult":{"toolUseId":"t1","content":[{"text":"high"}]}}]}]`

const tideSpec = `{"toolSpec":{"name":"tide","inputSchema":{"json":{"properties":{},"type":"object"}}}}`

func TestRequestsAsConverseWantsThem(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		model   string
		req     *chat.Request
		want    string
		dropped []string
	}{
		"a bare question":        {model: llama, req: hello(), want: `{` + helloOut + `}`},
		"Claude is told a limit": {model: claude, req: hello(), want: `{` + helloOut + `,"inferenceConfig":{"maxTokens":8192}}`},
		"sampling": {model: nova, req: hello(func(r *chat.Request) {
			r.MaxOutput, r.Temperature, r.TopP, r.TopK, r.Stop = new(int64(100)), new(0.5), new(0.9), new(int64(20)), []string{"END"}
		}), want: `{` + helloOut + `,"inferenceConfig":{"maxTokens":100,"temperature":0.5,"topP":0.9,"stopSequences":["END"]},
			"additionalModelRequestFields":{"inferenceConfig":{"topK":20}}}`},
		"Claude says which stop sequence it met": {model: claude, req: hello(func(r *chat.Request) {
			r.Stop, r.TopK, r.Temperature, r.TopP = []string{"END"}, new(int64(5)), new(0.2), new(1.0)
		}), want: `{` + helloOut + `,"inferenceConfig":{"maxTokens":8192,"temperature":0.2,"stopSequences":["END"]},
			"additionalModelRequestFields":{"top_k":5},"additionalModelResponseFieldPaths":["/stop_sequence"]}`},
		"system prompts, cache points and their lifetimes": {model: claude, req: &chat.Request{
			Messages: []chat.Message{
				{Role: chat.System, Parts: []chat.Part{{Text: "Be brief.", Cache: &chat.Cache{TTL: "1h"}}, {Text: " "}}},
				{Role: chat.User, Parts: []chat.Part{{Text: "a", Cache: &chat.Cache{TTL: "5m"}}}}, say(chat.User, "b"), say(chat.Developer, "Now."),
			},
			Tools: []chat.Tool{{Name: "tide", Description: "d", Cache: &chat.Cache{TTL: "5m"}}},
		}, want: `{"system":[{"text":"Be brief."},{"cachePoint":{"type":"default","ttl":"1h"}},{"text":"Now."}],
			"messages":[{"role":"user","content":[{"text":"a"},{"cachePoint":{"type":"default"}},{"text":"b"}]}],
			"inferenceConfig":{"maxTokens":8192},
			"toolConfig":{"tools":[{"toolSpec":{"name":"tide","description":"d","inputSchema":{"json":{"type":"object","properties":{}}}}},{"cachePoint":{"type":"default"}}]}}`},
		"a model without caches": {model: llama, req: &chat.Request{Messages: []chat.Message{
			{Role: chat.User, Parts: []chat.Part{{Text: "Hello", Cache: &chat.Cache{TTL: "5m"}}}},
		}}, want: `{` + helloOut + `}`, dropped: []string{"cache_control"}},
		"an hour where there are only five minutes": {model: claude3, req: &chat.Request{Messages: []chat.Message{
			{Role: chat.User, Parts: []chat.Part{{Text: "Hello", Cache: &chat.Cache{TTL: "1h"}}}},
		}}, want: `{"messages":[{"role":"user","content":[{"text":"Hello"},{"cachePoint":{"type":"default"}}]}],"inferenceConfig":{"maxTokens":8192}}`,
			dropped: []string{"cache_control.ttl"}},
		"the results of tools come first, errors are marked": {model: claude, req: &chat.Request{Tools: []chat.Tool{tide}, Messages: []chat.Message{
			say(chat.User, "Hello"),
			{Role: chat.Assistant, Parts: []chat.Part{
				{Kind: chat.Thinking, Text: "hm", Signature: "sig", SignedBy: chat.SignedAnthropic},
				{Kind: chat.Thinking, Text: "foreign", Signature: "x", SignedBy: chat.SignedGoogle},
				{Kind: chat.RedactedThinking, Signature: "b64"}, callOf("functions.tide:1", ""),
			}},
			{Role: chat.User, Parts: []chat.Part{{Text: "well?"}, {Kind: chat.ToolResultPart, ToolResult: &chat.ToolResult{CallID: "functions.tide:1", IsError: true}}}},
		}}, want: `{"messages":[{"role":"user","content":[{"text":"Hello"}]},
			{"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"hm","signature":"sig"}}},{"reasoningContent":{"redactedContent":"b64"}},
			{"toolUse":{"toolUseId":"functions_tide_1_51af03e245587c19","name":"tide","input":{}}}]},
			{"role":"user","content":[{"toolResult":{"toolUseId":"functions_tide_1_51af03e245587c19","content":[{"json":{}}],"status":"error"}},{"text":"well?"}]}],
			"inferenceConfig":{"maxTokens":8192},"toolConfig":{"tools":[` + tideSpec + `]}}`},
		"pictures, sounds, films and documents": {model: nova, req: &chat.Request{Messages: []chat.Message{{Role: chat.User, Parts: []chat.Part{
			{Text: "Look"},
			{Kind: chat.Image, Media: &chat.Media{MIME: "image/jpg", Data: "aa==", Detail: "high"}},
			{Kind: chat.Image, Media: &chat.Media{URL: "s3://bucket/cat.webp"}},
			{Kind: chat.Audio, Media: &chat.Media{MIME: "audio/wav", Data: "bb=="}},
			{Kind: chat.File, Media: &chat.Media{MIME: "video/mp4", Data: "cc=="}},
			{Kind: chat.File, Media: &chat.Media{MIME: "application/pdf", Data: "dd==", Filename: "My_report:  v2.pdf"}},
			{Kind: chat.File, Media: &chat.Media{MIME: "text/x-go", Data: "ee=="}},
			{Kind: chat.File, Media: &chat.Media{Filename: "document.md", Data: "ff=="}},
		}}}}, want: `{"messages":[{"role":"user","content":[{"text":"Look"},
			{"image":{"format":"jpeg","source":{"bytes":"aa=="}}},{"image":{"format":"webp","source":{"s3Location":{"uri":"s3://bucket/cat.webp"}}}},
			{"audio":{"format":"wav","source":{"bytes":"bb=="}}},{"video":{"format":"mp4","source":{"bytes":"cc=="}}},
			{"document":{"format":"pdf","name":"My report v2","source":{"bytes":"dd=="}}},
			{"document":{"format":"txt","name":"document","source":{"bytes":"ee=="}}},
			{"document":{"format":"md","name":"document (2)","source":{"bytes":"ff=="}}}]}]}`, dropped: []string{"image_url.detail"}},
		"a tool must be called": {model: nova, req: hello(func(r *chat.Request) { r.Tools, r.ToolChoice = []chat.Tool{tide}, &chat.ToolChoice{Mode: "required"} }),
			want: `{` + helloOut + `,"toolConfig":{"tools":[` + tideSpec + `],"toolChoice":{"any":{}}}}`},
		"this tool must be called, and no other with it": {model: claude, req: hello(func(r *chat.Request) {
			r.Tools, r.ToolChoice, r.ParallelToolCalls = []chat.Tool{tide}, &chat.ToolChoice{Mode: "tool", Name: "tide"}, new(false)
		}), want: `{` + helloOut + `,"inferenceConfig":{"maxTokens":8192},"toolConfig":{"tools":[` + tideSpec + `]},
			"additionalModelRequestFields":{"tool_choice":{"type":"tool","name":"tide","disable_parallel_tool_use":true}}}`},
		"no tool may be called": {model: llama, req: hello(func(r *chat.Request) { r.Tools, r.ToolChoice = []chat.Tool{tide}, &chat.ToolChoice{Mode: "none"} }),
			want: `{` + helloOut + `}`},
		"no tool may be called any more": {model: claude, req: hello(afterCall, func(r *chat.Request) {
			r.Tools, r.ToolChoice = []chat.Tool{tide}, &chat.ToolChoice{Mode: "none"}
		}), want: `{` + afterCallOut + `,"inferenceConfig":{"maxTokens":8192},"toolConfig":{"tools":[` + tideSpec + `]},
			"additionalModelRequestFields":{"tool_choice":{"type":"none"}}}`},
		"calls without their tools": {model: claude, req: hello(afterCall), want: `{` + afterCallOut + `,"inferenceConfig":{"maxTokens":8192},
			"toolConfig":{"tools":[{"toolSpec":{"name":"tide","inputSchema":{"json":{"type":"object","additionalProperties":true}}}}]},
			"additionalModelRequestFields":{"tool_choice":{"type":"none"}}}`},
		"strict tools where the model has them": {model: oss, req: hello(func(r *chat.Request) {
			r.Tools = []chat.Tool{{Name: "a", Parameters: json.RawMessage(`{"type":"object"}`), Strict: new(true)}}
		}), want: `{` + helloOut + `,"toolConfig":{"tools":[{"toolSpec":{"name":"a","inputSchema":{"json":{"type":"object"}},"strict":true}}]}}`},
		"strict tools where it has not": {model: llama, req: hello(func(r *chat.Request) {
			r.Tools = []chat.Tool{{Name: "a", Parameters: json.RawMessage(`{"type":"object"}`), Strict: new(true)}}
		}), want: `{` + helloOut + `,"toolConfig":{"tools":[{"toolSpec":{"name":"a","inputSchema":{"json":{"type":"object"}}}}]}}`, dropped: []string{"tools.strict"}},
		"a strict schema is the model's own format": {model: claude, req: hello(func(r *chat.Request) {
			r.Format = &chat.Format{Kind: "json_schema", Name: "depth", Schema: json.RawMessage(`{"type":"object"}`), Strict: new(true)}
		}), want: `{` + helloOut + `,"inferenceConfig":{"maxTokens":8192},
			"outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"schema":"{\"type\":\"object\"}","name":"depth"}}}}}`},
		"other formats are a forced tool": {model: nova, req: hello(func(r *chat.Request) { r.Format = &chat.Format{Kind: "json_object"} }),
			want: `{` + helloOut + `,"toolConfig":{"tools":[{"toolSpec":{"name":"json_output","description":"Gives the final answer. Its arguments are the answer.",
			"inputSchema":{"json":{"type":"object","additionalProperties":true}}}}],"toolChoice":{"tool":{"name":"json_output"}}}}`},
		"Claude thinks by a budget": {model: claude3, req: hello(func(r *chat.Request) {
			r.Reasoning, r.Temperature, r.TopK = &chat.Reasoning{Effort: "high"}, new(0.3), new(int64(3))
		}), want: `{` + helloOut + `,"inferenceConfig":{"maxTokens":8192},"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":6144}}}`,
			dropped: []string{"temperature", "top_k"}},
		"newer Claude thinks by an effort": {model: opus47, req: hello(func(r *chat.Request) { r.Reasoning = &chat.Reasoning{Budget: new(int64(3000))} }),
			want: `{` + helloOut + `,"inferenceConfig":{"maxTokens":8192},
			"additionalModelRequestFields":{"thinking":{"type":"adaptive","display":"summarized"},"output_config":{"effort":"medium"}}}`},
		"Nova thinks by an effort": {model: nova2, req: hello(func(r *chat.Request) { r.Reasoning = &chat.Reasoning{Effort: "high"} }),
			want: `{` + helloOut + `,"additionalModelRequestFields":{"reasoningConfig":{"type":"enabled","maxReasoningEffort":"high"}}}`},
		"Nova thinks less under a limit": {model: nova2, req: hello(func(r *chat.Request) {
			r.Reasoning, r.MaxOutput = &chat.Reasoning{Effort: "high"}, new(int64(500))
		}), want: `{` + helloOut + `,"inferenceConfig":{"maxTokens":500},"additionalModelRequestFields":{"reasoningConfig":{"type":"enabled","maxReasoningEffort":"medium"}}}`,
			dropped: []string{"reasoning_effort"}},
		"gpt-oss thinks by an effort": {model: oss, req: hello(func(r *chat.Request) { r.Reasoning = &chat.Reasoning{Effort: "minimal"} }),
			want: `{` + helloOut + `,"additionalModelRequestFields":{"reasoning_effort":"low"}}`},
		"what cannot think is not told to": {model: llama, req: hello(func(r *chat.Request) { r.Reasoning = &chat.Reasoning{Effort: "low"} }),
			want: `{` + helloOut + `}`, dropped: []string{"reasoning_effort"}},
		"the rest": {model: claude, req: hello(func(r *chat.Request) {
			r.Metadata, r.ServiceTier, r.User, r.Seed, r.N = map[string]string{"team": "a-1", "bad": "{}"}, "flex", "u", new(int64(1)), new(int64(1))
			r.PresencePenalty, r.Extra = new(0.1), map[string]json.RawMessage{"store": []byte("true"), "stream_options": []byte("{}"), "x": []byte("null")}
		}), want: `{` + helloOut + `,"inferenceConfig":{"maxTokens":8192},"serviceTier":{"type":"flex"},"requestMetadata":{"team":"a-1"}}`,
			dropped: []string{"metadata.bad", "presence_penalty", "seed", "store", "user"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			enc, err := Client{}.Encode(tt.req, dialect.Target{Model: tt.model, MaxOutput: 8192})
			require.NoError(t, err)
			assert.JSONEq(t, tt.want, string(enc.Body))
			assert.ElementsMatch(t, tt.dropped, enc.Dropped)
		})
	}
}

func TestWhatBedrockCannotExpressIsRefusedByName(t *testing.T) {
	t.Parallel()
	image := func(m chat.Media) func(*chat.Request) {
		return func(r *chat.Request) {
			r.Messages[0].Parts = append(r.Messages[0].Parts, chat.Part{Kind: chat.Image, Media: &m})
		}
	}
	for param, tt := range map[string]struct {
		model  string
		change func(*chat.Request)
	}{
		"messages[0]":             {claude, func(r *chat.Request) { r.Messages[0].Role = chat.Assistant }},
		"messages":                {claude, func(r *chat.Request) { r.Messages[0].Parts[0].Text = " " }},
		"messages[0].content[1]":  {claude, image(chat.Media{URL: "https://example.com/cat.png"})},
		"messages[0].content[ 1]": {claude, image(chat.Media{FileID: "file_1"})},
		"messages[0].content[1] ": {claude, image(chat.Media{MIME: "image/tiff", Data: "aa=="})},
		"messages ": {claude, func(r *chat.Request) {
			r.Messages[0].Parts = []chat.Part{{Kind: chat.File, Media: &chat.Media{MIME: "application/pdf", Data: "aa=="}}}
		}},
		"tools[0].type":     {claude, func(r *chat.Request) { r.Tools = []chat.Tool{{Raw: json.RawMessage("{}"), RawType: "computerUse"}} }},
		"tools[0] ":         {claude, func(r *chat.Request) { r.Tools = []chat.Tool{{Name: formatTool}} }},
		"tools":             {llama, afterCall},
		"tool_choice":       {claude, func(r *chat.Request) { r.ToolChoice = &chat.ToolChoice{Mode: "required"} }},
		"temperature":       {nova, func(r *chat.Request) { r.Temperature = new(1.5) }},
		"top_k":             {llama, func(r *chat.Request) { r.TopK = new(int64(1)) }},
		"n":                 {claude, func(r *chat.Request) { r.N = new(int64(2)) }},
		"logprobs":          {claude, func(r *chat.Request) { r.Logprobs = new(true) }},
		"frequency_penalty": {nova, func(r *chat.Request) { r.FrequencyPenalty = new(0.5) }},
		"promptVariables":   {claude, func(r *chat.Request) { r.Extra = map[string]json.RawMessage{"promptVariables": []byte("{}")} }},
		"guardrailConfig":   {claude, func(r *chat.Request) { r.Extra = map[string]json.RawMessage{"guardrailConfig": []byte("{}")} }},
		"reasoning_effort":  {claude, func(r *chat.Request) { r.Reasoning = &chat.Reasoning{Effort: "vast"} }},
		"reasoning":         {claude, func(r *chat.Request) { r.Reasoning = &chat.Reasoning{Budget: new(int64(5))} }},
		"response_format": {claude3, func(r *chat.Request) {
			r.Reasoning, r.Format = &chat.Reasoning{Effort: "low"}, &chat.Format{Kind: "json_schema", Schema: json.RawMessage(`{"type":"object"}`)}
		}},
		"max_completion_tokens": {claude, func(r *chat.Request) { r.MaxOutput = new(int64(0)) }},
	} {
		_, err := Client{}.Encode(hello(tt.change), dialect.Target{Model: tt.model, MaxOutput: 8192})
		var e *hub.Error
		if assert.ErrorAs(t, err, &e, param) {
			assert.Equal(t, hub.CodeInvalid, e.Code, param)
			assert.Equal(t, strings.ReplaceAll(param, " ", ""), e.Param)
			assert.Contains(t, e.Message, e.Param)
		}
	}
}

func TestTheWalletBoundsTheLimit(t *testing.T) {
	t.Parallel()
	for _, model := range []string{claude, llama} {
		for _, change := range []func(*chat.Request){func(*chat.Request) {}, func(r *chat.Request) { r.MaxOutput = new(int64(5000)) }} {
			enc, err := Client{}.Encode(hello(change), dialect.Target{Model: model, MaxOutput: 8192, LowerTo: 50})
			require.NoError(t, err)
			assert.Contains(t, string(enc.Body), `"maxTokens":50`)
		}
	}
	enc, err := Client{}.Encode(hello(func(r *chat.Request) { r.Reasoning = &chat.Reasoning{Budget: new(int64(9000))} }),
		dialect.Target{Model: claude3, MaxOutput: 8192})
	require.NoError(t, err)
	assert.Contains(t, string(enc.Body), `"maxTokens":17192`, "room for the budget where the caller set no limit")
	assert.Contains(t, string(enc.Body), `"budget_tokens":9000`)
}

func TestOnlyTheLastFourCachePointsAreSent(t *testing.T) {
	t.Parallel()
	r := hello()
	for range 6 {
		r.Messages[0].Parts = append(r.Messages[0].Parts, chat.Part{Text: "x", Cache: &chat.Cache{TTL: "5m"}})
	}
	enc, err := Client{}.Encode(r, dialect.Target{Model: claude, MaxOutput: 8192})
	require.NoError(t, err)
	body := string(enc.Body)
	assert.Equal(t, 4, strings.Count(body, "cachePoint"))
	assert.True(t, strings.HasSuffix(body[:strings.Index(body, `]}],"inf`)], `"cachePoint":{"type":"default"}}`), "the last stays: %s", body)
}

func TestModelsAreOnePathSegment(t *testing.T) {
	t.Parallel()
	for model, want := range map[string]string{
		nova: "/model/us.amazon.nova-lite-v1%3A0/converse",
		"arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.meta.llama3-3-70b-instruct-v1:0": "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fus.meta.llama3-3-70b-instruct-v1%3A0/converse",
		"..":       "/model/%2E%2E/converse",
		"a/../b?c": "/model/a%2F..%2Fb%3Fc/converse",
	} {
		assert.Equal(t, want, Client{}.Path(dialect.Target{Model: model}))
	}
	assert.Equal(t, "/model/a/converse-stream", Client{}.Path(dialect.Target{Model: "a", Stream: true}))
}

func TestModelNamesTellTheirFamily(t *testing.T) {
	t.Parallel()
	for model, want := range map[string]family{
		claude:  {"anthropic", "claude-sonnet-4-5-20250929-v1:0", [2]int{4, 5}},
		claude3: {"anthropic", "claude-3-7-sonnet-20250219-v1:0", [2]int{3, 7}},
		opus47:  {"anthropic", "claude-opus-4-7", [2]int{4, 7}},
		"arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-sonnet-5": {"anthropic", "claude-sonnet-5", [2]int{5, 0}},
		"anthropic.claude-opus-4-20250514-v1:0":                                 {"anthropic", "claude-opus-4-20250514-v1:0", [2]int{4, 0}},
		nova:                                                                    {"amazon", "nova-lite-v1:0", [2]int{}},
		"arn:aws:bedrock:us-east-1:1:application-inference-profile/abc123": {"", "abc123", [2]int{}},
	} {
		assert.Equal(t, want, familyOf(model), model)
	}
}
