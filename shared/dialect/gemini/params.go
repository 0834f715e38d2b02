package gemini

import (
	"bytes"
	"maps"
	"slices"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// param is one canonical parameter: how to see that it was given and how to
// take it out.
type param struct {
	name  string
	given func(*chat.Request) bool
	clear func(*chat.Request)
}

var params = []param{
	{"temperature", func(r *chat.Request) bool { return r.Temperature != nil }, func(r *chat.Request) { r.Temperature = nil }},
	{"top_p", func(r *chat.Request) bool { return r.TopP != nil }, func(r *chat.Request) { r.TopP = nil }},
	{"top_k", func(r *chat.Request) bool { return r.TopK != nil }, func(r *chat.Request) { r.TopK = nil }},
	{"frequency_penalty", func(r *chat.Request) bool { return r.FrequencyPenalty != nil }, func(r *chat.Request) { r.FrequencyPenalty = nil }},
	{"presence_penalty", func(r *chat.Request) bool { return r.PresencePenalty != nil }, func(r *chat.Request) { r.PresencePenalty = nil }},
	{"stop", func(r *chat.Request) bool { return len(r.Stop) > 0 }, func(r *chat.Request) { r.Stop = nil }},
	{"seed", func(r *chat.Request) bool { return r.Seed != nil }, func(r *chat.Request) { r.Seed = nil }},
	{"n", func(r *chat.Request) bool { return r.N != nil }, func(r *chat.Request) { r.N = nil }},
	{"logprobs", func(r *chat.Request) bool { return r.Logprobs != nil }, func(r *chat.Request) { r.Logprobs = nil }},
	{"top_logprobs", func(r *chat.Request) bool { return r.TopLogprobs != nil }, func(r *chat.Request) { r.TopLogprobs = nil }},
	{"logit_bias", func(r *chat.Request) bool { return present(r.LogitBias) }, func(r *chat.Request) { r.LogitBias = nil }},
	{"parallel_tool_calls", func(r *chat.Request) bool { return r.ParallelToolCalls != nil }, func(r *chat.Request) { r.ParallelToolCalls = nil }},
	{"tools", func(r *chat.Request) bool { return len(r.Tools) > 0 }, func(r *chat.Request) { r.Tools = nil }},
	{"tool_choice", func(r *chat.Request) bool { return r.ToolChoice != nil }, func(r *chat.Request) { r.ToolChoice = nil }},
	{"response_format", func(r *chat.Request) bool { return r.Format != nil }, func(r *chat.Request) { r.Format = nil }},
	{"reasoning_effort", func(r *chat.Request) bool { return r.Reasoning != nil }, func(r *chat.Request) { r.Reasoning = nil }},
	{"service_tier", func(r *chat.Request) bool { return r.ServiceTier != "" }, func(r *chat.Request) { r.ServiceTier = "" }},
	{"user", func(r *chat.Request) bool { return r.User != "" }, func(r *chat.Request) { r.User = "" }},
	{"metadata", func(r *chat.Request) bool { return len(r.Metadata) > 0 }, func(r *chat.Request) { r.Metadata = nil }},
	{"modalities", func(r *chat.Request) bool { return len(r.Modalities) > 0 }, func(r *chat.Request) { r.Modalities = nil }},
}

// ignorable lists what says nothing about the answer and has no field in the
// generateContent reference: labels for other vendors' dashboards, caches,
// storage, and Anthropic's housekeeping of long histories.
var ignorable = map[string]bool{
	"user": true, "metadata": true, "store": true,
	"prompt_cache_key": true, "prompt_cache_retention": true, "safety_identifier": true,
	"cache_control": true, "context_management": true,
}

// fate takes out of a copy of req what the target ignores and names it, and
// refuses what the target cannot express.
func fate(req *chat.Request, q dialect.Quirks) (*chat.Request, []string, error) {
	out := *req
	var dropped []string
	for _, p := range params {
		if !p.given(&out) {
			continue
		}
		switch {
		case slices.Contains(q.Refuses, p.name):
			return nil, nil, refused(req.ParamName(p.name))
		case ignorable[p.name] || slices.Contains(q.Ignores, p.name):
			p.clear(&out)
			dropped = append(dropped, req.ParamName(p.name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(req.Extra)) {
		if !present(req.Extra[name]) {
			continue
		}
		if name == "safetySettings" && !slices.Contains(q.Refuses, name) {
			continue // this language's own, sent as it came
		}
		if !ignorable[name] && !slices.Contains(q.Ignores, name) || slices.Contains(q.Refuses, name) {
			return nil, nil, refused(req.ParamName(name))
		}
		dropped = append(dropped, req.ParamName(name))
	}
	if present(out.LogitBias) {
		return nil, nil, refused(req.ParamName("logit_bias"))
	}
	for i, m := range req.Messages {
		if m.Name != "" && m.Role != chat.ToolRole {
			dropped = append(dropped, req.MessageAt(i)+".name")
		}
	}
	return &out, dropped, nil
}

func refused(name string) error {
	return hub.Invalid(name, "%s is not supported by this model; leave it out or choose another model.", name)
}

// present reports whether raw holds a value other than null.
func present(raw []byte) bool {
	raw = bytes.TrimSpace(raw)
	return len(raw) > 0 && string(raw) != "null"
}
