package geminimedia

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

// Films is the client side of Veo. The zero value is ready.
type Films struct{ Client }

var _ dialect.JobClient = Films{}

// veoSeconds is the length of a film where nobody says one.
const veoSeconds = 8

// DefaultSeconds is Veo's.
func (Films) DefaultSeconds(dialect.Target) int64 { return veoSeconds }

// Splice is never asked for: no caller speaks this language.
func (c Films) Splice(v *dialect.TaskView, t dialect.Target) (dialect.TaskEncoded, error) {
	return c.Encode(v.Request, t)
}

type veoImage struct {
	Data string `json:"bytesBase64Encoded"`
	MIME string `json:"mimeType"`
}

func (Films) imageOf(req *task.Request, f *task.File, name string) (*veoImage, error) {
	if len(f.Data) == 0 {
		field := req.ParamName(name)
		return nil, hub.Invalid(field, "%s must hold the picture itself for this model's provider, not the id of a file.", field)
	}
	in := inlineOf(f)
	return &veoImage{Data: in.Data, MIME: in.MIMEType}, nil
}

// Encode writes a :predictLongRunning request.
func (c Films) Encode(req *task.Request, t dialect.Target) (dialect.TaskEncoded, error) {
	f := req.Film
	enc := dialect.TaskEncoded{Path: method(t.Model, "predictLongRunning")}
	dropped, err := req.Only("size", "seconds", "aspect_ratio", "resolution", "input_reference", "last_frame", "reference_images",
		"negative_prompt", "seed", "person_generation")
	if err != nil {
		return enc, err
	}
	enc.Dropped = dropped
	instance := map[string]any{"prompt": f.Prompt}
	for name, file := range map[string]*task.File{"image": f.First, "lastFrame": f.Last} {
		if file == nil {
			continue
		}
		if instance[name], err = c.imageOf(req, file, map[string]string{"image": "input_reference", "lastFrame": "last_frame"}[name]); err != nil {
			return enc, err
		}
	}
	var refs []any
	for i := range f.References {
		image, err := c.imageOf(req, &f.References[i], "reference_images")
		if err != nil {
			return enc, err
		}
		refs = append(refs, map[string]any{"image": image, "referenceType": "asset"})
	}
	if refs != nil {
		instance["referenceImages"] = refs
	}
	params, err := veoParams(req)
	if err != nil {
		return enc, err
	}
	return payload(enc, map[string]any{"instances": []any{instance}, "parameters": params})
}

func veoParams(req *task.Request) (map[string]any, error) {
	f := req.Film
	params := map[string]any{"durationSeconds": f.Seconds}
	if f.Seconds == 0 {
		params["durationSeconds"] = veoSeconds
	}
	ratio, res := f.AspectRatio, f.Resolution
	if f.Size != "" && f.Size != "auto" {
		if w, h, ok := task.Pixels(f.Size); ok {
			if ratio, ok = task.Ratio(f.Size, "16:9", "9:16"); !ok {
				return nil, hub.Invalid(req.ParamName("size"), "%s: the model makes films of 16:9 and 9:16 only.", req.ParamName("size"))
			}
			res = map[int64]string{720: "720p", 1080: "1080p", 2160: "4k"}[min(w, h)]
			if res == "" {
				return nil, req.Unsupported("size")
			}
		} else { // AIGNE's clients say 720p here
			res = f.Size
		}
	}
	for name, value := range map[string]string{"aspectRatio": ratio, "resolution": res, "negativePrompt": f.Negative, "personGeneration": f.Persons} {
		if value != "" {
			params[name] = value
		}
	}
	if f.Seed != nil {
		params["seed"] = *f.Seed
	}
	return params, nil
}

type operation struct {
	Name  string `json:"name"`
	Done  bool   `json:"done"`
	Error *struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
	Response struct {
		Videos struct {
			Samples []struct {
				Video struct {
					URI  string `json:"uri"`
					Data string `json:"encodedVideo"`
				} `json:"video"`
			} `json:"generatedSamples"`
			Filtered int64    `json:"raiMediaFilteredCount"`
			Reasons  []string `json:"raiMediaFilteredReasons"`
		} `json:"generateVideoResponse"`
	} `json:"response"`
}

// Job reads a long-running operation.
func (Films) Job(a dialect.TaskAnswer, _ dialect.Target) (*task.Job, error) {
	var in operation
	if err := json.Unmarshal(a.Body, &in); err != nil {
		return nil, err
	}
	if in.Name == "" {
		return nil, errors.New("the answer names no operation")
	}
	j := &task.Job{ID: in.Name, Status: task.JobRunning}
	switch {
	case in.Error != nil:
		j.Status, j.Fault = task.JobFailed, hub.Errorf(hub.CodeUpstream, "%s", in.Error.Message)
	case !in.Done:
	case len(in.Response.Videos.Samples) == 0:
		j.Status, j.Fault = task.JobFailed, refusal(strings.Join(append(in.Response.Videos.Reasons, "no film was made"), "; "))
	default:
		j.Status = task.JobSucceeded
		for _, s := range in.Response.Videos.Samples {
			data, err := base64.StdEncoding.DecodeString(s.Video.Data)
			if err != nil {
				return nil, err
			}
			j.Films = append(j.Films, task.File{MIME: "video/mp4", URL: s.Video.URI, Data: data})
		}
	}
	return j, nil
}

// Poll asks after an operation.
func (Films) Poll(id string, _ dialect.Target) dialect.TaskEncoded {
	return dialect.TaskEncoded{Method: http.MethodGet, Path: operationPath(id)}
}

// operationPath escapes each segment, so that no id leads elsewhere.
func operationPath(id string) string {
	segments := strings.Split(id, "/")
	for i, s := range segments {
		if s == "." || s == ".." {
			s = ""
		}
		segments[i] = url.PathEscape(s)
	}
	return "/" + strings.Join(segments, "/")
}

// Content asks for a film's bytes: they lie on the API itself (…/files/ID:download)
// and want the key. Any other URL is fetched as it stands, without one.
func (Films) Content(_ string, film task.File, _ dialect.Target) (dialect.TaskEncoded, bool) {
	u, err := url.Parse(film.URL)
	if err != nil {
		return dialect.TaskEncoded{}, false
	}
	for _, version := range []string{"/v1beta/", "/v1alpha/", "/v1/"} {
		rest, ok := strings.CutPrefix(u.EscapedPath(), version)
		if !ok || !strings.HasPrefix(rest, "files/") || strings.Contains(rest, "..") {
			continue
		}
		return dialect.TaskEncoded{Method: http.MethodGet, Path: "/" + rest + "?alt=media"}, true
	}
	return dialect.TaskEncoded{}, false
}

// Cancel is not documented for films on this API.
func (Films) Cancel(string, dialect.Target) (dialect.TaskEncoded, bool) {
	return dialect.TaskEncoded{}, false
}
