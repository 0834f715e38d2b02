package dialecttest

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// foreign lists parameters that servers leave in chat.Request.Extra, of all
// languages, with a value of their type.
var foreign = map[string]string{
	"audio": `{"voice":"alloy","format":"wav"}`, "prediction": `{"type":"content","content":"x"}`, "prompt_cache_key": `"k"`,
	"prompt_cache_retention": `"24h"`, "safety_identifier": `"u"`, "store": `true`, "verbosity": `"low"`,
	"web_search_options": `{}`, "tool_choice": `{"type":"custom","custom":{"name":"f"}}`,
	"container": `"c"`, "context_management": `{"edits":[{"type":"clear_tool_uses_20250919"}]}`, "mcp_servers": `[{"type":"url","url":"https://x.example","name":"m"}]`,
	"inference_geo": `"us"`, "cache_control": `{"type":"ephemeral"}`, "speed": `"fast"`,
	"safetySettings": `[]`, "cachedContent": `"c"`, "labels": `{"a":"b"}`, "previous_response_id": `"r"`, "truncation": `"auto"`,
	"include": `["x"]`, "background": `true`, "max_tool_calls": `3`, "nobody_knows_this": `1`,
}

// details are settings below the top of a request.
var details = []setting{
	{"tools.strict", func(_ *Generator, r *chat.Request) { r.Tools = tool(chat.Tool{Strict: new(true)}) }},
	{"cache_control", func(_ *Generator, r *chat.Request) { r.Tools = tool(chat.Tool{Cache: &chat.Cache{TTL: "1h"}}) }},
	{"cache_control", func(_ *Generator, r *chat.Request) { r.Messages[0].Parts[0].Cache = &chat.Cache{TTL: "5m"} }},
	{"messages.name", func(_ *Generator, r *chat.Request) { r.Messages[0].Name = "ada" }},
	{"parallel_tool_calls", func(_ *Generator, r *chat.Request) { r.Tools, r.ParallelToolCalls = tool(chat.Tool{}), new(false) }},
	{"tool_choice", func(_ *Generator, r *chat.Request) {
		r.Tools, r.ToolChoice = tool(chat.Tool{}), &chat.ToolChoice{Mode: "required"}
	}},
	{"tool_choice", func(_ *Generator, r *chat.Request) {
		r.Tools, r.ToolChoice = tool(chat.Tool{}), &chat.ToolChoice{Mode: "tool", Name: "look"}
	}},
	{"response_format", func(_ *Generator, r *chat.Request) { r.Format = &chat.Format{Kind: "json_object"} }},
	{"response_format", func(_ *Generator, r *chat.Request) {
		r.Format = &chat.Format{Kind: "json_schema", Name: "n", Schema: json.RawMessage(`{"type":"object","properties":{}}`), Strict: new(true)}
	}},
	{"reasoning_effort", func(_ *Generator, r *chat.Request) { r.Reasoning = &chat.Reasoning{Effort: "high"} }},
	{"reasoning_effort", func(_ *Generator, r *chat.Request) { r.Reasoning = &chat.Reasoning{Budget: new(int64(2048))} }},
	{"reasoning_effort", func(_ *Generator, r *chat.Request) { r.Reasoning = &chat.Reasoning{Disabled: true} }},
	{"image", func(_ *Generator, r *chat.Request) { attach(r, chat.Image, chat.Media{URL: "https://x.example/a.png"}) }},
	{"image", func(_ *Generator, r *chat.Request) {
		attach(r, chat.Image, chat.Media{MIME: "image/png", Data: "AAAA", Detail: "low"})
	}},
	{"audio", func(_ *Generator, r *chat.Request) {
		attach(r, chat.Audio, chat.Media{MIME: "audio/mpeg", Data: "AAAA"})
	}},
	{"file", func(_ *Generator, r *chat.Request) { attach(r, chat.File, chat.Media{FileID: "file-1"}) }},
	{"file", func(_ *Generator, r *chat.Request) {
		attach(r, chat.File, chat.Media{MIME: "application/pdf", URL: "https://x.example/a.pdf"})
	}},
	{"file", func(_ *Generator, r *chat.Request) {
		attach(r, chat.File, chat.Media{MIME: "application/pdf", Data: "AAAA", Filename: "a.pdf"})
	}},
	{"raw block", func(_ *Generator, r *chat.Request) {
		r.Messages[0].Parts = append(r.Messages[0].Parts, chat.Part{Kind: chat.Raw, RawType: "x", RawJSON: json.RawMessage(`{"type":"x"}`)})
	}},
	{"raw tool", func(_ *Generator, r *chat.Request) {
		r.Tools = append(tool(chat.Tool{}), chat.Tool{RawType: "x", Raw: json.RawMessage(`{"type":"x"}`)})
	}},
}

func tool(t chat.Tool) []chat.Tool {
	t.Name, t.Parameters = "look", json.RawMessage(`{"type":"object","properties":{}}`)
	return []chat.Tool{t}
}

func attach(r *chat.Request, kind chat.PartKind, m chat.Media) {
	r.Messages[0].Parts = append(r.Messages[0].Parts, chat.Part{Kind: kind, Media: &m})
}

// Fates checks that a client side loses nothing silently: whatever is set
// changes the encoded body, is listed as dropped, or is refused by the caller's
// name for it.
func Fates(t *testing.T, client dialect.Client, target dialect.Target) {
	t.Helper()
	if target.Model == "" {
		target.Model = "vendor/model"
	}
	if target.MaxOutput == 0 {
		target.MaxOutput = 4096
	}
	g := NewGenerator(Can{}, 1)
	for _, s := range slices.Concat(settings, details) {
		if s.name == "service_tier" {
			// The tiers of settings are what a request without one may get anyway.
			s.set = func(_ *Generator, r *chat.Request) { r.ServiceTier = "flex" }
		}
		plain, full := question(), question()
		s.set(g, full)
		if len(full.Tools) > 0 { // the tool itself is no news
			plain.Tools = tool(chat.Tool{})
		}
		fate(t, client, target, s.name, plain, full)
	}
	for _, name := range slices.Sorted(maps.Keys(foreign)) {
		full := question()
		full.Extra = map[string]json.RawMessage{name: json.RawMessage(foreign[name])}
		fate(t, client, target, name, question(), full)
	}
}

func fate(t *testing.T, client dialect.Client, target dialect.Target, name string, plain, full *chat.Request) {
	t.Helper()
	top, _, _ := strings.Cut(name, ".")
	full.Names = map[string]string{top: "callers_" + top}
	before, err := client.Encode(plain, target)
	if len(plain.Tools) > 0 && err != nil { // a language without tools
		refusal(t, name, err)
		return
	}
	require.NoError(t, err, "%s: the plain request", name)
	after, err := client.Encode(full, target)
	if err != nil {
		refusal(t, name, err)
		return
	}
	if name == "parallel_tool_calls" {
		return // the hub keeps it where no word says so: it passes on a turn's first call only
	}
	changed := string(before.Body) != string(after.Body) || len(after.Dropped) > len(before.Dropped)
	assert.True(t, changed, "%s vanished: %s", name, after.Body)
}

func refusal(t *testing.T, name string, err error) {
	t.Helper()
	var he *hub.Error
	require.ErrorAs(t, err, &he, "%s", name)
	assert.Equal(t, hub.CodeInvalid, he.Code, "%s: %v", name, err)
	assert.NotEmpty(t, he.Param, "%s: the refusal names no field: %v", name, err)
}

// Members checks that a server side loses nothing silently: each member added
// to a request body changes what is decoded, is listed as ignored, or is
// refused. base is a request body that is acceptable by itself.
func Members(t *testing.T, server dialect.Server, path, base string, members map[string]string) {
	t.Helper()
	l := Language{Server: server, Path: path}
	plain, err := l.decode([]byte(base))
	require.NoError(t, err)
	for _, name := range slices.Sorted(maps.Keys(members)) {
		o, err := wire.Parse([]byte(base))
		require.NoError(t, err)
		o.Set(name, []byte(members[name]))
		got, err := l.decode(o.Bytes())
		if err != nil {
			var he *hub.Error
			require.ErrorAs(t, err, &he, "%s", name)
			assert.NotEmpty(t, he.Param, "%s: the refusal names no field: %v", name, err)
			continue
		}
		got.Names, plain.Names = nil, nil
		assert.NotEqual(t, show(plain), show(got), "%s vanished", name)
	}
}
