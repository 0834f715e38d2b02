package dialecttest

import (
	"encoding/json"

	"github.com/aigne-hub/aigne-hub/shared/chat"
)

// setting is one canonical parameter: how to give it a value that is not its
// default. Names are OpenAI's, as in chat.Request.Names.
type setting struct {
	name string
	set  func(g *Generator, r *chat.Request)
}

var settings = []setting{
	{"max_completion_tokens", func(g *Generator, r *chat.Request) { r.MaxOutput = new(2048 + g.Int64N(5000)) }},
	{"temperature", func(g *Generator, r *chat.Request) { r.Temperature = new(float64(g.IntN(9)) / 10) }},
	{"top_p", func(g *Generator, r *chat.Request) { r.TopP = new(float64(1+g.IntN(8)) / 10) }},
	{"top_k", func(g *Generator, r *chat.Request) { r.TopK = new(1 + g.Int64N(50)) }},
	{"frequency_penalty", func(g *Generator, r *chat.Request) { r.FrequencyPenalty = new(float64(1+g.IntN(9)) / 10) }},
	{"presence_penalty", func(g *Generator, r *chat.Request) { r.PresencePenalty = new(-float64(1+g.IntN(9)) / 10) }},
	{"stop", func(g *Generator, r *chat.Request) { r.Stop = []string{"END", "x" + g.Words()} }},
	{"seed", func(g *Generator, r *chat.Request) { r.Seed = new(g.Int64N(1 << 31)) }},
	{"n", func(g *Generator, r *chat.Request) { r.N = new(2 + g.Int64N(3)) }},
	{"logprobs", func(_ *Generator, r *chat.Request) { r.Logprobs = new(true) }},
	{"top_logprobs", func(g *Generator, r *chat.Request) { r.Logprobs, r.TopLogprobs = new(true), new(1+g.Int64N(5)) }},
	{"logit_bias", func(_ *Generator, r *chat.Request) { r.LogitBias = json.RawMessage(`{"50256":-100}`) }},
	{"service_tier", func(g *Generator, r *chat.Request) { r.ServiceTier = g.one([]string{"auto", "default"}) }},
	{"user", func(g *Generator, r *chat.Request) { r.User = "user-" + g.one([]string{"1", "2"}) }},
	{"metadata", func(g *Generator, r *chat.Request) { r.Metadata = map[string]string{"k": g.Words()} }},
	{"modalities", func(_ *Generator, r *chat.Request) { r.Modalities = []string{"text", "audio"} }},
}

func (g *Generator) params(r *chat.Request) {
	for _, s := range settings {
		if g.can.param(s.name) && g.chance(3) {
			s.set(g, r)
		}
	}
	if n := len(g.can.Formats); n > 0 && g.chance(3) {
		f := g.can.Formats[g.IntN(n)]
		r.Format = &f
	}
	if n := len(g.can.Reasons); n > 0 && g.chance(3) {
		x := g.can.Reasons[g.IntN(n)]
		r.Reasoning = &x
	}
}
