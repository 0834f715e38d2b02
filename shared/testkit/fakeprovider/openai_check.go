package fakeprovider

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

var openAIFields = set("messages", "model", "audio", "frequency_penalty", "function_call", "functions", "logit_bias",
	"logprobs", "max_completion_tokens", "max_tokens", "metadata", "modalities", "moderation", "n", "parallel_tool_calls",
	"prediction", "presence_penalty", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention",
	"reasoning_effort", "response_format", "safety_identifier", "seed", "service_tier", "stop", "store", "stream",
	"stream_options", "temperature", "tool_choice", "tools", "top_logprobs", "top_p", "user", "verbosity", "web_search_options")

var (
	openAIMessageFields = set("role", "content", "name", "tool_calls", "tool_call_id", "refusal", "audio", "function_call", "annotations",
		"reasoning_content", "reasoning") // annotations: callers send answers back as they came; reasoning: vendors take it back
	openAIReasoner = regexp.MustCompile(`^(o[134]|gpt-5)`)
	openAIName     = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)
)

// openAIRanges are the numbers with bounds that the API checks.
var openAIRanges = []struct {
	name    string
	low, up float64
	whole   bool
}{
	{"temperature", 0, 2, false}, {"top_p", 0, 1, false}, {"presence_penalty", -2, 2, false},
	{"frequency_penalty", -2, 2, false}, {"n", 1, 128, true}, {"top_logprobs", 0, 20, true},
	{"max_tokens", 1, 1 << 31, true}, {"max_completion_tokens", 1, 1 << 31, true},
}

// bad is the common refusal: param names the field.
func (openAI) bad(param, code, format string, args ...any) *fixed {
	return openAIError(http.StatusBadRequest, "invalid_request_error", code, param, fmt.Sprintf(format, args...))
}

func (l openAI) read(_ *http.Request, body object, serves func(string) bool) (*turn, *fixed) {
	if body == nil {
		return nil, l.bad("", "", "We could not parse the JSON body of your request. The body must be a JSON object.")
	}
	thinks := false
	if l.vendor != nil {
		var f *fixed
		if body, thinks, f = l.vendor.check(l, body); f != nil {
			return nil, f
		}
	}
	if name, found := firstUnknown(body, openAIFields); found {
		return nil, l.bad("", "", "Unrecognized request argument supplied: %s", name)
	}
	t := &turn{model: text(body["model"]), n: 1, thinking: thinks}
	if t.model == "" {
		return nil, l.bad("", "", "you must provide a model parameter")
	}
	if !serves(t.model) {
		return nil, openAIUnknownModel(t.model)
	}
	for _, check := range []func(*turn, object) *fixed{l.numbers, l.streaming, l.toolDefinitions, l.toolChoice, l.format, l.messages} {
		if f := check(t, body); f != nil {
			return nil, f
		}
	}
	if l.vendor != nil && l.vendor.quirks.NoStreamUsage { // they report it unasked
		t.includeUsage = t.stream
	}
	return t, nil
}

func (l openAI) numbers(t *turn, body object) *fixed {
	for _, r := range openAIRanges {
		v, given := body[r.name]
		if !given || v == nil {
			continue
		}
		n, ok := v.(float64)
		if _, whole := integer(v); !ok || (r.whole && !whole) {
			return l.bad(r.name, "invalid_type", "Invalid type for '%s': expected a number.", r.name)
		}
		if n < r.low {
			return l.bad(r.name, "decimal_below_min_value", "Invalid '%s': below minimum value. Expected a value >= %v, but got %v instead.", r.name, r.low, n)
		}
		if n > r.up {
			return l.bad(r.name, "decimal_above_max_value", "Invalid '%s': above maximum value. Expected a value <= %v, but got %v instead.", r.name, r.up, n)
		}
	}
	old, given := integer(body["max_tokens"])
	limit, alsoGiven := integer(body["max_completion_tokens"])
	if given && alsoGiven {
		return l.bad("max_tokens", "invalid_parameter_combination", "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.")
	}
	t.limit = old + limit
	if n, ok := integer(body["n"]); ok {
		t.n = int(n)
	}
	if openAIReasoner.MatchString(t.model) {
		if given {
			return l.bad("max_tokens", "unsupported_parameter", "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.")
		}
		if temp, ok := body["temperature"].(float64); ok && temp != 1 {
			return l.bad("temperature", "unsupported_value", "Unsupported value: 'temperature' does not support %v with this model. Only the default (1) value is supported.", temp)
		}
	}
	if body["top_logprobs"] != nil && body["logprobs"] != true {
		return l.bad("top_logprobs", "", "'top_logprobs' is only allowed when 'logprobs' is enabled.")
	}
	return nil
}

func (l openAI) streaming(t *turn, body object) *fixed {
	switch v := body["stream"].(type) {
	case nil:
	case bool:
		t.stream = v
	default:
		return l.bad("stream", "invalid_type", "Invalid type for 'stream': expected a boolean.")
	}
	raw, given := body["stream_options"]
	if !given || raw == nil {
		return nil
	}
	if !t.stream {
		return l.bad("stream_options", "", "The 'stream_options' parameter is only allowed when 'stream' is enabled.")
	}
	if name, found := firstUnknown(dict(raw), set("include_usage", "include_obfuscation")); found || dict(raw) == nil {
		return l.bad("stream_options."+name, "unknown_parameter", "Unknown parameter: 'stream_options.%s'.", name)
	}
	t.includeUsage, _ = dict(raw)["include_usage"].(bool)
	return nil
}

func (l openAI) toolDefinitions(t *turn, body object) *fixed {
	raw, given := body["tools"]
	if given && raw != nil && len(list(raw)) == 0 {
		return l.bad("tools", "empty_array", "Invalid 'tools': empty array. Expected an array with minimum length 1, but got an empty array instead.")
	}
	for i, v := range list(raw) {
		at := fmt.Sprintf("tools[%d]", i)
		tool := dict(v)
		if text(tool["type"]) != "function" {
			if text(tool["type"]) == "custom" && dict(tool["custom"]) != nil {
				continue
			}
			return l.bad(at+".type", "invalid_value", "Invalid value: '%s'. Supported values are: 'function' and 'custom'.", text(tool["type"]))
		}
		fn := dict(tool["function"])
		if name, found := firstUnknown(tool, set("type", "function")); found {
			return l.bad(at+"."+name, "unknown_parameter", "Unknown parameter: '%s.%s'.", at, name)
		}
		if name, found := firstUnknown(fn, set("name", "description", "parameters", "strict")); found {
			return l.bad(at+".function."+name, "unknown_parameter", "Unknown parameter: '%s.function.%s'.", at, name)
		}
		name := text(fn["name"])
		if !openAIName.MatchString(name) {
			return l.bad(at+".function.name", "invalid_value", "Invalid '%s.function.name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.", at)
		}
		if p, given := fn["parameters"]; given && p != nil {
			if f := l.schema(p, name, at+".function.parameters", fn["strict"] == true); f != nil {
				return f
			}
		}
		t.tools = append(t.tools, name)
	}
	return nil
}

// schema checks a function's parameters or an answer's format.
func (l openAI) schema(v any, name, param string, strict bool) *fixed {
	schema := dict(v)
	if text(schema["type"]) != "object" {
		return l.bad(param, "invalid_function_parameters", "Invalid schema for '%s': schema must be a JSON Schema of 'type: \"object\"'.", name)
	}
	if !strict {
		return nil
	}
	if why := notStrict(schema, 0); why != "" {
		return l.bad(param, "invalid_json_schema", "Invalid schema for '%s': %s.", name, why)
	}
	return nil
}

// notStrict says what keeps a schema from being usable in strict mode: each
// object lists all its members as required and allows no others.
func notStrict(schema object, depth int) string {
	if depth > 10 {
		return "too many levels of nesting"
	}
	if props := dict(schema["properties"]); props != nil || text(schema["type"]) == "object" {
		if schema["additionalProperties"] != false {
			return "'additionalProperties' is required to be supplied and to be false"
		}
		required := list(schema["required"])
		if len(required) != len(props) {
			return "'required' is required to be supplied and to be an array including every key in properties"
		}
		for _, sub := range props {
			if why := notStrict(dict(sub), depth+1); why != "" {
				return why
			}
		}
	}
	if items := dict(schema["items"]); items != nil {
		return notStrict(items, depth+1)
	}
	return ""
}

func (l openAI) toolChoice(t *turn, body object) *fixed {
	hasTools := len(list(body["tools"])) > 0
	if v, given := body["parallel_tool_calls"]; given && v != nil {
		if !hasTools {
			return l.bad("parallel_tool_calls", "", "'parallel_tool_calls' is only allowed when 'tools' are specified.")
		}
		t.oneTool = v == false
	}
	v, given := body["tool_choice"]
	if !given || v == nil || v == "none" {
		t.toolsOff = v == "none"
		return nil
	}
	if !hasTools {
		return l.bad("tool_choice", "", "'tool_choice' is only allowed when 'tools' are specified.")
	}
	switch v {
	case "auto":
		return nil
	case "required":
		t.forced = "*"
		return nil
	}
	name := text(dict(dict(v)["function"])["name"])
	for _, tool := range t.tools {
		if tool == name && text(dict(v)["type"]) == "function" {
			t.forced = name
			return nil
		}
	}
	return l.bad("tool_choice", "invalid_value", "Tool choice '%s' not found in 'tools' parameter.", name)
}

func (l openAI) format(t *turn, body object) *fixed {
	format := dict(body["response_format"])
	if format == nil {
		return nil
	}
	switch text(format["type"]) {
	case "text":
		return nil
	case "json_object":
		if !strings.Contains(strings.ToLower(string(encode(body["messages"]))), "json") {
			return l.bad("messages", "", "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.")
		}
		t.schema = object{"type": "object"}
		return nil
	case "json_schema":
		js := dict(format["json_schema"])
		if !openAIName.MatchString(text(js["name"])) {
			return l.bad("response_format.json_schema.name", "missing_required_parameter", "Missing required parameter: 'response_format.json_schema.name'.")
		}
		if name, found := firstUnknown(js, set("name", "description", "schema", "strict")); found {
			return l.bad("response_format.json_schema."+name, "unknown_parameter", "Unknown parameter: 'response_format.json_schema.%s'.", name)
		}
		t.schema = dict(js["schema"])
		return l.schema(js["schema"], text(js["name"]), "response_format", js["strict"] == true)
	}
	return l.bad("response_format.type", "invalid_value", "Invalid value: '%s'. Supported values are: 'json_object', 'json_schema', and 'text'.", text(format["type"]))
}
