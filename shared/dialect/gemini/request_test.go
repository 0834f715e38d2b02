package gemini_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/dialect/gemini"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

func say(role chat.Role, text string) chat.Message {
	return chat.Message{Role: role, Parts: []chat.Part{{Kind: chat.Text, Text: text}}}
}

func ask(change func(*chat.Request)) *chat.Request {
	r := &chat.Request{Messages: []chat.Message{say(chat.User, "hi")}}
	if change != nil {
		change(r)
	}
	return r
}

const hi = `"contents":[{"role":"user","parts":[{"text":"hi"}]}]`

func TestEncode(t *testing.T) {
	t.Parallel()
	weather := chat.Tool{Name: "weather", Description: "d", Parameters: json.RawMessage(`{"$schema":"x","type":"object","properties":{"n":{"maximum":90071992547409931}}}`)}
	tests := []struct {
		name    string
		model   string
		lowerTo int64
		quirks  dialect.Quirks
		req     *chat.Request
		want    string
		dropped []string
	}{
		{name: "says nothing that the caller did not say", req: ask(nil), want: `{` + hi + `}`},
		{name: "keeps signs of HTML as they are", req: &chat.Request{Messages: []chat.Message{say(chat.User, "<b>&")}},
			want: `{"contents":[{"role":"user","parts":[{"text":"<b>&"}]}]}`},
		{name: "collects instructions and merges turns", req: &chat.Request{Messages: []chat.Message{
			say(chat.System, "one"), say(chat.User, "a"), say(chat.User, "b"), say(chat.Developer, "two"),
			say(chat.Assistant, "c"), say(chat.Assistant, ""), say(chat.User, "d")}},
			want: `{"systemInstruction":{"parts":[{"text":"one"},{"text":"two"}]},"contents":[
				{"role":"user","parts":[{"text":"a"},{"text":"b"}]},{"role":"model","parts":[{"text":"c"}]},{"role":"user","parts":[{"text":"d"}]}]}`},
		{name: "makes lone instructions the user's words", req: &chat.Request{Messages: []chat.Message{say(chat.System, "write a poem")}},
			want: `{"contents":[{"role":"user","parts":[{"text":"write a poem"}]}]}`},
		{name: "maps every sampling parameter", req: ask(func(r *chat.Request) {
			r.MaxOutput, r.Temperature, r.TopP, r.TopK = new(int64(99)), new(0.5), new(0.9), new(int64(40))
			r.FrequencyPenalty, r.PresencePenalty = new(0.1), new(-0.2)
			r.Seed, r.N, r.Stop = new(int64(7)), new(int64(2)), []string{"END"}
			r.Logprobs, r.TopLogprobs, r.Modalities = new(true), new(int64(3)), []string{"text", "image"}
		}), want: `{` + hi + `,"generationConfig":{"candidateCount":2,"maxOutputTokens":99,"temperature":0.5,"topP":0.9,"topK":40,"seed":7,
			"presencePenalty":-0.2,"frequencyPenalty":0.1,"stopSequences":["END"],"responseLogprobs":true,"logprobs":3,"responseModalities":["TEXT","IMAGE"]}}`},
		{name: "lowers the output limit", lowerTo: 50, req: ask(func(r *chat.Request) { r.MaxOutput = new(int64(99)) }),
			want: `{` + hi + `,"generationConfig":{"maxOutputTokens":50}}`},
		{name: "sets the wallet's limit where there was none", lowerTo: 50, req: ask(nil),
			want: `{` + hi + `,"generationConfig":{"maxOutputTokens":50}}`},
		{name: "never raises the output limit", lowerTo: 500, req: ask(func(r *chat.Request) { r.MaxOutput = new(int64(99)) }),
			want: `{` + hi + `,"generationConfig":{"maxOutputTokens":99}}`},
		{name: "passes tool schemas as they are but for $schema", req: ask(func(r *chat.Request) {
			r.Tools = []chat.Tool{weather, {Name: "now", Strict: new(true)}}
			r.ToolChoice = &chat.ToolChoice{Mode: "tool", Name: "weather"}
			r.ParallelToolCalls = new(true)
		}), want: `{` + hi + `,"tools":[{"functionDeclarations":[{"name":"weather","description":"d","parametersJsonSchema":
			{"type":"object","properties":{"n":{"maximum":90071992547409931}}}},{"name":"now"}]}],
			"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["weather"]}}}`},
		{name: "forbids tools when asked to", req: ask(func(r *chat.Request) {
			r.Tools, r.ToolChoice = []chat.Tool{{Name: "f"}}, &chat.ToolChoice{Mode: "none"}
		}), want: `{` + hi + `,"tools":[{"functionDeclarations":[{"name":"f"}]}],"toolConfig":{"functionCallingConfig":{"mode":"NONE"}}}`},
		{name: "asks for JSON by schema", req: ask(func(r *chat.Request) {
			r.Format = &chat.Format{Kind: "json_schema", Schema: json.RawMessage(`{"$schema":"s","type":"object","additionalProperties":false}`)}
		}), want: `{` + hi + `,"generationConfig":{"responseMimeType":"application/json","responseJsonSchema":{"type":"object","additionalProperties":false}}}`},
		{name: "asks for any JSON", req: ask(func(r *chat.Request) { r.Format = &chat.Format{Kind: "json_object"} }),
			want: `{` + hi + `,"generationConfig":{"responseMimeType":"application/json"}}`},
		{name: "drops and names what says nothing about the answer", req: ask(func(r *chat.Request) {
			r.User, r.Metadata, r.ServiceTier = "u", map[string]string{"a": "b"}, "auto"
			r.Names = map[string]string{"user": "metadata.user_id"}
			r.Extra = map[string]json.RawMessage{"store": json.RawMessage("true"), "prediction": json.RawMessage(" null")}
		}), want: `{` + hi + `}`, dropped: []string{"metadata.user_id", "metadata", "store", "service_tier"}},
		{name: "drops what the target ignores", quirks: dialect.Quirks{Ignores: []string{"temperature", "verbosity"}}, req: ask(func(r *chat.Request) {
			r.Temperature, r.Extra = new(1.0), map[string]json.RawMessage{"verbosity": json.RawMessage(`"low"`)}
		}), want: `{` + hi + `}`, dropped: []string{"temperature", "verbosity"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.model == "" {
				tt.model = "gemini-2.5-flash"
			}
			got, err := gemini.Client{}.Encode(tt.req, dialect.Target{Model: tt.model, Quirks: tt.quirks, LowerTo: tt.lowerTo, MaxOutput: 8192})
			require.NoError(t, err)
			assert.JSONEq(t, tt.want, string(got.Body))
			assert.Equal(t, tt.dropped, got.Dropped)
		})
	}
}

func TestEncodeRefuses(t *testing.T) {
	t.Parallel()
	result := func(r *chat.ToolResult) chat.Message {
		return chat.Message{Role: chat.ToolRole, Parts: []chat.Part{{Kind: chat.ToolResultPart, ToolResult: r}}}
	}
	tests := []struct {
		name  string
		param string
		req   *chat.Request
	}{
		{"more stop sequences than the API takes", "stop", ask(func(r *chat.Request) { r.Stop = make([]string, 6) })},
		{"a seed beyond 32 bits", "seed", ask(func(r *chat.Request) { r.Seed = new(int64(1) << 40) })},
		{"logit bias", "logit_bias", ask(func(r *chat.Request) { r.LogitBias = json.RawMessage(`{"1":2}`) })},
		{"what it does not know", "prediction", ask(func(r *chat.Request) {
			r.Extra = map[string]json.RawMessage{"prediction": json.RawMessage(`{}`)}
		})},
		{"what the target refuses", "temperature", ask(func(r *chat.Request) { r.Temperature = new(1.0) })},
		{"another vendor's shell", "tools[0].type", ask(func(r *chat.Request) { r.Tools = []chat.Tool{{RawType: "bash_20250124", Raw: json.RawMessage(`{}`)}} })},
		{"a schema that is no object", "tools[0].parameters", ask(func(r *chat.Request) { r.Tools = []chat.Tool{{Name: "f", Parameters: json.RawMessage(`[]`)}} })},
		{"a forced tool without tools", "tool_choice", ask(func(r *chat.Request) { r.ToolChoice = &chat.ToolChoice{Mode: "required"} })},
		{"a conversation without content", "messages", &chat.Request{Messages: []chat.Message{say(chat.User, "")}}},
		{"a picture in instructions", "messages[0].content[0]", &chat.Request{Messages: []chat.Message{
			{Role: chat.System, Parts: []chat.Part{{Kind: chat.Image, Media: &chat.Media{URL: "https://a/b.png"}}}}}}},
		{"another vendor's file id", "messages[0].content[0].file_id", &chat.Request{Messages: []chat.Message{
			{Role: chat.User, Parts: []chat.Part{{Kind: chat.File, Media: &chat.Media{FileID: "file-1"}}}}}}},
		{"a result of an unknown call", "messages[0].content[0].tool_call_id", &chat.Request{Messages: []chat.Message{result(&chat.ToolResult{CallID: "x"})}}},
		{"arguments that are no object", "messages[0].tool_calls[0]", &chat.Request{Messages: []chat.Message{
			{Role: chat.Assistant, Parts: []chat.Part{{Kind: chat.ToolCallPart, ToolCall: &chat.ToolCall{Name: "f", Arguments: "[1]"}}}}}}},
		{"a block of another dialect", "messages[0].content[0].type", &chat.Request{Messages: []chat.Message{
			{Role: chat.User, Parts: []chat.Part{{Kind: chat.Raw, RawType: "server_tool_use"}}}}}},
		{"an unknown effort", "reasoning_effort", ask(func(r *chat.Request) { r.Reasoning = &chat.Reasoning{Effort: "immense"} })},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := gemini.Client{}.Encode(tt.req, dialect.Target{Model: "gemini-2.5-pro", Quirks: dialect.Quirks{Refuses: []string{"temperature"}}})
			require.Error(t, err)
			e := hub.AsError(err)
			assert.Equal(t, hub.CodeInvalid, e.Code)
			assert.Equal(t, tt.param, e.Param)
			assert.NotEmpty(t, e.Message)
		})
	}
}

func TestEncodeToolTurns(t *testing.T) {
	t.Parallel()
	call := func(id, name, args, signature string) chat.Part {
		p := chat.Part{Kind: chat.ToolCallPart, Signature: signature, ToolCall: &chat.ToolCall{ID: id, Name: name, Arguments: args}}
		if signature != "" {
			p.SignedBy = chat.SignedGoogle
		}
		return p
	}
	result := func(id, text string, failed bool) chat.Message {
		return chat.Message{Role: chat.ToolRole, Parts: []chat.Part{{Kind: chat.ToolResultPart,
			ToolResult: &chat.ToolResult{CallID: id, IsError: failed, Parts: []chat.Part{{Kind: chat.Text, Text: text}}}}}}
	}
	req := &chat.Request{Messages: []chat.Message{
		say(chat.User, "go"),
		{Role: chat.Assistant, Parts: []chat.Part{
			{Kind: chat.Thinking, Text: "hm", Signature: "another vendor's"},
			call("c1", "tide", `{"n":12345678901234567890}`, "U0lH"), call("c2", "now", "", "")}},
		result("c1", `{"high":"06:12"}`, false), result("c2", "six <o'clock>", false),
		{Role: chat.Assistant, Parts: []chat.Part{call("c3", "tide", "{}", "")}},
		result("c3", "no such harbour", true),
		say(chat.User, "well?"),
	}}
	turns := func(sign string) string {
		return `{"contents":[{"role":"user","parts":[{"text":"go"}]},
		{"role":"model","parts":[{"functionCall":{"id":"c1","name":"tide","args":{"n":12345678901234567890}},"thoughtSignature":"U0lH"},{"functionCall":{"id":"c2","name":"now","args":{}}}]},
		{"role":"user","parts":[{"functionResponse":{"id":"c1","name":"tide","response":{"high":"06:12"}}},{"functionResponse":{"id":"c2","name":"now","response":{"result":"six <o'clock>"}}}]},
		{"role":"model","parts":[{"functionCall":{"id":"c3","name":"tide","args":{}}` + sign + `}]},
		{"role":"user","parts":[{"functionResponse":{"id":"c3","name":"tide","response":{"error":"no such harbour"}}},{"text":"well?"}]}]}`
	}
	for model, sign := range map[string]string{
		"gemini-2.5-pro":         "",
		"gemini-3.1-pro-preview": `,"thoughtSignature":"skip_thought_signature_validator"`,
	} {
		got, err := gemini.Client{}.Encode(req, dialect.Target{Model: model})
		require.NoError(t, err)
		assert.JSONEq(t, turns(sign), string(got.Body), model)
	}
}

func TestEncodeMedia(t *testing.T) {
	t.Parallel()
	png := "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"
	tests := []struct {
		name string
		part chat.Part
		want string
	}{
		{"inline data with its type", chat.Part{Kind: chat.Audio, Media: &chat.Media{MIME: "audio/flac", Data: "QUJD"}}, `{"inlineData":{"mimeType":"audio/flac","data":"QUJD"}}`},
		{"a sound by the name that the API documents", chat.Part{Kind: chat.Audio, Media: &chat.Media{MIME: "audio/mpeg", Data: "QUJD"}}, `{"inlineData":{"mimeType":"audio/mp3","data":"QUJD"}}`},
		{"inline data told by its bytes", chat.Part{Kind: chat.Image, Media: &chat.Media{Data: png}}, `{"inlineData":{"mimeType":"image/png","data":"` + png + `"}}`},
		{"inline data told by its name", chat.Part{Kind: chat.File, Media: &chat.Media{Data: "QUJD", Filename: "a.CSV"}}, `{"inlineData":{"mimeType":"text/csv","data":"QUJD"}}`},
		{"a document of unknown type", chat.Part{Kind: chat.File, Media: &chat.Media{Data: "QUJD"}}, `{"inlineData":{"mimeType":"application/pdf","data":"QUJD"}}`},
		{"a URL told by its ending", chat.Part{Kind: chat.Image, Media: &chat.Media{URL: "https://a.example/b.webp?x=1.png"}}, `{"fileData":{"mimeType":"image/webp","fileUri":"https://a.example/b.webp?x=1.png"}}`},
		{"a URL that tells nothing", chat.Part{Kind: chat.Image, Media: &chat.Media{URL: "https://a.example/b"}}, `{"fileData":{"mimeType":"image/jpeg","fileUri":"https://a.example/b"}}`},
		{"a data URL", chat.Part{Kind: chat.Image, Media: &chat.Media{URL: "data:image/gif;base64,QUJD"}}, `{"inlineData":{"mimeType":"image/gif","data":"QUJD"}}`},
		{"an uploaded file's URI", chat.Part{Kind: chat.File, Media: &chat.Media{FileID: "https://g.example/v1beta/files/1"}}, `{"fileData":{"fileUri":"https://g.example/v1beta/files/1"}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := gemini.Client{}.Encode(&chat.Request{Messages: []chat.Message{{Role: chat.User, Parts: []chat.Part{tt.part}}}}, dialect.Target{Model: "gemini-2.5-pro"})
			require.NoError(t, err)
			assert.JSONEq(t, `{"contents":[{"role":"user","parts":[`+tt.want+`]}]}`, string(got.Body))
		})
	}
}

func TestEncodeThinking(t *testing.T) {
	t.Parallel()
	effort := func(e string) *chat.Reasoning { return &chat.Reasoning{Effort: e} }
	budget := func(n int64) *chat.Reasoning { return &chat.Reasoning{Budget: new(n)} }
	off := &chat.Reasoning{Disabled: true}
	tests := []struct {
		name, model string
		r           *chat.Reasoning
		want        string
		dropped     bool
	}{
		{"effort becomes a budget in 2.5", "gemini-2.5-flash", effort("medium"), `{"includeThoughts":true,"thinkingBudget":8192}`, false},
		{"the most effort stays in the range", "gemini-2.5-flash-lite", effort("xhigh"), `{"includeThoughts":true,"thinkingBudget":24576}`, false},
		{"a small budget is raised to the least", "gemini-2.5-flash-lite", budget(100), `{"includeThoughts":true,"thinkingBudget":512}`, false},
		{"a budget stays as asked", "models/gemini-2.5-pro", budget(2000), `{"includeThoughts":true,"thinkingBudget":2000}`, false},
		{"thinking may be hidden", "gemini-2.5-pro", &chat.Reasoning{Budget: new(int64(2000)), Hidden: true}, `{"thinkingBudget":2000}`, false},
		{"the model decides in 2.5", "gemini-2.5-pro", &chat.Reasoning{Adaptive: true}, `{"includeThoughts":true,"thinkingBudget":-1}`, false},
		{"the model decides in 3", "gemini-3.1-pro-preview", &chat.Reasoning{Adaptive: true}, `{"includeThoughts":true}`, false},
		{"effort becomes a level in 3", "gemini-3-flash-preview", effort("minimal"), `{"includeThoughts":true,"thinkingLevel":"minimal"}`, false},
		{"a level that a model lacks gives the next", "gemini-3-pro-preview", effort("medium"), `{"includeThoughts":true,"thinkingLevel":"high"}`, false},
		{"later models have no minimal level", "gemini-3.8-flash", effort("minimal"), `{"includeThoughts":true,"thinkingLevel":"low"}`, false},
		{"a budget becomes a level in 3", "gemini-3.1-pro-preview", budget(4000), `{"includeThoughts":true,"thinkingLevel":"medium"}`, false},
		{"the newest model takes levels", "gemini-flash-latest", effort("high"), `{"includeThoughts":true,"thinkingLevel":"high"}`, false},
		{"thinking stops where it can", "gemini-2.5-flash", off, `{"thinkingBudget":0}`, false},
		{"effort none stops it too", "gemini-2.5-flash", effort("none"), `{"thinkingBudget":0}`, false},
		{"where it cannot stop it is least, and said", "gemini-2.5-pro", off, `{"thinkingBudget":128}`, true},
		{"where it cannot stop its level is lowest, and said", "gemini-3.1-pro-preview", off, `{"thinkingLevel":"low"}`, true},
		{"older models drop it", "gemini-2.0-flash", effort("high"), ``, true},
		{"picture models drop it", "gemini-2.5-flash-image", effort("high"), ``, true},
		{"unknown models drop it", "gemma-3-27b-it", effort("high"), ``, true},
		{"older models do not think anyway", "gemini-1.5-pro", off, ``, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := gemini.Client{}.Encode(ask(func(r *chat.Request) { r.Reasoning = tt.r }), dialect.Target{Model: tt.model})
			require.NoError(t, err)
			want := `{` + hi + `}`
			if tt.want != "" {
				want = `{` + hi + `,"generationConfig":{"thinkingConfig":` + tt.want + `}}`
			}
			assert.JSONEq(t, want, string(got.Body))
			assert.Equal(t, tt.dropped, len(got.Dropped) > 0, "reported")
		})
	}

	got, err := gemini.Client{}.Encode(ask(func(r *chat.Request) {
		r.Reasoning, r.MaxOutput = effort("high"), new(int64(4000))
	}), dialect.Target{Model: "gemini-2.5-flash"})
	require.NoError(t, err)
	assert.Contains(t, string(got.Body), `"thinkingBudget":2000`, "an effort leaves half of the limit for the answer")
}

func TestPath(t *testing.T) {
	t.Parallel()
	c := gemini.Client{}
	assert.Equal(t, "/models/gemini-2.5-pro:generateContent", c.Path(dialect.Target{Model: "gemini-2.5-pro", Stream: false}))
	assert.Equal(t, "/models/gemini-2.5-pro:streamGenerateContent?alt=sse", c.Path(dialect.Target{Model: "gemini-2.5-pro", Stream: true}))
	assert.Equal(t, "/tunedModels/my-one:generateContent", c.Path(dialect.Target{Model: "tunedModels/my-one", Stream: false}))
	assert.Equal(t, "/models/%2E%2E/%2E%2E/files/a%3Fkey=1%3Adelete:generateContent", c.Path(dialect.Target{Model: "../../files/a?key=1:delete", Stream: false}))
}

func TestSplice(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		lowerTo int64
		body    string
		want    string
		param   string
	}{
		{name: "leaves the bytes alone", body: `{ "contents":[ ],"x": 1.0 }`, want: `{ "contents":[ ],"x": 1.0 }`},
		{name: "takes a model out of the body", body: `{"model":"models/dear","contents":[]}`, want: `{"contents":[]}`},
		{name: "lowers the limit", lowerTo: 10, body: `{"generationConfig":{"topK":1,"maxOutputTokens":50}}`, want: `{"generationConfig":{"topK":1,"maxOutputTokens":10}}`},
		{name: "keeps a lower limit", lowerTo: 10, body: `{"generationConfig":{"maxOutputTokens": 5}}`, want: `{"generationConfig":{"maxOutputTokens": 5}}`},
		{name: "adds the limit", lowerTo: 10, body: `{"contents":[]}`, want: `{"contents":[],"generationConfig":{"maxOutputTokens":10}}`},
		{name: "keeps the caller's spelling", lowerTo: 10, body: `{"generation_config":{"max_output_tokens":50}}`, want: `{"generation_config":{"max_output_tokens":10}}`},
		{name: "refuses two spellings", lowerTo: 10, body: `{"generation_config":{},"generationConfig":{}}`, param: "generationConfig"},
		{name: "refuses two spellings inside", lowerTo: 10, body: `{"generationConfig":{"maxOutputTokens":1,"max_output_tokens":90}}`, param: "generationConfig.maxOutputTokens"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o, err := wire.Parse([]byte(tt.body))
			require.NoError(t, err)
			got, err := gemini.Client{}.Splice(&dialect.View{Object: o}, dialect.Target{LowerTo: tt.lowerTo})
			if tt.param != "" {
				require.Error(t, err)
				assert.Equal(t, tt.param, hub.AsError(err).Param)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.want, string(got.Body))
			assert.Equal(t, tt.body, string(o.Bytes()), "the view is not changed")
		})
	}
	_, err := gemini.Client{}.Splice(&dialect.View{}, dialect.Target{})
	assert.Equal(t, hub.CodeInternal, hub.CodeOf(err))
}
