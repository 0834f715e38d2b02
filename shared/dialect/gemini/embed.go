package gemini

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// Tasks is the client side of work beside chat: embeddings by
// :batchEmbedContents (ai.google.dev/api/embeddings) and speech by
// :generateContent with the modality AUDIO. The zero value is ready.
type Tasks struct{}

var _ dialect.TaskClient = Tasks{}

// The methods of a model that make embeddings.
const (
	Embed      = "embedContent"
	EmbedBatch = "batchEmbedContents"
)

// Name returns dialect.Gemini.
func (Tasks) Name() dialect.Name { return dialect.Gemini }

// embedPath is where a method of the target's model is.
func embedPath(t dialect.Target, method string) string {
	t.Stream = false
	return strings.TrimSuffix(Client{}.Path(t), Generate) + method
}

// resource is a model's full name, as requests within a batch carry it.
func resource(model string) string {
	if first, _, found := strings.Cut(model, "/"); found && collections[first] {
		return model
	}
	return "models/" + model
}

// Splice returns the caller's own body with the model of the target.
func (Tasks) Splice(v *dialect.TaskView, t dialect.Target) (dialect.TaskEncoded, error) {
	o := v.Object.Clone()
	raw, batch := o.Get("requests")
	if !batch {
		o.Delete("model") // stands in the path, which overrules it
		return dialect.TaskEncoded{Path: embedPath(t, Embed), Body: o.Bytes()}, nil
	}
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil {
		return dialect.TaskEncoded{}, hub.Invalid("requests", "requests must be a list.")
	}
	for i, one := range list {
		r, err := wire.Parse(one)
		if err != nil {
			return dialect.TaskEncoded{}, hub.Invalid(fmt.Sprintf("requests[%d]", i), "requests[%d] must be an object: %v.", i, err)
		}
		r.Set("model", wire.Quote(resource(t.Model)))
		list[i] = r.Bytes()
	}
	all, err := json.Marshal(list)
	if err != nil {
		return dialect.TaskEncoded{}, err
	}
	o.Set("requests", all)
	return dialect.TaskEncoded{Path: embedPath(t, EmbedBatch), Body: o.Bytes()}, nil
}

// Encode translates.
func (Tasks) Encode(req *task.Request, t dialect.Target) (dialect.TaskEncoded, error) {
	switch req.Kind {
	case task.Embedding:
		return encodeEmbed(req, t)
	case task.Speech:
		return encodeSpeech(req, t)
	}
	return dialect.TaskEncoded{}, hub.Errorf(hub.CodeInternal, "This kind of work is not asked for in Gemini's language.")
}

// Decode reads a complete answer.
func (Tasks) Decode(req *task.Request, a dialect.TaskAnswer, _ dialect.Target) (*task.Result, error) {
	switch req.Kind {
	case task.Embedding:
		return decodeEmbed(a.Body)
	case task.Speech:
		return decodeSpeech(req.Speak, a.Body)
	}
	return nil, hub.Errorf(hub.CodeInternal, "This kind of work is not answered in Gemini's language.")
}

// Fault reads a non-2xx answer.
func (Tasks) Fault(status int, header http.Header, body []byte) *hub.Error {
	return Client{}.Fault(status, header, body)
}

// embedRequest is EmbedContentRequest.
type embedRequest struct {
	Model      string       `json:"model"`
	Content    embedContent `json:"content"`
	TaskType   string       `json:"taskType,omitempty"`
	Title      string       `json:"title,omitempty"`
	Dimensions *int64       `json:"outputDimensionality,omitempty"`
}

type embedContent struct {
	Parts []embedPart `json:"parts"`
}

type embedPart struct {
	Text string `json:"text"`
}

// embedPurposes are Cohere's words, which callers of /v1/embeddings send as
// input_type, in Google's.
var embedPurposes = map[string]string{
	"search_document": "RETRIEVAL_DOCUMENT", "search_query": "RETRIEVAL_QUERY",
	"classification": "CLASSIFICATION", "clustering": "CLUSTERING",
}

func encodeEmbed(req *task.Request, t dialect.Target) (dialect.TaskEncoded, error) {
	e, enc := req.Embed, dialect.TaskEncoded{Path: embedPath(t, EmbedBatch)}
	if err := refuseEmbedExtra(req); err != nil {
		return enc, err
	}
	purpose := e.Purpose
	if word, ok := embedPurposes[purpose]; ok {
		purpose = word
	}
	if req.User != "" {
		enc.Dropped = append(enc.Dropped, req.ParamName("user"))
	}
	var body struct {
		Requests []embedRequest `json:"requests"`
	}
	for i, in := range e.Inputs {
		if in.Tokens != nil {
			return enc, hub.Invalid(req.ParamName("input"), "input[%d]: this model reads texts, not token ids.", i)
		}
		body.Requests = append(body.Requests, embedRequest{Model: resource(t.Model), Content: embedContent{[]embedPart{{in.Text}}},
			TaskType: purpose, Title: e.Title, Dimensions: e.Dimensions})
	}
	var err error
	enc.Body, err = json.Marshal(body)
	return enc, err
}

func refuseEmbedExtra(req *task.Request) error {
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

type embedding struct {
	Values []float32 `json:"values"`
}

func decodeEmbed(body []byte) (*task.Result, error) {
	var in struct {
		One   *embedding  `json:"embedding"`
		Many  []embedding `json:"embeddings"`
		Usage *struct {
			Prompt int64 `json:"promptTokenCount"`
		} `json:"usageMetadata"` // newer models only
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("embeddings: %w", err)
	}
	if in.One != nil {
		in.Many = []embedding{*in.One}
	}
	if len(in.Many) == 0 {
		return nil, fmt.Errorf("the answer holds no embedding")
	}
	res := &task.Result{}
	for i, e := range in.Many {
		res.Vectors = append(res.Vectors, task.Vector{Index: i, Values: e.Values})
	}
	if in.Usage != nil && in.Usage.Prompt > 0 {
		res.UsageKnown = true
		res.Usage[hub.Input] = in.Usage.Prompt
	}
	return res, nil
}
