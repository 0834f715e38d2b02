package gemini

import (
	"encoding/json"
	"slices"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

func parse(path string, raw json.RawMessage) (*wire.Object, error) {
	o, err := wire.Parse(raw)
	if err != nil {
		return nil, hub.Invalid(path, "%s must be an object: %v.", path, err)
	}
	return o, nil
}

// tools reads function declarations; every other tool is one that Google runs
// itself and keeps its bytes.
func (d *requestDecoder) tools(f fields) error {
	all, err := f.list("tools")
	if err != nil {
		return err
	}
	for i, raw := range all {
		t, err := readFields(element(f.where("tools"), i), raw)
		if err != nil {
			return err
		}
		for _, name := range t.names {
			if name == "functionDeclarations" {
				if err := d.functions(t); err != nil {
					return err
				}
				continue
			}
			own := append(append(append([]byte("{"), quoted(name)...), ':'), t.raw(name)...)
			d.req.PlaceTool(len(d.req.Tools), t.where(name))
			d.req.Tools = append(d.req.Tools, chat.Tool{RawType: name, Raw: append(own, '}')})
		}
	}
	return nil
}

func (d *requestDecoder) functions(t fields) error {
	all, err := t.list("functionDeclarations")
	if err != nil {
		return err
	}
	for i, raw := range all {
		f, err := readFields(element(t.where("functionDeclarations"), i), raw)
		if err != nil {
			return err
		}
		tool, err := d.function(f)
		if err != nil {
			return err
		}
		d.req.PlaceTool(len(d.req.Tools), f.path)
		d.req.Tools = append(d.req.Tools, tool)
	}
	return nil
}

func (d *requestDecoder) function(f fields) (tool chat.Tool, err error) {
	for _, name := range f.names {
		switch name {
		case "name":
			tool.Name, err = f.text(name)
		case "description":
			tool.Description, err = f.text(name)
		case "parameters":
			tool.Parameters, err = jsonSchema(f.where(name), f.raw(name), 0)
		case "parametersJsonSchema":
			_, err = parse(f.where(name), f.raw(name))
			tool.Parameters = f.raw(name)
		case "behavior":
			// BLOCKING is how functions are called everywhere.
			if string(f.raw(name)) != `"BLOCKING"` && string(f.raw(name)) != `"UNSPECIFIED"` {
				d.extra(f.where(name), f.raw(name))
			}
		default:
			d.extra(f.where(name), f.raw(name))
		}
		if err != nil {
			return tool, err
		}
	}
	switch {
	case tool.Name == "":
		return tool, hub.Invalid(f.at("name"), "%s is required.", f.at("name"))
	case f.has("parameters") && f.has("parametersJsonSchema"):
		return tool, hub.Invalid(f.where("parameters"), "%s and %s exclude each other.", f.where("parameters"), f.where("parametersJsonSchema"))
	}
	return tool, nil
}

func (d *requestDecoder) toolConfig(f fields) error {
	c, err := f.object("toolConfig")
	if err != nil {
		return err
	}
	for _, name := range c.names {
		if name != "functionCallingConfig" {
			d.extra(c.where(name), c.raw(name))
		}
	}
	calling, err := c.object("functionCallingConfig")
	if err != nil || len(calling.names) == 0 {
		return err
	}
	d.called("tool_choice", c, "functionCallingConfig")
	for _, name := range calling.names {
		if name != "mode" && name != "allowedFunctionNames" {
			d.extra(calling.where(name), calling.raw(name))
		}
	}
	return d.choice(calling)
}

// choice reads how tools are to be called. VALIDATED is AUTO with calls that
// keep to their schemas, which others ask for tool by tool.
func (d *requestDecoder) choice(c fields) error {
	mode, err := c.text("mode")
	if err != nil {
		return err
	}
	var allowed []string
	if err := c.read("allowedFunctionNames", &allowed, "an array of strings"); err != nil {
		return err
	}
	if len(allowed) > 0 {
		if mode != "ANY" && mode != "VALIDATED" {
			return hub.Invalid(c.where("allowedFunctionNames"), "%s needs the mode ANY or VALIDATED.", c.where("allowedFunctionNames"))
		}
		if err := d.allow(c.where("allowedFunctionNames"), allowed); err != nil {
			return err
		}
	}
	switch mode {
	case "", "MODE_UNSPECIFIED":
	case "AUTO":
		d.req.ToolChoice = &chat.ToolChoice{Mode: "auto"}
	case "NONE":
		d.req.ToolChoice = &chat.ToolChoice{Mode: "none"}
	case "ANY":
		d.req.ToolChoice = &chat.ToolChoice{Mode: "required"}
		if len(allowed) == 1 {
			d.req.ToolChoice = &chat.ToolChoice{Mode: "tool", Name: allowed[0]}
		}
	case "VALIDATED":
		d.req.ToolChoice = &chat.ToolChoice{Mode: "auto"}
		for i := range d.req.Tools {
			if d.req.Tools[i].RawType == "" {
				d.req.Tools[i].Strict = new(true)
			}
		}
	default:
		return hub.Invalid(c.where("mode"), "%s must be AUTO, ANY, NONE or VALIDATED.", c.where("mode"))
	}
	return nil
}

// allow narrows the functions to those that may be called: no other language
// has such a list, and what must not be called need not be offered. One name
// alone is a choice, for which the others may stay.
func (d *requestDecoder) allow(path string, names []string) error {
	for _, name := range names {
		if !slices.ContainsFunc(d.req.Tools, func(t chat.Tool) bool { return t.RawType == "" && t.Name == name }) {
			return hub.Invalid(path, "%s holds %q, which no function declaration has.", path, name)
		}
	}
	if len(names) > 1 {
		d.req.Tools = slices.DeleteFunc(d.req.Tools, func(t chat.Tool) bool {
			return t.RawType == "" && !slices.Contains(names, t.Name)
		})
	}
	return nil
}
