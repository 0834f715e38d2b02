package anthropic

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/dialect/dialecttest"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

func event(data string) []byte {
	return []byte("event: " + wire.Text(wire.Member([]byte(data), "type")) + "\ndata: " + data + "\n\n")
}

const (
	startEvent = `{"type":"message_start","message":{"id":"msg_1","model":"m-1","usage":{"input_tokens":5,"cache_creation_input_tokens":30,"cache_creation":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":20},"output_tokens":1}}}`
	endEvent   = `{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"input_tokens":7,"output_tokens":9,"server_tool_use":{"web_search_requests":2}}}`
)

func TestMeterKnowsUsageOnlyAtTheEnd(t *testing.T) {
	t.Parallel()
	m := Client{}.Meter(nil, noQuirks)
	assert.Zero(t, m.Frame(event(startEvent)))
	rep := m.Report()
	assert.False(t, rep.Known, "message_start's output_tokens is a placeholder")
	assert.EqualValues(t, 5, rep.Usage[hub.Input])
	assert.Equal(t, "msg_1", rep.ID)
	assert.Equal(t, "m-1", rep.Model)

	assert.True(t, m.Frame(event(endEvent)).Finish)
	stop := m.Frame(event(`{"type":"message_stop"}`))
	assert.True(t, stop.End && stop.Finish)
	rep = m.Report()
	assert.True(t, rep.Known)
	assert.Equal(t, usageOf(int64(hub.Input), 7, int64(hub.CacheWrite5m), 10, int64(hub.CacheWrite1h), 20, int64(hub.Output), 9, int64(hub.WebSearches), 2), rep.Usage,
		"later numbers replace earlier ones")
	assert.Equal(t, "end_turn", rep.Finish)
}

func TestMeterTellsWhatCallersSee(t *testing.T) {
	t.Parallel()
	for data, c := range map[string]struct {
		content    bool
		text, hide int64
	}{
		`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"abc"}}`:                              {true, 3, 0},
		`{ "delta" : { "text" : "a\"}\n", "type" : "text_delta" } , "index":0, "type" : "content_block_delta" }`:           {true, 4, 0},
		`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":""}}`:                                 {false, 0, 0},
		`{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"a\":"}}`:            {true, 5, 0},
		`{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}`:                       {true, 0, 2},
		`{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"c2ln"}}`:                   {false, 0, 0},
		`{"type":"content_block_delta","index":0,"delta":{"type":"citations_delta","citation":{}}}`:                        {true, 0, 0},
		`{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`:                               {false, 0, 0},
		`{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"a","name":"f","input":{}}}`:      {true, 0, 0},
		`{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"a","name":"f","input":{"a":1}}}`: {true, 7, 0},
		`{"type":"content_block_start","index":0,"content_block":{"type":"redacted_thinking","data":"b3A="}}`:              {true, 0, 0},
		`{"type":"content_block_stop","index":0}`:                                                                          {false, 0, 0},
		`{"type":"ping"}`: {false, 0, 0},
		`{"type":"message_delta","delta":{"stop_reason":null},"usage":{"output_tokens":3}}`: {false, 0, 0},
		`not JSON`:                    {false, 0, 0},
		`{"type":"content_block_delt`: {false, 0, 0},
	} {
		m := Client{}.Meter(nil, noQuirks)
		seen := m.Frame(event(data))
		assert.Equal(t, c.content, seen.Content, data)
		assert.False(t, seen.Finish || seen.End || seen.UsageOnly, data)
		assert.Equal(t, c.text, m.Report().TextBytes, data)
		assert.Equal(t, c.hide, m.Report().HideBytes, data)
	}
}

func TestUsageNeverLies(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		report string
		want   hub.Usage
		known  bool
	}{
		"negative counts are none":            {`{"input_tokens":-5,"output_tokens":-1}`, hub.Usage{}, true},
		"absurd counts are bounded":           {`{"input_tokens":9000000000000000000,"output_tokens":3}`, usageOf(int64(hub.Input), 1<<40, int64(hub.Output), 3), true},
		"writes without a split are short":    {`{"cache_creation_input_tokens":8,"output_tokens":3}`, usageOf(int64(hub.CacheWrite5m), 8, int64(hub.Output), 3), true},
		"a split without a total counts":      {`{"cache_creation":{"ephemeral_5m_input_tokens":2,"ephemeral_1h_input_tokens":3},"output_tokens":0}`, usageOf(int64(hub.CacheWrite5m), 2, int64(hub.CacheWrite1h), 3), true},
		"a split beyond the total is cut":     {`{"cache_creation_input_tokens":4,"cache_creation":{"ephemeral_1h_input_tokens":9},"output_tokens":0}`, usageOf(int64(hub.CacheWrite1h), 4), true},
		"thinking is part of the output":      {`{"output_tokens":10,"output_tokens_details":{"thinking_tokens":4}}`, usageOf(int64(hub.Output), 6, int64(hub.Reasoning), 4), true},
		"thinking is never more than it":      {`{"output_tokens":3,"output_tokens_details":{"thinking_tokens":4}}`, usageOf(int64(hub.Reasoning), 3), true},
		"numbers that are words say nothing":  {`{"input_tokens":"many"}`, hub.Usage{}, false},
		"nothing is not known":                {`null`, hub.Usage{}, false},
		"output that is not told is unknown":  {`{"input_tokens":4}`, usageOf(int64(hub.Input), 4), false},
		"compaction is billed beside the sum": {`{"input_tokens":1,"output_tokens":1,"iterations":[{"type":"compaction","input_tokens":100,"output_tokens":10},{"type":"message","input_tokens":1,"output_tokens":1}]}`, usageOf(int64(hub.Input), 101, int64(hub.Output), 11), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := `{"type":"message","content":[],"stop_reason":"end_turn","usage":` + c.report + `}`
			m := Client{}.Meter(nil, noQuirks)
			require.NoError(t, m.Whole([]byte(body)))
			assert.Equal(t, c.want, m.Report().Usage)
			assert.Equal(t, c.known, m.Report().Known)
			res, err := Client{}.Decode([]byte(body), noQuirks)
			require.NoError(t, err)
			assert.Equal(t, c.want, res.Usage)
		})
	}
}

func TestAnswersThatMakeNoSenseAreRetried(t *testing.T) {
	t.Parallel()
	for _, body := range []string{``, `{`, `<html>`, `[]`, `{}`, `{"type":"message","content":{}}`} {
		_, err := Client{}.Decode([]byte(body), noQuirks)
		assert.Equal(t, hub.ClassRetry, hub.AsError(err).Class, body)
		assert.Error(t, Client{}.Meter(nil, noQuirks).Whole([]byte(body)), body)
	}
	_, err := Client{}.Decode([]byte(`{"type":"error","error":{"type":"rate_limit_error","message":"slow"}}`), noQuirks)
	assert.Equal(t, hub.ClassRateLimit, hub.AsError(err).Class)
	_, err = Client{}.Decoder(noQuirks).Frame([]byte("data: {\"type\":\n\n"))
	assert.Equal(t, hub.ClassRetry, hub.AsError(err).Class)
}

func TestDecoderReadsOtherVendorsHabits(t *testing.T) {
	t.Parallel()
	frames := [][]byte{
		[]byte(": keep-alive\n\n"),
		[]byte("data: {\"message\":{\"id\":\"x\",\"model\":\"m\"},\"type\":\"message_start\"}\r\n\r\n"),
		event(`{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"whole","signature":"s"}}`),
		event(`{"type":"content_block_stop","index":0}`),
		event(`{"type":"content_block_start","index":1,"content_block":{"type":"text","text":"at once"}}`),
		event(`{"type":"content_block_stop","index":1}`),
		event(`{"type":"content_block_start","index":2,"content_block":{"type":"server_tool_use","id":"s","name":"web_search","input":{}}}`),
		event(`{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{}"}}`),
		event(`{"type":"content_block_stop","index":2}`),
		event(`{"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"a","name":"f","input":{"b":1}}}`),
		event(`{"type":"content_block_stop","index":3}`),
		event(`{"type":"content_block_delta","index":9,"delta":{"type":"text_delta","text":"no block"}}`),
		event(`{"type":"novelty"}`),
		event(`{"type":"message_delta","delta":{"stop_reason":"tool_use"}}`),
	}
	got, err := dialecttest.Collect(Client{}.Decoder(noQuirks), frames)
	require.NoError(t, err)
	assert.True(t, got.End, "a stop reason ends a stream that was cut before message_stop")
	assert.False(t, got.Response.UsageKnown)
	parts := got.Response.Choices[0].Parts
	require.Len(t, parts, 3)
	assert.Equal(t, "whole", parts[0].Text)
	assert.Equal(t, "s", parts[0].Signature)
	assert.Equal(t, "at once", parts[1].Text)
	assert.Equal(t, `{"b":1}`, parts[2].ToolCall.Arguments)
}

func TestMemberAgreesWithADecoder(t *testing.T) {
	t.Parallel()
	const text = ` { "a" : [1, {"b":"]}"}, "x\"" ] , "c":-1.5e3,"d":{"a":null} ,"e":"\\","f":true}`
	var want map[string]json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(text), &want))
	for k, v := range want {
		assert.Equal(t, string(v), string(wire.Member([]byte(text), k)), k)
	}
	assert.Nil(t, wire.Member([]byte(text), "b"), "only the top level is looked at")
	var list []json.RawMessage
	require.NoError(t, json.Unmarshal(want["a"], &list))
	for i, el := range elements(want["a"]) {
		assert.Equal(t, string(list[i]), string(el))
	}
	for n := range len(text) {
		wire.Member([]byte(text[:n]), "f")
		elements([]byte(text[:n]))
	}
}

func TestTextLenIsAboutTheTextsLength(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "plain", "a\nb\t\"c\"\\", "潮汐表", "<&>", "\u2028", strings.Repeat("\\", 9)} {
		quoted, err := json.Marshal(s)
		require.NoError(t, err)
		assert.InDelta(t, len(s), wire.TextLen(quoted), 0.1, s)
		assert.Equal(t, s, wire.Text(appendQuoted(nil, s)))
	}
	for _, broken := range []string{`"\"`, `"\u00"`, `"\u"`, `"`, ``, `7`, `"\\\`} {
		assert.GreaterOrEqual(t, wire.TextLen([]byte(broken)), int64(0), broken)
	}
}

func thousandFrames() (frames [][]byte) {
	frames = append(frames, event(startEvent), event(`{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`))
	for i := range 1000 {
		frames = append(frames, event(fmt.Sprintf(`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" word %d,\n"}}`, i)))
	}
	return append(frames, event(endEvent), event(`{"type":"message_stop"}`))
}

func TestMeterDoesNotAllocateForContent(t *testing.T) {
	frames, m := thousandFrames(), Client{}.Meter(nil, noQuirks)
	var seen bool
	assert.Zero(t, testing.AllocsPerRun(100, func() { seen = m.Frame(frames[500]).Content }))
	assert.True(t, seen)
}

func BenchmarkMeterOver1000Frames(b *testing.B) {
	frames := thousandFrames()
	b.ReportAllocs()
	for b.Loop() {
		m := Client{}.Meter(nil, noQuirks)
		for _, f := range frames {
			m.Frame(f)
		}
		if !m.Report().Known {
			b.Fatal("usage is not known")
		}
	}
}

func BenchmarkDecoderOver1000Frames(b *testing.B) {
	frames := thousandFrames()
	b.ReportAllocs()
	for b.Loop() {
		d := Client{}.Decoder(noQuirks)
		for _, f := range frames {
			if _, err := d.Frame(f); err != nil {
				b.Fatal(err)
			}
		}
	}
}
