package openai

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/dialect/dialecttest"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

func asked(change func(*chat.Request)) *chat.Request {
	r := &chat.Request{Model: "m", Messages: []chat.Message{user(chat.Part{Text: "hi"})}}
	change(r)
	return r
}

func weather(mode, name string) func(*chat.Request) {
	return func(r *chat.Request) {
		r.Tools = []chat.Tool{{Name: "f"}}
		r.ToolChoice = &chat.ToolChoice{Mode: mode, Name: name}
	}
}

func form(r *chat.Request) {
	r.Format = &chat.Format{Kind: "json_schema", Name: "n", Schema: json.RawMessage(`{"type":"object"}`)}
}

func thinking(t *chat.Reasoning) func(*chat.Request) {
	return func(r *chat.Request) { r.Reasoning = t }
}

const oneTool = `"tools":[{"type":"function","function":{"name":"f"}}]`

func TestVendorsAreAskedInTheirOwnWay(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(*chat.Request)
		quirks dialect.Quirks
		want   string // members beside model and messages
		drops  []string
	}{
		"a parameter of another name": {
			func(r *chat.Request) { r.Seed = ptr(int64(7)) },
			dialect.Quirks{Renames: map[string]string{"seed": "random_seed"}}, `{"random_seed":7}`, nil,
		},
		"a parameter beyond the language": {
			func(r *chat.Request) {
				r.TopK, r.Extra = ptr(int64(4)), map[string]json.RawMessage{"min_p": json.RawMessage("0.1")}
			},
			dialect.Quirks{Takes: []string{"top_k", "min_p"}}, `{"top_k":4,"min_p":0.1}`, nil,
		},
		"one answer, where only one is to be had": {
			func(r *chat.Request) { r.N = ptr(int64(1)) }, dialect.Quirks{Refuses: []string{"n"}}, `{}`, nil,
		},
		"tool choice auto goes without saying": {
			weather("auto", ""), dialect.Quirks{ToolModes: []string{"auto"}}, `{` + oneTool + `}`, nil,
		},
		"tool choice none leaves the tools out": {
			weather("none", ""), dialect.Quirks{ToolModes: []string{"auto"}}, `{}`, nil,
		},
		"tool choice none where it is known": {
			weather("none", ""), dialect.Quirks{ToolModes: []string{"auto", "none"}}, `{` + oneTool + `,"tool_choice":"none"}`, nil,
		},
		"a schema inside the object format": {
			form, dialect.Quirks{SchemaInObject: true}, `{"response_format":{"type":"json_object","schema":{"type":"object"}}}`, nil,
		},
		"a schema in words, where no tool can be forced": {
			form, dialect.Quirks{NoJSONSchema: true, ToolModes: []string{"auto"}}, `{"response_format":{"type":"json_object"}}`, nil,
		},
		"an effort the vendor has": {
			thinking(&chat.Reasoning{Effort: "low"}), dialect.Quirks{Efforts: []string{"low", "high"}}, `{"reasoning_effort":"low"}`, nil,
		},
		"an effort between two of the vendor's": {
			thinking(&chat.Reasoning{Effort: "medium"}), dialect.Quirks{Efforts: []string{"low", "high"}}, `{"reasoning_effort":"high"}`, nil,
		},
		"an effort above all of them": {
			thinking(&chat.Reasoning{Effort: "max"}), dialect.Quirks{Efforts: []string{"low", "high"}}, `{"reasoning_effort":"high"}`, nil,
		},
		"no thinking, where it has a word": {
			thinking(&chat.Reasoning{Disabled: true}), dialect.Quirks{Efforts: []string{"none", "high"}}, `{"reasoning_effort":"none"}`, nil,
		},
		"no thinking, where it has none": {
			thinking(&chat.Reasoning{Effort: "none"}), dialect.Quirks{Efforts: []string{"low"}}, `{}`, []string{"reasoning_effort"},
		},
		"a switch turned on": {
			thinking(&chat.Reasoning{Budget: ptr(int64(2000))}), dialect.Quirks{ThinkingSwitch: dialect.SwitchThinking}, `{"thinking":{"type":"enabled"}}`, nil,
		},
		"a switch turned off": {
			thinking(&chat.Reasoning{Disabled: true}), dialect.Quirks{ThinkingSwitch: dialect.SwitchThinking}, `{"thinking":{"type":"disabled"}}`, nil,
		},
		"a switch and a strength": {
			thinking(&chat.Reasoning{Effort: "high"}), dialect.Quirks{ThinkingSwitch: dialect.SwitchThinking},
			`{"thinking":{"type":"enabled"},"reasoning_effort":"high"}`, nil,
		},
		"a switch with a budget": {
			thinking(&chat.Reasoning{Budget: ptr(int64(2000))}), dialect.Quirks{ThinkingSwitch: dialect.SwitchEnable},
			`{"enable_thinking":true,"thinking_budget":2000}`, nil,
		},
		"a switch without strengths": {
			thinking(&chat.Reasoning{Effort: "high"}), dialect.Quirks{ThinkingSwitch: dialect.SwitchEnable}, `{"enable_thinking":true}`,
			[]string{"reasoning_effort"},
		},
		"no budget turns it off": {
			thinking(&chat.Reasoning{Budget: ptr(int64(0))}), dialect.Quirks{ThinkingSwitch: dialect.SwitchEnable}, `{"enable_thinking":false}`, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body, enc := encode(t, asked(tc.change), dialect.Target{Quirks: tc.quirks})
			delete(body, "model")
			delete(body, "messages")
			got, err := json.Marshal(body)
			require.NoError(t, err)
			assert.JSONEq(t, tc.want, string(got))
			assert.Equal(t, tc.drops, enc.Dropped)
		})
	}
}

func TestWhatAVendorCannotDoIsRefusedByName(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(*chat.Request)
		quirks dialect.Quirks
		param  string
	}{
		"a forced tool":    {weather("required", ""), dialect.Quirks{ToolModes: []string{"auto"}}, "tool_choice"},
		"a tool by name":   {weather("tool", "f"), dialect.Quirks{ToolModes: []string{"auto", "required"}}, "tool_choice"},
		"several answers":  {func(r *chat.Request) { r.N = ptr(int64(2)) }, dialect.Quirks{Refuses: []string{"n"}}, "n"},
		"names":            {func(r *chat.Request) { r.Messages[0].Name = "Ann" }, dialect.Quirks{NoNames: true}, "messages[0].name"},
		"an unknown extra": {func(r *chat.Request) { r.Extra = map[string]json.RawMessage{"x": json.RawMessage("1")} }, dialect.Quirks{}, "x"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Client{}.Encode(asked(tc.change), dialect.Target{Model: "m", Quirks: tc.quirks})
			require.Equal(t, hub.CodeInvalid, hub.CodeOf(err))
			assert.Equal(t, tc.param, hub.AsError(err).Param)
		})
	}
}

func TestASchemaInWordsStandsInTheSystemPrompt(t *testing.T) {
	t.Parallel()
	quirks := dialect.Quirks{NoJSONSchema: true, ToolModes: []string{"auto"}}
	body, _ := encode(t, asked(form), dialect.Target{Quirks: quirks})
	first := body["messages"].([]any)[0].(map[string]any)
	assert.Equal(t, "system", first["role"])
	assert.Contains(t, first["content"], `{"type":"object"}`)
	assert.Len(t, body["messages"], 2)

	body, _ = encode(t, asked(func(r *chat.Request) {
		form(r)
		r.Messages = append([]chat.Message{{Role: chat.System, Parts: []chat.Part{{Text: "Be brief."}}}}, r.Messages...)
	}), dialect.Target{Quirks: quirks})
	first = body["messages"].([]any)[0].(map[string]any)
	assert.Len(t, body["messages"], 2, "one system message")
	assert.True(t, strings.HasPrefix(first["content"].(string), "Be brief.\n\n"))
}

func TestThinkingGoesBackAsAPartWhereItCameAsOne(t *testing.T) {
	t.Parallel()
	body, _ := encode(t, asked(func(r *chat.Request) {
		r.Messages = append(r.Messages, chat.Message{Role: chat.Assistant, Parts: []chat.Part{
			{Kind: chat.Thinking, Text: "hm"}, {Kind: chat.Text, Text: "yes"},
		}})
	}), dialect.Target{Quirks: dialect.Quirks{ReasoningField: dialect.ThinkingParts}})
	got, err := json.Marshal(body["messages"].([]any)[1].(map[string]any)["content"])
	require.NoError(t, err)
	assert.JSONEq(t, `[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},{"type":"text","text":"yes"}]`, string(got))
}

func TestNativeRequestsGetTheVendorsNames(t *testing.T) {
	t.Parallel()
	quirks := dialect.Quirks{MaxTokensField: "max_tokens", Renames: map[string]string{"seed": "random_seed"}}
	for name, tc := range map[string]struct{ in, want string }{
		"both":          {`{"model":"m","messages":[],"seed":7,"max_completion_tokens":9}`, `{"model":"m","messages":[],"random_seed":7,"max_tokens":9}`},
		"already right": {`{"model":"m","messages":[],"random_seed":7,"max_tokens":9}`, `{"model":"m","messages":[],"random_seed":7,"max_tokens":9}`},
		"said twice":    {`{"model":"m","messages":[],"max_tokens":9,"max_completion_tokens":8}`, `{"model":"m","messages":[],"max_tokens":9,"max_completion_tokens":8}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			enc, err := Client{}.Splice(viewOf(t, tc.in), dialect.Target{Model: "m", Quirks: quirks})
			require.NoError(t, err)
			assert.JSONEq(t, tc.want, string(enc.Body))
		})
	}
}

func TestSourcesBecomeAnnotationsOnce(t *testing.T) {
	t.Parallel()
	const link = `{"type":"url_citation","url_citation":{"url":"https://a.example","title":"A","start_index":0,"end_index":0}}`
	stream := `data: {"id":"1","choices":[{"index":0,"message":{"role":"assistant","content":"He"},"delta":{"role":"assistant","content":"He"},"finish_reason":null}],"citations":["https://old.example"]}

data: {"id":"1","choices":[{"index":0,"delta":{"content":"llo"},"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],"search_results":[{"title":"A","url":"https://a.example","date":null}],"citations":["https://a.example"],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}

data: [DONE]

`
	got, err := dialecttest.Collect(Client{}.Decoder(dialect.Quirks{}), dialecttest.Frames(t, []byte(stream)))
	require.NoError(t, err)
	parts := got.Response.Choices[0].Parts
	require.Len(t, parts, 1)
	assert.Equal(t, "Hello", parts[0].Text, "the whole message only repeats the pieces")
	assert.JSONEq(t, "["+link+"]", string(parts[0].Annotations))

	res, err := Client{}.Decode([]byte(`{"id":"1","search_results":[{"url":"https://a.example","title":"A"}],"choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}]}`), dialect.Quirks{})
	require.NoError(t, err)
	assert.JSONEq(t, "["+link+"]", string(res.Choices[0].Parts[0].Annotations))
}

func TestUsageThatStandsElsewhere(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		usage string
		want  hub.Usage
	}{
		"deep research: thinking and sources beside the completion": {
			`{"prompt_tokens":19,"completion_tokens":7000,"total_tokens":7019,"citation_tokens":100,"num_search_queries":18,"reasoning_tokens":5000}`,
			hub.Usage{hub.Input: 119, hub.Output: 7000, hub.Reasoning: 5000, hub.WebSearches: 18},
		},
		"thinking within the completion": {
			`{"prompt_tokens":10,"completion_tokens":30,"total_tokens":40,"reasoning_tokens":20}`,
			hub.Usage{hub.Input: 10, hub.Output: 10, hub.Reasoning: 20},
		},
		"cached tokens at the top": {
			`{"prompt_tokens":10,"completion_tokens":3,"total_tokens":13,"cached_tokens":6}`,
			hub.Usage{hub.Input: 4, hub.CacheRead: 6, hub.Output: 3},
		},
		"no sources": {
			`{"prompt_tokens":10,"completion_tokens":3,"total_tokens":13,"citation_tokens":null,"reasoning_tokens":null}`,
			hub.Usage{hub.Input: 10, hub.Output: 3},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u, known := readUsage([]byte(tc.usage), dialect.Quirks{})
			require.True(t, known)
			assert.Equal(t, tc.want, u)
		})
	}
	res, err := Client{}.Decode([]byte(`{"id":"1","choices":[{"index":0,"message":{"content":"x"},"finish_reason":"stop"}],"x_groq":{"id":"req","usage":{"prompt_tokens":4,"completion_tokens":1,"total_tokens":5}}}`), dialect.Quirks{})
	require.NoError(t, err)
	assert.True(t, res.UsageKnown)
	assert.Equal(t, hub.Usage{hub.Input: 4, hub.Output: 1}, res.Usage)
}
