package fakeprovider

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// anthropic is the Messages API (docs.claude.com/en/api/messages).
type anthropic struct{}

// overloaded is Anthropic's own status for a service with too much to do.
const overloaded = 529

func anthropicError(status int, kind, message string) *fixed {
	body := encode(object{"type": "error", "error": object{"type": kind, "message": message}, "request_id": "req_fake"})
	return &fixed{status: status, body: body, header: http.Header{"Request-Id": {"req_fake"}}}
}

func (anthropic) authorize(r *http.Request, keys []string) *fixed {
	key := r.Header.Get("X-Api-Key")
	if token := bearer(r); token != "" && key == "" {
		key = token
	}
	switch {
	case key == "":
		return anthropicError(http.StatusUnauthorized, "authentication_error", "x-api-key header is required")
	case !slices.Contains(keys, key):
		return anthropicError(http.StatusUnauthorized, "authentication_error", "invalid x-api-key")
	case r.Header.Get("Anthropic-Version") == "":
		return anthropicError(http.StatusBadRequest, "invalid_request_error", "anthropic-version: header is required")
	}
	return nil
}

func (l anthropic) simple(r *http.Request, body object, models []string) (*fixed, bool) {
	entry := func(id string) object {
		return object{"type": "model", "id": id, "display_name": id, "created_at": "2026-01-01T00:00:00Z"}
	}
	switch {
	case r.URL.Path == "/v1/messages" && r.Method == http.MethodPost:
		if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
			return anthropicError(http.StatusBadRequest, "invalid_request_error", "content-type: must be application/json"), true
		}
		return nil, false
	case r.URL.Path == "/v1/messages/count_tokens" && r.Method == http.MethodPost:
		return l.count(r, body, models), true
	case r.URL.Path == "/v1/models" && r.Method == http.MethodGet:
		data := []any{}
		for _, m := range models {
			data = append(data, entry(m))
		}
		page := object{"data": data, "has_more": false, "first_id": nil, "last_id": nil}
		if len(models) > 0 {
			page["first_id"], page["last_id"] = models[0], models[len(models)-1]
		}
		return &fixed{status: http.StatusOK, body: encode(page)}, true
	}
	if id, ok := strings.CutPrefix(r.URL.Path, "/v1/models/"); ok && r.Method == http.MethodGet {
		if slices.Contains(models, id) {
			return &fixed{status: http.StatusOK, body: encode(entry(id))}, true
		}
		return anthropicError(http.StatusNotFound, "not_found_error", "model: "+id), true
	}
	return anthropicError(http.StatusNotFound, "not_found_error", "Not found"), true
}

// count answers count_tokens: the same request, which names no output limit.
func (l anthropic) count(r *http.Request, body object, models []string) *fixed {
	if _, given := body["max_tokens"]; given {
		return l.bad("max_tokens: Extra inputs are not permitted")
	}
	if body != nil {
		body = maps.Clone(body)
		body["max_tokens"] = float64(1 << 20)
	}
	t, f := l.read(r, body, func(m string) bool { return slices.Contains(models, m) })
	if f != nil {
		return f
	}
	return &fixed{status: http.StatusOK, body: encode(object{"input_tokens": Tokens(t.promptBytes)})}
}

func (anthropic) reports(u hub.Usage) hub.Usage { return u }

func anthropicUsage(u hub.Usage) object {
	use := object{
		"input_tokens":                u[hub.Input],
		"cache_read_input_tokens":     u[hub.CacheRead],
		"cache_creation_input_tokens": u[hub.CacheWrite5m] + u[hub.CacheWrite1h],
		"cache_creation": object{
			"ephemeral_5m_input_tokens": u[hub.CacheWrite5m], "ephemeral_1h_input_tokens": u[hub.CacheWrite1h],
		},
		"output_tokens": u[hub.Output] + u[hub.Reasoning], "service_tier": "standard",
	}
	if u[hub.Reasoning] > 0 {
		use["output_tokens_details"] = object{"thinking_tokens": u[hub.Reasoning]}
	}
	return use
}

func anthropicStop(a *reply) string {
	switch {
	case a.Refusal != "":
		return "refusal"
	case len(a.ToolCalls) > 0:
		return "tool_use"
	case a.Length:
		return "max_tokens"
	}
	return "end_turn"
}

// anthropicBlocks renders the content: a thought, text, calls.
func anthropicBlocks(a *reply) []object {
	blocks := []object{}
	if a.Reasoning != "" {
		blocks = append(blocks, object{"type": "thinking", "thinking": a.Reasoning, "signature": signature})
	}
	if a.Text != "" {
		blocks = append(blocks, object{"type": "text", "text": a.Text})
	}
	for i, c := range a.ToolCalls {
		blocks = append(blocks, object{
			"type": "tool_use", "id": callID("toolu_", a, c, 0, i), "name": c.Name, "input": arguments(c),
		})
	}
	return blocks
}

// signature is what a fake puts where real providers sign their thoughts.
const signature = "ZmFrZS1zaWduYXR1cmU="

func (anthropic) whole(t *turn, a *reply) []byte {
	body := object{
		"id": "msg_fake" + a.id, "type": "message", "role": "assistant", "model": t.model,
		"content": anthropicBlocks(a), "stop_reason": anthropicStop(a), "stop_sequence": nil,
	}
	if a.Break == NoFinish {
		body["stop_reason"] = nil
	}
	if a.known {
		body["usage"] = anthropicUsage(a.shown)
	}
	return encode(body)
}

func (l anthropic) stream(t *turn, a *reply) []frame {
	var frames []frame
	add := func(kind frameKind, event string, body object) {
		body["type"] = event
		frames = append(frames, frame{kind, sse(event, encode(body))})
	}
	message := object{
		"id": "msg_fake" + a.id, "type": "message", "role": "assistant", "model": t.model,
		"content": []any{}, "stop_reason": nil, "stop_sequence": nil,
	}
	if a.known {
		start := a.shown // the figures are cumulative: the first ones know no output yet
		start[hub.Output], start[hub.Reasoning] = min(1, start[hub.Output]), 0
		message["usage"] = anthropicUsage(start)
	}
	add(opening, "message_start", object{"message": message})
	for i, block := range anthropicBlocks(a) {
		first, deltas := anthropicDeltas(block, a)
		add(opening, "content_block_start", object{"index": i, "content_block": first})
		if i == 0 {
			add(opening, "ping", object{})
		}
		for _, d := range deltas {
			add(content, "content_block_delta", object{"index": i, "delta": d})
		}
		add(opening, "content_block_stop", object{"index": i})
	}
	end := object{"delta": object{"stop_reason": anthropicStop(a), "stop_sequence": nil}}
	if a.known {
		end["usage"] = anthropicUsage(a.shown)
	}
	add(finish, "message_delta", end)
	if a.known && a.Report == UsageTwice {
		add(finish, "message_delta", end)
	}
	add(done, "message_stop", object{})
	return frames
}

// anthropicDeltas splits a block into its opening form and what follows.
func anthropicDeltas(block object, a *reply) (first object, deltas []object) {
	switch block["type"] {
	case "thinking":
		return object{"type": "thinking", "thinking": "", "signature": ""}, []object{
			{"type": "thinking_delta", "thinking": block["thinking"]},
			{"type": "signature_delta", "signature": block["signature"]},
		}
	case "text":
		for _, piece := range a.pieces {
			deltas = append(deltas, object{"type": "text_delta", "text": piece})
		}
		return object{"type": "text", "text": ""}, deltas
	}
	input := string(encode(block["input"]))
	if input == "{}" {
		input = "" // as recorded: a call without arguments streams an empty text
	}
	half := len(input) / 2
	deltas = []object{{"type": "input_json_delta", "partial_json": ""}}
	if input != "" {
		deltas = append(deltas,
			object{"type": "input_json_delta", "partial_json": input[:half]},
			object{"type": "input_json_delta", "partial_json": input[half:]})
	}
	return object{"type": "tool_use", "id": block["id"], "name": block["name"], "input": object{}}, deltas
}

func (anthropic) failure(status int, message string) *fixed {
	kinds := map[int][2]string{
		http.StatusUnauthorized:          {"authentication_error", "invalid x-api-key"},
		http.StatusPaymentRequired:       {"billing_error", "Your credit balance is too low to access the API."},
		http.StatusForbidden:             {"permission_error", "Your API key does not have permission to use the specified resource."},
		http.StatusNotFound:              {"not_found_error", "model: unknown"},
		http.StatusRequestEntityTooLarge: {"request_too_large", "Request exceeds the maximum size"},
		http.StatusTooManyRequests:       {"rate_limit_error", "This request would exceed your organization's rate limit."},
		http.StatusInternalServerError:   {"api_error", "Internal server error"},
		overloaded:                       {"overloaded_error", "Overloaded"},
	}
	kind, known := kinds[status]
	if !known {
		kind = [2]string{"invalid_request_error", "Bad request"}
		if status > http.StatusInternalServerError {
			kind = kinds[http.StatusInternalServerError]
		}
	}
	return anthropicError(status, kind[0], orElse(message, kind[1]))
}

func (l anthropic) failureFrame() []byte { return sse("error", l.failure(overloaded, "").body) }
