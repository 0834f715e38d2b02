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
	frames *wire.Frames
	first  []byte       // what the client gets for the frames read so far
	seen   dialect.Seen // of the last of them
}

// open reads up to the first frame that says something. A stream that begins
// with an error, or is no stream at all, is a fault like any other: nothing has
// been relayed yet.
func (s *streamReader) open(a *upstream.Answer, l lane, fault func(*routing.Target, int, http.Header, []byte) *hub.Error) *hub.Error {
	if kind, _, _ := mime.ParseMediaType(a.Header.Get("Content-Type")); kind == "application/json" || kind == "text/html" {
		body, err := readAnswer(a.Body)
		if err != nil {
			return brokenAnswer(err)
		}
		return fault(a.Target, http.StatusBadGateway, a.Header, body)
	}
	s.frames, s.first = wire.NewFrames(a.Body), nil
	for {
		frame, err := s.frames.Next()
		if err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return brokenAnswer(err)
		}
		s.first, s.seen = l.frame(s.first, frame)
		if s.seen.Err != nil {
			return s.seen.Err
		}
		if frame[0] != ':' || s.seen.Content {
			return nil
		}
	}
}

// afterFinish is how long the usage figures may take after the finish signal.
const afterFinish = 2 * time.Second

// relayStream passes frames on as they come. From the finish signal on
// everything is withheld until the call is settled.
func (x *exchange) relayStream(a *upstream.Answer, trace upstream.Trace) error {
	x.headers(a)
	o := x.outcome(trace, hub.StatusSuccess)
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
	}
	if fault == nil && x.gone() {
		o.Status, o.HTTPStatus = hub.StatusAborted, httpkit.StatusClientGone
	}
	o.Usage, o.Source = usageOf(x.view, x.lane.report())
	settled, err := x.ticket.Settle(context.WithoutCancel(x.r.Context()), o)
	if err != nil {
		fault = hub.AsError(err)
	}
	x.finish(a, o, settled, tail, fault)
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

// pump relays until the finish signal and collects what comes after it. A fault
// means that the stream did not finish.
func (x *exchange) pump(a *upstream.Answer) (tail []byte, fault *hub.Error) {
	out, seen := x.frames.first, x.frames.seen
	finished := false
	for {
		switch {
		case seen.Err != nil && !finished:
			return nil, seen.Err
		case finished:
			tail = append(tail, out...)
		case seen.End && !seen.Finish:
			return nil, x.cut(io.ErrUnexpectedEOF)
		case seen.Finish:
			finished = true
			tail = append(tail, out...)
			stop := time.AfterFunc(afterFinish, func() { a.Body.Close() })
			defer stop.Stop()
		case len(out) > 0:
			x.out.write(out, !x.frames.frames.Ready())
		}
		if finished && seen.End {
			return tail, nil
		}
		frame, err := x.frames.frames.Next()
		if err != nil {
			if finished {
				return tail, nil
			}
			return nil, x.cut(err)
		}
		out, seen = x.lane.frame(x.out.scratch(), frame)
	}
}

// cut is the fault of a stream that ended before its finish signal.
func (x *exchange) cut(err error) *hub.Error {
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if errors.Is(err, context.Canceled) && x.gone() {
		return &hub.Error{Code: hub.CodeUpstream, Message: "The client left.", Cause: err}
	}
	return brokenAnswer(err)
}
