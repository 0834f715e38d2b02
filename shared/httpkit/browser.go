package httpkit

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// Browser says what browsers may do with the hub. The zero value lets pages of
// other origins do nothing.
type Browser struct {
	PublicURL string   // origin and prefix under which users reach the hub; "" when unknown
	Origins   []string // whose pages may read answers; "*": everybody's, without cookies
	Trusted   []netip.Prefix
	Encrypted bool // nothing reaches the hub but by TLS, whatever requests look like
}

// CSRFHeader must be on requests that come with a session cookie and change
// something, with any value: a form on a foreign page cannot set a header, and a
// foreign script only after asking the hub, which says no.
const CSRFHeader = "X-Aigne-Hub-Csrf"

// hostCSRFHeader is what the scripts of a Blocklet Server's pages send to the same
// end.
const hostCSRFHeader = "X-Csrf-Token"

// exposed are the answers' headers that scripts of other origins may read.
const exposed = "X-Request-Id, X-Aigne-Hub-Call-Id, X-Aigne-Hub-Provider, X-Aigne-Hub-Model, X-Aigne-Hub-Credits, X-Aigne-Hub-Dropped-Params, Server-Timing, Retry-After, Location"

// guard puts around next what holds for every answer: HSTS where the hub's
// public address is https, and CORS for the configured origins. The paths in open
// are for pages of all origins.
func (b Browser) guard(open map[string]bool, next http.Handler) http.Handler {
	secure := strings.HasPrefix(b.PublicURL, "https:")
	if !secure && len(b.Origins) == 0 && len(open) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		if secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		if b.cors(h, r, open[r.URL.Path]) {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// cors sets the headers of the fetch standard (section 3.3) for the origins that
// may read answers, and reports whether the request only asked for them.
func (b Browser) cors(h http.Header, r *http.Request, open bool) (preflight bool) {
	if len(b.Origins) == 0 && !open {
		return false
	}
	h.Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	listed := origin != "" && slices.Contains(b.Origins, origin)
	switch {
	case origin == "":
		return false
	case listed:
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Credentials", "true")
	case open, slices.Contains(b.Origins, "*"):
		h.Set("Access-Control-Allow-Origin", "*") // a browser sends no cookies then
	default:
		return false
	}
	method := r.Header.Get("Access-Control-Request-Method")
	if r.Method != http.MethodOptions || method == "" {
		h.Set("Access-Control-Expose-Headers", exposed)
		return false
	}
	h.Set("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE")
	if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" {
		h.Set("Access-Control-Allow-Headers", asked)
	}
	h.Set("Access-Control-Max-Age", "600")
	return true
}

// SameSite refuses a request that a page of another origin made. Browsers say so
// in Sec-Fetch-Site, older ones in Origin; programs say neither.
func (b Browser) SameSite(r *http.Request) error {
	origin, site := r.Header.Get("Origin"), r.Header.Get("Sec-Fetch-Site")
	if origin != "" && slices.Contains(b.Origins, origin) {
		return nil
	}
	switch {
	case site == "same-origin", site == "none":
		return nil
	case site == "" && (origin == "" || b.own(origin, r)):
		return nil
	}
	return hub.Errorf(hub.CodeForbidden, "This request comes from a page of another site. If it is yours, list its origin in AIGNE_HUB_CORS_ORIGINS.")
}

// own reports whether an origin is the hub's: that of its public address, or the
// host that the request went to.
func (b Browser) own(origin string, r *http.Request) bool {
	o, err := url.Parse(origin)
	if err != nil || o.Host == "" {
		return false
	}
	if public, err := url.Parse(b.PublicURL); err == nil && public.Host != "" {
		return o.Scheme == public.Scheme && strings.EqualFold(o.Host, public.Host)
	}
	return strings.EqualFold(o.Host, r.Host)
}

// forged refuses what a page of another site may have sent with the cookie of
// the caller's session (CSRF).
func (b Browser) forged(r *http.Request, c hub.Caller) error {
	if !c.Session {
		return nil
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return nil
	}
	if r.Header.Get(CSRFHeader) == "" && r.Header.Get(hostCSRFHeader) == "" {
		return hub.Errorf(hub.CodeForbidden, "A request with a session cookie that changes something needs the header %s: 1.", CSRFHeader)
	}
	return b.SameSite(r)
}

// InTheClear reports whether what the browser sent crossed a network without
// TLS, as far as the hub can see: not on this machine, not over https, and no
// proxy that may be believed says that it was https there.
func (b Browser) InTheClear(r *http.Request) bool {
	if b.Encrypted || r.TLS != nil || strings.HasPrefix(b.PublicURL, "https:") {
		return false
	}
	peer, known := parseAddr(r.RemoteAddr)
	if known && (isTrusted(peer, b.Trusted) || peer.IsLoopback()) && strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https") {
		return false
	}
	host := r.Host
	if u, err := url.Parse("//" + r.Host); err == nil {
		host = u.Hostname()
	}
	if strings.EqualFold(host, "localhost") || strings.HasSuffix(strings.ToLower(host), ".localhost") {
		return false
	}
	addr, isAddr := parseAddr(host)
	return !isAddr || !addr.IsLoopback()
}

type prefixKey struct{}

// WithPrefix returns the request with the path that the hub is mounted below and
// that was taken off the request's own.
func WithPrefix(r *http.Request, prefix string) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), prefixKey{}, prefix))
}

// Prefix is the path that the hub is mounted below as the browser sees it: ""
// for none, else with a slash at its front and none at its end. What the request
// came with wins over the public address.
func (b Browser) Prefix(r *http.Request) string {
	if p, ok := r.Context().Value(prefixKey{}).(string); ok {
		return p
	}
	if u, err := url.Parse(b.PublicURL); err == nil {
		return strings.TrimRight(u.Path, "/")
	}
	return ""
}
