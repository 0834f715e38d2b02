package responses

import (
	"encoding/json"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// Decode reads the whole conversation for translation. What only OpenAI can do
// (background work, stored conversations and prompts, files by their stored
// items) is refused; hints that cannot change an answer are listed in Dropped.
func (Server) Decode(v *dialect.View) (*chat.Request, error) {
	d := requestDecoder{req: &chat.Request{
		Model: v.Model, Stream: v.Stream, MaxOutput: v.MaxOutput,
		Names: map[string]string{
			"max_tokens": "max_output_tokens", "max_completion_tokens": "max_output_tokens", "messages": "input",
			"response_format": "text.format", "reasoning_effort": "reasoning", "verbosity": "text.verbosity", "logprobs": "top_logprobs",
		},
	}}
	if raw, ok := v.Object.Get("instructions"); ok && !absent(raw) {
		if err := d.instructions(raw); err != nil {
			return nil, err
		}
	}
	for _, name := range v.Object.Keys() {
		if !v.Object.Has(name) {
			continue
		}
		raw, _ := v.Object.Get(name)
		if err := d.parameter(name, raw); err != nil {
			return nil, err
		}
	}
	if len(d.req.Messages) == 0 {
		return nil, hub.Invalid("input", "input must hold something to answer.")
	}
	return d.req, nil
}

type requestDecoder struct {
	req    *chat.Request
	calls  map[string]string
	signed map[string]signature // of calls, by call id
}

func (d *requestDecoder) drop(name string) { d.req.Ignore(name) }

func (d *requestDecoder) extra(name string, raw json.RawMessage) {
	if d.req.Extra == nil {
		d.req.Extra = map[string]json.RawMessage{}
	}
	d.req.Extra[name] = raw
}

// instructions are the system message that comes before all else.
func (d *requestDecoder) instructions(raw json.RawMessage) error {
	text, err := dialect.TextParam("instructions", raw)
	if err == nil && text != "" {
		d.req.PlaceMessage(0, "instructions")
		d.req.Messages = append(d.req.Messages, chat.Message{Role: chat.System, Parts: []chat.Part{{Kind: chat.Text, Text: text}}})
	}
	return err
}

func (d *requestDecoder) parameter(name string, raw json.RawMessage) (err error) {
	r := d.req
	switch name {
	case "model", "stream", "max_output_tokens", "instructions": // read before
	case "stream_options", "store": // about this hop and the hub's own shelf
	case "input":
		return d.input(raw)
	case "tools":
		return d.tools(raw)
	case "tool_choice":
		return d.toolChoice(raw)
	case "text":
		return d.text(raw)
	case "reasoning":
		return d.reasoning(raw)
	case "include":
		return d.include(raw)
	case "temperature":
		r.Temperature, err = dialect.NumberParam(name, raw)
	case "top_p":
		r.TopP, err = dialect.NumberParam(name, raw)
	case "frequency_penalty": // not OpenAI's, but of the open standard that others copy
		r.FrequencyPenalty, err = dialect.NumberParam(name, raw)
	case "presence_penalty":
		r.PresencePenalty, err = dialect.NumberParam(name, raw)
	case "top_logprobs":
		return d.logprobs(raw)
	case "parallel_tool_calls":
		r.ParallelToolCalls, err = dialect.BoolParam(name, raw)
	case "service_tier":
		r.ServiceTier, err = dialect.TextParam(name, raw)
	case "user":
		r.User, err = dialect.TextParam(name, raw)
	case "metadata":
		err = dialect.ReadParam(name, raw, &r.Metadata, "an object of strings")
	case "safety_identifier":
		d.extra(name, raw)
	case "prompt_cache_key", "prompt_cache_retention", "prompt_cache_options", "client_metadata", "max_tool_calls":
		// Where to look for a cached beginning, what the client says of itself,
		// and how often tools may run that are not offered here.
		d.drop(name)
	case "background", "truncation":
		return d.only(name, raw)
	case "previous_response_id", "conversation", "prompt", "context_management", "moderation":
		return hub.Invalid(name, "%s works only where the model itself speaks the Responses API with stored answers; leave it out or choose another model.", name)
	default:
		d.extra(name, raw)
	}
	return err
}

// only lets a parameter pass whose value asks for nothing special.
func (d *requestDecoder) only(name string, raw json.RawMessage) error {
	switch string(raw) {
	case "false", `"disabled"`:
		return nil
	}
	return hub.Invalid(name, "%s is %s, which works only where the model itself speaks the Responses API; leave it out or choose another model.", name, raw)
}

func (d *requestDecoder) text(raw json.RawMessage) error {
	if raw[0] != '{' {
		return hub.Invalid("text", "text must be an object.")
	}
	var err error
	wire.EachMember(raw, func(key string, value []byte) bool {
		switch {
		case absent(value):
		case key == "format":
			err = d.format(value)
		case key == "verbosity":
			if wordOf(value) != "medium" { // what is meant when nothing is said
				d.extra("verbosity", value)
			}
		default:
			err = hub.Invalid("text."+key, "text.%s is not known.", key)
		}
		return err == nil
	})
	return err
}

func (d *requestDecoder) format(raw json.RawMessage) error {
	var in struct {
		Type        string          `json:"type"`
		Name        string          `json:"name"`
		Description string          `json:"description"`
		Schema      json.RawMessage `json:"schema"`
		Strict      *bool           `json:"strict"`
	}
	const at = "text.format"
	if err := dialect.ReadParam(at, raw, &in, "an object with type"); err != nil {
		return err
	}
	switch in.Type {
	case "text":
		return nil
	case "json_object":
		d.req.Format = &chat.Format{Kind: in.Type}
		return nil
	case "json_schema":
		if in.Name == "" {
			return hub.Invalid(at+".name", "%s.name must name the schema.", at)
		}
		if len(in.Schema) == 0 || in.Schema[0] != '{' {
			return hub.Invalid(at+".schema", "%s.schema must be an object.", at)
		}
		d.req.Format = &chat.Format{Kind: in.Type, Name: in.Name, Description: in.Description, Schema: in.Schema, Strict: in.Strict}
		return nil
	}
	return hub.Invalid(at+".type", "%s.type must be text, json_object or json_schema, not %q.", at, in.Type)
}

func (d *requestDecoder) reasoning(raw json.RawMessage) error {
	var in struct {
		Effort  string `json:"effort"`
		Summary string `json:"summary"`
		Older   string `json:"generate_summary"`
		Budget  *int64 `json:"max_tokens"` // OpenRouter
	}
	if err := dialect.ReadParam("reasoning", raw, &in, "an object with effort and summary"); err != nil {
		return err
	}
	if in.Effort == "" && in.Budget == nil {
		// A wish for summaries of thoughts that the model may have: without
		// thoughts there are none.
		if in.Summary+in.Older != "" {
			d.drop("reasoning.summary")
		}
		return nil
	}
	d.req.Reasoning = &chat.Reasoning{Effort: in.Effort, Budget: in.Budget, Summary: firstOf(in.Summary, in.Older)}
	if in.Effort == "none" {
		d.req.Reasoning.Disabled = true
	}
	return nil
}

// include asks for more in the answer. Thoughts are sealed into it anyway; what
// concerns tools that are not offered here is left out.
func (d *requestDecoder) include(raw json.RawMessage) error {
	var all []string
	if err := dialect.ReadParam("include", raw, &all, "an array of strings"); err != nil {
		return err
	}
	for _, what := range all {
		switch what {
		case "reasoning.encrypted_content":
		case "message.output_text.logprobs":
			yes := true
			d.req.Logprobs = &yes
		default:
			d.drop("include." + what)
		}
	}
	return nil
}

func (d *requestDecoder) logprobs(raw json.RawMessage) error {
	n, ok := dialect.Whole(raw)
	if !ok || n < 0 {
		return hub.Invalid("top_logprobs", "top_logprobs must be a whole number of at least 0.")
	}
	if n > 0 {
		yes := true
		d.req.Logprobs, d.req.TopLogprobs = &yes, &n
	}
	return nil
}
