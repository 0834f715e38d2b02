package openai

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

type cacheControl struct {
	Type string `json:"type"`
	TTL  string `json:"ttl"`
}

// cache reads a prompt-cache breakpoint as OpenRouter takes it, in Anthropic's
// form (https://openrouter.ai/docs/features/prompt-caching).
func (c *cacheControl) cache() *chat.Cache {
	if c == nil {
		return nil
	}
	if c.TTL == "1h" {
		return &chat.Cache{TTL: "1h"}
	}
	return &chat.Cache{TTL: "5m"}
}

type functionIn struct {
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Parameters  json.RawMessage `json:"parameters"`
	Strict      *bool           `json:"strict"`
}

func (f *functionIn) tool(at string) (chat.Tool, error) {
	if f == nil || f.Name == "" {
		return chat.Tool{}, hub.Invalid(at+".name", "%s.name must name the function.", at)
	}
	t := chat.Tool{Name: f.Name, Description: f.Description, Strict: f.Strict}
	if p := f.Parameters; len(p) > 0 && string(p) != "null" {
		if p[0] != '{' {
			return t, hub.Invalid(at+".parameters", "%s.parameters must be a JSON schema object.", at)
		}
		t.Parameters = p
	}
	return t, nil
}

func (d *requestDecoder) tools(raw json.RawMessage) error {
	var all []json.RawMessage
	if err := dialect.ReadParam("tools", raw, &all, "an array of tools"); err != nil {
		return err
	}
	for i, one := range all {
		at := fmt.Sprintf("tools[%d]", i)
		var in struct {
			Type     string        `json:"type"`
			Function *functionIn   `json:"function"`
			Cache    *cacheControl `json:"cache_control"`
		}
		if err := dialect.ReadParam(at, one, &in, "an object with type and function"); err != nil {
			return err
		}
		if in.Type != "function" {
			if in.Type == "" {
				return hub.Invalid(at+".type", "%s.type must be function.", at)
			}
			d.req.Tools = append(d.req.Tools, chat.Tool{RawType: in.Type, Raw: one})
			continue
		}
		t, err := in.Function.tool(at + ".function")
		if err != nil {
			return err
		}
		t.Cache = in.Cache.cache()
		d.req.Tools = append(d.req.Tools, t)
	}
	return nil
}

// functions is what tools were called before.
func (d *requestDecoder) functions(raw json.RawMessage) error {
	var all []*functionIn
	if err := dialect.ReadParam("functions", raw, &all, "an array of functions"); err != nil {
		return err
	}
	d.called("tools", "functions")
	for i, f := range all {
		t, err := f.tool(fmt.Sprintf("functions[%d]", i))
		if err != nil {
			return err
		}
		d.req.Tools = append(d.req.Tools, t)
	}
	return nil
}

func (d *requestDecoder) toolChoice(raw json.RawMessage) error {
	if raw[0] == '"' {
		mode := wire.Text(raw)
		switch mode {
		case "auto", "none", "required":
		case "any": // Mistral's word
			mode = "required"
		default:
			return hub.Invalid("tool_choice", "tool_choice must be auto, none, required or a function, not %q.", mode)
		}
		d.req.ToolChoice = &chat.ToolChoice{Mode: mode}
		return nil
	}
	var in struct {
		Type     string      `json:"type"`
		Function *functionIn `json:"function"`
	}
	if err := dialect.ReadParam("tool_choice", raw, &in, "a string or an object with type"); err != nil {
		return err
	}
	if in.Type != "function" { // allowed_tools, custom: known to OpenAI only
		d.extra("tool_choice", raw)
		return nil
	}
	if in.Function == nil || in.Function.Name == "" {
		return hub.Invalid("tool_choice.function.name", "tool_choice.function.name must name a function.")
	}
	d.req.ToolChoice = &chat.ToolChoice{Mode: "tool", Name: in.Function.Name}
	return nil
}

// allowedTools narrows the tools to those that tool_choice allows. OpenAI has
// that to keep its prompt cache; other models are told of no other tools.
func (d *requestDecoder) allowedTools() {
	var in struct {
		Type    string `json:"type"`
		Allowed struct {
			Mode  string `json:"mode"`
			Tools []struct {
				Type     string      `json:"type"`
				Function *functionIn `json:"function"`
			} `json:"tools"`
		} `json:"allowed_tools"`
	}
	raw, ok := d.req.Extra["tool_choice"]
	if !ok || json.Unmarshal(raw, &in) != nil || in.Type != "allowed_tools" || in.Allowed.Mode != "auto" && in.Allowed.Mode != "required" {
		return
	}
	names := map[string]bool{}
	for _, t := range in.Allowed.Tools {
		if t.Type != "function" || t.Function == nil {
			return
		}
		names[t.Function.Name] = true
	}
	d.req.Tools = slices.DeleteFunc(d.req.Tools, func(t chat.Tool) bool { return t.Raw != nil || !names[t.Name] })
	d.req.ToolChoice = &chat.ToolChoice{Mode: in.Allowed.Mode}
	delete(d.req.Extra, "tool_choice")
	if len(d.req.Extra) == 0 {
		d.req.Extra = nil
	}
}

// functionChoice is what tool_choice was called before.
func (d *requestDecoder) functionChoice(raw json.RawMessage) error {
	d.called("tool_choice", "function_call")
	if mode := wire.Text(raw); mode == "auto" || mode == "none" {
		d.req.ToolChoice = &chat.ToolChoice{Mode: mode}
		return nil
	}
	var in functionIn
	if json.Unmarshal(raw, &in) != nil || in.Name == "" {
		return hub.Invalid("function_call", "function_call must be auto, none or an object with a name.")
	}
	d.req.ToolChoice = &chat.ToolChoice{Mode: "tool", Name: in.Name}
	return nil
}
