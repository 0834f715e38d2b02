package dialecttest

import (
	"encoding/json"
	"fmt"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// Response makes a whole answer.
func (g *Generator) Response() *chat.Response {
	res := &chat.Response{ID: fmt.Sprintf("%s%d", g.can.IDPrefix, g.Int32()), Model: "model-1", UsageKnown: true}
	if g.can.Created {
		res.Created = 1 + g.Int64N(2e9)
	}
	for _, b := range g.can.Usage {
		res.Usage[hub.Bucket(b)] = g.Int64N(1000)
	}
	for i := range 1 + g.IntN(max(1, g.can.Answers)) {
		res.Choices = append(res.Choices, g.choice(i))
	}
	return res
}

func (g *Generator) choice(index int) chat.Choice {
	ch := chat.Choice{Index: index, Parts: g.said(g.can.Tools)}
	if n := len(g.can.Made); n > 0 && g.chance(4) && len(chat.ToolCalls(ch.Parts)) == 0 {
		ch.Parts = append(ch.Parts, g.example(g.can.Made))
	}
	for i := range ch.Parts {
		if ch.Parts[i].Kind == chat.Text && g.can.Annotations && g.chance(3) {
			ch.Parts[i].Annotations = json.RawMessage(fmt.Sprintf(
				`[{"type":"url_citation","url_citation":{"end_index":%d,"start_index":0,"title":"T","url":"https://x.example/a"}}]`, len([]rune(ch.Parts[i].Text))))
		}
	}
	end := g.can.Called
	if len(chat.ToolCalls(ch.Parts)) == 0 {
		end = chat.Choice{Finish: chat.FinishStop}
		if n := len(g.can.Finishes); n > 0 {
			end = g.can.Finishes[g.IntN(n)]
		}
	}
	ch.Finish, ch.Native, ch.StopSequence = end.Finish, end.Native, end.StopSequence
	if g.can.Logprobs && g.chance(4) && chat.TextOf(ch.Parts, chat.Text) != "" {
		ch.Logprobs = json.RawMessage(`{"content":[{"token":"x","logprob":-0.5,"bytes":[120],"top_logprobs":[]}],"refusal":null}`)
	}
	return ch
}

// Events cuts an answer into the events of a stream, at random places.
func (g *Generator) Events(res *chat.Response) []chat.Event {
	evs := []chat.Event{{Kind: chat.EventStart, ID: res.ID, Model: res.Model, Created: res.Created}}
	for i := range res.Choices {
		ch := &res.Choices[i]
		calls, thoughts := 0, 0
		for j := range ch.Parts {
			evs = g.pieces(evs, ch.Index, &ch.Parts[j], &calls, &thoughts)
			if ch.Logprobs != nil && ch.Parts[j].Kind == chat.Text { // there is one text
				evs = append(evs, chat.Event{Kind: chat.EventLogprobs, Choice: ch.Index, Raw: ch.Logprobs})
			}
		}
		evs = append(evs, chat.Event{Kind: chat.EventFinish, Choice: ch.Index, Finish: ch.Finish, Native: ch.Native, StopSequence: ch.StopSequence})
	}
	return append(evs, chat.Event{Kind: chat.EventUsage, Usage: res.Usage})
}

func (g *Generator) pieces(evs []chat.Event, choice int, p *chat.Part, calls, thoughts *int) []chat.Event {
	add := func(ev chat.Event) {
		ev.Choice = choice
		evs = append(evs, ev)
	}
	cut := func(ev chat.Event, s string) {
		for r := []rune(s); len(r) > 0; {
			n := g.IntN(len(r)) + 1
			ev.Text, r = string(r[:n]), r[n:]
			add(ev)
		}
	}
	switch p.Kind {
	case chat.Text:
		cut(chat.Event{Kind: chat.EventText}, p.Text)
		if p.Annotations != nil {
			add(chat.Event{Kind: chat.EventAnnotation, Raw: p.Annotations})
		}
	case chat.Refusal:
		cut(chat.Event{Kind: chat.EventRefusal}, p.Text)
	case chat.Thinking:
		cut(chat.Event{Kind: chat.EventThinking, Index: *thoughts, ItemID: p.ID, SignedBy: p.SignedBy}, p.Text)
		if p.Signature != "" {
			add(chat.Event{Kind: chat.EventSignature, Index: *thoughts, Text: p.Signature, SignedBy: p.SignedBy, ItemID: p.ID})
		}
		*thoughts++
	case chat.RedactedThinking:
		add(chat.Event{Kind: chat.EventRedacted, Index: *thoughts, Text: p.Signature, SignedBy: p.SignedBy, ItemID: p.ID})
		*thoughts++
	case chat.ToolCallPart:
		add(chat.Event{Kind: chat.EventToolCall, Index: *calls, ID: p.ToolCall.ID, Name: p.ToolCall.Name, ItemID: p.ID})
		cut(chat.Event{Kind: chat.EventToolArgs, Index: *calls}, p.ToolCall.Arguments)
		if p.Signature != "" {
			add(chat.Event{Kind: chat.EventSignature, Index: *calls, Tool: true, Text: p.Signature, SignedBy: p.SignedBy})
		}
		*calls++
	case chat.Image, chat.Audio, chat.File:
		add(chat.Event{Kind: chat.EventMedia, Media: p.Media})
	}
	return evs
}
