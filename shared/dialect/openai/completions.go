package openai

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// CompletionsServer is the side that callers of the legacy completions API
// speak (https://platform.openai.com/docs/api-reference/completions): a prompt
// in, its continuation out. Its zero value works.
type CompletionsServer struct {
	Now hub.Now // nil: the system's clock
}

// CompletionsClient is the side that providers understand. Its zero value works.
type CompletionsClient struct {
	Now hub.Now // nil: the system's clock
}

var (
	_ dialect.Server = CompletionsServer{}
	_ dialect.Client = CompletionsClient{}
)

// Name is dialect.Completions.
func (CompletionsServer) Name() dialect.Name { return dialect.Completions }

// Name is dialect.Completions.
func (CompletionsClient) Name() dialect.Name { return dialect.Completions }

// Path is the same for every model.
func (CompletionsClient) Path(dialect.Target) string { return "/completions" }

// Error encodes an error body. The request id travels in a header.
func (s CompletionsServer) Error(err *hub.Error, requestID string) []byte {
	return Server(s).Error(err, requestID)
}

// Fault reads a non-2xx answer.
func (c CompletionsClient) Fault(status int, header http.Header, body []byte) *hub.Error {
	return Client(c).Fault(status, header, body)
}

// defaultCompletion is how many tokens the API generates when nothing is said.
const defaultCompletion = 16

// View reads the head of a request from its bytes. N is what is generated, and
// billed: of every prompt as many as n or best_of says.
func (CompletionsServer) View(r *http.Request, body []byte) (*dialect.View, error) {
	o, err := wire.Parse(body)
	if err != nil {
		return nil, dialect.BadBody(err)
	}
	v := &dialect.View{Object: o}
	if r != nil {
		v.Header = r.Header
	}
	if v.Model, _ = o.String("model"); strings.TrimSpace(v.Model) == "" {
		return nil, hub.Invalid("model", "model must name a model.")
	}
	if o.Has("models") {
		return nil, hub.Invalid("models", "models is not taken: name one model in model.")
	}
	if raw, _ := o.Get("prompt"); len(raw) == 0 || raw[0] != '"' && raw[0] != '[' {
		return nil, hub.Invalid("prompt", "prompt must be a string or an array.")
	}
	if v.MaxOutput, err = positive(o, "max_tokens"); err != nil {
		return nil, err
	}
	if v.MaxOutput == nil {
		v.MaxOutput = new(int64(defaultCompletion))
	}
	if v.Stream, err = dialect.Flag(o, "stream"); err != nil {
		return nil, err
	}
	if v.WantsUsage, err = wantsUsage(o); err != nil {
		return nil, err
	}
	v.WantsUsage = v.WantsUsage && v.Stream
	n, err := positive(o, "n")
	if err != nil {
		return nil, err
	}
	best, err := positive(o, "best_of")
	if err != nil {
		return nil, err
	}
	v.N = int64(prompts(o))
	for _, more := range []*int64{n, best} {
		if more != nil && *more > maxN {
			return nil, hub.Invalid("n", "n and best_of must be between 1 and %d.", maxN)
		}
	}
	switch {
	case best != nil && (n == nil || *best > *n):
		v.N *= *best
	case n != nil:
		v.N *= *n
	}
	return v, nil
}

// prompts counts the prompts of a request: one text or one array of tokens is
// one, an array of texts or of arrays as many as it holds.
func prompts(o *wire.Object) int {
	raw, _ := o.Get("prompt")
	c := cursor{b: raw}
	if !c.enter('[') {
		return 1
	}
	n := 0
	for c.item() {
		if v := c.value(); len(v) > 0 && v[0] != '"' && v[0] != '[' {
			return 1 // tokens
		}
		n++
	}
	return max(n, 1)
}

// answersTo is how many choices an answer to v has.
func answersTo(v *dialect.View) int {
	if v == nil {
		return 1
	}
	n := int64(1)
	if raw, ok := v.Object.Get("n"); ok {
		if m, ok := dialect.Whole(raw); ok && m > 1 {
			n = m
		}
	}
	return int(min(n*int64(prompts(v.Object)), maxChoices))
}

// Decode reads the request for translation: its one prompt is what a user says.
// What only a model that continues text can do is refused.
func (CompletionsServer) Decode(v *dialect.View) (*chat.Request, error) {
	d := requestDecoder{o: v.Object, req: &chat.Request{Model: v.Model, Stream: v.Stream, MaxOutput: v.MaxOutput}}
	d.called("max_completion_tokens", "max_tokens")
	d.called("messages", "prompt")
	d.called("top_logprobs", "logprobs")
	for _, name := range v.Object.Keys() {
		if !v.Object.Has(name) {
			continue
		}
		raw, _ := v.Object.Get(name)
		if err := d.completion(name, raw); err != nil {
			return nil, err
		}
	}
	return d.req, nil
}

func (d *requestDecoder) completion(name string, raw json.RawMessage) error {
	refused := func() error {
		return hub.Invalid(name, "%s works only with models that continue text; leave it out or choose another model.", name)
	}
	switch name {
	case "prompt":
		return d.prompt(raw)
	case "suffix":
		if string(raw) != `""` {
			return refused()
		}
	case "echo":
		if string(raw) != "false" {
			return refused()
		}
	case "best_of":
		n, _ := d.o.Get("n")
		if of, ok := dialect.Whole(raw); ok && of > 1 && string(n) != string(raw) {
			return refused()
		}
	case "logprobs":
		n, ok := dialect.Whole(raw)
		if !ok || n < 0 {
			return hub.Invalid(name, "logprobs must be a whole number of at least 0.")
		}
		d.req.Logprobs = new(true)
		d.req.TopLogprobs = &n
	case "messages", "tools", "functions", "tool_choice", "function_call", "response_format":
		d.extra(name, raw) // not of this API: no target takes it under Extra
	default:
		return d.parameter(name, raw)
	}
	return nil
}

func (d *requestDecoder) prompt(raw json.RawMessage) error {
	text := wire.Text(raw)
	if raw[0] == '[' {
		var all []string
		if json.Unmarshal(raw, &all) != nil {
			return hub.Invalid("prompt", "prompt: tokens are of one model's own alphabet; send the text itself.")
		}
		if len(all) != 1 {
			return hub.Invalid("prompt", "prompt must be one text for this model; send a request for each.")
		}
		text = all[0]
	}
	if text == "" {
		return hub.Invalid("prompt", "prompt must not be empty.")
	}
	d.add("prompt", chat.Message{Role: chat.User, Parts: []chat.Part{{Kind: chat.Text, Text: text}}})
	return nil
}

// Splice prepares a native request.
func (CompletionsClient) Splice(v *dialect.View, t dialect.Target) (dialect.Encoded, error) {
	o := v.Object.Clone()
	if v.Model != t.Model {
		o.Set("model", quote(t.Model))
	}
	if v.Stream != t.Stream {
		o.Set("stream", strconv.AppendBool(nil, t.Stream))
	}
	if err := spliceUsage(o, t); err != nil {
		return dialect.Encoded{}, err
	}
	if t.LowerTo > 0 && (v.MaxOutput == nil || *v.MaxOutput > t.LowerTo) {
		o.Set("max_tokens", strconv.AppendInt(nil, t.LowerTo, 10))
	}
	return dialect.Encoded{Body: o.Bytes()}, nil
}

// Encode translates. A model that continues text has no turns and no roles: one
// user's text is its prompt, anything more is refused.
func (CompletionsClient) Encode(req *chat.Request, t dialect.Target) (dialect.Encoded, error) {
	req, dropped, err := req.Offered(chat.Tools{Own: func(string) bool { return false }})
	if err != nil {
		return dialect.Encoded{}, err
	}
	e := &encoder{req: req, target: t, quirks: t.Quirks, dropped: dropped}
	e.quirks.MaxTokensField = "max_tokens"
	e.set("model", t.Model)
	if len(req.Messages) != 1 || req.Messages[0].Role != chat.User || len(chat.TextOf(req.Messages[0].Parts, chat.Text)) == 0 {
		name := req.ParamName("messages")
		return dialect.Encoded{}, hub.Invalid(name, "%s: the model %q only continues one text; send a single message of a user.", name, req.Model)
	}
	for _, p := range req.Messages[0].Parts {
		if p.Kind != chat.Text {
			return dialect.Encoded{}, e.cannot(req.ParamName("messages"), "anything but text")
		}
		if p.Cache != nil {
			e.drop(req.ParamName("cache_control"))
		}
	}
	if req.Messages[0].Name != "" {
		e.drop("messages.name")
	}
	for _, p := range []struct {
		name  string
		given bool
	}{
		{"tools", len(req.Tools) > 0},
		{"response_format", req.Format != nil && req.Format.Kind != "text"},
		{"reasoning_effort", req.Reasoning != nil && !req.Reasoning.Disabled},
		{"modalities", len(req.Modalities) > 0},
		{"logprobs", req.Logprobs != nil && *req.Logprobs},
	} {
		if p.given {
			return dialect.Encoded{}, e.refuse(p.name)
		}
	}
	e.set("prompt", chat.TextOf(req.Messages[0].Parts, chat.Text))
	plain := *req
	plain.Logprobs, plain.TopLogprobs = nil, nil
	for _, label := range []struct {
		name  string
		given bool
	}{{"service_tier", req.ServiceTier != ""}, {"metadata", len(req.Metadata) > 0}, {"reasoning_effort", req.Reasoning != nil}} {
		if label.given {
			e.drop(req.ParamName(label.name)) // what this API has no field for; thinking is not done anyway
		}
	}
	plain.ServiceTier, plain.Metadata, plain.Modalities = "", nil, nil
	e.req = &plain
	for _, step := range []func() error{e.limit, e.sampling, e.rest, e.extra, e.stream} {
		if err := step(); err != nil {
			return dialect.Encoded{}, err
		}
	}
	e.out.WriteByte('}')
	return dialect.Encoded{Body: e.out.Bytes(), Dropped: e.dropped}, nil
}
