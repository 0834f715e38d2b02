package anthropic

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// Decoder reads a streamed answer. The slice that Frame returns is valid until
// the next call.
func (Client) Decoder(dialect.Quirks) dialect.Decoder { return &decoder{blocks: map[int]*blockState{}} }

type decoder struct {
	evs    []chat.Event
	blocks map[int]*blockState // open blocks by the wire's index

	thoughts, calls int // how many of each began
	callIDs         []string
	said            int64 // characters of text so far
	formatted       bool
	finished, ended bool
	tally           tally
}

// blockState is an open content block.
type blockState struct {
	kind  string // the wire's type; formatTool for the call that is the answer
	index int    // among the choice's tool calls or thoughts
	input string // arguments that came with the block's start
	args  bool   // arguments came in deltas
	from  int64  // characters of text before a block of text
	cited []json.RawMessage
}

// maxBlocks bounds what a stream that never closes its blocks can pile up.
const maxBlocks = 4096

// End reports whether message_stop, or at least a stop_reason, was seen.
func (d *decoder) End() bool { return d.ended || d.finished }

// Frame reads one event.
func (d *decoder) Frame(frame []byte) ([]chat.Event, error) {
	d.evs = d.evs[:0]
	data := dataOf(frame)
	if len(data) == 0 {
		return nil, nil
	}
	if !json.Valid(data) {
		return nil, badAnswer(nil)
	}
	switch string(wire.Member(data, "type")) {
	case `"message_start"`:
		msg := wire.Member(data, "message")
		d.tally.add(wire.Member(msg, "usage"), false)
		d.emit(chat.Event{Kind: chat.EventStart, ID: wire.Text(wire.Member(msg, "id")), Model: wire.Text(wire.Member(msg, "model"))})
	case `"content_block_start"`:
		if len(d.blocks) >= maxBlocks {
			return nil, badAnswer(nil)
		}
		d.start(blockIndex(data), wire.Member(data, "content_block"))
	case `"content_block_delta"`:
		d.delta(d.blocks[blockIndex(data)], wire.Member(data, "delta"))
	case `"content_block_stop"`:
		d.stop(blockIndex(data))
	case `"message_delta"`:
		d.messageDelta(data)
	case `"message_stop"`:
		d.ended = true
	case `"error"`:
		return nil, streamError(data)
	}
	return d.evs, nil
}

func (d *decoder) emit(ev chat.Event) { d.evs = append(d.evs, ev) }

func blockIndex(data []byte) int {
	n, err := strconv.Atoi(string(wire.Member(data, "index")))
	if err != nil {
		return 0
	}
	return n
}

func (d *decoder) start(index int, b []byte) {
	s := &blockState{kind: wire.Text(wire.Member(b, "type"))}
	d.blocks[index] = s
	switch s.kind {
	case "text":
		s.from, s.cited = d.said, elementsOf(wire.Member(b, "citations"))
		d.text(wire.Text(wire.Member(b, "text")))
	case "thinking":
		s.index = d.thoughts
		d.thoughts++
		d.thought(s, wire.Text(wire.Member(b, "thinking")))
		d.signature(chat.Event{Kind: chat.EventSignature, Index: s.index}, wire.Text(wire.Member(b, "signature")))
	case "redacted_thinking":
		s.index = d.thoughts
		d.thoughts++
		d.signature(chat.Event{Kind: chat.EventRedacted, Index: s.index}, wire.Text(wire.Member(b, "data")))
	case "tool_use":
		s.input = string(wire.Member(b, "input"))
		name := wire.Text(wire.Member(b, "name"))
		if name == formatTool {
			s.kind, d.formatted = formatTool, true
			return
		}
		s.index = d.calls
		d.calls++
		id := wire.Text(wire.Member(b, "id"))
		d.callIDs = append(d.callIDs, id)
		d.emit(chat.Event{Kind: chat.EventToolCall, Index: s.index, ID: id, Name: name})
	}
}

func (d *decoder) delta(s *blockState, delta []byte) {
	if s == nil {
		return
	}
	switch string(wire.Member(delta, "type")) {
	case `"text_delta"`:
		d.text(wire.Text(wire.Member(delta, "text")))
	case `"thinking_delta"`:
		d.thought(s, wire.Text(wire.Member(delta, "thinking")))
	case `"signature_delta"`:
		d.signature(chat.Event{Kind: chat.EventSignature, Index: s.index}, wire.Text(wire.Member(delta, "signature")))
	case `"citations_delta"`:
		if c := wire.Member(delta, "citation"); c != nil && len(s.cited) < maxBlocks {
			s.cited = append(s.cited, bytes.Clone(c))
		}
	case `"input_json_delta"`:
		if text := wire.Text(wire.Member(delta, "partial_json")); text != "" {
			s.args = true
			d.args(s, text)
		}
	}
}

// stop gives a call whose arguments did not come in pieces those of its start:
// none are "{}".
func (d *decoder) stop(index int) {
	s := d.blocks[index]
	delete(d.blocks, index)
	if s == nil || s.args {
		return
	}
	if len(s.cited) > 0 {
		d.cite(s)
		return
	}
	if s.input == "" || s.input == "null" {
		s.input = "{}"
	}
	d.args(s, s.input)
}

// cite tells the citations of a block of text once its length is known.
func (d *decoder) cite(s *blockState) {
	var all []chat.Annotation
	for _, raw := range s.cited {
		if a, ok := annotation(raw, s.from, d.said); ok {
			all = append(all, a)
		}
	}
	if raw, err := marshal(all); err == nil && all != nil {
		d.emit(chat.Event{Kind: chat.EventAnnotation, Raw: raw})
	}
}

func elementsOf(raw []byte) (out []json.RawMessage) {
	for _, el := range elements(raw) {
		out = append(out, bytes.Clone(el))
	}
	return out
}

func (d *decoder) text(text string) {
	if text != "" {
		d.said += int64(utf8.RuneCountInString(text))
		d.emit(chat.Event{Kind: chat.EventText, Text: text})
	}
}

func (d *decoder) thought(s *blockState, text string) {
	if text != "" {
		d.emit(chat.Event{Kind: chat.EventThinking, Index: s.index, Text: text, SignedBy: chat.SignedAnthropic})
	}
}

// signature gives on a signature or opaque data, unsealed where the provider is
// a hub itself: sealed data may belong to a call.
func (d *decoder) signature(ev chat.Event, text string) {
	if text == "" {
		return
	}
	ev.Text, ev.SignedBy = text, chat.SignedAnthropic
	if by, id, plain, ok := chat.Unseal(text); ok {
		ev.Text, ev.SignedBy, ev.ItemID = plain, by, id
		if i := slices.Index(d.callIDs, id); i >= 0 && id != "" && ev.Kind == chat.EventRedacted {
			ev = chat.Event{Kind: chat.EventSignature, Tool: true, Index: i, Text: plain, SignedBy: by}
		}
	}
	d.emit(ev)
}

// args passes on a piece of arguments. Other blocks with input, those of the
// provider's own tools, are nobody's business here.
func (d *decoder) args(s *blockState, text string) {
	switch s.kind {
	case formatTool:
		d.text(text)
	case "tool_use":
		d.emit(chat.Event{Kind: chat.EventToolArgs, Index: s.index, Text: text})
	}
}

func (d *decoder) messageDelta(data []byte) {
	if usage := wire.Member(data, "usage"); usage != nil {
		d.tally.add(usage, true)
		if d.tally.final {
			d.emit(chat.Event{Kind: chat.EventUsage, Usage: d.tally.usage()})
		}
	}
	delta := wire.Member(data, "delta")
	native := wire.Text(wire.Member(delta, "stop_reason"))
	if native == "" || d.finished {
		return
	}
	d.finished = true
	d.emit(chat.Event{
		Kind: chat.EventFinish, Native: native, Finish: answerFinish(native, d.calls > 0, d.formatted),
		StopSequence: wire.Text(wire.Member(delta, "stop_sequence")),
	})
}
