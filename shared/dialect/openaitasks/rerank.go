package openaitasks

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/faults"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

// Rerank is the server side of POST /v1/rerank. OpenAI has no such path; the
// shape is the one of Cohere's first version, which Jina, OpenRouter, vLLM and
// most others serve.
type Rerank struct{ Now hub.Now }

var _ dialect.TaskServer = Rerank{}

// Name returns dialect.OpenAI.
func (Rerank) Name() dialect.Name { return dialect.OpenAI }

// Kind returns task.Rerank.
func (Rerank) Kind() task.Kind { return task.Rerank }

// Error encodes an error body.
func (r Rerank) Error(err *hub.Error, _ string) []byte { return faults.Body(err, r.Now) }

// View decodes a request.
func (Rerank) View(r *http.Request, body []byte) (*dialect.TaskView, error) {
	v, err := jsonView(r, body, task.Rerank)
	if err != nil {
		return nil, err
	}
	k := &task.Rank{Return: v.Object.Bool("return_documents")}
	v.Request.Rank = k
	if k.Query, err = text(v.Object, "query"); err != nil {
		return nil, err
	}
	if k.Query == "" {
		return nil, hub.Invalid("query", "The request has no query.")
	}
	if k.TopN, err = positive(v.Object, "top_n"); err != nil {
		return nil, err
	}
	raw, _ := v.Object.Get("documents")
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil || len(list) == 0 {
		return nil, hub.Invalid("documents", "documents must be a list of at least one document.")
	}
	for i, d := range list {
		text, ok := document(d)
		if !ok {
			return nil, hub.Invalid(fmt.Sprintf("documents[%d]", i), "documents[%d] must be a text or an object with a text.", i)
		}
		k.Documents = append(k.Documents, text)
	}
	v.Request.Extra = rest(v.Object, "model", "query", "documents", "top_n", "return_documents", "user")
	return v, nil
}

func document(raw json.RawMessage) (text string, ok bool) {
	if string(raw) == "null" {
		return "", false
	}
	if json.Unmarshal(raw, &text) == nil {
		return text, true
	}
	var d struct {
		Text *string `json:"text"`
	}
	if json.Unmarshal(raw, &d) != nil || d.Text == nil {
		return "", false
	}
	return *d.Text, true
}

type rankedOut struct {
	Index    int          `json:"index"`
	Score    float64      `json:"relevance_score"`
	Document *documentOut `json:"document,omitempty"`
}

type documentOut struct {
	Text string `json:"text"`
}

// rankUsage is how rerankers tell their usage: Jina and vLLM by tokens, Cohere by
// search units.
type rankUsage struct {
	TotalTokens  int64 `json:"total_tokens,omitempty"`
	PromptTokens int64 `json:"prompt_tokens,omitempty"`
	SearchUnits  int64 `json:"search_units,omitempty"`
}

// Whole encodes an answer. Documents are the caller's own.
func (Rerank) Whole(v *dialect.TaskView, res *task.Result, c dialect.Closing) (dialect.Payload, error) {
	k := v.Request.Rank
	out := struct {
		ID      string      `json:"id"`
		Object  string      `json:"object"`
		Model   string      `json:"model"`
		Results []rankedOut `json:"results"`
		Usage   rankUsage   `json:"usage"`
	}{ID: res.ID, Object: "list", Model: c.Model, Results: make([]rankedOut, 0, len(res.Ranking)),
		Usage: rankUsage{TotalTokens: c.Usage.Prompt(), SearchUnits: c.Usage[hub.Requests]}}
	if out.ID == "" {
		out.ID = c.CallID
	}
	for _, r := range res.Ranking {
		if r.Index < 0 || r.Index >= len(k.Documents) {
			return dialect.Payload{}, fmt.Errorf("the answer ranks document %d of %d", r.Index, len(k.Documents))
		}
		one := rankedOut{Index: r.Index, Score: r.Score}
		if k.Return {
			one.Document = &documentOut{Text: k.Documents[r.Index]}
		}
		out.Results = append(out.Results, one)
	}
	return jsonPayload(out)
}

func decodeRerank(body []byte) (*task.Result, error) {
	var in struct {
		ID      string `json:"id"`
		Model   string `json:"model"`
		Results []struct {
			Index int      `json:"index"`
			Score *float64 `json:"relevance_score"`
		} `json:"results"`
		Usage rankUsage `json:"usage"`
		Meta  struct {
			Billed rankUsage `json:"billed_units"`
			Tokens struct {
				Input int64 `json:"input_tokens"`
			} `json:"tokens"`
		} `json:"meta"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("ranking: %w", err)
	}
	if in.Results == nil {
		return nil, fmt.Errorf("the answer holds no ranking")
	}
	res := &task.Result{ID: in.ID, Model: in.Model}
	for i, r := range in.Results {
		if r.Score == nil {
			return nil, fmt.Errorf("results[%d] has no relevance_score", i)
		}
		res.Ranking = append(res.Ranking, task.Ranked{Index: r.Index, Score: *r.Score})
	}
	res.Usage[hub.Requests] = max(in.Usage.SearchUnits, in.Meta.Billed.SearchUnits)
	res.Usage[hub.Input] = max(in.Usage.TotalTokens, in.Usage.PromptTokens, in.Meta.Billed.TotalTokens, in.Meta.Tokens.Input)
	res.UsageKnown = res.Usage[hub.Requests]+res.Usage[hub.Input] > 0
	return res, nil
}
