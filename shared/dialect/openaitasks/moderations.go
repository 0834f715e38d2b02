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

// Moderations is the server side of POST /v1/moderations.
type Moderations struct{ Now hub.Now }

var _ dialect.TaskServer = Moderations{}

// defaultModeration is the model of a request that names none, as at OpenAI.
const defaultModeration = "omni-moderation-latest"

// Name returns dialect.OpenAI.
func (Moderations) Name() dialect.Name { return dialect.OpenAI }

// Kind returns task.Moderation.
func (Moderations) Kind() task.Kind { return task.Moderation }

// Error encodes an error body.
func (m Moderations) Error(err *hub.Error, _ string) []byte { return faults.Body(err, m.Now) }

// View decodes a request.
func (Moderations) View(r *http.Request, body []byte) (*dialect.TaskView, error) {
	v, err := jsonView(r, body, task.Moderation)
	if err != nil {
		return nil, err
	}
	if v.Request.Model == "" {
		v.Request.Model = defaultModeration
	}
	raw, ok := v.Object.Get("input")
	if !ok || string(raw) == "null" {
		return nil, hub.Invalid("input", "The request has no input.")
	}
	m := &task.Moderate{Inputs: raw}
	v.Request.Moderate = m
	var one string
	var parts []struct {
		Type  string          `json:"type"`
		Text  string          `json:"text"`
		Image json.RawMessage `json:"image_url"`
	}
	switch {
	case json.Unmarshal(raw, &one) == nil:
		m.Texts = []string{one}
	case json.Unmarshal(raw, &m.Texts) == nil:
	case json.Unmarshal(raw, &parts) == nil:
		m.Texts = nil
		for i, p := range parts {
			switch p.Type {
			case "text":
				m.Texts = append(m.Texts, p.Text)
			case "image_url":
				m.Images++
			default:
				return nil, hub.Invalid(fmt.Sprintf("input[%d].type", i), "input[%d].type must be text or image_url.", i)
			}
		}
	default:
		return nil, hub.Invalid("input", "input must be a text, a list of texts, or a list of text and image_url parts.")
	}
	v.Request.Extra = rest(v.Object, "model", "input", "user")
	return v, nil
}

// Whole encodes an answer.
func (Moderations) Whole(_ *dialect.TaskView, res *task.Result, c dialect.Closing) (dialect.Payload, error) {
	return jsonPayload(map[string]any{"id": res.ID, "model": c.Model, "results": res.Moderations})
}

func decodeModeration(body []byte) (*task.Result, error) {
	var in struct {
		ID      string            `json:"id"`
		Model   string            `json:"model"`
		Results []json.RawMessage `json:"results"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("moderation: %w", err)
	}
	if len(in.Results) == 0 {
		return nil, fmt.Errorf("the answer holds no result")
	}
	results, err := json.Marshal(in.Results)
	return &task.Result{ID: in.ID, Model: in.Model, Moderations: results}, err
}
