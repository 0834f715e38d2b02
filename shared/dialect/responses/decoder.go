package responses

import (
	"encoding/json"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// Decode reads a whole answer.
func (c Client) Decode(body []byte, _ dialect.Quirks) (*chat.Response, error) {
	var r responseIn
	if err := json.Unmarshal(body, &r); err != nil {
		return nil, unreadable()
	}
	if err := c.failed(&r, body); err != nil {
		return nil, err
	}
	d := c.decoder()
	d.start(&r)
	for i := range r.Output {
		d.done(i, &r.Output[i])
	}
	d.finish(&r)
	var all chat.Collector
	for _, ev := range d.events {
		all.Add(ev)
	}
	res := all.Response()
	res.ServiceTier = r.Tier
	return res, nil
}

// Decoder reads a streamed answer.
func (c Client) Decoder(dialect.Quirks) dialect.Decoder {
	return c.decoder()
}

func (c Client) decoder() *decoder {
	return &decoder{client: c, items: map[int]*openItem{}, callIDs: map[string]int{}}
}

type decoder struct {
	client Client
	events []chat.Event
	items  map[int]*openItem // by output_index

	started, ended  bool
	calls, thoughts int
	callIDs         map[string]int // the calls begun, by their id
	searches        int
}

// openItem is what a decoder remembers of an output item.
type openItem struct {
	index   int // of the call, or of the thought
	known   bool
	text    bool // text was streamed
	refusal bool
	args    bool
	parts   int // of a summary begun
}

// eventIn is any event of the stream.
type eventIn struct {
	Type     string      `json:"type"`
	Response *responseIn `json:"response"`
	Item     *itemIn     `json:"item"`
	Output   int         `json:"output_index"`
	ItemID   string      `json:"item_id"`
	Delta    string      `json:"delta"`
	Part     *partIn     `json:"part"`
}

// Frame reads one event. The events are valid until the next call.
func (d *decoder) Frame(frame []byte) ([]chat.Event, error) {
	d.events = d.events[:0]
	event, data := wire.Data(frame)
	if len(data) == 0 || data[0] != '{' {
		return nil, nil
	}
	var in eventIn
	kind := firstOf(event, wordOf(wire.Member(data, "type")))
	if kind == "error" || kind == "response.failed" || kind == "" && !absent(wire.Member(data, "error")) {
		return nil, d.client.broken(data)
	}
	if err := json.Unmarshal(data, &in); err != nil {
		return nil, unreadable()
	}
	err := d.event(kind, &in, data)
	if err != nil {
		return d.events, err
	}
	return d.events, nil
}

// End: the answer's closing event was met.
func (d *decoder) End() bool { return d.ended }

func (d *decoder) event(kind string, in *eventIn, data []byte) error {
	switch kind {
	case "response.created", "response.in_progress":
		if in.Response != nil {
			d.start(in.Response)
		}
	case "response.output_item.added":
		if in.Item != nil {
			d.added(in.Output, in.Item)
		}
	case "response.output_text.delta":
		d.item(in.Output).text = true
		d.emit(chat.Event{Kind: chat.EventText, Text: in.Delta})
	case "response.refusal.delta":
		d.item(in.Output).refusal = true
		d.emit(chat.Event{Kind: chat.EventRefusal, Text: in.Delta})
	case "response.reasoning_summary_part.added":
		it := d.thought(in.Output)
		if it.parts++; it.parts > 1 {
			d.emit(chat.Event{Kind: chat.EventThinking, Index: it.index, Text: summaryGap, ItemID: in.ItemID, SignedBy: chat.SignedOpenAI})
		}
	case "response.reasoning_summary_text.delta", "response.reasoning_text.delta":
		it := d.thought(in.Output)
		it.text = true
		d.emit(chat.Event{Kind: chat.EventThinking, Index: it.index, Text: in.Delta, ItemID: in.ItemID, SignedBy: chat.SignedOpenAI})
	case "response.function_call_arguments.delta":
		it := d.item(in.Output)
		it.args = true
		d.emit(chat.Event{Kind: chat.EventToolArgs, Index: it.index, Text: in.Delta})
	case "response.output_item.done":
		if in.Item != nil {
			d.done(in.Output, in.Item)
		}
	case "response.completed", "response.incomplete":
		if in.Response == nil {
			return unreadable()
		}
		if err := d.client.failed(in.Response, wire.Member(data, "response")); err != nil {
			return err
		}
		d.start(in.Response)
		d.rest(in.Response)
		d.finish(in.Response)
	}
	return nil
}

func (d *decoder) emit(ev chat.Event) { d.events = append(d.events, ev) }

func (d *decoder) start(r *responseIn) {
	if d.started {
		return
	}
	d.started = true
	d.emit(chat.Event{Kind: chat.EventStart, ID: r.ID, Model: r.Model, Created: int64(min(max(r.Created, 0), maxTokens))})
}

func (d *decoder) item(output int) *openItem {
	it := d.items[output]
	if it == nil {
		it = &openItem{}
		d.items[output] = it
	}
	return it
}

func (d *decoder) thought(output int) *openItem {
	it := d.item(output)
	if !it.known {
		it.known, it.index = true, d.thoughts
		d.thoughts++
	}
	return it
}

// added begins an item. Freeform calls wait for their end: their input is text,
// which becomes the one argument.
func (d *decoder) added(output int, in *itemIn) *openItem {
	switch in.Type {
	case "function_call", "custom_tool_call":
		it := d.item(output)
		if !it.known {
			it.known, it.index = true, d.calls
			d.calls++
			d.callIDs[firstOf(in.CallID, in.ID)] = it.index
			d.emit(chat.Event{Kind: chat.EventToolCall, Index: it.index, ID: firstOf(in.CallID, in.ID),
				Name: flatName(in.Namespace, in.Name), ItemID: in.ID})
		}
		return it
	case "reasoning":
		return d.thought(output)
	}
	return d.item(output)
}

// done completes an item with what its deltas did not bring.
func (d *decoder) done(output int, in *itemIn) {
	_, before := d.items[output]
	it := d.added(output, in)
	switch in.Type {
	case "message":
		d.message(it, in)
	case "function_call":
		if !it.args && in.Arguments != "" {
			d.emit(chat.Event{Kind: chat.EventToolArgs, Index: it.index, Text: in.Arguments})
		}
	case "custom_tool_call":
		d.emit(chat.Event{Kind: chat.EventToolArgs, Index: it.index, Text: freeform(in.Input)})
	case "reasoning":
		if text := in.thought(); !it.text && text != "" {
			d.emit(chat.Event{Kind: chat.EventThinking, Index: it.index, Text: text, ItemID: in.ID, SignedBy: chat.SignedOpenAI})
		}
		d.signature(it, in)
	case "image_generation_call":
		if in.Result != "" && !it.text {
			it.text = true
			d.emit(chat.Event{Kind: chat.EventMedia, Media: &chat.Media{MIME: "image/png", Data: in.Result}})
		}
	case "web_search_call":
		if !before || !it.known {
			it.known = true
			d.searches++
		}
	}
	it.args, it.text, it.refusal = true, true, true // told once
}

// signature gives on what a thought is sealed with, unsealed where the provider
// is a hub itself: it may be another vendor's, or belong to a call.
func (d *decoder) signature(it *openItem, in *itemIn) {
	if in.Encrypted == "" {
		return
	}
	sig := unseal(in.Encrypted)
	ev := chat.Event{Kind: chat.EventSignature, Index: it.index, Text: sig.text, SignedBy: sig.vendor, ItemID: in.ID}
	switch sig.kind {
	case signedRedacted:
		ev.Kind = chat.EventRedacted
	case signedCall:
		call, known := d.callIDs[sig.call]
		if !known {
			return
		}
		ev.Tool, ev.Index, ev.ItemID = true, call, ""
	}
	if ev.Text != "" { // empty: a hub's mark of a thought that nobody signed
		d.emit(ev)
	}
}

func (d *decoder) message(it *openItem, in *itemIn) {
	for _, p := range in.parts() {
		switch {
		case p.Type == "refusal" && !it.refusal && p.Refusal != "":
			d.emit(chat.Event{Kind: chat.EventRefusal, Text: p.Refusal})
		case p.Type == "output_text":
			if !it.text && p.Text != "" {
				d.emit(chat.Event{Kind: chat.EventText, Text: p.Text})
			}
			if notes := chatAnnotations(p.Annotations); notes != nil {
				d.emit(chat.Event{Kind: chat.EventAnnotation, Raw: notes})
			}
			if len(p.Logprobs) > 2 && p.Logprobs[0] == '[' {
				d.emit(chat.Event{Kind: chat.EventLogprobs, Raw: encodeJSON(map[string]any{"content": p.Logprobs, "refusal": nil})})
			}
		}
	}
}

// rest gives on items that only the closing event holds.
func (d *decoder) rest(r *responseIn) {
	for i := range r.Output {
		if _, told := d.items[i]; !told {
			d.done(i, &r.Output[i])
		}
	}
}

func (d *decoder) finish(r *responseIn) {
	if d.ended {
		return
	}
	d.ended = true
	d.emit(chat.Event{Kind: chat.EventFinish, Finish: d.finishFor(r), Native: r.native()})
	if u, known := r.Usage.buckets(r.searches()); known {
		d.emit(chat.Event{Kind: chat.EventUsage, Usage: u})
	}
}

func (d *decoder) finishFor(r *responseIn) chat.Finish {
	if r.Status == "incomplete" {
		switch r.Incomplete.Reason {
		case "content_filter":
			return chat.FinishContentFilter
		default: // max_output_tokens is the only other reason there is
			return chat.FinishLength
		}
	}
	if d.calls > 0 {
		return chat.FinishToolCalls
	}
	return chat.FinishStop
}

// freeform is the arguments that stand for a freeform tool's input.
func freeform(input string) string {
	return string(encodeJSON(map[string]string{freeformField: input}))
}

// chatAnnotations rewrites citations in the form of chat completions, nil when
// there are none.
func chatAnnotations(raw json.RawMessage) json.RawMessage {
	var out []any
	wire.EachElement(raw, func(note []byte) bool {
		if wordOf(wire.Member(note, "type")) != "url_citation" {
			return true // files of the provider's own store: no such thing elsewhere
		}
		cite := map[string]json.RawMessage{}
		wire.EachMember(note, func(key string, value []byte) bool {
			if key != "type" {
				cite[key] = value
			}
			return true
		})
		out = append(out, map[string]any{"type": "url_citation", "url_citation": cite})
		return true
	})
	if out == nil {
		return nil
	}
	return encodeJSON(out)
}

// annotations rewrites citations of chat completions in this language's form.
func annotations(raw json.RawMessage) []json.RawMessage {
	out := []json.RawMessage{}
	wire.EachElement(raw, func(note []byte) bool {
		inner := wire.Member(note, "url_citation")
		if inner == nil || !strings.HasPrefix(string(inner), "{") {
			out = append(out, json.RawMessage(note))
			return true
		}
		cite := map[string]json.RawMessage{"type": json.RawMessage(`"url_citation"`)}
		wire.EachMember(inner, func(key string, value []byte) bool {
			cite[key] = value
			return true
		})
		out = append(out, encodeJSON(cite))
		return true
	})
	return out
}
