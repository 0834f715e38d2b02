package aigne

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// Embeddings is the server side of /api/v2/embeddings and /api/v1/embeddings in
// both their shapes: the model protocol's, whose input is an object, and the
// older one of OpenAI's, {"model": …, "input": …}.
type Embeddings struct{ Now hub.Now }

var _ dialect.TaskServer = Embeddings{}

// Name returns dialect.AIGNE: whatever the shape, it is always translated.
func (Embeddings) Name() dialect.Name { return dialect.AIGNE }

// Kind returns task.Embedding.
func (Embeddings) Kind() task.Kind { return task.Embedding }

// Error encodes an error body.
func (e Embeddings) Error(err *hub.Error, _ string) []byte { return encodeError(e.Now, err) }

// View decodes a request.
func (Embeddings) View(r *http.Request, body []byte) (*dialect.TaskView, error) {
	o, err := wire.Parse(body)
	if err != nil {
		return nil, hub.Invalid("", "The body must be a JSON object: %v.", err)
	}
	v := &dialect.TaskView{Object: o, Header: r.Header, Bytes: int64(len(body)),
		Request: &task.Request{Kind: task.Embedding, Embed: &task.Embed{}, Names: map[string]string{}}}
	rd := &reader{}
	top := rd.parse("", body)
	if raw, _ := o.Get("input"); len(raw) > 0 && raw[0] == '{' {
		protocolEmbed(v.Request, top)
	} else {
		rd.snake = true
		v.Request.Model, v.Request.User = top.str("model"), top.str("user")
		readEmbed(v.Request, top)
	}
	return v, rd.faultOr(v.Request)
}

// faultOr is the first fault, or that of a request without a model.
func (r *reader) faultOr(req *task.Request) error {
	switch {
	case r.fault != nil:
		return r.fault
	case req.Model == "":
		at := req.ParamName("model")
		return hub.Invalid(at, "%s is required.", at)
	}
	return nil
}

func protocolEmbed(req *task.Request, top *fields) {
	in := top.object("input")
	options := in.object("modelOptions")
	req.Names["model"] = "input.modelOptions.model"
	for _, f := range []*fields{options, in, top} {
		if f == nil {
			continue
		}
		if name := f.str("model"); name != "" && req.Model == "" {
			req.Model = name
		}
	}
	if options != nil {
		if n := options.integer("dimensions", 1, 1<<20); n != nil {
			req.Embed.Dimensions = n
		}
	}
	readEmbed(req, in)
}

// readEmbed reads what both shapes have.
func readEmbed(req *task.Request, f *fields) {
	e := req.Embed
	req.Names["input"], req.Names["dimensions"], req.Names["encoding_format"] = f.at("input"), f.at("dimensions"), f.at("encodingFormat")
	if n := f.integer("dimensions", 1, 1<<20); n != nil {
		e.Dimensions = n
	}
	switch format := f.str("encodingFormat"); format {
	case "", "float":
	case "base64":
		e.Base64 = true
	default:
		f.r.fail(f.at("encodingFormat"), "must be float or base64")
	}
	var err error
	if e.Inputs, e.Single, err = embedInputs(f.member("input")); err != nil {
		f.r.fail(f.at("input"), "%v", err)
	}
}

// embedInputs reads a text, a list of texts and lists of token ids, or a list of
// token ids.
func embedInputs(raw json.RawMessage) (inputs []task.EmbedInput, single bool, err error) {
	const most = 2048
	var text string
	var tokens []int64
	var list []json.RawMessage
	switch {
	case len(raw) == 0:
		return nil, false, fmt.Errorf("is required")
	case json.Unmarshal(raw, &text) == nil:
		inputs, single = []task.EmbedInput{{Text: text}}, true
	case json.Unmarshal(raw, &list) != nil:
		return nil, false, fmt.Errorf("must be a text or a list")
	case len(list) == 0 || len(list) > most:
		return nil, false, fmt.Errorf("must hold 1 to %d entries", most)
	case json.Unmarshal(raw, &tokens) == nil:
		inputs, single = []task.EmbedInput{{Tokens: tokens}}, true
	}
	if inputs == nil {
		for i, one := range list {
			var in task.EmbedInput
			if json.Unmarshal(one, &in.Text) != nil && json.Unmarshal(one, &in.Tokens) != nil {
				return nil, false, fmt.Errorf("[%d] must be a text or a list of token ids", i)
			}
			inputs = append(inputs, in)
		}
	}
	for i, in := range inputs {
		if in.Text == "" && len(in.Tokens) == 0 {
			return nil, false, fmt.Errorf("[%d] is empty", i)
		}
	}
	return inputs, single, nil
}

// embedOutput answers both shapes at once: the protocol's clients read
// embeddings, the older ones data.
type embedOutput struct {
	Embeddings        [][]float32    `json:"embeddings,omitempty"`
	Data              []embedItem    `json:"data,omitempty"`
	Model             string         `json:"model,omitempty"`
	Usage             *protocolUsage `json:"usage,omitempty"`
	ModelWithProvider string         `json:"modelWithProvider,omitempty"`
}

type embedItem struct {
	Object    string `json:"object"`
	Index     int    `json:"index"`
	Embedding any    `json:"embedding"`
}

// Whole encodes an answer.
func (Embeddings) Whole(v *dialect.TaskView, res *task.Result, c dialect.Closing) (dialect.Payload, error) {
	out := embedOutput{Model: modelOf(res.Model, c), Usage: usageOf(c)}
	if c.Provider != "" && c.Model != "" {
		out.ModelWithProvider = c.Provider + "/" + c.Model
	}
	raw, _ := v.Object.Get("input")
	protocol := len(raw) > 0 && raw[0] == '{'
	vectors := make([][]float32, len(res.Vectors))
	for _, vec := range res.Vectors {
		if vec.Index < 0 || vec.Index >= len(vectors) {
			return dialect.Payload{}, fmt.Errorf("the answer numbers vector %d of %d", vec.Index, len(vectors))
		}
		vectors[vec.Index] = vec.Values
	}
	if protocol {
		out.Embeddings = vectors
	} else {
		for i, values := range vectors {
			item := embedItem{Object: "embedding", Index: i, Embedding: values}
			if v.Request.Embed.Base64 {
				item.Embedding = task.PackVector(values)
			}
			out.Data = append(out.Data, item)
		}
	}
	return dialect.Payload{Type: "application/json", Body: encodeJSON(out)}, nil
}
