package gemini_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/dialect/dialecttest"
	"github.com/aigne-hub/aigne-hub/shared/dialect/gemini"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// maker makes conversations and answers that this language can express exactly.
type maker struct {
	*rand.Rand
	model string
	calls int
}

func newMaker(seed, stream uint64) *maker {
	m := &maker{Rand: rand.New(rand.NewPCG(seed, stream)), model: "gemini-2.5-flash"}
	if m.chance() {
		m.model = "gemini-3-flash"
	}
	return m
}

func (m *maker) chance() bool { return m.IntN(2) == 0 }

func (m *maker) one(of ...string) string { return of[m.IntN(len(of))] }

func (m *maker) word() string {
	return m.one("tide", "潮 & <b>", "a \"quote\"\\", "line\nline", "🌊", " lead", "\u2028") + fmt.Sprint(m.IntN(100))
}

func (m *maker) data() string { return base64.StdEncoding.EncodeToString([]byte(m.word())) }

func (m *maker) media() chat.Part {
	all := []chat.Part{
		{Kind: chat.Image, Media: &chat.Media{MIME: "image/png", Data: m.data()}},
		{Kind: chat.Audio, Media: &chat.Media{MIME: "audio/wav", Data: m.data()}},
		{Kind: chat.File, Media: &chat.Media{MIME: "video/mp4", Data: m.data()}},
		{Kind: chat.File, Media: &chat.Media{MIME: "application/pdf", URL: "https://x.example/a.pdf?b=1&c"}},
		{Kind: chat.Image, Media: &chat.Media{MIME: "image/jpeg", FileID: "https://generativelanguage.googleapis.com/v1beta/files/abc"}},
		{Kind: chat.File, Media: &chat.Media{MIME: "text/csv", FileID: "gs://bucket/a.csv"}},
	}
	return all[m.IntN(len(all))]
}

func (m *maker) user() chat.Message {
	msg := chat.Message{Role: chat.User, Parts: []chat.Part{{Text: m.word()}}}
	for m.chance() {
		msg.Parts = append(msg.Parts, m.media())
	}
	return msg
}

func (m *maker) thinking() chat.Part {
	return chat.Part{Kind: chat.Thinking, Text: m.word(), Signature: "c2ln", SignedBy: chat.SignedGoogle}
}

func (m *maker) call() chat.Part {
	m.calls++
	args, _ := json.Marshal(map[string]any{"at": m.IntN(9)})
	p := chat.Part{Kind: chat.ToolCallPart, ToolCall: &chat.ToolCall{ID: fmt.Sprintf("call-%d", m.calls), Name: m.one("look", "list"), Arguments: m.one("{}", string(args))}}
	if m.chance() || m.model == "gemini-3-flash" {
		p.Signature, p.SignedBy = "U0lH", chat.SignedGoogle
	}
	return p
}

func (m *maker) result(call *chat.ToolCall) chat.Part {
	r := &chat.ToolResult{CallID: call.ID, Name: call.Name, IsError: m.IntN(3) == 0}
	if text := m.one("", m.word(), `{"a":1,"b":[2]}`); text != "" {
		r.Parts = append(r.Parts, chat.Part{Text: text})
	}
	if m.model == "gemini-3-flash" && m.chance() {
		r.Parts = append(r.Parts, chat.Part{Kind: chat.Image, Media: &chat.Media{MIME: "image/png", Data: m.data()}})
	}
	return chat.Part{Kind: chat.ToolResultPart, ToolResult: r}
}

// assistant makes a turn and, where it calls functions, the message that answers.
func (m *maker) assistant() []chat.Message {
	msg := chat.Message{Role: chat.Assistant}
	if m.chance() {
		msg.Parts = append(msg.Parts, m.thinking())
	}
	msg.Parts = append(msg.Parts, chat.Part{Text: m.word()})
	if m.IntN(4) == 0 {
		msg.Parts = append(msg.Parts, chat.Part{Kind: chat.Raw, RawType: "executableCode", RawJSON: json.RawMessage(`{"executableCode":{"language":"PYTHON","code":"1"}}`)})
	}
	results := chat.Message{Role: chat.ToolRole}
	for m.chance() {
		p := m.call()
		msg.Parts = append(msg.Parts, p)
		results.Parts = append(results.Parts, m.result(p.ToolCall))
	}
	if len(results.Parts) == 0 {
		return []chat.Message{msg, m.user()}
	}
	if m.chance() {
		return []chat.Message{msg, results, m.user()}
	}
	return []chat.Message{msg, results}
}

func (m *maker) request() *chat.Request {
	r := &chat.Request{Model: m.model, Stream: m.chance()}
	if m.chance() {
		r.Messages = append(r.Messages, chat.Message{Role: chat.System, Parts: []chat.Part{{Text: m.word()}, {Text: m.word()}}})
	}
	r.Messages = append(r.Messages, m.user())
	for m.chance() {
		r.Messages = append(r.Messages, m.assistant()...)
	}
	m.tools(r)
	m.settings(r)
	return r
}

func (m *maker) tools(r *chat.Request) {
	if m.chance() {
		return
	}
	if m.chance() {
		r.Tools = append(r.Tools, chat.Tool{RawType: "googleSearch", Raw: json.RawMessage(`{"googleSearch":{}}`)})
	}
	strict := m.IntN(3) == 0
	for _, name := range []string{"look", "list"} {
		t := chat.Tool{Name: name, Description: m.word(), Parameters: json.RawMessage(`{"type":"object","properties":{"at":{"type":["string","null"]}}}`)}
		if strict {
			t.Strict = new(true)
		}
		r.Tools = append(r.Tools, t)
	}
	switch {
	case strict:
		r.ToolChoice = &chat.ToolChoice{Mode: "auto"}
	case m.chance():
		r.ToolChoice = []*chat.ToolChoice{{Mode: "auto"}, {Mode: "none"}, {Mode: "required"}, {Mode: "tool", Name: "list"}}[m.IntN(4)]
	}
}

func maybe[T any](m *maker, v T) *T {
	if m.IntN(3) == 0 {
		return &v
	}
	return nil
}

func (m *maker) settings(r *chat.Request) {
	r.MaxOutput, r.Temperature, r.TopP, r.TopK = maybe(m, 1+m.Int64N(1e6)), maybe(m, m.Float64()), maybe(m, m.Float64()), maybe(m, m.Int64N(99))
	r.FrequencyPenalty, r.PresencePenalty, r.Seed, r.N = maybe(m, m.Float64()), maybe(m, -m.Float64()), maybe(m, m.Int64N(1e9)), maybe(m, 1+m.Int64N(8))
	if m.chance() {
		r.Stop, r.ServiceTier, r.Modalities = []string{m.word(), "END"}, m.one("default", "flex", "priority"), []string{"text", "image"}
		r.Logprobs, r.TopLogprobs = new(true), new(m.Int64N(5))
		r.Extra = map[string]json.RawMessage{"safetySettings": json.RawMessage(`[{"category":"HARM_CATEGORY_HARASSMENT","threshold":"BLOCK_LOW_AND_ABOVE"}]`)}
	}
	if r.Tools == nil || m.model == "gemini-3-flash" {
		r.Format = []*chat.Format{nil, {Kind: "json_object"}, {Kind: "json_schema", Name: "output", Schema: json.RawMessage(`{"type":"object","properties":{"b":{"type":"string"},"a":{}}}`)}}[m.IntN(3)]
	}
	r.Reasoning = []*chat.Reasoning{nil, {Disabled: true}, {Adaptive: true, Hidden: m.chance()}, {Budget: new(1 + m.Int64N(9000)), Hidden: m.chance()}}[m.IntN(4)]
	if m.model == "gemini-3-flash" {
		r.Reasoning = []*chat.Reasoning{nil, {}, {Effort: m.one("minimal", "low", "medium", "high"), Hidden: m.chance()}}[m.IntN(3)]
	}
}

func viewOf(t testing.TB, path string, body []byte) *dialect.View {
	t.Helper()
	v, err := gemini.Server{}.View(httptest.NewRequest(http.MethodPost, path, nil), body)
	require.NoError(t, err, "%s", body)
	return v
}

func TestWhatTheLanguageCanSayComesBackUnchanged(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2000) {
		m := newMaker(seed, 1)
		want := m.request()
		target := dialect.Target{Model: want.Model, Stream: want.Stream}
		enc, err := gemini.Client{}.Encode(want, target)
		require.NoError(t, err, "seed %d", seed)
		require.Empty(t, enc.Dropped, "seed %d", seed)
		v := viewOf(t, "/v1beta"+gemini.Client{}.Path(target), enc.Body)
		require.False(t, v.Array)
		got, err := gemini.Server{}.Decode(v)
		require.NoError(t, err, "seed %d: %s", seed, enc.Body)
		got.Names = nil
		require.Equal(t, want, got, "seed %d: %s", seed, enc.Body)
	}
}

// answer makes an answer with one choice or two.
func (m *maker) answer() *chat.Response {
	res := &chat.Response{ID: "r" + fmt.Sprint(m.IntN(99)), Model: m.model, UsageKnown: true}
	res.Usage[hub.Input], res.Usage[hub.CacheRead], res.Usage[hub.InputAudio], res.Usage[hub.InputImage] = m.Int64N(99), m.Int64N(99), m.Int64N(99), m.Int64N(99)
	res.Usage[hub.Output], res.Usage[hub.Reasoning], res.Usage[hub.OutputAudio], res.Usage[hub.OutputImage] = m.Int64N(99), m.Int64N(99), m.Int64N(99), m.Int64N(99)
	for i := range 1 + m.IntN(2) {
		res.Choices = append(res.Choices, m.choiceOf(i))
	}
	return res
}

func (m *maker) choiceOf(index int) chat.Choice {
	ch := chat.Choice{Index: index, Finish: chat.FinishStop, Native: "STOP"}
	for m.chance() {
		p := m.thinking()
		p.SignedBy = m.one(chat.SignedGoogle, chat.SignedAnthropic, "")
		ch.Parts = append(ch.Parts, p)
	}
	if m.IntN(4) == 0 {
		ch.Parts = append(ch.Parts, chat.Part{Kind: chat.RedactedThinking, Signature: "b3A=", SignedBy: chat.SignedAnthropic})
	}
	ch.Parts = append(ch.Parts, chat.Part{Text: "潮 " + m.word()})
	switch m.IntN(4) {
	case 0:
		ch.Parts = append(ch.Parts, chat.Part{Kind: chat.Image, Media: &chat.Media{MIME: "image/png", Data: m.data()}})
	case 1:
		for range 1 + m.IntN(3) {
			ch.Parts = append(ch.Parts, m.call())
		}
		ch.Finish = chat.FinishToolCalls
	case 2:
		ch.Parts[len(ch.Parts)-1].Annotations = json.RawMessage(`[{"type":"url_citation","url_citation":{"start_index":0,"end_index":1,"title":"A & B","url":"https://a.example"}}]`)
		ch.Finish, ch.Native = chat.FinishLength, "MAX_TOKENS"
	case 3:
		ch.Logprobs = json.RawMessage(`{"content":[{"token":"é","logprob":-0.5,"bytes":[195,169],"top_logprobs":[{"token":"e","logprob":-2,"bytes":[101]}]}],"refusal":null}`)
		ch.Finish, ch.Native = chat.FinishContentFilter, m.one("SAFETY", "RECITATION", "PROHIBITED_CONTENT")
	}
	return ch
}

// pieces cuts an answer into events at random places.
func (m *maker) pieces(res *chat.Response) []chat.Event {
	evs := []chat.Event{{Kind: chat.EventStart, ID: res.ID, Model: res.Model}}
	cut := func(ev chat.Event, s string) {
		for r := []rune(s); len(r) > 0; {
			n := m.IntN(len(r)) + 1
			ev.Text, r = string(r[:n]), r[n:]
			evs = append(evs, ev)
		}
	}
	for _, ch := range res.Choices {
		calls, c := 0, ch.Index
		for i, p := range ch.Parts {
			switch p.Kind {
			case chat.Text:
				cut(chat.Event{Kind: chat.EventText, Choice: c}, p.Text)
			case chat.Thinking:
				cut(chat.Event{Kind: chat.EventThinking, Choice: c, Index: i}, p.Text)
				evs = append(evs, chat.Event{Kind: chat.EventSignature, Choice: c, Index: i, Text: p.Signature, SignedBy: p.SignedBy})
			case chat.RedactedThinking:
				evs = append(evs, chat.Event{Kind: chat.EventRedacted, Choice: c, Index: i, Text: p.Signature, SignedBy: p.SignedBy})
			case chat.Image:
				evs = append(evs, chat.Event{Kind: chat.EventMedia, Choice: c, Media: p.Media})
			case chat.ToolCallPart:
				evs = append(evs, chat.Event{Kind: chat.EventToolCall, Choice: c, Index: calls, ID: p.ToolCall.ID, Name: p.ToolCall.Name})
				cut(chat.Event{Kind: chat.EventToolArgs, Choice: c, Index: calls}, p.ToolCall.Arguments)
				if p.Signature != "" {
					evs = append(evs, chat.Event{Kind: chat.EventSignature, Tool: true, Choice: c, Index: calls, Text: p.Signature, SignedBy: p.SignedBy})
				}
				calls++
			}
			if p.Annotations != nil {
				evs = append(evs, chat.Event{Kind: chat.EventAnnotation, Choice: c, Raw: p.Annotations})
			}
		}
		if ch.Logprobs != nil {
			evs = append(evs, chat.Event{Kind: chat.EventLogprobs, Choice: c, Raw: ch.Logprobs})
		}
		evs = append(evs, chat.Event{Kind: chat.EventFinish, Choice: c, Finish: ch.Finish, Native: ch.Native})
	}
	return evs
}

func TestAnswersComeBackUnchanged(t *testing.T) {
	t.Parallel()
	v := viewOf(t, "/v1/models/m:streamGenerateContent?alt=sse", []byte(`{"contents":[]}`))
	for seed := range uint64(1000) {
		m := newMaker(seed, 2)
		want := m.answer()
		c := dialect.Closing{Usage: want.Usage, Known: true}
		body, err := gemini.Server{}.Whole(v, want, c)
		require.NoError(t, err)
		got, err := gemini.Client{}.Decode(body, dialect.Quirks{})
		require.NoError(t, err)
		require.Equal(t, want, got, "whole, seed %d: %s", seed, body)

		enc := gemini.Server{}.Stream(v)
		var stream []byte
		for _, ev := range m.pieces(want) {
			stream = enc.Event(stream, ev)
		}
		stream = enc.Close(stream, c)
		for _, frames := range [][][]byte{dialecttest.Frames(t, stream), dialecttest.SplitFrames(t, stream)} {
			sum, err := dialecttest.Collect(gemini.Client{}.Decoder(dialect.Quirks{}), frames)
			require.NoError(t, err)
			require.True(t, sum.End)
			require.Equal(t, want, sum.Response, "stream, seed %d: %s", seed, stream)
			meter := gemini.Client{}.Meter(&dialect.View{N: int64(len(want.Choices))}, dialect.Quirks{})
			for _, f := range frames {
				require.NoError(t, errorOf(meter.Frame(f)))
			}
			require.Equal(t, want.Usage, meter.Report().Usage, "the meter agrees")
		}
	}
}

func errorOf(s dialect.Seen) error {
	if s.Err != nil {
		return s.Err
	}
	return nil
}
