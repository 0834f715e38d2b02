package lambdalocal

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
)

// The events, built from a request as the front ends build them. Sources: "Working
// with Lambda proxy integrations" (API Gateway developer guide), "Function URL request
// payload" (Lambda developer guide), "Lambda functions as targets" (Application Load
// Balancer guide).

// urlDomain is the domain name in every Function URL event, whatever host the test used.
const urlDomain = "local.lambda-url.us-east-1.on.aws"

// incoming is what all events need of a request.
type incoming struct {
	*http.Request
	source string
	body   string
	base64 bool
}

// bodySizeError is answered with 413 before the function sees anything.
type bodySizeError struct{}

func (bodySizeError) Error() string { return "lambdalocal: the request body is too large" }

func receive(r *http.Request, limit int) (incoming, error) {
	b, err := io.ReadAll(io.LimitReader(r.Body, int64(limit)+1))
	if err != nil {
		return incoming{}, err
	}
	if len(b) > limit {
		return incoming{}, bodySizeError{}
	}
	source, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		source = r.RemoteAddr
	}
	in := incoming{Request: r, source: source, body: string(b)}
	if len(b) > 0 && (!textual(r.Header) || !utf8.Valid(b)) {
		in.body, in.base64 = base64.StdEncoding.EncodeToString(b), true
	}
	return in, nil
}

// textual says whether a front end passes a body on as text.
func textual(h http.Header) bool {
	if h.Get("Content-Encoding") != "" {
		return false
	}
	kind, _, _ := mime.ParseMediaType(h.Get("Content-Type")) // "" is binary
	switch kind {
	case "application/json", "application/javascript", "application/xml":
		return true
	}
	return strings.HasPrefix(kind, "text/")
}

// headers returns the request's headers with those that a front end adds, lower-case.
func (in incoming) headers() map[string][]string {
	out := make(map[string][]string, len(in.Header)+4)
	for k, v := range in.Header {
		out[strings.ToLower(k)] = v
	}
	out["host"] = []string{in.Host}
	out["x-forwarded-proto"], out["x-forwarded-port"] = []string{"https"}, []string{"443"}
	out["x-forwarded-for"] = []string{strings.Join(append(in.Header.Values("X-Forwarded-For"), in.source), ", ")}
	return out
}

func joined(h map[string][]string, sep string) map[string]string {
	out := make(map[string]string, len(h))
	for k, v := range h {
		out[k] = strings.Join(v, sep)
	}
	return out
}

func last(h map[string][]string) map[string]string {
	out := make(map[string]string, len(h))
	for k, v := range h {
		out[k] = v[len(v)-1]
	}
	return out
}

// eventV2 is the payload 2.0 of HTTP APIs.
func eventV2(in incoming) ([]byte, error) { return json.Marshal(payloadV2(in, in.Host)) }

// eventURL is a Function URL's event: payload 2.0, with the cookies as a header too.
func eventURL(in incoming) ([]byte, error) {
	ev := payloadV2(in, urlDomain)
	if len(ev.Cookies) > 0 {
		ev.Headers["cookie"] = strings.Join(ev.Cookies, "; ")
	}
	return json.Marshal(ev)
}

func payloadV2(in incoming, domain string) events.APIGatewayV2HTTPRequest {
	headers := in.headers()
	var cookies []string
	for _, line := range headers["cookie"] {
		for one := range strings.SplitSeq(line, ";") {
			cookies = append(cookies, strings.TrimSpace(one))
		}
	}
	delete(headers, "cookie")
	now := time.Now().UTC()
	return events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: "$default", RawPath: in.URL.EscapedPath(), RawQueryString: in.URL.RawQuery,
		Cookies: cookies, Headers: joined(headers, ","), QueryStringParameters: joined(in.URL.Query(), ","),
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RouteKey: "$default", AccountID: "123456789012", Stage: "$default", RequestID: "local", APIID: "local",
			DomainName: domain, DomainPrefix: "local", Time: now.Format("02/Jan/2006:15:04:05 -0700"), TimeEpoch: now.UnixMilli(),
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
				Method: in.Method, Path: in.URL.EscapedPath(), Protocol: in.Proto, SourceIP: in.source, UserAgent: in.UserAgent(),
			},
		},
		Body: in.body, IsBase64Encoded: in.base64,
	}
}

// eventV1 is the payload of REST APIs.
func eventV1(in incoming) ([]byte, error) {
	headers := make(map[string][]string)
	for k, v := range in.headers() {
		headers[http.CanonicalHeaderKey(k)] = v
	}
	query := in.URL.Query()
	return json.Marshal(events.APIGatewayProxyRequest{
		Resource: "/{proxy+}", Path: in.URL.EscapedPath(), HTTPMethod: in.Method,
		Headers: last(headers), MultiValueHeaders: headers,
		QueryStringParameters: last(query), MultiValueQueryStringParameters: query,
		RequestContext: events.APIGatewayProxyRequestContext{
			AccountID: "123456789012", Stage: "local", DomainName: in.Host, RequestID: "local", Protocol: in.Proto, APIID: "local",
			Identity:   events.APIGatewayRequestIdentity{SourceIP: in.source, UserAgent: in.UserAgent()},
			HTTPMethod: in.Method, Path: "/local" + in.URL.EscapedPath(), ResourcePath: "/{proxy+}", RequestTimeEpoch: time.Now().UnixMilli(),
		},
		Body: in.body, IsBase64Encoded: in.base64,
	})
}

// eventALB is a load balancer's; it decodes no parameters.
func eventALB(multi bool) func(incoming) ([]byte, error) {
	return func(in incoming) ([]byte, error) {
		headers, query := in.headers(), rawQuery(in.URL)
		ev := events.ALBTargetGroupRequest{
			HTTPMethod: in.Method, Path: in.URL.EscapedPath(), Body: in.body, IsBase64Encoded: in.base64,
			RequestContext: events.ALBTargetGroupRequestContext{ELB: events.ELBContext{
				TargetGroupArn: "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/local/1",
			}},
		}
		if multi {
			ev.MultiValueHeaders, ev.MultiValueQueryStringParameters = headers, query
		} else {
			ev.Headers, ev.QueryStringParameters = last(headers), last(query)
		}
		return json.Marshal(ev)
	}
}

func rawQuery(u *url.URL) map[string][]string {
	out := map[string][]string{}
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		if k, v, _ := strings.Cut(pair, "="); k != "" {
			out[k] = append(out[k], v)
		}
	}
	return out
}
