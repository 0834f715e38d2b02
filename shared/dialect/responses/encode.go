package responses

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// requestOut is a translated request. Nothing is stored at the provider: the
// hub's callers of other languages have no way to come back to it.
type requestOut struct {
	Model       string            `json:"model"`
	Input       []any             `json:"input"`
	Tools       []any             `json:"tools,omitempty"`
	ToolChoice  any               `json:"tool_choice,omitempty"`
	MaxCalls    int64             `json:"max_tool_calls,omitempty"` // of the provider's own tools
	Parallel    *bool             `json:"parallel_tool_calls,omitempty"`
	MaxOutput   *int64            `json:"max_output_tokens,omitempty"`
	Temperature *float64          `json:"temperature,omitempty"`
	TopP        *float64          `json:"top_p,omitempty"`
	TopLogprobs *int64            `json:"top_logprobs,omitempty"`
	Text        map[string]any    `json:"text,omitempty"`
	Reasoning   *reasoningOut     `json:"reasoning,omitempty"`
	Include     []string          `json:"include"`
	Store       bool              `json:"store"`
	Tier        string            `json:"service_tier,omitempty"`
	User        string            `json:"user,omitempty"`
	Metadata    map[string]string `json:"metadata,omitempty"`
	Stream      bool              `json:"stream,omitempty"`
	Safety      json.RawMessage   `json:"safety_identifier,omitempty"`
	CacheKey    json.RawMessage   `json:"prompt_cache_key,omitempty"`
	CacheKept   json.RawMessage   `json:"prompt_cache_retention,omitempty"`
}

type functionOut struct {
	Type        string          `json:"type"`
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Parameters  json.RawMessage `json:"parameters"`
	Strict      bool            `json:"strict"` // the API makes it true where nothing is said
}

type reasoningOut struct {
	Effort  string `json:"effort,omitempty"`
	Summary string `json:"summary,omitempty"`
}

// Encode translates a conversation. Thoughts come sealed and go back sealed, so
// that a model keeps them over turns though nothing is stored.
func (Client) Encode(req *chat.Request, t dialect.Target) (dialect.Encoded, error) {
	e := &translator{target: t}
	var err error
	if e.req, e.dropped, err = req.Offered(chat.Tools{Own: func(string) bool { return false }, Search: e.search}); err != nil {
		return dialect.Encoded{}, err
	}
	e.out.Model, e.out.Stream, e.out.Include = t.Model, t.Stream, []string{"reasoning.encrypted_content"}
	for _, step := range []func() error{e.refusals, e.input, e.tools, e.sampling, e.format, e.reasoning, e.labels, e.extra} {
		if err := step(); err != nil {
			return dialect.Encoded{}, err
		}
	}
	return dialect.Encoded{Body: encodeJSON(e.out), Dropped: e.dropped}, nil
}

type translator struct {
	req     *chat.Request
	target  dialect.Target
	out     requestOut
	dropped []string
}

func (e *translator) drop(name string) {
	name = e.req.ParamName(name)
	if !slices.Contains(e.dropped, name) {
		e.dropped = append(e.dropped, name)
	}
}

func (e *translator) refuse(name string) error {
	name = e.req.ParamName(name)
	return hub.Invalid(name, "The model %q does not take %s.", e.req.Model, name)
}

// wants decides on a parameter that the language has: whether to send it, given
// what this provider refuses or ignores.
func (e *translator) wants(name string, given bool) (bool, error) {
	switch {
	case !given:
		return false, nil
	case slices.Contains(e.target.Quirks.Refuses, name):
		return false, e.refuse(name)
	case slices.Contains(e.target.Quirks.Ignores, name):
		e.drop(name)
		return false, nil
	}
	return true, nil
}

// refusals are the parameters that the Responses API has no word for.
func (e *translator) refusals() error {
	r := e.req
	for _, p := range []struct {
		name  string
		given bool
	}{
		{"stop", len(r.Stop) > 0},
		{"seed", r.Seed != nil},
		{"n", r.N != nil && *r.N != 1},
		{"top_k", r.TopK != nil},
		{"frequency_penalty", r.FrequencyPenalty != nil && *r.FrequencyPenalty != 0},
		{"presence_penalty", r.PresencePenalty != nil && *r.PresencePenalty != 0},
		{"logit_bias", r.LogitBias != nil && string(r.LogitBias) != "{}"},
		{"modalities", len(r.Modalities) > 0 && !slices.Equal(r.Modalities, []string{"text"})},
	} {
		if !p.given {
			continue
		}
		if !slices.Contains(e.target.Quirks.Ignores, p.name) {
			return e.refuse(p.name)
		}
		e.drop(p.name)
	}
	return nil
}

func (e *translator) tools() error {
	send, err := e.wants("tools", len(e.req.Tools) > 0)
	if err != nil || !send {
		return err
	}
	for _, t := range e.req.Tools {
		if t.Raw != nil {
			e.out.Tools = append(e.out.Tools, t.Raw)
			continue
		}
		if t.Cache != nil {
			e.drop("cache_control") // prompts are cached without being asked
		}
		f := functionOut{"function", t.Name, t.Description, t.Parameters, t.Strict != nil && *t.Strict}
		if absent(f.Parameters) {
			f.Parameters = json.RawMessage(`{"type":"object","properties":{}}`)
		}
		e.out.Tools = append(e.out.Tools, f)
	}
	e.out.Parallel = e.req.ParallelToolCalls
	if c := e.req.ToolChoice; c != nil {
		e.out.ToolChoice = c.Mode
		if c.Mode == "tool" {
			e.out.ToolChoice = map[string]string{"type": "function", "name": c.Name}
		}
	}
	return nil
}

func (e *translator) sampling() error {
	r := e.req
	e.out.MaxOutput = r.MaxOutput
	if low := e.target.LowerTo; low > 0 && (r.MaxOutput == nil || *r.MaxOutput > low) {
		e.out.MaxOutput = &low
	}
	send, err := e.wants("temperature", r.Temperature != nil)
	if err != nil {
		return err
	}
	if send {
		e.out.Temperature = r.Temperature
	}
	if send, err = e.wants("top_p", r.TopP != nil); err != nil {
		return err
	}
	if send {
		e.out.TopP = r.TopP
	}
	if r.Logprobs != nil && *r.Logprobs {
		e.out.Include = append(e.out.Include, "message.output_text.logprobs")
		e.out.TopLogprobs = r.TopLogprobs
	}
	return nil
}

func (e *translator) text(name string, value any) {
	if e.out.Text == nil {
		e.out.Text = map[string]any{}
	}
	e.out.Text[name] = value
}

func (e *translator) format() error {
	f := e.req.Format
	if f == nil || f.Kind == "" || f.Kind == "text" {
		return nil
	}
	send, err := e.wants("response_format", true)
	if err != nil || !send {
		return err
	}
	out := map[string]any{"type": f.Kind}
	if f.Kind == "json_schema" {
		out["name"] = firstOf(f.Name, "answer") // required by this language
		out["schema"] = json.RawMessage(`{"type":"object"}`)
		if !absent(f.Schema) {
			out["schema"] = f.Schema
		}
		if f.Description != "" {
			out["description"] = f.Description
		}
		if f.Strict != nil {
			out["strict"] = *f.Strict
		}
	}
	e.text("format", out)
	return nil
}

// reasoning asks for thinking. Callers whose language shows thoughts get a
// summary of them; OpenAI's own ask for it in words.
func (e *translator) reasoning() error {
	r := e.req.Reasoning
	send, err := e.wants("reasoning_effort", r != nil)
	if err != nil || !send {
		return err
	}
	out := reasoningOut{Effort: r.Effort, Summary: r.Summary}
	shown := r.Summary == "" && !r.Hidden
	switch {
	case r.Effort != "":
	case r.Disabled, r.Budget != nil && *r.Budget <= 0:
		e.drop("reasoning_effort") // these models always think; how little differs by model
		return nil
	case r.Budget != nil:
		out.Effort = chat.EffortFor(*r.Budget)
		if shown {
			out.Summary = "auto"
		}
	case r.Adaptive && shown:
		out.Summary = "auto"
	}
	if out != (reasoningOut{}) {
		e.out.Reasoning = &out
	}
	return nil
}

func (e *translator) labels() error {
	r := e.req
	for _, p := range []struct {
		name  string
		given bool
		set   func()
	}{
		{"service_tier", r.ServiceTier != "", func() { e.out.Tier = r.ServiceTier }},
		{"user", r.User != "", func() { e.out.User = r.User }},
		{"metadata", len(r.Metadata) > 0, func() { e.out.Metadata = r.Metadata }},
	} {
		send, err := e.wants(p.name, p.given)
		if err != nil {
			return err
		}
		if send {
			p.set()
		}
	}
	return nil
}

// extra decides on the source dialect's own parameters.
func (e *translator) extra() error {
	for _, name := range slices.Sorted(maps.Keys(e.req.Extra)) {
		raw := e.req.Extra[name]
		send, err := e.wants(name, !absent(raw))
		if err != nil {
			return err
		}
		if !send {
			continue
		}
		switch name {
		case "safety_identifier":
			e.out.Safety = raw
		case "prompt_cache_key":
			e.out.CacheKey = raw
		case "prompt_cache_retention":
			e.out.CacheKept = raw
		case "verbosity":
			e.text(name, raw)
		case "store", "stream_options", "cache_control", "context_management":
			e.drop(name) // shelves and caches of other surfaces; the answer is the same
		default:
			return e.refuse(name)
		}
	}
	return nil
}
