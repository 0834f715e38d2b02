package auth

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// What of a stage an answer is about, as the ends of its ARN. A cookie is sent along
// by pages of other sites too: an answer that is kept under it must not let them
// change anything.
var (
	everything = []string{"/*"}
	reading    = []string{"/GET/*", "/HEAD/*", "/OPTIONS/*"}
)

// bySession finds the caller of a request without a key by the session in its
// cookies. Where the answer may be kept, it is about reading only, or, in the simple
// form, which cannot say so, no session is good. Where it is not, a request that
// changes something is looked at itself, as the hub's functions do.
func (z authorizer) bySession(ctx context.Context, ev *gatewayEvent) (hub.Caller, []string, error) {
	r, ok := ev.request(ctx)
	kept := ev.kept()
	if !ok || z.session == nil || (kept && ev.Version == "2.0" && !z.policy) {
		return hub.Caller{}, nil, nil
	}
	c, err := z.session(r)
	if err != nil || c.UserID == "" || kept {
		return c, reading, err
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
	default:
		if r.Header.Get(httpkit.CSRFHeader) == "" || z.browser.SameSite(r) != nil {
			return hub.Caller{}, nil, nil
		}
	}
	return c, everything, nil
}

// request is the event as a request with its cookies: those of the identity sources
// where API Gateway names some. ok is false when there are none.
func (ev *gatewayEvent) request(ctx context.Context) (r *http.Request, ok bool) {
	if ev.Type == "TOKEN" {
		return nil, false
	}
	r = (&http.Request{Method: ev.Context.HTTP.Method, Header: http.Header{}, URL: &url.URL{Path: "/"}}).WithContext(ctx)
	if r.Method == "" {
		r.Method = ev.Verb
	}
	for name, v := range ev.Headers {
		r.Header.Set(name, v)
	}
	r.Host = r.Header.Get("Host")
	var cookies []string
	for _, c := range ev.Cookies {
		cookies = append(cookies, c.Reveal())
	}
	if text := r.Header.Get("Cookie"); text != "" {
		cookies = append(cookies, text)
	}
	if sources := ev.sources(); len(sources) > 0 {
		cookies = sources
	}
	r.Header.Del("Cookie")
	for _, c := range cookies {
		if strings.Contains(c, "=") && !strings.ContainsAny(c, "\r\n") {
			r.Header.Add("Cookie", c)
		}
	}
	return r, r.Header.Get("Cookie") != ""
}
