package proxy_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

// codex is a request of Codex's shape (captures of version 0.169): instructions
// as developer messages, items with ids, tools in a namespace, a free-form tool,
// a search that the provider runs, thinking that comes back encrypted, nothing
// stored.
func codex(model string, items ...object) object {
	function := func(name string) object {
		return object{"type": "function", "name": name, "description": prose(400), "strict": false, "parameters": toolSchema("cmd")}
	}
	tools := []object{function("exec_command"), function("write_stdin"), function("view_image"),
		{"type": "namespace", "name": "multi_agent_v1", "description": "Sub-agents.", "tools": []object{function("spawn_agent"), function("close_agent")}},
		{"type": "custom", "name": "apply_patch", "description": "Edits files.", "format": object{"type": "grammar", "syntax": "lark", "definition": "start: /.+/"}},
		function("get_goal"), {"type": "web_search", "external_web_access": true}}
	message := func(id, role string, texts ...string) object {
		parts := []object{}
		for _, text := range texts {
			parts = append(parts, object{"type": "input_text", "text": text})
		}
		return object{"type": "message", "id": "msg_" + id, "role": role, "content": parts}
	}
	input := []object{
		message("01", "developer", "You are a coding agent.\n"+prose(16000)),
		message("02", "developer", "<skills_instructions>\n"+prose(2000), "<permissions instructions>\n"+prose(320)),
		message("03", "user", "<environment_context>\n"+prose(320)),
		message("04", "user", "Please do it."),
	}
	return object{
		"model": model, "stream": true, "store": false, "input": append(input, items...), "tools": tools,
		"tool_choice": "auto", "parallel_tool_calls": true, "reasoning": object{"effort": "high", "summary": "auto"},
		"include": []string{"reasoning.encrypted_content"}, "prompt_cache_key": "01a217ba-b684-7862-9c7f-c3f57a4a6752",
		"client_metadata": object{"session_id": "01a217ba-b684-7862-9c7f-c3f57a4a6752", "x-codex-turn-metadata": "{}"},
	}
}

var codexHeaders = []string{"Accept", "text/event-stream", "originator", "codex_exec", "User-Agent", "codex_exec/0.169.0",
	"session-id", "01a217ba-b684-7862-9c7f-c3f57a4a6752", "x-codex-window-id", "01a217ba-b684-7862-9c7f-c3f57a4a6752:0"}

// codexTurn is a streamed answer as Codex reads it: the items when they are done.
type codexTurn struct {
	items []object
	text  string // of the deltas
	usage object
}

func readCodex(t *testing.T, text string) codexTurn {
	t.Helper()
	var turn codexTurn
	ids := map[any]bool{}
	last := -1.0
	all := frames(t, text)
	require.NotEmpty(t, all)
	assert.Equal(t, "response.created", all[0].event)
	for _, frame := range all {
		require.Equal(t, frame.event, frame.data["type"])
		number, ok := frame.data["sequence_number"].(float64)
		require.True(t, ok)
		require.Equal(t, int(last)+1, int(number), "events are numbered without a gap")
		last = number
		if r, ok := frame.data["response"].(object); ok {
			ids[r["id"]] = true
		}
		switch frame.event {
		case "response.output_item.done":
			turn.items = append(turn.items, frame.data["item"].(object))
		case "response.output_text.delta":
			turn.text += frame.data["delta"].(string)
		case "response.completed":
			turn.usage, _ = frame.data["response"].(object)["usage"].(object)
		}
	}
	assert.Equal(t, "response.completed", all[len(all)-1].event, "without it Codex asks again")
	assert.Len(t, ids, 1, "one id for the whole answer")
	return turn
}

func (c codexTurn) calls() (calls []object) {
	for _, item := range c.items {
		if item["type"] == "function_call" || item["type"] == "custom_tool_call" {
			calls = append(calls, item)
		}
	}
	return calls
}

// codexResult answers a call.
func codexResult(call object, text string) object {
	kind := strings.TrimSuffix(call["type"].(string), "_call") + "_call_output"
	return object{"type": kind, "id": "fco_" + call["call_id"].(string), "call_id": call["call_id"], "output": text}
}

// TestCodexsRequestsWorkWithEveryProvider sends a conversation of three turns with
// three tool calls as Codex does. Providers other than OpenAI know no free-form
// tools; Codex must not notice.
func TestCodexsRequestsWorkWithEveryProvider(t *testing.T) {
	t.Parallel()
	for kind := range thinkers {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			other := fakeprovider.ToolCall{Name: "apply_patch", Arguments: `{"input":"*** Begin Patch"}`}
			if kind == fakeprovider.OpenAI { // whose fake makes no free-form calls
				other = fakeprovider.ToolCall{Name: "view_image", Arguments: `{"cmd":"x","line":7}`}
			}
			h, fake, model := agentHub(t, kind, fakeprovider.ToolCall{Name: "exec_command", Arguments: `{"cmd":"ls -l \"ä\""}`}, other)
			ask := func(items ...object) codexTurn {
				body, err := json.Marshal(codex(model, items...))
				require.NoError(t, err)
				require.Greater(t, len(body), 25_000)
				res, text := h.send("/v1/responses", string(body), codexHeaders...)
				require.Equal(t, 200, res.StatusCode, text)
				return readCodex(t, text)
			}
			first := ask()
			calls := first.calls()
			require.Len(t, calls, 2, first)
			assert.Equal(t, "Let me see.", first.text)
			assert.Equal(t, "exec_command", calls[0]["name"])
			assert.JSONEq(t, `{"cmd":"ls -l \"ä\""}`, calls[0]["arguments"].(string))
			assert.Positive(t, first.usage["total_tokens"])
			if kind != fakeprovider.OpenAI {
				assert.Equal(t, "custom_tool_call", calls[1]["type"])
				assert.Equal(t, "*** Begin Patch", calls[1]["input"])
			}

			items := append(first.items, codexResult(calls[0], "result-one"), codexResult(calls[1], "result-two"))
			second := ask(items...)
			require.Len(t, second.calls(), 1, second)
			items = append(append(items, second.items...), codexResult(second.calls()[0], "result-three"))
			third := ask(items...)
			assert.Equal(t, "All three are done.", third.text)
			assert.Empty(t, third.calls())

			requests := fake.Requests()
			require.Len(t, requests, 3, "nothing is asked twice")
			asked := string(requests[2].Body)
			requireInOrder(t, asked, "Please do it.", "Let me see.", "result-one", "result-two", "result-three")
			assert.Contains(t, asked, "spawn_agent", "tools in a namespace are tools")
			assert.Contains(t, asked, "apply_patch")
			h.settledCall()
			requireBooksMatch(t, h, fake)
		})
	}
}
