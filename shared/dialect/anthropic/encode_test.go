package anthropic

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
)

var noQuirks dialect.Quirks

func ptr[T any](v T) *T { return &v }

func say(text string) chat.Message {
	return chat.Message{Role: chat.User, Parts: []chat.Part{{Text: text}}}
}

func call(id, args string) chat.Part {
	return chat.Part{Kind: chat.ToolCallPart, ToolCall: &chat.ToolCall{ID: id, Name: "f", Arguments: args}}
}

func result(id, text string) chat.Message {
	return chat.Message{Role: chat.ToolRole, Parts: []chat.Part{{Kind: chat.ToolResultPart, ToolResult: &chat.ToolResult{CallID: id, Parts: []chat.Part{{Text: text}}}}}}
}

var target = dialect.Target{Model: "claude-3-7-sonnet-20250219", MaxOutput: 8192}

func encode(t testing.TB, req *chat.Request, to dialect.Target) (map[string]any, dialect.Encoded) {
	t.Helper()
	enc, err := Client{}.Encode(req, to)
	require.NoError(t, err)
	var got map[string]any
	require.NoError(t, json.Unmarshal(enc.Body, &got), string(enc.Body))
	return got, enc
}

func part(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return string(b)
}

func TestEncodeOrdersTurns(t *testing.T) {
	t.Parallel()
	got, _ := encode(t, &chat.Request{Messages: []chat.Message{
		{Role: chat.System, Parts: []chat.Part{{Text: "One."}}},
		say("a"), say("b"),
		{Role: chat.Assistant, Parts: []chat.Part{{Kind: chat.Thinking, Text: "unsigned"}, {Text: " \n"}, {Kind: chat.Thinking, Text: "t", Signature: "s", SignedBy: chat.SignedAnthropic}, {Text: "x"}, call("call_1", ""), call("functions.f:2", `{"a": 1}`)}},
		{Role: chat.Assistant, Parts: []chat.Part{{Kind: chat.Refusal, Text: "no"}}},
		say("before the results"),
		result("functions.f:2", "two"),
		result("call_1", ""),
		{Role: chat.Developer, Parts: []chat.Part{{Text: "Two."}}},
		{Role: chat.User, Parts: []chat.Part{{Text: ""}}},
	}}, target)
	assert.JSONEq(t, `[{"type":"text","text":"One."},{"type":"text","text":"Two."}]`, part(t, got["system"]))
	assert.JSONEq(t, `[
		{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},
		{"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"s"},{"type":"text","text":"x"},
			{"type":"tool_use","id":"call_1","name":"f","input":{}},{"type":"tool_use","id":"functions_f_2_485b9b9e","name":"f","input":{"a":1}},{"type":"text","text":"no"}]},
		{"role":"user","content":[{"type":"tool_result","tool_use_id":"functions_f_2_485b9b9e","content":[{"type":"text","text":"two"}]},
			{"type":"tool_result","tool_use_id":"call_1"},{"type":"text","text":"before the results"}]}]`, part(t, got["messages"]))
	assert.EqualValues(t, 8192, got["max_tokens"])
}

func TestEncodeSendsMedia(t *testing.T) {
	t.Parallel()
	user := func(p chat.Part) *chat.Request {
		return &chat.Request{Messages: []chat.Message{{Role: chat.User, Parts: []chat.Part{p}}}}
	}
	const png = "iVBORw0KGgoAAAANSUhEUgAA"
	for name, c := range map[string]struct {
		part chat.Part
		want string
	}{
		"inline":           {chat.Part{Kind: chat.Image, Media: &chat.Media{MIME: "image/jpeg", Data: "AA=="}}, `{"type":"image","source":{"type":"base64","media_type":"image/jpeg","data":"AA=="}}`},
		"of unknown type":  {chat.Part{Kind: chat.Image, Media: &chat.Media{Data: png}}, `{"type":"image","source":{"type":"base64","media_type":"image/png","data":"` + png + `"}}`},
		"by URL":           {chat.Part{Kind: chat.Image, Media: &chat.Media{URL: "https://x/y"}}, `{"type":"image","source":{"type":"url","url":"https://x/y"}}`},
		"a PDF":            {chat.Part{Kind: chat.File, Media: &chat.Media{MIME: "application/pdf", Data: "AA==", Filename: "log.pdf"}}, `{"type":"document","title":"log.pdf","source":{"type":"base64","media_type":"application/pdf","data":"AA=="}}`},
		"a text":           {chat.Part{Kind: chat.File, Media: &chat.Media{MIME: "text/markdown; charset=utf-8", Data: "QWhveQ=="}}, `{"type":"document","source":{"type":"text","media_type":"text/plain","data":"Ahoy"}}`},
		"an image file":    {chat.Part{Kind: chat.File, Media: &chat.Media{MIME: "image/png", Data: "AA==", Filename: "a.png"}}, `{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA=="}}`},
		"an uploaded file": {chat.Part{Kind: chat.File, Media: &chat.Media{FileID: "file_9"}}, `{"type":"document","source":{"type":"file","file_id":"file_9"}}`},
		"its own block":    {chat.Part{Kind: chat.Raw, RawType: "search_result", RawJSON: []byte(`{"type":"search_result","x":1}`)}, `{"type":"search_result","x":1}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, enc := encode(t, user(c.part), target)
			assert.JSONEq(t, "["+c.want+"]", part(t, got["messages"].([]any)[0].(map[string]any)["content"]))
			if c.part.Media != nil && c.part.Media.FileID != "" {
				assert.Equal(t, filesBeta, enc.Header.Get("anthropic-beta"))
			}
		})
	}
}

func TestEncodeDecidesOnThinking(t *testing.T) {
	t.Parallel()
	low, high := target, target
	low.LowerTo, high.MaxOutput = 4096, 64000
	newest := dialect.Target{Model: "anthropic/claude-opus-4-8", MaxOutput: 64000}
	for name, c := range map[string]struct {
		reasoning chat.Reasoning
		limit     *int64
		to        dialect.Target
		thinking  string
		config    string
		max       int64
	}{
		"a budget":                               {chat.Reasoning{Budget: ptr(int64(2000))}, nil, target, `{"type":"enabled","budget_tokens":2000}`, `null`, 8192},
		"a budget raises a limit of nobody's":    {chat.Reasoning{Budget: ptr(int64(9000))}, nil, target, `{"type":"enabled","budget_tokens":9000}`, `null`, 17192},
		"a budget gives way to the caller's own": {chat.Reasoning{Budget: ptr(int64(9000))}, ptr(int64(5000)), target, `{"type":"enabled","budget_tokens":4999}`, `null`, 5000},
		"a budget gives way to the wallet":       {chat.Reasoning{Budget: ptr(int64(9000))}, nil, low, `{"type":"enabled","budget_tokens":4095}`, `null`, 4096},
		"an absurd budget does not overflow":     {chat.Reasoning{Budget: ptr(int64(1) << 62)}, nil, low, `{"type":"enabled","budget_tokens":4095}`, `null`, 4096},
		"minimal effort":                         {chat.Reasoning{Effort: "minimal"}, nil, high, `{"type":"enabled","budget_tokens":1024}`, `null`, 64000},
		"low effort":                             {chat.Reasoning{Effort: "low"}, nil, high, `{"type":"enabled","budget_tokens":2048}`, `null`, 64000},
		"medium effort":                          {chat.Reasoning{Effort: "medium"}, nil, high, `{"type":"enabled","budget_tokens":8192}`, `null`, 64000},
		"high effort":                            {chat.Reasoning{Effort: "high"}, nil, high, `{"type":"enabled","budget_tokens":16384}`, `null`, 64000},
		"the highest effort":                     {chat.Reasoning{Effort: "xhigh"}, nil, high, `{"type":"enabled","budget_tokens":32768}`, `null`, 64000},
		"an effort leaves room for the answer":   {chat.Reasoning{Effort: "high"}, ptr(int64(4000)), high, `{"type":"enabled","budget_tokens":3000}`, `null`, 4000},
		"an effort with next to no room":         {chat.Reasoning{Effort: "high"}, ptr(int64(1100)), high, `{"type":"enabled","budget_tokens":1024}`, `null`, 1100},
		"no effort":                              {chat.Reasoning{Effort: "none"}, nil, target, `{"type":"disabled"}`, `null`, 8192},
		"thinking off":                           {chat.Reasoning{Disabled: true}, nil, target, `{"type":"disabled"}`, `null`, 8192},
		"the model decides":                      {chat.Reasoning{Adaptive: true, Effort: "xhigh", Hidden: true}, nil, target, `{"type":"adaptive","display":"omitted"}`, `{"effort":"xhigh"}`, 8192},
		"hidden thinking":                        {chat.Reasoning{Budget: ptr(int64(2000)), Hidden: true}, nil, target, `{"type":"enabled","budget_tokens":2000,"display":"omitted"}`, `null`, 8192},
		"a newer model takes an effort":          {chat.Reasoning{Effort: "minimal"}, nil, newest, `{"type":"adaptive","display":"summarized"}`, `{"effort":"low"}`, 64000},
		"a newer model takes no budget":          {chat.Reasoning{Budget: ptr(int64(9000))}, nil, newest, `{"type":"adaptive","display":"summarized"}`, `{"effort":"high"}`, 64000},
		"a summary alone is no wish to think":    {chat.Reasoning{Summary: "auto"}, nil, target, `null`, `null`, 8192},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, _ := encode(t, &chat.Request{Messages: []chat.Message{say("a")}, Reasoning: &c.reasoning, MaxOutput: c.limit}, c.to)
			assert.JSONEq(t, c.thinking, part(t, got["thinking"]))
			assert.JSONEq(t, c.config, part(t, got["output_config"]))
			assert.EqualValues(t, c.max, got["max_tokens"])
		})
	}
}

func TestModelsThatTakeNoBudget(t *testing.T) {
	t.Parallel()
	for model, want := range map[string]bool{
		"claude-3-7-sonnet-20250219": false, "claude-sonnet-4-20250514": false, "claude-opus-4-1-20250805": false,
		"claude-haiku-4-5@20251001": false, "claude-opus-4-6": false, "anthropic/claude-4.6-opus": false, "claude-instant-1.2": false,
		"us.anthropic.claude-3-5-sonnet-20241022-v2:0": false, "MiniMax-M2": false, "deepseek-v5": false, "claude": false,
		"claude-opus-4-7": true, "anthropic/claude-4.7-opus": true, "claude-opus-4-8-20260801": true, "claude-sonnet-5": true, "claude-opus-5-5": true,
	} {
		assert.Equal(t, want, adaptiveOnly(model), model)
	}
}

func TestEncodeDropsThinkingInALoopOfUnsignedTurns(t *testing.T) {
	t.Parallel()
	req := &chat.Request{Reasoning: &chat.Reasoning{Effort: "low"}, Temperature: ptr(0.2), Messages: []chat.Message{
		say("a"), {Role: chat.Assistant, Parts: []chat.Part{call("c1", "{}")}}, result("c1", "ok")}}
	got, enc := encode(t, req, target)
	assert.NotContains(t, got, "thinking")
	assert.Equal(t, []string{"reasoning_effort"}, enc.Dropped)
	assert.InDelta(t, 0.2, got["temperature"], 0)

	req.Messages[1].Parts = append([]chat.Part{{Kind: chat.Thinking, Text: "t", Signature: "s", SignedBy: chat.SignedAnthropic}}, req.Messages[1].Parts...)
	got, enc = encode(t, req, target)
	assert.Contains(t, got, "thinking")
	assert.Equal(t, []string{"temperature"}, enc.Dropped)
}

func TestEncodeForcesStructuredAnswers(t *testing.T) {
	t.Parallel()
	schema := json.RawMessage(`{"type":"object","properties":{"depth":{"type":"integer"}},"additionalProperties":false}`)
	tool := chat.Tool{Name: "look"}
	for name, c := range map[string]struct {
		req    chat.Request
		choice string
		schema string
	}{
		"by a schema":       {chat.Request{Format: &chat.Format{Kind: "json_schema", Schema: schema}}, `{"type":"tool","name":"json_output"}`, string(schema)},
		"without one":       {chat.Request{Format: &chat.Format{Kind: "json_object"}}, `{"type":"tool","name":"json_output"}`, `{"type":"object","additionalProperties":true}`},
		"beside tools":      {chat.Request{Format: &chat.Format{Kind: "json_schema", Schema: schema}, Tools: []chat.Tool{tool}, ParallelToolCalls: ptr(false)}, `{"type":"any","disable_parallel_tool_use":true}`, string(schema)},
		"beside tools off":  {chat.Request{Format: &chat.Format{Kind: "json_schema", Schema: schema}, Tools: []chat.Tool{tool}, ToolChoice: &chat.ToolChoice{Mode: "none"}}, `{"type":"tool","name":"json_output"}`, string(schema)},
		"without its type ": {chat.Request{Format: &chat.Format{Kind: "json_schema", Schema: json.RawMessage(`{"$ref":"#/$defs/a"}`)}}, `{"type":"tool","name":"json_output"}`, `{"$ref":"#/$defs/a","type":"object"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.req.Messages = []chat.Message{say("a")}
			got, _ := encode(t, &c.req, target)
			assert.JSONEq(t, c.choice, part(t, got["tool_choice"]))
			tools := got["tools"].([]any)
			last := tools[len(tools)-1].(map[string]any)
			assert.Equal(t, formatTool, last["name"])
			assert.JSONEq(t, c.schema, part(t, last["input_schema"]))
		})
	}
	got, _ := encode(t, &chat.Request{Messages: []chat.Message{say("a")}, Format: &chat.Format{Kind: "text"}}, target)
	assert.NotContains(t, got, "tools")
	got, _ = encode(t, &chat.Request{Messages: []chat.Message{say("a")}, Format: &chat.Format{Kind: "json_schema", Schema: schema}, Reasoning: &chat.Reasoning{Effort: "low"}}, target)
	assert.NotContains(t, got, "tools", "thinking forbids forcing a tool")
	assert.JSONEq(t, `{"format":{"type":"json_schema","schema":`+string(schema)+`}}`, part(t, got["output_config"]))
}

func TestEncodeMapsToolsAndChoices(t *testing.T) {
	t.Parallel()
	tools := []chat.Tool{
		{Name: "f", Description: "d", Parameters: json.RawMessage(`{"properties":{}}`), Strict: ptr(true), Cache: &chat.Cache{TTL: "1h"}},
		{Name: "g"},
		{RawType: "web_search_20250305", Raw: json.RawMessage(`{"type":"web_search_20250305","name":"web_search"}`)},
	}
	got, enc := encode(t, &chat.Request{Messages: []chat.Message{say("a")}, Tools: tools}, target)
	assert.JSONEq(t, `[{"name":"f","description":"d","input_schema":{"properties":{},"type":"object"},"cache_control":{"type":"ephemeral","ttl":"1h"}},
		{"name":"g","input_schema":{"type":"object","properties":{}}},{"type":"web_search_20250305","name":"web_search"}]`, part(t, got["tools"]))
	assert.Equal(t, []string{"tools.strict"}, enc.Dropped)
	for want, req := range map[string]chat.Request{
		`{"type":"auto"}`: {ToolChoice: &chat.ToolChoice{Mode: "auto"}},
		`{"type":"none"}`: {ToolChoice: &chat.ToolChoice{Mode: "none"}, ParallelToolCalls: ptr(false)},
		`{"type":"any"}`:  {ToolChoice: &chat.ToolChoice{Mode: "required"}},
		`{"type":"tool","name":"f","disable_parallel_tool_use":true}`: {ToolChoice: &chat.ToolChoice{Mode: "tool", Name: "f"}, ParallelToolCalls: ptr(false)},
		`{"type":"auto","disable_parallel_tool_use":true}`:            {ParallelToolCalls: ptr(false)},
		`null`: {ParallelToolCalls: ptr(true)},
	} {
		req.Messages, req.Tools = []chat.Message{say("a")}, tools
		got, _ := encode(t, &req, target)
		assert.JSONEq(t, want, part(t, got["tool_choice"]))
	}
	got, _ = encode(t, &chat.Request{Messages: []chat.Message{say("a")}, ToolChoice: &chat.ToolChoice{Mode: "auto"}, ParallelToolCalls: ptr(false)}, target)
	assert.NotContains(t, got, "tool_choice", "without tools it would be refused")
}

func TestEncodeKeepsTheLastFourBreakpoints(t *testing.T) {
	t.Parallel()
	five := &chat.Cache{TTL: "5m"}
	req := &chat.Request{
		Tools:    []chat.Tool{{Name: "f", Cache: five}},
		Messages: []chat.Message{{Role: chat.System, Parts: []chat.Part{{Text: "s", Cache: five}}}},
	}
	for i := range 4 {
		req.Messages = append(req.Messages, chat.Message{Role: chat.User, Parts: []chat.Part{{Text: fmt.Sprint(i), Cache: five}}})
	}
	got, _ := encode(t, req, target)
	assert.NotContains(t, part(t, got["tools"])+part(t, got["system"]), "cache_control")
	for _, b := range got["messages"].([]any)[0].(map[string]any)["content"].([]any) {
		assert.Contains(t, b, "cache_control")
	}
}

func TestEncodeDropsWhatIsDocumentedAsIgnored(t *testing.T) {
	t.Parallel()
	got, enc := encode(t, &chat.Request{
		Messages:         []chat.Message{{Role: chat.User, Name: "ann", Parts: []chat.Part{{Text: "a"}, {Kind: chat.Image, Media: &chat.Media{URL: "https://x", Detail: "high"}}}}},
		FrequencyPenalty: ptr(0.5), PresencePenalty: ptr(0.0), Seed: ptr(int64(1)), LogitBias: json.RawMessage(`{"1":2}`),
		Metadata: map[string]string{"a": "b"}, ServiceTier: "flex", User: "ann@example.org", N: ptr(int64(1)), Logprobs: ptr(false), TopLogprobs: ptr(int64(0)), Modalities: []string{"text"},
		Extra: map[string]json.RawMessage{"store": json.RawMessage("true"), "prediction": json.RawMessage("null"), "stream_options": json.RawMessage("{}"), "rare": json.RawMessage("1"), "prompt_cache_key": json.RawMessage(`"k"`), "safety_identifier": json.RawMessage(`"u"`)},
	}, dialect.Target{Model: "m", MaxOutput: 10, Quirks: dialect.Quirks{Ignores: []string{"rare"}}})
	assert.ElementsMatch(t, []string{"messages.name", "image_url.detail", "frequency_penalty", "seed", "logit_bias", "metadata", "service_tier", "user", "store", "rare", "prompt_cache_key", "safety_identifier"}, enc.Dropped)
	assert.ElementsMatch(t, []string{"model", "max_tokens", "messages"}, keys(got))
}

func keys(m map[string]any) (all []string) {
	for k := range m {
		all = append(all, k)
	}
	return all
}

func TestEncodeMapsSampling(t *testing.T) {
	t.Parallel()
	think := &chat.Reasoning{Effort: "low"}
	for name, c := range map[string]struct {
		req     chat.Request
		want    string
		dropped []string
	}{
		"all three":                                {chat.Request{Temperature: ptr(0.3), TopP: ptr(0.5), TopK: ptr(int64(4))}, `{"temperature":0.3,"top_p":0.5,"top_k":4}`, nil},
		"a temperature above one is one":           {chat.Request{Temperature: ptr(1.7)}, `{"temperature":1}`, nil},
		"a neutral top_p gives way":                {chat.Request{Temperature: ptr(0.3), TopP: ptr(1.0)}, `{"temperature":0.3}`, nil},
		"a neutral temperature gives way":          {chat.Request{Temperature: ptr(1.0), TopP: ptr(0.9)}, `{"top_p":0.9}`, nil},
		"a neutral one alone stays":                {chat.Request{TopP: ptr(1.0)}, `{"top_p":1}`, nil},
		"thinking takes none":                      {chat.Request{Temperature: ptr(0.3), TopP: ptr(0.5), TopK: ptr(int64(4)), Reasoning: think}, `{}`, []string{"temperature", "top_k", "top_p"}},
		"thinking takes a high top_p":              {chat.Request{Temperature: ptr(1.0), TopP: ptr(0.95), Reasoning: think}, `{"top_p":0.95}`, nil},
		"what the provider ignores is not sent":    {chat.Request{Temperature: ptr(0.3), Stop: []string{"x"}}, `{"temperature":0.3}`, []string{"stop"}},
		"a user that is no address is passed on":   {chat.Request{User: "u-1"}, `{"metadata":{"user_id":"u-1"}}`, nil},
		"a safety identifier is the user":          {chat.Request{Extra: map[string]json.RawMessage{"safety_identifier": json.RawMessage(`"u-2"`)}}, `{"metadata":{"user_id":"u-2"}}`, nil},
		"the service tier is translated":           {chat.Request{ServiceTier: "default"}, `{"service_tier":"standard_only"}`, nil},
		"the language's own members are passed on": {chat.Request{Extra: map[string]json.RawMessage{"context_management": json.RawMessage(`{"edits":[]}`)}}, `{"context_management":{"edits":[]}}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.req.Messages = []chat.Message{say("a")}
			to := target
			to.Quirks.Ignores = []string{"stop"}
			got, enc := encode(t, &c.req, to)
			for _, k := range []string{"model", "max_tokens", "messages", "thinking"} {
				delete(got, k)
			}
			assert.JSONEq(t, c.want, part(t, got))
			assert.Equal(t, c.dropped, enc.Dropped)
		})
	}
}

func TestEncodeRefusesByTheCallersName(t *testing.T) {
	t.Parallel()
	user := func(p chat.Part) chat.Request {
		return chat.Request{Messages: []chat.Message{say("a"), {Role: chat.User, Parts: []chat.Part{p}}}}
	}
	assistant := func(p chat.Part) chat.Request {
		return chat.Request{Messages: []chat.Message{say("a"), {Role: chat.Assistant, Parts: []chat.Part{p}}}}
	}
	object := &chat.Format{Kind: "json_object"}
	think := &chat.Reasoning{Effort: "low"}
	for name, c := range map[string]struct {
		req   chat.Request
		param string
	}{
		"several answers":                      {chat.Request{N: ptr(int64(2))}, "n"},
		"several answers, by another name":     {chat.Request{N: ptr(int64(2)), Names: map[string]string{"n": "candidateCount"}}, "candidateCount"},
		"log-probabilities":                    {chat.Request{Logprobs: ptr(true)}, "logprobs"},
		"top log-probabilities":                {chat.Request{TopLogprobs: ptr(int64(3))}, "top_logprobs"},
		"sound in the answer":                  {chat.Request{Modalities: []string{"text", "audio"}}, "modalities"},
		"a parameter that is not known":        {chat.Request{Extra: map[string]json.RawMessage{"verbosity": json.RawMessage(`"low"`)}}, "verbosity"},
		"what the provider refuses":            {chat.Request{TopK: ptr(int64(3))}, "top_k"},
		"a blank stop sequence":                {chat.Request{Stop: []string{"a", "\n"}}, "stop"},
		"no output at all":                     {chat.Request{MaxOutput: ptr(int64(0))}, "max_completion_tokens"},
		"no messages":                          {chat.Request{Messages: []chat.Message{{Role: chat.System, Parts: []chat.Part{{Text: "s"}}}}}, "messages"},
		"only blank messages":                  {chat.Request{Messages: []chat.Message{say(" ")}}, "messages"},
		"sound":                                {user(chat.Part{Kind: chat.Audio, Media: &chat.Media{}}), "messages[1].content[0]"},
		"a picture of the assistant":           {assistant(chat.Part{Kind: chat.Image, Media: &chat.Media{}}), "messages[1].content[0]"},
		"a block of another language":          {user(chat.Part{Kind: chat.Raw, RawType: "input_thing"}), "messages[1].content[0]"},
		"a file of another provider":           {user(chat.Part{Kind: chat.File, Media: &chat.Media{FileID: "file-abc"}}), "messages[1].content[0]"},
		"a spreadsheet":                        {user(chat.Part{Kind: chat.File, Media: &chat.Media{MIME: "application/vnd.ms-excel", Data: "AA=="}}), "messages[1].content[0]"},
		"a picture that is none":               {user(chat.Part{Kind: chat.Image, Media: &chat.Media{MIME: "application/pdf", Data: "AA=="}}), "messages[1].content[0]"},
		"text that is not base64":              {user(chat.Part{Kind: chat.File, Media: &chat.Media{MIME: "text/plain", Data: "?"}}), "messages[1].content[0]"},
		"broken arguments":                     {assistant(call("c", `{"a":`)), "messages[1].tool_calls[0].function.arguments"},
		"arguments that are no object":         {assistant(call("c", `[1]`)), "messages[1].tool_calls[0].function.arguments"},
		"a call without an id":                 {assistant(call("", `{}`)), "messages[1].tool_calls[0].id"},
		"text in a tool's message":             {chat.Request{Messages: []chat.Message{{Role: chat.ToolRole, Parts: []chat.Part{{Text: "x"}}}}}, "messages[0].content[0]"},
		"a role that is not known":             {chat.Request{Messages: []chat.Message{{Role: "critic", Parts: []chat.Part{{Text: "x"}}}}}, "messages[0].role"},
		"a tool of another language":           {chat.Request{Tools: []chat.Tool{{RawType: "computer_use_preview", Raw: json.RawMessage(`{}`)}}}, "tools[0].type"},
		"a tool of the reserved name":          {chat.Request{Tools: []chat.Tool{{Name: "g"}, {Name: formatTool}}}, "tools[1]"},
		"a tool whose parameters are a list":   {chat.Request{Tools: []chat.Tool{{Name: "g", Parameters: json.RawMessage(`{"type":"array"}`)}}}, "tools[0]"},
		"a demand for tools without any":       {chat.Request{ToolChoice: &chat.ToolChoice{Mode: "required"}}, "tool_choice"},
		"a forced tool while thinking":         {chat.Request{Tools: []chat.Tool{{Name: "g"}}, ToolChoice: &chat.ToolChoice{Mode: "required"}, Reasoning: think}, "tool_choice"},
		"a tool choice that is not known":      {chat.Request{Tools: []chat.Tool{{Name: "g"}}, ToolChoice: &chat.ToolChoice{Mode: "maybe"}}, "tool_choice"},
		"a form without schema while thinking": {chat.Request{Format: object, Reasoning: think}, "response_format"},
		"a form beside a named tool":           {chat.Request{Format: object, Tools: []chat.Tool{{Name: "g"}}, ToolChoice: &chat.ToolChoice{Mode: "tool", Name: "g"}}, "response_format"},
		"a form that is a list":                {chat.Request{Format: &chat.Format{Kind: "json_schema", Schema: json.RawMessage(`{"type":"array"}`)}}, "response_format"},
		"a form that is not known":             {chat.Request{Format: &chat.Format{Kind: "grammar"}}, "response_format"},
		"a budget too small":                   {chat.Request{Reasoning: &chat.Reasoning{Budget: ptr(int64(500))}}, "reasoning"},
		"a budget too small, by its name":      {chat.Request{Reasoning: &chat.Reasoning{Budget: ptr(int64(500))}, Names: map[string]string{"reasoning": "thinkingConfig"}}, "thinkingConfig"},
		"a limit too small to think":           {chat.Request{Reasoning: think, MaxOutput: ptr(int64(1024))}, "reasoning_effort"},
		"an effort that is not known":          {chat.Request{Reasoning: &chat.Reasoning{Effort: "heroic"}}, "reasoning_effort"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.req.Messages == nil {
				c.req.Messages = []chat.Message{say("a")}
			}
			to := target
			to.Quirks.Refuses = []string{"top_k"}
			_, err := Client{}.Encode(&c.req, to)
			requireParam(t, err, c.param)
		})
	}
}
