package fakeprovider

import (
	"net/http"
	"slices"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/task"
)

// drawing is what a conversation asks to be drawn.
type drawing struct {
	prompt string
	inputs []task.File
}

// drawing reads the one turn of a request; it refuses what the vendor does not
// understand and tells whether it did not.
func (m *Media) drawing(w http.ResponseWriter, rec *Request, known ...string) (d drawing, ok bool) {
	message := first(rec.JSON, "messages")
	parts, isList := message["content"].([]any)
	switch {
	case !m.only(w, rec.JSON, append(known, "model", "messages")...):
		return d, false
	case word(rec.JSON, "model") == "", word(message, "role") != "user", !isList:
		m.say(w, http.StatusBadRequest, "invalid_request", "A model and a turn of the user are required.")
		return d, false
	}
	for _, p := range parts {
		part, _ := p.(map[string]any)
		if !m.only(w, part, "type", "text", "image_url") {
			return d, false
		}
		if part["type"] == "text" {
			d.prompt = word(part, "text")
			continue
		}
		f, isLink := task.ReadLink(word(member(part, "image_url"), "url"))
		if !isLink {
			m.say(w, http.StatusBadRequest, "invalid_request", "image_url.url is no link")
			return d, false
		}
		d.inputs = append(d.inputs, f)
	}
	return d, true
}

// completion is a conversation's answer. Pictures are counted as outputs.
func (m *Media) completion(w http.ResponseWriter, rec *Request, message map[string]any, finish string, inputs int) {
	message["role"] = "assistant"
	m.send(w, http.StatusOK, map[string]any{"id": "gen-fake", "object": "chat.completion", "created": 1770000000, "model": word(rec.JSON, "model"),
		"choices": []any{map[string]any{"index": 0, "message": message, "finish_reason": finish}},
		"usage": map[string]any{"prompt_tokens": FakeTextTokens + inputs*FakePictureTokens, "completion_tokens": FakeOutputTokens + FakeTextTokens,
			"total_tokens":              2*FakeTextTokens + inputs*FakePictureTokens + FakeOutputTokens,
			"completion_tokens_details": map[string]any{"image_tokens": FakeOutputTokens, "reasoning_tokens": 0}}})
}

// openRouter is chat completions with modalities
// (openrouter.ai/docs/guides/overview/multimodal/image-generation).
func (m *Media) openRouter(w http.ResponseWriter, r *http.Request, rec *Request) {
	if r.Method != http.MethodPost || r.URL.Path != "/api/v1/chat/completions" {
		m.say(w, http.StatusNotFound, "", "Not Found")
		return
	}
	d, ok := m.drawing(w, rec, "modalities", "image_config", "seed", "user")
	if !ok {
		return
	}
	modalities, _ := rec.JSON["modalities"].([]any)
	config := member(rec.JSON, "image_config")
	switch {
	case config != nil && !m.only(w, config, "aspect_ratio", "image_size"):
	case !strings.Contains(word(rec.JSON, "model"), "/") || !strings.Contains(word(rec.JSON, "model"), "image"):
		m.say(w, http.StatusNotFound, "", "No endpoints found that support the requested output modalities: image, text")
	case !slices.Contains(modalities, any("image")):
		m.completion(w, rec, map[string]any{"content": "I would draw a cat."}, "stop", len(d.inputs))
	case strings.Contains(d.prompt, "forbidden"):
		m.completion(w, rec, map[string]any{"content": nil, "refusal": "I cannot draw this."}, "content_filter", len(d.inputs))
	default:
		m.completion(w, rec, map[string]any{"content": "Here it is.", "images": []any{map[string]any{"type": "image_url", "index": 0,
			"image_url": map[string]any{"url": "data:image/png;base64," + picture64()}}}}, "stop", len(d.inputs))
	}
}

// poe is a bot that draws: it takes no parameters of pictures
// (creator.poe.com/api-reference/createChatCompletion) and answers with a link,
// shown and then spelled out.
func (m *Media) poe(w http.ResponseWriter, r *http.Request, rec *Request) {
	if strings.HasPrefix(r.URL.Path, "/public/") {
		file(w, r, "image/png", Picture())
		return
	}
	if r.Method != http.MethodPost || r.URL.Path != "/v1/chat/completions" {
		m.say(w, http.StatusNotFound, "not_found", "Not found.")
		return
	}
	d, ok := m.drawing(w, rec, "stream")
	link := m.URL + "/public/picture.png?w=2&h=2"
	switch {
	case !ok:
	case strings.Contains(d.prompt, "forbidden"):
		m.say(w, http.StatusBadRequest, "moderation_error", "The prompt was blocked.")
	default:
		m.completion(w, rec, map[string]any{"content": "![" + word(rec.JSON, "model") + "](" + link + ")\n\n" + link}, "stop", len(d.inputs))
	}
}
