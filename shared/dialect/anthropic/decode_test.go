package anthropic

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/chat"
)

func decode(t testing.TB, body string) *chat.Request {
	t.Helper()
	req, err := Server{}.Decode(see(t, body))
	require.NoError(t, err)
	return req
}

// agentRequest has the shape of what coding agents send: system blocks with
// breakpoints, a system message among the others, tools with loading hints.
const agentRequest = `{"model":"claude-harbour-1","max_tokens":32000,"stream":true,"route":{"only":["a"]},
"system":[{"type":"text","text":"You mend boats."},{"type":"text","text":"Be brief.","cache_control":{"type":"ephemeral","ttl":"1h"}}],
"messages":[
 {"role":"user","content":"The hull leaks."},
 {"role":"system","content":"The owner is away."},
 {"role":"assistant","content":[{"type":"thinking","thinking":"Look first.","signature":"c2ln"},{"type":"redacted_thinking","data":"b3A="},{"type":"text","text":"Looking."},{"type":"tool_use","id":"toolu_1","name":"look","input":{"at":"hull"}},{"type":"tool_use","id":"toolu_2","name":"look","input":{}}]},
 {"role":"user","content":[{"type":"text","text":"Go on."},{"type":"tool_result","tool_use_id":"toolu_1","content":"a hole","cache_control":{"type":"ephemeral"}},{"type":"tool_result","tool_use_id":"toolu_2","is_error":true,"content":[{"type":"text","text":"dark"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw=="}}]},{"type":"image","source":{"type":"url","url":"https://boats.example/1.png"}}]}],
"tools":[{"name":"look","description":"Looks","input_schema":{"type":"object","properties":{"at":{"type":"string"}}},"cache_control":{"type":"ephemeral"},"defer_loading":true},{"type":"web_search_20250305","name":"web_search","max_uses":2}],
"tool_choice":{"type":"any","disable_parallel_tool_use":true},
"thinking":{"type":"adaptive","display":"omitted"},"output_config":{"effort":"max"},
"metadata":{"user_id":"{\"device\":\"d\"}"},"stop_sequences":["END"],"temperature":1,"top_p":0.5,"top_k":40,"service_tier":"standard_only",
"context_management":{"edits":[{"type":"clear_tool_uses_20250919"}]}}`

func TestDecodeReadsAnAgentsRequest(t *testing.T) {
	t.Parallel()
	req := decode(t, agentRequest)
	no, one, half, forty, limit := false, 1.0, 0.5, int64(40), int64(32000)
	assert.Equal(t, []chat.Message{
		{Role: chat.System, Parts: []chat.Part{{Text: "You mend boats."}, {Text: "Be brief.", Cache: &chat.Cache{TTL: "1h"}}}},
		{Role: chat.User, Parts: []chat.Part{{Text: "The hull leaks."}}},
		{Role: chat.System, Parts: []chat.Part{{Text: "The owner is away."}}},
		{Role: chat.Assistant, Parts: []chat.Part{
			{Kind: chat.Thinking, Text: "Look first.", Signature: "c2ln", SignedBy: chat.SignedAnthropic},
			{Kind: chat.RedactedThinking, Signature: "b3A=", SignedBy: chat.SignedAnthropic},
			{Text: "Looking."},
			{Kind: chat.ToolCallPart, ToolCall: &chat.ToolCall{ID: "toolu_1", Name: "look", Arguments: `{"at":"hull"}`}},
			{Kind: chat.ToolCallPart, ToolCall: &chat.ToolCall{ID: "toolu_2", Name: "look", Arguments: `{}`}},
		}},
		{Role: chat.ToolRole, Parts: []chat.Part{
			{Kind: chat.ToolResultPart, Cache: &chat.Cache{TTL: "5m"}, ToolResult: &chat.ToolResult{CallID: "toolu_1", Parts: []chat.Part{{Text: "a hole"}}}},
			{Kind: chat.ToolResultPart, ToolResult: &chat.ToolResult{CallID: "toolu_2", IsError: true, Parts: []chat.Part{
				{Text: "dark"}, {Kind: chat.Image, Media: &chat.Media{MIME: "image/png", Data: "iVBORw=="}}}}},
		}},
		{Role: chat.User, Parts: []chat.Part{{Text: "Go on."}, {Kind: chat.Image, Media: &chat.Media{URL: "https://boats.example/1.png"}}}},
	}, req.Messages)
	require.Len(t, req.Tools, 2)
	assert.Equal(t, "look", req.Tools[0].Name)
	assert.Equal(t, &chat.Cache{TTL: "5m"}, req.Tools[0].Cache)
	assert.Equal(t, "web_search_20250305", req.Tools[1].RawType)
	assert.Contains(t, string(req.Tools[1].Raw), `"max_uses":2`)
	assert.Equal(t, &chat.ToolChoice{Mode: "required"}, req.ToolChoice)
	assert.Equal(t, &no, req.ParallelToolCalls)
	assert.Equal(t, &chat.Reasoning{Adaptive: true, Effort: "xhigh", Hidden: true}, req.Reasoning)
	assert.JSONEq(t, `{"device":"d"}`, req.User)
	assert.Equal(t, []string{"END"}, req.Stop)
	assert.Equal(t, []any{&one, &half, &forty, &limit}, []any{req.Temperature, req.TopP, req.TopK, req.MaxOutput})
	assert.Equal(t, "default", req.ServiceTier)
	assert.True(t, req.Stream)
	assert.Len(t, req.Extra, 1, "route is the hub's own")
	assert.Contains(t, req.Extra, "context_management")
	assert.Equal(t, "max_tokens", req.ParamName("max_completion_tokens"))
}

func TestDecodeReadsDocuments(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		block string
		want  []chat.Part
	}{
		"a PDF":              {`{"type":"document","title":"Log","source":{"type":"base64","media_type":"application/pdf","data":"JVBERg=="}}`, []chat.Part{{Kind: chat.File, Media: &chat.Media{MIME: "application/pdf", Data: "JVBERg==", Filename: "Log"}}}},
		"a PDF by URL":       {`{"type":"document","source":{"type":"url","url":"https://x/y.pdf"}}`, []chat.Part{{Kind: chat.File, Media: &chat.Media{MIME: "application/pdf", URL: "https://x/y.pdf"}}}},
		"a text":             {`{"type":"document","source":{"type":"text","media_type":"text/plain","data":"Ahoy"}}`, []chat.Part{{Kind: chat.File, Media: &chat.Media{MIME: "text/plain", Data: "QWhveQ=="}}}},
		"an uploaded file":   {`{"type":"document","source":{"type":"file","file_id":"file_1"},"context":"From May."}`, []chat.Part{{Text: "From May."}, {Kind: chat.File, Media: &chat.Media{FileID: "file_1"}}}},
		"one to be cited":    {`{"type":"document","citations":{"enabled":true},"source":{"type":"text","media_type":"text/plain","data":"A"}}`, []chat.Part{{Kind: chat.Raw, RawType: "document"}}},
		"one made of blocks": {`{"type":"document","source":{"type":"content","content":"A"}}`, []chat.Part{{Kind: chat.Raw, RawType: "document"}}},
		"a search result":    {`{"type":"search_result","source":"s","title":"t","content":[]}`, []chat.Part{{Kind: chat.Raw, RawType: "search_result"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := decode(t, `{"model":"m","max_tokens":1,"messages":[{"role":"user","content":[`+c.block+`]}]}`).Messages[0].Parts
			if c.want[0].Kind == chat.Raw {
				assert.JSONEq(t, c.block, string(got[0].RawJSON))
				got[0].RawJSON = nil
			}
			assert.Equal(t, c.want, got)
		})
	}
}

func TestDecodeReadsParameters(t *testing.T) {
	t.Parallel()
	budget := int64(4000)
	for name, c := range map[string]struct {
		member string
		check  func(*testing.T, *chat.Request)
	}{
		"a budget outweighs an effort": {`"output_config":{"effort":"low"},"thinking":{"type":"enabled","budget_tokens":4000}`, func(t *testing.T, r *chat.Request) {
			assert.Equal(t, &chat.Reasoning{Budget: &budget}, r.Reasoning)
		}},
		"thinking off outweighs an effort": {`"thinking":{"type":"disabled"},"output_config":{"effort":"low"}`, func(t *testing.T, r *chat.Request) {
			assert.Equal(t, &chat.Reasoning{Disabled: true}, r.Reasoning)
		}},
		"a form of the answer": {`"output_config":{"format":{"type":"json_schema","schema":{"type":"object"}}}`, func(t *testing.T, r *chat.Request) {
			assert.Equal(t, &chat.Format{Kind: "json_schema", Name: "output", Schema: []byte(`{"type":"object"}`)}, r.Format)
		}},
		"a form by its older name": {`"output_format":{"type":"json_schema","schema":{"type":"object"}}`, func(t *testing.T, r *chat.Request) {
			assert.Equal(t, "json_schema", r.Format.Kind)
		}},
		"a named tool": {`"tool_choice":{"type":"tool","name":"f"}`, func(t *testing.T, r *chat.Request) {
			assert.Equal(t, &chat.ToolChoice{Mode: "tool", Name: "f"}, r.ToolChoice)
			assert.Nil(t, r.ParallelToolCalls)
		}},
		"nulls say nothing": {`"temperature":null,"system":null,"tools":null,"metadata":null,"speed":null`, func(t *testing.T, r *chat.Request) {
			assert.Nil(t, r.Temperature)
			assert.Empty(t, r.Extra)
		}},
		"context edits that keep everything say nothing": {`"context_management":{"edits":[{"type":"clear_thinking_20251015","keep":"all"}]}`, func(t *testing.T, r *chat.Request) {
			assert.Empty(t, r.Extra)
		}},
		"a system prompt that is a string": {`"system":"Be brief."`, func(t *testing.T, r *chat.Request) {
			assert.Equal(t, chat.System, r.Messages[0].Role)
		}},
		"an empty system prompt says nothing": {`"system":""`, func(t *testing.T, r *chat.Request) {
			assert.Equal(t, chat.User, r.Messages[0].Role)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.check(t, decode(t, `{"model":"m","max_tokens":9000,"messages":[{"role":"user","content":"hi"}],`+c.member+`}`))
		})
	}
}

func TestDecodeNamesTheFieldAtFault(t *testing.T) {
	t.Parallel()
	content := func(role, blocks string) string {
		return `"messages":[{"role":"user","content":"a"},{"role":"` + role + `","content":[` + blocks + `]}]`
	}
	for _, c := range []struct{ members, param string }{
		{`"messages":[]`, "messages"},
		{`"messages":[7]`, "messages"},
		{`"messages":[{"role":"tool","content":"x"}]`, "messages[0].role"},
		{`"messages":[{"role":"user"}]`, "messages[0].content"},
		{`"messages":[{"role":"user","content":null}]`, "messages[0].content"},
		{`"messages":[{"role":"user","content":{"type":"text"}}]`, "messages[0].content"},
		{content("user", `"text"`), "messages[1].content[0]"},
		{content("user", `{}`), "messages[1].content[0].type"},
		{content("user", `{"type":"text"}`), "messages[1].content[0].text"},
		{content("user", `{"type":"text","text":7}`), "messages[1].content[0].text"},
		{content("user", `{"type":"tool_use","id":"a","name":"f","input":{}}`), "messages[1].content[0].type"},
		{content("user", `{"type":"image"}`), "messages[1].content[0].source"},
		{content("user", `{"type":"image","source":{"type":"ftp"}}`), "messages[1].content[0].source.type"},
		{content("user", `{"type":"image","source":{"type":"base64","data":"AA=="}}`), "messages[1].content[0].source.media_type"},
		{content("user", `{"type":"image","source":{"type":"url"}}`), "messages[1].content[0].source.url"},
		{content("user", `{"type":"tool_result"}`), "messages[1].content[0].tool_use_id"},
		{content("user", `{"type":"tool_result","tool_use_id":"a","content":[{"type":"thinking"}]}`), "messages[1].content[0].content[0].type"},
		{content("user", `{"type":"text","text":"a","cache_control":{"type":"forever"}}`), "messages[1].content[0].cache_control.type"},
		{content("user", `{"type":"text","text":"a","cache_control":{"type":"ephemeral","ttl":"1d"}}`), "messages[1].content[0].cache_control.ttl"},
		{content("assistant", `{"type":"image","source":{"type":"url","url":"u"}}`), "messages[1].content[0].type"},
		{content("assistant", `{"type":"tool_use","name":"f","input":{}}`), "messages[1].content[0].id"},
		{content("assistant", `{"type":"tool_use","id":"a","input":{}}`), "messages[1].content[0].name"},
		{content("assistant", `{"type":"tool_use","id":"a","name":"f","input":"{}"}`), "messages[1].content[0].input"},
		{content("system", `{"type":"image","source":{"type":"url","url":"u"}}`), "messages[1].content[0].type"},
		{`"system":7`, "system"},
		{`"system":[{"type":"search_result"}]`, "system[0].type"},
		{`"tools":[{"description":"no name"}]`, "tools[0].name"},
		{`"tools":[{"name":"f"}]`, "tools[0].input_schema"},
		{`"tools":[{"name":"f","input_schema":{},"cache_control":{"type":"x"}}]`, "tools[0].cache_control.type"},
		{`"tool_choice":{"type":"some"}`, "tool_choice.type"},
		{`"tool_choice":{"type":"tool"}`, "tool_choice.name"},
		{`"tool_choice":"auto"`, "tool_choice"},
		{`"thinking":{"type":"deep"}`, "thinking.type"},
		{`"output_config":{"effort":"huge"}`, "output_config.effort"},
		{`"output_config":{"format":{"type":"xml"}}`, "output_config.format.type"},
		{`"output_format":{"type":"json_schema"}`, "output_format.schema"},
		{`"stop_sequences":"END"`, "stop_sequences"},
		{`"temperature":"warm"`, "temperature"},
		{`"top_k":1.5`, "top_k"},
		{`"service_tier":"gold"`, "service_tier"},
		{`"metadata":{"team":"a"}`, "metadata.team"},
		{`"metadata":{"user_id":7}`, "metadata.user_id"},
	} {
		t.Run(c.members, func(t *testing.T) {
			t.Parallel()
			body := `{"model":"m","max_tokens":1,` + c.members
			if c.members[1:9] != "messages" {
				body += `,"messages":[{"role":"user","content":"a"}]`
			}
			_, err := Server{}.Decode(see(t, body+`}`))
			requireParam(t, err, c.param)
		})
	}
}
