package fakeprovider

import (
	"bytes"
	"net/http"
	"slices"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// gemini is the Gemini API's generateContent (ai.google.dev/api/generate-content).
type gemini struct{}

func geminiError(status int, word, message string, details ...any) *fixed {
	e := object{"code": status, "message": message, "status": word}
	if len(details) > 0 {
		e["details"] = details
	}
	return &fixed{status: status, body: encode(object{"error": e})}
}

func (gemini) authorize(r *http.Request, keys []string) *fixed {
	key := r.Header.Get("X-Goog-Api-Key")
	if q := r.URL.Query().Get("key"); q != "" && key == "" {
		key = q
	}
	switch {
	case key == "":
		return geminiError(http.StatusForbidden, "PERMISSION_DENIED",
			"Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.")
	case !slices.Contains(keys, key):
		return geminiBadKey()
	}
	return nil
}

func geminiBadKey() *fixed {
	return geminiError(http.StatusBadRequest, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", object{
		"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com",
		"metadata": object{"service": "generativelanguage.googleapis.com"},
	})
}

// geminiModelPath returns the part behind /models/ of either API version.
func geminiModelPath(r *http.Request) (string, bool) {
	for _, prefix := range []string{"/v1beta/models/", "/v1/models/"} {
		if rest, ok := strings.CutPrefix(r.URL.Path, prefix); ok {
			return rest, true
		}
	}
	return "", false
}

func (l gemini) simple(r *http.Request, body object, models []string) (*fixed, bool) {
	entry := func(id string) object {
		return object{
			"name": "models/" + id, "version": "001", "displayName": id, "inputTokenLimit": 1 << 20, "outputTokenLimit": 1 << 16,
			"supportedGenerationMethods": []string{"generateContent", "streamGenerateContent", "countTokens"},
		}
	}
	rest, ok := geminiModelPath(r)
	switch {
	case ok && r.Method == http.MethodPost:
		_, method, _ := strings.Cut(rest, ":")
		switch method {
		case "generateContent", "streamGenerateContent":
			return nil, false
		case "countTokens":
			return l.count(r, body, models), true
		}
	case ok && r.Method == http.MethodGet && slices.Contains(models, rest):
		return &fixed{status: http.StatusOK, body: encode(entry(rest))}, true
	case r.Method == http.MethodGet && (r.URL.Path == "/v1beta/models" || r.URL.Path == "/v1/models"):
		all := []any{}
		for _, m := range models {
			all = append(all, entry(m))
		}
		return &fixed{status: http.StatusOK, body: encode(object{"models": all})}, true
	}
	return geminiError(http.StatusNotFound, "NOT_FOUND", "Requested entity was not found."), true
}

func (gemini) reports(u hub.Usage) hub.Usage {
	u[hub.Input] += u[hub.CacheWrite5m] + u[hub.CacheWrite1h]
	u[hub.CacheWrite5m], u[hub.CacheWrite1h] = 0, 0
	return u
}

func geminiUsage(u hub.Usage) object {
	use := object{
		"promptTokenCount": u.Prompt(), "candidatesTokenCount": u[hub.Output], "totalTokenCount": u.Prompt() + u.Completion(),
		"promptTokensDetails": []any{object{"modality": "TEXT", "tokenCount": u.Prompt()}},
	}
	if u[hub.CacheRead] > 0 {
		use["cachedContentTokenCount"] = u[hub.CacheRead]
	}
	if u[hub.Reasoning] > 0 {
		use["thoughtsTokenCount"] = u[hub.Reasoning]
	}
	return use
}

func geminiFinish(a *reply) string {
	switch {
	case a.Refusal != "":
		return "SAFETY"
	case a.Length:
		return "MAX_TOKENS"
	}
	return "STOP"
}

// geminiCalls renders the calls; the first carries the thought's signature.
func geminiCalls(a *reply) []any {
	parts := []any{}
	for i, c := range a.ToolCalls {
		call := object{"name": c.Name, "args": arguments(c)}
		if c.ID != "" {
			call["id"] = c.ID
		}
		part := object{"functionCall": call}
		if i == 0 {
			part["thoughtSignature"] = signature
		}
		parts = append(parts, part)
	}
	return parts
}

func (l gemini) body(t *turn, a *reply, parts []any, end string, counts bool) object {
	candidates := []any{}
	for i := range t.n {
		content := object{"role": "model"}
		if len(parts) > 0 {
			content["parts"] = parts
		}
		candidate := object{"content": content, "index": i}
		if end != "" {
			candidate["finishReason"] = end
		}
		candidates = append(candidates, candidate)
	}
	body := object{"candidates": candidates, "modelVersion": t.model, "responseId": "fake" + a.id}
	if a.known && counts {
		body["usageMetadata"] = geminiUsage(a.shown)
	}
	return body
}

func (l gemini) whole(t *turn, a *reply) []byte {
	parts := []any{}
	if a.Reasoning != "" {
		parts = append(parts, object{"text": a.Reasoning, "thought": true})
	}
	if a.Text != "" {
		parts = append(parts, object{"text": a.Text})
	}
	end := geminiFinish(a)
	if a.Break == NoFinish {
		end = ""
	}
	return encode(l.body(t, a, append(parts, geminiCalls(a)...), end, true))
}

func (l gemini) stream(t *turn, a *reply) []frame {
	var bodies []object
	var kinds []frameKind
	add := func(kind frameKind, b object) { bodies, kinds = append(bodies, b), append(kinds, kind) }
	if a.Reasoning != "" {
		add(content, l.body(t, a, []any{object{"text": a.Reasoning, "thought": true}}, "", false))
	}
	for _, piece := range a.pieces {
		add(content, l.body(t, a, []any{object{"text": piece}}, "", false))
	}
	for _, call := range geminiCalls(a) {
		add(content, l.body(t, a, []any{call}, "", false))
	}
	add(finish, l.body(t, a, []any{object{"text": ""}}, geminiFinish(a), true))
	if a.Report == UsageTwice {
		add(usage, object{"usageMetadata": geminiUsage(a.shown), "modelVersion": t.model, "responseId": "fake" + a.id})
	}
	return geminiFrames(t, bodies, kinds)
}

// geminiFrames wraps the bodies as events (alt=sse) or as one JSON array.
func geminiFrames(t *turn, bodies []object, kinds []frameKind) []frame {
	frames := make([]frame, len(bodies))
	for i, b := range bodies {
		data := encode(b)
		if t.array {
			lead := ",\r\n"
			if i == 0 {
				lead = "["
			}
			frames[i] = frame{kinds[i], append([]byte(lead), data...)}
			continue
		}
		frames[i] = frame{kinds[i], bytes.Replace(sse("", data), []byte("\n\n"), []byte("\r\n\r\n"), 1)}
	}
	if t.array {
		frames = append(frames, frame{done, []byte("]")})
	}
	return frames
}

func (gemini) failure(status int, message string) *fixed {
	words := map[int][2]string{
		http.StatusBadRequest:            {"INVALID_ARGUMENT", "Request contains an invalid argument."},
		http.StatusUnauthorized:          {"UNAUTHENTICATED", "Request had invalid authentication credentials."},
		http.StatusForbidden:             {"PERMISSION_DENIED", "The caller does not have permission"},
		http.StatusNotFound:              {"NOT_FOUND", "Requested entity was not found."},
		http.StatusRequestEntityTooLarge: {"INVALID_ARGUMENT", "Request payload size exceeds the limit."},
		http.StatusTooManyRequests:       {"RESOURCE_EXHAUSTED", "You exceeded your current quota, please check your plan and billing details."},
		http.StatusInternalServerError:   {"INTERNAL", "An internal error has occurred."},
		http.StatusServiceUnavailable:    {"UNAVAILABLE", "The model is overloaded. Please try again later."},
		http.StatusGatewayTimeout:        {"DEADLINE_EXCEEDED", "Deadline expired before operation could complete."},
	}
	w, known := words[status]
	if !known {
		w = words[http.StatusBadRequest]
		if status >= http.StatusInternalServerError {
			w = words[http.StatusInternalServerError]
		}
	}
	return geminiError(status, w[0], orElse(message, w[1]))
}

func (l gemini) failureFrame() []byte {
	return sse("", l.failure(http.StatusServiceUnavailable, "").body)
}
