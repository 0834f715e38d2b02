package fakeprovider

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

var responsesFields = set("background", "conversation", "include", "input", "instructions", "max_output_tokens", "max_tool_calls", "metadata",
	"model", "parallel_tool_calls", "previous_response_id", "prompt", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention",
	"reasoning", "safety_identifier", "service_tier", "store", "stream", "stream_options", "temperature", "text", "tool_choice", "tools",
	"top_logprobs", "top_p", "truncation", "user", "client_metadata")

var responsesItemFields = map[string]map[string]bool{
	"message":              set("type", "id", "role", "content", "status", "phase"),
	"function_call":        set("type", "id", "call_id", "name", "namespace", "arguments", "status"),
	"function_call_output": set("type", "id", "call_id", "output", "status"),
	"reasoning":            set("type", "id", "summary", "content", "encrypted_content", "status"),
}

// minOutput is the least that the API takes for max_output_tokens.
const minOutput = 16

func (l *responsesAPI) read(r *http.Request, body object, serves func(string) bool) (*turn, *fixed) {
	if body == nil {
		return nil, l.bad("", "", "We could not parse the JSON body of your request. The body must be a JSON object.")
	}
	if name, found := firstUnknown(body, responsesFields); found {
		return nil, l.bad(name, "unknown_parameter", "Unknown parameter: '%s'.", name)
	}
	t := &turn{model: text(body["model"]), n: 1, store: body["store"] != false, key: bearer(r), request: body, includeUsage: true, lastIsUser: true}
	switch {
	case t.model == "":
		return nil, l.bad("model", "missing_required_parameter", "Missing required parameter: 'model'.")
	case !serves(t.model):
		return nil, openAIUnknownModel(t.model)
	}
	t.stream, _ = body["stream"].(bool)
	if v, given := body["max_output_tokens"]; given && v != nil {
		n, ok := integer(v)
		if !ok || n < minOutput {
			return nil, l.bad("max_output_tokens", "integer_below_min_value", "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= %d.", minOutput)
		}
		t.limit = n
	}
	for _, what := range list(body["include"]) {
		t.sealed = t.sealed || what == "reasoning.encrypted_content"
	}
	t.thinking = dict(body["reasoning"])["effort"] != nil
	calls := map[string]bool{}
	if id := text(body["previous_response_id"]); id != "" {
		before := l.find(r, id)
		if before == nil {
			return nil, l.bad("previous_response_id", "previous_response_not_found", "Previous response with id '%s' not found.", id)
		}
		t.items = append(t.items, before.items...)
		for _, it := range before.body["output"].([]object) {
			t.items = append(t.items, it)
			calls[text(it["call_id"])] = true
		}
		t.promptBytes += len(encode(t.items))
	}
	t.addText(text(body["instructions"]))
	for _, check := range []func() *fixed{
		func() *fixed { return l.tools(t, body) },
		func() *fixed { return l.textFormat(t, body) },
		func() *fixed { return l.input(t, body["input"], calls) },
	} {
		if f := check(); f != nil {
			return nil, f
		}
	}
	return t, nil
}

func (l *responsesAPI) tools(t *turn, body object) *fixed {
	for i, v := range list(body["tools"]) {
		tool := dict(v)
		at := fmt.Sprintf("tools[%d]", i)
		switch text(tool["type"]) {
		case "function":
			if !openAIName.MatchString(text(tool["name"])) {
				return l.bad(at+".name", "invalid_value", "Invalid '%s.name': string does not match pattern.", at)
			}
			if _, ok := tool["parameters"]; !ok {
				return l.bad(at+".parameters", "missing_required_parameter", "Missing required parameter: '%s.parameters'.", at)
			}
			t.tools = append(t.tools, text(tool["name"]))
		case "custom", "namespace", "web_search", "web_search_preview":
		default:
			return l.bad(at+".type", "invalid_value", "Invalid value: '%v'.", tool["type"])
		}
	}
	switch choice := body["tool_choice"].(type) {
	case string:
		t.toolsOff = choice == "none"
		if choice == "required" {
			t.forced = "*"
		}
	case object:
		t.forced = text(choice["name"])
		if !slices.Contains(t.tools, t.forced) {
			return l.bad("tool_choice", "invalid_value", "Tool choice '%s' not found in 'tools' parameter.", t.forced)
		}
	}
	t.oneTool = body["parallel_tool_calls"] == false
	return nil
}

func (l *responsesAPI) textFormat(t *turn, body object) *fixed {
	format := dict(dict(body["text"])["format"])
	if text(format["type"]) != "json_schema" {
		return nil
	}
	if text(format["name"]) == "" {
		return l.bad("text.format.name", "missing_required_parameter", "Missing required parameter: 'text.format.name'.")
	}
	if t.schema = dict(format["schema"]); t.schema == nil {
		return l.bad("text.format.schema", "missing_required_parameter", "Missing required parameter: 'text.format.schema'.")
	}
	return nil
}

func (l *responsesAPI) input(t *turn, input any, calls map[string]bool) *fixed {
	if s, ok := input.(string); ok {
		input = []any{object{"type": "message", "role": "user", "content": s}}
	}
	if len(list(input)) == 0 {
		return l.bad("input", "missing_required_parameter", "Missing required parameter: 'input'.")
	}
	for i, v := range list(input) {
		item, at := dict(v), fmt.Sprintf("input[%d]", i)
		if text(item["type"]) == "item_reference" {
			if item = l.storedItem(t.key, text(item["id"])); item == nil {
				return openAIError(http.StatusNotFound, "invalid_request_error", "", "input", "Item with id '"+text(dict(v)["id"])+"' not found.")
			}
			if item["type"] == "reasoning" { // a stored thought needs no seal
				t.items = append(t.items, item)
				continue
			}
		}
		kind := orElse(text(item["type"]), "message")
		known, ok := responsesItemFields[kind]
		if !ok {
			return l.bad(at, "invalid_value", "Invalid value: '%s'.", kind)
		}
		if name, found := firstUnknown(item, known); found {
			return l.bad(at+"."+name, "unknown_parameter", "Unknown parameter: '%s.%s'.", at, name)
		}
		if f := l.inputItem(t, at, kind, item, calls); f != nil {
			return f
		}
		t.items = append(t.items, item)
	}
	return nil
}

// storedItem finds an item of the answers that are stored under a key.
func (l *responsesAPI) storedItem(key, id string) object {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.stored {
		output, _ := s.body["output"].([]object)
		for _, item := range output {
			if s.key == key && item["id"] == id {
				return item
			}
		}
	}
	return nil
}

func (l *responsesAPI) inputItem(t *turn, at, kind string, item object, calls map[string]bool) *fixed {
	switch kind {
	case "message":
		return l.messageItem(t, at, item)
	case "function_call":
		if text(item["call_id"]) == "" || text(item["name"]) == "" {
			return l.bad(at, "missing_required_parameter", "Missing required parameter: '%s.call_id'.", at)
		}
		calls[text(item["call_id"])] = true
		t.addText(text(item["arguments"]))
	case "function_call_output":
		if !calls[text(item["call_id"])] {
			return l.bad("input", "", "No tool call found for function call output with call_id %s.", text(item["call_id"]))
		}
		t.lastText, t.lastIsUser = string(encode(item["output"])), false
		t.addText(t.lastText)
	case "reasoning":
		sealed := text(item["encrypted_content"])
		if sealed == "" {
			return openAIError(http.StatusNotFound, "invalid_request_error", "", "input", "Item with id '"+text(item["id"])+"' not found. Items are not persisted when `store` is set to false.")
		}
		if !strings.HasPrefix(sealed, "enc_fake_") {
			return l.bad("", "invalid_encrypted_content", "The encrypted content could not be verified.")
		}
	}
	return nil
}

// partRoles says which parts a message of a role may have.
var partRoles = map[string][]string{
	"user": {"input_text", "input_image", "input_file"}, "system": {"input_text"}, "developer": {"input_text"},
	"assistant": {"output_text", "refusal"},
}

func (l *responsesAPI) messageItem(t *turn, at string, item object) *fixed {
	role := text(item["role"])
	allowed, ok := partRoles[role]
	if !ok {
		return l.bad(at+".role", "invalid_value", "Invalid value: '%s'.", role)
	}
	said := text(item["content"])
	for i, v := range list(item["content"]) {
		part := dict(v)
		if kind := text(part["type"]); !slices.Contains(allowed, kind) {
			return l.bad(fmt.Sprintf("%s.content[%d]", at, i), "invalid_value", "Invalid value: '%s'. Supported values are: '%s'.", kind, strings.Join(allowed, "', '"))
		}
		said += text(part["text"]) + text(part["refusal"])
	}
	if role != "assistant" {
		t.lastText, t.lastIsUser = said, role == "user"
	}
	t.addText(said)
	return nil
}
