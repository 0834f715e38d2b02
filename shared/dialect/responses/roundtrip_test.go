package responses

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
)

// TestDecodeUndoesEncode holds for every conversation this language can say.
func TestDecodeUndoesEncode(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2000) {
		g := generator{rand.New(rand.NewPCG(seed, 7))}
		want := g.request()
		enc, err := client.Encode(want, dialect.Target{Model: want.Model, Stream: want.Stream, MaxOutput: 1})
		require.NoError(t, err, "seed %d", seed)
		require.Empty(t, enc.Dropped, "seed %d", seed)
		v, err := server.View(nil, enc.Body)
		require.NoError(t, err, "seed %d: %s", seed, enc.Body)
		got, err := server.Decode(v)
		require.NoError(t, err, "seed %d: %s", seed, enc.Body)
		got.Names = nil
		require.Equal(t, want, got, "seed %d: %s", seed, enc.Body)
	}
}

type generator struct{ *rand.Rand }

func (g generator) chance() bool { return g.IntN(3) == 0 }

func (g generator) text() string {
	runes := []rune("ab \"\\/\n\u0000\u2028é漢🎈<&>{}[]:,.")
	s := make([]rune, 1+g.IntN(12))
	for i := range s {
		s[i] = runes[g.IntN(len(runes))]
	}
	return string(s)
}

func maybe[T any](g generator, v T) *T {
	if g.chance() {
		return &v
	}
	return nil
}

func (g generator) request() *chat.Request {
	r := &chat.Request{
		Model: "m" + g.text(), Stream: g.chance(), MaxOutput: maybe(g, 1+g.Int64N(1e6)),
		Temperature: maybe(g, g.Float64()), TopP: maybe(g, g.Float64()),
	}
	if g.chance() {
		r.Logprobs, r.TopLogprobs = new(true), new(1+g.Int64N(20))
	}
	if g.chance() {
		r.Reasoning = &chat.Reasoning{Effort: "high", Summary: "auto"}
	}
	if g.chance() {
		r.Format = &chat.Format{Kind: "json_schema", Name: "n", Description: g.text(), Schema: json.RawMessage(`{"type":"object"}`), Strict: maybe(g, true)}
	}
	if g.chance() {
		r.User, r.ServiceTier, r.Metadata = g.text(), "flex", map[string]string{"k": g.text()}
		r.Extra = map[string]json.RawMessage{"safety_identifier": json.RawMessage(`"s"`), "verbosity": json.RawMessage(`"high"`)}
	}
	if g.chance() {
		for i := range 1 + g.IntN(3) {
			r.Tools = append(r.Tools, chat.Tool{Name: fmt.Sprintf("f%d", i), Description: g.text(), Parameters: json.RawMessage(`{"type":"object","properties":{}}`), Strict: new(g.chance())})
		}
		r.ToolChoice = &chat.ToolChoice{Mode: "tool", Name: "f0"}
		r.ParallelToolCalls = maybe(g, g.chance())
	}
	if g.chance() {
		r.Messages = append(r.Messages, chat.Message{Role: chat.System, Parts: g.parts(false)})
	}
	for range 1 + g.IntN(4) {
		r.Messages = append(r.Messages, chat.Message{Role: chat.User, Parts: g.parts(true)})
		if g.chance() {
			r.Messages = append(r.Messages, g.assistant()...)
		}
	}
	return r
}

func (g generator) parts(media bool) []chat.Part {
	parts := []chat.Part{{Kind: chat.Text, Text: g.text()}}
	if !media {
		return parts
	}
	for range g.IntN(3) {
		parts = append(parts, []chat.Part{
			{Kind: chat.Text, Text: g.text()},
			{Kind: chat.Image, Media: &chat.Media{MIME: "image/webp", Data: "AAAA", Detail: "low"}},
			{Kind: chat.Image, Media: &chat.Media{URL: "https://example.com/a.png", Detail: "auto"}},
			{Kind: chat.Image, Media: &chat.Media{FileID: "file-1", Detail: "high"}},
			{Kind: chat.File, Media: &chat.Media{MIME: "application/pdf", Data: "BBBB", Filename: g.text()}},
			{Kind: chat.File, Media: &chat.Media{URL: "http://example.com/b.pdf"}},
			{Kind: chat.File, Media: &chat.Media{FileID: "file-2"}},
		}[g.IntN(7)])
	}
	return parts
}

func (g generator) assistant() []chat.Message {
	m := chat.Message{Role: chat.Assistant}
	if g.chance() {
		m.Parts = append(m.Parts, chat.Part{Kind: chat.Thinking, ID: "rs_1", Text: g.text(), Signature: "gA" + g.text(), SignedBy: chat.SignedOpenAI})
	}
	m.Parts = append(m.Parts, chat.Part{Kind: chat.Text, Text: g.text()})
	if g.chance() {
		m.Parts = append(m.Parts, chat.Part{Kind: chat.Refusal, Text: g.text()})
	}
	results := chat.Message{Role: chat.ToolRole}
	for i := range g.IntN(3) {
		id := fmt.Sprintf("c%d", i)
		m.Parts = append(m.Parts, chat.Part{Kind: chat.ToolCallPart, ToolCall: &chat.ToolCall{ID: id, Name: "f0", Arguments: `{"a":1}`}})
		results.Parts = append(results.Parts, chat.Part{Kind: chat.ToolResultPart, ToolResult: &chat.ToolResult{CallID: id, Name: "f0", Parts: g.parts(true)}})
	}
	if len(results.Parts) == 0 {
		return []chat.Message{m}
	}
	return []chat.Message{m, results}
}
