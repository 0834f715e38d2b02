package main

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
)

// unmount takes the path that the hub is mounted below off requests that begin
// with it: that of the public URL, or what a host says in X-Path-Prefix. Hosts
// that take it off themselves send it all the same.
func unmount(cfg boot.Config, next http.Handler) http.Handler {
	own := ""
	if u, err := url.Parse(cfg.PublicURL); err == nil {
		own = strings.TrimRight(u.Path, "/")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		prefix, said := own, false
		// From a stranger the header would be a way around rules for paths that a
		// proxy in front of the hub has.
		if named := strings.TrimRight(r.Header.Get("X-Path-Prefix"), "/"); strings.HasPrefix(named, "/") && host(cfg, r) {
			prefix, said = named, true
		}
		switch {
		case prefix != "" && below(r.URL.Path, prefix):
			r = httpkit.WithPrefix(stripped(r, prefix), prefix)
		case said: // taken off already; links need it all the same
			r = httpkit.WithPrefix(r, prefix)
		}
		next.ServeHTTP(w, r)
	})
}

// host reports whether the request comes from this machine or a trusted proxy.
func host(cfg boot.Config, r *http.Request) bool {
	name, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	addr, err := netip.ParseAddr(name)
	if err != nil {
		return false
	}
	addr = addr.Unmap().WithZone("")
	for _, p := range cfg.TrustedProxies {
		if p.Contains(addr) {
			return true
		}
	}
	return addr.IsLoopback()
}

// stripped is the request without the prefix, in every spelling of its path.
func stripped(r *http.Request, prefix string) *http.Request {
	u := *r.URL
	u.Path = "/" + strings.TrimLeft(strings.TrimPrefix(u.Path, prefix), "/")
	if u.RawPath != "" {
		raw, ok := strings.CutPrefix(u.RawPath, prefix)
		if !ok { // the prefix itself is written with escapes: the plain path must do
			raw = ""
		}
		u.RawPath = raw
	}
	out := r.Clone(r.Context())
	out.URL = &u
	out.RequestURI = u.RequestURI()
	return out
}
