package fakeprovider

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// anthropicRoles lists the content block types that each role may send.
var anthropicRoles = map[string][]string{
	"user": {"text", "image", "document", "search_result", "tool_result", "container_upload"},
	"assistant": {"text", "tool_use", "thinking", "redacted_thinking", "server_tool_use", "web_search_tool_result",
		"web_fetch_tool_result", "code_execution_tool_result", "mcp_tool_use", "mcp_tool_result"},
	// Newer models take system messages between the turns, never as the first.
	"system": {"text"},
}

var anthropicImages = []string{"image/jpeg", "image/png", "image/gif", "image/webp"}

// anthropicTurns walks through the messages.
type anthropicTurns struct {
	anthropic
	t        *turn
	open     []string // tool_use ids of the assistant turn just before
	toolsSet bool
}

func (l anthropic) messages(t *turn, body object) *fixed {
	messages := list(body["messages"])
	if len(messages) == 0 {
		return l.bad("messages: at least one message is required")
	}
	w := &anthropicTurns{anthropic: l, t: t, toolsSet: len(list(body["tools"])) > 0}
	for i, v := range messages {
		if f := w.message(i, dict(v), i == len(messages)-1); f != nil {
			return f
		}
	}
	if len(w.open) > 0 {
		return w.unanswered(len(messages) - 1)
	}
	return nil
}

func (w *anthropicTurns) message(i int, m object, last bool) *fixed {
	at := fmt.Sprintf("messages.%d", i)
	role := text(m["role"])
	if name, found := firstUnknown(m, set("role", "content")); found {
		return w.bad("%s.%s: Extra inputs are not permitted", at, name)
	}
	if anthropicRoles[role] == nil {
		return w.bad("messages: Unexpected role %q. Allowed roles are \"user\" or \"assistant\"", role)
	}
	if i == 0 && role == "system" {
		return w.bad("messages: Unexpected role \"system\". The Messages API accepts a top-level `system` parameter, not \"system\" as the first message role.")
	}
	if i == 0 && role != "user" {
		return w.bad("messages: first message must use the \"user\" role")
	}
	blocks, f := w.blocks(at, m["content"], role == "assistant" && last)
	if f != nil {
		return f
	}
	said, answered, calls := "", []string{}, []string{}
	for k, block := range blocks {
		where := fmt.Sprintf("%s.content.%d", at, k)
		kind := text(block["type"])
		if !slices.Contains(anthropicRoles[role], kind) {
			return w.bad("%s: `%s` blocks are not allowed in %s messages", where, kind, role)
		}
		if f := w.block(where, kind, block); f != nil {
			return f
		}
		switch kind {
		case "tool_result":
			if k > 0 && text(blocks[k-1]["type"]) != "tool_result" {
				return w.bad("%s: `tool_result` blocks must come first in the content of a message", where)
			}
			answered = append(answered, text(block["tool_use_id"]))
			said += resultText(block["content"])
		case "tool_use":
			calls = append(calls, text(block["id"]))
			w.t.addText(string(encode(block["input"])))
		case "text":
			said += text(block["text"])
		}
	}
	w.t.addText(said)
	if f := w.match(i, role, answered); f != nil {
		return f
	}
	w.open = calls
	w.t.lastText, w.t.lastIsUser = said, role == "user" && len(answered) == 0
	return w.ending(role, said, last)
}

// match checks a message's results against the calls of the turn before.
func (w *anthropicTurns) match(i int, role string, answered []string) *fixed {
	for _, id := range answered {
		if !slices.Contains(w.open, id) {
			return w.bad("messages.%d.content.0: unexpected `tool_use_id` found in `tool_result` blocks: %s. Each `tool_result` block must have a corresponding `tool_use` block in the previous message.", i, id)
		}
	}
	if len(answered) < len(w.open) {
		return w.unanswered(i - 1)
	}
	return nil
}

func (w *anthropicTurns) unanswered(i int) *fixed {
	return w.bad("messages.%d: `tool_use` ids were found without `tool_result` blocks immediately after: %s. Each `tool_use` block must have a corresponding `tool_result` block in the next message.", i, strings.Join(w.open, ", "))
}

// ending checks a prefilled answer.
func (w *anthropicTurns) ending(role, said string, last bool) *fixed {
	if role != "assistant" || !last || len(w.open) > 0 {
		return nil
	}
	if w.t.thinking {
		return w.bad("messages: the final assistant content cannot be prefilled when thinking is enabled")
	}
	if said != strings.TrimRight(said, " \t\r\n") {
		return w.bad("messages: final assistant content cannot end with trailing whitespace")
	}
	return nil
}

func (w *anthropicTurns) blocks(at string, v any, mayBeEmpty bool) ([]object, *fixed) {
	var blocks []object
	switch c := v.(type) {
	case string:
		if c != "" {
			blocks = append(blocks, object{"type": "text", "text": c})
		}
	case []any:
		for _, b := range c {
			blocks = append(blocks, dict(b))
		}
	default:
		return nil, w.bad("%s.content: Field required", at)
	}
	if len(blocks) == 0 && !mayBeEmpty {
		return nil, w.bad("%s: all messages must have non-empty content except for the optional final assistant message", at)
	}
	return blocks, nil
}

func (w *anthropicTurns) block(at, kind string, block object) *fixed {
	switch kind {
	case "text":
		if name, found := firstUnknown(block, set("type", "text", "cache_control", "citations")); found {
			return w.bad("%s.text.%s: Extra inputs are not permitted", at, name)
		}
		if text(block["text"]) == "" {
			return w.bad("%s: text content blocks must be non-empty", at)
		}
	case "thinking":
		if text(block["signature"]) == "" {
			return w.bad("%s.thinking.signature: Field required", at)
		}
	case "image":
		return w.image(at, dict(block["source"]))
	case "tool_use":
		if !w.toolsSet {
			return w.bad("Requests which have `tool_use` or `tool_result` blocks in messages must define tools.")
		}
		if dict(block["input"]) == nil {
			return w.bad("%s.tool_use.input: Input should be a valid dictionary", at)
		}
		if text(block["id"]) == "" || text(block["name"]) == "" {
			return w.bad("%s.tool_use: id and name are required", at)
		}
	case "tool_result":
		if name, found := firstUnknown(block, set("type", "tool_use_id", "content", "is_error", "cache_control")); found {
			return w.bad("%s.tool_result.%s: Extra inputs are not permitted", at, name)
		}
	}
	return nil
}

func (w *anthropicTurns) image(at string, source object) *fixed {
	switch text(source["type"]) {
	case "base64":
		if !slices.Contains(anthropicImages, text(source["media_type"])) {
			return w.bad("%s.image.source.base64.media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'", at)
		}
		if text(source["data"]) == "" {
			return w.bad("%s.image.source.base64.data: Field required", at)
		}
	case "url":
		if !strings.HasPrefix(text(source["url"]), "https://") {
			return w.bad("%s.image.source.url: Only HTTPS URLs are supported.", at)
		}
	case "file":
	default:
		return w.bad("%s.image.source: Input tag '%s' found using 'type' does not match any of the expected tags: 'base64', 'url', 'file'", at, text(source["type"]))
	}
	return nil
}

// resultText joins the texts of a tool's result.
func resultText(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	said := ""
	for _, b := range list(v) {
		said += text(dict(b)["text"])
	}
	return said
}

// arguments decodes a scripted call's arguments; what is no object becomes {}.
func arguments(c ToolCall) any {
	var v map[string]any
	if json.Unmarshal([]byte(c.Arguments), &v) != nil || v == nil {
		return object{}
	}
	return v
}
