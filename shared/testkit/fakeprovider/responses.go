package fakeprovider

import (
	"net/http"
	"strings"
	"sync"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// responsesAPI is OpenAI's Responses API
// (platform.openai.com/docs/api-reference/responses): create, stored answers and
// the counting of tokens. Errors and keys are those of openAI.
type responsesAPI struct {
	openAI
	mu     sync.Mutex
	stored map[string]*storedResponse
}

// storedResponse is what a caller can come back to, with the key it is under.
type storedResponse struct {
	key   string
	body  object
	items []any
}

const responsesPath = "/v1/responses"

func (l *responsesAPI) find(r *http.Request, id string) *storedResponse {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.stored[id]
	if s == nil || s.key != bearer(r) {
		return nil
	}
	return s
}

// simple answers what is not a create.
func (l *responsesAPI) simple(r *http.Request, body object, _ []string) (*fixed, bool) {
	if r.URL.Path == responsesPath {
		if r.Method == http.MethodPost {
			return nil, false
		}
		return l.notHere(r, http.StatusMethodNotAllowed), true
	}
	id, what, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, responsesPath+"/"), "/")
	switch {
	case r.Method == http.MethodPost && id == "input_tokens" && what == "":
		return &fixed{status: http.StatusOK, body: encode(object{"object": "response.input_tokens", "input_tokens": Tokens(len(encode(body["input"])))})}, true
	case r.Method == http.MethodPost && id == "compact" && what == "":
		return l.compact(body), true
	}
	s := l.find(r, id)
	if s == nil {
		return openAIError(http.StatusNotFound, "invalid_request_error", "", "", "Response with id '"+id+"' not found."), true
	}
	switch {
	case r.Method == http.MethodGet && what == "":
		return &fixed{status: http.StatusOK, body: encode(s.body)}, true
	case r.Method == http.MethodGet && what == "input_items":
		return &fixed{status: http.StatusOK, body: encode(object{"object": "list", "data": s.items, "has_more": false})}, true
	case r.Method == http.MethodDelete && what == "":
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.stored, id)
		return &fixed{status: http.StatusOK, body: encode(object{"id": id, "object": "response", "deleted": true})}, true
	case r.Method == http.MethodPost && what == "cancel":
		return l.bad("", "", "Cannot cancel a synchronous response."), true
	}
	return l.notHere(r, http.StatusNotFound), true
}

func (l *responsesAPI) notHere(r *http.Request, status int) *fixed {
	return openAIError(status, "invalid_request_error", "", "", "Invalid URL ("+r.Method+" "+r.URL.Path+")")
}

func (l *responsesAPI) compact(body object) *fixed {
	input := encode(body["input"])
	return &fixed{status: http.StatusOK, body: encode(object{
		"id": "resp_fakecompact", "object": "response.compaction", "created_at": 1767225600,
		"output": []any{object{"type": "compaction", "id": "cmp_fake", "encrypted_content": "enc_fake_compact"}},
		"usage":  responsesUsage(hub.Usage{hub.Input: Tokens(len(input)), hub.Output: 3}),
	})}
}

func responsesUsage(u hub.Usage) object {
	return object{
		"input_tokens": u.Prompt(), "input_tokens_details": object{"cached_tokens": u[hub.CacheRead]},
		"output_tokens": u.Completion(), "output_tokens_details": object{"reasoning_tokens": u[hub.Reasoning]},
		"total_tokens": u.Prompt() + u.Completion(),
	}
}

// keep stores an answer unless its caller forbade it.
func (l *responsesAPI) keep(t *turn, body object) {
	if !t.store {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stored[text(body["id"])] = &storedResponse{key: t.key, body: body, items: t.items}
}

// items are the output items of an answer.
func (l *responsesAPI) items(t *turn, a *reply) []object {
	out := []object{}
	if a.Reasoning != "" {
		out = append(out, object{"id": "rs_fake" + a.id, "type": "reasoning", "summary": []any{object{"type": "summary_text", "text": a.Reasoning}}})
		if t.sealed {
			out[0]["encrypted_content"] = "enc_fake_" + a.id
		}
	}
	if a.Text != "" || a.Refusal != "" || len(a.ToolCalls) == 0 {
		parts := []any{}
		if a.Text != "" || a.Refusal == "" {
			parts = append(parts, object{"type": "output_text", "text": a.Text, "annotations": []any{}, "logprobs": []any{}})
		}
		if a.Refusal != "" {
			parts = append(parts, object{"type": "refusal", "refusal": a.Refusal})
		}
		out = append(out, object{"id": "msg_fake" + a.id, "type": "message", "status": "completed", "role": "assistant", "content": parts})
	}
	for i, c := range a.ToolCalls {
		id := callID("call_", a, c, 0, i)
		out = append(out, object{"id": "fc_fake" + id, "type": "function_call", "status": "completed", "call_id": id, "name": c.Name, "arguments": c.Arguments})
	}
	return out
}

// response is the answer object with a status.
func (l *responsesAPI) response(t *turn, a *reply, status string, output []object, use any) object {
	body := object{
		"id": "resp_fake" + a.id, "object": "response", "created_at": a.created, "status": status, "background": false, "error": nil,
		"incomplete_details": nil, "instructions": t.request["instructions"], "max_output_tokens": t.request["max_output_tokens"],
		"model": t.model, "output": output, "parallel_tool_calls": true, "previous_response_id": t.request["previous_response_id"],
		"store": t.store, "tool_choice": "auto", "tools": orEmpty(t.request["tools"]), "usage": use, "metadata": object{},
	}
	if status == "incomplete" {
		body["incomplete_details"] = object{"reason": "max_output_tokens"}
	}
	return body
}

func orEmpty(v any) any {
	if v == nil {
		return []any{}
	}
	return v
}

func (l *responsesAPI) final(t *turn, a *reply) object {
	status := "completed"
	if a.Length {
		status = "incomplete"
	}
	var use any
	if a.known {
		use = responsesUsage(a.shown)
	}
	return l.response(t, a, status, l.items(t, a), use)
}

func (l *responsesAPI) whole(t *turn, a *reply) []byte {
	body := l.final(t, a)
	l.keep(t, body)
	return encode(body)
}

// typed collects the events of one streamed answer.
type typed struct {
	frames []frame
	seq    int
}

func (e *typed) add(kind frameKind, name string, fields object) {
	fields["type"], fields["sequence_number"] = name, e.seq
	e.seq++
	e.frames = append(e.frames, frame{kind, sse(name, encode(fields))})
}

func (l *responsesAPI) stream(t *turn, a *reply) []frame {
	e := &typed{}
	e.add(opening, "response.created", object{"response": l.response(t, a, "in_progress", []object{}, nil)})
	e.add(opening, "response.in_progress", object{"response": l.response(t, a, "in_progress", []object{}, nil)})
	for at, it := range l.items(t, a) {
		l.item(e, at, it, a)
	}
	final := l.final(t, a)
	l.keep(t, final)
	e.add(finish, "response."+text(final["status"]), object{"response": final})
	return e.frames
}

func (l *responsesAPI) item(e *typed, at int, it object, a *reply) {
	place := func(more object) object {
		more["item_id"], more["output_index"] = it["id"], at
		return more
	}
	begun := object{}
	for k, v := range it {
		begun[k] = v
	}
	switch it["type"] {
	case "reasoning":
		begun["summary"] = []any{}
		e.add(content, "response.output_item.added", object{"output_index": at, "item": begun})
		e.add(content, "response.reasoning_summary_part.added", place(object{"summary_index": 0, "part": object{"type": "summary_text", "text": ""}}))
		e.add(content, "response.reasoning_summary_text.delta", place(object{"summary_index": 0, "delta": a.Reasoning}))
		e.add(content, "response.reasoning_summary_text.done", place(object{"summary_index": 0, "text": a.Reasoning}))
	case "message":
		begun["content"], begun["status"] = []any{}, "in_progress"
		e.add(content, "response.output_item.added", object{"output_index": at, "item": begun})
		for i, part := range list(it["content"]) {
			e.add(content, "response.content_part.added", place(object{"content_index": i, "part": object{"type": dict(part)["type"], "text": ""}}))
			if text(dict(part)["type"]) == "refusal" {
				e.add(content, "response.refusal.delta", place(object{"content_index": i, "delta": a.Refusal}))
			} else {
				for _, piece := range a.pieces {
					e.add(content, "response.output_text.delta", place(object{"content_index": i, "delta": piece, "logprobs": []any{}}))
				}
				e.add(content, "response.output_text.done", place(object{"content_index": i, "text": a.Text, "logprobs": []any{}}))
			}
			e.add(content, "response.content_part.done", place(object{"content_index": i, "part": part}))
		}
	case "function_call":
		begun["arguments"], begun["status"] = "", "in_progress"
		e.add(content, "response.output_item.added", object{"output_index": at, "item": begun})
		args := text(it["arguments"])
		half := len(cutAt(args, max(1, len(args)/2)))
		for _, part := range []string{args[:half], args[half:]} {
			e.add(content, "response.function_call_arguments.delta", place(object{"delta": part}))
		}
		e.add(content, "response.function_call_arguments.done", place(object{"arguments": args}))
	}
	e.add(content, "response.output_item.done", object{"output_index": at, "item": it})
}

func (l *responsesAPI) failureFrame() []byte {
	return sse("error", encode(object{"type": "error", "code": "server_error", "message": "The server had an error while processing your request. Sorry about that!", "param": nil, "sequence_number": 3}))
}
