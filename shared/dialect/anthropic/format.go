package anthropic

import (
	"encoding/json"
	"slices"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
)

// format asks for a structured answer. A forced tool is understood by every
// model that does not think. The native output_config.format is used where the
// model thinks, which forbids forcing, and by the models that may think unasked:
// they all have it, but take only schemas whose objects are closed. Decode and
// Decoder turn the tool's arguments back into text.
func (tr *translator) format() error {
	f := tr.req.Format
	if f == nil || f.Kind == "" || f.Kind == "text" {
		return nil
	}
	send, err := tr.Want("response_format", true)
	if err != nil || !send {
		return err
	}
	schema := json.RawMessage(`{"type":"object","additionalProperties":true}`)
	switch {
	case f.Kind == "json_schema":
		if schema, err = dialect.ObjectSchema(f.Schema); err != nil {
			return tr.Refuse("response_format", "its schema must describe an object")
		}
	case f.Kind != "json_object":
		return tr.Refuse("response_format", "this type is not known")
	case tr.thinks():
		return tr.Refuse("response_format", "with reasoning it needs a JSON schema")
	}
	if tr.thinks() || f.Kind == "json_schema" && adaptiveOnly(tr.t.Model) && closed(schema) {
		if tr.out.OutputConfig == nil {
			tr.out.OutputConfig = &outputConfig{}
		}
		tr.out.OutputConfig.Format = &formatOut{Type: "json_schema", Schema: schema}
		return nil
	}
	choice := tr.out.ToolChoice
	if choice != nil && choice.Type == "tool" {
		return tr.Refuse("response_format", "tool_choice names a tool, so there is no answer to give a form to")
	}
	out := toolChoice{Type: "tool", Name: formatTool}
	if len(tr.out.Tools) > 0 && (choice == nil || choice.Type != "none") {
		out = toolChoice{Type: "any", DisableParallel: choice != nil && choice.DisableParallel}
	}
	desc := firstOf(f.Description, "Gives the final answer. Its arguments are the answer.")
	tr.out.Tools = append(tr.out.Tools, &toolOut{Name: formatTool, Description: desc, InputSchema: schema})
	tr.out.ToolChoice = &out
	return nil
}

// closed reports whether every object in a JSON schema allows no members but
// those it lists.
func closed(schema json.RawMessage) bool {
	var tree any
	return json.Unmarshal(schema, &tree) == nil && closedAt(tree)
}

func closedAt(v any) bool {
	switch v := v.(type) {
	case []any:
		return !slices.ContainsFunc(v, func(el any) bool { return !closedAt(el) })
	case map[string]any:
		if v["type"] == "object" && v["additionalProperties"] != false {
			return false
		}
		for _, el := range v {
			if !closedAt(el) {
				return false
			}
		}
	}
	return true
}
