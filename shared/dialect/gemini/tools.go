package gemini

import (
	"encoding/json"
	"slices"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

type declarations struct {
	FunctionDeclarations []functionDeclaration `json:"functionDeclarations"`
}

type functionDeclaration struct {
	Name                 string          `json:"name"`
	Description          string          `json:"description,omitempty"`
	ParametersJSONSchema json.RawMessage `json:"parametersJsonSchema,omitempty"`
}

type toolConfig struct {
	FunctionCallingConfig functionCallingConfig `json:"functionCallingConfig"`
}

type functionCallingConfig struct {
	Mode                 string   `json:"mode"`
	AllowedFunctionNames []string `json:"allowedFunctionNames,omitempty"`
}

// formatTool is the reserved function by which a structured answer is forced
// beside other functions. Its calls are read back as text, so callers' own
// functions cannot have this name.
const formatTool = "json_output"

// formatWay is how a structured answer is asked for.
type formatWay int

const (
	formatNative formatWay = iota
	formatByTool           // by calling formatTool
	formatMoot             // the caller forces another function: there will be no text
)

// formatWay: before generation 3 the API refuses a response format together with
// functions (ai.google.dev, "Structured outputs with tools").
func (e *encoder) formatWay() formatWay {
	f, c := e.req.Format, e.req.ToolChoice
	if f == nil || f.Kind == "text" || f.Kind == "" || signsCalls(e.target.Model) {
		return formatNative
	}
	for _, t := range e.req.Tools {
		switch {
		case t.RawType != "":
		case c != nil && (c.Mode == "tool" || c.Mode == "required"):
			return formatMoot
		default:
			return formatByTool
		}
	}
	return formatNative
}

// ownTool lists the tools that Google runs itself.
var ownTool = map[string]bool{
	"googleSearch": true, "googleSearchRetrieval": true, "codeExecution": true, "urlContext": true,
	"googleMaps": true, "fileSearch": true, "computerUse": true,
}

func (e *encoder) tools() (out []json.RawMessage, err error) {
	var own []functionDeclaration
	for i, t := range e.req.Tools {
		e.cached(t.Cache)
		switch {
		case ownTool[t.RawType]:
			out = append(out, t.Raw)
			continue
		case t.Name == formatTool:
			return nil, hub.Invalid(e.req.ToolAt(i)+".name", "%q is reserved for structured answers; call the function something else.", t.Name)
		}
		d := functionDeclaration{Name: t.Name, Description: t.Description}
		if present(t.Parameters) {
			if d.ParametersJSONSchema, err = plainSchema(e.req.ToolAt(i)+".parameters", t.Parameters); err != nil {
				return nil, err
			}
		}
		own = append(own, d)
	}
	if e.format == formatByTool {
		d, err := e.formatFunction()
		if err != nil {
			return nil, err
		}
		own = append(own, d)
	}
	if len(own) > 0 {
		out = append(out, encodeJSON(declarations{own}))
	}
	return out, nil
}

func (e *encoder) formatFunction() (functionDeclaration, error) {
	f := e.req.Format
	d := functionDeclaration{Name: formatTool, Description: f.Description, ParametersJSONSchema: json.RawMessage(`{"type":"object"}`)}
	if d.Description == "" {
		d.Description = "Gives the final answer. Call it once, with the answer as its arguments, when no other function is needed."
	}
	if !present(f.Schema) {
		return d, nil
	}
	schema, err := plainSchema(e.req.ParamName("response_format")+".schema", f.Schema)
	d.ParametersJSONSchema = schema
	return d, err
}

// plainSchema returns a JSON schema without "$schema", which the API refuses.
func plainSchema(param string, schema json.RawMessage) (json.RawMessage, error) {
	o, err := wire.Parse(schema)
	if err != nil {
		return nil, hub.Invalid(param, "%s must be a JSON schema object: %v.", param, err)
	}
	o.Delete("$schema")
	return o.Bytes(), nil
}

func (e *encoder) toolConfig() (*toolConfig, error) {
	choice, param := e.req.ToolChoice, e.req.ParamName("tool_choice")
	if !slices.ContainsFunc(e.req.Tools, func(t chat.Tool) bool { return t.RawType == "" }) {
		if choice != nil && (choice.Mode == "required" || choice.Mode == "tool") {
			return nil, hub.Invalid(param, "%s asks for a tool call, but there are no functions.", param)
		}
		return nil, nil
	}
	mode := ""
	if choice != nil {
		mode = choice.Mode
	}
	c := functionCallingConfig{}
	switch mode {
	case "":
	case "auto":
		c.Mode = "AUTO"
	case "none":
		c.Mode = "NONE"
	case "required":
		c.Mode = "ANY"
	case "tool":
		c.Mode, c.AllowedFunctionNames = "ANY", []string{choice.Name}
	default:
		return nil, hub.Invalid(param, "%s %q is not known.", param, mode)
	}
	if e.format == formatByTool { // the model must call something: a function, or the answer's
		if c.Mode == "NONE" {
			c.AllowedFunctionNames = []string{formatTool}
		}
		c.Mode = "ANY"
	}
	e.strict(&c)
	if c.Mode == "" {
		return nil, nil
	}
	return &toolConfig{FunctionCallingConfig: c}, nil
}

// strict asks for calls that keep to their schemas. Forced calls do so anyway;
// where the model is free, VALIDATED says it for all functions at once.
func (e *encoder) strict(c *functionCallingConfig) {
	wanted := false
	for _, t := range e.req.Tools {
		wanted = wanted || t.RawType == "" && t.Strict != nil && *t.Strict
	}
	if !wanted || c.Mode == "ANY" || c.Mode == "NONE" {
		return
	}
	if validates(e.target.Model) {
		c.Mode = "VALIDATED"
		return
	}
	e.drop(e.req.ParamName("tools") + ".strict")
}

func (e *encoder) setFormat(g *generationConfig) error {
	f := e.req.Format
	if f == nil || e.format != formatNative {
		return nil
	}
	param := e.req.ParamName("response_format")
	switch f.Kind {
	case "", "text":
		return nil
	case "json_object":
		g.ResponseMIMEType = "application/json"
		return nil
	case "json_schema":
		g.ResponseMIMEType = "application/json"
		if !present(f.Schema) {
			return nil
		}
		schema, err := plainSchema(param+".schema", f.Schema)
		g.ResponseJSONSchema = schema
		return err
	}
	return hub.Invalid(param, "%s %q is not known.", param, f.Kind)
}
