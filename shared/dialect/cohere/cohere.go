// Package cohere is the client side of Cohere's second version beside chat:
// embed and rerank (https://docs.cohere.com/reference/embed, …/rerank). It makes
// no HTTP calls.
package cohere

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/faults"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

// Client is the client side, below a base URL such as https://api.cohere.com/v2.
type Client struct{ Now hub.Now }

var _ dialect.TaskClient = Client{}

// Name returns dialect.Cohere.
func (Client) Name() dialect.Name { return dialect.Cohere }

// Splice translates: no caller speaks this language.
func (c Client) Splice(v *dialect.TaskView, t dialect.Target) (dialect.TaskEncoded, error) {
	return c.Encode(v.Request, t)
}

// Encode translates.
func (Client) Encode(req *task.Request, t dialect.Target) (dialect.TaskEncoded, error) {
	switch req.Kind {
	case task.Embedding:
		return encodeEmbed(req, t)
	case task.Rerank:
		return encodeRerank(req, t)
	}
	return dialect.TaskEncoded{}, hub.Errorf(hub.CodeInternal, "This kind of work is not asked for in Cohere's language.")
}

// Decode reads a complete answer.
func (Client) Decode(req *task.Request, a dialect.TaskAnswer, _ dialect.Target) (*task.Result, error) {
	switch req.Kind {
	case task.Embedding:
		return decodeEmbed(a.Body)
	case task.Rerank:
		return decodeRerank(a.Body)
	}
	return nil, hub.Errorf(hub.CodeInternal, "This kind of work is not answered in Cohere's language.")
}

// Fault reads a non-2xx answer, {"message": …}.
func (c Client) Fault(status int, header http.Header, body []byte) *hub.Error {
	return faults.Read(status, header, body, c.Now)
}

// defaultPurpose is sent where the caller does not say what vectors are for; the
// API demands it.
const defaultPurpose = "search_document"

// purposes are Google's words in Cohere's.
var purposes = map[string]string{
	"": defaultPurpose, "RETRIEVAL_DOCUMENT": "search_document", "RETRIEVAL_QUERY": "search_query",
	"CLASSIFICATION": "classification", "CLUSTERING": "clustering",
}

// Purpose returns what vectors are for in the words of Cohere's input_type. ok is
// false for a purpose that it has no word for.
func Purpose(word string) (inputType string, ok bool) {
	if to, ok := purposes[word]; ok {
		return to, true
	}
	for _, own := range purposes {
		if own == word {
			return word, true
		}
	}
	return "", false
}

// Texts returns the inputs as texts; token ids are refused.
func texts(req *task.Request) ([]string, error) {
	out := make([]string, len(req.Embed.Inputs))
	for i, in := range req.Embed.Inputs {
		if in.Tokens != nil {
			return nil, hub.Invalid(req.ParamName("input"), "input[%d]: this model reads texts, not token ids.", i)
		}
		out[i] = in.Text
	}
	return out, nil
}

func encodeEmbed(req *task.Request, t dialect.Target) (dialect.TaskEncoded, error) {
	e, enc := req.Embed, dialect.TaskEncoded{Path: "/embed"}
	if err := refuseExtra(req); err != nil {
		return enc, err
	}
	list, err := texts(req)
	if err != nil {
		return enc, err
	}
	purpose, ok := Purpose(e.Purpose)
	if !ok {
		return enc, hub.Invalid(req.ParamName("task_type"), "%s: this model has no %q.", req.ParamName("task_type"), e.Purpose)
	}
	body := map[string]any{"model": t.Model, "texts": list, "input_type": purpose, "embedding_types": []string{"float"}}
	if e.Dimensions != nil {
		body["output_dimension"] = *e.Dimensions
	}
	enc.Dropped = hints(req)
	enc.Body, err = json.Marshal(body)
	return enc, err
}

// hints lists what cannot change the answer and has no place in this language.
func hints(req *task.Request) (dropped []string) {
	if req.User != "" {
		dropped = append(dropped, req.ParamName("user"))
	}
	if req.Embed != nil && req.Embed.Title != "" {
		dropped = append(dropped, req.ParamName("title"))
	}
	return dropped
}

func refuseExtra(req *task.Request) error {
	first := ""
	for name := range req.Extra {
		if first == "" || name < first {
			first = name
		}
	}
	if first == "" {
		return nil
	}
	return hub.Invalid(first, "%s is not supported by this model's provider.", first)
}

// billed is meta.billed_units.
type billed struct {
	Billed struct {
		InputTokens float64 `json:"input_tokens"`
		ImageTokens float64 `json:"image_tokens"`
		SearchUnits float64 `json:"search_units"`
	} `json:"billed_units"`
}

func (b billed) into(res *task.Result) {
	res.Usage[hub.Input], res.Usage[hub.InputImage] = int64(b.Billed.InputTokens), int64(b.Billed.ImageTokens)
	res.Usage[hub.Requests] = int64(b.Billed.SearchUnits)
	res.UsageKnown = !res.Usage.IsZero()
}

func decodeEmbed(body []byte) (*task.Result, error) {
	var in struct {
		ID         string `json:"id"`
		Embeddings struct {
			Float [][]float32 `json:"float"`
		} `json:"embeddings"`
		Meta billed `json:"meta"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("embeddings: %w", err)
	}
	if len(in.Embeddings.Float) == 0 {
		return nil, fmt.Errorf("the answer holds no embedding")
	}
	res := &task.Result{ID: in.ID}
	for i, v := range in.Embeddings.Float {
		res.Vectors = append(res.Vectors, task.Vector{Index: i, Values: v})
	}
	in.Meta.into(res)
	return res, nil
}

func encodeRerank(req *task.Request, t dialect.Target) (dialect.TaskEncoded, error) {
	k, enc := req.Rank, dialect.TaskEncoded{Path: "/rerank"}
	body := map[string]any{"model": t.Model, "query": k.Query, "documents": k.Documents}
	if k.TopN != nil {
		body["top_n"] = *k.TopN
	}
	pruned := *req
	if raw, ok := req.Extra["max_tokens_per_doc"]; ok {
		body["max_tokens_per_doc"] = raw
		pruned.Extra = map[string]json.RawMessage{}
		for name, v := range req.Extra {
			if name != "max_tokens_per_doc" {
				pruned.Extra[name] = v
			}
		}
	}
	if err := refuseExtra(&pruned); err != nil {
		return enc, err
	}
	enc.Dropped = hints(req)
	var err error
	enc.Body, err = json.Marshal(body)
	return enc, err
}

func decodeRerank(body []byte) (*task.Result, error) {
	var in struct {
		ID      string `json:"id"`
		Results []struct {
			Index int     `json:"index"`
			Score float64 `json:"relevance_score"`
		} `json:"results"`
		Meta billed `json:"meta"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("ranking: %w", err)
	}
	if in.Results == nil {
		return nil, fmt.Errorf("the answer holds no ranking")
	}
	res := &task.Result{ID: in.ID}
	for _, r := range in.Results {
		res.Ranking = append(res.Ranking, task.Ranked{Index: r.Index, Score: r.Score})
	}
	in.Meta.into(res)
	return res, nil
}
