package anthropic

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/dialect/dialecttest"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

const asking = `{"model":"openai/boat-1","max_tokens":100,"messages":[]}`

func usageOf(pairs ...int64) hub.Usage {
	var u hub.Usage
	for i := 0; i < len(pairs); i += 2 {
		u[pairs[i]] = pairs[i+1]
	}
	return u
}

func TestWholeTellsEveryKindOfPart(t *testing.T) {
	t.Parallel()
	res := &chat.Response{ID: "chatcmpl-9", Model: "boat-1-2026", ServiceTier: "default", Choices: []chat.Choice{{
		Finish: chat.FinishToolCalls,
		Parts: []chat.Part{
			{Kind: chat.Thinking, Text: "Hm <b>", Signature: "", SignedBy: chat.SignedAnthropic},
			{Kind: chat.RedactedThinking, Signature: "b3A=", SignedBy: chat.SignedAnthropic},
			{Kind: chat.Text, Text: "A & B"},
			{Kind: chat.Text},
			{Kind: chat.Image, Media: &chat.Media{MIME: "image/png", Data: "AA=="}},
			{Kind: chat.Audio, Media: &chat.Media{MIME: "audio/wav", URL: "https://x/s.wav"}},
			{Kind: chat.ToolCallPart, ToolCall: &chat.ToolCall{ID: "call_1", Name: "f"}},
		},
	}}}
	body, err := Server{}.Whole(see(t, asking), res, dialect.Closing{Usage: usageOf(
		int64(hub.Input), 10, int64(hub.CacheRead), 3, int64(hub.CacheWrite5m), 4, int64(hub.CacheWrite1h), 5,
		int64(hub.InputImage), 2, int64(hub.Output), 7, int64(hub.Reasoning), 6, int64(hub.WebSearches), 1)})
	require.NoError(t, err)
	assert.Contains(t, string(body), "Hm <b>")
	assert.JSONEq(t, `{"id":"msg_chatcmpl-9","type":"message","role":"assistant","model":"boat-1-2026","content":[
		{"type":"thinking","thinking":"Hm <b>","signature":""},{"type":"redacted_thinking","data":"b3A="},{"type":"text","text":"A & B"},
		{"type":"text","text":"![image](data:image/png;base64,AA==)"},{"type":"text","text":"[audio](https://x/s.wav)"},
		{"type":"tool_use","id":"call_1","name":"f","input":{}}],
		"stop_reason":"tool_use","stop_sequence":null,
		"usage":{"input_tokens":12,"cache_creation_input_tokens":9,"cache_read_input_tokens":3,"cache_creation":{"ephemeral_5m_input_tokens":4,"ephemeral_1h_input_tokens":5},
		"output_tokens":13,"output_tokens_details":{"thinking_tokens":6},"server_tool_use":{"web_search_requests":1},"service_tier":"standard"}}`, string(body))
}

func TestWholeTellsWhyItEnded(t *testing.T) {
	t.Parallel()
	tool := []chat.Part{{Kind: chat.ToolCallPart, ToolCall: &chat.ToolCall{ID: "a", Name: "f", Arguments: "{}"}}}
	for name, c := range map[string]struct {
		choice   chat.Choice
		stop     string
		sequence any
	}{
		"stop":                            {chat.Choice{Finish: chat.FinishStop}, "end_turn", nil},
		"a stop sequence":                 {chat.Choice{Finish: chat.FinishStop, StopSequence: "END"}, "stop_sequence", "END"},
		"the limit":                       {chat.Choice{Finish: chat.FinishLength}, "max_tokens", nil},
		"the context window":              {chat.Choice{Finish: chat.FinishLength, Native: "model_context_window_exceeded"}, "model_context_window_exceeded", nil},
		"a refusal":                       {chat.Choice{Finish: chat.FinishContentFilter}, "refusal", nil},
		"a pause":                         {chat.Choice{Finish: chat.FinishStop, Native: "pause_turn"}, "pause_turn", nil},
		"a stop that was a call of tools": {chat.Choice{Finish: chat.FinishStop, Parts: tool}, "tool_use", nil},
		"nothing said":                    {chat.Choice{}, "end_turn", nil},
	} {
		body, err := Server{}.Whole(see(t, asking), &chat.Response{ID: "msg_1", Choices: []chat.Choice{c.choice}}, dialect.Closing{})
		require.NoError(t, err, name)
		var got map[string]any
		require.NoError(t, json.Unmarshal(body, &got))
		assert.Equal(t, c.stop, got["stop_reason"], name)
		assert.Equal(t, c.sequence, got["stop_sequence"], name)
		assert.Equal(t, "msg_1", got["id"])
		assert.Equal(t, "openai/boat-1", got["model"])
		assert.NotNil(t, got["content"], "an empty list, never null")
	}
}

func TestWholeNeverInventsArguments(t *testing.T) {
	t.Parallel()
	broken := chat.Choice{Finish: chat.FinishToolCalls, Parts: []chat.Part{{Kind: chat.ToolCallPart, ToolCall: &chat.ToolCall{ID: "a", Name: "erase", Arguments: `{"dir":"/tm`}}}}
	_, err := Server{}.Whole(see(t, asking), &chat.Response{Choices: []chat.Choice{broken}}, dialect.Closing{})
	assert.Equal(t, hub.CodeUpstream, hub.CodeOf(err))

	broken.Finish = chat.FinishLength
	body, err := Server{}.Whole(see(t, asking), &chat.Response{Choices: []chat.Choice{broken}}, dialect.Closing{})
	require.NoError(t, err)
	assert.NotContains(t, string(body), "erase", "a call that was cut off is left out")
	assert.Contains(t, string(body), `"stop_reason":"max_tokens"`)
}

// readStrictly reads a stream as the strictest SDK does: events are named,
// blocks count up, and a delta is for the last block, which is still open.
func readStrictly(t testing.TB, stream []byte) *chat.Response {
	t.Helper()
	frames := dialecttest.Frames(t, stream)
	index, open := -1, false
	for i, f := range frames {
		event, data := wire.Data(f)
		var d struct {
			Type  string `json:"type"`
			Index *int   `json:"index"`
		}
		require.NoError(t, json.Unmarshal(data, &d))
		require.Equal(t, d.Type, event)
		switch d.Type {
		case "message_start":
			require.Zero(t, i)
		case "content_block_start":
			require.False(t, open)
			index, open = index+1, true
			require.Equal(t, index, *d.Index)
		case "content_block_delta":
			require.True(t, open)
			require.Equal(t, index, *d.Index)
		case "content_block_stop":
			require.True(t, open)
			require.Equal(t, index, *d.Index)
			open = false
		case "message_delta":
			require.False(t, open)
			require.Equal(t, len(frames)-2, i)
		case "message_stop":
			require.Equal(t, len(frames)-1, i)
		}
	}
	got, err := dialecttest.Collect(Client{}.Decoder(dialect.Quirks{}), frames)
	require.NoError(t, err)
	require.True(t, got.End)
	return got.Response
}

func stream(t testing.TB, c dialect.Closing, evs ...chat.Event) []byte {
	t.Helper()
	enc := Server{}.Stream(see(t, asking))
	var out []byte
	for _, ev := range evs {
		out = enc.Event(out, ev)
	}
	return enc.Close(out, c)
}

func TestStreamIsWhatStrictClientsRead(t *testing.T) {
	t.Parallel()
	usage := usageOf(int64(hub.Input), 11, int64(hub.CacheRead), 2, int64(hub.Output), 5, int64(hub.Reasoning), 4)
	out := stream(t, dialect.Closing{Usage: usage},
		chat.Event{Kind: chat.EventStart, ID: "resp-7", Model: "boat-1"},
		chat.Event{Kind: chat.EventThinking, Text: "Look "},
		chat.Event{Kind: chat.EventThinking, Text: "twice."},
		chat.Event{Kind: chat.EventSignature, Text: "c2ln"},
		chat.Event{Kind: chat.EventThinking, Index: 1, Text: "Third."},
		chat.Event{Kind: chat.EventRedacted, Index: 2, Text: "b3A="},
		chat.Event{Kind: chat.EventText, Text: ""},
		chat.Event{Kind: chat.EventText, Text: "Tab\t\"quote\" \\ 潮 \x01"},
		chat.Event{Kind: chat.EventText, Choice: 1, Text: "another choice"},
		chat.Event{Kind: chat.EventToolCall, Index: 0, ID: "call_a", Name: "look"},
		chat.Event{Kind: chat.EventToolArgs, Index: 0, Text: `{"at":`},
		chat.Event{Kind: chat.EventToolArgs, Index: 0, Text: `"hull"}`},
		chat.Event{Kind: chat.EventToolCall, Index: 1, ID: "call_b", Name: "wait"},
		chat.Event{Kind: chat.EventSignature, Index: 1, Tool: true, Text: "other vendors' signature"},
		chat.Event{Kind: chat.EventFinish, Finish: chat.FinishToolCalls},
		chat.Event{Kind: chat.EventUsage, Usage: usage},
	)
	assert.Contains(t, string(dialecttest.Frames(t, out)[0]), `"usage":{"input_tokens":0`)
	res := readStrictly(t, out)
	assert.Equal(t, "msg_resp-7", res.ID)
	assert.Equal(t, usage, res.Usage)
	assert.Equal(t, []chat.Part{
		{Kind: chat.Thinking, Text: "Look twice.", Signature: "c2ln", SignedBy: chat.SignedAnthropic},
		{Kind: chat.Thinking, Text: "Third."},
		{Kind: chat.RedactedThinking, Signature: "b3A=", SignedBy: chat.SignedAnthropic},
		{Kind: chat.Text, Text: "Tab\t\"quote\" \\ 潮 \x01"},
		{Kind: chat.ToolCallPart, ToolCall: &chat.ToolCall{ID: "call_a", Name: "look", Arguments: `{"at":"hull"}`}},
		{Kind: chat.ToolCallPart, Signature: "other vendors' signature", ToolCall: &chat.ToolCall{ID: "call_b", Name: "wait", Arguments: `{}`}},
	}, res.Choices[0].Parts)
	assert.Equal(t, "tool_use", res.Choices[0].Native)
}

func TestStreamPutsInterleavedCallsInARow(t *testing.T) {
	t.Parallel()
	call := func(i int, id string) chat.Event {
		return chat.Event{Kind: chat.EventToolCall, Index: i, ID: id, Name: "f"}
	}
	args := func(i int, s string) chat.Event { return chat.Event{Kind: chat.EventToolArgs, Index: i, Text: s} }
	res := readStrictly(t, stream(t, dialect.Closing{},
		call(0, "a"), call(1, "b"), call(2, "c"), call(3, "d"),
		args(1, `{"n":`), args(0, `{"n"`), args(1, `1}`), args(0, `:0}`), args(3, `{"n":3}`), args(1, ` `),
		chat.Event{Kind: chat.EventText, Text: "done"},
		chat.Event{Kind: chat.EventFinish, Finish: chat.FinishStop}))
	var got []string
	for _, c := range chat.ToolCalls(res.Choices[0].Parts) {
		got = append(got, c.ID+c.Arguments)
	}
	assert.Equal(t, []string{`a{"n":0}`, `b{"n":1}`, `c{}`, `d{"n":3}`}, got)
	assert.Equal(t, "done", chat.TextOf(res.Choices[0].Parts, chat.Text))
	assert.Equal(t, "tool_use", res.Choices[0].Native, "clients act on tool_use only")
}

func TestStreamWithoutContentIsStillWhole(t *testing.T) {
	t.Parallel()
	res := readStrictly(t, stream(t, dialect.Closing{Model: "boat-1"}, chat.Event{Kind: chat.EventFinish, Finish: chat.FinishContentFilter}))
	assert.Equal(t, "refusal", res.Choices[0].Native)
	assert.Empty(t, res.Choices[0].Parts)
}

func TestStreamTellsTheStopSequence(t *testing.T) {
	t.Parallel()
	res := readStrictly(t, stream(t, dialect.Closing{}, chat.Event{Kind: chat.EventText, Text: "a"},
		chat.Event{Kind: chat.EventFinish, Finish: chat.FinishStop, StopSequence: "END"}))
	assert.Equal(t, "END", res.Choices[0].StopSequence)
}

func TestStreamReplacesBytesThatAreNoText(t *testing.T) {
	t.Parallel()
	res := readStrictly(t, stream(t, dialect.Closing{}, chat.Event{Kind: chat.EventText, Text: "a\xffb\u2028"}))
	assert.Equal(t, "a\ufffdb\u2028", chat.TextOf(res.Choices[0].Parts, chat.Text))
}

func TestFailIsAnErrorEvent(t *testing.T) {
	t.Parallel()
	out := Server{}.Stream(see(t, asking)).Fail(nil, hub.Errorf(hub.CodeUnavailable, "Full."))
	assert.Equal(t, "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Full.\"}}\n\n", string(out))
}
