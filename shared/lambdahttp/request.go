package lambdahttp

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

// fromURL makes the request of a Function URL event. A returned failure is the
// caller's fault and is answered instead of calling the handler.
func fromURL(ctx context.Context, ev *events.LambdaFunctionURLRequest) (*http.Request, *failure) {
	var bad *failure
	body := ev.Body
	if ev.IsBase64Encoded {
		decoded, err := base64.StdEncoding.DecodeString(body)
		if err != nil {
			bad = badBody()
		}
		body = string(decoded)
	}
	if !validMethod(ev.RequestContext.HTTP.Method) {
		bad = badMethod()
	}
	target := safePath(ev.RawPath)
	if ev.RawQueryString != "" {
		target += "?" + safeQuery(ev.RawQueryString)
	}
	u, err := url.ParseRequestURI(target)
	if err != nil { // safePath leaves nothing to refuse; the error would hold the caller's query
		u, bad = &url.URL{Path: "/"}, badPath()
	}
	r := (&http.Request{
		Method: ev.RequestContext.HTTP.Method, URL: u, RequestURI: target,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: make(http.Header, len(ev.Headers)), ContentLength: int64(len(body)), Body: http.NoBody,
	}).WithContext(ctx)
	if body != "" {
		r.Body = io.NopCloser(strings.NewReader(body))
	}
	setHeaders(r, ev.Headers, ev.Cookies)
	setOrigin(r, ev.RequestContext.DomainName, ev.RequestContext.HTTP.SourceIP)
	return r, bad
}

// setHeaders replaces the headers by those of a payload-2.0 event, where values of
// one name are joined by commas. They stay joined: a comma may also be part of a
// value (JSON in a header, a date), and only the header's reader knows which.
func setHeaders(r *http.Request, headers map[string]string, cookies []string) {
	clear(r.Header)
	for k, v := range headers {
		r.Header[http.CanonicalHeaderKey(k)] = []string{v}
	}
	// Function URLs may send the cookies in both places.
	if r.Header.Get("Cookie") == "" && len(cookies) > 0 {
		r.Header.Set("Cookie", strings.Join(cookies, "; "))
	}
}

// setOrigin fills in what net/http knows from the connection. A port is not in any
// event, so the address gets port 0.
func setOrigin(r *http.Request, domain, source string) {
	r.Host = domain
	if host := r.Header.Get("Host"); host != "" {
		r.Host = host
	}
	r.Header.Del("Host")
	r.URL.Scheme, r.URL.Host = "", "" // a server's request has none
	r.RemoteAddr = ""
	if source != "" {
		r.RemoteAddr = net.JoinHostPort(source, "0")
	}
}

// safePath returns the path of an event as a valid, percent-encoded request path.
// Some front ends decode it on the way, so it may hold anything.
func safePath(path string) string {
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	if _, err := url.PathUnescape(path); err != nil {
		return (&url.URL{Path: path}).EscapedPath()
	}
	return escape(path, "?#")
}

func safeQuery(query string) string { return escape(query, "#") }

// escape percent-encodes what may not stand in a request line, and the bytes of also.
func escape(s, also string) string {
	must := func(c byte) bool { return c <= ' ' || c >= 0x7f || strings.IndexByte(also, c) >= 0 }
	var out strings.Builder
	for i := range len(s) {
		if must(s[i]) {
			fmt.Fprintf(&out, "%%%02X", s[i])
		} else {
			out.WriteByte(s[i])
		}
	}
	return out.String()
}

// validMethod accepts RFC 9110 tokens made of letters, digits, '-' and '_'.
func validMethod(m string) bool {
	for _, c := range m {
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return m != ""
}
