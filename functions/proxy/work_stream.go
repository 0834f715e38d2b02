package proxy

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/admission"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/upstream"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// soundChunk is how many bytes of a sound travel at once, and so how many wait
// for settlement at its end at most.
const soundChunk = 32 << 10

// flowOf returns what watches an answer that can be passed on as it comes, nil
// for one that must be read whole.
func (x *errand) flowOf(a *upstream.Answer) (flow dialect.TaskFlow, events bool) {
	client, native := x.clientFor(a.Target)
	streamer, ok := client.(dialect.TaskStreamer)
	if !native || !ok || isDocument(a.Header) {
		return nil, false
	}
	flow, events = streamer.Flow(x.view, a.Header)
	if events != (x.out != nil) {
		return nil, false
	}
	return flow, events
}

// isDocument reports an answer that is no stream.
func isDocument(h http.Header) bool {
	kind, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	return kind == "application/json" || kind == "text/html"
}

// begin takes the beginning of a flow in: nothing has been relayed yet, so a
// fault can send the call elsewhere.
func (x *errand) begin(a *upstream.Answer, flow dialect.TaskFlow, events bool) *hub.Error {
	x.flow = flow
	if events {
		return x.frames.open(a, wire.NewFrames(a.Body), x, x.fault)
	}
	x.first = make([]byte, soundChunk)
	n, err := io.ReadAtLeast(a.Body, x.first, 1)
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return brokenAnswer(err)
	}
	x.first = x.first[:n]
	x.flow.Piece(x.first)
	return nil
}

// take shows a frame to the flow.
func (x *errand) take(frame []byte) dialect.Seen {
	x.now = frame
	seen := x.flow.Piece(frame)
	if seen.Err != nil {
		x.now = nil
	}
	return seen
}

// give passes it on as it is.
func (x *errand) give(dst []byte) []byte { return append(dst, x.now...) }

func (x *errand) cut(err error) *hub.Error { return x.lifetime.cut(err, x.gone()) }

// relayEvents passes events on as they come; those from the finish signal on
// wait for settlement.
func (x *errand) relayEvents(a *upstream.Answer, trace upstream.Trace) error {
	x.out.announce(func() { x.headers(a, admission.Settled{}) })
	var ttfb *time.Duration
	x.out.onFirst = func() { ttfb = new(x.h.Now().Sub(x.started)) }
	p := pump{frames: &x.frames, framer: x, out: x.out, cut: x.cut}
	tail, end := p.run(a)
	fault := end.fault
	_, err := x.settleFlow(a, trace, ttfb, fault)
	if err != nil {
		fault = hub.AsError(err)
	}
	if fault != nil {
		x.failEvents(fault)
		return nil
	}
	x.out.end(tail)
	drain(a.Body)
	return nil
}

// settleFlow settles an answer that was passed on; fault says that it did not
// come to its end.
func (x *errand) settleFlow(a *upstream.Answer, trace upstream.Trace, ttfb *time.Duration, fault *hub.Error) (admission.Settled, error) {
	x.result = x.flow.Result()
	o := x.outcome(a, trace)
	o.TTFB, o.Cut = ttfb, fault != nil
	if fault != nil && o.Status == hub.StatusSuccess {
		o.Status, o.Err, o.HTTPStatus = hub.StatusFailed, fault, httpkit.Status(fault)
		a.Broke(fault)
	}
	return x.ticket.Settle(x.settling(), o)
}

// sendEvents answers a caller who asked for events with a whole answer, whose
// provider or language has no stream.
func (x *errand) sendEvents(a *upstream.Answer, o admission.Outcome, s admission.Settled) error {
	server := x.server.(dialect.TaskEvents) // newErrand has looked
	x.out.announce(func() { x.headers(a, s) })
	frames, err := server.Events(x.view, x.result, x.closing(a, o, s))
	if err != nil {
		x.failEvents(hub.Wrap(hub.CodeInternal, err, "The answer could not be encoded."))
		return nil
	}
	x.out.end(frames)
	return nil
}

// failEvents ends a stream with an error.
func (x *errand) failEvents(fault *hub.Error) {
	httpkit.NoteError(x.r.Context(), fault)
	x.out.end(x.server.(dialect.TaskEvents).Fail(fault))
}

// relayBytes passes a sound on as it comes. Its last piece waits for settlement,
// so that a caller never has the whole of a call that is not on the books. There
// is no way to tell an error within a sound: the connection is torn.
func (x *errand) relayBytes(a *upstream.Answer, trace upstream.Trace) error {
	x.headers(a, admission.Settled{})
	for _, name := range []string{"Content-Type", "Content-Length"} {
		if v := a.Header.Get(name); v != "" {
			x.w.Header().Set(name, v)
		}
	}
	out := &byteStream{w: x.w, rc: http.NewResponseController(x.w)}
	defer out.stop()
	var ttfb *time.Duration
	held, spare := x.first, make([]byte, soundChunk)
	var fault *hub.Error
	for {
		n, err := a.Body.Read(spare)
		if n > 0 {
			x.flow.Piece(spare[:n])
			if ttfb == nil {
				ttfb = new(x.h.Now().Sub(x.started))
			}
			out.write(held)
			held, spare = spare[:n], held[:cap(held)]
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			fault = x.cut(err)
			break
		}
	}
	if ttfb == nil {
		ttfb = new(x.h.Now().Sub(x.started))
	}
	if _, err := x.settleFlow(a, trace, ttfb, fault); err != nil {
		fault = hub.AsError(err)
	}
	if fault != nil {
		x.forget()
		return fault // before the first byte an answer like any other, after it the end of the connection
	}
	out.write(held)
	return nil
}

// forget takes back what was announced of an answer that is not sent.
func (x *errand) forget() {
	x.w.Header().Del("Content-Type")
	x.w.Header().Del("Content-Length")
}

// byteStream writes bytes to a client that may take its time, but not for ever.
// After a failed write it does nothing.
type byteStream struct {
	w      http.ResponseWriter
	rc     *http.ResponseController
	broken bool
}

func (s *byteStream) write(p []byte) {
	if s.broken {
		return
	}
	_ = s.rc.SetWriteDeadline(time.Now().Add(writeTimeout)) // not every server has deadlines
	if _, err := s.w.Write(p); err != nil {
		s.broken = true
		return
	}
	_ = s.rc.Flush() // not every server needs it; a broken client shows at the next write
}

// stop takes the deadline back from the connection, which may serve other
// requests.
func (s *byteStream) stop() { _ = s.rc.SetWriteDeadline(time.Time{}) }
