package openaitasks

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/faults"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// maxInputs is how many inputs one request may hold, as OpenAI documents.
const maxInputs = 2048

// Embeddings is the server side of POST /v1/embeddings.
type Embeddings struct{ Now hub.Now }

var (
	_ dialect.TaskServer = Embeddings{}
	_ dialect.TaskMender = Embeddings{}
)

// Name returns dialect.OpenAI.
func (Embeddings) Name() dialect.Name { return dialect.OpenAI }

// Kind returns task.Embedding.
func (Embeddings) Kind() task.Kind { return task.Embedding }

// Error encodes an error body.
func (e Embeddings) Error(err *hub.Error, _ string) []byte { return faults.Body(err, e.Now) }

// View decodes a request.
func (Embeddings) View(r *http.Request, body []byte) (*dialect.TaskView, error) {
	v, err := jsonView(r, body, task.Embedding)
	if err != nil {
		return nil, err
	}
	e := &task.Embed{}
	v.Request.Embed = e
	if e.Inputs, e.Single, err = embedInputs(v.Object); err != nil {
		return nil, err
	}
	if e.Dimensions, err = positive(v.Object, "dimensions"); err != nil {
		return nil, err
	}
	switch format, _ := v.Object.String("encoding_format"); format {
	case "", "float":
	case "base64":
		e.Base64 = true
	default:
		return nil, hub.Invalid("encoding_format", "encoding_format must be float or base64.")
	}
	// What the vectors are for: OpenAI's models make no difference, others' do.
	if e.Purpose, err = text(v.Object, "input_type"); err != nil {
		return nil, err
	}
	v.Request.Names = map[string]string{"task_type": "input_type"}
	v.Request.Extra = rest(v.Object, "model", "input", "dimensions", "encoding_format", "user", "input_type")
	return v, nil
}

// embedInputs reads a text, texts, tokens or lists of tokens.
func embedInputs(o *wire.Object) (inputs []task.EmbedInput, single bool, err error) {
	raw, ok := o.Get("input")
	if !ok {
		return nil, false, hub.Invalid("input", "The request has no input.")
	}
	var (
		text   string
		texts  []string
		tokens []int64
		lists  [][]int64
	)
	switch {
	case json.Unmarshal(raw, &text) == nil && string(raw) != "null":
		inputs, single = []task.EmbedInput{{Text: text}}, true
	case json.Unmarshal(raw, &texts) == nil:
		for _, t := range texts {
			inputs = append(inputs, task.EmbedInput{Text: t})
		}
	case json.Unmarshal(raw, &tokens) == nil:
		inputs, single = []task.EmbedInput{{Tokens: tokens}}, true
	case json.Unmarshal(raw, &lists) == nil:
		for _, l := range lists {
			inputs = append(inputs, task.EmbedInput{Tokens: l})
		}
	default:
		return nil, false, hub.Invalid("input", "input must be a text, a list of texts, a list of token ids, or a list of such lists.")
	}
	if len(inputs) == 0 || len(inputs) > maxInputs {
		return nil, false, hub.Invalid("input", "input must hold 1 to %d entries.", maxInputs)
	}
	for i, in := range inputs {
		if in.Text == "" && len(in.Tokens) == 0 {
			return nil, false, hub.Invalid(fmt.Sprintf("input[%d]", i), "input[%d] is empty.", i)
		}
	}
	return inputs, single, nil
}

type embeddingOut struct {
	Object    string `json:"object"`
	Index     int    `json:"index"`
	Embedding any    `json:"embedding"`
}

type embeddingUsage struct {
	PromptTokens int64 `json:"prompt_tokens"`
	TotalTokens  int64 `json:"total_tokens"`
}

// Whole encodes an answer.
func (Embeddings) Whole(v *dialect.TaskView, res *task.Result, c dialect.Closing) (dialect.Payload, error) {
	out := struct {
		Object string         `json:"object"`
		Data   []embeddingOut `json:"data"`
		Model  string         `json:"model"`
		Usage  embeddingUsage `json:"usage"`
	}{Object: "list", Model: c.Model, Usage: embeddingUsage{c.Usage.Prompt(), c.Usage.Prompt()}, Data: make([]embeddingOut, len(res.Vectors))}
	for i, vec := range res.Vectors {
		out.Data[i] = embeddingOut{Object: "embedding", Index: vec.Index, Embedding: vec.Values}
		if v.Request.Embed.Base64 {
			out.Data[i].Embedding = task.PackVector(vec.Values)
		}
	}
	return jsonPayload(out)
}

// Mend gives a caller who asked for base64 what was asked for, also where the
// vendor answered with numbers.
func (Embeddings) Mend(v *dialect.TaskView, res *task.Result, body []byte) ([]byte, error) {
	if !v.Request.Embed.Base64 {
		return body, nil
	}
	o, err := wire.Parse(body)
	if err != nil {
		return nil, err
	}
	raw, _ := o.Get("data")
	var items []json.RawMessage
	if err := json.Unmarshal(raw, &items); err != nil {
		return nil, err
	}
	mended := false
	for i, item := range items {
		one, err := wire.Parse(item)
		if err != nil {
			return nil, err
		}
		if _, ok := one.String("embedding"); ok || i >= len(res.Vectors) {
			continue
		}
		one.Set("embedding", wire.Quote(task.PackVector(res.Vectors[i].Values)))
		items[i], mended = one.Bytes(), true
	}
	if !mended {
		return body, nil
	}
	data, err := json.Marshal(items)
	if err != nil {
		return nil, err
	}
	o.Set("data", data)
	return o.Bytes(), nil
}

// encodeEmbedding asks for floats: what base64 holds is the same, and not every
// vendor knows it.
func encodeEmbedding(req *task.Request, t dialect.Target) (dialect.TaskEncoded, error) {
	e, enc := req.Embed, dialect.TaskEncoded{Path: paths[task.Embedding]}
	body := map[string]any{"model": t.Model, "input": inputsOut(e), "encoding_format": "float"}
	if e.Dimensions != nil {
		body["dimensions"] = *e.Dimensions
	}
	if req.User != "" {
		body["user"] = req.User
	}
	if e.Purpose != "" {
		enc.Dropped = append(enc.Dropped, req.ParamName("task_type"))
	}
	if e.Title != "" {
		enc.Dropped = append(enc.Dropped, req.ParamName("title"))
	}
	if err := refuseExtra(req); err != nil {
		return enc, err
	}
	var err error
	enc.Body, err = json.Marshal(body)
	return enc, err
}

func inputsOut(e *task.Embed) any {
	out := make([]any, len(e.Inputs))
	for i, in := range e.Inputs {
		out[i] = in.Text
		if in.Tokens != nil {
			out[i] = in.Tokens
		}
	}
	if e.Single {
		return out[0]
	}
	return out
}

func decodeEmbedding(body []byte) (*task.Result, error) {
	var in struct {
		Model string `json:"model"`
		Data  []struct {
			Index     int             `json:"index"`
			Embedding json.RawMessage `json:"embedding"`
		} `json:"data"`
		Usage *embeddingUsage `json:"usage"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("embeddings: %w", err)
	}
	if len(in.Data) == 0 {
		return nil, fmt.Errorf("the answer holds no embedding")
	}
	res := &task.Result{Model: in.Model, Vectors: make([]task.Vector, len(in.Data))}
	for i, d := range in.Data {
		v := task.Vector{Index: d.Index}
		var text string
		var err error
		if json.Unmarshal(d.Embedding, &text) == nil {
			v.Values, err = task.UnpackVector(text)
		} else {
			err = json.Unmarshal(d.Embedding, &v.Values)
		}
		if err != nil {
			return nil, fmt.Errorf("data[%d]: %w", i, err)
		}
		res.Vectors[i] = v
	}
	if in.Usage != nil {
		res.UsageKnown = true
		res.Usage[hub.Input] = max(in.Usage.PromptTokens, in.Usage.TotalTokens)
	}
	return res, nil
}
