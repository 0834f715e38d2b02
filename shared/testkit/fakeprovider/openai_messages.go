package fakeprovider

import (
	"fmt"
	"slices"
	"strings"
)

// openAIParts lists the content part types that each role may send.
var openAIParts = map[string][]string{
	"system": {"text"}, "developer": {"text"}, "tool": {"text"},
	"user":      {"text", "image_url", "input_audio", "file"},
	"assistant": {"text", "refusal"},
}

func (l openAI) messages(t *turn, body object) *fixed {
	messages := list(body["messages"])
	if len(messages) == 0 {
		return l.bad("messages", "empty_array", "Invalid 'messages': empty array. Expected an array with minimum length 1.")
	}
	var open []string // calls that still lack their result
	for i, v := range messages {
		at := fmt.Sprintf("messages.[%d]", i)
		m := dict(v)
		role := text(m["role"])
		if openAIParts[role] == nil {
			return l.bad(at+".role", "invalid_value", "Invalid value: '%s'. Supported values are: 'system', 'assistant', 'user', 'tool', and 'developer'.", role)
		}
		if name, found := firstUnknown(m, openAIMessageFields); found {
			return l.bad(at+"."+name, "unknown_parameter", "Unknown parameter: '%s.%s'.", at, name)
		}
		if role == "tool" {
			at2 := slices.Index(open, text(m["tool_call_id"]))
			if at2 < 0 {
				return l.bad(at+".role", "", "Invalid parameter: messages with role 'tool' must be a response to a preceding message with 'tool_calls'.")
			}
			open = slices.Delete(open, at2, at2+1)
		} else if len(open) > 0 {
			return l.unanswered(at, open)
		}
		said, f := l.content(t, m, role, at)
		if f != nil {
			return f
		}
		t.lastText, t.lastIsUser = said, role == "user"
		if role == "assistant" {
			if open, f = l.calls(t, m, at); f != nil {
				return f
			}
		}
	}
	if len(open) > 0 {
		return l.unanswered("messages", open)
	}
	return nil
}

func (l openAI) unanswered(at string, ids []string) *fixed {
	return l.bad(at, "", "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. "+
		"The following tool_call_ids did not have response messages: %s", strings.Join(ids, ", "))
}

// content checks a message's content, counts its texts and returns them.
func (l openAI) content(t *turn, m object, role, at string) (string, *fixed) {
	switch c := m["content"].(type) {
	case string:
		t.addText(c)
		return c, nil
	case nil:
		if role == "assistant" && (len(list(m["tool_calls"])) > 0 || m["refusal"] != nil) {
			return "", nil
		}
		return "", l.bad(at+".content", "invalid_type", "Invalid value for 'content': expected a string, got null.")
	case []any:
		if len(c) == 0 {
			return "", l.bad(at+".content", "empty_array", "Invalid '%s.content': empty array.", at)
		}
		said := ""
		for i, v := range c {
			part := dict(v)
			kind := text(part["type"])
			if !slices.Contains(openAIParts[role], kind) {
				return "", l.bad(fmt.Sprintf("%s.content.[%d].type", at, i), "invalid_value", "Invalid content part type '%s' for role '%s'.", kind, role)
			}
			if f := l.part(part, kind, fmt.Sprintf("%s.content.[%d]", at, i)); f != nil {
				return "", f
			}
			said += text(part["text"])
		}
		t.addText(said)
		return said, nil
	}
	return "", l.bad(at+".content", "invalid_type", "Invalid type for '%s.content': expected a string or an array of objects.", at)
}

func (l openAI) part(part object, kind, at string) *fixed {
	switch kind {
	case "text":
		if _, ok := part["text"].(string); !ok {
			return l.bad(at+".text", "missing_required_parameter", "Missing required parameter: '%s.text'.", at)
		}
	case "image_url":
		url := text(dict(part["image_url"])["url"])
		if !strings.HasPrefix(url, "https://") && !strings.HasPrefix(url, "http://") && !strings.HasPrefix(url, "data:image/") {
			return l.bad(at+".image_url.url", "invalid_value", "Invalid image URL: expected an http(s) URL or a data URL with an image media type.")
		}
	case "input_audio":
		if format := text(dict(part["input_audio"])["format"]); format != "wav" && format != "mp3" {
			return l.bad(at+".input_audio.format", "invalid_value", "Invalid value: '%s'. Supported values are: 'wav' and 'mp3'.", format)
		}
	case "file":
		file := dict(part["file"])
		if text(file["file_id"]) == "" && text(file["file_data"]) == "" {
			return l.bad(at+".file", "missing_required_parameter", "Missing required parameter: '%s.file.file_id'.", at)
		}
	}
	return nil
}

// calls checks an assistant message's tool calls and returns their ids.
func (l openAI) calls(t *turn, m object, at string) ([]string, *fixed) {
	raw, given := m["tool_calls"]
	if !given || raw == nil {
		return nil, nil
	}
	if len(list(raw)) == 0 {
		return nil, l.bad(at+".tool_calls", "empty_array", "Invalid '%s.tool_calls': empty array.", at)
	}
	var ids []string
	for i, v := range list(raw) {
		call := dict(v)
		fn := dict(call["function"])
		where := fmt.Sprintf("%s.tool_calls.[%d]", at, i)
		args, ok := fn["arguments"].(string)
		if !ok {
			return nil, l.bad(where+".function.arguments", "invalid_type", "Invalid type for '%s.function.arguments': expected a string.", where)
		}
		if text(call["id"]) == "" || text(call["type"]) != "function" || !openAIName.MatchString(text(fn["name"])) {
			return nil, l.bad(where, "missing_required_parameter", "Missing or invalid member of '%s': id, type and function.name are required.", where)
		}
		t.addText(args)
		ids = append(ids, text(call["id"]))
	}
	return ids, nil
}

// callID makes the id of a call that the script does not name.
func callID(prefix string, a *reply, c ToolCall, choice, index int) string {
	if c.ID != "" && choice == 0 {
		return c.ID
	}
	return fmt.Sprintf("%sfake%s_%d_%d", prefix, a.id, choice, index)
}
