package responses

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// toolIn is a tool of any type.
type toolIn struct {
	Type        string            `json:"type"`
	Name        string            `json:"name"`
	Description string            `json:"description"`
	Parameters  json.RawMessage   `json:"parameters"`
	Strict      *bool             `json:"strict"`
	Format      json.RawMessage   `json:"format"` // of a freeform tool
	Tools       []json.RawMessage `json:"tools"`  // of a namespace
}

func (d *requestDecoder) tools(raw json.RawMessage) error {
	var all []json.RawMessage
	if err := dialect.ReadParam("tools", raw, &all, "an array of tools"); err != nil {
		return err
	}
	for i, one := range all {
		if err := d.tool(fmt.Sprintf("tools[%d]", i), "", one); err != nil {
			return err
		}
	}
	return nil
}

func (d *requestDecoder) tool(at, namespace string, raw json.RawMessage) error {
	var in toolIn
	if err := dialect.ReadParam(at, raw, &in, "an object with a type"); err != nil {
		return err
	}
	if in.Type == "" {
		return hub.Invalid(at+".type", "%s.type must be given.", at)
	}
	if builtIn(in.Type) {
		d.req.PlaceTool(len(d.req.Tools), at)
		d.req.Tools = append(d.req.Tools, chat.Tool{RawType: in.Type, Raw: raw})
		return nil
	}
	if in.Name == "" {
		return hub.Invalid(at+".name", "%s.name must name the tool.", at)
	}
	switch in.Type {
	case "function":
		return d.function(at, namespace, &in)
	case "custom":
		return d.custom(at, namespace, &in)
	}
	if namespace != "" {
		return hub.Invalid(at, "%s: a namespace cannot hold another.", at)
	}
	for i, inner := range in.Tools {
		if err := d.tool(fmt.Sprintf("%s.tools[%d]", at, i), in.Name, inner); err != nil {
			return err
		}
	}
	return nil
}

func (d *requestDecoder) function(at, namespace string, in *toolIn) error {
	t := chat.Tool{Name: flatName(namespace, in.Name), Description: in.Description, Strict: in.Strict}
	if p := in.Parameters; !absent(p) {
		if p[0] != '{' {
			return hub.Invalid(at+".parameters", "%s.parameters must be a JSON schema object.", at)
		}
		t.Parameters = p
	}
	return d.add(at, t)
}

// custom offers a freeform tool as a function of one text. A grammar cannot be
// enforced elsewhere; it is told to the model instead.
func (d *requestDecoder) custom(at, namespace string, in *toolIn) error {
	description := in.Description
	input := "The tool's whole input, as plain text."
	if kind := wordOf(wire.Member(in.Format, "type")); kind == "grammar" {
		syntax := wire.Text(wire.Member(in.Format, "syntax"))
		if definition := wire.Text(wire.Member(in.Format, "definition")); definition != "" {
			input += " It must match this " + syntax + " grammar:\n" + definition
		}
		d.drop(at + ".format")
	}
	return d.add(at, chat.Tool{Name: flatName(namespace, in.Name), Description: description, Parameters: encodeJSON(map[string]any{
		"type":                 "object",
		"properties":           map[string]any{freeformField: map[string]string{"type": "string", "description": input}},
		"required":             []string{freeformField},
		"additionalProperties": false,
	})})
}

func (d *requestDecoder) add(at string, t chat.Tool) error {
	if slices.ContainsFunc(d.req.Tools, func(other chat.Tool) bool { return other.Raw == nil && other.Name == t.Name }) {
		return hub.Invalid(at+".name", "%s: two tools would have the name %s.", at, t.Name)
	}
	d.req.PlaceTool(len(d.req.Tools), at)
	d.req.Tools = append(d.req.Tools, t)
	return nil
}

func (d *requestDecoder) toolChoice(raw json.RawMessage) error {
	const at = "tool_choice"
	if raw[0] == '"' {
		mode := wire.Text(raw)
		if !slices.Contains([]string{"auto", "none", "required"}, mode) {
			return hub.Invalid(at, "tool_choice must be auto, none, required or an object, not %q.", mode)
		}
		d.req.ToolChoice = &chat.ToolChoice{Mode: mode}
		return nil
	}
	var in struct {
		Type      string            `json:"type"`
		Name      string            `json:"name"`
		Namespace string            `json:"namespace"`
		Mode      string            `json:"mode"`
		Tools     []json.RawMessage `json:"tools"`
	}
	if err := dialect.ReadParam(at, raw, &in, "a string or an object with type"); err != nil {
		return err
	}
	switch in.Type {
	case "function", "custom":
		if in.Name == "" {
			return hub.Invalid(at+".name", "tool_choice.name must name a tool.")
		}
		d.req.ToolChoice = &chat.ToolChoice{Mode: "tool", Name: flatName(in.Namespace, in.Name)}
	case "allowed_tools":
		return hub.Invalid(at, "tool_choice: allowed_tools works only where the model itself speaks the Responses API; send only the tools that may be used.")
	default:
		return hub.Invalid(at, "tool_choice demands a tool that the provider itself would run, and the model asked for has none; use auto or choose another model.")
	}
	return nil
}
