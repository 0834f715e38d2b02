package chat

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

func collect(events ...Event) *Response {
	var c Collector
	for _, ev := range events {
		c.Add(ev)
	}
	return c.Response()
}

func TestAWholeAnswerIsBuiltOfItsEvents(t *testing.T) {
	t.Parallel()
	got := collect(
		Event{Kind: EventStart, ID: "r1", Model: "m", Created: 7},
		Event{Kind: EventThinking, Text: "let "},
		Event{Kind: EventThinking, Text: "me"},
		Event{Kind: EventSignature, Text: "si"},
		Event{Kind: EventSignature, Text: "g"},
		Event{Kind: EventRedacted, Index: 1, Text: "opaque"},
		Event{Kind: EventText, Text: "Hel"},
		Event{Kind: EventText, Text: "lo"},
		Event{Kind: EventAnnotation, Raw: json.RawMessage(`[1]`)},
		Event{Kind: EventMedia, Media: &Media{MIME: "image/png", Data: "AA=="}},
		Event{Kind: EventMedia, Media: &Media{MIME: "audio/wav", Data: "BB=="}},
		Event{Kind: EventText, Text: "!"},
		Event{Kind: EventLogprobs, Raw: json.RawMessage(`{}`)},
		Event{Kind: EventFinish, Finish: FinishStop, Native: "end_turn", StopSequence: "X"},
		Event{Kind: EventUsage, Usage: hub.Usage{hub.Input: 1}},
		Event{Kind: EventUsage, Usage: hub.Usage{hub.Input: 2, hub.Output: 3}},
	)
	assert.Equal(t, &Response{
		ID: "r1", Model: "m", Created: 7, Usage: hub.Usage{hub.Input: 2, hub.Output: 3}, UsageKnown: true,
		Choices: []Choice{{
			Parts: []Part{
				{Kind: Thinking, Text: "let me", Signature: "sig"},
				{Kind: RedactedThinking, Signature: "opaque"},
				{Kind: Text, Text: "Hello", Annotations: json.RawMessage(`[1]`)},
				{Kind: Image, Media: &Media{MIME: "image/png", Data: "AA=="}},
				{Kind: Audio, Media: &Media{MIME: "audio/wav", Data: "BB=="}},
				{Kind: Text, Text: "!"},
			},
			Finish: FinishStop, Native: "end_turn", StopSequence: "X", Logprobs: json.RawMessage(`{}`),
		}},
	}, got, "usage replaces what was reported before and is never added")
}

func TestInterleavedToolCallsKeepTheirArguments(t *testing.T) {
	t.Parallel()
	got := collect(
		Event{Kind: EventToolCall, Index: 0, ID: "a", Name: "f"},
		Event{Kind: EventToolCall, Index: 1, ID: "b", Name: "g"},
		Event{Kind: EventToolArgs, Index: 1, Text: `{"y":`},
		Event{Kind: EventToolArgs, Index: 0, Text: `{"x":1}`},
		Event{Kind: EventToolArgs, Index: 1, Text: `2}`},
		Event{Kind: EventSignature, Index: 1, Tool: true, Text: "sig"},
		Event{Kind: EventToolCall, Index: 2, ID: "c", Name: "h"},
		Event{Kind: EventToolArgs, Index: 9, Text: "of no call"},
		Event{Kind: EventSignature, Index: 9, Tool: true, Text: "of no call"},
	)
	require.Len(t, got.Choices, 1)
	assert.Equal(t, []*ToolCall{
		{ID: "a", Name: "f", Arguments: `{"x":1}`}, {ID: "b", Name: "g", Arguments: `{"y":2}`}, {ID: "c", Name: "h", Arguments: `{}`},
	}, ToolCalls(got.Choices[0].Parts))
	assert.Equal(t, "sig", got.Choices[0].Parts[1].Signature)
}

func TestChoicesDoNotMix(t *testing.T) {
	t.Parallel()
	got := collect(
		Event{Kind: EventText, Choice: 1, Text: "b"},
		Event{Kind: EventText, Choice: 0, Text: "a"},
		Event{Kind: EventToolCall, Choice: 0, ID: "x"},
		Event{Kind: EventToolCall, Choice: 1, ID: "y"},
		Event{Kind: EventToolArgs, Choice: 0, Text: `{"c":0}`},
		Event{Kind: EventToolArgs, Choice: 1, Text: `{"c":1}`},
		Event{Kind: EventThinking, Choice: 1, Text: "t1"},
		Event{Kind: EventThinking, Choice: 0, Text: "t0"},
		Event{Kind: EventText, Choice: 1, Text: "B"},
		Event{Kind: EventFinish, Choice: 1, Finish: FinishLength},
	)
	require.Len(t, got.Choices, 2)
	b, a := got.Choices[0], got.Choices[1]
	assert.Equal(t, []int{1, 0}, []int{b.Index, a.Index})
	assert.Equal(t, "bB", TextOf(b.Parts, Text))
	assert.Equal(t, "a", TextOf(a.Parts, Text))
	assert.JSONEq(t, `{"c":0}`, ToolCalls(a.Parts)[0].Arguments)
	assert.JSONEq(t, `{"c":1}`, ToolCalls(b.Parts)[0].Arguments)
	assert.Equal(t, "t1", TextOf(b.Parts, Thinking))
	assert.Equal(t, "t0", TextOf(a.Parts, Thinking))
	assert.Equal(t, FinishLength, b.Finish)
	assert.Empty(t, a.Finish)
}

func TestThinkingAndRefusalsStayApart(t *testing.T) {
	t.Parallel()
	got := collect(
		Event{Kind: EventThinking, Index: 0, Text: "one"},
		Event{Kind: EventThinking, Index: 1, Text: "two"},
		Event{Kind: EventSignature, Index: 0, Text: "s0"},
		Event{Kind: EventSignature, Index: 2, Text: "alone"},
		Event{Kind: EventText, Text: "yes"},
		Event{Kind: EventRefusal, Text: "no"},
		Event{Kind: EventRefusal, Text: "!"},
	)
	assert.Equal(t, []Part{
		{Kind: Thinking, Text: "one", Signature: "s0"}, {Kind: Thinking, Text: "two"}, {Kind: Thinking, Signature: "alone"},
		{Kind: Text, Text: "yes"}, {Kind: Refusal, Text: "no!"},
	}, got.Choices[0].Parts)
}

func TestLookingInTheMiddleChangesNothing(t *testing.T) {
	t.Parallel()
	var c Collector
	assert.Empty(t, c.Response().Choices)
	c.Add(Event{Kind: EventToolCall, ID: "a", Name: "f"})
	assert.JSONEq(t, `{}`, ToolCalls(c.Response().Choices[0].Parts)[0].Arguments)
	c.Add(Event{Kind: EventToolArgs, Text: `{"x":1}`})
	assert.JSONEq(t, `{"x":1}`, ToolCalls(c.Response().Choices[0].Parts)[0].Arguments)
}

func TestAnAnnotationOfNothingIsDropped(t *testing.T) {
	t.Parallel()
	got := collect(Event{Kind: EventAnnotation, Raw: json.RawMessage(`[]`)})
	assert.Empty(t, got.Choices[0].Parts)
	assert.False(t, got.UsageKnown)
}

func TestParametersAreNamedAsTheCallerNamedThem(t *testing.T) {
	t.Parallel()
	r := Request{Names: map[string]string{"max_tokens": "maxOutputTokens"}}
	assert.Equal(t, "maxOutputTokens", r.ParamName("max_tokens"))
	assert.Equal(t, "seed", r.ParamName("seed"))
}

func TestLogprobsAnnotationsAndSoundAddUp(t *testing.T) {
	t.Parallel()
	got := collect(
		Event{Kind: EventText, Text: "ab"},
		Event{Kind: EventLogprobs, Raw: json.RawMessage(`{"content":[{"token":"a"}],"refusal":null}`)},
		Event{Kind: EventLogprobs, Raw: json.RawMessage(`{"content":[{"token":"b"}],"refusal":null}`)},
		Event{Kind: EventMedia, Media: &Media{MIME: "audio/pcm", FileID: "au", Data: "AA==", Transcript: "x"}},
		Event{Kind: EventMedia, Media: &Media{MIME: "audio/pcm", Data: "AQ==", Transcript: "y"}},
		Event{Kind: EventMedia, Media: &Media{MIME: "audio/pcm", ExpiresAt: 5}},
		Event{Kind: EventAnnotation, Raw: json.RawMessage(`[{"type":"a"}]`)},
		Event{Kind: EventAnnotation, Raw: json.RawMessage(`[ ]`)},
		Event{Kind: EventAnnotation, Raw: json.RawMessage(`[{"type":"b"}]`)},
	).Choices[0]
	assert.JSONEq(t, `{"content":[{"token":"a"},{"token":"b"}],"refusal":null}`, string(got.Logprobs))
	require.Len(t, got.Parts, 2)
	assert.JSONEq(t, `[{"type":"a"},{"type":"b"}]`, string(got.Parts[0].Annotations), "annotations are of the text")
	assert.Equal(t, &Media{MIME: "audio/pcm", FileID: "au", Data: "AAE=", Transcript: "xy", ExpiresAt: 5}, got.Parts[1].Media)
}
