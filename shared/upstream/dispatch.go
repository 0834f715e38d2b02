package upstream

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// dispatch is one call on its way.
type dispatch struct {
	c     *Client
	ctx   context.Context
	call  *Call
	began time.Time
	queue []turn
	known []prepared
	only  bool // there was one candidate to begin with
	trace Trace
	last  *hub.Error
}

// turn is a candidate in the queue.
type turn struct {
	candidate
	probe  bool // it finds out whether an open target has recovered
	forced bool // its target is open, and nobody else is left
	lane   int  // which of two attempts at once
}

type prepared struct {
	target *routing.Target
	req    Request
}

// Do makes attempts until Accept takes an answer. The returned error is the one
// to show: the last that a repeat could not mend, in the hub's words where it
// concerns our own credential. The answer's body must be closed.
func (c *Client) Do(ctx context.Context, call Call) (*Answer, Trace, error) {
	d := &dispatch{c: c, ctx: ctx, call: &call, began: c.now()}
	order := c.breaker.arrange(c.pool.order(call.Plan.Targets, call.Sticky))
	d.queue = make([]turn, len(order), len(order)+1)
	for i := range order {
		d.queue[i].candidate = order[i]
	}
	d.only = len(order) == 1
	a := d.run()
	if a != nil {
		return a, d.trace, nil
	}
	if d.last == nil {
		d.last = c.pool.exhausted(call.Plan.Targets)
	}
	return nil, d.trace, shown(d.last)
}

// run makes the attempts, one after the other or, where it is allowed, two at a
// time. nil: there is no answer, and last says why.
func (d *dispatch) run() *Answer {
	for d.affordable() {
		t, req, ok := d.next()
		if !ok {
			return nil
		}
		if d.trace.Tries > 0 && !d.c.backOff(d.ctx, d.trace.Tries) {
			d.drop(t)
			return nil
		}
		if d.call.Hedge && d.c.settings.Hedge > 0 {
			a, more := d.race(t, req)
			if a != nil || !more {
				return a
			}
			continue
		}
		r := d.c.try(d.ctx, d.call, d.begin(t), req)
		if r.fault == nil {
			return d.won(r)
		}
		if !d.failed(r) {
			return nil
		}
	}
	return nil
}

// affordable reports whether the budgets have another attempt in them.
func (d *dispatch) affordable() bool {
	if d.trace.Tries >= d.c.settings.Attempts {
		return false
	}
	return d.trace.Tries == 0 || d.c.settings.Budget <= 0 || d.c.now().Sub(d.began) < d.c.settings.Budget
}

// next takes the next candidate that can be asked, with its request. Its key has
// been taken.
func (d *dispatch) next() (turn, *Request, bool) {
	for len(d.queue) > 0 {
		t := d.queue[0]
		d.queue = d.queue[1:]
		req, stop := d.prepare(t.target)
		if stop {
			return t, nil, false
		}
		if req == nil {
			continue
		}
		if !t.forced {
			var ok bool
			if ok, t.probe = d.c.breaker.enter(t.target); !ok {
				t.forced = true
				d.queue = append(d.queue, t)
				continue
			}
		}
		if d.c.pool.take(t.candidate) {
			return t, req, true
		}
		if t.probe {
			d.c.breaker.leave(t.target)
		}
	}
	return turn{}, nil, false
}

// prepare encodes the request for a target, once. No request: this target cannot
// express it, but another may; stop: none can.
func (d *dispatch) prepare(t *routing.Target) (req *Request, stop bool) {
	for i := range d.known {
		if d.known[i].target == t {
			return &d.known[i].req, false
		}
	}
	made, err := d.call.Prepare(t)
	if err == nil {
		d.known = append(d.known, prepared{t, made})
		return &made, false
	}
	invalid := hub.CodeOf(err) == hub.CodeInvalid
	if d.last == nil || !invalid {
		d.last = hub.AsError(err)
	}
	return nil, !invalid || len(d.call.Plan.Targets) == 1
}

// drop gives back a candidate that was not asked after all.
func (d *dispatch) drop(t turn) {
	d.c.pool.give(t.candidate)
	if t.probe {
		d.c.breaker.leave(t.target)
	}
}

// begin counts an attempt.
func (d *dispatch) begin(t turn) turn {
	d.trace.Tries++
	d.trace.Last, d.trace.LastKey = t.target, t.credential
	return t
}

// result is how an attempt ended.
type result struct {
	turn    turn
	answer  *Answer
	fault   *hub.Error
	started time.Time
	took    time.Duration
}

// try makes one attempt.
func (c *Client) try(ctx context.Context, call *Call, t turn, req *Request) result {
	r := result{turn: t, started: c.now()}
	var over func(*hub.Error)
	if c.settings.Attempt != nil {
		ctx, over = c.settings.Attempt(ctx, t.target, t.credential.Name)
	}
	r.answer, r.fault = c.attempt(ctx, call, t.candidate, req)
	r.took = c.now().Sub(r.started)
	if r.fault != nil {
		if over != nil {
			over(r.fault)
		}
		c.pool.give(t.candidate)
		return r
	}
	r.answer.body.tell = true
	if t.credential.MaxConcurrent > 0 || over != nil {
		r.answer.body.release = func() {
			c.pool.give(t.candidate)
			if over != nil {
				over(nil)
			}
		}
	}
	return r
}

// won notes a success.
func (d *dispatch) won(r result) *Answer {
	d.trace.Last, d.trace.LastKey = r.turn.target, r.turn.credential
	d.c.pool.succeeded(r.turn.candidate, r.started)
	d.c.outcome(r.turn.target, true, r.turn.probe, r.answer.TTFB, nil)
	return r.answer
}

// failed notes a failure, of the key and of the target, and reports whether
// another attempt makes sense.
func (d *dispatch) failed(r result) bool {
	t, fault := r.turn, r.fault
	d.trace.Attempts = append(d.trace.Attempts, attemptOf(r, string(fault.Code), fault.Message))
	d.last = fault
	if d.ctx.Err() != nil {
		if t.probe {
			d.c.breaker.leave(t.target)
		}
		return false
	}
	switch fault.Class {
	case hub.ClassRateLimit:
		d.c.pool.rest(t.candidate, d.c.settings.Cooldown, fault.RetryAfter)
	case hub.ClassRetry:
		d.c.pool.rest(t.candidate, d.c.settings.Cooldown, 0)
	case hub.ClassCredential:
		if d.c.pool.refuse(t.candidate, fault.Status, d.c.settings.Cooldown) {
			d.c.disable(d.ctx, t.candidate, fault)
		}
	default:
		if t.probe {
			d.c.breaker.leave(t.target)
		}
		return false
	}
	d.c.outcome(t.target, false, t.probe, 0, fault)
	return d.once(t, fault)
}

const (
	againAfter   = 250 * time.Millisecond
	againPatient = 2 * time.Second
)

// once puts the only candidate there was back into the queue, one time, when a
// little waiting may help. Timeouts have waited enough.
func (d *dispatch) once(t turn, fault *hub.Error) bool {
	if !d.only || d.trace.Tries > 1 || len(d.queue) > 0 || d.c.settings.Attempts < 2 {
		return true
	}
	wait := againAfter + rand.N(againAfter)
	switch {
	case fault.Class == hub.ClassRateLimit && fault.RetryAfter > 0 && fault.RetryAfter <= againPatient:
		wait = fault.RetryAfter + rand.N(againAfter)
	case fault.Class != hub.ClassRetry, fault.Code == hub.CodeTimeout:
		return true
	}
	if !sleep(d.ctx, wait) {
		return false
	}
	d.queue = append(d.queue, turn{candidate: t.candidate, forced: true})
	return true
}

func attemptOf(r result, category, message string) store.Attempt {
	a := store.Attempt{Provider: r.turn.target.Provider.Name, Model: r.turn.target.Model, Credential: r.turn.credential.Name,
		Category: category, Error: message, Duration: r.took}
	if r.fault != nil {
		a.HTTPStatus = r.fault.Status
	}
	return a
}

// outcome tells the breaker and whoever watches how a target fared. A key that
// is refused or throttled says nothing of how the target works.
func (c *Client) outcome(t *routing.Target, good, probe bool, ttfb time.Duration, fault *hub.Error) {
	switch {
	case good || fault.Class == hub.ClassRetry:
		c.breaker.record(t, good, probe)
	case probe:
		c.breaker.leave(t)
	}
	if c.settings.Seen != nil {
		c.settings.Seen(t, ttfb, fault)
	}
}

// disable hands a credential that is not taken any more to whoever keeps it.
// Those of the environment only rest.
func (c *Client) disable(ctx context.Context, cand candidate, fault *hub.Error) {
	if c.settings.Refused == nil || cand.credential.ID == "" {
		return
	}
	const patience = 3 * time.Second // a call is waiting
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	c.settings.Refused(ctx, Refusal{Provider: cand.target.Provider.Name, CredentialID: cand.credential.ID, Credential: cand.credential.Name,
		Status: fault.Status, Reason: reason(fault)})
}

// reason says why a credential is disabled. The provider's own words stay out:
// they may hold parts of keys.
func reason(fault *hub.Error) string {
	text := "The provider refuses the credential"
	switch fault.Status {
	case 0:
	case http.StatusPaymentRequired, http.StatusTooManyRequests:
		text = "The credential's quota at the provider is used up (HTTP " + strconv.Itoa(fault.Status) + ")"
	default:
		text += " (HTTP " + strconv.Itoa(fault.Status) + ")"
	}
	return text + "."
}

// backOff waits a little before another attempt, with jitter.
func (c *Client) backOff(ctx context.Context, tries int) bool {
	wait := time.Duration(min(tries, 5)) * 10 * time.Millisecond
	return sleep(ctx, wait+rand.N(wait))
}

func sleep(ctx context.Context, wait time.Duration) bool {
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
