package fakeprovider

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

var (
	geminiFields = set("contents", "tools", "toolConfig", "safetySettings", "systemInstruction", "generationConfig",
		"cachedContent", "model", "serviceTier", "store", "labels")
	geminiConfig = set("temperature", "topP", "topK", "candidateCount", "maxOutputTokens", "stopSequences", "responseMimeType",
		"responseSchema", "responseJsonSchema", "_responseJsonSchema", "presencePenalty", "frequencyPenalty", "seed",
		"responseLogprobs", "logprobs", "thinkingConfig", "responseModalities", "speechConfig", "mediaResolution", "imageConfig",
		"enableEnhancedCivicAnswers", "routingConfig", "audioTimestamp")
	geminiTools = set("functionDeclarations", "googleSearch", "googleSearchRetrieval", "codeExecution", "urlContext",
		"computerUse", "fileSearch", "googleMaps", "mcpServers")
	geminiFunction = set("name", "description", "parameters", "parametersJsonSchema", "response", "responseJsonSchema", "behavior")
	// geminiSchema is the API's own Schema message: a part of JSON Schema, without
	// $schema, additionalProperties, $ref, const or oneOf.
	geminiSchema = set("type", "format", "title", "description", "nullable", "enum", "maxItems", "minItems", "properties",
		"required", "minProperties", "maxProperties", "minLength", "maxLength", "pattern", "example", "anyOf",
		"propertyOrdering", "default", "items", "minimum", "maximum")
	geminiTypes = set("STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL")
	geminiName  = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}$`)
)

func (gemini) bad(format string, args ...any) *fixed {
	return geminiError(http.StatusBadRequest, "INVALID_ARGUMENT", fmt.Sprintf(format, args...))
}

// unknown is the answer to a member that the message does not have.
func (l gemini) unknown(name, at string) *fixed {
	where := ""
	if at != "" {
		where = " at '" + at + "'"
	}
	message := fmt.Sprintf("Invalid JSON payload received. Unknown name %q%s: Cannot find field.", name, where)
	return geminiError(http.StatusBadRequest, "INVALID_ARGUMENT", message, object{
		"@type":           "type.googleapis.com/google.rpc.BadRequest",
		"fieldViolations": []any{object{"field": at, "description": message}},
	})
}

// camel returns m with snake_case names in camelCase: the API takes both.
func camel(m object) object {
	if m == nil {
		return nil
	}
	out := make(object, len(m))
	for name, v := range m {
		parts := strings.Split(strings.TrimPrefix(name, "_"), "_")
		for i := 1; i < len(parts); i++ {
			if parts[i] != "" {
				parts[i] = strings.ToUpper(parts[i][:1]) + parts[i][1:]
			}
		}
		lead := ""
		if strings.HasPrefix(name, "_") {
			lead = "_"
		}
		out[lead+strings.Join(parts, "")] = v
	}
	return out
}

func (l gemini) read(r *http.Request, raw object, serves func(string) bool) (*turn, *fixed) {
	rest, _ := geminiModelPath(r)
	model, method, _ := strings.Cut(rest, ":")
	if !serves(model) {
		version := strings.Split(strings.TrimPrefix(r.URL.Path, "/"), "/")[0]
		return nil, geminiError(http.StatusNotFound, "NOT_FOUND", fmt.Sprintf(
			"models/%s is not found for API version %s, or is not supported for generateContent. Call ListModels to see the list of available models and their supported methods.", model, version))
	}
	if raw == nil {
		return nil, l.bad("Invalid JSON payload received. Expected an object.")
	}
	body := camel(raw)
	if name, found := firstUnknown(body, geminiFields); found {
		return nil, l.unknown(name, "")
	}
	t := &turn{model: model, n: 1, stream: method == "streamGenerateContent"}
	t.array = t.stream && r.URL.Query().Get("alt") != "sse"
	for _, check := range []func(*turn, object) *fixed{l.config, l.toolDefinitions, l.toolConfig, l.system, l.contents} {
		if f := check(t, body); f != nil {
			return nil, f
		}
	}
	if t.schema != nil && len(t.tools) > 0 && !strings.HasPrefix(model, "gemini-3") {
		return nil, l.bad("Function calling with a response mime type: 'application/json' is unsupported")
	}
	return t, nil
}

func (l gemini) config(t *turn, body object) *fixed {
	config := camel(dict(body["generationConfig"]))
	if name, found := firstUnknown(config, geminiConfig); found {
		return l.unknown(name, "generation_config")
	}
	for name, upTo := range map[string]float64{"temperature": 2, "topP": 1} {
		if v, given := config[name]; given {
			if n, ok := v.(float64); !ok || n < 0 || n > upTo {
				return l.bad("Unable to submit request because it has a %s value of %v but the supported range is from 0 (inclusive) to %v (inclusive).", name, v, upTo)
			}
		}
	}
	if v, given := config["maxOutputTokens"]; given {
		n, ok := integer(v)
		if !ok || n < 1 {
			return l.bad("Unable to submit request because maxOutputTokens must be greater than 0.")
		}
		t.limit = n
	}
	if v, given := config["candidateCount"]; given {
		n, ok := integer(v)
		if !ok || n < 1 || n > 8 {
			return l.bad("candidateCount must be from 1 to 8.")
		}
		t.n = int(n)
	}
	if stops := list(config["stopSequences"]); len(stops) > 5 {
		return l.bad("The number of stop sequences must be at most 5.")
	}
	think := camel(dict(config["thinkingConfig"]))
	if name, found := firstUnknown(think, set("includeThoughts", "thinkingBudget", "thinkingLevel")); found {
		return l.unknown(name, "generation_config.thinking_config")
	}
	if think["thinkingBudget"] != nil && think["thinkingLevel"] != nil {
		return l.bad("You can only set only one of thinking budget and thinking level.")
	}
	t.thinking = think["includeThoughts"] == true
	return l.format(t, config)
}

func (l gemini) format(t *turn, config object) *fixed {
	schema, plain := dict(config["responseSchema"]), dict(config["responseJsonSchema"])
	if schema == nil && plain == nil {
		if config["responseMimeType"] == "application/json" {
			t.schema = object{"type": "object"}
		}
		return nil
	}
	if mime := config["responseMimeType"]; mime != "application/json" && mime != "text/x.enum" {
		return l.bad("Unable to submit request because responseMimeType must be application/json when a response schema is set.")
	}
	if schema != nil && plain != nil {
		return l.bad("responseSchema and responseJsonSchema must not both be set.")
	}
	if t.schema = plain; schema != nil {
		t.schema = schema
		return l.schema(schema, "generation_config.response_schema", 0)
	}
	return nil
}

// schema checks a Schema message.
func (l gemini) schema(raw object, at string, depth int) *fixed {
	s := camel(raw)
	if name, found := firstUnknown(s, geminiSchema); found {
		return l.unknown(name, at)
	}
	if depth > 30 {
		return l.bad("%s: schema is nested too deeply", at)
	}
	kind := text(s["type"])
	if s["anyOf"] == nil && !geminiTypes[strings.ToUpper(kind)] {
		return l.bad("Invalid value at '%s.type': %q is not a Schema type.", at, fmt.Sprint(s["type"]))
	}
	props := dict(s["properties"])
	if strings.EqualFold(kind, "object") && len(props) == 0 {
		return l.bad("* %s.properties: should be non-empty for OBJECT type", at)
	}
	if strings.EqualFold(kind, "array") && s["items"] == nil {
		return l.bad("* %s.items: missing field.", at)
	}
	for name, sub := range props {
		if f := l.schema(dict(sub), at+".properties["+name+"]", depth+1); f != nil {
			return f
		}
	}
	for _, name := range list(s["required"]) {
		if _, ok := props[text(name)]; !ok {
			return l.bad("* %s.required: property %q is not defined", at, text(name))
		}
	}
	if items := dict(s["items"]); items != nil {
		return l.schema(items, at+".items", depth+1)
	}
	return nil
}

func (l gemini) toolDefinitions(t *turn, body object) *fixed {
	for i, v := range list(body["tools"]) {
		tool := camel(dict(v))
		if name, found := firstUnknown(tool, geminiTools); found {
			return l.unknown(name, fmt.Sprintf("tools[%d]", i))
		}
		for k, d := range list(tool["functionDeclarations"]) {
			at := fmt.Sprintf("tools[%d].function_declarations[%d]", i, k)
			fn := camel(dict(d))
			if name, found := firstUnknown(fn, geminiFunction); found {
				return l.unknown(name, at)
			}
			name := text(fn["name"])
			if !geminiName.MatchString(name) {
				return l.bad("* %s.name: Invalid function name. Must start with a letter or an underscore.", at)
			}
			if slices.Contains(t.tools, name) {
				return l.bad("Duplicate function declaration found: %s", name)
			}
			if fn["parameters"] != nil && fn["parametersJsonSchema"] != nil {
				return l.bad("* %s: parameters and parameters_json_schema must not both be set.", at)
			}
			if p := dict(fn["parameters"]); p != nil {
				if f := l.schema(p, at+".parameters", 0); f != nil {
					return f
				}
			}
			t.tools = append(t.tools, name)
		}
	}
	return nil
}

func (l gemini) toolConfig(t *turn, body object) *fixed {
	config := camel(dict(body["toolConfig"]))
	if name, found := firstUnknown(config, set("functionCallingConfig", "retrievalConfig")); found {
		return l.unknown(name, "tool_config")
	}
	calling := camel(dict(config["functionCallingConfig"]))
	if calling == nil {
		return nil
	}
	if name, found := firstUnknown(calling, set("mode", "allowedFunctionNames", "streamFunctionCallArguments")); found {
		return l.unknown(name, "tool_config.function_calling_config")
	}
	mode := strings.ToUpper(text(calling["mode"]))
	allowed := list(calling["allowedFunctionNames"])
	switch mode {
	case "", "AUTO", "MODE_UNSPECIFIED", "VALIDATED":
	case "NONE":
		t.toolsOff = true
	case "ANY":
		t.forced = "*"
		if len(t.tools) == 0 {
			return l.bad("Function calling config is set without function_declarations.")
		}
	default:
		return l.bad("Invalid value at 'tool_config.function_calling_config.mode': %q", mode)
	}
	if len(allowed) > 0 {
		if mode != "ANY" && mode != "VALIDATED" {
			return l.bad("Please set the mode to ANY to use allowed_function_names.")
		}
		for _, name := range allowed {
			if !slices.Contains(t.tools, text(name)) {
				return l.bad("allowed_function_names holds %q, which no function declaration has.", text(name))
			}
		}
		if mode == "ANY" {
			t.forced = text(allowed[0])
		}
	}
	return nil
}
