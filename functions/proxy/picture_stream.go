package proxy

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/admission"
	"github.com/aigne-hub/aigne-hub/shared/dialect/openaitasks"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/upstream"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// pictureStream relays OpenAI's stream of pictures: partial ones as they come,
// complete ones once the call is settled. There is no translation into it, since
// no other vendor shows pictures in the making.
type pictureStream struct {
	*errand
	out    *clientStream
	frames *wire.Frames
	first  []byte // the frame that was looked at before the answer was accepted
	meter  openaitasks.PictureMeter
}

func (x *errand) streamPictures(plan routing.Plan) error {
	p := &pictureStream{errand: x, out: newClientStream(x.w, x.h.Limits.Ping, false)}
	defer p.out.stop()
	answer, trace, err := x.h.Upstream.Do(x.upstream, upstream.Call{Plan: plan, Prepare: x.prepare, Fault: x.fault, Accept: p.open})
	if err != nil {
		return p.refuse(trace, hub.AsError(err))
	}
	defer answer.Body.Close()
	return p.relay(answer, trace)
}

// open reads the first frame. An answer that is no stream is what the provider
// says instead.
func (p *pictureStream) open(a *upstream.Answer) *hub.Error {
	if strings.HasPrefix(a.Header.Get("Content-Type"), "application/json") {
		body, err := readAnswer(a.Body, a.Header)
		if err != nil {
			return brokenAnswer(err)
		}
		return p.fault(a.Target, http.StatusBadGateway, a.Header, body)
	}
	p.frames, p.meter = wire.NewFrames(a.Body), openaitasks.PictureMeter{}
	frame, err := p.frames.Next()
	if err != nil {
		return brokenAnswer(err)
	}
	p.first = append([]byte(nil), frame...)
	return p.meter.Frame(p.first)
}

// refuse settles work that got no answer and tells the client.
func (p *pictureStream) refuse(trace upstream.Trace, fault *hub.Error) error {
	err := p.failed(trace, fault)
	if !p.out.closed() {
		return err
	}
	p.end(hub.AsError(err))
	return nil
}

// end ends the stream with an error event.
func (p *pictureStream) end(fault *hub.Error) {
	httpkit.NoteError(p.r.Context(), fault)
	body := p.server.Error(fault, "")
	var o map[string]json.RawMessage
	if json.Unmarshal(body, &o) == nil {
		o["type"] = json.RawMessage(`"error"`)
		if named, err := json.Marshal(o); err == nil {
			body = named
		}
	}
	p.out.end(wire.AppendFrame(nil, "error", body))
}

func (p *pictureStream) relay(a *upstream.Answer, trace upstream.Trace) error {
	p.out.announce(func() { p.headers(a, admission.Settled{}) })
	o := begin(trace, hub.StatusSuccess)
	o.ProviderTTFB = &a.TTFB
	p.out.onFirst = func() {
		ttfb := p.h.Now().Sub(p.started)
		o.TTFB = &ttfb
	}
	tail, fault := p.pump()
	gone := p.r.Context().Err() != nil || p.out.failed()
	switch {
	case gone:
		o.Status, o.HTTPStatus, o.Cut = hub.StatusAborted, httpkit.StatusClientGone, fault != nil
	case fault != nil:
		o.Status, o.Err, o.HTTPStatus = hub.StatusFailed, fault, httpkit.Status(fault)
	}
	res := p.meter.Result()
	o.Usage, o.Source = res.Usage, hub.UsageReported
	o.Variant = variantMade(p.view.Request, res)
	if _, err := p.ticket.Settle(p.settling(), o); err != nil {
		fault = hub.AsError(err)
	}
	if fault != nil {
		p.end(fault)
		return nil
	}
	p.out.end(tail)
	return nil
}

// pump relays until the first complete picture and collects what follows.
func (p *pictureStream) pump() (tail []byte, fault *hub.Error) {
	frame := p.first
	for {
		if p.meter.Pictures() > 0 {
			tail = append(tail, frame...)
		} else {
			p.out.write(frame, true)
		}
		next, err := p.frames.Next()
		switch {
		case errors.Is(err, io.EOF) && p.meter.Pictures() > 0:
			return tail, nil
		case errors.Is(err, io.EOF):
			return nil, brokenAnswer(io.ErrUnexpectedEOF)
		case err != nil:
			return nil, brokenAnswer(err)
		}
		frame = next
		if fault := p.meter.Frame(frame); fault != nil {
			return nil, fault
		}
	}
}
