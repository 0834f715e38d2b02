package openai

import (
	"strconv"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// Stream starts the encoding of a streamed answer.
func (s Server) Stream(v *dialect.View) dialect.Encoder {
	return &streamEncoder{server: s, view: v}
}

// streamEncoder writes chat.completion.chunk frames: one id for all of them, the
// role in a choice's first delta, one finish_reason a choice.
type streamEncoder struct {
	server  Server
	view    *dialect.View
	prefix  []byte // what every chunk begins with, up to its choices
	choices []streamChoice
	// held is a tool call that waits for the next event: clients read a call's
	// signature only from the call's first delta.
	held    chat.Event
	holding bool
}

type streamChoice struct {
	index    int
	calls    []callState
	finished bool
}

// callState is how far a tool call has come.
type callState byte

const (
	callUnknown callState = iota
	callBegun
	callArgued // some of its arguments were sent
)

// start fixes what all chunks have in common.
func (e *streamEncoder) start(ev chat.Event) {
	if ev.ID == "" {
		ev.ID = randomID("chatcmpl-")
	}
	if ev.Created == 0 {
		ev.Created = clock(e.server.Now).Unix()
	}
	if ev.Model == "" {
		ev.Model = e.view.Model
	}
	b := appendQuoted([]byte(`data: {"id":`), ev.ID)
	b = append(b, `,"object":"chat.completion.chunk","created":`...)
	b = strconv.AppendInt(b, ev.Created, 10)
	b = appendQuoted(append(b, `,"model":`...), ev.Model)
	b = append(b, `,"choices":[`...)
	e.prefix = b
}

// Event appends the chunks of one event.
func (e *streamEncoder) Event(dst []byte, ev chat.Event) []byte {
	if ev.Kind == chat.EventUsage {
		return dst // Close sends the settled figures
	}
	if e.prefix == nil {
		first := ev
		if ev.Kind != chat.EventStart {
			first = chat.Event{}
		}
		e.start(first)
	}
	dst, ch := e.choice(dst, ev.Choice)
	if e.holding {
		if ev.Kind == chat.EventSignature && ev.Tool && ev.Choice == e.held.Choice && ev.Index == e.held.Index {
			return e.release(dst, ev.Text)
		}
		dst = e.release(dst, "")
	}
	switch ev.Kind {
	case chat.EventText:
		return e.text(dst, ch, "content", ev.Text)
	case chat.EventThinking:
		return e.thought(dst, ch, ev)
	case chat.EventRedacted:
		if hidden(e.view) {
			return dst
		}
		return e.details(dst, ch, sealedOf(ev.SignedBy, ev.Text, ev.ItemID, ev.Index))
	case chat.EventRefusal:
		return e.text(dst, ch, "refusal", ev.Text)
	case chat.EventToolCall:
		*ch.at(ev.Index) = callBegun
		e.held, e.holding = ev, true
		return dst
	case chat.EventToolArgs:
		return e.args(dst, ch, ev.Index, ev.Text)
	case chat.EventSignature:
		if legacy(e.view) || !ev.Tool && hidden(e.view) {
			return dst
		}
		if !ev.Tool {
			return e.details(dst, ch, signatureOf(ev.SignedBy, ev.Text, ev.ItemID, ev.Index))
		}
		// The empty function is for clients whose schema demands one.
		dst = append(e.openCall(dst, ch, ev.Index), `"function":{"arguments":""}`...)
		return closeDelta(append(signed(dst, ev.Text), `}]`...))
	case chat.EventMedia:
		return e.media(dst, ch, ev.Media)
	case chat.EventAnnotation:
		shown := chat.ShownAnnotations(ev.Raw, shownCitation)
		if shown == nil {
			return dst
		}
		dst = append(e.open(dst, ch), `"annotations":`...)
		return closeDelta(append(dst, shown...))
	case chat.EventLogprobs:
		dst = append(e.open(dst, ch), `},"logprobs":`...)
		return append(append(dst, ev.Raw...), `,"finish_reason":null}]}`+"\n\n"...)
	case chat.EventFinish:
		return e.finish(dst, ch, ev)
	}
	return dst
}

// choice finds a choice, or begins it with its role.
func (e *streamEncoder) choice(dst []byte, index int) ([]byte, *streamChoice) {
	for i := range e.choices {
		if e.choices[i].index == index {
			return dst, &e.choices[i]
		}
	}
	e.choices = append(e.choices, streamChoice{index: index})
	ch := &e.choices[len(e.choices)-1]
	dst = append(e.open(dst, ch), `"role":"assistant","content":""`...)
	return closeDelta(dst), ch
}

// open appends a chunk up to the inside of its delta.
func (e *streamEncoder) open(dst []byte, ch *streamChoice) []byte {
	dst = append(append(dst, e.prefix...), `{"index":`...)
	return append(strconv.AppendInt(dst, int64(ch.index), 10), `,"delta":{`...)
}

func closeDelta(dst []byte) []byte {
	return append(dst, `},"logprobs":null,"finish_reason":null}]}`+"\n\n"...)
}

func (e *streamEncoder) text(dst []byte, ch *streamChoice, field, text string) []byte {
	if text == "" {
		return dst
	}
	dst = append(append(append(e.open(dst, ch), '"'), field...), `":`...)
	return closeDelta(appendQuoted(dst, text))
}

// thought sends thinking as plain text and, where a signature may follow, as the
// detail that it will belong to.
func (e *streamEncoder) thought(dst []byte, ch *streamChoice, ev chat.Event) []byte {
	if hidden(e.view) {
		return dst
	}
	if ev.SignedBy == "" && ev.ItemID == "" {
		return e.text(dst, ch, "reasoning_content", ev.Text)
	}
	dst = appendQuoted(append(e.open(dst, ch), `"reasoning_content":`...), ev.Text)
	dst = append(dst, `,"reasoning_details":`...)
	return closeDelta(append(dst, encodeJSON([]detail{wordsOf(ev.SignedBy, ev.Text, ev.ItemID, ev.Index)})...))
}

func (e *streamEncoder) details(dst []byte, ch *streamChoice, d detail) []byte {
	dst = append(e.open(dst, ch), `"reasoning_details":`...)
	return closeDelta(append(dst, encodeJSON([]detail{d})...))
}

func (e *streamEncoder) openCall(dst []byte, ch *streamChoice, index int) []byte {
	dst = append(e.open(dst, ch), `"tool_calls":[{"index":`...)
	return append(strconv.AppendInt(dst, int64(index), 10), ',')
}

// release sends the call that was held, with its signature when it has one.
func (e *streamEncoder) release(dst []byte, signature string) []byte {
	if !e.holding {
		return dst
	}
	e.holding = false
	dst, ch := e.choice(dst, e.held.Choice)
	return e.call(dst, ch, e.held, signature)
}

// signed appends a call's signature, in the place that Google's own endpoint of
// this language has for it.
func signed(dst []byte, signature string) []byte {
	if signature == "" {
		return dst
	}
	return append(append(dst, `,"extra_content":`...), encodeJSON(extraFor(signature))...)
}

func (e *streamEncoder) call(dst []byte, ch *streamChoice, ev chat.Event, signature string) []byte {
	if legacy(e.view) {
		if ev.Index > 0 {
			return dst
		}
		dst = appendQuoted(append(e.open(dst, ch), `"function_call":{"name":`...), ev.Name)
		return closeDelta(append(dst, `,"arguments":""}`...))
	}
	id := ev.ID
	if id == "" {
		id = randomID("call_")
	}
	dst = appendQuoted(append(e.openCall(dst, ch, ev.Index), `"id":`...), id)
	dst = appendQuoted(append(dst, `,"type":"function","function":{"name":`...), ev.Name)
	return closeDelta(append(signed(append(dst, `,"arguments":""}`...), signature), `}]`...))
}

func (e *streamEncoder) args(dst []byte, ch *streamChoice, index int, text string) []byte {
	if text == "" {
		return dst
	}
	*ch.at(index) = callArgued
	if legacy(e.view) {
		if index > 0 {
			return dst
		}
		dst = append(e.open(dst, ch), `"function_call":{"arguments":`...)
		return closeDelta(append(appendQuoted(dst, text), '}'))
	}
	dst = append(e.openCall(dst, ch, index), `"function":{"arguments":`...)
	return closeDelta(append(appendQuoted(dst, text), `}}]`...))
}

func (ch *streamChoice) at(index int) *callState {
	for len(ch.calls) <= index {
		ch.calls = append(ch.calls, callUnknown)
	}
	return &ch.calls[index]
}

func (e *streamEncoder) media(dst []byte, ch *streamChoice, m *chat.Media) []byte {
	if m == nil {
		return dst
	}
	dst = e.open(dst, ch)
	if strings.HasPrefix(m.MIME, "audio/") {
		dst = append(dst, `"audio":`...)
		return closeDelta(append(dst, encodeJSON(audioDelta{m.FileID, m.Data, m.Transcript, m.ExpiresAt})...))
	}
	dst = append(dst, `"images":`...)
	return closeDelta(append(dst, encodeJSON([]partOut{imagePart(m)})...))
}

// audioDelta is a piece of sound; the id is in the first one.
type audioDelta struct {
	ID         string `json:"id,omitempty"`
	Data       string `json:"data,omitempty"`
	Transcript string `json:"transcript,omitempty"`
	ExpiresAt  int64  `json:"expires_at,omitempty"`
}

// finish ends a choice, once. Calls that came without arguments get "{}":
// clients parse what they collected.
func (e *streamEncoder) finish(dst []byte, ch *streamChoice, ev chat.Event) []byte {
	if ch.finished {
		return dst
	}
	for i, state := range ch.calls {
		if state == callBegun {
			dst = e.args(dst, ch, i, "{}")
		}
	}
	ch.finished = true
	dst = append(e.open(dst, ch), `},"logprobs":null,"finish_reason":`...)
	word := finishWord(ev.Finish)
	if word == string(chat.FinishToolCalls) && legacy(e.view) {
		word = finishFunction
	}
	return append(appendQuoted(dst, word), `}]}`+"\n\n"...)
}

// Close ends a stream: the usage chunk for those who asked, then the marker.
func (e *streamEncoder) Close(dst []byte, c dialect.Closing) []byte {
	dst = e.release(dst, "")
	if e.view.WantsUsage {
		if e.prefix == nil {
			e.start(chat.Event{})
		}
		dst = append(append(dst, e.prefix...), `],"usage":`...)
		dst = append(append(dst, encodeJSON(usageFor(c.Usage))...), "}\n\n"...)
	}
	return append(dst, "data: [DONE]\n\n"...)
}

// Fail ends a stream with a plain data line and no marker: what every client
// takes for a failure.
func (e *streamEncoder) Fail(dst []byte, err *hub.Error) []byte {
	return wire.AppendFrame(dst, "", e.server.Error(err, ""))
}
