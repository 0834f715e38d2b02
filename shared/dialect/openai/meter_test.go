package openai

import (
	"bytes"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/dialect/dialecttest"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

func frame(data string) []byte { return []byte("data: " + data + "\n\n") }

func TestMeterWaitsForEveryChoice(t *testing.T) {
	t.Parallel()
	m := Client{}.Meter(&dialect.View{N: 2}, dialect.Quirks{})
	ended := func(index int) []byte {
		return frame(fmt.Sprintf(`{"id":"x","choices":[{"index":%d,"delta":{},"finish_reason":"stop"}]}`, index))
	}
	assert.False(t, m.Frame(ended(0)).Finish)
	assert.False(t, m.Frame(ended(0)).Finish, "the same choice again")
	assert.True(t, m.Frame(frame(`{"choices":[{"index":1,"delta":{"content":"a"}}]}`)).Content)
	seen := m.Frame(ended(1))
	assert.True(t, seen.Finish)
	assert.False(t, seen.Content)
	seen = m.Frame(frame(`{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}`))
	assert.Equal(t, dialect.Seen{Finish: true, UsageOnly: true}, seen)
	assert.Equal(t, dialect.Seen{Finish: true, End: true}, m.Frame(frame("[DONE]")))

	fewer := Client{}.Meter(&dialect.View{N: 2}, dialect.Quirks{})
	assert.False(t, fewer.Frame(ended(0)).Finish)
	assert.True(t, fewer.Frame(frame("[DONE]")).Finish, "a vendor that gives one answer only")
}

func TestMeterOfFramesThatSayNothing(t *testing.T) {
	t.Parallel()
	m := Client{}.Meter(nil, dialect.Quirks{})
	for _, f := range []string{
		": OPENROUTER PROCESSING\n\n", "data:\n\n", "event: ping\ndata: 1\n\n", "\n", "",
		`data: {"choices":[],"prompt_filter_results":[]}` + "\n\n",
		`data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":null}` + "\n\n",
		`data: {"choices":[{"index":0,"delta":{"content":null,"tool_calls":[]},"finish_reason":""}],"usage":{}}` + "\n\n",
	} {
		assert.Equal(t, dialect.Seen{}, m.Frame([]byte(f)), f)
	}
	assert.Equal(t, dialect.Report{}, m.Report())
	assert.Equal(t, dialect.Seen{End: true}, m.Frame([]byte("data: [DONE]\r\n\r\n")), "an end without a finish")
}

func TestMeterAndDecoderOfBrokenFrames(t *testing.T) {
	t.Parallel()
	for _, f := range []string{`{"choices":[`, `not json`, `[]`, `{"error":{"message":"x"}}`, `{"error":"x"}`} {
		m := Client{}.Meter(nil, dialect.Quirks{})
		seen := m.Frame(frame(f))
		require.NotNil(t, seen.Err, f)
		assert.Equal(t, hub.ClassRetry, seen.Err.Class)
		d := Client{}.Decoder(dialect.Quirks{})
		_, err := d.Frame(frame(f))
		assert.Error(t, err)
		assert.False(t, d.End())
		require.Error(t, Client{}.Meter(nil, dialect.Quirks{}).Whole([]byte(f)))
	}
}

func TestUsageFallsIntoBucketsThatDoNotOverlap(t *testing.T) {
	t.Parallel()
	extra := dialect.Quirks{ReasoningExtra: true}
	for name, tc := range map[string]struct {
		raw    string
		quirks dialect.Quirks
		want   map[hub.Bucket]int64
	}{
		"audio and cache": {
			`{"prompt_tokens":100,"completion_tokens":50,"prompt_tokens_details":{"cached_tokens":40,"audio_tokens":10},"completion_tokens_details":{"reasoning_tokens":5,"audio_tokens":20}}`,
			dialect.Quirks{},
			map[hub.Bucket]int64{hub.Input: 50, hub.CacheRead: 40, hub.InputAudio: 10, hub.Output: 25, hub.Reasoning: 5, hub.OutputAudio: 20},
		},
		"reasoning beside, without a total":     {`{"prompt_tokens":1,"completion_tokens":2,"completion_tokens_details":{"reasoning_tokens":9}}`, extra, map[hub.Bucket]int64{hub.Input: 1, hub.Output: 2, hub.Reasoning: 9}},
		"reasoning within, says the total":      {`{"prompt_tokens":1,"completion_tokens":9,"total_tokens":10,"completion_tokens_details":{"reasoning_tokens":4}}`, extra, map[hub.Bucket]int64{hub.Input: 1, hub.Output: 5, hub.Reasoning: 4}},
		"reasoning beside, says the total":      {`{"prompt_tokens":1,"completion_tokens":2,"total_tokens":12,"completion_tokens_details":{"reasoning_tokens":9}}`, dialect.Quirks{}, map[hub.Bucket]int64{hub.Input: 1, hub.Output: 2, hub.Reasoning: 9}},
		"hit and miss only":                     {`{"completion_tokens":2,"prompt_cache_hit_tokens":3,"prompt_cache_miss_tokens":4}`, dialect.Quirks{}, map[hub.Bucket]int64{hub.CacheRead: 3, hub.Input: 4, hub.Output: 2}},
		"negative figures":                      {`{"prompt_tokens":-5,"completion_tokens":-1,"prompt_tokens_details":{"cached_tokens":-3}}`, dialect.Quirks{}, map[hub.Bucket]int64{}},
		"more cached than there is":             {`{"prompt_tokens":5,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":30}}`, dialect.Quirks{}, map[hub.Bucket]int64{hub.CacheRead: 5, hub.Output: 1}},
		"floats and figures beyond all measure": {`{"prompt_tokens":5.0,"completion_tokens":1e300}`, dialect.Quirks{}, map[hub.Bucket]int64{hub.Input: 5, hub.Output: maxCount}},
		"searches":                              {`{"prompt_tokens":1,"completion_tokens":1,"server_tool_use":{"web_search_requests":2}}`, dialect.Quirks{}, map[hub.Bucket]int64{hub.Input: 1, hub.Output: 1, hub.WebSearches: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var want hub.Usage
			for b, n := range tc.want {
				want[b] = n
			}
			got, ok := readUsage([]byte(tc.raw), tc.quirks)
			assert.True(t, ok)
			assert.Equal(t, want, got)
		})
	}
	for _, raw := range []string{``, `null`, `{}`, `[]`, `"x"`, `{"prompt_tokens":"5"}`, `{"prompt_tokens":5`} {
		_, ok := readUsage([]byte(raw), dialect.Quirks{})
		assert.False(t, ok, raw)
	}
}

func TestMeterFindsUsageInTheChoice(t *testing.T) {
	t.Parallel()
	m := Client{}.Meter(nil, dialect.Quirks{})
	m.Frame(frame(`{"choices":[{"index":0,"delta":{},"finish_reason":"stop","usage":{"prompt_tokens":3,"completion_tokens":4,"cached_tokens":2}}]}`))
	assert.Equal(t, hub.Usage{hub.Input: 1, hub.CacheRead: 2, hub.Output: 4}, m.Report().Usage)
}

func TestMeterAllocatesNothingForContent(t *testing.T) {
	frames := contentFrames(2)
	m := Client{}.Meter(nil, dialect.Quirks{})
	m.Frame(frames[0])
	for _, f := range [][]byte{frames[1], toolFrame, thinkingFrame} {
		assert.Zero(t, testing.AllocsPerRun(100, func() { m.Frame(f) }), "%s", f)
	}
}

var (
	toolFrame     = frame(`{"id":"x","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":"}}]},"finish_reason":null}]}`)
	thinkingFrame = frame(`{"id":"x","choices":[{"index":0,"delta":{"content":null,"reasoning_content":"so \n"},"finish_reason":null}]}`)
)

func contentFrames(n int) [][]byte {
	all := make([][]byte, n)
	for i := range all {
		all[i] = frame(fmt.Sprintf(`{"id":"chatcmpl-0123456789abcdefghijklmnopqrs","object":"chat.completion.chunk","created":1750000000,"model":"gpt-test-2026-01-01","service_tier":"default","system_fingerprint":"fp_0123456789","choices":[{"index":0,"delta":{"content":" word%d"},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"abcdef"}`, i))
	}
	return all
}

func BenchmarkMeter(b *testing.B) {
	frames := contentFrames(1000)
	b.ReportAllocs()
	for b.Loop() {
		m := Client{}.Meter(nil, dialect.Quirks{})
		for _, f := range frames {
			m.Frame(f)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/frame")
}

func BenchmarkDecoder(b *testing.B) {
	frames := contentFrames(1000)
	b.ReportAllocs()
	for b.Loop() {
		d := Client{}.Decoder(dialect.Quirks{})
		for _, f := range frames {
			if _, err := d.Frame(f); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/frame")
}

// seeds gives a fuzz target the streams of testdata.
func seeds(f *testing.F) {
	f.Helper()
	for _, name := range []string{"quoting.sse", "calls.sse", "thinking.sse", "parts.sse", "refusal.sse", "broken.sse"} {
		body, err := os.ReadFile("testdata/" + name)
		require.NoError(f, err)
		f.Add(body)
	}
}

// FuzzMeter: whatever comes, the meter and the decoder agree on what is paid.
func FuzzMeter(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		frames := dialecttest.Frames(t, body)
		m := Client{}.Meter(nil, dialect.Quirks{})
		finished, last, marked := false, dialect.Seen{}, false
		for _, fr := range frames {
			if last = m.Frame(fr); last.Err != nil {
				break
			}
			marked = marked || last.End
		}
		rep := m.Report()
		for b, n := range rep.Usage {
			require.GreaterOrEqual(t, n, int64(0), hub.Bucket(b).String())
		}
		require.GreaterOrEqual(t, rep.TextBytes, int64(0))
		got, err := dialecttest.Collect(Client{}.Decoder(dialect.Quirks{}), frames)
		if err != nil {
			return
		}
		require.Equal(t, got.Response.Usage, rep.Usage)
		require.Equal(t, got.Response.UsageKnown, rep.Known)
		for _, ch := range got.Response.Choices {
			finished = finished || ch.Native != ""
		}
		require.Equal(t, finished, rep.Finish != "")
		if !marked {
			require.Equal(t, got.End, last.Finish, "they agree on the finish")
		}
	})
}

// FuzzDecoder: no stream panics, and frames read one by one or together mean
// the same.
func FuzzDecoder(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		d := Client{}.Decoder(dialect.Quirks{NoJSONSchema: true})
		enc := Server{}.Stream(&dialect.View{WantsUsage: true})
		var out []byte
		for _, fr := range dialecttest.Frames(t, body) {
			evs, err := d.Frame(fr)
			for _, ev := range evs {
				out = enc.Event(out, ev)
			}
			if err != nil {
				break
			}
		}
		out = enc.Close(out, dialect.Closing{})
		// What the hub writes it can read.
		_, err := dialecttest.Collect(Client{}.Decoder(dialect.Quirks{}), dialecttest.Frames(t, out))
		require.NoError(t, err, "%s", out)
		require.True(t, bytes.HasSuffix(out, []byte("data: [DONE]\n\n")))
	})
}

// FuzzDecode: no request panics; what is taken can be sent on and read again.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(with(`"tools":[{"type":"function","function":{"name":"f"}}]`)))
	f.Add([]byte(says(`[{"type":"image_url","image_url":{"url":"data:,x"}},{"type":"file","file":{"file_id":"a"}}]`)))
	f.Add([]byte(`{"model":"m","messages":[{"role":"assistant","tool_calls":[{"id":"a","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"a","content":"r"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		v, err := Server{}.View(nil, body)
		if err != nil {
			return
		}
		req, err := Server{}.Decode(v)
		if err != nil {
			return
		}
		enc, err := Client{}.Encode(req, dialect.Target{Model: "m", Stream: req.Stream})
		if err != nil {
			return
		}
		again, err := Server{}.View(nil, enc.Body)
		require.NoError(t, err, "%s", enc.Body)
		_, err = Server{}.Decode(again)
		require.NoError(t, err, "%s", enc.Body)
	})
}
