package fakeprovider

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

func (m *Media) google(w http.ResponseWriter, r *http.Request, rec *Request) {
	path := strings.TrimPrefix(r.URL.Path, "/v1beta")
	model, method, _ := strings.Cut(strings.TrimPrefix(path, "/models/"), ":")
	switch {
	case strings.HasPrefix(r.URL.Path, "/download/"):
		file(w, r, "video/mp4", Film())
	case strings.HasSuffix(path, ":download"):
		// The real one redirects to another of its hosts' paths.
		if r.URL.Query().Get("alt") != "media" {
			m.say(w, http.StatusBadRequest, "", "alt must be media")
			return
		}
		http.Redirect(w, r, "/download"+r.URL.Path, http.StatusFound)
	case strings.Contains(path, "/operations/"):
		m.googleOperation(w, strings.TrimPrefix(path, "/"))
	case r.Method != http.MethodPost:
		m.say(w, http.StatusNotFound, "", "Not found.")
	case method == "predict" && strings.HasPrefix(model, "imagen-"):
		m.imagen(w, rec)
	case method == "generateContent" && strings.HasPrefix(model, "gemini-"):
		m.geminiPicture(w, rec, model)
	case method == "predictLongRunning" && strings.HasPrefix(model, "veo-"):
		m.veo(w, rec, model)
	default:
		m.say(w, http.StatusNotFound, "", "models/"+model+" is not found for API version v1beta, or is not supported for "+method+".")
	}
}

func member(o map[string]any, name string) map[string]any {
	v, _ := o[name].(map[string]any)
	return v
}

func first(o map[string]any, name string) map[string]any {
	list, _ := o[name].([]any)
	if len(list) == 0 {
		return nil
	}
	v, _ := list[0].(map[string]any)
	return v
}

func (m *Media) imagen(w http.ResponseWriter, rec *Request) {
	instance, params := first(rec.JSON, "instances"), member(rec.JSON, "parameters")
	ratio, _ := params["aspectRatio"].(string)
	switch {
	case !m.only(w, rec.JSON, "instances", "parameters"),
		!m.only(w, instance, "prompt"),
		!m.only(w, params, "sampleCount", "aspectRatio", "sampleImageSize", "personGeneration", "safetySetting", "includeRaiReason", "outputOptions"):
	case ratio != "" && !slices.Contains([]string{"1:1", "3:4", "4:3", "9:16", "16:9"}, ratio):
		m.say(w, http.StatusBadRequest, "", "aspectRatio is not supported")
	case strings.Contains(word(instance, "prompt"), "forbidden"):
		m.send(w, http.StatusOK, map[string]any{"predictions": []any{map[string]any{"raiFilteredReason": "Unable to show generated images."}}})
	default:
		list := make([]any, count(params, "sampleCount"))
		for i := range list {
			list[i] = map[string]any{"bytesBase64Encoded": picture64(), "mimeType": "image/png"}
		}
		m.send(w, http.StatusOK, map[string]any{"predictions": list})
	}
}

func (m *Media) geminiPicture(w http.ResponseWriter, rec *Request, model string) {
	config := member(rec.JSON, "generationConfig")
	parts, _ := first(rec.JSON, "contents")["parts"].([]any)
	inputs := 0
	for _, p := range parts {
		part, _ := p.(map[string]any)
		if !m.only(w, part, "text", "inlineData") {
			return
		}
		if data := member(part, "inlineData"); data != nil {
			if _, err := base64.StdEncoding.DecodeString(word(data, "data")); err != nil || word(data, "mimeType") == "" {
				m.say(w, http.StatusBadRequest, "", "inlineData is malformed")
				return
			}
			inputs++
		}
	}
	modalities, _ := config["responseModalities"].([]any)
	switch {
	case !m.only(w, rec.JSON, "contents", "generationConfig"), !m.only(w, config, "responseModalities", "candidateCount", "seed", "imageConfig"):
	case !slices.Contains(modalities, any("IMAGE")):
		m.say(w, http.StatusBadRequest, "", "the model answers with pictures")
	default:
		in := FakeTextTokens + inputs*FakePictureTokens
		m.send(w, http.StatusOK, map[string]any{
			"candidates": []any{map[string]any{"finishReason": "STOP", "index": 0, "content": map[string]any{"role": "model", "parts": []any{
				map[string]any{"text": "Here it is."}, map[string]any{"inlineData": map[string]any{"mimeType": "image/png", "data": picture64()}}}}}},
			"usageMetadata": map[string]any{"promptTokenCount": in, "candidatesTokenCount": FakeOutputTokens, "totalTokenCount": in + FakeOutputTokens,
				"promptTokensDetails": []any{map[string]any{"modality": "TEXT", "tokenCount": FakeTextTokens},
					map[string]any{"modality": "IMAGE", "tokenCount": inputs * FakePictureTokens}},
				"candidatesTokensDetails": []any{map[string]any{"modality": "IMAGE", "tokenCount": FakeOutputTokens}}},
			"modelVersion": model, "responseId": "fake",
		})
	}
}

func (m *Media) veo(w http.ResponseWriter, rec *Request, model string) {
	instance, params := first(rec.JSON, "instances"), member(rec.JSON, "parameters")
	seconds, whole := params["durationSeconds"].(float64)
	switch {
	case !m.only(w, rec.JSON, "instances", "parameters"), !m.only(w, instance, "prompt", "image", "lastFrame", "referenceImages"),
		!m.only(w, params, "durationSeconds", "aspectRatio", "resolution", "negativePrompt", "personGeneration", "seed"):
	case !whole || !slices.Contains([]float64{4, 6, 8}, seconds):
		m.say(w, http.StatusBadRequest, "", "durationSeconds must be 4, 6 or 8")
	default:
		id := fmt.Sprintf("models/%s/operations/op%d", model, len(m.films)+1)
		m.film(id, model, word(params, "resolution"), int64(seconds))
		m.send(w, http.StatusOK, map[string]any{"name": id})
	}
}

func (m *Media) googleOperation(w http.ResponseWriter, id string) {
	f := m.films[id]
	switch {
	case f == nil:
		m.say(w, http.StatusNotFound, "", "Operation not found.")
	case !m.poll(f):
		m.send(w, http.StatusOK, map[string]any{"name": id})
	case f.fault != "":
		m.send(w, http.StatusOK, map[string]any{"name": id, "done": true, "error": map[string]any{"code": 3, "message": f.fault}})
	default:
		m.send(w, http.StatusOK, map[string]any{"name": id, "done": true, "response": map[string]any{"generateVideoResponse": map[string]any{
			"generatedSamples": []any{map[string]any{"video": map[string]any{"uri": m.URL + "/v1beta/files/film1:download?alt=media"}}}}}})
	}
}
