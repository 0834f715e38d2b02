package openai

import (
	"slices"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// called is the vendor's own name of a parameter.
func called(q dialect.Quirks, name string) string {
	if own, ok := q.Renames[name]; ok {
		return own
	}
	return name
}

// spliceNames gives a native request the names by which the vendor knows the
// same parameters: under others they would be refused, or lost.
func spliceNames(o *wire.Object, q dialect.Quirks) {
	for name, own := range q.Renames {
		rename(o, name, own)
	}
	if q.MaxTokensField == "max_tokens" {
		rename(o, "max_completion_tokens", q.MaxTokensField)
	}
}

func rename(o *wire.Object, from, to string) {
	raw, ok := o.Get(from)
	if !ok || o.Has(to) {
		return
	}
	o.Set(to, raw)
	o.Delete(from)
}

// takesMode reports whether the vendor takes a tool_choice mode.
func takesMode(q dialect.Quirks, mode string) bool {
	return q.ToolModes == nil || slices.Contains(q.ToolModes, mode)
}

// choose gives the tool_choice to send, if any; off says to leave out the tools.
func (e *encoder) choose() (choice any, off bool, err error) {
	c := e.req.ToolChoice
	switch {
	case c == nil, c.Mode == "auto" && e.quirks.ToolModes != nil:
		return nil, false, nil
	case takesMode(e.quirks, c.Mode):
		return e.toolChoice(), false, nil
	case c.Mode == "none":
		return nil, true, nil
	}
	return nil, false, e.refuse("tool_choice")
}

// schemaWay is how a JSON schema for the answer reaches the vendor.
type schemaWay int

const (
	noSchema       schemaWay = iota // none was asked for
	schemaNative                    // response_format json_schema
	schemaInObject                  // response_format json_object with the schema in it
	schemaByTool                    // the arguments of a forced tool
	schemaByWords                   // response_format json_object, and the schema in the system prompt
)

func (e *encoder) schema() schemaWay {
	f := e.req.Format
	switch {
	case f == nil || f.Kind != "json_schema":
		return noSchema
	case e.quirks.SchemaInObject:
		return schemaInObject
	case !e.quirks.NoJSONSchema:
		return schemaNative
	}
	mode := "tool"
	if len(e.req.Tools) > 0 { // the caller's own tools stay possible
		mode = "required"
	}
	if takesMode(e.quirks, mode) {
		return schemaByTool
	}
	return schemaByWords
}

// withSchema tells the model the schema of its answer, as vendors whose JSON mode
// knows no schemas advise.
func (e *encoder) withSchema(out []messageOut) []messageOut {
	words := "Answer with one JSON object and nothing else. It must be valid against this JSON schema: " + string(e.req.Format.Schema)
	if len(out) > 0 && out[0].Role == string(chat.System) {
		if text, ok := out[0].Content.(string); ok {
			out[0].Content = text + "\n\n" + words
			return out
		}
	}
	return append([]messageOut{{Role: string(chat.System), Content: words}}, out...)
}

// strengths are the words of reasoning_effort, weakest first.
var strengths = []string{"none", "minimal", "low", "medium", "high", "xhigh", "max"}

// fitEffort turns a word into one that the vendor takes; "" is none.
func (e *encoder) fitEffort(word string) string {
	takes := e.quirks.Efforts
	if takes == nil || slices.Contains(takes, word) {
		return word
	}
	at := slices.Index(strengths, word)
	if at <= 0 { // "none" and unknown words are like no other
		return ""
	}
	for _, stronger := range strengths[at+1:] {
		if slices.Contains(takes, stronger) {
			return stronger
		}
	}
	return takes[len(takes)-1]
}

// switchThinking uses the vendor's own switch.
func (e *encoder) switchThinking(r *chat.Reasoning) error {
	off := r.Disabled || r.Effort == "none" || r.Budget != nil && *r.Budget <= 0
	if e.quirks.ThinkingSwitch == dialect.SwitchThinking {
		kind := "enabled"
		if off {
			kind = "disabled"
		}
		e.set("thinking", map[string]string{"type": kind})
		if effort := e.fitEffort(r.Effort); !off && effort != "" {
			return e.param("reasoning_effort", effort)
		}
		return nil
	}
	e.set("enable_thinking", !off)
	switch {
	case off:
	case r.Budget != nil:
		e.set("thinking_budget", *r.Budget)
	case r.Effort != "": // the switch has no strength
		e.drop(e.req.ParamName("reasoning_effort"))
	}
	return nil
}

// named refuses a name that the vendor has no place for.
func (e *encoder) named(at string, m *chat.Message) error {
	if m.Name != "" && e.quirks.NoNames {
		return hub.Invalid(at+".name", "%s.name: the model %q does not take names in messages.", at, e.req.Model)
	}
	return nil
}
