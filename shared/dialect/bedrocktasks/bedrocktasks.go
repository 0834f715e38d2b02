// Package bedrocktasks is the client side of Amazon Bedrock's embedding models,
// which InvokeModel asks in their vendors' own bodies: Amazon Titan and Cohere
// (docs.aws.amazon.com/bedrock/latest/userguide, "Inference request parameters").
// It makes no HTTP calls and signs nothing.
package bedrocktasks

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/faults"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

// Client is the client side, below the runtime's address of a region.
type Client struct{ Now hub.Now }

var _ dialect.TaskClient = Client{}

// Name returns dialect.Bedrock.
func (Client) Name() dialect.Name { return dialect.Bedrock }

// Splice translates: no caller speaks these languages.
func (c Client) Splice(v *dialect.TaskView, t dialect.Target) (dialect.TaskEncoded, error) {
	return c.Encode(v.Request, t)
}

// family tells whose body a model takes; a model's id may begin with a region.
func family(model string) string {
	switch {
	case strings.Contains(model, "amazon.titan-embed-text"):
		return "titan"
	case strings.Contains(model, "cohere.embed"):
		return "cohere"
	}
	return ""
}

// purposes are Google's and Cohere's words in Cohere's. The API demands one.
var purposes = map[string]string{
	"": "search_document", "RETRIEVAL_DOCUMENT": "search_document", "RETRIEVAL_QUERY": "search_query",
	"CLASSIFICATION": "classification", "CLUSTERING": "clustering",
	"search_document": "search_document", "search_query": "search_query", "classification": "classification", "clustering": "clustering",
}

// Encode translates.
func (Client) Encode(req *task.Request, t dialect.Target) (dialect.TaskEncoded, error) {
	enc := dialect.TaskEncoded{Path: "/model/" + url.PathEscape(t.Model) + "/invoke"}
	if req.Embed == nil {
		return enc, hub.Errorf(hub.CodeInternal, "This kind of work is not asked for at Bedrock.")
	}
	for name := range req.Extra {
		return enc, hub.Invalid(name, "%s is not supported by this model's provider.", name)
	}
	texts := make([]string, len(req.Embed.Inputs))
	for i, in := range req.Embed.Inputs {
		if in.Tokens != nil {
			return enc, hub.Invalid(req.ParamName("input"), "input[%d]: this model reads texts, not token ids.", i)
		}
		texts[i] = in.Text
	}
	if req.User != "" {
		enc.Dropped = append(enc.Dropped, req.ParamName("user"))
	}
	if req.Embed.Title != "" {
		enc.Dropped = append(enc.Dropped, req.ParamName("title"))
	}
	body, err := encodeBody(req, t, texts, &enc)
	if err != nil {
		return enc, err
	}
	enc.Body, err = json.Marshal(body)
	return enc, err
}

func encodeBody(req *task.Request, t dialect.Target, texts []string, enc *dialect.TaskEncoded) (map[string]any, error) {
	e := req.Embed
	switch family(t.Model) {
	case "titan":
		if len(texts) != 1 {
			return nil, hub.Invalid(req.ParamName("input"), "This model takes one text in a request, not %d.", len(texts))
		}
		body := map[string]any{"inputText": texts[0]}
		if e.Dimensions != nil {
			body["dimensions"] = *e.Dimensions
		}
		if e.Purpose != "" {
			enc.Dropped = append(enc.Dropped, req.ParamName("task_type"))
		}
		return body, nil
	case "cohere":
		purpose, ok := purposes[e.Purpose]
		if !ok {
			return nil, hub.Invalid(req.ParamName("task_type"), "%s: this model has no %q.", req.ParamName("task_type"), e.Purpose)
		}
		body := map[string]any{"texts": texts, "input_type": purpose, "embedding_types": []string{"float"}}
		if e.Dimensions != nil {
			body["output_dimension"] = *e.Dimensions
		}
		return body, nil
	}
	return nil, hub.Invalid("model", "Of Bedrock's embedding models, those of Amazon Titan (text) and Cohere are served; %s is none.", t.Model)
}

// Decode reads a complete answer. Titan counts in the body; what the runtime
// counted of any model stands in a header.
func (Client) Decode(_ *task.Request, a dialect.TaskAnswer, t dialect.Target) (*task.Result, error) {
	var in struct {
		Embedding  []float32       `json:"embedding"`
		Tokens     int64           `json:"inputTextTokenCount"`
		ID         string          `json:"id"`
		Embeddings json.RawMessage `json:"embeddings"`
	}
	if err := json.Unmarshal(a.Body, &in); err != nil {
		return nil, fmt.Errorf("embeddings: %w", err)
	}
	res := &task.Result{ID: in.ID, Model: t.Model}
	vectors, err := vectorsOf(in.Embedding, in.Embeddings)
	if err != nil {
		return nil, err
	}
	for i, v := range vectors {
		res.Vectors = append(res.Vectors, task.Vector{Index: i, Values: v})
	}
	if n, err := strconv.ParseInt(a.Header.Get("X-Amzn-Bedrock-Input-Token-Count"), 10, 64); err == nil && in.Tokens == 0 {
		in.Tokens = n
	}
	if in.Tokens > 0 {
		res.Usage[hub.Input], res.UsageKnown = in.Tokens, true
	}
	return res, nil
}

// vectorsOf reads Titan's one vector, or Cohere's lists: by type where types
// were asked for, bare from older models.
func vectorsOf(one []float32, many json.RawMessage) ([][]float32, error) {
	if len(one) > 0 {
		return [][]float32{one}, nil
	}
	var typed struct {
		Float [][]float32 `json:"float"`
	}
	var bare [][]float32
	switch {
	case len(many) == 0:
	case json.Unmarshal(many, &typed) == nil && len(typed.Float) > 0:
		return typed.Float, nil
	case json.Unmarshal(many, &bare) == nil && len(bare) > 0:
		return bare, nil
	}
	return nil, fmt.Errorf("the answer holds no embedding")
}

// Fault reads a non-2xx answer, {"message": …}.
func (c Client) Fault(status int, header http.Header, body []byte) *hub.Error {
	return faults.Read(status, header, body, c.Now)
}
