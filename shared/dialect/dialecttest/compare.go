package dialecttest

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// Frames splits a body into its frames.
func Frames(t testing.TB, body []byte) [][]byte {
	t.Helper()
	return allFrames(t, wire.NewFrames(bytes.NewReader(body)))
}

// FramesOf is Frames as a client side cuts its streams.
func FramesOf(t testing.TB, c dialect.Client, body []byte) [][]byte {
	t.Helper()
	return allFrames(t, cutter(c, bytes.NewReader(body)))
}

func cutter(c dialect.Client, src io.Reader) wire.FrameReader {
	if f, ok := c.(dialect.Framer); ok {
		return f.Frames(src)
	}
	return wire.NewFrames(src)
}

// oneByte is a connection that gives one byte at a time.
func oneByte(body []byte) io.Reader { return iotest.OneByteReader(bytes.NewReader(body)) }

// SplitFrames is Frames over a connection that gives one byte at a time.
func SplitFrames(t testing.TB, body []byte) [][]byte {
	t.Helper()
	return allFrames(t, wire.NewFrames(oneByte(body)))
}

// allFrames reads all frames. A stream that breaks off inside one ends there.
func allFrames(t testing.TB, fr wire.FrameReader) [][]byte {
	t.Helper()
	var all [][]byte
	for {
		f, err := fr.Next()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return all
		}
		require.NoError(t, err)
		all = append(all, bytes.Clone(f))
	}
}

// Collected is the sum of a stream.
type Collected struct {
	Response    *chat.Response
	Events      []chat.Event
	End         bool // the decoder says the stream is complete
	FinishFrame int  // the frame that brought the last finish event, -1 when none did
}

// Collect gives frames to a decoder up to its first error. What came before the
// error is in the result.
func Collect(d dialect.Decoder, frames [][]byte) (Collected, error) {
	var c chat.Collector
	got := Collected{FinishFrame: -1}
	var err error
	for i, f := range frames {
		var evs []chat.Event
		evs, err = d.Frame(f)
		for _, ev := range evs {
			if ev.Kind == chat.EventFinish {
				got.FinishFrame = i
			}
			c.Add(ev)
		}
		// Events are kept as values; a decoder may use its slice again.
		got.Events = append(got.Events, evs...)
		if err != nil {
			break
		}
	}
	got.Response, got.End = c.Response(), d.End()
	return got, err
}

// view is the request whose answer a meter looks at.
func view(t testing.TB, stream bool) *dialect.View {
	t.Helper()
	o, err := wire.Parse([]byte(`{"model":"m","messages":[]}`))
	require.NoError(t, err)
	return &dialect.View{Object: o, Model: "m", Stream: stream, WantsUsage: stream, N: 1}
}

func textOf(res *chat.Response, kind chat.PartKind) string {
	if len(res.Choices) == 0 {
		return ""
	}
	return chat.TextOf(res.Choices[0].Parts, kind)
}

// same compares an answer with the facts of its group.
func (r *runner) same(t *testing.T, want Expect, got *chat.Response) {
	t.Helper()
	require.NotEmpty(t, got.Choices)
	ch := got.Choices[0]
	assert.Equal(t, want.Text, textOf(got, chat.Text), "text")
	assert.Equal(t, want.ReasoningText, textOf(got, chat.Thinking), "thinking")
	assert.Equal(t, want.Refusal, textOf(got, chat.Refusal), "refusal")
	if want.FinishReason != "" {
		assert.Equal(t, want.FinishReason, string(ch.Finish), "finish")
	}
	native := r.group.API == r.api
	if native {
		assert.Equal(t, want.NativeFinish, ch.Native, "native finish")
	}
	calls := chat.ToolCalls(ch.Parts)
	if assert.Len(t, calls, len(want.ToolCalls), "tool calls") {
		for i, c := range calls {
			assert.Equal(t, want.ToolCalls[i].Name, c.Name)
			assert.JSONEq(t, string(want.ToolCalls[i].Arguments), c.Arguments)
			if native && want.ToolCalls[i].ID != "" {
				assert.Equal(t, want.ToolCalls[i].ID, c.ID)
			}
		}
	}
	if want.Usage != nil {
		assert.True(t, got.UsageKnown, "usage is known")
		r.sameUsage(t, *want.Usage, got.Usage, native)
	}
}

func (r *runner) sameUsage(t *testing.T, want Usage, got hub.Usage, native bool) {
	t.Helper()
	completion := got.Completion()
	if r.quirks.ReasoningExtra {
		completion -= got[hub.Reasoning]
	}
	assert.Equal(t, want.Prompt, got.Prompt(), "prompt tokens")
	assert.Equal(t, want.Completion, completion, "completion tokens")
	assert.Equal(t, want.Cached, got[hub.CacheRead], "cached tokens")
	assert.Equal(t, want.Reasoning, got[hub.Reasoning], "reasoning tokens")
	// Renderings in another language than the recording's leave cache writes out.
	if want.CacheWrite != nil && native {
		assert.Equal(t, *want.CacheWrite, got[hub.CacheWrite5m]+got[hub.CacheWrite1h], "cache writes")
	}
	for b, n := range got {
		assert.GreaterOrEqual(t, n, int64(0), "%s is not negative", hub.Bucket(b))
	}
}

// agree compares what the meter saw with what the decoder read. Bytes may be
// counted as they stand on the wire, escapes included, so they have a range.
func (r *runner) agree(t *testing.T, res *chat.Response, rep dialect.Report) {
	t.Helper()
	assert.Equal(t, res.UsageKnown, rep.Known, "meter: known")
	assert.Equal(t, res.Usage, rep.Usage, "meter: usage")
	assert.Equal(t, res.Choices[0].Native, rep.Finish, "meter: finish")
	var visible, hidden int
	for _, ch := range res.Choices {
		visible += len(chat.TextOf(ch.Parts, chat.Text)) + len(chat.TextOf(ch.Parts, chat.Refusal))
		hidden += len(chat.TextOf(ch.Parts, chat.Thinking))
		for _, c := range chat.ToolCalls(ch.Parts) {
			if c.Arguments != "{}" {
				visible += len(c.Arguments)
			}
		}
	}
	within(t, visible, rep.TextBytes, "visible bytes")
	within(t, hidden, rep.HideBytes, "hidden bytes")
}

// within accepts from about the count (whitespace of arguments that were read
// as objects may differ) to six times it, JSON's longest escape, and some.
func within(t *testing.T, want int, got int64, what string) {
	t.Helper()
	assert.GreaterOrEqual(t, got, int64(want)*9/10, what)
	assert.LessOrEqual(t, got, int64(want)*6+256, what)
}
