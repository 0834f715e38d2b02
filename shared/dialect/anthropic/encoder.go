package anthropic

import (
	"encoding/json"
	"slices"
	"strconv"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// Stream starts a streamed answer. Its first event is message_start; usage is
// only known at the end of a translated stream, so message_delta tells all of
// it. Blocks follow each other without overlap: clients add a delta to the
// last block. Arguments of parallel calls that arrive interleaved are kept
// back until the call before is complete.
func (Server) Stream(v *dialect.View) dialect.Encoder { return &encoder{view: v} }

type encoder struct {
	view    *dialect.View
	started bool
	open    openBlock
	index   int // of the open block; the next one's when none is open
	called  bool

	thinking int        // canonical index of the open thinking block
	tool     toolCall   // the open tool call
	waiting  []toolCall // calls that began while it was incomplete
	checked  int        // length of tool.args when it was last found incomplete
	foreign  chat.Part  // the open thinking block's signature, while it is one to be sealed
	seals    []string   // signatures of tool calls, for blocks of their own
	callIDs  map[int]string

	usage  hub.Usage
	finish chat.Event
}

type openBlock int

const (
	noBlock openBlock = iota
	textBlock
	thinkingBlock
	toolBlock
)

type toolCall struct {
	index    int
	id, name string
	args     []byte
}

// Event appends what one event becomes. Choices beyond the first have no place
// in this language.
func (e *encoder) Event(dst []byte, ev chat.Event) []byte {
	if ev.Choice != 0 {
		return dst
	}
	switch ev.Kind {
	case chat.EventStart:
		return e.start(dst, ev.ID, ev.Model)
	case chat.EventUsage:
		e.usage = ev.Usage
		return dst
	case chat.EventFinish:
		e.finish = ev
		return dst
	case chat.EventAnnotation:
		return e.cite(dst, ev.Raw)
	case chat.EventLogprobs:
		return dst
	}
	dst = e.start(dst, "", "")
	switch ev.Kind {
	case chat.EventText, chat.EventRefusal:
		return e.text(dst, ev.Text)
	case chat.EventMedia:
		return e.text(dst, mediaText(ev.Media))
	case chat.EventThinking:
		if hidden(e.view) {
			ev.Text = ""
		}
		return e.think(dst, ev, "thinking_delta", "thinking")
	case chat.EventSignature:
		return e.signature(dst, ev)
	case chat.EventRedacted:
		return e.redacted(e.closeTools(dst), sealed(ev.SignedBy, ev.ItemID, ev.Text))
	case chat.EventToolCall:
		return e.toolStart(dst, toolCall{index: ev.Index, id: ev.ID, name: ev.Name})
	case chat.EventToolArgs:
		return e.toolArgs(dst, ev.Index, ev.Text)
	}
	return dst
}

func (e *encoder) start(dst []byte, id, model string) []byte {
	if e.started {
		return dst
	}
	e.started = true
	msg := message{
		ID: messageID(id), Type: "message", Role: "assistant",
		Model: firstOf(model, e.view.Model), Content: []block{}, Usage: usageFor(e.usage),
	}
	// A struct of strings and numbers always encodes.
	body, _ := marshal(struct {
		Type    string  `json:"type"`
		Message message `json:"message"`
	}{"message_start", msg})
	return wire.AppendFrame(dst, "message_start", body)
}

func (e *encoder) text(dst []byte, text string) []byte {
	if text == "" {
		return dst
	}
	if e.open != textBlock {
		dst = e.begin(e.closeTools(dst), textBlock, []byte(`"content_block":{"type":"text","text":""}`))
	}
	return e.delta(dst, "text_delta", "text", text)
}

// cite adds citations to the text they follow.
func (e *encoder) cite(dst []byte, raw json.RawMessage) []byte {
	if e.open != textBlock {
		return dst
	}
	for _, c := range citations(raw) {
		body := strconv.AppendInt([]byte(`{"type":"content_block_delta","index":`), int64(e.index), 10)
		body = append(append(body, `,"delta":{"type":"citations_delta","citation":`...), c...)
		dst = wire.AppendFrame(dst, "content_block_delta", append(body, "}}"...))
	}
	return dst
}

func (e *encoder) think(dst []byte, ev chat.Event, delta, field string) []byte {
	if ev.Text == "" && ev.ItemID == "" {
		return dst
	}
	dst = e.openThinking(dst, ev)
	if ev.Text == "" {
		return dst
	}
	return e.delta(dst, delta, field, ev.Text)
}

func (e *encoder) openThinking(dst []byte, ev chat.Event) []byte {
	if e.open != thinkingBlock || e.thinking != ev.Index {
		dst = e.begin(e.closeTools(dst), thinkingBlock, []byte(`"content_block":{"type":"thinking","thinking":"","signature":""}`))
		e.thinking = ev.Index
	}
	if ev.ItemID != "" {
		e.foreign.ID = ev.ItemID
	}
	return dst
}

// signature passes Claude's own on as it comes. Others are sealed, once they
// are whole; those of tool calls get blocks of their own, after the calls.
func (e *encoder) signature(dst []byte, ev chat.Event) []byte {
	switch {
	case ev.Text == "":
		return dst
	case ev.Tool:
		e.seals = append(e.seals, chat.Seal(ev.SignedBy, e.callIDs[ev.Index], ev.Text))
		return dst
	}
	dst = e.openThinking(dst, ev)
	if e.foreign.ID == "" && (ev.SignedBy == "" || ev.SignedBy == chat.SignedAnthropic) {
		return e.delta(dst, "signature_delta", "signature", ev.Text)
	}
	e.foreign.SignedBy = ev.SignedBy
	e.foreign.Signature += ev.Text
	return dst
}

func (e *encoder) redacted(dst []byte, data string) []byte {
	body := append([]byte(`"content_block":{"type":"redacted_thinking","data":`), appendQuoted(nil, data)...)
	return e.stop(e.begin(dst, thinkingBlock, append(body, '}')))
}

// sealCalls writes what waits for the calls before it to be told.
func (e *encoder) sealCalls(dst []byte) []byte {
	seals := e.seals
	e.seals = nil
	for _, s := range seals {
		dst = e.redacted(dst, s)
	}
	return dst
}

func (e *encoder) toolStart(dst []byte, call toolCall) []byte {
	if e.callIDs == nil {
		e.callIDs = map[int]string{}
	}
	e.callIDs[call.index] = call.id
	if e.open == toolBlock && !e.toolComplete() {
		e.waiting = append(e.waiting, call)
		return dst
	}
	return e.openTool(dst, call)
}

func (e *encoder) openTool(dst []byte, call toolCall) []byte {
	body := append([]byte(`"content_block":{"type":"tool_use","id":`), appendQuoted(nil, call.id)...)
	body = append(appendQuoted(append(body, `,"name":`...), call.name), `,"input":{}}`...)
	dst = e.begin(dst, toolBlock, body)
	e.called, e.tool, e.checked = true, call, -1
	if len(call.args) > 0 {
		dst = e.delta(dst, "input_json_delta", "partial_json", string(call.args))
	}
	return dst
}

func (e *encoder) toolArgs(dst []byte, index int, text string) []byte {
	if text == "" {
		return dst
	}
	if e.open == toolBlock && e.tool.index == index {
		e.tool.args = append(e.tool.args, text...)
		return e.delta(dst, "input_json_delta", "partial_json", text)
	}
	i := slices.IndexFunc(e.waiting, func(c toolCall) bool { return c.index == index })
	if i < 0 {
		// The call was complete already; what still comes cannot belong to it.
		return dst
	}
	e.waiting[i].args = append(e.waiting[i].args, text...)
	for len(e.waiting) > 0 && e.toolComplete() {
		next := e.waiting[0]
		e.waiting = e.waiting[1:]
		dst = e.openTool(dst, next)
	}
	return dst
}

// toolComplete reports whether the open call's arguments are whole. A call
// without any may still get some.
func (e *encoder) toolComplete() bool {
	if len(e.tool.args) == e.checked {
		return false
	}
	e.checked = len(e.tool.args)
	return json.Valid(e.tool.args)
}

// closeTools writes the calls that were kept back; the last one stays open.
func (e *encoder) closeTools(dst []byte) []byte {
	for _, call := range e.waiting {
		dst = e.openTool(dst, call)
	}
	e.waiting = nil
	return e.sealCalls(dst)
}

// begin closes the open block and opens the next one.
func (e *encoder) begin(dst []byte, kind openBlock, contentBlock []byte) []byte {
	dst = e.stop(dst)
	e.open = kind
	body := strconv.AppendInt([]byte(`{"type":"content_block_start","index":`), int64(e.index), 10)
	body = append(append(append(body, ','), contentBlock...), '}')
	return wire.AppendFrame(dst, "content_block_start", body)
}

func (e *encoder) stop(dst []byte) []byte {
	if e.open == noBlock {
		return dst
	}
	if p := e.foreign; p.ID != "" || p.Signature != "" {
		e.foreign = chat.Part{}
		dst = e.delta(dst, "signature_delta", "signature", sealed(p.SignedBy, p.ID, p.Signature))
	}
	body := strconv.AppendInt([]byte(`{"type":"content_block_stop","index":`), int64(e.index), 10)
	e.open = noBlock
	e.index++
	return wire.AppendFrame(dst, "content_block_stop", append(body, '}'))
}

// delta writes the most frequent frame straight into dst.
func (e *encoder) delta(dst []byte, kind, field, text string) []byte {
	dst = append(dst, "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":"...)
	dst = strconv.AppendInt(dst, int64(e.index), 10)
	dst = append(append(append(dst, `,"delta":{"type":"`...), kind...), `","`...)
	dst = append(append(dst, field...), `":`...)
	return append(appendQuoted(dst, text), "}}\n\n"...)
}

// Close ends the stream with the settled usage.
func (e *encoder) Close(dst []byte, c dialect.Closing) []byte {
	dst = e.start(dst, "", c.Model)
	dst = e.stop(e.closeTools(dst))
	reason := stopReason(e.finish.Finish, e.finish.Native, e.finish.StopSequence, e.called)
	var end struct {
		Type  string `json:"type"`
		Delta struct {
			StopReason   string  `json:"stop_reason"`
			StopSequence *string `json:"stop_sequence"`
		} `json:"delta"`
		Usage usageOut `json:"usage"`
	}
	end.Type, end.Delta.StopReason, end.Usage = "message_delta", reason, usageFor(c.Usage)
	if reason == "stop_sequence" {
		end.Delta.StopSequence = &e.finish.StopSequence
	}
	body, _ := marshal(end)
	dst = wire.AppendFrame(dst, "message_delta", body)
	return wire.AppendFrame(dst, "message_stop", []byte(`{"type":"message_stop"}`))
}

// Fail ends the stream with an error event, after which clients expect nothing.
func (e *encoder) Fail(dst []byte, err *hub.Error) []byte {
	return wire.AppendFrame(dst, "error", errorBody(err, ""))
}
