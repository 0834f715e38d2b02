package proxy

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/admission"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/upstream"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// streamReader is a provider's stream whose first frame has been looked at.
type streamReader struct {
	frames wire.FrameReader
	first  []byte       // what the client gets for the frames read so far, but the last
	seen   dialect.Seen // of the last of them, which has been taken and not given
	size   int          // its bytes
}

// framer takes the frames of a stream in and says what the client gets for them.
type framer interface {
	// take reads a frame, which stays as it is until the next one is taken.
	take(frame []byte) dialect.Seen
	// give appends to dst what the client gets for it.
	give(dst []byte) []byte
}

// What is held back of a stream at most before its content comes: the frames by
// which providers begin are a few, but may repeat the request.
const (
	heldFrames = 16
	heldBytes  = 1 << 20
)

// open reads up to the first content, or the finish signal. A stream that breaks
// off before, begins with an error or is no stream at all is a fault like any
// other: nothing has been relayed yet.
func (s *streamReader) open(a *upstream.Answer, frames wire.FrameReader, l framer, fault func(*routing.Target, int, http.Header, []byte) *hub.Error) *hub.Error {
	if kind, _, _ := mime.ParseMediaType(a.Header.Get("Content-Type")); kind == "application/json" || kind == "text/html" {
		body, err := readAnswer(a.Body, a.Header)
		if err != nil {
			return brokenAnswer(err)
		}
		return fault(a.Target, http.StatusBadGateway, a.Header, body)
	}
	s.frames, s.first = frames, nil
	for held, size := 0, 0; ; {
		frame, err := s.frames.Next()
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return brokenAnswer(err)
		}
		comment := frame[0] == ':'
		s.seen, s.size = l.take(frame), len(frame)
		if s.seen.Err != nil {
			return s.seen.Err
		}
		if s.seen.Content || s.seen.Finish || s.seen.End {
			return nil
		}
		if !comment {
			held++
			if size += len(frame); held >= heldFrames || size > heldBytes {
				return nil
			}
			a.Alive()
		}
		s.first = l.give(s.first)
	}
}

// framesOf cuts a stream as the language it is in wants it.
func framesOf(c dialect.Client, src io.Reader) wire.FrameReader {
	if f, ok := c.(dialect.Framer); ok {
		return f.Frames(src)
	}
	return wire.NewFrames(src)
}

// finishWait is how long the usage figures may take after the finish signal.
const finishWait = 2 * time.Second

// relayStream passes frames on as they come. From the finish signal on
// everything is withheld until the call is settled.
func (x *exchange) relayStream(a *upstream.Answer, trace upstream.Trace) error {
	x.out.announce(func() { x.headers(a) })
	o := begin(trace, hub.StatusSuccess)
	o.ProviderTTFB = &a.TTFB
	x.out.onFirst = func() {
		ttfb := x.h.Now().Sub(x.started)
		o.TTFB = &ttfb
	}
	tail, end := x.pump(a)
	fault := end.fault
	switch {
	case x.gone():
		o.Status, o.HTTPStatus, o.Cut = hub.StatusAborted, httpkit.StatusClientGone, fault != nil || end.ended != ""
	case fault != nil:
		o.Status, o.Err, o.HTTPStatus = hub.StatusFailed, fault, httpkit.Status(fault)
		if !end.ours {
			a.Broke(fault)
		}
	}
	report := x.lane.report()
	if end.ended != "" {
		a.Body.Close() // the provider need not go on
		o.Ended, report = end.ended, end.relayed
		tail = x.lane.stop(tail)
	}
	o.Usage, o.Source = x.h.usageOf(x.server, x.view, report)
	o.Empty = empty(&report)
	o.Variant = serviceGiven(x.view, x.lane.report())
	if _, translated := x.lane.(*translation); fault == nil && (end.ended == "" || translated) {
		fault = x.keepStream(a, &o)
	}
	settled, err := x.ticket.Settle(x.settling(), o)
	if err != nil {
		fault = hub.AsError(err)
	}
	x.finish(a, o, settled, tail, fault)
	if fault == nil && o.Status == hub.StatusSuccess && o.Ended == "" && !o.Empty && x.ticket.LowerTo == 0 && !x.out.failed() {
		x.way.memo.keepStream(a, x.ticket.CallID, kept{Usage: o.Usage, Source: o.Source, Dropped: x.dropped, Type: x.w.Header().Get("content-type")})
	}
	if fault == nil && o.Ended == "" {
		drain(a.Body)
	}
	return nil
}

// empty reports an answer that shows its caller nothing: no text, no call of a
// tool, no picture, no sound.
func empty(r *dialect.Report) bool { return r.TextBytes == 0 && !r.Shown }

// drain reads the very end of a finished answer, so that its connection can
// serve again; a provider that keeps it open is not waited for.
func drain(body io.ReadCloser) {
	const (
		patience = 20 * time.Millisecond
		most     = 64 << 10
	)
	stop := time.AfterFunc(patience, func() { body.Close() })
	defer stop.Stop()
	_, _ = io.CopyN(io.Discard, body, most) // the call is settled; nothing depends on these bytes
}

// finish writes the last frames: the withheld tail and the dialect's own end,
// or its error event.
func (x *exchange) finish(a *upstream.Answer, o admission.Outcome, s admission.Settled, tail []byte, fault *hub.Error) {
	if fault != nil {
		httpkit.NoteError(x.r.Context(), fault)
		x.out.end(x.lane.fail(nil, fault))
		return
	}
	x.out.end(x.lane.close(tail, x.closing(a, o, s)))
}

// coalesce is how many bytes of frames that came together leave together.
const coalesce = 32 << 10

// pump relays a stream.
func (x *exchange) pump(a *upstream.Answer) (tail []byte, end ending) {
	p := pump{frames: &x.frames, framer: x.lane, out: x.out, cut: x.cut}
	if held, ceiling := x.ticket.Held(); held < ceiling {
		p.budget = newBudget(x, a, held, ceiling)
		defer p.budget.close()
	}
	return p.run(a)
}

// pump passes a stream on.
type pump struct {
	frames *streamReader
	framer framer
	out    *clientStream
	cut    func(error) *hub.Error // names the fault of a stream that ended too early
	budget *budget                // of a stream whose hold grows; else nil
}

// ending is how a stream ended that did not reach its own end. The zero value is
// one that did.
type ending struct {
	fault   *hub.Error
	ours    bool             // the fault is none of the provider's
	ended   hub.ChargePolicy // what ended it in good order
	relayed dialect.Report   // what the client has got then
}

// run relays until the finish signal and collects what comes after it.
func (p *pump) run(a *upstream.Answer) (tail []byte, end ending) {
	out, seen, size := p.frames.first, p.frames.seen, p.frames.size
	for {
		if seen.Err != nil || (seen.End && !seen.Finish) {
			p.out.write(out, true)
			if seen.Err == nil {
				seen.Err = p.cut(io.ErrUnexpectedEOF)
			}
			return nil, ending{fault: seen.Err}
		}
		if p.budget != nil && !p.budget.covers(seen, size) {
			p.out.write(out, true)
			out = p.out.scratch(out)
			if end = p.budget.await(p.out.nudge); end.fault != nil || end.ended != "" {
				return nil, end
			}
		}
		if seen.Finish {
			p.out.write(out, true)
			return p.afterFinish(a, p.framer.give(nil), seen.End), end
		}
		out = p.framer.give(out)
		if !p.frames.frames.Ready() || len(out) > coalesce {
			p.out.write(out, true)
			out = p.out.scratch(out)
		}
		frame, err := p.frames.frames.Next()
		if err != nil {
			p.out.write(out, true)
			return nil, ending{fault: p.cut(err)}
		}
		seen, size = p.framer.take(frame), len(frame)
	}
}

// afterFinish collects what follows the finish signal: the usage figures and
// the end marker, for which it waits only so long.
func (p *pump) afterFinish(a *upstream.Answer, tail []byte, ended bool) []byte {
	stop := time.AfterFunc(finishWait, func() { a.Body.Close() })
	defer stop.Stop()
	for !ended {
		frame, err := p.frames.frames.Next()
		if err != nil {
			break
		}
		ended = p.framer.take(frame).End
		tail = p.framer.give(tail)
	}
	return tail
}

// cut is the fault of a stream that ended before its finish signal.
func (x *exchange) cut(err error) *hub.Error { return x.lifetime.cut(err, x.gone()) }

// cut is the fault of an answer that ended too early; gone says that the client
// has left.
func (l *lifetime) cut(err error, gone bool) *hub.Error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if errors.Is(err, context.Canceled) && gone {
		return &hub.Error{Code: hub.CodeUpstream, Message: "The client left.", Cause: err}
	}
	if l.h.Halt.Err() != nil {
		return &hub.Error{Code: hub.CodeUnavailable, Message: "The hub is restarting; the answer ends here.", Cause: err}
	}
	return brokenAnswer(err)
}
