package aigne

import (
	"encoding/json"
	"math"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
)

// decoder builds the conversation of either language.
type decoder struct {
	r      *reader
	req    *chat.Request
	opaque bool // some content is not in the body
}

func newDecoder() *decoder {
	return &decoder{r: &reader{}, req: &chat.Request{Names: map[string]string{}}}
}

// decodeProtocol reads {input, agent, options}. Members of input that belong to
// the agent that called the model, not to the model, are left alone.
func decodeProtocol(d *decoder, top *fields) {
	input := top.object("input")
	if input == nil {
		d.r.fail("input", "is required")
		return
	}
	options := input.object("modelOptions")
	if options == nil {
		options = d.r.parse(join(input.path, "modelOptions"), []byte("{}"))
	}
	for _, where := range []*fields{top, input, options} {
		if d.req.Model == "" {
			d.req.Model = strings.TrimSpace(where.str("model"))
		}
	}
	if d.req.Model == "" {
		d.r.fail(options.at("model"), "must name a model as provider/model")
	}
	if o := top.object("options"); o != nil {
		streaming := o.boolean("streaming")
		d.req.Stream = streaming != nil && *streaming
	}
	d.conversation(input)
	d.sampling(options)
	d.cache(options)
	// The caller's wish for how files reach the model: here they go as they are.
	options.raw("preferInputFileType")
	options.rest(func(name string, raw json.RawMessage) { d.extra(options, name, raw) })
}

// decodeRest reads the flat body.
func decodeRest(d *decoder, top *fields) {
	d.r.snake = true
	if d.req.Model = strings.TrimSpace(top.str("model")); d.req.Model == "" {
		d.r.fail("model", "must name a model as provider/model")
	}
	stream := top.boolean("stream")
	d.req.Stream = stream != nil && *stream
	if prompt := top.str("prompt"); prompt != "" {
		if top.has("messages") {
			d.r.fail("prompt", "and messages exclude each other; send one of them")
		}
		d.req.Messages = []chat.Message{{Role: chat.User, Parts: []chat.Part{{Kind: chat.Text, Text: prompt}}}}
		d.tools(top)
		d.format(top)
	} else {
		d.conversation(top)
	}
	d.sampling(top)
	d.req.N = top.integer("n", 1, maxAnswers)
	d.named("n", top, "n")
	// About this hop, not about the model: usage is always shown.
	top.raw("streamOptions")
	top.raw("route")
	top.rest(func(name string, raw json.RawMessage) { d.extra(top, name, raw) })
}

// maxAnswers bounds n, as OpenAI does.
const maxAnswers = 128

// named notes what the caller calls a parameter.
func (d *decoder) named(canonical string, f *fields, name string) {
	if f.has(name) {
		d.req.Names[canonical] = f.at(name)
	}
}

// extra keeps a parameter without a canonical meaning under OpenAI's spelling,
// by which client sides know it.
func (d *decoder) extra(f *fields, name string, raw json.RawMessage) {
	canonical := snakeCase(name)
	if d.req.Extra == nil {
		d.req.Extra = map[string]json.RawMessage{}
	}
	if _, twice := d.req.Extra[canonical]; twice {
		d.r.fail(join(f.path, name), "is there in two spellings; send one of them")
	}
	d.req.Extra[canonical] = raw
	d.req.Names[canonical] = join(f.path, name)
}

// sampling reads what shapes the answer; o is the object that holds it.
func (d *decoder) sampling(o *fields) {
	r := d.req
	r.Temperature = o.number("temperature", 0, 2)
	r.TopP = o.number("topP", 0, 1)
	r.TopK = o.integer("topK", 1, math.MaxInt32)
	r.FrequencyPenalty = o.number("frequencyPenalty", -2, 2)
	r.PresencePenalty = o.number("presencePenalty", -2, 2)
	r.Seed = o.integer("seed", math.MinInt64, math.MaxInt64)
	r.Stop = o.words("stop")
	r.ParallelToolCalls = o.boolean("parallelToolCalls")
	r.Modalities = o.words("modalities")
	r.Logprobs = o.boolean("logprobs")
	r.TopLogprobs = o.integer("topLogprobs", 0, 20)
	r.LogitBias, _ = o.raw("logitBias")
	r.User = o.str("user")
	r.ServiceTier = o.str("serviceTier")
	d.metadata(o)
	d.limit(o)
	d.reasoning(o)
	for _, name := range []string{
		"temperature", "topP", "topK", "frequencyPenalty", "presencePenalty", "seed", "stop", "parallelToolCalls",
		"modalities", "logprobs", "topLogprobs", "logitBias", "user", "serviceTier", "metadata", "reasoningEffort",
	} {
		d.named(snakeCase(name), o, name)
	}
	d.named("reasoning", o, "reasoningEffort")
}

func (d *decoder) metadata(o *fields) {
	raw, at := o.raw("metadata")
	if raw != nil && json.Unmarshal(raw, &d.req.Metadata) != nil {
		d.r.fail(at, "must be an object of strings")
	}
}

// limit reads the output limit; OpenAI's newer name is taken too.
func (d *decoder) limit(o *fields) {
	for _, name := range []string{"maxTokens", "maxCompletionTokens"} {
		n := o.integer(name, 1, math.MaxInt32)
		if n == nil {
			continue
		}
		if d.req.MaxOutput != nil && *d.req.MaxOutput != *n {
			d.r.fail(o.at(name), "and %s differ; send one of them", o.at("maxTokens"))
		}
		d.req.MaxOutput = n
		d.req.Names["max_tokens"], d.req.Names["max_completion_tokens"] = o.at(name), o.at(name)
	}
}

// efforts are the words for reasoningEffort.
var efforts = map[string]bool{"none": true, "minimal": true, "low": true, "medium": true, "high": true, "xhigh": true}

// reasoning reads a word, or a number of tokens; 0 means no thinking.
func (d *decoder) reasoning(o *fields) {
	raw, at := o.raw("reasoningEffort")
	if raw == nil || string(raw) == `""` {
		return
	}
	if raw[0] == '"' {
		word := o.str("reasoningEffort")
		if !efforts[word] {
			d.r.fail(at, "must be none, minimal, low, medium, high, xhigh or a number of tokens")
		}
		d.req.Reasoning = &chat.Reasoning{Effort: word, Disabled: word == "none"}
		return
	}
	n, ok := dialect.Whole(raw)
	if !ok || n < 0 || n > math.MaxInt32 {
		d.r.fail(at, "must be none, minimal, low, medium, high, xhigh or a number of tokens")
	}
	if n == 0 {
		d.req.Reasoning = &chat.Reasoning{Disabled: true}
		return
	}
	d.req.Reasoning = &chat.Reasoning{Budget: &n}
}

// conversation reads messages, tools and the wanted form.
func (d *decoder) conversation(f *fields) {
	d.messages(f)
	d.tools(f)
	d.format(f)
}

// format reads {type, jsonSchema: {name, description, schema, strict}}.
func (d *decoder) format(f *fields) {
	d.named("response_format", f, "responseFormat")
	o := f.object("responseFormat")
	if o == nil {
		return
	}
	kind := o.str("type")
	switch kind {
	case "text", "json_object":
		d.req.Format = &chat.Format{Kind: kind}
		return
	case "json_schema":
	default:
		d.r.fail(o.at("type"), "must be text, json_object or json_schema")
		return
	}
	js := o.object("jsonSchema")
	if js == nil {
		d.r.fail(o.at("jsonSchema"), "is required with json_schema")
		return
	}
	schema, at := js.raw("schema")
	if len(schema) == 0 || schema[0] != '{' {
		d.r.fail(at, "must be a JSON schema object")
	}
	d.req.Format = &chat.Format{
		Kind: kind, Name: js.str("name"), Description: js.str("description"), Schema: schema, Strict: js.boolean("strict"),
	}
}

// tools reads functions; an empty array is the same as none.
func (d *decoder) tools(f *fields) {
	d.named("tools", f, "tools")
	d.named("tool_choice", f, "toolChoice")
	items, at := f.list("tools")
	for i, raw := range items {
		t := d.r.parse(item(at, i), raw)
		d.mustBeFunction(t)
		fn := t.object("function")
		if fn == nil {
			d.r.fail(t.at("function"), "is required")
			return
		}
		schema, schemaAt := fn.raw("parameters")
		if schema != nil && schema[0] != '{' {
			d.r.fail(schemaAt, "must be a JSON schema object")
		}
		tool := chat.Tool{
			Name: fn.str("name"), Description: fn.str("description"), Parameters: schema,
			Strict: fn.boolean("strict"), Cache: cacheControl(t),
		}
		if tool.Name == "" {
			d.r.fail(fn.at("name"), "is required")
		}
		d.req.Tools = append(d.req.Tools, tool)
	}
	d.toolChoice(f)
}

func (d *decoder) mustBeFunction(f *fields) {
	if kind := f.str("type"); kind != "" && kind != "function" {
		d.r.fail(f.at("type"), "must be function")
	}
}

func (d *decoder) toolChoice(f *fields) {
	raw, at := f.raw("toolChoice")
	if raw == nil {
		return
	}
	if raw[0] == '"' {
		mode := f.str("toolChoice")
		switch mode {
		case "auto", "none", "required":
			d.req.ToolChoice = &chat.ToolChoice{Mode: mode}
		default:
			d.r.fail(at, "must be auto, none, required or a function")
		}
		return
	}
	o := d.r.parse(at, raw)
	d.mustBeFunction(o)
	fn := o.object("function")
	if fn == nil || fn.str("name") == "" {
		d.r.fail(join(at, "function.name"), "is required")
		return
	}
	d.req.ToolChoice = &chat.ToolChoice{Mode: "tool", Name: fn.str("name")}
}
