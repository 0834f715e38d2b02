package chat

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

func raw(kind, members string) Tool {
	return Tool{RawType: kind, Raw: json.RawMessage(`{"type":"` + kind + `"` + members + `}`)}
}

func nothing(string) bool { return false }

func TestARequestOfFunctionsIsOfferedAsItIs(t *testing.T) {
	t.Parallel()
	r := &Request{Tools: []Tool{{Name: "f"}}, ToolChoice: &ToolChoice{Mode: "required"}}
	got, dropped, err := r.Offered(Tools{Own: nothing})
	require.NoError(t, err)
	assert.Same(t, r, got)
	assert.Empty(t, dropped)
}

func TestToolsOfOtherVendorsAreLeftOutOfACopy(t *testing.T) {
	t.Parallel()
	r := &Request{
		Tools:      []Tool{raw("code_interpreter", ""), {Name: "f"}, raw("known", "")},
		Extra:      map[string]json.RawMessage{"web_search_options": json.RawMessage(`{}`), "store": json.RawMessage(`true`)},
		ToolChoice: &ToolChoice{Mode: "auto"},
	}
	got, dropped, err := r.Offered(Tools{Own: func(kind string) bool { return kind == "known" }})
	require.NoError(t, err)
	assert.Equal(t, []string{"tools[0] (code_interpreter)", "web_search_options"}, dropped)
	assert.Equal(t, []Tool{{Name: "f"}, raw("known", "")}, got.Tools)
	assert.Equal(t, "tools[1]", got.ToolAt(0), "the caller's place")
	assert.Equal(t, "tools[2]", got.ToolAt(1))
	assert.Equal(t, map[string]json.RawMessage{"store": json.RawMessage(`true`)}, got.Extra)
	assert.NotNil(t, got.ToolChoice)
	assert.Len(t, r.Tools, 3, "the request goes to other providers too")
	assert.Len(t, r.Extra, 2)
	assert.Nil(t, r.Names)

	r.Tools = r.Tools[:1]
	got, _, err = r.Offered(Tools{Own: nothing})
	require.NoError(t, err)
	assert.Nil(t, got.ToolChoice, "there is nothing to choose from")
}

func TestASearchSaysNoMoreThanItsTargetCan(t *testing.T) {
	t.Parallel()
	var asked []*Search
	has := Tools{Own: nothing, Search: func(s *Search) (Tool, []string, bool) {
		asked = append(asked, s)
		return raw("own_search", ""), []string{"size"}, len(s.Blocked) == 0
	}}
	r := &Request{
		Tools: []Tool{
			raw("web_search", `,"blocked_domains":["c"]`),
			raw("web_search_20250305", `,"name":"web_search","max_uses":3,"allowed_domains":["a"],"user_location":{"type":"approximate","city":"Lyon"}`),
			raw("web_search", `,"filters":{"allowed_domains":["b"]}`),
			raw("web_search", `,"something_new":1`),
			raw("tool_search_tool_regex_20251119", ""),
			raw("file_search", ""),
		},
		Extra: map[string]json.RawMessage{"web_search_options": json.RawMessage(`{"user_location":{"type":"approximate","approximate":{"country":"FR"}}}`)},
	}
	got, dropped, err := r.Offered(has)
	require.NoError(t, err)
	assert.Equal(t, []*Search{
		{Blocked: []string{"c"}}, {Allowed: []string{"a"}, MaxUses: 3, Location: map[string]string{"city": "Lyon"}},
	}, asked)
	assert.Equal(t, []Tool{raw("own_search", "")}, got.Tools, "one search, with its own limits")
	assert.Equal(t, []string{
		"tools[0] (web_search)", "tools[1].size", "tools[2] (web_search)", "tools[3] (web_search)", "tools[4] (tool_search_tool_regex_20251119)",
		"tools[5] (file_search)", "web_search_options",
	}, dropped)

	r.Tools, asked = nil, nil
	_, _, err = r.Offered(has)
	require.NoError(t, err)
	assert.Equal(t, []*Search{{Location: map[string]string{"country": "FR"}}}, asked)
}

func TestToolsThatMustRunAreRefusedWhereTheyCannot(t *testing.T) {
	t.Parallel()
	search := raw("web_search_20250305", `,"name":"web_search"`)
	search.Name = "web_search"
	for want, r := range map[string]*Request{
		"tools[1]":      {Tools: []Tool{{Name: "f"}, raw("mcp", "")}, ToolChoice: &ToolChoice{Mode: "required"}},
		"tools[0]":      {Tools: []Tool{search}, ToolChoice: &ToolChoice{Mode: "tool", Name: "web_search"}},
		"tools[0].type": {Tools: []Tool{raw("bash_20250124", "")}},
	} {
		_, _, err := r.Offered(Tools{Own: nothing})
		require.Error(t, err, want)
		assert.Equal(t, hub.CodeInvalid, hub.CodeOf(err))
		assert.Equal(t, want, hub.AsError(err).Param)
	}
}

func TestPlacesAreTheCallers(t *testing.T) {
	t.Parallel()
	r := &Request{Messages: []Message{{Role: Assistant, Parts: []Part{{Kind: Text}, {Kind: ToolCallPart}, {Kind: ToolCallPart}}}}}
	assert.Equal(t, "messages[0].content[0]", r.PartAt(0, 0))
	assert.Equal(t, "messages[0].tool_calls[1]", r.PartAt(0, 2), "OpenAI's place")
	assert.Nil(t, r.Names)
	r.PlaceMessage(0, "messages[0]")
	r.PlacePart(0, 0, "messages[0].content[0]")
	assert.Nil(t, r.Names, "what is as its index says needs no note")

	r.Names = map[string]string{"messages": "contents", "content": "parts", "tool_calls": "parts"}
	r.PlaceMessage(0, "contents[4]")
	r.PlacePart(0, 0, "contents[3].parts[7]")
	assert.Equal(t, "contents[4]", r.MessageAt(0))
	assert.Equal(t, "contents[3].parts[7]", r.PartAt(0, 0))
	assert.Equal(t, "contents[4].parts[2]", r.PartAt(0, 2))
	assert.Equal(t, "contents[1]", r.MessageAt(1))
}
