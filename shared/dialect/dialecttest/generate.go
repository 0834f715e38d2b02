package dialecttest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"

	"github.com/aigne-hub/aigne-hub/shared/chat"
)

// Generator makes random conversations within what a language can express. The
// same seed makes the same conversation.
type Generator struct {
	*rand.Rand
	can    Can
	calls  int
	caches int
}

// NewGenerator starts a generator.
func NewGenerator(can Can, seed uint64) *Generator {
	return &Generator{Rand: rand.New(rand.NewPCG(seed, 7)), can: can}
}

func (g *Generator) chance(in int) bool { return g.IntN(in) == 0 }

func (g *Generator) one(of []string) string { return of[g.IntN(len(of))] }

// Words makes a text that is hard to quote and never only white space.
func (g *Generator) Words() string {
	runes := []rune("ab \"\\/\n\t\u0000\u2028é漢🎈<&>{}[]:,'%+=")
	s := []rune{'x'}
	for range g.IntN(12) {
		s = append(s, runes[g.IntN(len(runes))])
	}
	return string(s) + fmt.Sprint(g.IntN(100))
}

func (g *Generator) cache() *chat.Cache {
	if g.caches >= g.can.Cache || !g.chance(4) {
		return nil
	}
	g.caches++
	return &chat.Cache{TTL: g.one([]string{"5m", "1h"})}
}

func (g *Generator) text() chat.Part {
	return chat.Part{Kind: chat.Text, Text: g.Words(), Cache: g.cache()}
}

func (g *Generator) texts() []chat.Part {
	parts := []chat.Part{g.text()}
	for g.can.Blocks && g.chance(3) {
		parts = append(parts, g.text())
	}
	return parts
}

// example copies one of the examples, with media of its own.
func (g *Generator) example(of []chat.Part) chat.Part {
	p := of[g.IntN(len(of))]
	if p.Media != nil {
		m := *p.Media
		p.Media = &m
	}
	return p
}

// Request makes a conversation with parameters.
func (g *Generator) Request() *chat.Request {
	r := &chat.Request{Model: "vendor/model-" + fmt.Sprint(g.IntN(9)), Stream: g.chance(2)}
	g.tools(r)
	r.Messages = g.conversation(len(r.Tools) > 0)
	g.params(r)
	return r
}

func (g *Generator) tools(r *chat.Request) {
	if !g.can.Tools || !g.chance(2) {
		return
	}
	for i := range 1 + g.IntN(3) {
		t := chat.Tool{
			Name: fmt.Sprintf("tool_%d", i), Description: g.Words(),
			Parameters: json.RawMessage(`{"type":"object","properties":{"at":{"type":"string"}}}`), Cache: g.cache(),
		}
		if g.can.BareTools && g.chance(3) {
			t.Parameters = nil
		}
		if g.can.StrictTools && g.chance(3) {
			t.Strict = new(g.chance(2))
		}
		r.Tools = append(r.Tools, t)
	}
	if n := len(g.can.Choices); n > 0 && g.chance(2) {
		c := g.can.Choices[g.IntN(n)]
		if c.Mode == "tool" {
			c.Name = r.Tools[0].Name
		}
		r.ToolChoice = &c
	}
	if g.can.ParallelOff && g.chance(3) && (r.ToolChoice == nil || r.ToolChoice.Mode != "none") {
		r.ParallelToolCalls = new(false)
	} else if g.can.ParallelOn && g.chance(3) {
		r.ParallelToolCalls = new(true)
	}
}

func (g *Generator) conversation(tools bool) []chat.Message {
	var all []chat.Message
	if g.can.Once {
		return append(all, chat.Message{Role: chat.User, Parts: []chat.Part{g.text()}})
	}
	if g.chance(2) {
		all = append(all, g.instruction())
	}
	for range 1 + g.IntN(3) {
		if g.can.LateSystem && g.chance(4) {
			all = append(all, g.instruction())
		}
		all = append(all, g.user())
		if g.chance(3) {
			continue // two turns of the user
		}
		answer := chat.Message{Role: chat.Assistant, Parts: g.said(tools)}
		all = append(all, answer)
		if results := g.results(answer.Parts); results != nil {
			all = append(all, *results)
		}
	}
	if all[len(all)-1].Role == chat.Assistant || !g.can.Blocks && g.chance(2) {
		all = append(all, g.user())
	}
	return g.joined(all)
}

// joined merges turns of one user that follow each other where the language
// has no way to keep them apart.
func (g *Generator) joined(all []chat.Message) []chat.Message {
	if g.can.Turns {
		return all
	}
	out := all[:0:0]
	for _, m := range all {
		if n := len(out); n > 0 && out[n-1].Role == m.Role && m.Role == chat.User {
			continue
		}
		out = append(out, m)
	}
	return out
}

func (g *Generator) instruction() chat.Message {
	role := chat.System
	if g.can.Developer && g.chance(2) {
		role = chat.Developer
	}
	return chat.Message{Role: role, Parts: g.texts()}
}

func (g *Generator) user() chat.Message {
	m := chat.Message{Role: chat.User, Parts: g.texts()}
	for len(g.can.Media) > 0 && g.chance(2) {
		p := g.example(g.can.Media)
		if p.Kind != chat.Raw {
			p.Cache = g.cache()
		}
		m.Parts = append(m.Parts, p)
	}
	if g.can.Names && g.chance(4) {
		m.Name = "ada"
	}
	return m
}

// said makes an assistant's parts.
func (g *Generator) said(tools bool) []chat.Part {
	var parts []chat.Part
	for g.chance(2) {
		p, ok := g.thought()
		if n := len(parts); n > 0 && p.Signature == "" && parts[n-1].Signature == "" {
			ok = false // plain thoughts that follow each other are one
		}
		if ok {
			parts = append(parts, p)
		}
		if !g.can.Ordered && g.chance(2) {
			break
		}
	}
	switch {
	case g.can.Refusals && g.chance(6):
		return append(parts, chat.Part{Kind: chat.Refusal, Text: g.Words()})
	case !tools || !g.chance(3):
		parts = append(parts, chat.Part{Kind: chat.Text, Text: g.Words()})
	}
	n := g.IntN(3)
	if !tools {
		n = 0
	} else if len(parts) == 0 || parts[len(parts)-1].Kind != chat.Text {
		n++
	}
	for range n {
		parts = append(parts, g.call())
	}
	return parts
}

func (g *Generator) thought() (p chat.Part, ok bool) {
	switch g.IntN(3) {
	case 0:
		if !g.can.Thinking {
			return p, false
		}
		p = chat.Part{Kind: chat.Thinking, Text: g.Words()}
	case 1:
		if len(g.can.Signed) == 0 {
			return p, false
		}
		p = chat.Part{Kind: chat.Thinking, Text: g.Words(), Signature: fmt.Sprintf("c2ln%04d", g.IntN(1000)), SignedBy: g.one(g.can.Signed)}
	default:
		if len(g.can.Sealed) == 0 {
			return p, false
		}
		p = chat.Part{Kind: chat.RedactedThinking, Signature: fmt.Sprintf("b3Ah%04d", g.IntN(1000)), SignedBy: g.one(g.can.Sealed)}
	}
	if g.can.PartIDs && p.Signature != "" && p.SignedBy != chat.SignedGoogle && g.chance(2) { // Google names calls only
		p.ID = fmt.Sprintf("rs_%d", g.Int())
	}
	return p, true
}

func (g *Generator) call() chat.Part {
	g.calls++
	args, _ := json.Marshal(map[string]any{"at": g.Words(), "n": g.IntN(9)}) // strings and numbers always encode
	if g.chance(4) {
		args = []byte("{}")
	}
	p := chat.Part{Kind: chat.ToolCallPart, ToolCall: &chat.ToolCall{ID: fmt.Sprintf("call_%d", g.calls), Name: "tool_0", Arguments: string(args)}}
	if g.can.SignedCalls && g.chance(3) {
		p.Signature, p.SignedBy = fmt.Sprintf("Y2Fs%04d", g.IntN(1000)), chat.SignedGoogle
	}
	return p
}

func (g *Generator) results(parts []chat.Part) *chat.Message {
	m := chat.Message{Role: chat.ToolRole}
	for _, c := range chat.ToolCalls(parts) {
		r := &chat.ToolResult{CallID: c.ID, Parts: []chat.Part{{Kind: chat.Text, Text: g.Words()}}}
		if g.can.ResultNames {
			r.Name = c.Name
		}
		if g.can.ResultErrors {
			r.IsError = g.chance(4)
		}
		if len(g.can.ResultMedia) > 0 && g.chance(3) {
			r.Parts = append(r.Parts, g.example(g.can.ResultMedia))
		}
		p := chat.Part{Kind: chat.ToolResultPart, ToolResult: r}
		if g.can.CachedResult {
			p.Cache = g.cache()
		}
		m.Parts = append(m.Parts, p)
	}
	if m.Parts == nil {
		return nil
	}
	return &m
}
