package openai

import (
	"encoding/json"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// Decode reads the whole conversation. Parameters without a canonical meaning
// are kept in Extra.
func (Server) Decode(v *dialect.View) (*chat.Request, error) {
	d := requestDecoder{o: v.Object, req: &chat.Request{Model: v.Model, Stream: v.Stream, MaxOutput: v.MaxOutput}}
	for _, name := range v.Object.Keys() {
		if !v.Object.Has(name) {
			continue
		}
		raw, _ := v.Object.Get(name)
		if err := d.parameter(name, raw); err != nil {
			return nil, err
		}
	}
	if v.MaxOutput != nil && !v.Object.Has("max_completion_tokens") {
		d.called("max_completion_tokens", "max_tokens")
	}
	d.allowedTools()
	return d.req, nil
}

type requestDecoder struct {
	o   *wire.Object
	req *chat.Request

	callNames map[string]string // names of the functions called, by call id
	lastCall  map[string]string // the id of a function's last legacy call
	legacy    int
}

// called notes that a caller has another name for a parameter.
func (d *requestDecoder) called(canonical, name string) {
	if d.req.Names == nil {
		d.req.Names = map[string]string{}
	}
	d.req.Names[canonical] = name
}

func (d *requestDecoder) parameter(name string, raw json.RawMessage) (err error) {
	r := d.req
	switch name {
	case "model", "stream", "max_tokens", "max_completion_tokens": // read by View
	case "stream_options", "route": // about this hop, not about the model
	case "messages":
		return d.messages(raw)
	case "tools":
		return d.tools(raw)
	case "functions":
		return d.functions(raw)
	case "tool_choice":
		return d.toolChoice(raw)
	case "function_call":
		return d.functionChoice(raw)
	case "response_format":
		return d.format(raw)
	case "reasoning_effort":
		r.Reasoning = d.reasoningOrNew()
		r.Reasoning.Effort, err = dialect.TextParam(name, raw)
	case "reasoning":
		return d.reasoning(raw)
	case "thinking":
		return d.thinking(raw)
	case "stop":
		r.Stop, err = stops(raw)
	case "temperature":
		r.Temperature, err = dialect.NumberParam(name, raw)
	case "top_p":
		r.TopP, err = dialect.NumberParam(name, raw)
	case "frequency_penalty":
		r.FrequencyPenalty, err = dialect.NumberParam(name, raw)
	case "presence_penalty":
		r.PresencePenalty, err = dialect.NumberParam(name, raw)
	case "top_k":
		r.TopK, err = dialect.IntegerParam(name, raw)
	case "seed":
		r.Seed, err = dialect.IntegerParam(name, raw)
	case "n":
		r.N, err = dialect.IntegerParam(name, raw)
	case "top_logprobs":
		r.TopLogprobs, err = dialect.IntegerParam(name, raw)
	case "logprobs":
		r.Logprobs, err = dialect.BoolParam(name, raw)
	case "parallel_tool_calls":
		r.ParallelToolCalls, err = dialect.BoolParam(name, raw)
	case "service_tier":
		r.ServiceTier, err = dialect.TextParam(name, raw)
	case "user":
		r.User, err = dialect.TextParam(name, raw)
	case "metadata":
		r.Metadata, err = metadata(raw)
	case "modalities":
		err = dialect.ReadParam(name, raw, &r.Modalities, "an array of strings")
	case "logit_bias":
		if raw[0] != '{' {
			return hub.Invalid(name, "logit_bias must be an object.")
		}
		r.LogitBias = raw
	default:
		d.extra(name, raw)
	}
	return err
}

func (d *requestDecoder) extra(name string, raw json.RawMessage) {
	if d.req.Extra == nil {
		d.req.Extra = map[string]json.RawMessage{}
	}
	d.req.Extra[name] = raw
}

func (d *requestDecoder) reasoningOrNew() *chat.Reasoning {
	if d.req.Reasoning == nil {
		d.req.Reasoning = &chat.Reasoning{}
	}
	return d.req.Reasoning
}

// reasoning is OpenRouter's object
// (https://openrouter.ai/docs/use-cases/reasoning-tokens).
func (d *requestDecoder) reasoning(raw json.RawMessage) error {
	var in struct {
		Effort    *string `json:"effort"`
		MaxTokens *int64  `json:"max_tokens"`
		Enabled   *bool   `json:"enabled"`
		Exclude   bool    `json:"exclude"`
		Summary   string  `json:"summary"`
	}
	if err := dialect.ReadParam("reasoning", raw, &in, "an object with effort, max_tokens, enabled or exclude"); err != nil {
		return err
	}
	r := d.reasoningOrNew()
	d.called("reasoning_effort", "reasoning")
	if in.Effort != nil {
		r.Effort = *in.Effort
	}
	r.Budget, r.Hidden, r.Summary = in.MaxTokens, in.Exclude, in.Summary
	if in.Enabled != nil {
		r.Disabled = !*in.Enabled
		r.Adaptive = *in.Enabled && r.Effort == "" && r.Budget == nil
	}
	return nil
}

// thinking is the switch of DeepSeek, Moonshot and others:
// {"type":"enabled"|"disabled","budget_tokens":n}.
func (d *requestDecoder) thinking(raw json.RawMessage) error {
	var in struct {
		Type   string `json:"type"`
		Budget *int64 `json:"budget_tokens"`
	}
	if err := dialect.ReadParam("thinking", raw, &in, "an object with type and budget_tokens"); err != nil {
		return err
	}
	r := d.reasoningOrNew()
	d.called("reasoning_effort", "thinking")
	switch in.Type {
	case "disabled":
		r.Disabled = true
	case "enabled", "adaptive", "auto":
		r.Budget = in.Budget
		r.Adaptive = in.Budget == nil && r.Effort == ""
	default:
		return hub.Invalid("thinking.type", "thinking.type must be enabled or disabled.")
	}
	return nil
}

func (d *requestDecoder) format(raw json.RawMessage) error {
	var in struct {
		Type   string `json:"type"`
		Schema *struct {
			Name        string          `json:"name"`
			Description string          `json:"description"`
			Schema      json.RawMessage `json:"schema"`
			Strict      *bool           `json:"strict"`
		} `json:"json_schema"`
	}
	if err := dialect.ReadParam("response_format", raw, &in, "an object with type"); err != nil {
		return err
	}
	f := &chat.Format{Kind: in.Type}
	switch in.Type {
	case "text", "json_object":
	case "json_schema":
		if in.Schema == nil || in.Schema.Name == "" {
			return hub.Invalid("response_format.json_schema", "response_format.json_schema must have a name and a schema.")
		}
		f.Name, f.Description, f.Strict = in.Schema.Name, in.Schema.Description, in.Schema.Strict
		if s := in.Schema.Schema; len(s) > 0 && string(s) != "null" {
			if s[0] != '{' {
				return hub.Invalid("response_format.json_schema.schema", "response_format.json_schema.schema must be an object.")
			}
			f.Schema = s
		}
	default:
		return hub.Invalid("response_format.type", "response_format.type must be text, json_object or json_schema, not %q.", in.Type)
	}
	d.req.Format = f
	return nil
}

func stops(raw json.RawMessage) ([]string, error) {
	if raw[0] == '"' {
		return []string{wire.Text(raw)}, nil
	}
	var all []string
	return all, dialect.ReadParam("stop", raw, &all, "a string or an array of strings")
}

func metadata(raw json.RawMessage) (map[string]string, error) {
	var members map[string]json.RawMessage
	if err := dialect.ReadParam("metadata", raw, &members, "an object of strings"); err != nil {
		return nil, err
	}
	out := make(map[string]string, len(members))
	for k, v := range members {
		if len(v) == 0 || v[0] != '"' {
			return nil, hub.Invalid("metadata."+k, "metadata.%s must be a string.", k)
		}
		out[k] = wire.Text(v)
	}
	return out, nil
}
