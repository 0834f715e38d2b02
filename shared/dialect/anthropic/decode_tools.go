package anthropic

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// toolIn is a tool of the caller's own.
type toolIn struct {
	Type        string          `json:"type"`
	Name        string          `json:"name"`
	Description string          `json:"description"`
	InputSchema json.RawMessage `json:"input_schema"`
	Strict      *bool           `json:"strict"`
	Cache       *cacheControl   `json:"cache_control"`

	AllowedCallers []string `json:"allowed_callers"`
}

// toolHints steer how Anthropic loads a tool and sends its arguments, not what
// the tool does: other models are shown all tools at once.
var toolHints = []string{"defer_loading", "input_examples", "eager_input_streaming"}

func decodeTools(req *chat.Request, raw []byte) ([]chat.Tool, error) {
	var list []json.RawMessage
	if err := into(raw, "tools", &list); err != nil {
		return nil, err
	}
	tools := make([]chat.Tool, 0, len(list))
	for i, el := range list {
		t, err := decodeTool(req, el, fmt.Sprintf("tools[%d]", i))
		if err != nil {
			return nil, err
		}
		tools = append(tools, t)
	}
	return tools, nil
}

func decodeTool(req *chat.Request, raw json.RawMessage, path string) (chat.Tool, error) {
	var t toolIn
	if err := into(raw, path, &t); err != nil {
		return chat.Tool{}, err
	}
	if t.Type != "" && t.Type != "custom" {
		return chat.Tool{Name: t.Name, RawType: t.Type, Raw: raw}, nil
	}
	if t.Name == "" {
		return chat.Tool{}, hub.Invalid(path+".name", "%s.name is required.", path)
	}
	if len(t.InputSchema) == 0 || t.InputSchema[0] != '{' {
		return chat.Tool{}, hub.Invalid(path+".input_schema", "%s.input_schema is required and must be an object.", path)
	}
	if len(t.AllowedCallers) > 0 && !slices.Contains(t.AllowedCallers, "direct") {
		return chat.Tool{}, hub.Invalid(path+".allowed_callers", "%s.allowed_callers must contain direct: only Anthropic's own code execution can call a tool in another way.", path)
	}
	for _, hint := range toolHints {
		if v := wire.Member(raw, hint); v != nil && string(v) != "null" && string(v) != "false" {
			req.Ignore("tools." + hint)
		}
	}
	if len(t.AllowedCallers) > 1 {
		req.Ignore("tools.allowed_callers")
	}
	c, err := t.Cache.decode(path)
	if err != nil {
		return chat.Tool{}, err
	}
	return chat.Tool{Name: t.Name, Description: t.Description, Parameters: t.InputSchema, Strict: t.Strict, Cache: c}, nil
}
