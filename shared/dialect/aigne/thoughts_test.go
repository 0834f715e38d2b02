package aigne

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/dialect/dialecttest"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

func TestSignedThinkingComesBackWithTheCallsItLedTo(t *testing.T) {
	t.Parallel()
	thoughts := []chat.Part{
		{Kind: chat.Thinking, Text: "Look.", Signature: "c2ln", SignedBy: chat.SignedAnthropic},
		{Kind: chat.RedactedThinking, Signature: "gAAA", SignedBy: chat.SignedOpenAI, ID: "rs_1"},
	}
	call := func(id, signature, by string) chat.Part {
		return chat.Part{Kind: chat.ToolCallPart, Signature: signature, SignedBy: by, ToolCall: &chat.ToolCall{ID: id, Name: "f", Arguments: "{}"}}
	}
	calls := []chat.Part{call("a", "Z28=", chat.SignedGoogle), call("b", "", "")}
	res := &chat.Response{Choices: []chat.Choice{{Parts: append(append([]chat.Part{}, thoughts...), calls...)}}}

	whole, err := Server{}.Whole(nil, res, dialect.Closing{})
	require.NoError(t, err)
	var fromWhole, fromStream struct {
		Thoughts  string          `json:"thoughts"`
		ToolCalls json.RawMessage `json:"toolCalls"`
	}
	require.NoError(t, json.Unmarshal(whole, &fromWhole))
	assert.Equal(t, "Look.", fromWhole.Thoughts)

	enc := Server{}.Stream(nil)
	var stream []byte
	for _, ev := range dialecttest.NewGenerator(dialecttest.Can{}, 1).Events(res) {
		stream = enc.Event(stream, ev)
	}
	for _, f := range dialecttest.Frames(t, stream) {
		_, data := wire.Data(f)
		var frame struct {
			Delta struct {
				JSON json.RawMessage `json:"json"`
			} `json:"delta"`
		}
		require.NoError(t, json.Unmarshal(data, &frame))
		if frame.Delta.JSON != nil {
			require.NoError(t, json.Unmarshal(frame.Delta.JSON, &fromStream))
		}
	}
	assert.JSONEq(t, string(fromWhole.ToolCalls), string(fromStream.ToolCalls))

	next := `{"input":{"modelOptions":{"model":"a/m"},"messages":[{"role":"agent","content":"","reasoningContent":"Look.","toolCalls":` + string(fromWhole.ToolCalls) + `}]}}`
	v, err := Server{}.View(nil, []byte(next))
	require.NoError(t, err)
	assert.Equal(t, res.Choices[0].Parts, v.Chat.Messages[0].Parts)
}

func TestUnsignedThinkingIsNotKeptTwice(t *testing.T) {
	t.Parallel()
	res := &chat.Response{Choices: []chat.Choice{{Parts: []chat.Part{
		{Kind: chat.Thinking, Text: "Look."}, {Kind: chat.ToolCallPart, ToolCall: &chat.ToolCall{ID: "a", Name: "f", Arguments: "{}"}},
	}}}}
	whole, err := Server{}.Whole(nil, res, dialect.Closing{})
	require.NoError(t, err)
	assert.NotContains(t, string(whole), "metadata")
}
