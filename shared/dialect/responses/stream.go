package responses

import (
	"encoding/json"
	"strconv"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// Stream starts the encoding of a streamed answer. The encoder has a method
// Response, which gives the whole answer once it has finished.
func (s Server) Stream(v *dialect.View) dialect.Encoder { return s.encoder(v) }

func (s Server) encoder(v *dialect.View) *encoder {
	return &encoder{server: s, out: s.head(v), tools: toolNames(v.Object), calls: map[int]*call{}}
}

// encoder writes the typed events: one response id, a rising sequence number,
// every item added before its deltas and done after them. A message or thought
// ends where something else begins; calls, whose arguments may come in turns,
// stay open until the answer ends.
type encoder struct {
	server  Server
	out     responseOut
	tools   map[string]tool
	seq     int64
	started bool
	ended   bool
	finish  chat.Finish

	open     *itemOut // a message or thought, with its place
	openAt   int
	thought  int // the canonical index of the open thought
	text     []byte
	part     *partOut
	said     place // the last text that was closed
	logprobs []json.RawMessage
	calls    map[int]*call
	order    []int // canonical indexes of the calls
}

// call is a tool call on its way.
type call struct {
	item *itemOut
	at   int
	args []byte
	tool tool
}

// Event appends the frames of one event.
func (e *encoder) Event(dst []byte, ev chat.Event) []byte {
	switch ev.Kind {
	case chat.EventUsage:
		return dst // Close sends the settled figures
	case chat.EventStart:
		return e.start(dst, ev)
	}
	if ev.Choice != 0 || e.ended {
		return dst
	}
	dst = e.start(dst, chat.Event{})
	switch ev.Kind {
	case chat.EventText:
		return e.say(dst, "output_text", ev.Text)
	case chat.EventRefusal:
		return e.say(dst, "refusal", ev.Text)
	case chat.EventThinking:
		return e.think(dst, ev)
	case chat.EventSignature:
		return e.sign(dst, ev)
	case chat.EventRedacted:
		sealed := signature{vendor: ev.SignedBy, kind: signedRedacted, text: ev.Text}
		return e.sealed(e.close(dst), ev.ItemID, sealed)
	case chat.EventToolCall:
		return e.call(dst, ev)
	case chat.EventToolArgs:
		return e.args(dst, ev)
	case chat.EventMedia:
		return e.media(dst, ev.Media)
	case chat.EventAnnotation:
		return e.annotate(dst, ev.Raw)
	case chat.EventLogprobs:
		e.probabilities(ev.Raw)
	case chat.EventFinish:
		e.finish = ev.Finish
		dst = e.closeAll(dst)
		e.ended = true
	}
	return dst
}

// start announces the answer, once. Only an id of this language is kept: others
// may not be as unique as the shelf of stored answers needs.
func (e *encoder) start(dst []byte, ev chat.Event) []byte {
	if e.started {
		return dst
	}
	e.started = true
	if len(ev.ID) > len("resp_") && ev.ID[:len("resp_")] == "resp_" {
		e.out.ID = ev.ID
	}
	e.out.Model = firstOf(ev.Model, e.out.Model)
	dst = e.frame(dst, "response.created", map[string]any{"response": e.out})
	return e.frame(dst, "response.in_progress", map[string]any{"response": e.out})
}

// frame appends one event.
func (e *encoder) frame(dst []byte, kind string, fields map[string]any) []byte {
	fields["type"], fields["sequence_number"] = kind, e.seq
	e.seq++
	dst = append(append(append(dst, "event: "...), kind...), "\ndata: "...)
	return append(append(dst, encodeJSON(fields)...), '\n', '\n')
}

// delta appends the event of a piece of text, by hand: a stream is nearly
// nothing else. place names the index within the item, "" for none.
func (e *encoder) delta(dst []byte, kind string, it *itemOut, at int, place string, index int, text, tail string) []byte {
	dst = append(append(append(dst, "event: "...), kind...), "\ndata: {\"type\":\""...)
	dst = append(append(dst, kind...), `","sequence_number":`...)
	dst = strconv.AppendInt(dst, e.seq, 10)
	e.seq++
	dst = append(append(append(dst, `,"item_id":"`...), it.ID...), `","output_index":`...)
	dst = strconv.AppendInt(dst, int64(at), 10)
	if place != "" {
		dst = append(append(append(dst, `,"`...), place...), `":`...)
		dst = strconv.AppendInt(dst, int64(index), 10)
	}
	dst = append(append(dst, `,"delta":`...), quote(text)...)
	return append(append(dst, tail...), "}\n\n"...)
}

// Response is the whole answer; it is complete once the finish event was given.
func (e *encoder) Response(c dialect.Closing) []byte {
	e.closeAll(nil)
	e.out.Model = firstOf(e.out.Model, c.Model)
	e.out.settle(e.finish, c.Usage, e.server.now().Unix())
	return encodeJSON(e.out)
}

// Close ends a successful stream.
func (e *encoder) Close(dst []byte, c dialect.Closing) []byte {
	dst = e.closeAll(e.start(dst, chat.Event{}))
	e.out.settle(e.finish, c.Usage, e.server.now().Unix())
	return e.frame(dst, "response."+e.out.Status, map[string]any{"response": e.out})
}

// Fail ends a stream with the event of a failed answer.
func (e *encoder) Fail(dst []byte, err *hub.Error) []byte {
	dst = e.start(dst, chat.Event{})
	e.out.Status, e.out.Error = "failed", &errorOut{Code: failCode(err), Message: err.Message}
	return e.frame(dst, "response.failed", map[string]any{"response": e.out})
}

// failCode is the word of the ResponseError schema that fits; clients act on
// some of the provider's own.
func failCode(err *hub.Error) string {
	switch {
	case err.NativeCode != "":
		return err.NativeCode
	case err.Code == hub.CodeRateLimited:
		return "rate_limit_exceeded"
	case err.Code == hub.CodeInvalid, err.Code == hub.CodeContentFiltered, err.Class == hub.ClassRequest:
		return "invalid_prompt"
	case err.Code == hub.CodeInsufficientCredits:
		return "insufficient_quota"
	}
	return "server_error"
}
