package anthropic

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
)

// maker makes conversations that this language can express exactly.
type maker struct {
	*rand.Rand
	calls, caches int
}

func (m *maker) one(of ...string) string { return of[m.IntN(len(of))] }

func (m *maker) word() string {
	return m.one("tide", "潮 & <b>", "a \"quote\"\\", "line\nline", "🌊", " lead", "\u2028") + fmt.Sprint(m.IntN(100))
}

func (m *maker) cache() *chat.Cache {
	if m.caches >= maxBreakpoints || m.IntN(4) > 0 {
		return nil
	}
	m.caches++
	return &chat.Cache{TTL: m.one("5m", "1h")}
}

func (m *maker) text() chat.Part { return chat.Part{Text: m.word(), Cache: m.cache()} }

func (m *maker) media() chat.Part {
	data := base64.StdEncoding.EncodeToString([]byte(m.word()))
	switch m.IntN(6) {
	case 0:
		return chat.Part{Kind: chat.Image, Media: &chat.Media{URL: "https://x.example/a?b=1&c"}}
	case 1:
		return chat.Part{Kind: chat.File, Media: &chat.Media{MIME: "application/pdf", Data: data, Filename: m.word()}, Cache: m.cache()}
	case 2:
		return chat.Part{Kind: chat.File, Media: &chat.Media{MIME: "application/pdf", URL: "https://x.example/a.pdf"}}
	case 3:
		return chat.Part{Kind: chat.File, Media: &chat.Media{MIME: "text/plain", Data: data}}
	case 4:
		return chat.Part{Kind: chat.Image, Media: &chat.Media{FileID: "file_1"}}
	}
	return chat.Part{Kind: chat.Image, Media: &chat.Media{MIME: "image/png", Data: data}, Cache: m.cache()}
}

func (m *maker) user() chat.Message {
	msg := chat.Message{Role: chat.User, Parts: []chat.Part{m.text()}}
	for m.IntN(2) == 0 {
		msg.Parts = append(msg.Parts, m.media())
	}
	if m.IntN(6) == 0 {
		msg.Parts = append(msg.Parts, chat.Part{Kind: chat.Raw, RawType: "search_result", RawJSON: json.RawMessage(`{"type":"search_result","source":"s"}`)})
	}
	return msg
}

// assistant makes a turn and, where it calls tools, the message that answers.
func (m *maker) assistant() []chat.Message {
	msg := chat.Message{Role: chat.Assistant}
	if m.IntN(2) == 0 {
		msg.Parts = append(msg.Parts, chat.Part{Kind: chat.Thinking, Text: m.one("", m.word()), Signature: "c2ln", SignedBy: chat.SignedAnthropic})
	}
	if m.IntN(4) == 0 {
		msg.Parts = append(msg.Parts, chat.Part{Kind: chat.RedactedThinking, Signature: "b3A=", SignedBy: chat.SignedAnthropic})
	}
	msg.Parts = append(msg.Parts, m.text())
	results := chat.Message{Role: chat.ToolRole}
	for m.IntN(2) == 0 {
		m.calls++
		id := fmt.Sprintf("call_%d", m.calls)
		args, _ := marshal(map[string]any{"at": m.word(), "n": m.IntN(9)})
		msg.Parts = append(msg.Parts, chat.Part{Kind: chat.ToolCallPart, ToolCall: &chat.ToolCall{ID: id, Name: "look", Arguments: m.one("{}", string(args))}})
		res := &chat.ToolResult{CallID: id, IsError: m.IntN(3) == 0}
		for m.IntN(2) == 0 {
			inner := m.one("text", "media")
			if inner == "text" {
				res.Parts = append(res.Parts, chat.Part{Text: m.word()})
				continue
			}
			res.Parts = append(res.Parts, chat.Part{Kind: chat.Image, Media: &chat.Media{MIME: "image/png", Data: "AA=="}})
		}
		results.Parts = append(results.Parts, chat.Part{Kind: chat.ToolResultPart, ToolResult: res, Cache: m.cache()})
	}
	if len(results.Parts) == 0 {
		return []chat.Message{msg}
	}
	return []chat.Message{msg, results}
}

func (m *maker) request() *chat.Request {
	req := &chat.Request{Model: "claude-3-7-sonnet", MaxOutput: ptr(int64(m.IntN(9000) + 3000)), Stream: m.IntN(2) == 0}
	if m.IntN(2) == 0 {
		req.Tools = []chat.Tool{{Name: "look", Description: m.word(), Parameters: json.RawMessage(`{"type":"object","properties":{"at":{"type":"string"}}}`), Cache: m.cache()}}
		if m.IntN(2) == 0 {
			req.Tools = append(req.Tools, chat.Tool{Name: "bash", RawType: "bash_20250124", Raw: json.RawMessage(`{"type":"bash_20250124","name":"bash"}`)})
		}
		req.ToolChoice = &chat.ToolChoice{Mode: m.one("auto", "none")}
		if req.ToolChoice.Mode == "auto" && m.IntN(2) == 0 {
			req.ParallelToolCalls = ptr(false)
		}
	}
	if m.IntN(2) == 0 {
		req.Messages = append(req.Messages, chat.Message{Role: chat.System, Parts: []chat.Part{m.text(), m.text()}})
	}
	for range m.IntN(3) + 1 {
		req.Messages = append(req.Messages, m.user())
		req.Messages = append(req.Messages, m.assistant()...)
	}
	if req.Messages[len(req.Messages)-1].Role == chat.Assistant {
		req.Messages = append(req.Messages, m.user())
	}
	m.settings(req)
	return req
}

func (m *maker) settings(req *chat.Request) {
	switch m.IntN(5) {
	case 0:
		req.Reasoning = &chat.Reasoning{Adaptive: true, Effort: m.one("", "low", "medium", "high", "xhigh"), Hidden: m.IntN(2) == 0}
	case 1:
		req.Reasoning = &chat.Reasoning{Disabled: true}
	case 2:
		// A loop of tools whose turn began without thinking cannot think.
		if req.Messages[len(req.Messages)-1].Role == chat.User {
			req.Reasoning = &chat.Reasoning{Budget: ptr(int64(m.IntN(1900) + 1024)), Hidden: m.IntN(2) == 0}
		}
	default:
		req.Temperature, req.TopK = ptr(0.25), ptr(int64(m.IntN(50)))
		if req.Tools != nil && m.IntN(2) == 0 {
			req.ToolChoice = &chat.ToolChoice{Mode: "tool", Name: "look"}
		}
	}
	if m.IntN(2) == 0 {
		req.Stop, req.User, req.ServiceTier = []string{"END", "潮"}, m.word(), m.one("auto", "default")
		req.Extra = map[string]json.RawMessage{"container": json.RawMessage(`"c-1"`), "inference_geo": json.RawMessage(`"us"`)}
	}
}

func TestWhatTheLanguageCanSayComesBackUnchanged(t *testing.T) {
	t.Parallel()
	for seed := range uint64(500) {
		m := &maker{Rand: rand.New(rand.NewPCG(seed, 1))}
		want := m.request()
		enc, err := Client{}.Encode(want, dialect.Target{Model: want.Model, MaxOutput: 4096, Stream: want.Stream})
		require.NoError(t, err, "seed %d", seed)
		require.Empty(t, enc.Dropped, "seed %d", seed)
		v, err := Server{}.View(httptest.NewRequest(http.MethodPost, "/v1/messages", nil), enc.Body)
		require.NoError(t, err, "seed %d: %s", seed, enc.Body)
		got, err := Server{}.Decode(v)
		require.NoError(t, err, "seed %d: %s", seed, enc.Body)
		got.Names = nil
		require.Equal(t, want, got, "seed %d", seed)
	}
}

func TestAnswersComeBackUnchanged(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		m := &maker{Rand: rand.New(rand.NewPCG(seed, 2))}
		ch := chat.Choice{Parts: m.assistant()[0].Parts, Finish: chat.FinishStop, Native: "end_turn"}
		for i := range ch.Parts {
			ch.Parts[i].Cache = nil
			if ch.Parts[i].Kind == chat.Thinking && ch.Parts[i].Text == "" {
				ch.Parts[i].Text = "t"
			}
			if ch.Parts[i].Kind == chat.ToolCallPart {
				ch.Finish, ch.Native = chat.FinishToolCalls, "tool_use"
			}
		}
		want := &chat.Response{ID: "msg_7", Model: "m", Choices: []chat.Choice{ch}, UsageKnown: true,
			Usage: usageOf(0, m.Int64N(99), 1, m.Int64N(99), 2, m.Int64N(99), 3, m.Int64N(99), 4, m.Int64N(99), 5, m.Int64N(99))}
		c := dialect.Closing{Usage: want.Usage}

		body, err := Server{}.Whole(see(t, asking), want, c)
		require.NoError(t, err)
		got, err := Client{}.Decode(body, noQuirks)
		require.NoError(t, err)
		require.Equal(t, want, got, "whole, seed %d", seed)

		assert.Equal(t, want, readStrictly(t, stream(t, c, pieces(m, want)...)), "stream, seed %d", seed)
	}
}

// pieces cuts an answer into events at random places.
func pieces(m *maker, res *chat.Response) []chat.Event {
	evs := []chat.Event{{Kind: chat.EventStart, ID: res.ID, Model: res.Model}}
	cut := func(ev chat.Event, s string) {
		for r := []rune(s); len(r) > 0; {
			n := m.IntN(len(r)) + 1
			ev.Text, r = string(r[:n]), r[n:]
			evs = append(evs, ev)
		}
	}
	calls := 0
	for i, p := range res.Choices[0].Parts {
		switch p.Kind {
		case chat.Text:
			cut(chat.Event{Kind: chat.EventText}, p.Text)
		case chat.Thinking:
			cut(chat.Event{Kind: chat.EventThinking, Index: i}, p.Text)
			evs = append(evs, chat.Event{Kind: chat.EventSignature, Index: i, Text: p.Signature, SignedBy: p.SignedBy})
		case chat.RedactedThinking:
			evs = append(evs, chat.Event{Kind: chat.EventRedacted, Index: i, Text: p.Signature, SignedBy: p.SignedBy})
		case chat.ToolCallPart:
			evs = append(evs, chat.Event{Kind: chat.EventToolCall, Index: calls, ID: p.ToolCall.ID, Name: p.ToolCall.Name})
			cut(chat.Event{Kind: chat.EventToolArgs, Index: calls}, p.ToolCall.Arguments)
			calls++
		}
	}
	return append(evs, chat.Event{Kind: chat.EventFinish, Finish: res.Choices[0].Finish})
}
