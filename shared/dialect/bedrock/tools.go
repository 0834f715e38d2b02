package bedrock

import (
	"encoding/json"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// openSchema accepts any object.
var openSchema = json.RawMessage(`{"type":"object","additionalProperties":true}`)

func (tr *translator) tools() error {
	send, err := tr.Want("tools", len(tr.req.Tools) > 0)
	if err != nil || !send {
		return err
	}
	conf := &toolConfig{}
	for i, t := range tr.req.Tools {
		path := tr.req.ToolAt(i)
		if t.Name == formatTool {
			return hub.Invalid(path, "%s: the name %s is reserved for structured answers. Choose another.", path, formatTool)
		}
		schema, err := dialect.ObjectSchema(t.Parameters)
		if err != nil {
			return hub.Invalid(path, "%s: its parameters must be a JSON schema of an object.", path)
		}
		spec := &toolSpec{Name: t.Name, Description: t.Description, Schema: inputSchema{schema}}
		if t.Strict != nil && *t.Strict {
			if spec.Strict = tr.family.formats(); !spec.Strict {
				tr.Drop("tools.strict")
			}
		}
		conf.Tools = append(conf.Tools, toolEntry{Spec: spec})
		if t.Cache == nil {
			continue
		}
		if !tr.family.claude() { // Nova caches system and messages only
			tr.Drop("cache_control")
		} else if point := tr.cached(t.Cache); point != nil {
			conf.Tools = append(conf.Tools, toolEntry{CachePoint: point})
		}
	}
	tr.out.Tools = conf
	return nil
}

// called lists the tools that the conversation's calls name, in order.
func (tr *translator) called() (names []string) {
	seen := map[string]bool{}
	for _, t := range tr.out.Messages {
		for _, b := range t.Content {
			if b.ToolUse != nil && !seen[b.ToolUse.Name] {
				seen[b.ToolUse.Name] = true
				names = append(names, b.ToolUse.Name)
			}
		}
	}
	return names
}

func (tr *translator) hasToolBlocks() bool {
	for _, t := range tr.out.Messages {
		for _, b := range t.Content {
			if b.ToolUse != nil || b.ToolResult != nil {
				return true
			}
		}
	}
	return false
}

func (tr *translator) toolChoice() error {
	tc := tr.req.ToolChoice
	if tr.out.Tools == nil {
		if tc != nil && tc.Mode != "auto" && tc.Mode != "none" {
			return hub.Invalid(tr.req.ParamName("tool_choice"), "tool_choice demands a tool, but tools is empty.")
		}
		return tr.noTools("tools")
	}
	send, err := tr.Want("tool_choice", tc != nil)
	if err != nil {
		return err
	}
	if send {
		switch tc.Mode {
		case "auto": // is what a model does by itself
		case "none":
			return tr.noTools("tool_choice")
		case "required":
			tr.out.Tools.Choice = map[string]any{"any": struct{}{}}
		case "tool":
			tr.out.Tools.Choice = map[string]any{"tool": map[string]string{"name": tc.Name}}
		default:
			return hub.Invalid(tr.req.ParamName("tool_choice"), "tool_choice %q is not known.", tc.Mode)
		}
	}
	if tr.thinks() && tr.out.Tools.Choice != nil {
		return tr.Refuse("tool_choice", "a model that thinks cannot be made to call a tool; use auto, or no reasoning")
	}
	return tr.oneTool()
}

// noTools makes sure that no tool is called. Converse has no word for that but
// leaving the tools out, which it refuses once the conversation holds calls;
// Claude's own tool_choice has one, and takes its tools from the calls if need
// be. name is the parameter at fault where neither works.
func (tr *translator) noTools(name string) error {
	if !tr.hasToolBlocks() {
		tr.out.Tools = nil
		return nil
	}
	if !tr.family.claude() {
		return tr.Refuse(name, "a conversation with tool calls needs its tools, and this model cannot be kept from calling them")
	}
	if tr.out.Tools == nil {
		tr.out.Tools = &toolConfig{}
		for _, called := range tr.called() {
			tr.out.Tools.Tools = append(tr.out.Tools.Tools, toolEntry{Spec: &toolSpec{Name: called, Schema: inputSchema{openSchema}}})
		}
		if len(tr.out.Tools.Tools) == 0 {
			return tr.Refuse("tools", "the conversation holds the result of a tool, but neither its call nor the tool")
		}
	}
	tr.choice = map[string]any{"type": "none"}
	return nil
}

// oneTool forbids parallel calls, which only Claude's own tool_choice can; of
// others' calls the hub passes on the first.
func (tr *translator) oneTool() error {
	p := tr.req.ParallelToolCalls
	one, err := tr.Want("parallel_tool_calls", p != nil && !*p)
	if err != nil || !one {
		return err
	}
	if !tr.family.claude() {
		return nil
	}
	tr.choice = map[string]any{"type": "auto", "disable_parallel_tool_use": true}
	if tr.out.Tools.Choice["any"] != nil {
		tr.choice["type"] = "any"
	} else if tr.out.Tools.Choice["tool"] != nil {
		tr.choice["type"], tr.choice["name"] = "tool", tr.req.ToolChoice.Name
	}
	return nil
}

// format asks for a structured answer: by the model's own output format where
// the schema is strict or the model thinks, which forbids forcing a tool, and
// the model has one; otherwise by a forced tool, whose arguments Decode and
// Decoder turn back into text.
func (tr *translator) format() error {
	f := tr.req.Format
	if f == nil || f.Kind == "" || f.Kind == "text" {
		return nil
	}
	send, err := tr.Want("response_format", true)
	if err != nil || !send {
		return err
	}
	schema := openSchema
	switch f.Kind {
	case "json_schema":
		if schema, err = dialect.ObjectSchema(f.Schema); err != nil {
			return tr.Refuse("response_format", "its schema must describe an object")
		}
	case "json_object":
	default:
		return tr.Refuse("response_format", "this type is not known")
	}
	strict := f.Strict != nil && *f.Strict || tr.thinks()
	switch {
	case strict && f.Kind == "json_schema" && tr.family.formats():
		out := &outputConfig{TextFormat: textFormat{Type: "json_schema"}}
		out.TextFormat.Structure.JSONSchema = jsonSchema{Schema: string(schema), Name: f.Name, Description: f.Description}
		tr.out.Output = out
		return nil
	case tr.thinks():
		return tr.Refuse("response_format", "a model that thinks has no structured output of this kind")
	}
	return tr.forceFormat(f, schema)
}

func (tr *translator) forceFormat(f *chat.Format, schema json.RawMessage) error {
	desc := f.Description
	if desc == "" {
		desc = "Gives the final answer. Its arguments are the answer."
	}
	if tr.out.Tools == nil {
		tr.out.Tools = &toolConfig{}
	}
	if tr.out.Tools.Choice["tool"] != nil {
		return tr.Refuse("response_format", "tool_choice names a tool, so there is no answer to give a form to")
	}
	others := len(tr.out.Tools.Tools) > 0 && (tr.choice == nil || tr.choice["type"] != "none")
	tr.out.Tools.Tools = append(tr.out.Tools.Tools, toolEntry{Spec: &toolSpec{Name: formatTool, Description: desc, Schema: inputSchema{schema}}})
	switch {
	case others && tr.choice != nil:
		tr.choice["type"] = "any"
	case others:
		tr.out.Tools.Choice = map[string]any{"any": struct{}{}}
	default:
		tr.choice = nil
		tr.out.Tools.Choice = map[string]any{"tool": map[string]string{"name": formatTool}}
	}
	return nil
}
