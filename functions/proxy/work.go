package proxy

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/admission"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/task"
	"github.com/aigne-hub/aigne-hub/shared/upstream"
)

// work is the way of a call for work beside chat, the same for every kind and
// language: read, plan, admit, call, settle, answer.
func (h *handler) work(server dialect.TaskServer) httpkit.CallerHandler {
	return func(w http.ResponseWriter, r *http.Request, caller hub.Caller) (err error) {
		body, err := readBody(r)
		if err != nil {
			return err
		}
		view, err := server.View(r, body)
		if err != nil {
			return err
		}
		note, err := h.workMemo(r, caller, server, view, body)
		if err != nil {
			return err
		}
		plan, ticket, err := h.admitWork(r, caller, server, view, way{memo: note})
		if err != nil {
			refusalHeaders(w, err)
			return err
		}
		if take := h.Capture.Take(&caller, ticket.CallID); take != nil {
			w = begun(take, w, r, body)
			defer func() { ended(take, r, err, server.Error) }()
		}
		if note.hit() {
			return note.replay(w, r, ticket)
		}
		note.mark(w, cacheMiss)
		x := newErrand(h, w, r, caller, server, view, ticket)
		x.memo = note
		defer x.done()
		if view.Request.Stream && view.Request.Image != nil {
			return x.streamPictures(plan)
		}
		answer, trace, err := h.Upstream.Do(x.upstream, upstream.Call{
			Plan: plan, Prepare: x.prepare, Fault: x.fault, Whole: true, Accept: x.accept,
		})
		if err != nil {
			return x.failed(trace, hub.AsError(err))
		}
		defer answer.Body.Close()
		switch {
		case x.flow != nil && x.out != nil:
			return x.relayEvents(answer, trace)
		case x.flow != nil:
			return x.relayBytes(answer, trace)
		}
		return x.relay(answer, trace)
	}
}

// admitWork plans work and takes its ticket.
func (h *handler) admitWork(r *http.Request, caller hub.Caller, server dialect.TaskServer, v *dialect.TaskView, how way) (routing.Plan, *admission.Ticket, error) {
	req := v.Request
	bound, opaque := admission.WorkBound(req, v.Bytes)
	traits, err := h.workTraits(r, caller, v)
	if err != nil {
		return routing.Plan{}, nil, err
	}
	to := routing.Request{Model: req.Model, Type: req.Kind.CallType(), Task: req.Kind, Dialect: server.Name(), Traits: traits}
	return h.ticket(r, caller, to, how, func(plan *routing.Plan) admission.Request {
		return admission.Request{
			Caller: caller, Type: req.Kind.CallType(), Dialect: string(server.Name()), Stream: req.Stream,
			Work: &bound, OpaqueInput: opaque, Variant: variantAsked(req),
			CountPrompt: func() int64 { return h.countedInputs(req.Embed, plan) },
		}
	})
}

// variantAsked is what the caller said of the quality and size of its pictures
// or film, which decide their price.
func variantAsked(r *task.Request) task.Variant {
	switch {
	case r.Image != nil:
		return task.Variant{Quality: r.Image.Quality, Size: r.Image.Size}
	case r.Film != nil && r.Film.Resolution != "":
		return task.Variant{Size: r.Film.Resolution}
	case r.Film != nil:
		return task.Variant{Size: r.Film.Size}
	}
	return task.Variant{}
}

// errand is one piece of work between admission and its end.
type errand struct {
	lifetime
	caller  hub.Caller
	server  dialect.TaskServer
	view    *dialect.TaskView
	dropped []string
	body    []byte // the provider's answer
	result  *task.Result
	memo    *memo // what the cache has to do with it; nil: nothing

	out    *clientStream // the caller asked for server-sent events
	flow   dialect.TaskFlow
	frames streamReader // of a flow of events
	now    []byte       // the frame in hand
	first  []byte       // of a flow of bytes
}

func newErrand(h *handler, w http.ResponseWriter, r *http.Request, caller hub.Caller, server dialect.TaskServer, v *dialect.TaskView, t *admission.Ticket) *errand {
	x := &errand{lifetime: newLifetime(h, w, r, t), caller: caller, server: server, view: v}
	if _, ok := server.(dialect.TaskEvents); ok && v.Request.Stream {
		x.out = newClientStream(w, h.Limits.Ping, false)
	}
	return x
}

// done stops everything that the errand started.
func (x *errand) done() {
	if x.out != nil {
		defer x.out.stop()
	}
	x.lifetime.done()
}

// gone reports whether the client has left.
func (x *errand) gone() bool {
	return x.r.Context().Err() != nil || (x.out != nil && x.out.failed())
}

// clientFor returns how the work is asked for at a target, and whether that is
// the caller's own language.
func (x *errand) clientFor(t *routing.Target) (c dialect.TaskClient, native bool) {
	name := t.Provider.Kind.Tasks[x.view.Request.Kind]
	return x.h.workers[name], name == x.server.Name()
}

func (x *errand) target(t *routing.Target) dialect.Target {
	return dialect.Target{Model: t.Model, Quirks: t.Provider.Kind.Quirks, MaxOutput: t.MaxOutput, Stream: x.view.Request.Stream}
}

// prepare encodes the request for a target: spliced in the native lane,
// translated otherwise.
func (x *errand) prepare(t *routing.Target) (upstream.Request, error) {
	client, native := x.clientFor(t)
	var enc dialect.TaskEncoded
	var err error
	if native {
		enc, err = client.Splice(x.view, x.target(t))
	} else {
		enc, err = x.h.translate(x.upstream, client, x.view.Request, x.target(t))
	}
	if err != nil {
		return upstream.Request{}, err
	}
	x.dropped = enc.Dropped
	return encoded(client.Name(), enc), nil
}

// translate encodes a request for another language, with the files that its
// target cannot take by URL.
func (h *handler) translate(ctx context.Context, client taskEncoder, req *task.Request, t dialect.Target) (dialect.TaskEncoded, error) {
	if err := h.canLink(req); err != nil {
		return dialect.TaskEncoded{}, err
	}
	req, err := h.withFiles(ctx, client, req, t)
	if err != nil {
		return dialect.TaskEncoded{}, err
	}
	return client.Encode(req, t)
}

// taskEncoder is what a TaskClient and a JobClient have in common.
type taskEncoder interface {
	Encode(req *task.Request, t dialect.Target) (dialect.TaskEncoded, error)
}

// encoded is a request in a language as it is sent.
func encoded(name dialect.Name, enc dialect.TaskEncoded) upstream.Request {
	header := enc.Header.Clone()
	if enc.Type != "" {
		if header == nil {
			header = http.Header{}
		}
		header.Set("Content-Type", enc.Type)
	}
	return upstream.Request{Method: enc.Method, Dialect: name, Path: enc.Path, Body: enc.Body, Header: header}
}

func (x *errand) fault(t *routing.Target, status int, header http.Header, body []byte) *hub.Error {
	client, _ := x.clientFor(t)
	return client.Fault(status, header, body)
}

// accept reads and understands an answer before anything is relayed.
func (x *errand) accept(a *upstream.Answer) *hub.Error {
	x.flow = nil
	if flow, events := x.flowOf(a); flow != nil {
		return x.begin(a, flow, events)
	}
	body, err := readAnswer(a.Body, a.Header)
	if err != nil {
		return brokenAnswer(err)
	}
	client, native := x.clientFor(a.Target)
	x.body = body
	x.result, err = client.Decode(x.view.Request, dialect.TaskAnswer{Header: a.Header, Body: body}, x.target(a.Target))
	if err != nil {
		return misread(err)
	}
	if native {
		return nil
	}
	return x.deliver(x.result)
}

// misread is the fault of a 2xx answer: what it says, or that it says nothing.
func misread(err error) *hub.Error {
	var said *hub.Error
	if errors.As(err, &said) {
		return said
	}
	return brokenAnswer(err)
}

// failed settles work that got no answer.
func (x *errand) failed(trace upstream.Trace, fault *hub.Error) error {
	if _, err := x.ticket.Settle(x.settling(), fail(trace, fault, x.gone())); err != nil {
		fault = hub.AsError(err)
	}
	if x.out != nil && x.out.closed() {
		x.failEvents(fault)
		return nil
	}
	return fault
}

// outcome is how an answered call ended, as far as it is known before the last
// bytes are sent.
func (x *errand) outcome(a *upstream.Answer, trace upstream.Trace) admission.Outcome {
	o := begin(trace, hub.StatusSuccess)
	o.Usage, o.Source = x.h.workUsage(x.view.Request, x.result)
	o.Variant = variantMade(x.view.Request, x.result)
	o.ProviderTTFB = &a.TTFB
	ttfb := x.h.Now().Sub(x.started)
	o.TTFB = &ttfb
	if x.gone() {
		o.Status, o.HTTPStatus = hub.StatusAborted, httpkit.StatusClientGone
	}
	return o
}

func (x *errand) closing(a *upstream.Answer, o admission.Outcome, s admission.Settled) dialect.Closing {
	return dialect.Closing{CallID: x.ticket.CallID, Provider: a.Target.Provider.Name, Model: a.Target.Model,
		Usage: o.Usage, Known: o.Source == hub.UsageReported, Credits: s.Credits, Billed: s.Billed}
}

// relay settles and sends an answer that was read whole.
func (x *errand) relay(a *upstream.Answer, trace upstream.Trace) error {
	o := x.outcome(a, trace)
	settled, err := x.ticket.Settle(x.settling(), o)
	if err != nil {
		if x.out != nil && x.out.closed() {
			x.failEvents(hub.AsError(err))
			return nil
		}
		return err
	}
	if x.out != nil {
		return x.sendEvents(a, o, settled)
	}
	payload, err := x.payload(a, x.closing(a, o, settled))
	if err != nil {
		return hub.Wrap(hub.CodeInternal, err, "The answer could not be encoded.")
	}
	x.headers(a, settled)
	if o.Status == hub.StatusSuccess {
		x.memo.keepWhole(x.w, a, x.ticket.CallID, kept{Usage: o.Usage, Source: o.Source, Dropped: x.dropped, Type: payload.Type}, payload.Body)
	}
	hd := x.w.Header()
	hd.Set("content-type", payload.Type)
	hd.Set("content-length", strconv.Itoa(len(payload.Body)))
	x.w.WriteHeader(http.StatusOK)
	_, _ = x.w.Write(payload.Body) // a client that left has been charged; nothing else to do
	return nil
}

// payload is what the client gets: in the native lane the provider's own bytes.
func (x *errand) payload(a *upstream.Answer, c dialect.Closing) (dialect.Payload, error) {
	if _, native := x.clientFor(a.Target); !native {
		return x.server.Whole(x.view, x.result, c)
	}
	p := dialect.Payload{Type: a.Header.Get("Content-Type"), Body: x.body}
	if p.Type == "" {
		p.Type = "application/octet-stream"
	}
	var err error
	if m, ok := x.server.(dialect.TaskMender); ok {
		p.Body, err = m.Mend(x.view, x.result, p.Body)
	}
	return p, err
}

// headers announces where the answer came from and what it cost.
func (x *errand) headers(a *upstream.Answer, s admission.Settled) {
	hd := x.w.Header()
	hd.Set("x-aigne-hub-provider", a.Target.Provider.Name)
	hd.Set("x-aigne-hub-model", a.Target.Model)
	if len(x.dropped) > 0 {
		hd.Set("x-aigne-hub-dropped-params", strings.Join(x.dropped, ", "))
	}
	if s.Billed {
		hd.Set("x-aigne-hub-credits", s.Credits.String())
	}
	hd.Set("server-timing", "provider;dur="+strconv.FormatInt(a.TTFB.Milliseconds(), 10))
}

// variantMade is the variant that was produced: what the provider said, else
// what was asked for.
func variantMade(r *task.Request, res *task.Result) task.Variant {
	made := variantAsked(r)
	if res.Variant.Quality != "" {
		made.Quality = res.Variant.Quality
	}
	if res.Variant.Size != "" {
		made.Size = res.Variant.Size
	}
	return made
}
