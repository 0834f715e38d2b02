package proxy_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

type object = map[string]any

// thinkers are models whose names say that they think, so that thinking is asked
// of them in each provider's own way.
var thinkers = map[fakeprovider.Kind]string{
	fakeprovider.OpenAI:    "gpt-5-fake",
	fakeprovider.Anthropic: "claude-opus-5-fake",
	fakeprovider.Gemini:    "gemini-3-pro-fake",
	fakeprovider.Bedrock:   "us.anthropic.claude-opus-5-fake-v1:0",
}

// thinksHard is how a request of these providers says that much effort is wanted.
var thinksHard = map[fakeprovider.Kind]string{
	fakeprovider.OpenAI:    `"reasoning_effort":"high"`,
	fakeprovider.Anthropic: `"effort":"high"`,
	fakeprovider.Gemini:    `"thinkingLevel":"high"`,
	fakeprovider.Bedrock:   `"effort":"high"`,
}

// agentHub is a hub with one provider whose model, once asked, thinks, says a
// word and calls two tools at once; and, with their results, answers.
func agentHub(t *testing.T, kind fakeprovider.Kind, first, second fakeprovider.ToolCall) (*testHub, *fakeprovider.Provider, string) {
	t.Helper()
	model := thinkers[kind]
	h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on"})
	fake := fakeprovider.Start(t, kind, fakeprovider.Options{Models: []string{model}})
	key := fakeprovider.DefaultKey
	if kind == fakeprovider.Bedrock {
		key = fakeprovider.KeyPair()
	}
	h.add(kinds[kind].kind, kinds[kind].kind, fake.URL+kinds[kind].path, key)
	h.rate(kinds[kind].kind, model, "3", "15")
	h.grant("1000")
	fake.Handle(model, func(r fakeprovider.Request) fakeprovider.Answer {
		switch body := string(r.Body); {
		case strings.Contains(body, "result-three"):
			return fakeprovider.Answer{Text: "All three are done."}
		case strings.Contains(body, "result-one"):
			return fakeprovider.Answer{Reasoning: "One more.", ToolCalls: []fakeprovider.ToolCall{first}}
		}
		return fakeprovider.Answer{Text: "Let me see.", Reasoning: "Two tools are needed.", ToolCalls: []fakeprovider.ToolCall{first, second}}
	})
	return h, fake, kinds[kind].kind + "/" + model
}

// prose is a text of n bytes as instructions have them: with lines, quotes,
// braces and characters beyond ASCII.
func prose(n int) string {
	return strings.Repeat("# Rules — §1\n- Say \"yes\" or 'no'; never {{both}}.\n\t<example>naïve 日本 🙂</example>\n", n/80+1)[:n/80*80]
}

// toolSchema is a schema with what agents' tools have in theirs.
func toolSchema(required string) object {
	return object{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "additionalProperties": false, "required": []string{required},
		"properties": object{
			required:  object{"type": "string", "description": prose(240)},
			"timeout": object{"type": "number", "exclusiveMinimum": 0, "maximum": 600000, "default": 120000},
			"mode":    object{"enum": []string{"content", "files_with_matches", "count"}, "type": "string"},
			"edits": object{"type": "array", "minItems": 1, "items": object{"type": "object", "additionalProperties": false,
				"required": []string{"old"}, "properties": object{"old": object{"type": "string"}, "new": object{"anyOf": []object{{"type": "string"}, {"type": "null"}}}}}},
			"options": object{"type": "object", "propertyNames": object{"type": "string"}, "additionalProperties": object{"type": "string"}},
			"line":    object{"type": "integer", "minimum": 0},
			"kind":    object{"const": "plain"},
		},
	}
}

// claudeCode is a request of Claude Code's shape (clients' captures of version
// 2.1.330): instructions in blocks, tools of which some are deferred, a message of
// role system, marks for the cache, adaptive thinking that is not to be shown.
func claudeCode(model string, turns ...object) object {
	mark := object{"type": "ephemeral"}
	tools := []object{}
	for _, name := range []string{"Agent", "Bash", "Edit", "Glob", "Grep", "Read", "Skill", "ToolSearch", "WebFetch", "Workflow", "Write", "NotebookEdit"} {
		tools = append(tools, object{"name": name, "description": prose(1600), "input_schema": toolSchema("command")})
	}
	tools = append(tools, object{"name": "mcp__docs__search", "description": "Search.", "input_schema": object{"type": "object"}, "defer_loading": true})
	messages := []object{
		{"role": "user", "content": []object{
			{"type": "text", "text": "<system-reminder>\n" + prose(560) + "</system-reminder>"},
			{"type": "text", "text": "Please do it.", "cache_control": mark}}},
		{"role": "system", "content": "# Environment\n" + prose(9000)},
	}
	return object{
		"model": model, "max_tokens": 32000, "stream": true, "tools": tools, "messages": append(messages, turns...),
		"system": []object{
			{"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1.330.000; cc_entrypoint=sdk-cli;"},
			{"type": "text", "text": "You are an agent.", "cache_control": mark},
			{"type": "text", "text": prose(24000), "cache_control": mark}},
		"metadata":           object{"user_id": `{"device_id":"` + strings.Repeat("0f", 32) + `","account_uuid":"","session_id":"01234567-89ab-cdef-0123-456789abcdef"}`},
		"thinking":           object{"type": "adaptive", "display": "omitted"},
		"context_management": object{"edits": []object{{"type": "clear_thinking_20251015", "keep": "all"}}},
		"output_config":      object{"effort": "high"},
	}
}

var claudeHeaders = []string{
	"anthropic-version", "2023-06-01", "User-Agent", "claude-cli/2.1.330 (external, sdk-cli)", "x-app", "cli",
	"anthropic-beta", "claude-code-20250219,interleaved-thinking-2025-05-14,context-management-2025-06-27,prompt-caching-scope-2026-01-05," +
		"mid-conversation-system-2026-04-07,effort-2025-11-24",
}

// claudeTurn is a streamed answer put together as Claude Code does.
type claudeTurn struct {
	content []object
	stop    string
	usage   object
}

func readClaude(t *testing.T, text string) claudeTurn {
	t.Helper()
	var turn claudeTurn
	var names []string
	pieces := map[int]string{}
	for _, frame := range frames(t, text) {
		names = append(names, frame.event)
		require.Equal(t, frame.event, frame.data["type"], "the SDK goes by the event's name")
		index, _ := frame.data["index"].(float64)
		at := int(index)
		switch frame.event {
		case "message_start":
			turn.usage, _ = frame.data["message"].(object)["usage"].(object)
		case "content_block_start":
			require.Len(t, turn.content, at, "blocks come one after the other")
			turn.content = append(turn.content, frame.data["content_block"].(object))
		case "content_block_delta":
			delta, block := frame.data["delta"].(object), turn.content[at]
			switch delta["type"] {
			case "text_delta":
				block["text"] = block["text"].(string) + delta["text"].(string)
			case "thinking_delta":
				block["thinking"] = block["thinking"].(string) + delta["thinking"].(string)
			case "signature_delta":
				block["signature"] = delta["signature"]
			case "input_json_delta":
				pieces[at] += delta["partial_json"].(string)
			}
		case "content_block_stop":
			if turn.content[at]["type"] == "tool_use" {
				input := object{}
				require.NoError(t, json.Unmarshal([]byte(pieces[at]), &input), pieces[at])
				turn.content[at]["input"] = input
			}
		case "message_delta":
			turn.stop, _ = frame.data["delta"].(object)["stop_reason"].(string)
			for name, v := range frame.data["usage"].(object) {
				turn.usage[name] = v
			}
		}
	}
	require.NotEmpty(t, names, text)
	assert.Equal(t, "message_start", names[0])
	assert.Equal(t, []string{"message_delta", "message_stop"}, names[len(names)-2:])
	return turn
}

// uses are the ids of the turn's calls.
func (c claudeTurn) uses() (ids []string) {
	for _, block := range c.content {
		if block["type"] == "tool_use" {
			ids = append(ids, block["id"].(string))
		}
	}
	return ids
}

func (c claudeTurn) text() string {
	said := ""
	for _, block := range c.content {
		if s, ok := block["text"].(string); ok {
			said += s
		}
	}
	return said
}

type sseFrame struct {
	event string
	data  object
}

// frames reads a stream whose data is all JSON.
func frames(t *testing.T, text string) (all []sseFrame) {
	t.Helper()
	for _, raw := range strings.Split(strings.TrimSpace(text), "\n\n") {
		var f sseFrame
		for _, line := range strings.Split(raw, "\n") {
			if name, ok := strings.CutPrefix(line, "event: "); ok {
				f.event = name
			}
			if data, ok := strings.CutPrefix(line, "data: "); ok {
				require.NoError(t, json.Unmarshal([]byte(data), &f.data), data)
			}
		}
		if f.data != nil && f.event != "ping" {
			all = append(all, f)
		}
	}
	return all
}

// TestClaudeCodesRequestsWorkWithEveryProvider sends a conversation of three
// turns with five tool calls as Claude Code does.
func TestClaudeCodesRequestsWorkWithEveryProvider(t *testing.T) {
	t.Parallel()
	for kind := range thinkers {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			h, fake, model := agentHub(t, kind,
				fakeprovider.ToolCall{Name: "Bash", Arguments: `{"command":"ls -l \"ä\""}`}, fakeprovider.ToolCall{Name: "Read", Arguments: `{"command":"x","line":7}`})
			ask := func(turns ...object) claudeTurn {
				body, err := json.Marshal(claudeCode(model, turns...))
				require.NoError(t, err)
				require.Greater(t, len(body), 60_000)
				res, text := h.send("/v1/messages?beta=true", string(body), claudeHeaders...)
				require.Equal(t, 200, res.StatusCode, text)
				require.Contains(t, res.Header.Get("Content-Type"), "text/event-stream")
				return readClaude(t, text)
			}
			result := func(id, text string) object {
				return object{"type": "tool_result", "tool_use_id": id, "is_error": false, "content": text}
			}
			first := ask()
			require.Len(t, first.uses(), 2, first)
			assert.Equal(t, "tool_use", first.stop)
			assert.Equal(t, "Let me see.", first.text())
			assert.Positive(t, first.usage["output_tokens"])
			assert.Positive(t, first.usage["input_tokens"])
			for _, block := range first.content {
				if block["name"] == "Bash" {
					assert.Equal(t, object{"command": `ls -l "ä"`}, block["input"])
				}
				if block["name"] == "Read" {
					assert.Equal(t, object{"command": "x", "line": 7.0}, block["input"])
				}
			}

			ids := first.uses()
			said := object{"role": "assistant", "content": first.content}
			answered := object{"role": "user", "content": []object{result(ids[0], "result-one"), result(ids[1], "result-two")}}
			second := ask(said, answered)
			require.Len(t, second.uses(), 1, second)
			assert.NotContains(t, ids, second.uses()[0], "ids are never given twice in a conversation")

			third := ask(said, answered, object{"role": "assistant", "content": second.content},
				object{"role": "user", "content": []object{result(second.uses()[0], "result-three")}})
			assert.Equal(t, "All three are done.", third.text())
			assert.Equal(t, "end_turn", third.stop)

			requests := fake.Requests()
			require.Len(t, requests, 3, "nothing is asked twice")
			asked := string(requests[2].Body)
			requireInOrder(t, asked, "Please do it.", "Let me see.", "result-one", "result-two", "result-three")
			assert.Contains(t, asked, "mcp__docs__search", "deferred tools are tools")
			assert.Contains(t, asked, thinksHard[kind])
			if kind == fakeprovider.Anthropic {
				assert.Equal(t, claudeHeaders[len(claudeHeaders)-1], requests[2].Header.Get("anthropic-beta"))
				assert.Contains(t, asked, `"signature"`)
			}
			if kind == fakeprovider.Gemini {
				assert.Equal(t, 2, strings.Count(asked, fakeSignature), "each turn's calls are signed, and the SDK's language keeps it")
			}
			h.settledCall()
			requireBooksMatch(t, h, fake)
		})
	}
}

// fakeSignature is what the fakes sign with.
const fakeSignature = "ZmFrZS1zaWduYXR1cmU="

func requireInOrder(t *testing.T, text string, parts ...string) {
	t.Helper()
	places := make([]int, len(parts))
	for i, p := range parts {
		places[i] = strings.Index(text, p)
		require.GreaterOrEqual(t, places[i], 0, "%s is missing", p)
	}
	require.True(t, slices.IsSorted(places), fmt.Sprint(places))
}
