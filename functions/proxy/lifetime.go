package proxy

import (
	"context"
	"net/http"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/admission"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/upstream"
)

// lifetime is how long an admitted call may go on: what chat and other work
// share of client, clock and ticket.
type lifetime struct {
	h        *handler
	r        *http.Request
	w        http.ResponseWriter
	ticket   *admission.Ticket
	started  time.Time
	upstream context.Context // ends with the call, not with the client
	cancel   context.CancelFunc
	leave    func() bool
	halt     func() bool
}

func newLifetime(h *handler, w http.ResponseWriter, r *http.Request, t *admission.Ticket) lifetime {
	if ctx := t.Context(r.Context()); ctx != r.Context() {
		r = r.WithContext(ctx)
	}
	l := lifetime{h: h, r: r, w: w, ticket: t, started: h.Now()}
	// The upstream's life is the hub's business: a client that leaves must not
	// take the usage figures with it.
	var cancel context.CancelFunc
	l.upstream, cancel = context.WithTimeout(context.WithoutCancel(r.Context()), h.Limits.Total)
	l.cancel = cancel
	upstream := l.upstream
	l.leave = context.AfterFunc(r.Context(), func() { h.clientLeft(r.Context(), upstream, cancel, t.ReadsOn()) })
	l.halt = context.AfterFunc(h.Halt, cancel)
	w.Header().Set("x-aigne-hub-call-id", t.CallID)
	httpkit.NoteCall(r.Context(), t.CallID)
	rateHeaders(w, r, t)
	return l
}

// done stops everything that the call started.
func (l *lifetime) done() {
	l.leave()
	l.halt()
	l.ticket.Abandon(l.settling()) // only if a panic came between
	l.cancel()
}

// settling is the context of settlement, which no client can end.
func (l *lifetime) settling() context.Context { return context.WithoutCancel(l.r.Context()) }

// clientLeft ends the upstream at once or bounds how long it is read on, where the
// call's abort policy wants that. Where the surroundings give a request only so much time
// (Lambda), that bounds it too, and a client that did not leave by itself has none.
func (h *handler) clientLeft(client, upstream context.Context, cancel context.CancelFunc, readsOn bool) {
	drain := h.Limits.Drain
	if end, ok := client.Deadline(); ok {
		drain = min(drain, time.Until(end)-settleTime)
	}
	if drain <= 0 || !readsOn || !h.drains.take() {
		cancel()
		return
	}
	timer := time.AfterFunc(drain, cancel)
	context.AfterFunc(upstream, func() {
		timer.Stop()
		h.drains.give()
	})
}

// settleTime is what is left for settlement of the time that the surroundings give
// a request.
const settleTime = 5 * time.Second

// begin is the outcome of a call as far as the way to the provider tells it.
func begin(trace upstream.Trace, status hub.CallStatus) admission.Outcome {
	return admission.Outcome{Status: status, Target: trace.Last, CredentialID: trace.LastKey.ID, Credential: trace.LastKey.Name,
		Attempts: trace.Attempts, Tries: trace.Tries, HTTPStatus: http.StatusOK}
}

// fail is the outcome of a call that got no answer.
func fail(trace upstream.Trace, fault *hub.Error, gone bool) admission.Outcome {
	o := begin(trace, hub.StatusFailed)
	o.Err, o.HTTPStatus = fault, httpkit.Status(fault)
	if gone {
		o.Status, o.HTTPStatus = hub.StatusAborted, httpkit.StatusClientGone
	}
	return o
}
