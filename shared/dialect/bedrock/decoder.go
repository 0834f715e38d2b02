package bedrock

import (
	"encoding/json"

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
	formatted       bool
	finished, ended bool
}

// blockState is an open content block.
type blockState struct {
	kind  blockKind
	index int  // among the choice's tool calls or thoughts
	args  bool // arguments came
}

type blockKind int

const (
	plain   blockKind = iota
	thought           // index is given
	call              // index is given
	format            // the call that is the answer
	foreign           // a tool that Bedrock runs
)

// maxBlocks bounds what a stream that never closes its blocks can pile up.
const maxBlocks = 4096

// event is the payload of any event of ConverseStream: which members are set
// follows from its type.
type event struct {
	Index int `json:"contentBlockIndex"`
	Start struct {
		ToolUse *toolUse `json:"toolUse"`
	} `json:"start"`
	Delta struct {
		Text    *string `json:"text"`
		ToolUse *struct {
			Input string `json:"input"`
		} `json:"toolUse"`
		Reasoning *struct {
			Text      string `json:"text"`
			Signature string `json:"signature"`
			Redacted  string `json:"redactedContent"`
		} `json:"reasoningContent"`
		Image *media `json:"image"`
	} `json:"delta"`
	StopReason string      `json:"stopReason"`
	Fields     modelFields `json:"additionalModelResponseFields"`
	Usage      *tokenUsage `json:"usage"`
}

// End reports whether the metadata, which comes last, or at least the stop was
// seen.
func (d *decoder) End() bool { return d.ended || d.finished }

// Frame reads one message of the event stream.
func (d *decoder) Frame(frame []byte) ([]chat.Event, error) {
	d.evs = d.evs[:0]
	m, err := wire.ReadMessage(frame)
	if err != nil {
		return nil, badAnswer(err)
	}
	switch m.String(":message-type") {
	case "exception":
		return nil, streamFault(m.String(":exception-type"), m.Payload)
	case "error":
		return nil, streamError(m.String(":error-code"), m.String(":error-message"))
	}
	kind := m.String(":event-type")
	var ev event
	switch kind {
	case "messageStart":
		d.emit(chat.Event{Kind: chat.EventStart})
		return d.evs, nil
	case "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata":
		if err := json.Unmarshal(m.Payload, &ev); err != nil {
			return nil, badAnswer(err)
		}
	}
	switch kind {
	case "contentBlockStart", "contentBlockDelta":
		b, err := d.block(&ev)
		if err != nil {
			return nil, err
		}
		d.delta(b, &ev)
	case "contentBlockStop":
		d.stop(ev.Index)
	case "messageStop":
		d.finish(&ev)
	case "metadata":
		d.ended = true
		if ev.Usage != nil {
			d.emit(chat.Event{Kind: chat.EventUsage, Usage: ev.Usage.usage()})
		}
	}
	return d.evs, nil
}

func (d *decoder) emit(ev chat.Event) { d.evs = append(d.evs, ev) }

// block returns the block that an event is about. Only tools announce theirs.
func (d *decoder) block(ev *event) (*blockState, error) {
	b := d.blocks[ev.Index]
	if b == nil {
		if len(d.blocks) >= maxBlocks {
			return nil, badAnswer(nil)
		}
		b = &blockState{}
		d.blocks[ev.Index] = b
	}
	t := ev.Start.ToolUse
	switch {
	case t == nil || b.kind != plain:
	case t.Type == "server_tool_use":
		b.kind = foreign
	case t.Name == formatTool:
		b.kind, d.formatted = format, true
	default:
		b.kind, b.index = call, d.calls
		d.calls++
		d.emit(chat.Event{Kind: chat.EventToolCall, Index: b.index, ID: t.ID, Name: t.Name})
	}
	return b, nil
}

func (d *decoder) delta(b *blockState, ev *event) {
	switch {
	case ev.Delta.Text != nil:
		d.text(*ev.Delta.Text)
	case ev.Delta.ToolUse != nil:
		d.args(b, ev.Delta.ToolUse.Input)
	case ev.Delta.Image != nil && ev.Delta.Image.Source.Bytes != "":
		image := ev.Delta.Image
		d.emit(chat.Event{Kind: chat.EventMedia, Media: &chat.Media{MIME: "image/" + image.Format, Data: image.Source.Bytes}})
	case ev.Delta.Reasoning != nil:
		if b.kind == plain {
			b.kind, b.index = thought, d.thoughts
			d.thoughts++
		}
		r := ev.Delta.Reasoning
		if r.Text != "" {
			d.emit(chat.Event{Kind: chat.EventThinking, Index: b.index, Text: r.Text})
		}
		if r.Signature != "" {
			d.emit(chat.Event{Kind: chat.EventSignature, Index: b.index, Text: r.Signature, SignedBy: chat.SignedAnthropic})
		}
		if r.Redacted != "" {
			d.emit(chat.Event{Kind: chat.EventRedacted, Index: b.index, Text: r.Redacted, SignedBy: chat.SignedAnthropic})
		}
	}
}

func (d *decoder) text(text string) {
	if text != "" {
		d.emit(chat.Event{Kind: chat.EventText, Text: text})
	}
}

func (d *decoder) args(b *blockState, piece string) {
	if piece == "" {
		return
	}
	b.args = true
	switch b.kind {
	case format:
		d.text(piece)
	case call:
		d.emit(chat.Event{Kind: chat.EventToolArgs, Index: b.index, Text: piece})
	}
}

// stop gives a call that came without arguments empty ones.
func (d *decoder) stop(index int) {
	b := d.blocks[index]
	delete(d.blocks, index)
	if b != nil && !b.args {
		d.args(b, "{}")
	}
}

func (d *decoder) finish(ev *event) {
	if d.finished || ev.StopReason == "" {
		return
	}
	d.finished = true
	d.emit(chat.Event{
		Kind: chat.EventFinish, Native: ev.StopReason, Finish: answerFinish(ev.StopReason, d.calls > 0, d.formatted),
		StopSequence: ev.Fields.StopSequence,
	})
}
