package gemini

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// EmbedServer is the side of callers of :embedContent and :batchEmbedContents;
// the method tells them apart. The zero value is ready.
type EmbedServer struct{}

var _ dialect.TaskServer = EmbedServer{}

// Name returns dialect.Gemini.
func (EmbedServer) Name() dialect.Name { return dialect.Gemini }

// Kind returns task.Embedding.
func (EmbedServer) Kind() task.Kind { return task.Embedding }

// Error encodes an error body.
func (EmbedServer) Error(err *hub.Error, requestID string) []byte {
	return Server{}.Error(err, requestID)
}

// View decodes a request. The model stands in the path:
// /v1beta/models/{model}:embedContent.
func (EmbedServer) View(r *http.Request, body []byte) (*dialect.TaskView, error) {
	o, err := wire.Parse(body)
	if err != nil {
		return nil, hub.Invalid("", "The body is not an acceptable JSON object: %v.", err)
	}
	_, call, _ := strings.Cut(r.URL.Path, "/models/")
	model, method := Method(call)
	if model == "" {
		return nil, hub.Invalid("model", "The path names no model: /v1beta/models/{model}:%s.", Embed)
	}
	e := &task.Embed{}
	v := &dialect.TaskView{Object: o, Header: r.Header, Bytes: int64(len(body)), Request: &task.Request{
		Kind: task.Embedding, Model: model, Embed: e,
		Names: map[string]string{"dimensions": "outputDimensionality", "task_type": "taskType", "input": "content"},
	}}
	if method == Embed {
		e.Single = true
		return v, embedOne(v.Request, "", o)
	}
	raw, _ := o.Get("requests")
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil || len(list) == 0 {
		return nil, hub.Invalid("requests", "requests must be a list of at least one request.")
	}
	for i, one := range list {
		at := fmt.Sprintf("requests[%d]", i)
		r, err := wire.Parse(one)
		if err != nil {
			return nil, hub.Invalid(at, "%s must be an object: %v.", at, err)
		}
		if err := embedOne(v.Request, at+".", r); err != nil {
			return nil, err
		}
	}
	for _, name := range o.Keys() {
		if name != "requests" {
			v.Request.Extra = embedExtra(v.Request.Extra, name, o)
		}
	}
	return v, nil
}

func embedExtra(extra map[string]json.RawMessage, at string, o *wire.Object) map[string]json.RawMessage {
	if extra == nil {
		extra = map[string]json.RawMessage{}
	}
	extra[at], _ = o.Get(at[strings.LastIndexByte(at, '.')+1:])
	return extra
}

// embedOne reads one request; what differs between the requests of a batch has
// no meaning in other languages and becomes Extra.
func embedOne(req *task.Request, path string, o *wire.Object) error {
	e := req.Embed
	first := len(e.Inputs) == 0
	one := task.Embed{}
	text := ""
	for _, name := range o.Keys() {
		raw, _ := o.Get(name)
		if string(raw) == "null" {
			continue
		}
		var err error
		switch name {
		case "model":
		case "content":
			text, err = embedText(path, raw)
		case "taskType", "task_type":
			err = embedString(path+name, raw, &one.Purpose)
		case "title":
			err = embedString(path+name, raw, &one.Title)
		case "outputDimensionality", "output_dimensionality":
			one.Dimensions, err = embedSize(path+name, raw)
		default:
			req.Extra = embedExtra(req.Extra, path+name, o)
		}
		if err != nil {
			return err
		}
	}
	if text == "" {
		return hub.Invalid(path+"content", "%scontent must hold a text.", path)
	}
	if first {
		e.Purpose, e.Title, e.Dimensions = one.Purpose, one.Title, one.Dimensions
	}
	e.Inputs = append(e.Inputs, task.EmbedInput{Text: text})
	sameSize := (one.Dimensions == nil) == (e.Dimensions == nil) && (one.Dimensions == nil || *one.Dimensions == *e.Dimensions)
	for name, same := range map[string]bool{"taskType": one.Purpose == e.Purpose, "title": one.Title == e.Title, "outputDimensionality": sameSize} {
		if !same {
			req.Extra = embedExtra(req.Extra, path+name, o)
		}
	}
	return nil
}

func embedText(path string, raw json.RawMessage) (string, error) {
	var c struct {
		Parts []struct {
			Text *string `json:"text"`
		} `json:"parts"`
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return "", hub.Invalid(path+"content", "%scontent must be an object with parts.", path)
	}
	var text strings.Builder
	for i, p := range c.Parts {
		if p.Text == nil {
			at := fmt.Sprintf("%scontent.parts[%d]", path, i)
			return "", hub.Invalid(at, "%s must be a text.", at)
		}
		text.WriteString(*p.Text)
	}
	return text.String(), nil
}

func embedString(at string, raw json.RawMessage, dst *string) error {
	if err := json.Unmarshal(raw, dst); err != nil {
		return hub.Invalid(at, "%s must be a string.", at)
	}
	return nil
}

func embedSize(at string, raw json.RawMessage) (*int64, error) {
	n, err := strconv.ParseInt(strings.Trim(string(raw), `"`), 10, 64)
	if err != nil || n < 1 {
		return nil, hub.Invalid(at, "%s must be a whole number of at least 1.", at)
	}
	return &n, nil
}

// Whole encodes an answer.
func (EmbedServer) Whole(v *dialect.TaskView, res *task.Result, c dialect.Closing) (dialect.Payload, error) {
	list := make([]embedding, len(res.Vectors))
	for _, vec := range res.Vectors {
		if vec.Index < 0 || vec.Index >= len(list) {
			return dialect.Payload{}, fmt.Errorf("the answer numbers vector %d of %d", vec.Index, len(list))
		}
		list[vec.Index].Values = vec.Values
	}
	out := map[string]any{"embeddings": list, "usageMetadata": map[string]int64{"promptTokenCount": c.Usage.Prompt()}}
	if v.Request.Embed.Single {
		delete(out, "embeddings")
		out["embedding"] = list[0]
	}
	body, err := json.Marshal(out)
	return dialect.Payload{Type: "application/json; charset=UTF-8", Body: body}, err
}
