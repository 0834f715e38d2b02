package gemini_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/dialect/gemini"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", "server", name)
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got), name)
}

func started() chat.Event {
	return chat.Event{Kind: chat.EventStart, ID: "resp-1", Model: "gpt-5-mini-2025-08-07", Created: 1775722026}
}

// scenes are answers as events; each is encoded streamed and whole.
var scenes = map[string][]chat.Event{
	"text": {
		started(),
		{Kind: chat.EventThinking, Text: "Hm\t…"}, {Kind: chat.EventSignature, Text: "c2ln", SignedBy: chat.SignedAnthropic},
		{Kind: chat.EventText, Text: "Hel"}, {Kind: chat.EventText, Text: "lo <b>\"🦜\"</b>\n\x01"},
		{Kind: chat.EventFinish, Finish: chat.FinishStop, Native: "end_turn"},
	},
	"tools": {
		started(),
		{Kind: chat.EventText, Text: "Looking."},
		{Kind: chat.EventToolCall, ID: "call_1", Name: "tide"},
		{Kind: chat.EventToolCall, Index: 1, ID: "call_2", Name: "now"},
		{Kind: chat.EventToolArgs, Text: `{"city":`}, {Kind: chat.EventToolArgs, Index: 1, Text: `{}`}, {Kind: chat.EventToolArgs, Text: `"Esbjerg"}`},
		{Kind: chat.EventSignature, Tool: true, Text: "U0lH", SignedBy: chat.SignedGoogle},
		{Kind: chat.EventToolCall, Index: 2, ID: "call_3", Name: "none"},
		{Kind: chat.EventFinish, Finish: chat.FinishToolCalls, Native: "tool_calls"},
	},
	"broken-call": {
		started(),
		{Kind: chat.EventToolCall, ID: "call_1", Name: "tide"}, {Kind: chat.EventToolArgs, Text: `{"city":`},
		{Kind: chat.EventFinish, Finish: chat.FinishToolCalls, Native: "tool_calls"},
	},
	"two-answers": {
		started(),
		{Kind: chat.EventText, Text: "a"}, {Kind: chat.EventText, Choice: 1, Text: "b"},
		{Kind: chat.EventFinish, Choice: 1, Finish: chat.FinishLength}, {Kind: chat.EventFinish, Finish: chat.FinishStop},
	},
	"blocked": {started(), {Kind: chat.EventFinish, Finish: chat.FinishContentFilter, Native: "content_filter"}},
	"refusal": {started(), {Kind: chat.EventRefusal, Text: "I cannot."}, {Kind: chat.EventFinish, Finish: chat.FinishContentFilter, Native: "refusal"}},
	"cited": {
		started(),
		{Kind: chat.EventText, Text: "Søen er 潮 dyb."},
		{Kind: chat.EventAnnotation, Raw: json.RawMessage(`[{"type":"url_citation","url_citation":{"start_index":8,"end_index":13,"title":"A","url":"https://a.example"}},
			{"type":"url_citation","url_citation":{"start_index":0,"end_index":5,"title":"A","url":"https://a.example"}},{"type":"url_citation","url_citation":{"start_index":90,"end_index":95,"title":"B","url":"https://b.example"}}]`)},
		{Kind: chat.EventFinish, Finish: chat.FinishStop, Native: "stop"},
	},
	"media": {
		started(),
		{Kind: chat.EventMedia, Media: &chat.Media{MIME: "image/png", Data: "UE5H"}},
		{Kind: chat.EventMedia, Media: &chat.Media{MIME: "image/png", URL: "https://x.example/a.png"}},
		{Kind: chat.EventMedia, Media: &chat.Media{MIME: "audio/wav", Data: "UklGRg==", Transcript: "hello", FileID: "audio_1"}},
		{Kind: chat.EventFinish, Finish: chat.FinishStop, Native: "stop"},
	},
}

func TestAnswersHaveGooglesShape(t *testing.T) {
	t.Parallel()
	c := dialect.Closing{CallID: "01J0CALL", Provider: "openai", Model: "gpt-5-mini", Known: true,
		Usage: hub.Usage{hub.Input: 8, hub.CacheRead: 100, hub.CacheWrite5m: 20, hub.Output: 3, hub.Reasoning: 4, hub.InputImage: 5}}
	v := viewOf(t, "/v1/models/gpt-5-mini:streamGenerateContent?alt=sse", []byte(`{`+turn+`}`))
	for name, events := range scenes {
		enc := gemini.Server{}.Stream(v)
		var stream []byte
		var sum chat.Collector
		for _, ev := range events {
			stream = enc.Event(stream, ev)
			sum.Add(ev)
		}
		golden(t, name+".sse", enc.Close(stream, c))
		body, err := gemini.Server{}.Whole(v, sum.Response(), c)
		require.NoError(t, err)
		golden(t, name+".json", append(body, '\n'))
	}
}
