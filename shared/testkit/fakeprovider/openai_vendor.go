package fakeprovider

import (
	"fmt"
	"slices"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
)

// vendor plays what a vendor that speaks OpenAI's language refuses, so that a
// request which does not keep to its quirks gets 400.
type vendor struct{ quirks dialect.Quirks }

// check refuses what the vendor refuses, and takes out what it has beyond the
// language or under another name, for the checks of the language itself.
func (v vendor) check(l openAI, body object) (cleaned object, thinks bool, f *fixed) {
	q := v.quirks
	bad := func(param, format string, args ...any) (object, bool, *fixed) {
		return nil, false, l.bad(param, "unsupported_parameter", format, args...)
	}
	out := object{}
	for name, value := range body {
		own := ""
		for canonical, renamed := range q.Renames {
			if renamed == name {
				own = canonical
			}
		}
		switch {
		case own != "":
			out[own] = value
		case q.Renames[name] != "", slices.Contains(q.Refuses, name), q.MaxTokensField == "max_tokens" && name == "max_completion_tokens",
			q.NoStreamUsage && name == "stream_options":
			return bad(name, "property '%s' is unsupported", name)
		case name == string(q.ThinkingSwitch):
			thinks = value == true || text(dict(value)["type"]) == "enabled"
		case name == "thinking_budget" && q.ThinkingSwitch == dialect.SwitchEnable, slices.Contains(q.Takes, name):
		default:
			out[name] = value
		}
	}
	if effort := text(body["reasoning_effort"]); effort != "" {
		if q.Efforts != nil && !slices.Contains(q.Efforts, effort) {
			return bad("reasoning_effort", "reasoning_effort '%s' is unsupported", effort)
		}
		thinks = thinks || effort != "none"
	}
	if param, why := v.tools(body); param != "" {
		return bad(param, "%s", why)
	}
	if param, why := v.format(body, out); param != "" {
		return bad(param, "%s", why)
	}
	messages, param, why := v.messages(list(body["messages"]))
	if param != "" {
		return bad(param, "%s", why)
	}
	out["messages"] = messages
	return out, thinks, nil
}

func (v vendor) tools(body object) (param, why string) {
	mode := text(body["tool_choice"])
	if dict(body["tool_choice"]) != nil {
		mode = "tool"
	}
	if mode != "" && v.quirks.ToolModes != nil && !slices.Contains(v.quirks.ToolModes, mode) {
		return "tool_choice", "tool_choice " + mode + " is unsupported"
	}
	for i, t := range list(body["tools"]) {
		if _, strict := dict(dict(t)["function"])["strict"]; strict && v.quirks.NoStrictTools {
			return fmt.Sprintf("tools[%d].function.strict", i), "strict is unsupported"
		}
	}
	return "", ""
}

func (v vendor) format(body, out object) (param, why string) {
	format := dict(body["response_format"])
	switch {
	case text(format["type"]) == "json_schema" && (v.quirks.NoJSONSchema || v.quirks.SchemaInObject):
		return "response_format", "response_format json_schema is unsupported"
	case v.quirks.SchemaInObject && format["schema"] != nil:
		out["response_format"] = object{"type": "json_schema", "json_schema": object{"name": "own", "schema": format["schema"]}}
	}
	return "", ""
}

func (v vendor) messages(in []any) (out []any, param, why string) {
	for i, m := range in {
		at, msg := fmt.Sprintf("messages.[%d]", i), dict(m)
		for _, field := range []string{"reasoning_content", "reasoning"} {
			if msg[field] != nil && v.quirks.ReasoningField != field {
				return nil, at + "." + field, field + " is unsupported"
			}
		}
		switch {
		case msg["name"] != nil && v.quirks.NoNames:
			return nil, at + ".name", "name is unsupported"
		case text(msg["role"]) == "developer" && v.quirks.NoDeveloper:
			return nil, at + ".role", "role developer is unsupported"
		}
		copied := object{}
		for name, value := range msg {
			copied[name] = value
		}
		if parts := list(msg["content"]); v.quirks.ReasoningField == dialect.ThinkingParts && len(parts) > 0 {
			copied["content"] = slices.DeleteFunc(slices.Clone(parts), func(p any) bool { return text(dict(p)["type"]) == "thinking" })
		}
		out = append(out, copied)
	}
	return out, "", ""
}

// thought puts thinking into a message or a piece of one.
func (l openAI) thought(message object, thinking string) {
	if l.vendor == nil || l.vendor.quirks.ReasoningField != dialect.ThinkingParts {
		message[l.reasoningField] = thinking
		return
	}
	parts := []any{object{"type": "thinking", "thinking": []any{object{"type": "text", "text": thinking}}}}
	if said := text(message["content"]); said != "" {
		parts = append(parts, object{"type": "text", "text": said})
	}
	message["content"] = parts
}
