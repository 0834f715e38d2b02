package openai

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// Encode translates. Signatures of thinking have no place in this language and
// are left out, as is thinking itself where the vendor takes none back.
func (Client) Encode(req *chat.Request, t dialect.Target) (dialect.Encoded, error) {
	req, dropped, err := req.Offered(chat.Tools{Own: func(kind string) bool { return kind == "web_search_options" }})
	if err != nil {
		return dialect.Encoded{}, err
	}
	e := &encoder{req: req, target: t, quirks: t.Quirks, dropped: dropped}
	e.set("model", t.Model)
	for _, step := range []func() error{e.messages, e.tools, e.limit, e.sampling, e.format, e.reasoning, e.rest, e.extra, e.stream} {
		if err := step(); err != nil {
			return dialect.Encoded{}, err
		}
	}
	e.out.WriteByte('}')
	return dialect.Encoded{Body: e.out.Bytes(), Dropped: e.dropped}, nil
}

type encoder struct {
	req     *chat.Request
	target  dialect.Target
	quirks  dialect.Quirks
	out     bytes.Buffer
	dropped []string
}

// set writes a member. Values are of this package's own making or JSON that was
// read before, which always encode.
func (e *encoder) set(name string, value any) {
	if e.out.Len() == 0 {
		e.out.WriteByte('{')
	} else {
		e.out.WriteByte(',')
	}
	e.out.Write(quote(name))
	e.out.WriteByte(':')
	e.out.Write(encodeJSON(value))
}

// encodeJSON encodes without HTML escapes and without the closing newline.
func encodeJSON(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return []byte("null") // a raw value that is no JSON: nothing can be said
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func (e *encoder) drop(name string) {
	if !slices.Contains(e.dropped, name) {
		e.dropped = append(e.dropped, name)
	}
}

// param writes a parameter, unless the vendor ignores it (dropped) or answers
// it with an error (refused here, by the caller's name).
func (e *encoder) param(name string, value any) error {
	switch caller := e.req.ParamName(name); {
	case e.lists(e.quirks.Ignores, name):
		e.drop(caller)
	case e.lists(e.quirks.Refuses, name):
		return e.refuse(name)
	default:
		e.set(called(e.quirks, name), value)
	}
	return nil
}

func (e *encoder) lists(names []string, name string) bool {
	return slices.Contains(names, name) || slices.Contains(names, e.req.ParamName(name))
}

func (e *encoder) refuse(name string) error {
	caller := e.req.ParamName(name)
	return hub.Invalid(caller, "The model %q does not take %s.", e.req.Model, caller)
}

func (e *encoder) limit() error {
	n := e.req.MaxOutput
	if low := e.target.LowerTo; low > 0 && (n == nil || *n > low) {
		n = &low
	}
	if n != nil {
		e.set(limitField(e.quirks), *n)
	}
	return nil
}

// named is a parameter that may be absent.
type named struct {
	name  string
	given bool
	value any
}

func (e *encoder) params(all []named) error {
	for _, p := range all {
		if !p.given {
			continue
		}
		if err := e.param(p.name, p.value); err != nil {
			return err
		}
	}
	return nil
}

func (e *encoder) sampling() error {
	r := e.req
	if r.TopK != nil && !slices.Contains(e.quirks.Takes, "top_k") {
		// Not of this language.
		if !e.lists(e.quirks.Ignores, "top_k") {
			return e.refuse("top_k")
		}
		e.drop(r.ParamName("top_k"))
	}
	return e.params([]named{
		{"temperature", r.Temperature != nil, r.Temperature},
		{"top_p", r.TopP != nil, r.TopP},
		{"top_k", r.TopK != nil && slices.Contains(e.quirks.Takes, "top_k"), r.TopK},
		{"frequency_penalty", r.FrequencyPenalty != nil, r.FrequencyPenalty},
		{"presence_penalty", r.PresencePenalty != nil, r.PresencePenalty},
		{"stop", len(r.Stop) > 0, r.Stop},
		{"seed", r.Seed != nil, r.Seed},
		{"n", r.N != nil && (*r.N > 1 || !e.lists(e.quirks.Refuses, "n")), r.N}, // 1 is what comes anyway
		{"logprobs", r.Logprobs != nil, r.Logprobs},
		{"top_logprobs", r.TopLogprobs != nil, r.TopLogprobs},
		{"logit_bias", r.LogitBias != nil, r.LogitBias},
	})
}

func (e *encoder) rest() error {
	r := e.req
	return e.params([]named{
		{"service_tier", r.ServiceTier != "", r.ServiceTier},
		{"user", r.User != "", endUser(r.User)},
		{"metadata", len(r.Metadata) > 0, r.Metadata},
		{"modalities", len(r.Modalities) > 0, r.Modalities},
	})
}

// maxUser is how many characters OpenAI takes for the caller's end user.
const maxUser = 64

// endUser shortens an id that is too long to one that is as stable.
func endUser(id string) string {
	if utf8.RuneCountInString(id) <= maxUser {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:])
}

// openAIOnly are parameters of this language without a canonical meaning. Where
// a caller's dialect has them it has them by the same name and meaning.
var openAIOnly = []string{
	"audio", "prediction", "prompt_cache_key", "prompt_cache_retention", "safety_identifier",
	"store", "tool_choice", "verbosity", "web_search_options",
}

// optimisations are parameters of other languages that steer how their own
// vendor keeps or hurries a request, not what is answered.
var optimisations = []string{"cache_control", "context_management", "speed"}

func (e *encoder) extra() error {
	for _, name := range slices.Sorted(maps.Keys(e.req.Extra)) {
		caller := e.req.ParamName(name)
		switch raw := bytes.TrimSpace(e.req.Extra[name]); {
		case len(raw) == 0 || string(raw) == "null":
		case e.lists(e.quirks.Ignores, name) || slices.Contains(optimisations, name):
			e.drop(caller)
		case e.lists(e.quirks.Refuses, name) || !slices.Contains(openAIOnly, name) && !slices.Contains(e.quirks.Takes, name):
			return e.refuse(name)
		default:
			e.set(name, e.req.Extra[name])
		}
	}
	return nil
}

func (e *encoder) stream() error {
	if !e.target.Stream {
		return nil
	}
	e.set("stream", true)
	if !e.quirks.NoStreamUsage {
		e.set("stream_options", map[string]bool{"include_usage": true})
	}
	return nil
}

// reasoning asks for thinking. "Disabled" without an effort is left out and
// reported: models that do not think refuse the parameter, and those that do
// have no common word for it. Whether the text is shown is the vendor's own.
func (e *encoder) reasoning() error {
	r := e.req.Reasoning
	if r == nil {
		return nil
	}
	if r.Summary != "" {
		e.drop(e.req.ParamName("reasoning_effort") + ".summary")
	}
	if e.quirks.ThinkingSwitch != "" {
		return e.switchThinking(r)
	}
	effort := r.Effort
	switch {
	case effort != "":
	case (r.Disabled || r.Budget != nil && *r.Budget <= 0) && slices.Contains(e.quirks.Efforts, "none"):
		effort = "none"
	case r.Disabled, r.Budget != nil && *r.Budget <= 0:
		e.drop(e.req.ParamName("reasoning_effort"))
		return nil
	case r.Budget != nil:
		effort = chat.EffortFor(*r.Budget)
	default: // adaptive: the model decides, as it does when nothing is said
		return nil
	}
	if effort = e.fitEffort(effort); effort == "" {
		e.drop(e.req.ParamName("reasoning_effort"))
		return nil
	}
	return e.param("reasoning_effort", effort)
}

type schemaOut struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Schema      json.RawMessage `json:"schema,omitempty"`
	Strict      *bool           `json:"strict,omitempty"`
}

func (e *encoder) format() error {
	f := e.req.Format
	if f == nil {
		return nil
	}
	switch e.schema() {
	case schemaByTool:
		return nil // goes as a forced tool
	case schemaByWords:
		return e.param("response_format", map[string]any{"type": "json_object"})
	case schemaInObject:
		return e.param("response_format", map[string]any{"type": "json_object", "schema": f.Schema})
	case schemaNative:
		name := f.Name
		if name == "" {
			name = "answer" // required by this language only
		}
		return e.param("response_format", map[string]any{
			"type": f.Kind, "json_schema": schemaOut{name, f.Description, f.Schema, f.Strict},
		})
	}
	return e.param("response_format", map[string]any{"type": f.Kind})
}

type functionOut struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Parameters  json.RawMessage `json:"parameters,omitempty"`
	Strict      *bool           `json:"strict,omitempty"`
}

type toolOut struct {
	Type     string      `json:"type"`
	Function functionOut `json:"function"`
}

func (e *encoder) tools() error {
	var out []toolOut
	for _, t := range e.req.Tools {
		f := functionOut{t.Name, t.Description, t.Parameters, t.Strict}
		if t.Strict != nil && e.quirks.NoStrictTools {
			f.Strict = nil
			if *t.Strict {
				e.drop("strict")
			}
		}
		if t.Cache != nil {
			e.drop("cache_control")
		}
		out = append(out, toolOut{"function", f})
	}
	choice, off, err := e.choose()
	if err != nil {
		return err
	}
	if off {
		out = nil
	}
	if f := e.req.Format; e.schema() == schemaByTool {
		description := f.Description
		if description == "" {
			description = "Gives the answer. Call it exactly once, with the answer as its arguments."
		}
		out = append(out, toolOut{"function", functionOut{Name: structuredTool, Description: description, Parameters: f.Schema}})
		choice = forced(structuredTool)
		if len(out) > 1 { // the caller's own tools stay possible
			choice = "required"
		}
	}
	return e.params([]named{
		{"tools", len(out) > 0, out},
		{"tool_choice", choice != nil, choice},
		// true is what comes anyway; for false the hub passes on the first call only.
		{"parallel_tool_calls", e.req.ParallelToolCalls != nil && len(out) > 0 && !e.lists(e.quirks.Refuses, "parallel_tool_calls"), e.req.ParallelToolCalls},
	})
}

func (e *encoder) toolChoice() any {
	c := e.req.ToolChoice
	switch {
	case c == nil:
		return nil
	case c.Mode == "tool":
		return forced(c.Name)
	}
	return c.Mode
}

func forced(name string) any {
	return map[string]any{"type": "function", "function": map[string]string{"name": name}}
}
