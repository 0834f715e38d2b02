package anthropic

import (
	"encoding/json"
	"maps"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// callerNames maps OpenAI's names to the Messages API's.
var callerNames = map[string]string{
	"max_completion_tokens": "max_tokens",
	"stop":                  "stop_sequences",
	"response_format":       "output_config.format",
	"reasoning":             "thinking",
	"reasoning_effort":      "thinking",
	"user":                  "metadata.user_id",
	"parallel_tool_calls":   "tool_choice.disable_parallel_tool_use",
	"tool_calls":            "content",
}

// Decode reads the whole conversation. The system prompt becomes the first
// message; system messages further on stay in their place. Members that have no
// canonical meaning go to Extra, but for "route", which is the hub's own.
func (Server) Decode(v *dialect.View) (*chat.Request, error) {
	if v.Chat != nil {
		return v.Chat, nil
	}
	req := &chat.Request{Model: v.Model, Stream: v.Stream, MaxOutput: v.MaxOutput, Names: maps.Clone(callerNames)}
	// system and messages come in any order in the body.
	if raw, ok := v.Object.Get("system"); ok && string(raw) != "null" {
		system, err := decodeSystem(req, raw)
		if err != nil {
			return nil, err
		}
		req.Messages = system
	}
	for _, key := range v.Object.Keys() {
		raw, _ := v.Object.Get(key)
		if string(raw) == "null" {
			continue
		}
		if err := decodeMember(req, key, raw); err != nil {
			return nil, err
		}
	}
	return req, nil
}

func decodeMember(req *chat.Request, key string, raw json.RawMessage) error {
	switch key {
	case "model", "max_tokens", "stream", "system", "route":
		return nil
	case "messages":
		msgs, err := decodeMessages(req, raw, len(req.Messages))
		req.Messages = append(req.Messages, msgs...)
		return err
	case "tools":
		tools, err := decodeTools(req, raw)
		req.Tools = tools
		return err
	case "tool_choice":
		return decodeToolChoice(req, raw)
	case "thinking":
		return decodeThinking(req, raw)
	case "output_config":
		return decodeOutputConfig(req, raw)
	case "output_format":
		return decodeFormat(req, key, raw)
	case "stop_sequences":
		return into(raw, key, &req.Stop)
	case "temperature":
		return into(raw, key, &req.Temperature)
	case "top_p":
		return into(raw, key, &req.TopP)
	case "top_k":
		return into(raw, key, &req.TopK)
	case "service_tier":
		return decodeTier(req, raw)
	case "metadata":
		return decodeMetadata(req, raw)
	case "context_management":
		if keepsAll(raw) {
			req.Ignore(key)
			return nil
		}
	}
	if req.Extra == nil {
		req.Extra = map[string]json.RawMessage{}
	}
	req.Extra[key] = raw
	return nil
}

// keepsAll reports whether context edits change nothing, like the one that
// Claude Code always sends: to keep all thinking. Such a wish has been granted
// by any model.
func keepsAll(raw json.RawMessage) bool {
	var cm struct {
		Edits []struct {
			Type string `json:"type"`
			Keep any    `json:"keep"`
		} `json:"edits"`
	}
	if json.Unmarshal(raw, &cm) != nil {
		return false
	}
	for _, e := range cm.Edits {
		if e.Type != "clear_thinking_20251015" || e.Keep != "all" {
			return false
		}
	}
	return true
}

func decodeThinking(req *chat.Request, raw []byte) error {
	th, err := readThinking(raw)
	if err != nil {
		return err
	}
	r := reasoning(req)
	r.Hidden = th.Display == "omitted"
	switch th.Type {
	case "disabled":
		r.Disabled, r.Effort = true, ""
	case "adaptive":
		r.Adaptive = true
	case "enabled":
		r.Budget, r.Effort = th.Budget, ""
	}
	return nil
}

func reasoning(req *chat.Request) *chat.Reasoning {
	if req.Reasoning == nil {
		req.Reasoning = &chat.Reasoning{}
	}
	return req.Reasoning
}

func decodeOutputConfig(req *chat.Request, raw []byte) error {
	var oc struct {
		Effort string          `json:"effort"`
		Format json.RawMessage `json:"format"`
	}
	if err := into(raw, "output_config", &oc); err != nil {
		return err
	}
	switch oc.Effort {
	case "":
	case "low", "medium", "high", "xhigh", "max":
		// A budget says the same more exactly, and "off" outweighs it.
		r := reasoning(req)
		if r.Budget == nil && !r.Disabled {
			r.Effort = oc.Effort
		}
		if r.Effort == "max" {
			r.Effort = "xhigh"
		}
	default:
		return hub.Invalid("output_config.effort", "output_config.effort must be low, medium, high, xhigh or max.")
	}
	if len(oc.Format) == 0 || string(oc.Format) == "null" {
		return nil
	}
	return decodeFormat(req, "output_config.format", oc.Format)
}

func decodeFormat(req *chat.Request, path string, raw []byte) error {
	var f struct {
		Type   string          `json:"type"`
		Schema json.RawMessage `json:"schema"`
	}
	if err := into(raw, path, &f); err != nil {
		return err
	}
	if f.Type != "json_schema" {
		return hub.Invalid(path+".type", "%s.type must be json_schema.", path)
	}
	if len(f.Schema) == 0 || f.Schema[0] != '{' {
		return hub.Invalid(path+".schema", "%s.schema is required and must be an object.", path)
	}
	// Other languages demand a name, which this one has not.
	req.Format = &chat.Format{Kind: "json_schema", Name: "output", Schema: f.Schema}
	return nil
}

func decodeTier(req *chat.Request, raw []byte) error {
	var tier string
	if err := into(raw, "service_tier", &tier); err != nil {
		return err
	}
	switch tier {
	case "auto":
		req.ServiceTier = "auto"
	case "standard_only":
		req.ServiceTier = "default"
	default:
		return hub.Invalid("service_tier", "service_tier must be auto or standard_only.")
	}
	return nil
}

func decodeMetadata(req *chat.Request, raw []byte) error {
	var md map[string]json.RawMessage
	if err := into(raw, "metadata", &md); err != nil {
		return err
	}
	for key, val := range md {
		path := "metadata." + key
		if key != "user_id" {
			return hub.Invalid(path, "%s is not known: metadata holds only user_id.", path)
		}
		if string(val) == "null" {
			continue
		}
		if err := into(val, path, &req.User); err != nil {
			return err
		}
	}
	return nil
}

func decodeToolChoice(req *chat.Request, raw []byte) error {
	var tc struct {
		Type            string `json:"type"`
		Name            string `json:"name"`
		DisableParallel bool   `json:"disable_parallel_tool_use"`
	}
	if err := into(raw, "tool_choice", &tc); err != nil {
		return err
	}
	choice := chat.ToolChoice{Mode: tc.Type}
	switch tc.Type {
	case "auto", "none":
	case "any":
		choice.Mode = "required"
	case "tool":
		if tc.Name == "" {
			return hub.Invalid("tool_choice.name", "tool_choice.name is required with type tool.")
		}
		choice.Name = tc.Name
	default:
		return hub.Invalid("tool_choice.type", "tool_choice.type must be auto, any, none or tool.")
	}
	req.ToolChoice = &choice
	if tc.DisableParallel {
		no := false
		req.ParallelToolCalls = &no
	}
	return nil
}
