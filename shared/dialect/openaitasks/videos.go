package openaitasks

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/faults"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

const maxFilmSeconds = 60

// Videos is the server side of POST /v1/videos.
type Videos struct{ Now hub.Now }

// Name returns dialect.OpenAI.
func (Videos) Name() dialect.Name { return dialect.OpenAI }

// Kind returns task.Video.
func (Videos) Kind() task.Kind { return task.Video }

// Error encodes an error body.
func (s Videos) Error(err *hub.Error, _ string) []byte { return faults.Body(err, s.Now) }

var videoFields = []string{"model", "prompt", "seconds", "size", "input_reference", "user", "aspect_ratio", "resolution", "negative_prompt", "seed"}

// View decodes a request: JSON, or a form where a picture is uploaded.
func (Videos) View(r *http.Request, body []byte) (*dialect.TaskView, error) {
	var f fields
	v := &dialect.TaskView{Request: &task.Request{Kind: task.Video}, Header: r.Header, Bytes: int64(len(body))}
	if isForm(r) {
		form, err := wire.ParseForm(r.Header.Get("Content-Type"), body)
		if err != nil {
			return nil, hub.Invalid("", "The request body cannot be read: %v.", err)
		}
		f.form, v.Form = form, form
		v.Request.Model, v.Request.User = f.text("model"), f.text("user")
	} else {
		var err error
		if v, err = jsonView(r, body, task.Video); err != nil {
			return nil, err
		}
		f.object = v.Object
	}
	film := &task.Film{Prompt: f.text("prompt"), Size: f.text("size"), AspectRatio: f.text("aspect_ratio"), Resolution: f.text("resolution"),
		Negative: f.text("negative_prompt"), Seed: f.whole("seed", 0, 1<<53)}
	v.Request.Film = film
	if film.Prompt == "" {
		f.fail("prompt", "The request has no prompt.")
	}
	film.Seconds = f.seconds()
	film.First = f.first()
	v.Request.Extra = f.rest(videoFields...)
	if f.fault != nil {
		return nil, f.fault
	}
	return v, nil
}

// seconds are text in the language; a number is understood too.
func (f *fields) seconds() int64 {
	s, _ := f.raw("seconds")
	if s == "" {
		return 0
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 1 || n > maxFilmSeconds {
		f.fail("seconds", "seconds must be a whole number from 1 to %d.", maxFilmSeconds)
	}
	return n
}

func (f *fields) first() *task.File {
	if f.form != nil {
		parts := f.form.Values("input_reference")
		if len(parts) == 0 {
			return nil
		}
		file := upload(parts[0])
		return &file
	}
	raw, ok := f.object.Get("input_reference")
	if !ok || string(raw) == "null" {
		return nil
	}
	file := f.reference("input_reference", raw)
	return &file
}

// encodeVideo writes a creation, as a form where a picture goes along.
func encodeVideo(req *task.Request, t dialect.Target) (dialect.TaskEncoded, error) {
	enc := dialect.TaskEncoded{Path: "/videos"}
	film := *req.Film
	if film.Size == "" && film.AspectRatio != "" { // said in other words
		var ok bool
		if film.Size, ok = map[string]string{"16:9": "1280x720", "9:16": "720x1280"}[film.AspectRatio]; !ok {
			return enc, req.Unsupported("aspect_ratio")
		}
		film.AspectRatio = ""
	}
	plain := *req
	plain.Film = &film
	dropped, err := plain.Only("size", "seconds", "input_reference")
	if err != nil {
		return enc, err
	}
	enc.Dropped = dropped
	body := map[string]any{"model": t.Model, "prompt": film.Prompt}
	if film.Size != "" {
		body["size"] = film.Size
	}
	if film.Seconds > 0 {
		body["seconds"] = strconv.FormatInt(film.Seconds, 10)
	}
	if film.First == nil {
		enc.Body, err = json.Marshal(body)
		return enc, err
	}
	f := wire.NewForm()
	for _, name := range sortedKeys(body) {
		f.Add(name, body[name].(string))
	}
	if err := addPicture(f, req, "input_reference", film.First, 0); err != nil {
		return enc, err
	}
	enc.Type = f.ContentType()
	enc.Body, err = f.Bytes()
	return enc, err
}

// Jobs is the client side of videos.
type Jobs struct{ Client }

var _ dialect.JobClient = Jobs{}

type videoIn struct {
	ID       string          `json:"id"`
	Status   string          `json:"status"`
	Progress json.Number     `json:"progress"`
	Seconds  json.RawMessage `json:"seconds"`
	Size     string          `json:"size"`
	Error    *struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

// Job reads a video object.
func (Jobs) Job(a dialect.TaskAnswer, _ dialect.Target) (*task.Job, error) {
	var in videoIn
	if err := json.Unmarshal(a.Body, &in); err != nil {
		return nil, fmt.Errorf("video: %w", err)
	}
	if in.ID == "" {
		return nil, errors.New("the answer names no video")
	}
	j := &task.Job{ID: in.ID, Variant: task.Variant{Size: in.Size}}
	if p, err := in.Progress.Float64(); err == nil {
		j.Progress = int64(p)
	}
	j.Seconds, _ = strconv.ParseInt(strings.Trim(string(in.Seconds), `"`), 10, 64)
	switch in.Status {
	case "queued":
		j.Status = task.JobQueued
	case "in_progress", "processing", "running":
		j.Status = task.JobRunning
	case "completed", "succeeded":
		j.Status, j.Films = task.JobSucceeded, []task.File{{MIME: "video/mp4"}}
	case "failed", "cancelled", "expired":
		j.Status, j.Fault = task.JobFailed, hub.Errorf(hub.CodeUpstream, "The provider could not make the video.")
		if in.Error != nil && in.Error.Message != "" {
			j.Fault.Message, j.Fault.NativeCode = in.Error.Message, in.Error.Code
		}
	default:
		return nil, fmt.Errorf("video status %q is not known", in.Status)
	}
	return j, nil
}

// Poll asks after a video.
func (Jobs) Poll(id string, _ dialect.Target) dialect.TaskEncoded {
	return dialect.TaskEncoded{Method: http.MethodGet, Path: "/videos/" + url.PathEscape(id)}
}

// Content asks for the film's bytes.
func (Jobs) Content(id string, _ task.File, _ dialect.Target) (dialect.TaskEncoded, bool) {
	return dialect.TaskEncoded{Method: http.MethodGet, Path: "/videos/" + url.PathEscape(id) + "/content"}, true
}

// Cancel is not documented: a video can be deleted, which ends no work.
func (Jobs) Cancel(string, dialect.Target) (dialect.TaskEncoded, bool) {
	return dialect.TaskEncoded{}, false
}

// DefaultSeconds is OpenAI's.
func (Jobs) DefaultSeconds(dialect.Target) int64 { return 4 }
