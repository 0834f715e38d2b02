package aigne_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/dialect/aigne"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func now() time.Time { return time.Date(2026, 4, 9, 8, 7, 6, 5e6, time.UTC) }

var closing = dialect.Closing{
	CallID: "01J0CALL", Provider: "openai", Model: "gpt-5-mini", Known: true, Billed: true, Credits: 12300,
	Usage: hub.Usage{hub.Input: 8, hub.CacheRead: 100, hub.CacheWrite5m: 20, hub.Output: 3, hub.Reasoning: 4},
}

var servers = map[string]dialect.Server{"protocol": aigne.Server{Now: now}, "rest": aigne.RestServer{Now: now}}

func start(model string) chat.Event {
	return chat.Event{Kind: chat.EventStart, ID: "resp-1", Model: model, Created: 1775722026}
}

// scenes are answers as events; each is encoded by both servers, streamed and
// whole, and compared with its golden files.
var scenes = map[string]struct {
	format string
	events []chat.Event
}{
	"text": {events: []chat.Event{
		start("gpt-5-mini-2025-08-07"),
		{Kind: chat.EventThinking, Text: "Hm\t…"}, {Kind: chat.EventSignature, Text: "not shown"},
		{Kind: chat.EventText, Text: "Hel"}, {Kind: chat.EventText, Text: "lo <b>\"🦜\"</b>\n\x01"},
		{Kind: chat.EventFinish, Finish: chat.FinishStop},
	}},
	"tools": {events: []chat.Event{
		start("m"),
		{Kind: chat.EventText, Text: "Looking."},
		{Kind: chat.EventToolCall, ID: "call_1", Name: "tide"},
		{Kind: chat.EventToolArgs, Text: `{"city":`}, {Kind: chat.EventToolArgs, Text: `"Esbjerg"}`},
		{Kind: chat.EventSignature, Tool: true, Text: "U0lH"},
		{Kind: chat.EventToolCall, Index: 1, ID: "call_2", Name: "now"},
		{Kind: chat.EventFinish, Finish: chat.FinishToolCalls},
	}},
	"structured": {format: "json_schema", events: []chat.Event{
		start("m"),
		{Kind: chat.EventText, Text: "```json\n{\"n\": 1234567890123"}, {Kind: chat.EventText, Text: "4567890}\n```"},
		{Kind: chat.EventFinish, Finish: chat.FinishStop},
	}},
	"unstructured": {format: "json_schema", events: []chat.Event{
		start("m"),
		{Kind: chat.EventText, Text: `{"cut":`},
		{Kind: chat.EventFinish, Finish: chat.FinishLength},
	}},
	"refusal": {events: []chat.Event{
		start("m"),
		{Kind: chat.EventRefusal, Text: "No."},
		{Kind: chat.EventFinish, Finish: chat.FinishContentFilter},
	}},
	"picture": {events: []chat.Event{
		start(""),
		{Kind: chat.EventMedia, Media: &chat.Media{MIME: "image/png", Data: "UE5H"}},
		{Kind: chat.EventMedia, Media: &chat.Media{MIME: "image/webp", URL: "https://a.example/p.webp"}},
		{Kind: chat.EventFinish, Finish: chat.FinishStop},
	}},
	"two answers": {events: []chat.Event{
		start("m"),
		{Kind: chat.EventText, Choice: 1, Text: "b"}, {Kind: chat.EventText, Text: "a"},
		{Kind: chat.EventLogprobs, Raw: json.RawMessage(`{"content":[]}`)},
		{Kind: chat.EventFinish, Choice: 1, Finish: chat.FinishLength}, {Kind: chat.EventFinish, Finish: chat.FinishStop},
	}},
}

func viewFor(format string) *dialect.View {
	v := &dialect.View{Model: "openai/asked", Chat: &chat.Request{}}
	if format != "" {
		v.Chat.Format = &chat.Format{Kind: format}
	}
	return v
}

func streamed(s dialect.Server, v *dialect.View, events []chat.Event) []byte {
	enc := s.Stream(v)
	var out []byte
	for _, ev := range events {
		out = enc.Event(out, ev)
	}
	out = enc.Event(out, chat.Event{Kind: chat.EventUsage, Usage: hub.Usage{hub.Input: 1}})
	return enc.Close(out, closing)
}

func TestGolden(t *testing.T) {
	t.Parallel()
	for name, scene := range scenes {
		for side, s := range servers {
			t.Run(name+" "+side, func(t *testing.T) {
				t.Parallel()
				v := viewFor(scene.format)
				golden(t, name+"."+side+".sse", streamed(s, v, scene.events))
				var c chat.Collector
				for _, ev := range scene.events {
					c.Add(ev)
				}
				body, err := s.Whole(v, c.Response(), closing)
				require.NoError(t, err)
				golden(t, name+"."+side+".json", append(body, '\n'))
			})
		}
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", strings.ReplaceAll(name, " ", "-"))
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got))
}

// client does with a stream of the protocol what its npm client does: text is
// appended, json replaces, other names are errors.
func client(t *testing.T, stream []byte) map[string]any {
	t.Helper()
	sum := map[string]any{}
	frames := wire.NewFrames(bytes.NewReader(stream))
	for {
		frame, err := frames.Next()
		if err != nil {
			return sum
		}
		event, data := wire.Data(frame)
		require.Empty(t, event)
		var in struct {
			Delta struct {
				Text map[string]string `json:"text"`
				JSON map[string]any    `json:"json"`
			} `json:"delta"`
		}
		require.NoError(t, json.Unmarshal(data, &in), "every event is JSON")
		for k, v := range in.Delta.Text {
			old, _ := sum[k].(string)
			sum[k] = old + v
		}
		for k, v := range in.Delta.JSON {
			sum[k] = v
		}
	}
}

func TestStreamAddsUpToTheWholeAnswer(t *testing.T) {
	t.Parallel()
	for name, scene := range scenes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, v := aigne.Server{Now: now}, viewFor(scene.format)
			var c chat.Collector
			for _, ev := range scene.events {
				c.Add(ev)
			}
			body, err := s.Whole(v, c.Response(), closing)
			require.NoError(t, err)
			var want map[string]any
			require.NoError(t, json.Unmarshal(body, &want))
			assert.Equal(t, want, client(t, streamed(s, v, scene.events)))
		})
	}
}

func TestRestStreamIsReadByOpenAIAndByOlderClients(t *testing.T) {
	t.Parallel()
	stream := streamed(aigne.RestServer{Now: now}, viewFor(""), scenes["tools"].events)
	var content, legacy, args, finish string
	var lists [][]any
	frames := wire.NewFrames(bytes.NewReader(stream))
	usage := 0
	for {
		frame, err := frames.Next()
		if err != nil {
			break
		}
		_, data := wire.Data(frame)
		var in struct {
			ID      string `json:"id"`
			Object  string `json:"object"`
			Choices []struct {
				Delta struct {
					Role      string `json:"role"`
					Content   string `json:"content"`
					ToolCalls []struct {
						Index    *int `json:"index"`
						Function struct{ Arguments string }
					} `json:"tool_calls"`
				} `json:"delta"`
				FinishReason *string `json:"finish_reason"`
			} `json:"choices"`
			Delta *struct {
				Role, Content string
				ToolCalls     []any `json:"toolCalls"`
			} `json:"delta"`
			Usage map[string]any `json:"usage"`
		}
		require.NoError(t, json.Unmarshal(data, &in))
		assert.Equal(t, "resp-1", in.ID)
		assert.Equal(t, "chat.completion.chunk", in.Object)
		if in.Usage != nil {
			usage++
			assert.NotNil(t, in.Choices)
			assert.Nil(t, in.Delta)
			assert.InDelta(t, 128, in.Usage["promptTokens"], 0)
			assert.Equal(t, in.Usage["prompt_tokens"], in.Usage["promptTokens"])
			continue
		}
		require.NotNil(t, in.Delta)
		legacy += in.Delta.Content
		if len(in.Delta.ToolCalls) > 0 {
			lists = append(lists, in.Delta.ToolCalls)
		}
		for _, c := range in.Choices {
			content += c.Delta.Content
			for _, tc := range c.Delta.ToolCalls {
				require.NotNil(t, tc.Index)
				if *tc.Index == 0 {
					args += tc.Function.Arguments
				}
			}
			if c.FinishReason != nil {
				finish += *c.FinishReason
			}
		}
	}
	assert.Equal(t, "Looking.", content)
	assert.Equal(t, "Looking.", legacy)
	assert.JSONEq(t, `{"city":"Esbjerg"}`, args)
	assert.Equal(t, "tool_calls", finish)
	require.Len(t, lists, 1, "the list is sent once")
	assert.Len(t, lists[0], 2)
	assert.Equal(t, 1, usage)
	assert.NotContains(t, string(stream), "[DONE]")
}

func TestCreditsAreExactAndOnlyShownWhenBilled(t *testing.T) {
	t.Parallel()
	res := &chat.Response{Choices: []chat.Choice{{Parts: []chat.Part{text("x")}}}}
	for _, s := range servers {
		c := closing
		c.Credits = 1234567890123456789
		body, err := s.Whole(viewFor(""), res, c)
		require.NoError(t, err)
		assert.Contains(t, string(body), `"aigneHubCredits":1234567890.123456789,"modelCallId":"01J0CALL"`)
		for _, free := range []dialect.Closing{{Billed: false, Credits: 5, CallID: "x"}, {Billed: true, Credits: money.Credits(0), CallID: "x"}} {
			body, err = s.Whole(viewFor(""), res, free)
			require.NoError(t, err)
			assert.NotContains(t, string(body), "aigneHubCredits")
			assert.NotContains(t, string(body), "modelCallId")
		}
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	empty := &hub.Error{Code: hub.CodeInsufficientCredits, Message: "Buy credits.", Link: "https://pay.example/x", Type: "odd"}
	upstream := &hub.Error{Code: hub.CodeUpstream, Message: "Overloaded.", Type: "UNAVAILABLE", Status: 503, NativeCode: "busy"}
	tests := []struct {
		name       string
		err        *hub.Error
		body, fail string
	}{
		{"an empty wallet", empty,
			`{"error":{"message":"Buy credits.","type":"NOT_ENOUGH","code":"insufficient_credits","link":"https://pay.example/x","timestamp":"2026-04-09T08:07:06.005Z"}}`,
			`{"message":"Buy credits.","type":"NOT_ENOUGH"}`},
		{"a bad field", hub.Invalid("input.messages", "input.messages is required."),
			`{"error":{"message":"input.messages is required.","type":"invalid_request_error","code":"invalid_request","param":"input.messages"}}`,
			`{"message":"input.messages is required.","type":"invalid_request_error"}`},
		{"a provider's own type", upstream,
			`{"error":{"message":"Overloaded.","type":"UNAVAILABLE","code":"busy"}}`, `{"message":"Overloaded.","type":"UNAVAILABLE"}`},
		{"an inner error", hub.Errorf(hub.CodeInternal, "Oops."),
			`{"error":{"message":"Oops.","type":"server_error","code":"internal"}}`, `{"message":"Oops.","type":"server_error"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, s := range servers {
				assert.Equal(t, tt.body, string(s.Error(tt.err, "req")))
			}
			assert.Equal(t, "event: error\ndata: "+tt.fail+"\n\n", string(servers["protocol"].Stream(viewFor("")).Fail(nil, tt.err)))
			assert.Equal(t, "data: "+tt.body+"\n\n", string(servers["rest"].Stream(viewFor("")).Fail(nil, tt.err)))
		})
	}
}

func TestUnfinishedArgumentsAreShownAsText(t *testing.T) {
	t.Parallel()
	stream := streamed(aigne.Server{}, viewFor(""), []chat.Event{
		{Kind: chat.EventToolCall, Name: "f"}, {Kind: chat.EventToolArgs, Text: `{"a":"b`}, {Kind: chat.EventFinish, Finish: chat.FinishLength},
	})
	calls, _ := client(t, stream)["toolCalls"].([]any)
	require.Len(t, calls, 1)
	call, _ := calls[0].(map[string]any)
	assert.Regexp(t, `^call_.{20,}$`, call["id"])
	assert.Equal(t, map[string]any{"name": "f", "arguments": `{"a":"b`}, call["function"])
}

func FuzzStream(f *testing.F) {
	f.Add("text", `{"a":1}`, true, uint8(3))
	f.Add("\xff\u2028\"\\", "", false, uint8(9))
	f.Fuzz(func(t *testing.T, words, args string, wantsJSON bool, kinds uint8) {
		format := ""
		if wantsJSON {
			format = "json_schema"
		}
		for _, s := range servers {
			enc := s.Stream(viewFor(format))
			var out []byte
			for kind := chat.EventStart; kind <= chat.EventFinish; kind++ {
				if kinds&(1<<(int(kind)%8)) == 0 {
					continue
				}
				said := words
				if kind == chat.EventToolArgs {
					said = args
				}
				out = enc.Event(out, chat.Event{Kind: kind, Text: said, ID: words, Name: words, Model: words, Media: &chat.Media{Data: "QQ==", MIME: words}})
			}
			out = enc.Close(out, closing)
			frames := wire.NewFrames(bytes.NewReader(out))
			n := 0
			for {
				frame, err := frames.Next()
				if err != nil {
					break
				}
				_, data := wire.Data(frame)
				require.True(t, json.Valid(data), "%q", frame)
				n++
			}
			require.Positive(t, n)
		}
	})
}
