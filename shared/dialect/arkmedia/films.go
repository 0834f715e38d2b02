package arkmedia

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

// Films is the client side of Seedance. The zero value is ready.
type Films struct{ Client }

var (
	_ dialect.JobClient = Films{}
	_ dialect.URLTaker  = Films{}
)

const tasksPath = "/contents/generations/tasks"

// DefaultSeconds is Seedance's.
func (Films) DefaultSeconds(dialect.Target) int64 { return 5 }

// Splice is never asked for: no caller speaks this language.
func (c Films) Splice(v *dialect.TaskView, t dialect.Target) (dialect.TaskEncoded, error) {
	return c.Encode(v.Request, t)
}

type content struct {
	Type  string     `json:"type"`
	Text  string     `json:"text,omitempty"`
	Image *imageLink `json:"image_url,omitempty"`
	Role  string     `json:"role,omitempty"`
}

type imageLink struct {
	URL string `json:"url"`
}

var (
	arkRatios  = []string{"16:9", "4:3", "1:1", "3:4", "9:16", "21:9"}
	filmPassed = []string{"watermark", "return_last_frame", "service_tier", "draft", "execution_expires_after"}
)

// Encode writes a task.
func (Films) Encode(req *task.Request, t dialect.Target) (dialect.TaskEncoded, error) {
	f := req.Film
	enc := dialect.TaskEncoded{Path: tasksPath}
	dropped, err := req.Only(append([]string{"size", "seconds", "aspect_ratio", "resolution", "input_reference", "last_frame",
		"reference_images", "seed", "camera_fixed", "generate_audio"}, filmPassed...)...)
	if err != nil {
		return enc, err
	}
	enc.Dropped = dropped
	parts := []content{{Type: "text", Text: f.Prompt}}
	frame := func(file *task.File, role string) {
		if file != nil {
			parts = append(parts, content{Type: "image_url", Image: &imageLink{file.Link()}, Role: role})
		}
	}
	frame(f.First, "first_frame")
	frame(f.Last, "last_frame")
	for i := range f.References {
		frame(&f.References[i], "reference_image")
	}
	body := map[string]any{"model": t.Model, "content": parts}
	if err := shape(req, body); err != nil {
		return enc, err
	}
	if f.Seconds > 0 {
		body["duration"] = f.Seconds
	}
	if f.Seed != nil {
		body["seed"] = *f.Seed
	}
	if f.Camera != nil {
		body["camera_fixed"] = *f.Camera
	}
	if f.Sound != nil {
		body["generate_audio"] = *f.Sound
	}
	for _, name := range filmPassed {
		if raw, ok := req.Extra[name]; ok {
			body[name] = raw
		}
	}
	enc.Body, err = json.Marshal(body)
	return enc, err
}

// shape says ratio and resolution, which the language has in place of pixels.
func shape(req *task.Request, body map[string]any) error {
	f := req.Film
	if f.AspectRatio != "" {
		body["ratio"] = f.AspectRatio
	}
	if f.Resolution != "" {
		body["resolution"] = f.Resolution
	}
	if f.Size == "" || f.Size == "auto" {
		return nil
	}
	w, h, ok := task.Pixels(f.Size)
	if !ok {
		body["resolution"] = f.Size // 720p
		return nil
	}
	ratio, ok := task.Ratio(f.Size, arkRatios...)
	res := map[int64]string{480: "480p", 720: "720p", 1080: "1080p"}[min(w, h)]
	if !ok || res == "" {
		return req.Unsupported("size")
	}
	body["ratio"], body["resolution"] = ratio, res
	return nil
}

// Job reads a task.
func (c Films) Job(a dialect.TaskAnswer, _ dialect.Target) (*task.Job, error) {
	var in struct {
		ID      string          `json:"id"`
		Status  string          `json:"status"`
		Error   json.RawMessage `json:"error"`
		Content struct {
			URL string `json:"video_url"`
		} `json:"content"`
		Usage struct {
			Completion int64 `json:"completion_tokens"`
		} `json:"usage"`
		Duration   json.Number `json:"duration"`
		Resolution string      `json:"resolution"`
	}
	if err := json.Unmarshal(a.Body, &in); err != nil {
		return nil, err
	}
	if in.ID == "" {
		return nil, errors.New("the answer names no task")
	}
	j := &task.Job{ID: in.ID, Variant: task.Variant{Size: in.Resolution}}
	if n, err := in.Duration.Float64(); err == nil && n > 0 {
		j.Seconds = int64(n + 0.5)
	}
	switch in.Status {
	case "", "queued":
		j.Status = task.JobQueued
	case "running":
		j.Status = task.JobRunning
	case "succeeded":
		if in.Content.URL == "" {
			return nil, errors.New("the finished task names no film")
		}
		j.Status, j.Films = task.JobSucceeded, []task.File{{MIME: "video/mp4", URL: in.Content.URL}}
		j.Usage[hub.Output] = in.Usage.Completion
	case "failed", "cancelled", "expired":
		j.Status, j.Fault = task.JobFailed, hub.Errorf(hub.CodeUpstream, "The task is %s at the provider.", in.Status)
		if len(in.Error) > 0 && string(in.Error) != "null" {
			body, err := json.Marshal(map[string]json.RawMessage{"error": in.Error})
			if err != nil {
				return nil, err
			}
			j.Fault = c.Fault(http.StatusBadRequest, nil, body)
		}
	default:
		return nil, fmt.Errorf("task status %q is not known", in.Status)
	}
	return j, nil
}

// Poll asks after a task.
func (Films) Poll(id string, _ dialect.Target) dialect.TaskEncoded {
	return dialect.TaskEncoded{Method: http.MethodGet, Path: tasksPath + "/" + url.PathEscape(id)}
}

// Content lies at the film's own URL.
func (Films) Content(string, task.File, dialect.Target) (dialect.TaskEncoded, bool) {
	return dialect.TaskEncoded{}, false
}

// Cancel takes a waiting task out of the queue; of one that runs Ark refuses it.
func (Films) Cancel(id string, _ dialect.Target) (dialect.TaskEncoded, bool) {
	return dialect.TaskEncoded{Method: http.MethodDelete, Path: tasksPath + "/" + url.PathEscape(id)}, true
}
