package fakeprovider

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

var (
	anthropicFields = set("model", "messages", "max_tokens", "cache_control", "container", "diagnostics", "inference_geo",
		"metadata", "output_config", "service_tier", "speed", "stop_sequences", "stream", "system", "temperature", "thinking",
		"tool_choice", "tools", "top_k", "top_p", "user_profile_id", "workspace_id")
	// anthropicBeta needs an anthropic-beta header.
	anthropicBeta     = set("context_management", "mcp_servers", "output_format", "betas")
	anthropicOwnTool  = regexp.MustCompile(`^[a-z_]+_\d{8}$`) // tools the provider defines, such as web_search_20250305
	anthropicToolName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,128}$`)
)

const maxBreakpoints = 4 // cache_control marks in one request

func (anthropic) bad(format string, args ...any) *fixed {
	return anthropicError(http.StatusBadRequest, "invalid_request_error", fmt.Sprintf(format, args...))
}

func (l anthropic) read(r *http.Request, body object, serves func(string) bool) (*turn, *fixed) {
	if body == nil {
		return nil, l.bad("The request body is not valid JSON")
	}
	known := anthropicFields
	if r.Header.Get("Anthropic-Beta") != "" {
		known = set()
		for _, m := range []map[string]bool{anthropicFields, anthropicBeta} {
			for name := range m {
				known[name] = true
			}
		}
	}
	if name, found := firstUnknown(body, known); found {
		return nil, l.bad("%s: Extra inputs are not permitted", name)
	}
	t := &turn{model: text(body["model"]), n: 1}
	if t.model == "" {
		return nil, l.bad("model: Field required")
	}
	for _, check := range []func(*turn, object) *fixed{l.numbers, l.thinking, l.toolDefinitions, l.toolChoice, l.output, l.system, l.messages} {
		if f := check(t, body); f != nil {
			return nil, f
		}
	}
	if n := strings.Count(string(encode(body)), `"cache_control":{`); n > maxBreakpoints {
		return nil, l.bad("A maximum of %d blocks with cache_control may be provided. Found %d.", maxBreakpoints, n)
	}
	if !serves(t.model) {
		return nil, anthropicError(http.StatusNotFound, "not_found_error", "model: "+t.model)
	}
	return t, nil
}

func (l anthropic) numbers(t *turn, body object) *fixed {
	limit, ok := integer(body["max_tokens"])
	switch _, given := body["max_tokens"]; {
	case !given:
		return l.bad("max_tokens: Field required")
	case !ok:
		return l.bad("max_tokens: Input should be a valid integer")
	case limit < 1:
		return l.bad("max_tokens: Input should be greater than or equal to 1")
	}
	t.limit = limit
	for _, name := range []string{"temperature", "top_p"} {
		v, given := body[name]
		if !given {
			continue
		}
		if n, ok := v.(float64); !ok || n < 0 || n > 1 {
			return l.bad("%s: range: 0..1", name)
		}
	}
	if v, given := body["top_k"]; given {
		if n, ok := integer(v); !ok || n < 0 {
			return l.bad("top_k: Input should be a non-negative integer")
		}
	}
	if v, given := body["stream"]; given {
		stream, ok := v.(bool)
		if !ok {
			return l.bad("stream: Input should be a valid boolean")
		}
		t.stream = stream
	}
	for i, v := range list(body["stop_sequences"]) {
		if strings.TrimSpace(text(v)) == "" {
			return l.bad("stop_sequences.%d: each stop sequence must contain non-whitespace", i)
		}
	}
	if meta := dict(body["metadata"]); meta != nil {
		if name, found := firstUnknown(meta, set("user_id")); found {
			return l.bad("metadata.%s: Extra inputs are not permitted", name)
		}
	}
	return nil
}

func (l anthropic) thinking(t *turn, body object) *fixed {
	raw, given := body["thinking"]
	if !given {
		return nil
	}
	think := dict(raw)
	if name, found := firstUnknown(think, set("type", "budget_tokens", "display")); found {
		return l.bad("thinking.%s: Extra inputs are not permitted", name)
	}
	switch text(think["type"]) {
	case "disabled":
		return nil
	case "adaptive":
	case "enabled":
		budget, ok := integer(think["budget_tokens"])
		if !ok {
			return l.bad("thinking.enabled.budget_tokens: Field required")
		}
		if budget < 1024 {
			return l.bad("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
		}
		if budget >= t.limit {
			return l.bad("`max_tokens` must be greater than `thinking.budget_tokens`.")
		}
	default:
		return l.bad("thinking: Input tag '%s' found using 'type' does not match any of the expected tags: 'disabled', 'enabled', 'adaptive'", text(think["type"]))
	}
	t.thinking = true
	if temp, given := body["temperature"].(float64); given && temp != 1 {
		return l.bad("`temperature` may only be set to 1 when thinking is enabled.")
	}
	if _, given := body["top_k"]; given {
		return l.bad("`top_k` must be unset when thinking is enabled.")
	}
	if p, given := body["top_p"].(float64); given && p < 0.95 {
		return l.bad("`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled.")
	}
	return nil
}

func (l anthropic) toolDefinitions(t *turn, body object) *fixed {
	for i, v := range list(body["tools"]) {
		tool := dict(v)
		name := text(tool["name"])
		if kind := text(tool["type"]); kind != "" && kind != "custom" {
			if !anthropicOwnTool.MatchString(kind) {
				return l.bad("tools.%d: Input tag '%s' found using 'type' does not match any of the expected tags: 'custom', 'web_search_20250305', …", i, kind)
			}
			continue
		}
		if field, found := firstUnknown(tool, set("type", "name", "description", "input_schema", "cache_control",
			"strict", "defer_loading", "eager_input_streaming", "input_examples", "allowed_callers")); found {
			return l.bad("tools.%d.custom.%s: Extra inputs are not permitted", i, field)
		}
		if !anthropicToolName.MatchString(name) {
			return l.bad("tools.%d.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'", i)
		}
		if dict(tool["input_schema"]) == nil {
			return l.bad("tools.%d.custom.input_schema: Field required", i)
		}
		if text(dict(tool["input_schema"])["type"]) != "object" {
			return l.bad("tools.%d.custom.input_schema.type: Input should be 'object'", i)
		}
		for _, other := range t.tools {
			if other == name {
				return l.bad("tools: Tool names must be unique.")
			}
		}
		t.tools = append(t.tools, name)
	}
	return nil
}

func (l anthropic) toolChoice(t *turn, body object) *fixed {
	raw, given := body["tool_choice"]
	if !given {
		return nil
	}
	choice := dict(raw)
	if name, found := firstUnknown(choice, set("type", "name", "disable_parallel_tool_use")); found {
		return l.bad("tool_choice.%s: Extra inputs are not permitted", name)
	}
	if len(list(body["tools"])) == 0 {
		return l.bad("tool_choice may only be specified while providing tools.")
	}
	t.oneTool, _ = choice["disable_parallel_tool_use"].(bool)
	kind := text(choice["type"])
	if t.thinking && (kind == "any" || kind == "tool") {
		return l.bad("Thinking may not be enabled when tool_choice forces tool use.")
	}
	switch kind {
	case "auto":
	case "none":
		t.toolsOff = true
	case "any":
		t.forced = "*"
	case "tool":
		t.forced = text(choice["name"])
		for _, tool := range t.tools {
			if tool == t.forced {
				return nil
			}
		}
		return l.bad("Tool '%s' not found in provided tools", t.forced)
	default:
		return l.bad("tool_choice: Input tag '%s' found using 'type' does not match any of the expected tags: 'auto', 'any', 'tool', 'none'", kind)
	}
	return nil
}

func (l anthropic) output(t *turn, body object) *fixed {
	config := dict(body["output_config"])
	if name, found := firstUnknown(config, set("effort", "format", "task_budget")); found {
		return l.bad("output_config.%s: Extra inputs are not permitted", name)
	}
	format := dict(config["format"])
	if old := dict(body["output_format"]); old != nil {
		format = old
	}
	if format == nil {
		return nil
	}
	if text(format["type"]) != "json_schema" || dict(format["schema"]) == nil {
		return l.bad("output_config.format: Input should be a json_schema with a schema")
	}
	t.schema = dict(format["schema"])
	if text(t.schema["type"]) == "object" && t.schema["additionalProperties"] != false {
		return l.bad("output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false")
	}
	return nil
}

func (l anthropic) system(t *turn, body object) *fixed {
	switch s := body["system"].(type) {
	case nil:
		if _, given := body["system"]; given {
			return l.bad("system: Input should be a valid list")
		}
	case string:
		t.addText(s)
	case []any:
		for i, v := range s {
			block := dict(v)
			if text(block["type"]) != "text" {
				return l.bad("system.%d: Input tag '%s' found using 'type' does not match any of the expected tags: 'text'", i, text(block["type"]))
			}
			if text(block["text"]) == "" {
				return l.bad("system.%d: text content blocks must be non-empty", i)
			}
			t.addText(text(block["text"]))
		}
	default:
		return l.bad("system: Input should be a valid list")
	}
	return nil
}
