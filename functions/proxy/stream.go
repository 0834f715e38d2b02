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
	first  []byte       // what the client gets for the frames read so far
	seen   dialect.Seen // of the last of them
}

// framer takes the frames of a stream in and says what the client gets for them.
type framer interface {
	frame(dst, frame []byte) ([]byte, dialect.Seen)
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
		body, err := readAnswer(a.Body)
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
		s.first, s.seen = l.frame(s.first, frame)
		if s.seen.Err != nil {
			return s.seen.Err
		}
		if s.seen.Content || s.seen.Finish || s.seen.End {
			return nil
		}
		if frame[0] == ':' {
			continue
		}
		held++
		if size += len(frame); held >= heldFrames || size > heldBytes {
			return nil
		}
		a.Alive()
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
	tail, fault := x.pump(a)
	switch {
	case fault == nil:
	case x.gone():
		o.Status, o.HTTPStatus = hub.StatusAborted, httpkit.StatusClientGone
	default:
		o.Status, o.Err, o.HTTPStatus = hub.StatusFailed, fault, httpkit.Status(fault)
		a.Broke(fault)
	}
	if fault == nil && x.gone() {
		o.Status, o.HTTPStatus = hub.StatusAborted, httpkit.StatusClientGone
	}
	o.Usage, o.Source = x.h.usageOf(x.server, x.view, x.lane.report())
	o.Variant = serviceGiven(x.view, x.lane.report())
	if fault == nil {
		fault = x.keepStream(a, &o)
	}
	settled, err := x.ticket.Settle(x.settling(), o)
	if err != nil {
		fault = hub.AsError(err)
	}
	x.finish(a, o, settled, tail, fault)
	if fault == nil && o.Status == hub.StatusSuccess && x.ticket.LowerTo == 0 && !x.out.failed() {
		x.way.memo.keepStream(a, x.ticket.CallID, kept{Usage: o.Usage, Source: o.Source, Dropped: x.dropped, Type: x.w.Header().Get("content-type")})
	}
	if fault == nil {
		drain(a.Body)
	}
	return nil
}

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
func (x *exchange) pump(a *upstream.Answer) (tail []byte, fault *hub.Error) {
	p := pump{frames: &x.frames, framer: x.lane, out: x.out, cut: x.cut}
	return p.run(a)
}

// pump passes a stream on.
type pump struct {
	frames *streamReader
	framer framer
	out    *clientStream
	cut    func(error) *hub.Error // names the fault of a stream that ended too early
}

// run relays until the finish signal and collects what comes after it. A fault
// means that the stream did not finish.
func (p *pump) run(a *upstream.Answer) (tail []byte, fault *hub.Error) {
	out, seen := p.frames.first, p.frames.seen
	fresh := 0 // where the newest frame's output begins in out
	for {
		switch {
		case seen.Err != nil, seen.End && !seen.Finish:
			p.out.write(out[:fresh], true)
			if seen.Err == nil {
				seen.Err = p.cut(io.ErrUnexpectedEOF)
			}
			return nil, seen.Err
		case seen.Finish:
			p.out.write(out[:fresh], true)
			return p.afterFinish(a, out[fresh:], seen.End), nil
		case !p.frames.frames.Ready() || len(out) > coalesce:
			p.out.write(out, true)
			out = p.out.scratch(out)
		}
		frame, err := p.frames.frames.Next()
		if err != nil {
			p.out.write(out, true)
			return nil, p.cut(err)
		}
		fresh = len(out)
		out, seen = p.framer.frame(out, frame)
	}
}

// afterFinish collects what follows the finish signal: the usage figures and
// the end marker, for which it waits only so long.
func (p *pump) afterFinish(a *upstream.Answer, first []byte, ended bool) []byte {
	tail := append([]byte{}, first...)
	stop := time.AfterFunc(finishWait, func() { a.Body.Close() })
	defer stop.Stop()
	for !ended {
		frame, err := p.frames.frames.Next()
		if err != nil {
			break
		}
		var seen dialect.Seen
		tail, seen = p.framer.frame(tail, frame)
		ended = seen.End
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
