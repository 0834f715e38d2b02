package proxy

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/admission"
	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/upstream"
)

// exchange is one call between admission and its end: what the lanes share.
type exchange struct {
	lifetime
	caller  hub.Caller
	way     way
	server  dialect.Server
	view    *dialect.View
	out     *clientStream
	dropped []string
	taken   // of the answer that won
}

// taken is what an attempt's answer was understood as.
type taken struct {
	lane   lane
	whole  []byte // its body, when the caller wants no stream
	frames streamReader
}

func newExchange(h *handler, w http.ResponseWriter, r *http.Request, server dialect.Server, v *dialect.View, t *admission.Ticket) *exchange {
	x := &exchange{lifetime: newLifetime(h, w, r, t), server: server, view: v}
	if v.Stream {
		x.out = newClientStream(w, h.Limits.Ping, v.Array)
	}
	return x
}

// done stops everything that the exchange started.
func (x *exchange) done() {
	if x.out != nil {
		defer x.out.stop()
	}
	x.lifetime.done()
}

// gone reports whether the client has left.
func (x *exchange) gone() bool {
	return x.r.Context().Err() != nil || (x.out != nil && x.out.failed())
}

func (x *exchange) target(t *routing.Target) dialect.Target {
	return dialect.Target{Model: t.Model, Quirks: t.Provider.Kind.Quirks, MaxOutput: t.MaxOutput, LowerTo: x.limit(t), Stream: x.view.Stream}
}

// limit is the output limit that must reach the provider: what the wallet
// covers, or the default where the model has none of its own and money is held.
func (x *exchange) limit(t *routing.Target) int64 {
	if x.way.path != "" {
		return 0 // not a request for an answer: it has no such parameter
	}
	if low := x.ticket.LowerTo; low > 0 {
		if t.LimitKnown { // one target's limit may be below what the wallet covers at another
			low = min(low, t.MaxOutput)
		}
		return low
	}
	if x.h.Gate.Settings.Billing && x.view.MaxOutput == nil && !t.LimitKnown {
		return t.MaxOutput
	}
	return 0
}

// prepare encodes the request for a target: spliced in the native lane,
// translated otherwise.
func (x *exchange) prepare(t *routing.Target) (upstream.Request, error) {
	client, native := x.h.clientFor(t, x.server.Name())
	var enc dialect.Encoded
	var err error
	if native {
		enc, err = client.Splice(x.view, x.target(t))
	} else {
		if err := x.tooLarge(); err != nil {
			return upstream.Request{}, err
		}
		if x.view.Chat == nil {
			if x.view.Chat, err = x.server.Decode(x.view); err != nil {
				return upstream.Request{}, err
			}
		}
		var said *chat.Request
		if said, err = x.h.inlined(x.upstream, client, x.view.Chat); err != nil {
			return upstream.Request{}, err
		}
		enc, err = client.Encode(said, x.target(t))
	}
	if err != nil {
		return upstream.Request{}, err
	}
	dropped := enc.Dropped
	if !native {
		dropped = slices.Concat(x.view.Chat.Ignored, enc.Dropped)
	}
	path := client.Path(x.target(t))
	if native && x.way.path != "" {
		path = x.way.path
	}
	return upstream.Request{Dialect: client.Name(), Path: path, Body: enc.Body, Header: enc.Header, Dropped: dropped}, nil
}

func (x *exchange) fault(t *routing.Target, status int, header http.Header, body []byte) *hub.Error {
	client, _ := x.h.clientFor(t, x.server.Name())
	return client.Fault(status, header, body)
}

// accept takes an answer in before anything is relayed: a whole body is read
// and understood, of a stream all that comes before its content. Two attempts may
// be in it at once, so it writes to the answer only.
func (x *exchange) accept(a *upstream.Answer) *hub.Error {
	t := &taken{}
	a.Taken = t
	client, native := x.h.clientFor(a.Target, x.server.Name())
	if native {
		n := newNative(client, x.server, x.view, a.Target.Provider.Kind.Quirks)
		if held, ceiling := x.ticket.Held(); held < ceiling {
			n.follow()
		}
		t.lane = n
	} else {
		t.lane = newTranslation(client, x.server, x.view, a.Target.Provider.Kind.Quirks)
	}
	if x.view.Stream {
		return t.frames.open(a, framesOf(client, a.Body), t.lane, x.fault)
	}
	body, err := readAnswer(a.Body, a.Header)
	if err != nil {
		return brokenAnswer(err)
	}
	t.whole, err = t.lane.whole(body)
	if err != nil {
		return brokenAnswer(err)
	}
	return nil
}

const maxAnswer = 64 << 20

// readAnswer reads a whole answer, into a buffer of the size that it announces.
func readAnswer(src io.Reader, header http.Header) ([]byte, error) {
	const believed = 1 << 20 // of an announcement
	var body bytes.Buffer
	if n, err := strconv.ParseInt(header.Get("content-length"), 10, 64); err == nil && n > 0 {
		body.Grow(int(min(n, believed)) + bytes.MinRead)
	}
	_, err := body.ReadFrom(io.LimitReader(src, maxAnswer+1))
	if err == nil && body.Len() > maxAnswer {
		err = errors.New("answer exceeds 64 MiB")
	}
	return body.Bytes(), err
}

// brokenAnswer is the fault of a 2xx answer that cannot be used.
func brokenAnswer(err error) *hub.Error {
	e := &hub.Error{Code: hub.CodeUpstream, Class: hub.ClassRetry, Status: http.StatusBadGateway, Cause: err,
		Message: "The provider's answer broke off or could not be understood."}
	if upstream.TimedOut(err) {
		e.Code, e.Status, e.Message = hub.CodeTimeout, http.StatusGatewayTimeout, "The provider stopped answering."
	}
	return e
}

// won takes over the answer that won.
func (x *exchange) won(a *upstream.Answer) {
	x.taken, x.dropped = *a.Taken.(*taken), a.Dropped
}

// failed settles a call that got no answer and tells the client.
func (x *exchange) failed(trace upstream.Trace, fault *hub.Error) error {
	if _, err := x.ticket.Settle(x.settling(), fail(trace, fault, x.gone())); err != nil {
		fault = hub.AsError(err)
	}
	if x.out != nil && x.out.closed() {
		x.out.end(x.server.Stream(x.view).Fail(nil, fault))
		httpkit.NoteError(x.r.Context(), fault)
		return nil
	}
	return fault
}

// headers announces where the answer came from.
func (x *exchange) headers(a *upstream.Answer) {
	hd := x.w.Header()
	hd.Set("x-aigne-hub-provider", a.Target.Provider.Name)
	hd.Set("x-aigne-hub-model", a.Target.Model)
	if len(x.dropped) > 0 {
		hd.Set("x-aigne-hub-dropped-params", strings.Join(x.dropped, ", "))
	}
	if x.ticket.LowerTo > 0 {
		hd.Set("x-aigne-hub-output-limit", strconv.FormatInt(x.ticket.LowerTo, 10))
	}
	hd.Set("server-timing", "provider;dur="+strconv.FormatInt(a.TTFB.Milliseconds(), 10))
	if x.server.Name() == dialect.Anthropic {
		hd.Set("request-id", httpkit.RequestID(x.r.Context()))
	}
}

// relayWhole settles and sends a complete answer.
func (x *exchange) relayWhole(a *upstream.Answer, trace upstream.Trace) error {
	report := x.lane.report()
	o := begin(trace, hub.StatusSuccess)
	o.Usage, o.Source = x.h.usageOf(x.server, x.view, report)
	o.Empty = empty(&report)
	o.Variant = serviceGiven(x.view, report)
	costGivenUp(&o, trace)
	o.ProviderTTFB = &a.TTFB
	ttfb := x.h.Now().Sub(x.started)
	o.TTFB = &ttfb
	if x.gone() {
		o.Status, o.HTTPStatus = hub.StatusAborted, httpkit.StatusClientGone
	}
	keep := x.keepWhole(a, &o)
	body := keep.body
	settled, err := x.ticket.Settle(x.settling(), o)
	switch {
	case err != nil:
		return err
	case keep.fault != nil:
		return keep.fault
	case body == nil:
		if body, err = x.lane.wholeAnswer(x.whole, x.closing(a, o, settled)); err != nil {
			return hub.Wrap(hub.CodeInternal, err, "The answer could not be encoded.")
		}
	}
	x.headers(a)
	x.w.Header().Set("content-type", "application/json")
	if o.Status == hub.StatusSuccess && !o.Empty && x.ticket.LowerTo == 0 {
		x.way.memo.keepWhole(x.w, a, x.ticket.CallID, kept{Usage: o.Usage, Source: o.Source, Dropped: x.dropped, Type: "application/json"}, body)
	}
	x.w.Header().Set("content-length", strconv.Itoa(len(body)))
	if settled.Billed {
		x.w.Header().Set("x-aigne-hub-credits", settled.Credits.String())
	}
	x.w.WriteHeader(http.StatusOK)
	_, _ = x.w.Write(body) // a client that left has been charged; nothing else to do
	return nil
}

// costGivenUp estimates what an attempt cost that another overtook: as much as if
// its provider had answered the same.
func costGivenUp(o *admission.Outcome, trace upstream.Trace) {
	t := trace.GivenUp
	if t == nil || t.Cost == nil {
		return
	}
	if c, err := t.Cost.Charge(t.Cost.Measured(o.Usage)); err == nil {
		o.Attempts[len(o.Attempts)-1].Cost = &c
	}
}

func (x *exchange) closing(a *upstream.Answer, o admission.Outcome, s admission.Settled) dialect.Closing {
	return dialect.Closing{CallID: x.ticket.CallID, Provider: a.Target.Provider.Name, Model: a.Target.Model,
		Usage: o.Usage, Known: o.Source == hub.UsageReported, Credits: s.Credits, Billed: s.Billed}
}
