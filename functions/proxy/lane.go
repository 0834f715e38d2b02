package proxy

import (
	"slices"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// lane turns a provider's answer into the client's. There are two: native
// passes bytes, translation goes through the canonical conversation.
type lane interface {
	framer
	// whole takes in a complete body.
	whole(body []byte) ([]byte, error)
	// wholeAnswer is what the client gets for it, once the call is settled.
	wholeAnswer(body []byte, c dialect.Closing) ([]byte, error)
	report() dialect.Report
	// stop appends what finishes a stream in the provider's stead, as if it had
	// reached its output limit. What was taken and not given is as if it never came.
	stop(dst []byte) []byte
	// close appends the end of a finished stream to its withheld tail.
	close(tail []byte, c dialect.Closing) []byte
	fail(dst []byte, err *hub.Error) []byte
}

// native: the provider speaks the caller's language. The meter looks on.
type native struct {
	meter   dialect.Meter
	server  dialect.Server
	view    *dialect.View
	nothing bool // usage-only frames are the hub's own wish, not the caller's

	now     []byte // the frame in hand, nil when the client gets nothing of it
	ender   dialect.Ender
	stopped bool
}

func newNative(c dialect.Client, s dialect.Server, v *dialect.View, q dialect.Quirks) *native {
	return &native{meter: c.Meter(v, q), server: s, view: v, nothing: v.Stream && !v.WantsUsage}
}

func (n *native) take(frame []byte) dialect.Seen {
	seen := n.meter.Frame(frame)
	n.now = frame
	if seen.Err != nil || (seen.UsageOnly && n.nothing) {
		n.now = nil
	}
	return seen
}

func (n *native) give(dst []byte) []byte {
	if n.ender != nil {
		n.ender.Saw(n.now)
	}
	return append(dst, n.now...)
}

// follow keeps what is needed to end the stream in the provider's stead.
func (n *native) follow() {
	if s, ok := n.server.(dialect.EndingServer); ok {
		n.ender = s.Ender(n.view)
	}
}

func (n *native) whole(body []byte) ([]byte, error) { return body, n.meter.Whole(body) }

func (n *native) wholeAnswer(body []byte, _ dialect.Closing) ([]byte, error) { return body, nil }

func (n *native) report() dialect.Report { return n.meter.Report() }

func (n *native) stop(dst []byte) []byte {
	n.stopped = true
	return dst
}

func (n *native) close(tail []byte, c dialect.Closing) []byte {
	switch {
	case !n.stopped:
		return tail
	case n.ender != nil:
		return n.ender.End(tail, c)
	}
	enc := n.server.Stream(n.view)
	rep := n.meter.Report()
	enc.Event(nil, chat.Event{Kind: chat.EventStart, ID: rep.ID, Model: rep.Model})
	for i := range int(max(1, n.view.N)) {
		enc.Event(nil, chat.Event{Kind: chat.EventText, Choice: i}) // the client has seen how each choice began
		tail = enc.Event(tail, atLimit(i))
	}
	enc.Event(nil, chat.Event{Kind: chat.EventUsage, Usage: c.Usage})
	return enc.Close(tail, c)
}

// atLimit is the end of a choice that reached its output limit.
func atLimit(choice int) chat.Event {
	return chat.Event{Kind: chat.EventFinish, Choice: choice, Finish: chat.FinishLength}
}

func (n *native) fail(dst []byte, err *hub.Error) []byte {
	enc := n.server.Stream(n.view)
	// The failure is told under the id that the answer began with; what the
	// encoder would announce has been announced.
	rep := n.meter.Report()
	enc.Event(nil, chat.Event{Kind: chat.EventStart, ID: rep.ID, Model: rep.Model})
	return enc.Fail(dst, err)
}

// translation: the provider speaks another language.
type translation struct {
	client  dialect.Client
	quirks  dialect.Quirks
	server  dialect.Server
	view    *dialect.View
	decoder dialect.Decoder
	encoder dialect.Encoder
	res     *chat.Response
	rep     dialect.Report
	now     []chat.Event // of the frame in hand
	open    int64        // choices that have not finished
	ended   map[int]bool // those that have
	oneCall bool         // the caller wants at most one call a turn; some providers cannot be told
}

func newTranslation(c dialect.Client, s dialect.Server, v *dialect.View, q dialect.Quirks) *translation {
	t := &translation{client: c, quirks: q, server: s, view: v, open: max(1, v.N), ended: map[int]bool{}}
	t.oneCall = v.Chat != nil && v.Chat.ParallelToolCalls != nil && !*v.Chat.ParallelToolCalls
	if v.Stream {
		t.decoder, t.encoder = c.Decoder(q), s.Stream(v)
	}
	return t
}

func (t *translation) take(frame []byte) (seen dialect.Seen) {
	var err error
	t.now, err = t.decoder.Frame(frame)
	for i := range t.now {
		t.note(&t.now[i], &seen)
	}
	if err != nil {
		seen.Err = hub.AsError(err)
	}
	seen.End = t.decoder.End() && t.open <= 0 && t.rep.Known
	seen.Finish = t.open <= 0
	return seen
}

func (t *translation) give(dst []byte) []byte {
	for i := range t.now {
		ev := &t.now[i]
		if t.oneCall && ev.Index > 0 && ofCall(ev) {
			continue
		}
		if ev.Kind == chat.EventFinish {
			t.ended[ev.Choice] = true
		}
		dst = t.encoder.Event(dst, *ev)
	}
	return dst
}

func (t *translation) stop(dst []byte) []byte {
	for i := range int(max(1, t.view.N)) {
		if !t.ended[i] {
			dst = t.encoder.Event(dst, atLimit(i))
		}
	}
	return dst
}

// ofCall reports whether an event is part of a tool call.
func ofCall(ev *chat.Event) bool {
	return ev.Kind == chat.EventToolCall || ev.Kind == chat.EventToolArgs || ev.Kind == chat.EventSignature && ev.Tool
}

// firstCallOnly leaves out all calls but the first: the model asks again for the
// others when it has seen the first one's result.
func firstCallOnly(parts []chat.Part) []chat.Part {
	called := false
	return slices.DeleteFunc(parts, func(p chat.Part) bool {
		again := called && p.Kind == chat.ToolCallPart
		called = called || p.Kind == chat.ToolCallPart
		return again
	})
}

// note keeps the account of what an event shows and costs.
func (t *translation) note(ev *chat.Event, seen *dialect.Seen) {
	switch ev.Kind {
	case chat.EventStart:
		t.rep.ID, t.rep.Model = ev.ID, ev.Model
	case chat.EventText, chat.EventToolArgs, chat.EventRefusal:
		t.rep.TextBytes += int64(len(ev.Text))
		t.rep.Keep([]byte(ev.Text))
		seen.Content = seen.Content || ev.Text != ""
	case chat.EventThinking:
		t.rep.HideBytes += int64(len(ev.Text))
		seen.Content = seen.Content || ev.Text != ""
	case chat.EventMedia:
		t.rep.Shown = true
		if ev.Media != nil {
			t.rep.TextBytes += int64(len(ev.Media.Transcript))
		}
		seen.Content = true
	case chat.EventToolCall:
		t.rep.Shown, seen.Content = true, true
	case chat.EventFinish:
		t.open--
		t.rep.Finish = ev.Native
	case chat.EventUsage:
		t.rep.Usage, t.rep.Known = ev.Usage, true
	}
}

func (t *translation) whole(body []byte) ([]byte, error) {
	res, err := t.client.Decode(body, t.quirks)
	if err != nil {
		return nil, err
	}
	t.res = res
	t.rep = dialect.Report{Usage: res.Usage, Known: res.UsageKnown, Model: res.Model, ID: res.ID, Service: res.ServiceTier}
	for i := range res.Choices {
		for _, p := range res.Choices[i].Parts {
			switch p.Kind {
			case chat.RedactedThinking:
			case chat.Thinking:
				t.rep.HideBytes += int64(len(p.Text))
			case chat.ToolCallPart:
				t.rep.Shown = true
				t.rep.TextBytes += int64(len(p.ToolCall.Arguments))
			default:
				t.rep.Shown = t.rep.Shown || p.Media != nil
				t.rep.TextBytes += int64(len(p.Text))
				t.rep.Keep([]byte(p.Text))
			}
		}
		if t.oneCall {
			res.Choices[i].Parts = firstCallOnly(res.Choices[i].Parts)
		}
	}
	return body, nil
}

func (t *translation) wholeAnswer(_ []byte, c dialect.Closing) ([]byte, error) {
	return t.server.Whole(t.view, t.res, c)
}

func (t *translation) report() dialect.Report { return t.rep }

func (t *translation) close(tail []byte, c dialect.Closing) []byte { return t.encoder.Close(tail, c) }

func (t *translation) fail(dst []byte, err *hub.Error) []byte { return t.encoder.Fail(dst, err) }
