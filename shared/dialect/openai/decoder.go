package openai

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// structuredTool is the function that stands in for a JSON schema where a
// vendor has none: its arguments are the answer's text.
const structuredTool = "hub_structured_answer"

// Decode reads a whole answer.
func (c Client) Decode(body []byte, q dialect.Quirks) (*chat.Response, error) {
	d := c.decoder(q)
	d.whole = true
	if err := d.look("", bytes.TrimSpace(body)); err != nil {
		return nil, err
	}
	if len(d.choices) == 0 {
		return nil, &hub.Error{
			Code: hub.CodeUpstream, Class: hub.ClassRetry,
			Message: "The provider sent an answer without choices.",
		}
	}
	for i := range d.choices {
		if !d.choices[i].finished {
			d.finish(&d.choices[i], "")
		}
	}
	var all chat.Collector
	for _, ev := range d.events {
		all.Add(ev)
	}
	res := all.Response()
	res.ServiceTier = d.tier
	return res, nil
}

// Decoder reads a streamed answer.
func (c Client) Decoder(q dialect.Quirks) dialect.Decoder { return c.decoder(q) }

func (c Client) decoder(q dialect.Quirks) *decoder {
	d := &decoder{client: c, quirks: q}
	d.reader.each = d.choice
	d.onCall = d.call
	return d
}

type decoder struct {
	client Client
	quirks dialect.Quirks
	reader reader
	whole  bool

	events      []chat.Event
	choices     []openChoice
	at          *openChoice // the choice in hand
	id, tier    string
	choiceUsage []byte
	started     bool
	done        bool
	failed      bool
	sources     json.RawMessage // what the answer rests on, as annotations

	scratch callDelta
	onCall  func(*callDelta)
}

// openChoice is what a decoder remembers of one choice.
type openChoice struct {
	index    int
	calls    []openCall
	visible  int // calls given on as calls
	thought  int // thinking parts begun
	plain    int // 1 + the last of them that came as plain text and is not signed; 0: none
	details  []openDetail
	thinking bool // the last piece was thinking
	finished bool
}

type openCall struct {
	wire     int64 // the index it has on the wire
	id, name string
	args     string // pieces that came before the name
	number   int    // its index among the calls given on
	started  bool
	text     bool // the structured answer
}

// Frame reads one event. The events are valid until the next call.
func (d *decoder) Frame(frame []byte) ([]chat.Event, error) {
	d.events = d.events[:0]
	event, data := wire.Data(frame)
	data = bytes.TrimSpace(data)
	switch {
	case len(data) == 0:
		return nil, nil
	case event == "" && d.known(data):
		return d.events, nil
	case bytes.Equal(data, doneMarker):
		d.done = true
		return nil, nil
	case skippable(event, data):
		return nil, nil
	}
	err := d.look(event, data)
	if len(d.events) == 0 {
		return nil, err
	}
	return d.events, err
}

// known reads a content chunk of the shape of the one before. What stands
// around the text has been found valid then; the text is checked here.
func (d *decoder) known(data []byte) bool {
	shape := &d.reader.shape
	text, ok := shape.match(data)
	if !ok || !json.Valid(text) {
		return false
	}
	d.at = d.open(shape.choice)
	switch {
	case shape.kind == holeCall:
		d.scratch = shape.call
		d.scratch.args = some(text)
		d.call(&d.scratch)
	case isString(text):
		d.piece(text, shape.kind == holeThinking)
	}
	return true
}

// End: the end marker was met, or every choice has its finish.
func (d *decoder) End() bool {
	if d.failed {
		return false
	}
	for i := range d.choices {
		if !d.choices[i].finished {
			return d.done
		}
	}
	return d.done || len(d.choices) > 0
}

// look reads one JSON object. The start event is put before what the choices
// gave, wherever the id stands in the object.
func (d *decoder) look(event string, data []byte) error {
	d.choiceUsage = nil
	var h head
	ok := json.Valid(data)
	if ok {
		d.id = d.findID(data)
		h, ok = d.reader.read(data)
	}
	if !d.started && ok && h.err == nil && (h.choices > 0 || d.id != "") {
		d.started = true
		created, _ := count(h.created)
		d.events = append([]chat.Event{{Kind: chat.EventStart, ID: d.id, Model: wire.Text(h.model), Created: created}}, d.events...)
	}
	if err := d.client.frameError(event, data, h, ok); err != nil {
		d.failed = true
		return err
	}
	d.cite(h)
	if !d.whole {
		d.reader.learn(data, h)
	}
	if h.tier != nil {
		d.tier = wire.Text(h.tier)
	}
	raw := h.usage
	if raw == nil {
		raw = d.choiceUsage
	}
	if u, known := readUsage(raw, d.quirks); known {
		d.events = append(d.events, chat.Event{Kind: chat.EventUsage, Usage: u})
	}
	return nil
}

// findID looks for the answer's id before its choices are read: calls without
// an id are named after it.
func (d *decoder) findID(data []byte) string {
	if d.id != "" {
		return d.id
	}
	id := ""
	eachMember(data, func(key []byte, c *cursor) {
		if v := c.value(); string(key) == "id" {
			id = wire.Text(v)
		}
	})
	return id
}

func (d *decoder) emit(ev chat.Event) {
	ev.Choice = d.at.index
	d.at.thinking = ev.Kind == chat.EventThinking
	d.events = append(d.events, ev)
}

func (d *decoder) choice(ch *choice) {
	d.at = d.open(ch.index)
	var details []detail
	if ch.details != nil {
		details = readDetails(ch.details)
	}
	d.details(details, ch.thinking)
	pieces(ch.content, false, d.piece)
	if isString(ch.refusal) {
		d.emit(chat.Event{Kind: chat.EventRefusal, Text: wire.Text(ch.refusal)})
	}
	if ch.annotations != nil {
		d.emit(chat.Event{Kind: chat.EventAnnotation, Raw: bytes.Clone(ch.annotations)})
	}
	d.media(ch)
	if ch.calls != nil {
		eachCall(ch.calls, &d.scratch, d.onCall)
	}
	if ch.function != nil {
		d.function(ch.function)
	}
	d.callSeals(details)
	if ch.probs != nil {
		d.emit(chat.Event{Kind: chat.EventLogprobs, Raw: bytes.Clone(ch.probs)})
	}
	if ch.usage != nil {
		d.choiceUsage = ch.usage
	}
	if ch.finish != nil && !d.at.finished {
		d.finish(d.at, wire.Text(ch.finish))
	}
}

func (d *decoder) open(index int) *openChoice {
	for i := range d.choices {
		if d.choices[i].index == index {
			return &d.choices[i]
		}
	}
	d.choices = append(d.choices, openChoice{index: index})
	return &d.choices[len(d.choices)-1]
}

func (d *decoder) piece(raw []byte, thinking bool) {
	if !thinking {
		d.emit(chat.Event{Kind: chat.EventText, Text: wire.Text(raw)})
		return
	}
	if !d.at.thinking {
		d.at.thought++
		d.at.plain = d.at.thought
	}
	d.emit(chat.Event{Kind: chat.EventThinking, Index: d.at.thought - 1, Text: wire.Text(raw)})
}

// function reads the form that tool calls had before there were several.
func (d *decoder) function(raw []byte) {
	c := cursor{b: raw}
	if c.enter('{') {
		d.scratch = callDelta{hasIndex: true}
		d.scratch.readFunction(&c)
		d.call(&d.scratch)
	}
}

func (d *decoder) call(delta *callDelta) {
	i := d.findCall(delta)
	call := &d.at.calls[i]
	if call.name == "" {
		call.name = wire.Text(delta.name)
		call.text = d.quirks.NoJSONSchema && call.name == structuredTool
	}
	args := callArgs(delta.args)
	if !call.started && call.name == "" {
		call.args += args
		return
	}
	d.begin(call)
	if args != "" {
		d.args(call, args)
	}
	if delta.signature != nil && !call.text {
		d.emit(chat.Event{Kind: chat.EventSignature, Tool: true, Index: call.number, Text: wire.Text(delta.signature), SignedBy: chat.SignedGoogle})
	}
}

// begin gives the call on as soon as its name is known.
func (d *decoder) begin(call *openCall) {
	if call.started {
		return
	}
	call.started = true
	if !call.text {
		if call.id == "" {
			call.id = d.callID()
		}
		call.number = d.at.visible
		d.at.visible++
		d.emit(chat.Event{Kind: chat.EventToolCall, Index: call.number, ID: call.id, Name: call.name})
	}
	if call.args != "" {
		d.args(call, call.args)
		call.args = ""
	}
}

func (d *decoder) args(call *openCall, text string) {
	if call.text {
		d.emit(chat.Event{Kind: chat.EventText, Text: text})
		return
	}
	d.emit(chat.Event{Kind: chat.EventToolArgs, Index: call.number, Text: text})
}

// callID names a call whose provider gave none, so that its result can refer
// to it.
func (d *decoder) callID() string {
	if d.id == "" {
		return randomID("call_")
	}
	return fmt.Sprintf("call_%s_%d_%d", d.id, d.at.index, d.at.visible)
}

// findCall finds the call a delta belongs to, or begins one. Not every vendor
// sends indexes, and some send 0 for every call with a new id and name.
func (d *decoder) findCall(delta *callDelta) int {
	calls, id := d.at.calls, wire.Text(delta.id)
	named := isString(delta.name)
	for i := len(calls) - 1; i >= 0 && !d.whole; i-- {
		call := &calls[i]
		same := delta.hasIndex && call.wire == delta.index ||
			!delta.hasIndex && (id == "" && !named || id != "" && id == call.id)
		if !same {
			continue
		}
		if id != "" && call.id != "" && id != call.id && named {
			break
		}
		if call.id == "" && !call.started {
			call.id = id
		}
		return i
	}
	d.at.calls = append(d.at.calls, openCall{wire: delta.index, id: id})
	return len(d.at.calls) - 1
}

func (d *decoder) finish(ch *openChoice, native string) {
	d.at = ch
	for i := range ch.calls {
		if call := &ch.calls[i]; !call.started && (call.id != "" || call.args != "") {
			d.begin(call)
		}
	}
	ch.finished = true
	d.emit(chat.Event{Kind: chat.EventFinish, Finish: finishFor(native, ch), Native: native})
}

// finishFor maps a vendor's word. Tool calls decide over "stop", which some
// vendors send for both; a structured answer is text, not a call.
func finishFor(native string, ch *openChoice) chat.Finish {
	f := chat.FinishStop
	switch strings.ToLower(native) {
	case "length", "max_tokens", "model_length", "max_output_tokens":
		return chat.FinishLength
	case "content_filter", "safety", "recitation", "refusal", "sensitive":
		return chat.FinishContentFilter
	}
	if ch.visible > 0 {
		f = chat.FinishToolCalls
	}
	return f
}
