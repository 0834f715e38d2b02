// Package upstream sends a planned call to providers: credential by credential,
// target by target, until an answer is worth relaying or the attempts are used
// up. It knows no dialect (the caller encodes and judges answers) and no money.
package upstream

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/provider"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Settings are the limits of attempts. All durations are per attempt, Total for
// the whole call.
type Settings struct {
	Connect   time.Duration
	FirstByte time.Duration // until the answer's header, and a stream's first frame
	Idle      time.Duration // between two reads of a body
	Total     time.Duration
	Attempts  int           // per call, at least 1
	Cooldown  time.Duration // rest of a failed key; 0: none
}

// Client calls providers.
type Client struct {
	Observer Observer // set before the first call; nil: nobody

	settings Settings
	http     *http.Transport // used directly: a redirect is an answer, and there are no cookies
	pool     *pool
	tokens   *tokens
	now      hub.Now
}

// New makes a client. Its transport keeps connections, does not decompress, and
// follows no redirect: a provider's base URL is trusted as typed, where it
// points to is not.
func New(s Settings, now hub.Now) *Client {
	dialer := &net.Dialer{Timeout: s.Connect, KeepAlive: 30 * time.Second}
	t := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           dialer.DialContext,
		TLSHandshakeTimeout:   s.Connect,
		MaxIdleConns:          2048,
		MaxIdleConnsPerHost:   1024,
		IdleConnTimeout:       90 * time.Second,
		DisableCompression:    true,
		ForceAttemptHTTP2:     true,
		ExpectContinueTimeout: time.Second,
	}
	return &Client{settings: s, now: now, pool: newPool(now), tokens: newTokens(t, now), http: t}
}

// Close drops idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Call is one planned call.
type Call struct {
	Plan routing.Plan
	// Prepare encodes the request for a target: path and query below its base
	// URL, body, and headers of the language. Its error ends the call.
	Prepare func(t *routing.Target) (Request, error)
	// Fault reads a non-2xx answer.
	Fault func(t *routing.Target, status int, header http.Header, body []byte) *hub.Error
	// Whole: Accept reads the answer to its end, which may take longer than the
	// first-byte time-out; from the header on the idle time-out counts.
	Whole bool
	// Accept looks at a 2xx answer before anything is relayed; an error whose
	// class allows it sends the call elsewhere.
	Accept func(a *Answer) *hub.Error
}

// Request is an encoded request.
type Request struct {
	Method  string       // "" is POST
	Dialect dialect.Name // what it is written in; leads to the vendor's base URL for it
	Path    string
	Body    []byte
	Header  http.Header
}

// Answer is a provider's 2xx answer, its body under the idle time-out.
type Answer struct {
	Target     *routing.Target
	Credential routing.Credential
	Header     http.Header
	Body       io.ReadCloser
	Started    time.Time     // when this attempt began
	TTFB       time.Duration // until the header
}

// Trace is what happened on the way, also when the call failed.
type Trace struct {
	Attempts []store.Attempt // those that failed
	Tries    int             // all of them
	Last     *routing.Target // tried last
	LastKey  routing.Credential
}

const maxErrorBody = 256 << 10

// Do makes attempts until Accept takes an answer. The returned error is the one
// to show: the last that a repeat could not mend, in the hub's words where it
// concerns our own credential. The answer's body must be closed.
func (c *Client) Do(ctx context.Context, call Call) (*Answer, Trace, error) {
	var trace Trace
	var last *hub.Error
	prepared := map[*routing.Target]Request{}
	for _, cand := range c.pool.order(call.Plan.Targets) {
		if trace.Tries >= c.settings.Attempts {
			break
		}
		if trace.Tries > 0 && !c.backOff(ctx, trace.Tries) {
			break
		}
		req, ok := prepared[cand.target]
		if !ok {
			var err error
			if req, err = call.Prepare(cand.target); err != nil {
				if last == nil || hub.CodeOf(err) != hub.CodeInvalid {
					last = hub.AsError(err)
				}
				if len(call.Plan.Targets) > 1 && hub.CodeOf(err) == hub.CodeInvalid {
					continue // another target may be able to express it
				}
				return nil, trace, last
			}
			prepared[cand.target] = req
		}
		trace.Tries++
		trace.Last, trace.LastKey = cand.target, cand.credential
		start := c.now()
		a, fault := c.attempt(ctx, call, cand, req)
		if fault == nil {
			c.observe(cand.target, a.TTFB, nil)
			c.pool.succeeded(cand)
			return a, trace, nil
		}
		trace.Attempts = append(trace.Attempts, store.Attempt{Provider: cand.target.Provider.Name, Model: cand.target.Model,
			Credential: cand.credential.Name, HTTPStatus: fault.Status, Category: string(fault.Code), Error: fault.Message,
			Duration: c.now().Sub(start)})
		last = fault
		if ctx.Err() == nil { // else the caller has left, which says nothing of the target
			c.observe(cand.target, 0, fault)
		}
		if !c.again(ctx, cand, fault) {
			break
		}
	}
	if last == nil {
		last = c.pool.exhausted(call.Plan.Targets)
	}
	return nil, trace, shown(last)
}

// again notes what a failure says of the key and reports whether another
// attempt makes sense.
func (c *Client) again(ctx context.Context, cand candidate, fault *hub.Error) bool {
	if ctx.Err() != nil {
		return false
	}
	switch fault.Class {
	case hub.ClassRateLimit:
		c.pool.rest(cand, c.settings.Cooldown, fault.RetryAfter)
	case hub.ClassCredential, hub.ClassRetry:
		c.pool.rest(cand, c.settings.Cooldown, 0)
	default:
		return false
	}
	return true
}

// backOff waits a little before another attempt, with jitter.
func (c *Client) backOff(ctx context.Context, tries int) bool {
	wait := time.Duration(min(tries, 5)) * 10 * time.Millisecond
	wait += rand.N(wait)
	select {
	case <-ctx.Done():
		return false
	case <-time.After(wait):
		return true
	}
}

func (c *Client) attempt(ctx context.Context, call Call, cand candidate, req Request) (*Answer, *hub.Error) {
	ctx, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(c.settings.FirstByte, func() { cancel(errFirstByte) })
	started := c.now()
	res, err := c.send(ctx, cand, req) //nolint:bodyclose // idleBody closes it
	if err != nil {
		timer.Stop()
		cancel(nil)
		return nil, networkFault(ctx, cand, err)
	}
	body := &idleBody{src: res.Body, first: timer, idle: c.settings.Idle, cancel: cancel, ctx: ctx}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		defer body.Close()
		text, _ := io.ReadAll(io.LimitReader(body, maxErrorBody))
		if res.StatusCode < 400 {
			return nil, &hub.Error{Code: hub.CodeUpstream, Class: hub.ClassRetry, Status: http.StatusBadGateway,
				Message: "The provider answered with a redirect, which is not followed."}
		}
		fault := call.Fault(cand.target, res.StatusCode, res.Header, text)
		if fault.Class == hub.ClassCredential {
			c.tokens.forget(cand.credential.Secret)
		}
		return nil, discreet(fault, cand)
	}
	a := &Answer{Target: cand.target, Credential: cand.credential, Header: res.Header, Body: body, Started: started, TTFB: c.now().Sub(started)}
	if call.Whole {
		body.relaying()
	}
	if call.Accept != nil {
		if fault := call.Accept(a); fault != nil {
			body.Close()
			return nil, discreet(fault, cand)
		}
	}
	body.relaying()
	return a, nil
}

func (c *Client) send(ctx context.Context, cand candidate, req Request) (*http.Response, error) {
	base, err := baseFor(cand.target.Provider, cand.credential.Secret, req.Dialect)
	if err != nil {
		return nil, err
	}
	method := http.MethodPost
	if req.Method != "" {
		method = req.Method
	}
	r, err := http.NewRequestWithContext(ctx, method, base+req.Path, bytes.NewReader(req.Body))
	if err != nil {
		return nil, err
	}
	for k, v := range req.Header {
		r.Header[k] = v
	}
	if r.Header.Get("Content-Type") == "" {
		r.Header["Content-Type"] = []string{"application/json"}
	}
	r.Header["User-Agent"] = []string{"aigne-hub"}
	if err := c.Authorize(ctx, cand.target.Provider, r, req.Body, cand.credential.Secret); err != nil {
		return nil, err
	}
	return c.http.RoundTrip(r)
}

var (
	errFirstByte = errors.New("no answer within the first-byte time-out")
	errIdle      = errors.New("no data within the idle time-out")
)

// networkFault words a failure without an answer; the cause, which may name
// addresses, is for the log. What authorisation failed for says so itself.
func networkFault(ctx context.Context, cand candidate, err error) *hub.Error {
	var own *hub.Error
	if errors.As(err, &own) {
		fault := *own // a token's failure answers several calls
		return discreet(&fault, cand)
	}
	e := &hub.Error{Code: hub.CodeUpstream, Class: hub.ClassRetry, Cause: err, Status: http.StatusBadGateway,
		Message: "The provider " + cand.target.Provider.Name + " cannot be reached."}
	if cause := context.Cause(ctx); errors.Is(cause, errFirstByte) || errors.Is(err, context.DeadlineExceeded) {
		e.Code, e.Status = hub.CodeTimeout, http.StatusGatewayTimeout
		e.Message = "The provider " + cand.target.Provider.Name + " did not answer in time."
	}
	return e
}

// discreet takes the credential, and each secret in it, out of what a provider
// said, whatever they look like: messages go to callers, records and logs.
func discreet(e *hub.Error, cand candidate) *hub.Error {
	for _, text := range provider.Hidden(cand.credential.Secret) {
		e.Message = strings.ReplaceAll(e.Message, text, "***")
		if e.Cause != nil && strings.Contains(e.Cause.Error(), text) {
			e.Cause = errors.New(strings.ReplaceAll(e.Cause.Error(), text, "***"))
		}
	}
	return e
}

// shown is the error for the caller: what concerns our own credential or quota
// is told as the hub's trouble, without the provider's words, which may hold
// parts of keys.
func shown(e *hub.Error) *hub.Error {
	if e.Class != hub.ClassCredential {
		return e
	}
	return &hub.Error{Code: hub.CodeProviderCredential, Class: e.Class, Status: e.Status, Cause: e,
		Message: "The provider refused the hub's own credential or its quota is used up. The operator must look after it; your credits are untouched."}
}

// TimedOut reports whether reading a body failed for want of data.
func TimedOut(err error) bool {
	return errors.Is(err, errIdle) || errors.Is(err, errFirstByte) || errors.Is(err, context.DeadlineExceeded)
}
