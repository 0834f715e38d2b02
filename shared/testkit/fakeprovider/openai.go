package fakeprovider

import (
	"net/http"
	"slices"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// openAI is the chat completions API (platform.openai.com/docs/api-reference/chat).
type openAI struct {
	reasoningField string
	vendor         *vendor // nil: OpenAI itself
}

func openAIError(status int, kind, code, param, message string) *fixed {
	null := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	body := encode(object{"error": object{"message": message, "type": kind, "param": null(param), "code": null(code)}})
	return &fixed{status: status, body: body, header: http.Header{"X-Request-Id": {"req_fake"}}}
}

func (openAI) authorize(r *http.Request, keys []string) *fixed {
	key := bearer(r)
	switch {
	case key == "":
		return openAIError(http.StatusUnauthorized, "invalid_request_error", "", "",
			"You didn't provide an API key. Send it in an Authorization header: Authorization: Bearer YOUR_KEY.")
	case !slices.Contains(keys, key):
		return openAIError(http.StatusUnauthorized, "invalid_request_error", "invalid_api_key", "",
			"Incorrect API key provided: "+key[:min(3, len(key))]+"***.")
	}
	return nil
}

func (openAI) simple(r *http.Request, _ object, models []string) (*fixed, bool) {
	entry := func(id string) object {
		return object{"id": id, "object": "model", "created": 1767225600, "owned_by": "fake"}
	}
	switch {
	case r.URL.Path == "/v1/chat/completions" && r.Method == http.MethodPost:
		if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
			return openAIError(http.StatusBadRequest, "invalid_request_error", "unsupported_content_type", "",
				"Unsupported content type. This API method only accepts 'application/json' requests."), true
		}
		return nil, false
	case r.URL.Path == "/v1/models" && r.Method == http.MethodGet:
		data := []any{}
		for _, m := range models {
			data = append(data, entry(m))
		}
		return &fixed{status: http.StatusOK, body: encode(object{"object": "list", "data": data})}, true
	}
	if id, ok := strings.CutPrefix(r.URL.Path, "/v1/models/"); ok && r.Method == http.MethodGet {
		if slices.Contains(models, id) {
			return &fixed{status: http.StatusOK, body: encode(entry(id))}, true
		}
		return openAIUnknownModel(id), true
	}
	status := http.StatusNotFound
	if r.URL.Path == "/v1/chat/completions" || r.URL.Path == "/v1/models" {
		status = http.StatusMethodNotAllowed
	}
	return openAIError(status, "invalid_request_error", "", "", "Invalid URL ("+r.Method+" "+r.URL.Path+")"), true
}

func openAIUnknownModel(id string) *fixed {
	return openAIError(http.StatusNotFound, "invalid_request_error", "model_not_found", "",
		"The model `"+id+"` does not exist or you do not have access to it.")
}

func (openAI) reports(u hub.Usage) hub.Usage {
	u[hub.Input] += u[hub.CacheWrite5m] + u[hub.CacheWrite1h]
	u[hub.CacheWrite5m], u[hub.CacheWrite1h] = 0, 0
	return u
}

func openAIUsage(u hub.Usage) object {
	return object{
		"prompt_tokens": u.Prompt(), "completion_tokens": u.Completion(), "total_tokens": u.Prompt() + u.Completion(),
		"prompt_tokens_details":     object{"cached_tokens": u[hub.CacheRead], "audio_tokens": u[hub.InputAudio]},
		"completion_tokens_details": object{"reasoning_tokens": u[hub.Reasoning], "audio_tokens": u[hub.OutputAudio]},
	}
}

func openAIFinish(a *reply) string {
	switch {
	case len(a.ToolCalls) > 0:
		return "tool_calls"
	case a.Length:
		return "length"
	}
	return "stop"
}

func openAICalls(a *reply, choice int) []object {
	calls := []object{}
	for i, c := range a.ToolCalls {
		calls = append(calls, object{
			"id": callID("call_", a, c, choice, i), "type": "function",
			"function": object{"name": c.Name, "arguments": c.Arguments},
		})
	}
	return calls
}

func (l openAI) whole(t *turn, a *reply) []byte {
	choices := []any{}
	for i := range t.n {
		message := object{"role": "assistant", "content": nil, "refusal": nil, "annotations": []any{}}
		if a.Text != "" || (len(a.ToolCalls) == 0 && a.Refusal == "") {
			message["content"] = a.Text
		}
		if a.Refusal != "" {
			message["refusal"] = a.Refusal
		}
		if a.Reasoning != "" {
			l.thought(message, a.Reasoning)
		}
		if len(a.ToolCalls) > 0 {
			message["tool_calls"] = openAICalls(a, i)
		}
		choice := object{"index": i, "message": message, "logprobs": nil, "finish_reason": openAIFinish(a)}
		if a.Break == NoFinish {
			choice["finish_reason"] = nil
		}
		choices = append(choices, choice)
	}
	body := object{
		"id": "chatcmpl-fake" + a.id, "object": "chat.completion", "created": a.created, "model": t.model,
		"choices": choices, "service_tier": "default", "system_fingerprint": "fp_fake",
	}
	if a.known {
		body["usage"] = openAIUsage(a.shown)
	}
	return encode(body)
}

// chunks collects the frames of one streamed answer.
type chunks struct {
	t      *turn
	a      *reply
	frames []frame
}

func (c *chunks) add(kind frameKind, choices []any, use any) {
	body := object{
		"id": "chatcmpl-fake" + c.a.id, "object": "chat.completion.chunk", "created": c.a.created, "model": c.t.model,
		"choices": choices, "service_tier": "default", "system_fingerprint": "fp_fake",
	}
	if c.t.includeUsage {
		body["usage"] = use
	}
	c.frames = append(c.frames, frame{kind, sse("", encode(body))})
}

func (c *chunks) delta(kind frameKind, choice int, delta object, end any) {
	c.add(kind, []any{object{"index": choice, "delta": delta, "logprobs": nil, "finish_reason": end}}, nil)
}

func (l openAI) stream(t *turn, a *reply) []frame {
	c := &chunks{t: t, a: a}
	for i := range t.n {
		c.delta(opening, i, object{"role": "assistant", "content": "", "refusal": nil}, nil)
		if a.Reasoning != "" {
			piece := object{}
			l.thought(piece, a.Reasoning)
			c.delta(content, i, piece, nil)
		}
		for _, piece := range a.pieces {
			c.delta(content, i, object{"content": piece}, nil)
		}
		if a.Refusal != "" {
			c.delta(content, i, object{"refusal": a.Refusal}, nil)
		}
		for k, call := range openAICalls(a, i) {
			c.call(i, k, call)
		}
	}
	for i := range t.n {
		c.delta(finish, i, object{}, openAIFinish(a))
	}
	if t.includeUsage && a.known {
		c.add(usage, []any{}, openAIUsage(a.shown))
		if a.Report == UsageTwice {
			c.add(usage, []any{}, openAIUsage(a.shown))
		}
	}
	return append(c.frames, frame{done, sse("", []byte("[DONE]"))})
}

// call streams one tool call: id and name first, then its arguments in halves.
func (c *chunks) call(choice, index int, call object) {
	fn := dict(call["function"])
	args := text(fn["arguments"])
	half := len(cutAt(args, max(1, len(args)/2)))
	c.delta(content, choice, object{"tool_calls": []any{object{
		"index": index, "id": call["id"], "type": "function", "function": object{"name": fn["name"], "arguments": ""},
	}}}, nil)
	for _, part := range []string{args[:half], args[half:]} {
		c.delta(content, choice, object{"tool_calls": []any{object{"index": index, "function": object{"arguments": part}}}}, nil)
	}
}

func (openAI) failure(status int, message string) *fixed {
	kind, code := "invalid_request_error", ""
	switch {
	case status == http.StatusUnauthorized:
		code, message = "invalid_api_key", orElse(message, "Incorrect API key provided: sk-***.")
	case status == http.StatusForbidden:
		code, message = "unsupported_country_region_territory", orElse(message, "Country, region, or territory not supported")
	case status == http.StatusNotFound:
		code, message = "model_not_found", orElse(message, "The model does not exist or you do not have access to it.")
	case status == http.StatusTooManyRequests:
		kind, code = "requests", "rate_limit_exceeded"
		message = orElse(message, "Rate limit reached for requests. Please try again later.")
	case status >= http.StatusInternalServerError:
		kind, message = "server_error", orElse(message, "The server had an error while processing your request. Sorry about that!")
	}
	return openAIError(status, kind, code, "", orElse(message, "Bad request"))
}

func (l openAI) failureFrame() []byte {
	return sse("", l.failure(http.StatusInternalServerError, "").body)
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
