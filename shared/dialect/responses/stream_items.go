package responses

import (
	"encoding/json"
	"regexp"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// add gives an item its place and announces it.
func (e *encoder) add(dst []byte, it *itemOut) ([]byte, int) {
	at := len(e.out.Output)
	e.out.Output = append(e.out.Output, it)
	return e.frame(dst, "response.output_item.added", map[string]any{"output_index": at, "item": it}), at
}

func (e *encoder) done(dst []byte, it *itemOut, at int) []byte {
	if it.Status != "" {
		it.Status = "completed"
		if e.cutOff(it) {
			it.Status = "incomplete"
		}
	}
	return e.frame(dst, "response.output_item.done", map[string]any{"output_index": at, "item": it})
}

// cutOff reports whether an item ends because the answer had to: a message that
// is open then, or a call whose arguments are no whole JSON.
func (e *encoder) cutOff(it *itemOut) bool {
	if e.finish != chat.FinishLength && e.finish != chat.FinishContentFilter {
		return false
	}
	return !it.refuses() && (it.Arguments == nil || !json.Valid([]byte(*it.Arguments)))
}

// refuses reports whether a message ends in a refusal that the model worded.
func (it *itemOut) refuses() bool {
	return it.Content != nil && len(*it.Content) > 0 && (*it.Content)[len(*it.Content)-1].Type == "refusal"
}

// say appends a piece of a message's text or refusal.
func (e *encoder) say(dst []byte, kind, text string) []byte {
	if text == "" {
		return dst
	}
	if e.open == nil || e.open.Type != "message" {
		dst = e.close(dst)
		e.open = &itemOut{ID: e.itemID("msg_"), Type: "message", Status: "in_progress", Role: "assistant", Content: &[]*partOut{}}
		dst, e.openAt = e.add(dst, e.open)
	}
	if e.part == nil || e.part.Type != kind {
		dst = e.openPart(e.closePart(dst), kind)
	}
	e.text = append(e.text, text...)
	if kind == "refusal" {
		return e.delta(dst, "response.refusal.delta", e.open, e.openAt, "content_index", len(*e.open.Content), text, "")
	}
	return e.delta(dst, "response.output_text.delta", e.open, e.openAt, "content_index", len(*e.open.Content), text, `,"logprobs":[]`)
}

func (e *encoder) openPart(dst []byte, kind string) []byte {
	empty := ""
	if kind == "refusal" {
		e.part = &partOut{Type: kind, Refusal: &empty}
	} else {
		e.part = textPart("")
	}
	return e.frame(dst, "response.content_part.added", map[string]any{
		"item_id": e.open.ID, "output_index": e.openAt, "content_index": len(*e.open.Content), "part": e.part,
	})
}

// closePart ends the open piece of a message and makes it part of the answer.
func (e *encoder) closePart(dst []byte) []byte {
	if e.part == nil {
		return dst
	}
	text, p := string(e.text), e.part
	fields := map[string]any{"item_id": e.open.ID, "output_index": e.openAt, "content_index": len(*e.open.Content)}
	if p.Type == "refusal" {
		p.Refusal = &text
		fields["refusal"] = text
		dst = e.frame(dst, "response.refusal.done", fields)
	} else {
		p.Text = &text
		if probs := e.logprobs; probs != nil {
			p.Logprobs, e.logprobs = &probs, nil
		}
		fields["text"], fields["logprobs"] = text, *p.Logprobs
		dst = e.frame(dst, "response.output_text.done", fields)
	}
	dst = e.frame(dst, "response.content_part.done", map[string]any{
		"item_id": e.open.ID, "output_index": e.openAt, "content_index": len(*e.open.Content), "part": p,
	})
	*e.open.Content = append(*e.open.Content, p)
	if p.Type == "output_text" {
		e.said = place{e.open.ID, e.openAt, len(*e.open.Content) - 1, p}
	}
	e.part, e.text = nil, nil
	return dst
}

// think appends a piece of a thought, which is told as a summary.
func (e *encoder) think(dst []byte, ev chat.Event) []byte {
	dst = e.openThought(dst, ev)
	if ev.Text == "" {
		return dst
	}
	if e.text == nil {
		empty := ""
		place := map[string]any{"item_id": e.open.ID, "output_index": e.openAt, "summary_index": 0}
		dst = e.frame(dst, "response.reasoning_summary_part.added", with(place, "part", &partOut{Type: "summary_text", Text: &empty}))
	}
	e.text = append(e.text, ev.Text...)
	return e.delta(dst, "response.reasoning_summary_text.delta", e.open, e.openAt, "summary_index", 0, ev.Text, "")
}

func with(fields map[string]any, key string, value any) map[string]any {
	out := make(map[string]any, len(fields)+3)
	for k, v := range fields {
		out[k] = v
	}
	out[key] = value
	return out
}

func (e *encoder) openThought(dst []byte, ev chat.Event) []byte {
	if e.open != nil && e.open.Type == "reasoning" && e.thought == ev.Index {
		return dst
	}
	dst = e.close(dst)
	e.thought = ev.Index
	e.open = &itemOut{ID: thoughtID(ev.ItemID, e.itemID("rs_")), Type: "reasoning", Summary: &[]*partOut{}}
	dst, e.openAt = e.add(dst, e.open)
	return dst
}

var plainThoughtID = regexp.MustCompile(`^rs_[A-Za-z0-9_-]+$`)

// thoughtID is the id that a thought came with, if it is one of this language.
func thoughtID(given, own string) string {
	if plainThoughtID.MatchString(given) {
		return given
	}
	return own
}

// sign seals a thought's signature into it; that of a call travels in a
// reasoning item of its own.
func (e *encoder) sign(dst []byte, ev chat.Event) []byte {
	if ev.Text == "" {
		return dst
	}
	if ev.Tool {
		c := e.calls[ev.Index]
		if c == nil {
			return dst
		}
		return e.sealed(e.close(dst), "", signature{vendor: ev.SignedBy, kind: signedCall, call: c.item.CallID, text: ev.Text})
	}
	dst = e.openThought(dst, ev)
	before := ""
	if e.open.Encrypted != "" {
		before = unseal(e.open.Encrypted).text
	}
	e.open.Encrypted = signature{vendor: ev.SignedBy, kind: signedThought, text: before + ev.Text}.seal()
	return dst
}

// sealed gives a reasoning item that holds nothing to read.
func (e *encoder) sealed(dst []byte, id string, s signature) []byte {
	it := &itemOut{ID: thoughtID(id, e.itemID("rs_")), Type: "reasoning", Summary: &[]*partOut{}, Encrypted: s.seal()}
	dst, at := e.add(dst, it)
	return e.done(dst, it, at)
}

// close ends the open message or thought.
func (e *encoder) close(dst []byte) []byte {
	if e.open == nil {
		return dst
	}
	if e.open.Type == "message" {
		dst = e.closePart(dst)
	} else if e.text != nil {
		text := string(e.text)
		p := &partOut{Type: "summary_text", Text: &text}
		place := map[string]any{"item_id": e.open.ID, "output_index": e.openAt, "summary_index": 0}
		dst = e.frame(dst, "response.reasoning_summary_text.done", with(place, "text", text))
		dst = e.frame(dst, "response.reasoning_summary_part.done", with(place, "part", p))
		*e.open.Summary = append(*e.open.Summary, p)
	}
	if e.open.Type == "reasoning" && e.open.Encrypted == "" {
		// Unsigned: marked all the same, since OpenAI looks for unsealed thoughts on
		// its own shelf and refuses those that it does not find.
		e.open.Encrypted = signature{kind: signedThought}.seal()
	}
	dst = e.done(dst, e.open, e.openAt)
	e.open, e.text = nil, nil
	return dst
}

// call begins a call, under the caller's own name for the tool.
func (e *encoder) call(dst []byte, ev chat.Event) []byte {
	if e.calls[ev.Index] != nil {
		return dst
	}
	dst = e.close(dst)
	t, known := e.tools[ev.Name]
	if !known {
		t = tool{name: ev.Name}
	}
	empty := ""
	it := &itemOut{Type: "function_call", Status: "in_progress", CallID: firstOf(ev.ID, newID("call_")), Namespace: t.namespace, Name: t.name}
	if t.custom {
		it.ID, it.Type, it.Input = e.itemID("ctc_"), "custom_tool_call", &empty
	} else {
		it.ID, it.Arguments = e.itemID("fc_"), &empty
	}
	c := &call{item: it, tool: t}
	dst, c.at = e.add(dst, it)
	e.calls[ev.Index] = c
	e.order = append(e.order, ev.Index)
	return dst
}

// args appends a piece of a call's arguments. A freeform tool's input can be
// told only once it is whole.
func (e *encoder) args(dst []byte, ev chat.Event) []byte {
	c := e.calls[ev.Index]
	if c == nil || ev.Text == "" {
		return dst
	}
	c.args = append(c.args, ev.Text...)
	if c.tool.custom {
		return dst
	}
	return e.delta(dst, "response.function_call_arguments.delta", c.item, c.at, "", 0, ev.Text, "")
}

func (e *encoder) closeAll(dst []byte) []byte {
	dst = e.close(dst)
	for _, i := range e.order {
		dst = e.closeCall(dst, e.calls[i])
	}
	e.order = nil
	return dst
}

func (e *encoder) closeCall(dst []byte, c *call) []byte {
	place := map[string]any{"item_id": c.item.ID, "output_index": c.at}
	if c.tool.custom {
		input := freeformInput(c.args)
		c.item.Input = &input
		dst = e.frame(dst, "response.custom_tool_call_input.delta", with(place, "delta", input))
		dst = e.frame(dst, "response.custom_tool_call_input.done", with(place, "input", input))
		return e.done(dst, c.item, c.at)
	}
	args := firstOf(string(c.args), "{}")
	c.item.Arguments = &args
	if len(c.args) == 0 {
		dst = e.frame(dst, "response.function_call_arguments.delta", with(place, "delta", args))
	}
	dst = e.frame(dst, "response.function_call_arguments.done", with(with(place, "arguments", args), "name", c.item.Name))
	return e.done(dst, c.item, c.at)
}

// freeformInput takes the text out of the one argument; a model that sent
// something else is given on as it spoke.
func freeformInput(args []byte) string {
	var in map[string]json.RawMessage
	if json.Unmarshal(args, &in) == nil {
		if raw, ok := in[freeformField]; ok && len(raw) > 0 && raw[0] == '"' {
			return wire.Text(raw)
		}
	}
	return string(args)
}

// media gives a picture as OpenAI's own tool would; what has no data becomes a
// link in the text.
func (e *encoder) media(dst []byte, m *chat.Media) []byte {
	switch {
	case m == nil:
		return dst
	case m.Data == "" || len(m.MIME) > 6 && m.MIME[:6] == "audio/":
		return e.say(dst, "output_text", mediaText(m))
	}
	dst = e.close(dst)
	it := &itemOut{ID: e.itemID("ig_"), Type: "image_generation_call", Status: "in_progress"}
	dst, at := e.add(dst, it)
	it.Result = m.Data
	return e.done(dst, it, at)
}
