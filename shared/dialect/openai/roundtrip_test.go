package openai

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
		g := generator{rand.New(rand.NewPCG(seed, 1))}
		want := g.request()
		enc, err := Client{}.Encode(want, dialect.Target{
			Model: want.Model, Stream: want.Stream, MaxOutput: 1, Quirks: dialect.Quirks{ReasoningField: "reasoning_content"},
		})
		require.NoError(t, err, "seed %d", seed)
		require.Empty(t, enc.Dropped)
		v, err := Server{}.View(nil, enc.Body)
		require.NoError(t, err, "seed %d: %s", seed, enc.Body)
		got, err := Server{}.Decode(v)
		require.NoError(t, err, "seed %d: %s", seed, enc.Body)
		got.Names = nil
		require.Equal(t, want, got, "seed %d: %s", seed, enc.Body)
	}
}

type generator struct{ *rand.Rand }

func (g generator) chance() bool { return g.IntN(3) == 0 }

func (g generator) text() string {
	runes := []rune("ab \"\\/\n\u0000\u2028é漢🎈<&>{}[]:,")
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
		Model: "m" + g.text(), Stream: g.chance(),
		MaxOutput: maybe(g, 1+g.Int64N(1e6)), Temperature: maybe(g, g.Float64()), TopP: maybe(g, g.Float64()),
		FrequencyPenalty: maybe(g, -g.Float64()), PresencePenalty: maybe(g, g.Float64()), Seed: maybe(g, g.Int64()-g.Int64()),
		N: maybe(g, 1+g.Int64N(128)), Logprobs: maybe(g, g.chance()), TopLogprobs: maybe(g, g.Int64N(20)),
	}
	if g.chance() {
		r.Stop, r.User, r.ServiceTier, r.Modalities = []string{g.text()}, g.text(), "flex", []string{"text", "audio"}
		r.Metadata, r.LogitBias = map[string]string{"k": g.text()}, json.RawMessage(`{"1":-1}`)
		r.Extra = map[string]json.RawMessage{"prompt_cache_key": json.RawMessage(`"k"`)}
		r.Reasoning = &chat.Reasoning{Effort: "low"}
	}
	if g.chance() {
		r.Tools = []chat.Tool{
			{Name: "f", Description: g.text(), Parameters: json.RawMessage(`{"type":"object"}`), Strict: maybe(g, g.chance())},
			{Name: "g"},
		}
		r.ParallelToolCalls = maybe(g, g.chance())
		r.ToolChoice = []*chat.ToolChoice{nil, {Mode: "auto"}, {Mode: "required"}, {Mode: "tool", Name: "f"}}[g.IntN(4)]
	}
	r.Format = []*chat.Format{
		nil, {Kind: "text"}, {Kind: "json_object"},
		{Kind: "json_schema", Name: "n", Description: g.text(), Schema: json.RawMessage(`{"type":"object"}`), Strict: maybe(g, true)},
	}[g.IntN(4)]
	for turn := range 1 + g.IntN(6) {
		r.Messages = append(r.Messages, g.turn(turn)...)
	}
	return r
}

func (g generator) turn(turn int) []chat.Message {
	switch g.IntN(4) {
	case 0:
		role := []chat.Role{chat.System, chat.Developer}[g.IntN(2)]
		return []chat.Message{{Role: role, Parts: g.texts()}}
	case 1:
		return []chat.Message{{Role: chat.User, Name: []string{"", "bo"}[g.IntN(2)], Parts: g.userParts()}}
	case 2:
		m := chat.Message{Role: chat.Assistant}
		if g.chance() {
			m.Parts = append(m.Parts, chat.Part{Kind: chat.Thinking, Text: g.text()})
		}
		if g.chance() {
			m.Parts = append(m.Parts, chat.Part{Kind: chat.Refusal, Text: g.text()})
		} else {
			m.Parts = append(m.Parts, g.texts()...)
		}
		return []chat.Message{m}
	}
	calls := chat.Message{Role: chat.Assistant}
	results := chat.Message{Role: chat.ToolRole}
	for i := range 1 + g.IntN(3) {
		id, args := fmt.Sprintf("c%d_%d", turn, i), string(encodeJSON(map[string]string{"a": g.text()}))
		calls.Parts = append(calls.Parts, chat.Part{Kind: chat.ToolCallPart, ToolCall: &chat.ToolCall{ID: id, Name: "f", Arguments: args}})
		results.Parts = append(results.Parts, chat.Part{
			Kind: chat.ToolResultPart, ToolResult: &chat.ToolResult{CallID: id, Name: "f", Parts: g.texts()},
		})
	}
	return []chat.Message{calls, results}
}

func (g generator) texts() (parts []chat.Part) {
	for range 1 + g.IntN(2) {
		parts = append(parts, chat.Part{Text: g.text()})
	}
	return parts
}

func (g generator) userParts() []chat.Part {
	parts := g.texts()
	all := []chat.Part{
		{Kind: chat.Image, Media: &chat.Media{MIME: "image/jpeg", Data: "AAAA", Detail: "high"}},
		{Kind: chat.Image, Media: &chat.Media{URL: "https://x/" + g.text()}},
		{Kind: chat.Audio, Media: &chat.Media{MIME: "audio/mpeg", Data: "BBBB"}},
		{Kind: chat.Audio, Media: &chat.Media{MIME: "audio/wav", Data: "BBBB"}},
		{Kind: chat.File, Media: &chat.Media{MIME: "application/pdf", Data: "CCCC", Filename: g.text()}},
		{Kind: chat.File, Media: &chat.Media{FileID: "file-1"}},
	}
	for range g.IntN(3) {
		parts = append(parts, all[g.IntN(len(all))])
	}
	return parts
}
