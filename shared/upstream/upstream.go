// Package upstream sends a planned call to providers: credential by credential,
// target by target, until an answer is worth relaying or the attempts are used
// up. It knows no dialect (the caller encodes and judges answers) and no money.
package upstream

import (
	"bytes"
	"context"
	"errors"
	"io"
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

// Settings are the limits of attempts. All durations are per attempt.
type Settings struct {
	Connect   time.Duration
	FirstByte time.Duration // until the answer's header, and a stream's first frame
	Idle      time.Duration // between two reads of a body
	Total     time.Duration // of the whole attempt; 0: only the call's own context bounds it
	Attempts  int           // per call, at least 1
	Budget    time.Duration // of a call, after which no further attempt is begun; 0: none
	Cooldown  time.Duration // rest of a failed key; 0: none
	// Hedge is how long a call that allows it waits for an answer before the next
	// candidate is asked as well; 0: never.
	Hedge time.Duration
	// SlowRate is bytes per second below which a stream that keeps coming is ended
	// as if it were silent, over the idle time-out; 0: never.
	SlowRate int64

	// Seen is told how each attempt ended that says something of its target: its
	// time to the first byte, or its fault. It must be quick. nil: nobody is told.
	Seen func(t *routing.Target, ttfb time.Duration, fault *hub.Error)
	// Attempt begins the trace of an attempt; what it returns is called once, when the
	// answer is over. nil: there is none.
	Attempt func(ctx context.Context, t *routing.Target, credential string) (context.Context, func(*hub.Error))
	// Send may add to a request that is about to be signed and sent. nil: nothing does.
	Send func(ctx context.Context, r *http.Request)
	// Refused is told of a stored credential that its provider does not take any
	// more, once it is to be disabled; nil: nobody is. It may take its time, since
	// the call waits: the fact must outlive the process.
	Refused func(ctx context.Context, r Refusal)
}

// Refusal is a provider's refusal of a credential.
type Refusal struct {
	Provider     string
	CredentialID string
	Credential   string // its name
	Status       int    // the provider's; 0: it was refused before a request could be sent
	Reason       string // in the hub's words, without secrets
}

// Client calls providers.
type Client struct {
	settings Settings
	http     *http.Transport // used directly: a redirect is an answer, and there are no cookies
	pool     *pool
	breaker  *breaker
	tokens   *tokens
	now      hub.Now
}

// New makes a client. Its transport keeps connections, does not decompress, and
// follows no redirect: a provider's base URL is trusted as typed, where it
// points to is not.
func New(s Settings, now hub.Now) *Client {
	t := &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			dialer := &net.Dialer{Timeout: s.Connect, KeepAlive: 30 * time.Second}
			if own, ok := ctx.Value(connectKey{}).(time.Duration); ok {
				dialer.Timeout = own
			}
			return dialer.DialContext(ctx, network, address)
		},
		TLSHandshakeTimeout:   s.Connect,
		WriteBufferSize:       2 << 10, // holds a request's header; what is larger is not copied
		MaxIdleConns:          2048,
		MaxIdleConnsPerHost:   1024,
		IdleConnTimeout:       90 * time.Second,
		DisableCompression:    true,
		ForceAttemptHTTP2:     true,
		ExpectContinueTimeout: time.Second,
	}
	return &Client{settings: s, now: now, pool: newPool(now), breaker: newBreaker(now), tokens: newTokens(t, now), http: t}
}

// connectKey is the context's key of a time-out for connecting that differs from
// the settings'.
type connectKey struct{}

// Close drops idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Call is one planned call.
type Call struct {
	Plan routing.Plan
	// Sticky, when set, keeps equal strings at equal keys of a target, as prompt
	// caches want it.
	Sticky string
	// Prepare encodes the request for a target: path and query below its base
	// URL, body, and headers of the language. Its error ends the call. It is called
	// once for a target, and never at the same time for two.
	Prepare func(t *routing.Target) (Request, error)
	// Fault reads a non-2xx answer.
	Fault func(t *routing.Target, status int, header http.Header, body []byte) *hub.Error
	// Whole: Accept reads the answer to its end, which may take longer than the
	// first-byte time-out; from the header on the idle time-out counts.
	Whole bool
	// Hedge: another candidate may be asked while one is silent. Then Fault and
	// Accept are called for both at once, and must change nothing but the answer.
	Hedge bool
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
	Dropped []string // what the caller asked for and the target does not get
}

// Answer is a provider's 2xx answer, its body under the idle time-out.
type Answer struct {
	Target     *routing.Target
	Credential routing.Credential
	Header     http.Header
	Body       io.ReadCloser
	Started    time.Time     // when this attempt began
	TTFB       time.Duration // until the header
	Dropped    []string      // as in the request
	Taken      any           // what Accept made of it

	client *Client
	body   *idleBody
}

// Alive says that the answer has begun: it may be silent for another first-byte
// time-out.
func (a *Answer) Alive() { a.body.again() }

// Broke tells that the answer, once taken, did not come to its end.
func (a *Answer) Broke(fault *hub.Error) {
	if a.client != nil && a.body.tell {
		a.client.outcome(a.Target, false, false, 0, fault)
	}
}

// Trace is what happened on the way, also when the call failed.
type Trace struct {
	Attempts []store.Attempt // those that failed, and those given up
	Tries    int             // all of them
	Last     *routing.Target // tried last, or the one that answered
	LastKey  routing.Credential
	// GivenUp is the target of an attempt that another overtook: its costs are the
	// operator's. It is the last of Attempts; nil: there is none.
	GivenUp *routing.Target
}

const maxErrorBody = 256 << 10

// limits are the time-outs of attempts at a target.
func (c *Client) limits(t *routing.Target) routing.Timeouts {
	return t.Timeouts.Over(routing.Timeouts{Connect: routing.Span(c.settings.Connect), FirstByte: routing.Span(c.settings.FirstByte),
		Idle: routing.Span(c.settings.Idle), Total: routing.Span(c.settings.Total)})
}

// attempt asks one candidate. The answer's body must be closed.
func (c *Client) attempt(ctx context.Context, call *Call, cand candidate, req *Request) (*Answer, *hub.Error) {
	limits := c.limits(cand.target)
	if own := cand.target.Timeouts.Connect; own > 0 {
		ctx = context.WithValue(ctx, connectKey{}, time.Duration(own))
	}
	ctx, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(time.Duration(limits.FirstByte), func() { cancel(errFirstByte) })
	body := &idleBody{first: timer, firstByte: time.Duration(limits.FirstByte), idle: time.Duration(limits.Idle), cancel: cancel, ctx: ctx}
	if limits.Total > 0 {
		body.total = time.AfterFunc(time.Duration(limits.Total), func() { cancel(errTotal) })
	}
	if !call.Whole {
		body.slowest = c.settings.SlowRate
	}
	started := c.now()
	res, err := c.send(ctx, cand, req) //nolint:bodyclose // idleBody closes it
	if err != nil {
		fault := networkFault(ctx, cand, err)
		body.end()
		return nil, fault
	}
	body.src = res.Body
	if left, ok := readQuota(res.Header, started); ok {
		c.pool.learn(cand, left)
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		defer body.Close()
		return nil, c.refusal(call, cand, res, body)
	}
	a := &Answer{Target: cand.target, Credential: cand.credential, Header: res.Header, Body: body, Started: started, TTFB: c.now().Sub(started),
		Dropped: req.Dropped, client: c, body: body}
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

// refusal reads an answer that is none.
func (c *Client) refusal(call *Call, cand candidate, res *http.Response, body io.Reader) *hub.Error {
	text, _ := io.ReadAll(io.LimitReader(body, maxErrorBody)) // what there is of it
	if res.StatusCode < 400 {
		return &hub.Error{Code: hub.CodeUpstream, Class: hub.ClassRetry, Status: http.StatusBadGateway,
			Message: "The provider answered with a redirect, which is not followed."}
	}
	fault := call.Fault(cand.target, res.StatusCode, res.Header, text)
	if fault.Class == hub.ClassCredential {
		c.tokens.forget(cand.credential.Secret)
	}
	return discreet(fault, cand)
}

func (c *Client) send(ctx context.Context, cand candidate, req *Request) (*http.Response, error) {
	base, err := baseFor(cand.target.Provider, cand.credential.Secret, req.Dialect)
	if err != nil {
		return nil, err
	}
	method := http.MethodPost
	if req.Method != "" {
		method = req.Method
	}
	r, err := http.NewRequestWithContext(ctx, method, base+cand.target.Provider.Kind.WithQuery(req.Path), bytes.NewReader(req.Body))
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
	if c.settings.Send != nil {
		c.settings.Send(ctx, r)
	}
	if err := c.Authorize(ctx, cand.target.Provider, r, req.Body, cand.credential.Secret); err != nil {
		return nil, err
	}
	return c.http.RoundTrip(r)
}

var (
	errFirstByte = errors.New("no answer within the first-byte time-out")
	errIdle      = errors.New("no data within the idle time-out")
	errSlow      = errors.New("hardly any data within the idle time-out")
	errTotal     = errors.New("no end within the time-out of an attempt")
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
	if cause := context.Cause(ctx); TimedOut(cause) || errors.Is(err, context.DeadlineExceeded) {
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
	for _, cause := range []error{errIdle, errFirstByte, errSlow, errTotal, context.DeadlineExceeded} {
		if errors.Is(err, cause) {
			return true
		}
	}
	return false
}
