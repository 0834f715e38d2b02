package fakeprovider

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

func (m *Media) ideogram(w http.ResponseWriter, r *http.Request, rec *Request) {
	if strings.HasPrefix(r.URL.Path, "/public/") {
		file(w, r, "image/png", Picture())
		return
	}
	fields, files, ok := fieldsOf(r, rec)
	n := count(fields, "num_images")
	method := strings.TrimPrefix(r.URL.Path, "/v1/ideogram-v3/")
	switch {
	case !slices.Contains([]string{"generate", "remix", "edit"}, method) || r.Method != http.MethodPost:
		m.say(w, http.StatusNotFound, "", "Not Found")
	case !ok || files == nil:
		m.say(w, http.StatusUnprocessableEntity, "", "multipart/form-data is expected")
	case !m.only(w, fields, "prompt", "seed", "resolution", "aspect_ratio", "rendering_speed", "magic_prompt", "negative_prompt", "num_images",
		"color_palette", "style_codes", "style_type", "style_preset", "image_weight"):
	case fields["resolution"] != nil && fields["aspect_ratio"] != nil, n < 1 || n > 8, word(fields, "prompt") == "":
		m.say(w, http.StatusBadRequest, "", "invalid parameters")
	case (method != "generate") != (files["image"] == 1), (method == "edit") != (files["mask"] == 1):
		m.say(w, http.StatusBadRequest, "", "the pictures do not fit the method")
	case strings.Contains(word(fields, "prompt"), "forbidden"):
		m.send(w, http.StatusOK, map[string]any{"created": "2026-01-01T00:00:00Z", "data": []any{map[string]any{"prompt": "x", "is_image_safe": false, "url": nil}}})
	default:
		data := make([]any, n)
		for i := range data {
			data[i] = map[string]any{"prompt": word(fields, "prompt"), "resolution": "1024x1024", "is_image_safe": true, "seed": 7,
				"url": m.URL + "/public/picture.png", "style_type": "GENERAL"}
		}
		m.send(w, http.StatusOK, map[string]any{"created": "2026-01-01T00:00:00Z", "data": data})
	}
}

const arkTasks = "/api/v3/contents/generations/tasks"

func (m *Media) ark(w http.ResponseWriter, r *http.Request, rec *Request) {
	switch {
	case strings.HasPrefix(r.URL.Path, "/public/"):
		file(w, r, "video/mp4", Film())
	case r.Method == http.MethodPost && r.URL.Path == "/api/v3/images/generations":
		m.arkPicture(w, rec)
	case r.Method == http.MethodPost && r.URL.Path == arkTasks:
		m.arkTask(w, rec)
	case strings.HasPrefix(r.URL.Path, arkTasks+"/"):
		m.arkFilm(w, r, strings.TrimPrefix(r.URL.Path, arkTasks+"/"))
	default:
		m.say(w, http.StatusNotFound, "NotFound", "not found")
	}
}

func (m *Media) arkPicture(w http.ResponseWriter, rec *Request) {
	model := word(rec.JSON, "model")
	switch {
	case !m.only(w, rec.JSON, "model", "prompt", "image", "size", "seed", "guidance_scale", "response_format", "watermark",
		"sequential_image_generation", "sequential_image_generation_options"):
	case !strings.Contains(model, "seedream") && !strings.Contains(model, "seededit"):
		m.say(w, http.StatusNotFound, "InvalidEndpointOrModel.NotFound", "The model or endpoint does not exist.")
	case strings.Contains(model, "seededit") && rec.JSON["image"] == nil:
		m.say(w, http.StatusBadRequest, "MissingParameter", "image is missing")
	default:
		n := 1
		if o := member(rec.JSON, "sequential_image_generation_options"); o != nil {
			n = max(1, count(o, "max_images")-1) // the model decides, and makes fewer
		}
		data := make([]any, n)
		for i := range data {
			data[i] = map[string]any{"b64_json": picture64(), "size": "2048x2048"}
		}
		m.send(w, http.StatusOK, map[string]any{"model": model, "created": 1770000000, "data": data,
			"usage": map[string]any{"generated_images": n, "output_tokens": n * 4096, "total_tokens": n * 4096}})
	}
}

func (m *Media) arkTask(w http.ResponseWriter, rec *Request) {
	content, _ := rec.JSON["content"].([]any)
	switch {
	case !m.only(w, rec.JSON, "model", "content", "resolution", "ratio", "duration", "seed", "camera_fixed", "watermark", "generate_audio"):
	case !strings.Contains(word(rec.JSON, "model"), "seedance"), len(content) == 0:
		m.say(w, http.StatusBadRequest, "InvalidParameter", "invalid parameters")
	default:
		seconds := int64(5)
		if rec.JSON["duration"] != nil {
			seconds = int64(count(rec.JSON, "duration"))
		}
		f := m.film(fmt.Sprintf("cgt-%d", len(m.films)+1), word(rec.JSON, "model"), "720p", seconds)
		m.send(w, http.StatusOK, map[string]any{"id": f.id})
	}
}

func (m *Media) arkFilm(w http.ResponseWriter, r *http.Request, id string) {
	f := m.films[id]
	if f == nil {
		m.say(w, http.StatusNotFound, "NotFound", "no such task")
		return
	}
	if r.Method == http.MethodDelete {
		if f.polls == 0 && !m.hold {
			m.say(w, http.StatusConflict, "OperationDenied", "only queued tasks can be cancelled")
			return
		}
		f.gone = true
		m.send(w, http.StatusOK, map[string]any{})
		return
	}
	out := map[string]any{"id": f.id, "model": f.model, "status": "running", "created_at": 1770000000}
	switch {
	case f.gone:
		out["status"] = "cancelled"
	case !m.poll(f):
	case f.fault != "":
		out["status"], out["error"] = "failed", map[string]any{"code": "OutputVideoSensitiveContentDetected", "message": f.fault}
	default:
		out["status"], out["content"] = "succeeded", map[string]any{"video_url": m.URL + "/public/film.mp4"}
		out["usage"] = map[string]any{"completion_tokens": 100_000 * f.seconds, "total_tokens": 100_000 * f.seconds}
		out["duration"], out["resolution"], out["ratio"] = f.seconds, f.size, "16:9"
	}
	m.send(w, http.StatusOK, out)
}

func (m *Media) xai(w http.ResponseWriter, r *http.Request, rec *Request) {
	path := strings.TrimPrefix(r.URL.Path, "/v1")
	switch {
	case strings.HasPrefix(path, "/public/"):
		file(w, r, "video/mp4", Film())
	case r.Method == http.MethodPost && (path == "/images/generations" || path == "/images/edits"):
		switch {
		case !m.only(w, rec.JSON, "model", "prompt", "n", "response_format", "aspect_ratio", "resolution", "image", "images", "user"):
		case !strings.HasPrefix(word(rec.JSON, "model"), "grok-imagine-image"):
			m.say(w, http.StatusNotFound, "not-found", "The model does not exist.")
		case (path == "/images/edits") != (rec.JSON["image"] != nil || rec.JSON["images"] != nil):
			m.say(w, http.StatusUnprocessableEntity, "invalid", "the pictures do not fit the path")
		default:
			data := make([]any, count(rec.JSON, "n"))
			for i := range data {
				data[i] = map[string]any{"b64_json": picture64(), "revised_prompt": ""}
			}
			m.send(w, http.StatusOK, map[string]any{"data": data})
		}
	case r.Method == http.MethodPost && path == "/videos/generations":
		if m.only(w, rec.JSON, "model", "prompt", "duration", "aspect_ratio", "resolution", "image", "reference_images", "user") {
			f := m.film(fmt.Sprintf("req-%d", len(m.films)+1), word(rec.JSON, "model"), word(rec.JSON, "resolution"), int64(count(rec.JSON, "duration")))
			m.send(w, http.StatusOK, map[string]any{"request_id": f.id})
		}
	case strings.HasPrefix(path, "/videos/"):
		m.xaiFilm(w, strings.TrimPrefix(path, "/videos/"))
	default:
		m.say(w, http.StatusNotFound, "not-found", "not found")
	}
}

func (m *Media) xaiFilm(w http.ResponseWriter, id string) {
	f := m.films[id]
	switch {
	case f == nil:
		m.say(w, http.StatusNotFound, "not-found", "no such request")
	case !m.poll(f):
		m.send(w, http.StatusAccepted, map[string]any{"status": "pending"})
	case f.fault != "":
		m.send(w, http.StatusOK, map[string]any{"status": "failed", "error": map[string]any{"code": "x", "message": f.fault}})
	default:
		m.send(w, http.StatusOK, map[string]any{"status": "done", "model": f.model,
			"video": map[string]any{"url": m.URL + "/public/film.mp4", "duration": f.seconds, "respect_moderation": true}})
	}
}
