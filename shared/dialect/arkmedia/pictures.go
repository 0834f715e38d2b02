// Package arkmedia is the client side of pictures and films on Volcano Engine Ark
// (www.volcengine.com/docs/82379): Seedream and SeedEdit by images/generations,
// Seedance by contents/generations/tasks. It makes no HTTP calls.
package arkmedia

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/faults"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

// Client is the client side of pictures. The zero value is ready.
type Client struct{ Now hub.Now }

var (
	_ dialect.TaskClient = Client{}
	_ dialect.URLTaker   = Client{}
)

// Name returns dialect.Ark.
func (Client) Name() dialect.Name { return dialect.Ark }

// TakesURL reports true: Ark fetches pictures itself.
func (Client) TakesURL(task.Kind, *task.File, dialect.Target) bool { return true }

// Splice is never asked for: no caller speaks this language.
func (c Client) Splice(v *dialect.TaskView, t dialect.Target) (dialect.TaskEncoded, error) {
	return c.Encode(v.Request, t)
}

// Fault reads a non-2xx answer.
func (c Client) Fault(status int, header http.Header, body []byte) *hub.Error {
	return faults.Read(status, header, body, c.Now)
}

// passed are Ark's own parameters, forwarded as they come.
var passed = []string{"guidance_scale", "watermark", "sequential_image_generation", "sequential_image_generation_options",
	"optimize_prompt_options", "optimize_prompt"}

// series reports models that make several pictures for one prompt.
func series(model string) bool {
	return strings.Contains(model, "seedream-4") || strings.Contains(model, "seedream-5")
}

// Encode translates.
func (Client) Encode(req *task.Request, t dialect.Target) (dialect.TaskEncoded, error) {
	enc := dialect.TaskEncoded{Path: "/images/generations"}
	i := req.Image
	if i == nil {
		return enc, hub.Errorf(hub.CodeInternal, "This kind of work is not asked for in Ark's language of pictures.")
	}
	dropped, err := req.Only(append([]string{"image", "size", "seed"}, passed...)...)
	if err != nil {
		return enc, err
	}
	enc.Dropped = dropped
	body := map[string]any{"model": t.Model, "prompt": i.Prompt, "response_format": "b64_json", "watermark": false}
	if i.Size != "" && i.Size != "auto" {
		body["size"] = i.Size
	}
	if i.Seed != nil {
		body["seed"] = *i.Seed
	}
	if i.N > 1 {
		if !series(t.Model) {
			return enc, hub.Invalid(req.ParamName("n"), "%s must be 1: the model makes one picture at a time.", req.ParamName("n"))
		}
		body["sequential_image_generation"] = "auto"
		body["sequential_image_generation_options"] = map[string]any{"max_images": i.N}
	}
	links := make([]string, len(i.Inputs))
	for n := range i.Inputs {
		if links[n] = i.Inputs[n].Link(); i.Inputs[n].ID != "" {
			field := req.ParamName("image")
			return enc, hub.Invalid(field, "%s must hold the picture or its URL for this model's provider, not the id of a file.", field)
		}
	}
	switch len(links) {
	case 0:
	case 1:
		body["image"] = links[0]
	default:
		body["image"] = links
	}
	for _, name := range passed {
		if raw, ok := req.Extra[name]; ok {
			body[name] = raw
		}
	}
	enc.Body, err = json.Marshal(body)
	return enc, err
}

// Decode reads a complete answer.
func (c Client) Decode(_ *task.Request, a dialect.TaskAnswer, _ dialect.Target) (*task.Result, error) {
	var in struct {
		Model   string `json:"model"`
		Created int64  `json:"created"`
		Data    []struct {
			Data  string          `json:"b64_json"`
			URL   string          `json:"url"`
			Size  string          `json:"size"`
			Error json.RawMessage `json:"error"`
		} `json:"data"`
		Usage *struct {
			Output int64 `json:"output_tokens"`
		} `json:"usage"`
		Error json.RawMessage `json:"error"`
	}
	if err := json.Unmarshal(a.Body, &in); err != nil {
		return nil, err
	}
	res := &task.Result{Model: in.Model, Created: in.Created, UsageKnown: true}
	fault := in.Error
	for n, d := range in.Data {
		if d.Data == "" && d.URL == "" { // one of a series may fail alone
			fault = d.Error
			continue
		}
		data, err := base64.StdEncoding.DecodeString(d.Data)
		if err != nil {
			return nil, fmt.Errorf("data[%d]: %w", n, err)
		}
		res.Variant.Size = d.Size
		res.Pictures = append(res.Pictures, task.Picture{File: task.File{Data: data, URL: d.URL}})
	}
	if len(res.Pictures) == 0 {
		if len(fault) > 0 {
			body, err := json.Marshal(map[string]json.RawMessage{"error": fault})
			if err != nil {
				return nil, err
			}
			return nil, c.Fault(http.StatusBadRequest, nil, body)
		}
		return nil, errors.New("the answer holds no picture")
	}
	if in.Usage != nil {
		res.Usage[hub.OutputImage] = in.Usage.Output
	}
	res.Usage[hub.Images] = int64(len(res.Pictures))
	return res, nil
}
