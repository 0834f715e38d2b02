package fakeprovider

import (
	"net/http"
)

// completionsAPI is OpenAI's legacy completions
// (platform.openai.com/docs/api-reference/completions). It continues a prompt
// with what the model says to its last text.
type completionsAPI struct{ openAI }

const completionsPath = "/v1/completions"

var completionsFields = set("model", "prompt", "best_of", "echo", "frequency_penalty", "logit_bias", "logprobs", "max_tokens", "n",
	"presence_penalty", "seed", "stop", "stream", "stream_options", "suffix", "temperature", "top_p", "user")

func (l completionsAPI) simple(r *http.Request, _ object, _ []string) (*fixed, bool) {
	if r.Method == http.MethodPost {
		return nil, false
	}
	return openAIError(http.StatusMethodNotAllowed, "invalid_request_error", "", "", "Invalid method for URL ("+r.Method+" "+r.URL.Path+")"), true
}

func (l completionsAPI) read(_ *http.Request, body object, serves func(string) bool) (*turn, *fixed) {
	if name, found := firstUnknown(body, completionsFields); found {
		return nil, l.bad("", "", "Unrecognized request argument supplied: %s", name)
	}
	t := &turn{model: text(body["model"]), n: 1, limit: 16, lastIsUser: true}
	if !serves(t.model) {
		return nil, openAIUnknownModel(t.model)
	}
	for _, check := range []func(*turn, object) *fixed{l.numbers, l.streaming} {
		if f := check(t, body); f != nil {
			return nil, f
		}
	}
	if t.limit == 0 {
		t.limit = 16
	}
	prompts := list(body["prompt"])
	if s, ok := body["prompt"].(string); ok {
		prompts = []any{s}
	}
	if len(prompts) == 0 {
		return nil, l.bad("prompt", "", "you must provide a prompt")
	}
	if _, tokens := prompts[0].(float64); tokens {
		prompts = []any{""}
	}
	for _, p := range prompts {
		t.lastText = text(p)
		t.addText(t.lastText)
	}
	t.n *= len(prompts)
	return t, nil
}

func (completionsAPI) choice(index int, text string, finish any) object {
	return object{"text": text, "index": index, "logprobs": nil, "finish_reason": finish}
}

func (l completionsAPI) whole(t *turn, a *reply) []byte {
	choices := []any{}
	for i := range t.n {
		choices = append(choices, l.choice(i, a.Text, openAIFinish(a)))
	}
	body := object{"id": "cmpl-fake" + a.id, "object": "text_completion", "created": a.created, "model": t.model, "choices": choices}
	if a.known {
		body["usage"] = openAIUsage(a.shown)
	}
	return encode(body)
}

func (l completionsAPI) stream(t *turn, a *reply) []frame {
	var frames []frame
	add := func(kind frameKind, choices []any, use any) {
		body := object{"id": "cmpl-fake" + a.id, "object": "text_completion", "created": a.created, "model": t.model, "choices": choices}
		if use != nil {
			body["usage"] = use
		}
		frames = append(frames, frame{kind, sse("", encode(body))})
	}
	for i := range t.n {
		for _, piece := range a.pieces {
			add(content, []any{l.choice(i, piece, nil)}, nil)
		}
	}
	for i := range t.n {
		add(finish, []any{l.choice(i, "", openAIFinish(a))}, nil)
	}
	if t.includeUsage && a.known {
		add(usage, []any{}, openAIUsage(a.shown))
	}
	return append(frames, frame{done, sse("", []byte("[DONE]"))})
}
