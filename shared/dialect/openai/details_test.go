package openai

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

// collect reads chunks whose delta of choice 0 is given.
func collectDeltas(t *testing.T, deltas ...string) *chat.Response {
	t.Helper()
	var frames [][]byte
	for _, d := range deltas {
		frames = append(frames, wire.AppendFrame(nil, "", []byte(`{"id":"g1","choices":[{"index":0,"delta":`+d+`}]}`)))
	}
	got, err := dialecttest.Collect(Client{}.Decoder(dialect.Quirks{}), frames)
	require.NoError(t, err)
	return got.Response
}

func TestResellersStreamsOfSignedThinking(t *testing.T) {
	t.Parallel()
	claude := collectDeltas(t,
		`{"role":"assistant","reasoning":"Look ","reasoning_details":[{"type":"reasoning.text","text":"Look ","format":"anthropic-claude-v1","index":0}]}`,
		`{"reasoning":"twice.","reasoning_details":[{"type":"reasoning.text","text":"twice.","format":"anthropic-claude-v1","index":0}]}`,
		`{"content":"","reasoning":null,"reasoning_details":[{"type":"reasoning.text","signature":"c2ln","format":"anthropic-claude-v1","index":0}]}`,
		`{"content":"Yes."}`,
	)
	assert.Equal(t, []chat.Part{
		{Kind: chat.Thinking, Text: "Look twice.", Signature: "c2ln", SignedBy: chat.SignedAnthropic}, {Kind: chat.Text, Text: "Yes."},
	}, claude.Choices[0].Parts, "the text is there once, although it was sent twice")

	google := collectDeltas(t,
		`{"tool_calls":[{"index":0,"id":"tool_0_f","type":"function","function":{"name":"f","arguments":"{}"}}],"reasoning_details":[{"type":"reasoning.encrypted","data":"Z28=","id":"tool_0_f","format":"google-gemini-v1","index":0}]}`,
	)
	assert.Equal(t, []chat.Part{
		{Kind: chat.ToolCallPart, ToolCall: &chat.ToolCall{ID: "tool_0_f", Name: "f", Arguments: "{}"}, Signature: "Z28=", SignedBy: chat.SignedGoogle},
	}, google.Choices[0].Parts, "a call's signature is at the call")

	openAI := collectDeltas(t,
		`{"reasoning":"Sum","reasoning_details":[{"type":"reasoning.summary","summary":"Sum","format":"azure-openai-responses-v1","index":0}]}`,
		`{"reasoning":null,"reasoning_details":[{"type":"reasoning.encrypted","data":"gAAA","id":"rs_1","format":"azure-openai-responses-v1","index":0}]}`,
		`{"reasoning_details":[{"type":"reasoning.encrypted","data":"gBBB","id":"rs_2","format":"openai-responses-v1","index":1},{"type":"surprise"},7]}`,
	)
	assert.Equal(t, []chat.Part{
		{Kind: chat.Thinking, Text: "Sum", Signature: "gAAA", SignedBy: chat.SignedOpenAI, ID: "rs_1"},
		{Kind: chat.RedactedThinking, Signature: "gBBB", SignedBy: chat.SignedOpenAI, ID: "rs_2"},
	}, openAI.Choices[0].Parts)

	plain := collectDeltas(t, `{"reasoning_content":"Look."}`, `{"reasoning_details":[{"type":"reasoning.text","signature":"c2ln","format":"anthropic-claude-v1","index":0}]}`)
	assert.Equal(t, []chat.Part{{Kind: chat.Thinking, Text: "Look.", Signature: "c2ln", SignedBy: chat.SignedAnthropic}},
		plain.Choices[0].Parts, "a signature alone signs the plain text before it")
}

func TestCallersSendSignedThinkingBack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		members string
		want    []chat.Part
	}{
		"whole": {
			`"reasoning_content":"a","reasoning_details":[{"type":"reasoning.text","text":"a","signature":"s","format":"anthropic-claude-v1","index":0}]`,
			[]chat.Part{{Kind: chat.Thinking, Text: "a", Signature: "s", SignedBy: chat.SignedAnthropic}},
		},
		"in pieces, as some clients keep them": {
			`"reasoning_details":[{"type":"reasoning.text","text":"a","index":0},{"type":"reasoning.text","text":"b","index":0},{"type":"reasoning.text","signature":"s","format":"anthropic-claude-v1","index":0}]`,
			[]chat.Part{{Kind: chat.Thinking, Text: "ab", Signature: "s", SignedBy: chat.SignedAnthropic}},
		},
		"a signature beside plain text": {
			`"reasoning":"a","reasoning_details":[{"type":"reasoning.text","signature":"s","format":"google-gemini-v1"}]`,
			[]chat.Part{{Kind: chat.Thinking, Text: "a", Signature: "s", SignedBy: chat.SignedGoogle}},
		},
		"sealed beside plain text": {
			`"reasoning":"a","reasoning_details":[{"type":"reasoning.encrypted","data":"d","format":"nobody-knows"}]`,
			[]chat.Part{{Kind: chat.Thinking, Text: "a"}, {Kind: chat.RedactedThinking, Signature: "d"}},
		},
		"plain":         {`"reasoning_content":"a"`, []chat.Part{{Kind: chat.Thinking, Text: "a"}}},
		"of other form": {`"reasoning":"a","reasoning_details":{"x":1}`, []chat.Part{{Kind: chat.Thinking, Text: "a"}}},
	} {
		req := decode(t, `{"model":"m","messages":[{"role":"assistant","content":"x",`+c.members+`}]}`)
		assert.Equal(t, append(c.want, chat.Part{Kind: chat.Text, Text: "x"}), req.Messages[0].Parts, name)
	}
}

func TestLegacyCallersAreAnsweredWithAFunctionCall(t *testing.T) {
	t.Parallel()
	v := viewOf(t, `{"model":"m","messages":[{"role":"user","content":"x"}],"functions":[{"name":"f"}]}`)
	call := func(id string) chat.Part {
		return chat.Part{Kind: chat.ToolCallPart, ToolCall: &chat.ToolCall{ID: id, Name: "f", Arguments: `{"x":1}`}}
	}
	res := &chat.Response{Choices: []chat.Choice{{Finish: chat.FinishToolCalls, Parts: []chat.Part{call("a"), call("b")}}}}
	whole, err := Server{}.Whole(v, res, dialect.Closing{})
	require.NoError(t, err)
	enc := Server{}.Stream(v)
	var stream []byte
	for _, ev := range dialecttest.NewGenerator(dialecttest.Can{}, 1).Events(res) {
		stream = enc.Event(stream, ev)
	}
	assert.Contains(t, string(whole), `"function_call":{"name":"f","arguments":"{\"x\":1}"}`)
	for _, out := range []string{string(whole), string(stream)} {
		assert.NotContains(t, out, "tool_calls")
		assert.Contains(t, out, `"finish_reason":"function_call"`)
	}
	got, err := dialecttest.Collect(Client{}.Decoder(dialect.Quirks{}), dialecttest.Frames(t, stream))
	require.NoError(t, err)
	calls := chat.ToolCalls(got.Response.Choices[0].Parts)
	require.Len(t, calls, 1)
	assert.JSONEq(t, `{"x":1}`, calls[0].Arguments)
}

func TestSoundKeepsItsTranscriptIDAndExpiry(t *testing.T) {
	t.Parallel()
	want := &chat.Media{MIME: "audio/pcm", Data: "AAAABBBB", FileID: "audio_1", Transcript: "Hello", ExpiresAt: 99}
	res := collectDeltas(t, `{"audio":{"id":"audio_1","transcript":"Hel"}}`, `{"audio":{"data":"AAAA"}}`, `{"audio":{"transcript":"lo","data":"BBBB"}}`, `{"audio":{"expires_at":99}}`)
	assert.Equal(t, []chat.Part{{Kind: chat.Audio, Media: want}}, res.Choices[0].Parts)

	body, err := Server{}.Whole(&dialect.View{Model: "m"}, res, dialect.Closing{})
	require.NoError(t, err)
	var out struct {
		Choices []struct{ Message json.RawMessage }
	}
	require.NoError(t, json.Unmarshal(body, &out))
	assert.JSONEq(t, `{"role":"assistant","content":null,"refusal":null,"audio":{"id":"audio_1","data":"AAAABBBB","transcript":"Hello","expires_at":99}}`, string(out.Choices[0].Message))
}

func TestLongIDsOfCallsAreShortenedTheSameWayEverywhere(t *testing.T) {
	t.Parallel()
	long := "call_of_another_language_with_more_than_forty_letters"
	req := &chat.Request{Model: "m", Messages: []chat.Message{
		{Role: chat.Assistant, Parts: []chat.Part{{Kind: chat.ToolCallPart, ToolCall: &chat.ToolCall{ID: long, Name: "f", Arguments: "{}"}}}},
		{Role: chat.ToolRole, Parts: []chat.Part{{Kind: chat.ToolResultPart, ToolResult: &chat.ToolResult{CallID: long, Parts: []chat.Part{{Text: "r"}}}}}},
	}}
	enc, err := Client{}.Encode(req, dialect.Target{Model: "m"})
	require.NoError(t, err)
	var body struct {
		Messages []struct {
			ToolCalls []struct {
				ID string `json:"id"`
			} `json:"tool_calls"`
			ToolCallID string `json:"tool_call_id"`
		} `json:"messages"`
	}
	require.NoError(t, json.Unmarshal(enc.Body, &body))
	assert.LessOrEqual(t, len(body.Messages[1].ToolCallID), 40)
	assert.Equal(t, body.Messages[0].ToolCalls[0].ID, body.Messages[1].ToolCallID)
}

func TestMembersOfMessagesThatNobodyKnowsAreTold(t *testing.T) {
	t.Parallel()
	req := decode(t, `{"model":"m","messages":[{"role":"user","content":"x","cache_hint":1},{"role":"assistant","content":"y","annotations":[],"function_call":null,
		"provider_specific_fields":{"a":1},"prefix":false,"images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}]}`)
	assert.Equal(t, []string{"messages.cache_hint", "messages.provider_specific_fields"}, req.Ignored)
	assert.Equal(t, chat.Part{Kind: chat.Image, Media: &chat.Media{MIME: "image/png", Data: "AAAA"}}, req.Messages[1].Parts[1])

	_, err := Server{}.Decode(viewOf(t, `{"model":"m","messages":[{"role":"user","content":"x"},{"role":"assistant","content":"y","prefix":true}]}`))
	var he *hub.Error
	require.ErrorAs(t, err, &he)
	assert.Equal(t, "messages[1].prefix", he.Param)
}

// FuzzThoughts: whatever a caller keeps of an earlier answer, reading it neither
// panics nor invents text.
func FuzzThoughts(f *testing.F) {
	f.Add("a", `[{"type":"reasoning.text","text":"a","signature":"s","index":0},{"type":"reasoning.encrypted","data":"d","index":0}]`)
	f.Add("", `[{"type":"reasoning.summary","summary":"s","format":"xai-responses-v1"},null,{"index":-1}]`)
	f.Fuzz(func(t *testing.T, plain, raw string) {
		for _, p := range signCalls(thoughts(plain, readDetails([]byte(raw)))) {
			if p.Kind != chat.Thinking && p.Kind != chat.RedactedThinking {
				t.Fatalf("thinking became %d", p.Kind)
			}
		}
	})
}
