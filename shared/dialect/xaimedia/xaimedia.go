// Package xaimedia is the client side of xAI's pictures and films
// (docs.x.ai, "Imagine"): images/generations and images/edits, which look like
// OpenAI's but take JSON and aspect ratios, and videos/generations. It makes no
// HTTP calls.
package xaimedia

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

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

// Name returns dialect.XAIMedia.
func (Client) Name() dialect.Name { return dialect.XAIMedia }

// TakesURL reports true: xAI fetches pictures itself.
func (Client) TakesURL(task.Kind, *task.File, dialect.Target) bool { return true }

// Splice is never asked for: no caller speaks this language.
func (c Client) Splice(v *dialect.TaskView, t dialect.Target) (dialect.TaskEncoded, error) {
	return c.Encode(v.Request, t)
}

// Fault reads a non-2xx answer.
func (c Client) Fault(status int, header http.Header, body []byte) *hub.Error {
	return faults.Read(status, header, body, c.Now)
}

var ratios = []string{"1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3", "2:1", "1:2", "19.5:9", "9:19.5", "20:9", "9:20"}

type link struct {
	URL  string `json:"url"`
	Type string `json:"type,omitempty"`
}

func linkOf(req *task.Request, f *task.File, name string) (*link, error) {
	if f.ID != "" {
		field := req.ParamName(name)
		return nil, hub.Invalid(field, "%s must hold the picture or its URL for this model's provider, not the id of a file.", field)
	}
	return &link{URL: f.Link(), Type: "image_url"}, nil
}

// Encode translates.
func (Client) Encode(req *task.Request, t dialect.Target) (dialect.TaskEncoded, error) {
	enc := dialect.TaskEncoded{Path: "/images/generations"}
	i := req.Image
	if i == nil {
		return enc, hub.Errorf(hub.CodeInternal, "This kind of work is not asked for in xAI's language of pictures.")
	}
	dropped, err := req.Only("image", "size", "aspect_ratio", "user", "resolution")
	if err != nil {
		return enc, err
	}
	enc.Dropped = dropped
	body := map[string]any{"model": t.Model, "prompt": i.Prompt, "n": i.N, "response_format": "b64_json"}
	if req.User != "" {
		body["user"] = req.User
	}
	if i.AspectRatio != "" {
		body["aspect_ratio"] = i.AspectRatio
	} else if i.Size != "" && i.Size != "auto" {
		ratio, ok := task.Ratio(i.Size, ratios...)
		if !ok {
			return enc, hub.Invalid(req.ParamName("size"), "%s: the model makes pictures of these proportions only: %v.", req.ParamName("size"), ratios)
		}
		body["aspect_ratio"] = ratio
	}
	if raw, ok := req.Extra["resolution"]; ok {
		body["resolution"] = raw
	}
	var links []*link
	for n := range i.Inputs {
		l, err := linkOf(req, &i.Inputs[n], "image")
		if err != nil {
			return enc, err
		}
		links = append(links, l)
	}
	switch len(links) {
	case 0:
	case 1:
		enc.Path, body["image"] = "/images/edits", links[0]
	default:
		enc.Path, body["images"] = "/images/edits", links
	}
	enc.Body, err = json.Marshal(body)
	return enc, err
}

// Decode reads a complete answer.
func (Client) Decode(_ *task.Request, a dialect.TaskAnswer, _ dialect.Target) (*task.Result, error) {
	var in struct {
		Data []struct {
			Data    string `json:"b64_json"`
			URL     string `json:"url"`
			Revised string `json:"revised_prompt"`
			MIME    string `json:"mime_type"`
		} `json:"data"`
	}
	if err := json.Unmarshal(a.Body, &in); err != nil {
		return nil, err
	}
	if len(in.Data) == 0 {
		return nil, errors.New("the answer holds no picture")
	}
	res := &task.Result{UsageKnown: true}
	for n, d := range in.Data {
		f, ok := task.ReadLink(d.Data) // some answers hold a whole data URL
		if !ok || f.URL != "" {
			data, err := base64.StdEncoding.DecodeString(d.Data)
			if err != nil {
				return nil, fmt.Errorf("data[%d]: %w", n, err)
			}
			f = task.File{MIME: d.MIME, Data: data}
		}
		f.URL = d.URL
		res.Pictures = append(res.Pictures, task.Picture{File: f, RevisedPrompt: d.Revised})
	}
	res.Usage[hub.Images] = int64(len(res.Pictures))
	return res, nil
}

// Films is the client side of films. The zero value is ready.
type Films struct{ Client }

var (
	_ dialect.JobClient = Films{}
	_ dialect.URLTaker  = Films{}
)

// DefaultSeconds is xAI's.
func (Films) DefaultSeconds(dialect.Target) int64 { return 8 }

// Splice is never asked for: no caller speaks this language.
func (c Films) Splice(v *dialect.TaskView, t dialect.Target) (dialect.TaskEncoded, error) {
	return c.Encode(v.Request, t)
}

// Encode writes a creation. The length is always sent, since it is charged.
func (c Films) Encode(req *task.Request, t dialect.Target) (dialect.TaskEncoded, error) {
	f := req.Film
	enc := dialect.TaskEncoded{Path: "/videos/generations"}
	dropped, err := req.Only("size", "seconds", "aspect_ratio", "resolution", "input_reference", "reference_images", "user")
	if err != nil {
		return enc, err
	}
	enc.Dropped = dropped
	body := map[string]any{"model": t.Model, "prompt": f.Prompt, "duration": f.Seconds}
	if f.Seconds == 0 {
		body["duration"] = c.DefaultSeconds(t)
	}
	if f.AspectRatio != "" {
		body["aspect_ratio"] = f.AspectRatio
	}
	if f.Resolution != "" {
		body["resolution"] = f.Resolution
	}
	if req.User != "" {
		body["user"] = req.User
	}
	if f.Size != "" && f.Size != "auto" {
		w, h, ok := task.Pixels(f.Size)
		if !ok {
			body["resolution"] = f.Size
		} else {
			ratio, found := task.Ratio(f.Size, "1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3")
			res := map[int64]string{480: "480p", 720: "720p"}[min(w, h)]
			if !found || res == "" {
				return enc, req.Unsupported("size")
			}
			body["aspect_ratio"], body["resolution"] = ratio, res
		}
	}
	if f.First != nil {
		l, err := linkOf(req, f.First, "input_reference")
		if err != nil {
			return enc, err
		}
		body["image"] = link{URL: l.URL}
	}
	var refs []link
	for i := range f.References {
		l, err := linkOf(req, &f.References[i], "reference_images")
		if err != nil {
			return enc, err
		}
		refs = append(refs, link{URL: l.URL})
	}
	if refs != nil {
		body["reference_images"] = refs
	}
	enc.Body, err = json.Marshal(body)
	return enc, err
}

// Job reads the answer to a creation, which is an id, or to a poll, which names
// none.
func (Films) Job(a dialect.TaskAnswer, _ dialect.Target) (*task.Job, error) {
	var in struct {
		ID     string `json:"request_id"`
		Status string `json:"status"`
		Video  struct {
			URL      string      `json:"url"`
			Duration json.Number `json:"duration"`
			Clean    *bool       `json:"respect_moderation"`
		} `json:"video"`
		Progress json.Number     `json:"progress"`
		Error    json.RawMessage `json:"error"`
	}
	if err := json.Unmarshal(a.Body, &in); err != nil {
		return nil, err
	}
	j := &task.Job{ID: in.ID}
	if p, err := in.Progress.Float64(); err == nil {
		j.Progress = int64(p)
	}
	if n, err := in.Video.Duration.Float64(); err == nil {
		j.Seconds = int64(n + 0.5)
	}
	switch in.Status {
	case "":
		if in.ID == "" {
			return nil, errors.New("the answer names no request")
		}
		j.Status = task.JobQueued
	case "pending", "processing", "in_progress":
		j.Status = task.JobRunning
	case "done":
		if in.Video.Clean != nil && !*in.Video.Clean || in.Video.URL == "" {
			j.Status, j.Fault = task.JobFailed, hub.Errorf(hub.CodeContentFiltered, "The provider did not release the film: its content was filtered.")
			return j, nil
		}
		j.Status, j.Films = task.JobSucceeded, []task.File{{MIME: "video/mp4", URL: in.Video.URL}}
	case "failed", "expired":
		j.Status, j.Fault = task.JobFailed, hub.Errorf(hub.CodeUpstream, "The request has %s at the provider.", in.Status)
		var said struct {
			Message string `json:"message"`
		}
		if json.Unmarshal(in.Error, &said) == nil && said.Message != "" {
			j.Fault.Message = said.Message
		}
	default:
		return nil, fmt.Errorf("status %q is not known", in.Status)
	}
	return j, nil
}

// Poll asks after a request.
func (Films) Poll(id string, _ dialect.Target) dialect.TaskEncoded {
	return dialect.TaskEncoded{Method: http.MethodGet, Path: "/videos/" + url.PathEscape(id)}
}

// Content lies at the film's own URL.
func (Films) Content(string, task.File, dialect.Target) (dialect.TaskEncoded, bool) {
	return dialect.TaskEncoded{}, false
}

// Cancel is not documented.
func (Films) Cancel(string, dialect.Target) (dialect.TaskEncoded, bool) {
	return dialect.TaskEncoded{}, false
}
