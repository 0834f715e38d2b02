package fakeprovider

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

var (
	bedrockFields = set("system", "messages", "inferenceConfig", "toolConfig", "outputConfig", "serviceTier", "requestMetadata",
		"additionalModelRequestFields", "additionalModelResponseFieldPaths", "guardrailConfig", "performanceConfig", "promptVariables")
	bedrockClaudeFields = set("thinking", "output_config", "top_k", "tool_choice", "anthropic_beta")
	bedrockNovaFields   = set("inferenceConfig", "reasoningConfig")
	bedrockName         = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)
	bedrockMetadata     = regexp.MustCompile(`^[a-zA-Z0-9\s:_@$#=/+,.-]{0,256}$`)
	bedrockTiers        = set("priority", "default", "flex", "reserved")
)

func (bedrock) bad(format string, args ...any) *fixed {
	return bedrockError(http.StatusBadRequest, "ValidationException", fmt.Sprintf(format, args...))
}

func (l bedrock) read(r *http.Request, body object, serves func(string) bool) (*turn, *fixed) {
	model, stream, _ := bedrockModel(r)
	if body == nil {
		return nil, l.bad("Malformed input request, please reformat your input and try again.")
	}
	if name, found := firstUnknown(body, bedrockFields); found {
		return nil, l.bad("Unknown parameter in input: %q", name)
	}
	if !serves(model) {
		return nil, l.bad("The provided model identifier is invalid.")
	}
	t := &turn{model: model, stream: stream, n: 1}
	for _, check := range []func(*turn, object) *fixed{l.inference, l.additional, l.tools, l.output, l.labels, l.system, l.messages} {
		if f := check(t, body); f != nil {
			return nil, f
		}
	}
	if n := strings.Count(string(encode(body)), `"cachePoint":{`); n > maxBreakpoints {
		return nil, l.bad("You can specify at most %d cache points.", maxBreakpoints)
	}
	return t, nil
}

func isClaude(model string) bool { return strings.Contains(model, "anthropic.claude") }

func (l bedrock) inference(t *turn, body object) *fixed {
	conf := dict(body["inferenceConfig"])
	if name, found := firstUnknown(conf, set("maxTokens", "temperature", "topP", "stopSequences")); found {
		return l.bad("Unknown parameter in inferenceConfig: %q", name)
	}
	if v, given := conf["maxTokens"]; given {
		n, ok := integer(v)
		if !ok || n < 1 {
			return l.bad("The value at inferenceConfig.maxTokens must be at least 1.")
		}
		t.limit = n
	}
	for _, name := range []string{"temperature", "topP"} {
		if v, given := conf[name]; given {
			if n, ok := v.(float64); !ok || n < 0 || n > 1 {
				return l.bad("Value at 'inferenceConfig.%s' failed to satisfy constraint: Member must be between 0 and 1", name)
			}
		}
	}
	if isClaude(t.model) && conf["temperature"] != nil && conf["topP"] != nil {
		return l.bad("The model returned the following errors: `temperature` and `top_p` cannot both be specified for this model.")
	}
	for _, s := range list(conf["stopSequences"]) {
		if text(s) == "" {
			return l.bad("stopSequences: empty sequence")
		}
	}
	return nil
}

func (l bedrock) additional(t *turn, body object) *fixed {
	fields, known := dict(body["additionalModelRequestFields"]), bedrockNovaFields
	if isClaude(t.model) {
		known = bedrockClaudeFields
	}
	if name, found := firstUnknown(fields, known); found {
		return l.bad("The model returned the following errors: %s: Extra inputs are not permitted", name)
	}
	conf := dict(body["inferenceConfig"])
	if th := dict(fields["thinking"]); th != nil && text(th["type"]) != "disabled" {
		t.thinking = true
		if n, _ := integer(th["budget_tokens"]); text(th["type"]) == "enabled" && (n < 1024 || n >= t.limit) {
			return l.bad("thinking.enabled.budget_tokens: must be at least 1024 and below max_tokens")
		}
		if conf["temperature"] != nil || fields["top_k"] != nil {
			return l.bad("`temperature` and `top_k` may not be set when thinking is enabled.")
		}
	}
	if th := dict(fields["reasoningConfig"]); th != nil && text(th["type"]) == "enabled" {
		t.thinking = true
		if text(th["maxReasoningEffort"]) == "high" && len(conf) > 0 {
			return l.bad("inferenceConfig cannot be used with maxReasoningEffort high")
		}
	}
	if choice := dict(fields["tool_choice"]); choice != nil {
		t.toolsOff = text(choice["type"]) == "none"
		t.oneTool = choice["disable_parallel_tool_use"] == true
		switch text(choice["type"]) {
		case "any":
			t.forced = "*"
		case "tool":
			t.forced = text(choice["name"])
		}
	}
	return nil
}

func (l bedrock) tools(t *turn, body object) *fixed {
	conf := dict(body["toolConfig"])
	if conf == nil {
		return nil
	}
	tools := list(conf["tools"])
	for i, v := range tools {
		if _, point := dict(v)["cachePoint"]; point {
			if i == 0 || !isClaude(t.model) {
				return l.bad("toolConfig.tools.%d: a cachePoint is not allowed here", i)
			}
			continue
		}
		spec := dict(dict(v)["toolSpec"])
		if name, found := firstUnknown(spec, set("name", "description", "inputSchema", "strict")); found || spec == nil {
			return l.bad("toolConfig.tools.%d: unknown member %q", i, name)
		}
		name := text(spec["name"])
		if d, given := spec["description"]; !bedrockName.MatchString(name) || given && text(d) == "" || slices.Contains(t.tools, name) {
			return l.bad("toolConfig.tools.%d.toolSpec: bad name or description", i)
		}
		if schema := dict(dict(spec["inputSchema"])["json"]); text(schema["type"]) != "object" {
			return l.bad("The value at toolConfig.tools.%d.toolSpec.inputSchema.json.type must be one of the following: object.", i)
		}
		t.tools = append(t.tools, name)
	}
	if len(t.tools) == 0 {
		return l.bad("toolConfig.tools: at least one tool is required")
	}
	return l.choice(t, dict(conf["toolChoice"]))
}

func (l bedrock) choice(t *turn, choice object) *fixed {
	if choice == nil {
		return nil
	}
	if len(choice) != 1 {
		return l.bad("toolConfig.toolChoice: exactly one member must be set")
	}
	if choice["any"] != nil {
		t.forced = "*"
	}
	if one := dict(choice["tool"]); one != nil {
		if t.forced = text(one["name"]); !slices.Contains(t.tools, t.forced) {
			return l.bad("toolConfig.toolChoice.tool: unknown tool")
		}
	}
	if t.thinking && t.forced != "" {
		return l.bad("The model returned the following errors: Thinking may not be enabled when tool_choice forces tool use.")
	}
	return nil
}

func (l bedrock) output(t *turn, body object) *fixed {
	format := dict(dict(body["outputConfig"])["textFormat"])
	if format == nil {
		return nil
	}
	schema := dict(dict(format["structure"])["jsonSchema"])
	if text(format["type"]) != "json_schema" || json.Unmarshal([]byte(text(schema["schema"])), &t.schema) != nil || t.schema == nil {
		return l.bad("outputConfig.textFormat: the schema must be JSON text")
	}
	if !isClaude(t.model) {
		return l.bad("This model doesn't support the outputConfig.textFormat field. Remove outputConfig.textFormat and try again.")
	}
	return nil
}

func (l bedrock) labels(_ *turn, body object) *fixed {
	if tier, given := body["serviceTier"]; given && !bedrockTiers[text(dict(tier)["type"])] {
		return l.bad("serviceTier.type: unknown")
	}
	labels := dict(body["requestMetadata"])
	for name, value := range labels {
		if name == "" || len(labels) > 16 || !bedrockMetadata.MatchString(name) || !bedrockMetadata.MatchString(text(value)) {
			return l.bad("requestMetadata: %q", name)
		}
	}
	return nil
}

func (l bedrock) system(t *turn, body object) *fixed {
	for i, v := range list(body["system"]) {
		b := dict(v)
		switch {
		case len(b) != 1, i == 0 && b["text"] == nil, b["text"] != nil && strings.TrimSpace(text(b["text"])) == "":
			return l.bad("The text field in the ContentBlock object at system.%d is blank.", i)
		case b["cachePoint"] != nil:
			if f := l.cachePoint(dict(b["cachePoint"])); f != nil {
				return f
			}
		}
		t.addText(text(b["text"]))
	}
	return nil
}

func (l bedrock) cachePoint(p object) *fixed {
	ttl, given := p["ttl"]
	if text(p["type"]) != "default" || given && text(ttl) != "5m" && text(ttl) != "1h" {
		return l.bad("cachePoint: unknown type or ttl")
	}
	return nil
}
