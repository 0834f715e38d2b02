package fakeprovider

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/wire"
)

var timeZero time.Time // files without a date

// What the fake reports of tokens.
const (
	FakeTextTokens    = 12   // of a prompt
	FakePictureTokens = 200  // of each picture to work from
	FakeOutputTokens  = 1056 // of each picture made
)

var (
	openAIImageFields = []string{"model", "prompt", "n", "size", "quality", "style", "background", "moderation", "output_format",
		"output_compression", "response_format", "stream", "partial_images", "input_fidelity", "user"}
	openAISizes = map[string][]string{
		"gpt-image-1": {"", "auto", "1024x1024", "1536x1024", "1024x1536"},
		"dall-e-2":    {"", "256x256", "512x512", "1024x1024"},
		"dall-e-3":    {"", "1024x1024", "1792x1024", "1024x1792"},
	}
	soraSizes = []string{"", "720x1280", "1280x720", "1024x1792", "1792x1024"}
)

func (m *Media) openAI(w http.ResponseWriter, r *http.Request, rec *Request) {
	path := strings.TrimPrefix(r.URL.Path, "/v1")
	switch {
	case r.Method == http.MethodPost && (path == "/images/generations" || path == "/images/edits" || path == "/images/variations"):
		m.openAIImage(w, r, rec, path)
	case strings.HasPrefix(path, "/public/"), strings.HasPrefix(r.URL.Path, "/public/"):
		file(w, r, "image/png", Picture())
	case r.Method == http.MethodPost && path == "/videos":
		m.openAIVideo(w, r, rec)
	case strings.HasPrefix(path, "/videos/"):
		m.openAIFilm(w, r, strings.TrimPrefix(path, "/videos/"))
	default:
		m.say(w, http.StatusNotFound, "not_found", "Unknown request URL.")
	}
}

// fieldsOf reads a form or a JSON body as one map; files are counted by name.
func fieldsOf(r *http.Request, rec *Request) (fields map[string]any, files map[string]int, ok bool) {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		return rec.JSON, nil, rec.JSON != nil
	}
	form, err := wire.ParseForm(r.Header.Get("Content-Type"), rec.Body)
	if err != nil {
		return nil, nil, false
	}
	fields, files = map[string]any{}, map[string]int{}
	for i := range form.Parts {
		p := &form.Parts[i]
		if p.IsFile() {
			files[strings.TrimSuffix(p.Name, "[]")]++
			continue
		}
		fields[p.Name] = string(p.Data)
	}
	return fields, files, true
}

func word(o map[string]any, name string) string {
	s, _ := o[name].(string)
	return s
}

func count(o map[string]any, name string) int {
	switch v := o[name].(type) {
	case float64:
		return int(v)
	case string:
		n, _ := strconv.Atoi(v)
		return n
	}
	return 1
}

func (m *Media) openAIImage(w http.ResponseWriter, r *http.Request, rec *Request, path string) {
	fields, files, ok := fieldsOf(r, rec)
	if !ok {
		m.say(w, http.StatusBadRequest, "invalid_body", "The body cannot be read.")
		return
	}
	edit := path != "/images/generations"
	if files == nil && edit { // the JSON form of an edit
		list, _ := fields["images"].([]any)
		files = map[string]int{"image": len(list)}
		delete(fields, "images")
		delete(fields, "mask")
	}
	model := word(fields, "model")
	sizes, known := openAISizes[model]
	inline := model == "gpt-image-1"
	switch {
	case !m.only(w, fields, openAIImageFields...):
		return
	case !known:
		m.say(w, http.StatusNotFound, "model_not_found", "The model '"+model+"' does not exist.")
	case word(fields, "prompt") == "" && path != "/images/variations":
		m.say(w, http.StatusBadRequest, "missing_required_parameter", "Missing required parameter: 'prompt'.")
	case edit && files["image"] == 0:
		m.say(w, http.StatusBadRequest, "missing_required_parameter", "Missing required parameter: 'image'.")
	case !slices.Contains(sizes, word(fields, "size")):
		m.say(w, http.StatusBadRequest, "invalid_value", "Invalid value: '"+word(fields, "size")+"'.")
	case inline && fields["response_format"] != nil:
		m.say(w, http.StatusBadRequest, "unknown_parameter", "Unknown parameter: 'response_format'.")
	case !inline && (fields["background"] != nil || fields["output_format"] != nil || fields["stream"] != nil):
		m.say(w, http.StatusBadRequest, "unknown_parameter", "The model does not know this parameter.")
	case count(fields, "n") < 1 || count(fields, "n") > 10 || model == "dall-e-3" && count(fields, "n") > 1:
		m.say(w, http.StatusBadRequest, "invalid_value", "Invalid 'n'.")
	case fields["stream"] == true || fields["stream"] == "true":
		m.openAIStream(w, fields, edit)
	default:
		m.send(w, http.StatusOK, m.openAIPictures(fields, files["image"]))
	}
}

func (m *Media) openAIPictures(fields map[string]any, inputs int) map[string]any {
	n := count(fields, "n")
	data := make([]any, n)
	for i := range data {
		data[i] = map[string]any{"b64_json": picture64()}
		if word(fields, "model") != "gpt-image-1" && word(fields, "response_format") != "b64_json" {
			data[i] = map[string]any{"url": m.URL + "/public/picture.png"}
		}
	}
	out := map[string]any{"created": 1770000000, "data": data}
	if word(fields, "model") == "gpt-image-1" {
		out["size"], out["quality"], out["output_format"], out["background"] = sizeOf(fields), qualityOf(fields), "png", "opaque"
		out["usage"] = pictureUsage(n, inputs)
	}
	return out
}

func sizeOf(fields map[string]any) string {
	if s := word(fields, "size"); s != "" && s != "auto" {
		return s
	}
	return "1024x1024"
}

func qualityOf(fields map[string]any) string {
	if q := word(fields, "quality"); q != "" && q != "auto" {
		return q
	}
	return "medium"
}

func pictureUsage(made, inputs int) map[string]any {
	in := FakeTextTokens + inputs*FakePictureTokens
	return map[string]any{"input_tokens": in, "output_tokens": made * FakeOutputTokens, "total_tokens": in + made*FakeOutputTokens,
		"input_tokens_details": map[string]any{"text_tokens": FakeTextTokens, "image_tokens": inputs * FakePictureTokens}}
}

func (m *Media) openAIStream(w http.ResponseWriter, fields map[string]any, edit bool) {
	family := "image_generation"
	if edit {
		family = "image_edit"
	}
	w.Header().Set("Content-Type", "text/event-stream")
	event := func(name string, more map[string]any) {
		body := map[string]any{"type": family + "." + name, "b64_json": picture64(), "created_at": 1770000000, "size": sizeOf(fields),
			"quality": qualityOf(fields), "background": "opaque", "output_format": "png"}
		for k, v := range more {
			body[k] = v
		}
		var data bytes.Buffer
		_ = json.NewEncoder(&data).Encode(body) // of strings and numbers only
		fmt.Fprintf(w, "event: %s.%s\ndata: %s\n\n", family, name, bytes.TrimSpace(data.Bytes()))
		_ = http.NewResponseController(w).Flush()
	}
	for i := range count(map[string]any{"n": fields["partial_images"]}, "n") {
		event("partial_image", map[string]any{"partial_image_index": i})
	}
	event("completed", map[string]any{"usage": pictureUsage(1, 0)})
}

func (m *Media) openAIVideo(w http.ResponseWriter, r *http.Request, rec *Request) {
	fields, _, ok := fieldsOf(r, rec)
	seconds := word(fields, "seconds")
	switch {
	case !ok:
		m.say(w, http.StatusBadRequest, "invalid_body", "The body cannot be read.")
	case !m.only(w, fields, "model", "prompt", "seconds", "size", "input_reference"):
	case word(fields, "model") != "sora-2" && word(fields, "model") != "sora-2-pro":
		m.say(w, http.StatusNotFound, "model_not_found", "The model does not exist.")
	case fields["seconds"] != nil && !slices.Contains([]string{"4", "8", "12"}, seconds):
		m.say(w, http.StatusBadRequest, "invalid_value", "Invalid value for 'seconds': it must be the text 4, 8 or 12.")
	case !slices.Contains(soraSizes, word(fields, "size")):
		m.say(w, http.StatusBadRequest, "invalid_value", "Invalid size.")
	default:
		n, size := int64(4), "720x1280"
		if seconds != "" {
			n = int64(count(fields, "seconds"))
		}
		if s := word(fields, "size"); s != "" {
			size = s
		}
		m.send(w, http.StatusOK, openAIFilmOf(m.film(fmt.Sprintf("video_fake%d", len(m.films)+1), word(fields, "model"), size, n), "queued"))
	}
}

func openAIFilmOf(f *fakeFilm, status string) map[string]any {
	out := map[string]any{"id": f.id, "object": "video", "created_at": 1770000000, "status": status, "model": f.model, "progress": 0,
		"seconds": strconv.FormatInt(f.seconds, 10), "size": f.size, "error": nil}
	switch status {
	case "in_progress":
		out["progress"] = 33
	case "failed":
		out["error"] = map[string]any{"code": "generation_failed", "message": f.fault}
	}
	return out
}

func (m *Media) openAIFilm(w http.ResponseWriter, r *http.Request, path string) {
	id, rest, _ := strings.Cut(path, "/")
	f := m.films[id]
	switch {
	case f == nil:
		m.say(w, http.StatusNotFound, "not_found", "No such video.")
	case rest == "content":
		file(w, r, "video/mp4", Film())
	case !m.poll(f):
		m.send(w, http.StatusOK, openAIFilmOf(f, "in_progress"))
	case f.fault != "":
		m.send(w, http.StatusOK, openAIFilmOf(f, "failed"))
	default:
		m.send(w, http.StatusOK, openAIFilmOf(f, "completed"))
	}
}
