package lambdahttp

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"
)

// Largest answers, counted as the JSON that leaves the function. Sources: "Lambda
// quotas" of the Lambda developer guide, "Limits" of the load balancer's Lambda target page.
const (
	maxAnswer    = 6 << 20
	maxAnswerALB = 1 << 20
)

var errLarge = errors.New("lambdahttp: the answer is too large")

// Buffered serves API Gateway v1 and v2, load balancer and (InvokeMode BUFFERED)
// Function URL events with h, each with the answer type it expects. Answers are held
// in memory, 6 MB at most (1 MB behind a load balancer); a larger one is replaced by
// a 500 that says so. A panic is a 500 and the process lives on. Any other event is
// an error.
func Buffered(h http.Handler, opts Options) func(context.Context, json.RawMessage) (any, error) {
	b := newBuffer(h, opts)
	return func(ctx context.Context, raw json.RawMessage) (any, error) {
		ev, err := peek(raw)
		if err != nil {
			return nil, err
		}
		return b.answer(ctx, ev.kind(), raw)
	}
}

type buffer struct {
	h    http.Handler
	opts Options
	v1   *httpadapter.HandlerAdapter
	v2   *httpadapter.HandlerAdapterV2
	alb  *httpadapter.HandlerAdapterALB
}

func newBuffer(h http.Handler, opts Options) *buffer {
	b := &buffer{h: h, opts: opts}
	inner := http.HandlerFunc(b.serve)
	b.v1, b.v2, b.alb = httpadapter.New(inner), httpadapter.NewV2(inner), httpadapter.NewALB(inner)
	return b
}

func (b *buffer) answer(ctx context.Context, k kind, raw json.RawMessage) (any, error) {
	ctx, cancel := b.opts.within(ctx)
	defer cancel()
	switch k {
	case kindFunctionURL, kindV2: // the payload is the same
		return b.answerV2(ctx, raw)
	case kindV1:
		return b.answerV1(ctx, raw)
	case kindALB:
		return b.answerALB(ctx, raw)
	}
	return nil, errEvent
}

// origin carries to the inner handler what the proxy library loses on the way.
type origin struct {
	repair func(*http.Request)
	bad    *failure // answered instead of calling the handler
	limit  int
}

type originKey struct{}

// serve is the inner handler: everything the library's adapters call.
func (b *buffer) serve(w http.ResponseWriter, r *http.Request) {
	o, _ := r.Context().Value(originKey{}).(*origin)
	if o == nil || o.bad != nil {
		f := internal()
		if o != nil {
			f = o.bad
		}
		f.write(w)
		return
	}
	o.repair(r)
	rec := &recorder{header: http.Header{}, method: r.Method, limit: o.limit}
	if !serve(b.h, rec, r, b.opts.log()) {
		internal().write(w)
		return
	}
	if rec.over {
		logLarge(r.Context(), b.opts.log(), o.limit)
		tooLarge(o.limit).write(w)
		return
	}
	rec.copyTo(w)
}

// proxied runs one event through an adapter and swaps an answer that Lambda would
// refuse for its size.
func proxied[A any](ctx context.Context, b *buffer, o *origin, call func(context.Context) (A, error), body func(A) string) (any, error) {
	res, err := call(context.WithValue(ctx, originKey{}, o))
	if err != nil {
		return nil, err
	}
	if fits(res, len(body(res)), o.limit) {
		return res, nil
	}
	logLarge(ctx, b.opts.log(), o.limit)
	res, err = call(context.WithValue(ctx, originKey{}, &origin{bad: tooLarge(o.limit), limit: o.limit}))
	if err != nil {
		return nil, err
	}
	return res, nil
}

func logLarge(ctx context.Context, log *slog.Logger, limit int) {
	log.ErrorContext(ctx, "the answer is too large for Lambda", "limit", limit)
}

func (b *buffer) answerV2(ctx context.Context, raw json.RawMessage) (any, error) {
	var ev events.APIGatewayV2HTTPRequest
	if err := decode(raw, &ev); err != nil {
		return nil, err
	}
	http2 := &ev.RequestContext.HTTP
	o := &origin{limit: maxAnswer, bad: check(&http2.Method, &ev.Body, ev.IsBase64Encoded)}
	headers, cookies, domain, source := ev.Headers, ev.Cookies, ev.RequestContext.DomainName, http2.SourceIP
	o.repair = func(r *http.Request) {
		setHeaders(r, headers, cookies)
		setOrigin(r, domain, source)
	}
	if ev.RawPath == "" {
		ev.RawPath = http2.Path
	}
	ev.RawPath, ev.RawQueryString = safePath(ev.RawPath), safeQuery(ev.RawQueryString)
	ev.Headers, ev.Cookies = nil, nil // repair sets them; the library would split them
	ev.RequestContext.DomainName = "" // not parsed as part of a URL
	return proxied(ctx, b, o,
		func(ctx context.Context) (events.APIGatewayV2HTTPResponse, error) {
			return b.v2.ProxyWithContext(ctx, ev)
		},
		func(res events.APIGatewayV2HTTPResponse) string { return res.Body })
}

func (b *buffer) answerV1(ctx context.Context, raw json.RawMessage) (any, error) {
	var ev events.APIGatewayProxyRequest
	if err := decode(raw, &ev); err != nil {
		return nil, err
	}
	o := &origin{limit: maxAnswer, bad: check(&ev.HTTPMethod, &ev.Body, ev.IsBase64Encoded)}
	domain, source := ev.RequestContext.DomainName, ev.RequestContext.Identity.SourceIP
	o.repair = func(r *http.Request) { setOrigin(r, domain, source) }
	ev.Path = safePath(ev.Path)
	ev.RequestContext.DomainName = ""
	return proxied(ctx, b, o,
		func(ctx context.Context) (events.APIGatewayProxyResponse, error) {
			return b.v1.ProxyWithContext(ctx, ev)
		},
		func(res events.APIGatewayProxyResponse) string { return res.Body })
}

func (b *buffer) answerALB(ctx context.Context, raw json.RawMessage) (any, error) {
	var ev events.ALBTargetGroupRequest
	if err := decode(raw, &ev); err != nil {
		return nil, err
	}
	o := &origin{limit: maxAnswerALB, bad: check(&ev.HTTPMethod, &ev.Body, ev.IsBase64Encoded)}
	o.repair = func(r *http.Request) {
		// The load balancer appends the address it sees to what the client claims.
		hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		setOrigin(r, "", strings.TrimSpace(hops[len(hops)-1]))
	}
	multi := ev.MultiValueHeaders != nil
	if !multi {
		ev.MultiValueHeaders = make(map[string][]string, len(ev.Headers))
		for k, v := range ev.Headers {
			ev.MultiValueHeaders[k] = []string{v}
		}
		ev.Headers = nil // the library would make a URL of the Host header
	}
	ev.Path = safePath(ev.Path)
	ev.MultiValueQueryStringParameters = unescapeQuery(ev.QueryStringParameters, ev.MultiValueQueryStringParameters)
	return proxied(ctx, b, o, func(ctx context.Context) (events.ALBTargetGroupResponse, error) {
		res, err := b.alb.ProxyWithContext(ctx, ev)
		res.StatusDescription = strconv.Itoa(res.StatusCode) + " " + res.StatusDescription
		if !multi {
			res.Headers, res.MultiValueHeaders = singleValues(res.MultiValueHeaders), nil
		}
		return res, err
	}, func(res events.ALBTargetGroupResponse) string { return res.Body })
}

// unescapeQuery decodes a load balancer's parameters, which it hands over as they
// stand in the URL, unlike API Gateway.
func unescapeQuery(single map[string]string, multi map[string][]string) map[string][]string {
	plain := func(s string) string {
		if u, err := url.QueryUnescape(s); err == nil {
			return u
		}
		return s
	}
	out := make(map[string][]string, len(single)+len(multi))
	for k, vs := range multi {
		for _, v := range vs {
			out[plain(k)] = append(out[plain(k)], plain(v))
		}
	}
	if len(multi) == 0 {
		for k, v := range single {
			out[plain(k)] = []string{plain(v)}
		}
	}
	return out
}

// singleValues is for a target group without multi-value headers. Cookies cannot be
// joined, so each gets its own spelling of the name, which HTTP reads as the same.
func singleValues(h map[string][]string) map[string]string {
	out := make(map[string]string, len(h))
	for k, vs := range h {
		if k != "Set-Cookie" {
			out[k] = strings.Join(vs, ", ")
			continue
		}
		for i, v := range vs {
			name := []byte("set-cookie")
			for bit, at := range []int{0, 1, 2, 4, 5, 6, 7, 8, 9} {
				if i>>bit&1 == 1 {
					name[at] -= 'a' - 'A'
				}
			}
			out[string(name)] = v
		}
	}
	return out
}

// check finds what the library would fail at (and print), and makes it harmless.
func check(method, body *string, encoded bool) *failure {
	if !validMethod(*method) {
		*method = http.MethodGet
		return badMethod()
	}
	if encoded {
		if _, err := base64.StdEncoding.DecodeString(*body); err != nil {
			*body = ""
			return badBody()
		}
	}
	return nil
}

// fits reports whether the answer's JSON stays within limit. It encodes only when
// the body might not fit were every byte of it escaped.
func fits(answer any, body, limit int) bool {
	if body*6+64<<10 <= limit {
		return true
	}
	var n counter
	enc := json.NewEncoder(&n)
	enc.SetEscapeHTML(false) // as the runtime does
	return enc.Encode(answer) == nil && int(n) <= limit
}

type counter int

func (c *counter) Write(p []byte) (int, error) { *c += counter(len(p)); return len(p), nil }

// recorder holds an answer back until the handler has returned, so that a panic can
// still replace it.
type recorder struct {
	header http.Header
	sent   http.Header // as it was when the status was written
	status int
	body   bytes.Buffer
	method string
	limit  int
	over   bool
}

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	if status >= 200 && w.status == 0 {
		w.status, w.sent = status, w.header.Clone()
	}
}

func (w *recorder) Write(p []byte) (int, error) {
	if w.status == 0 {
		sniff(w.header, p)
		w.WriteHeader(http.StatusOK)
	}
	switch {
	case w.method == http.MethodHead:
		return len(p), nil
	case bodyless(w.method, w.status):
		return 0, http.ErrBodyNotAllowed
	case w.body.Len()+len(p) > w.limit:
		w.over = true
		return 0, errLarge
	}
	return w.body.Write(p)
}

func (w *recorder) copyTo(to http.ResponseWriter) {
	w.WriteHeader(http.StatusOK)
	for k, v := range w.sent {
		if !hopByHop(k) && len(v) > 0 {
			to.Header()[k] = v
		}
	}
	to.WriteHeader(w.status)
	if w.body.Len() > 0 {
		_, _ = to.Write(w.body.Bytes()) // memory
	}
}
