package main

import (
	"net/http"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/openapi"
)

// functions are the handlers that the hub is made of.
type functions struct {
	proxy, auth, usage, billing, admin, console http.Handler
}

// compose puts the functions behind one door: health, metrics and what describes the
// hub, the paths that each function serves, and what mounts the hub below a path.
func compose(a *boot.App, f functions, h *health) http.Handler {
	own := httpkit.Deps{Log: a.Log, Now: a.Now, Access: a.Config.AccessLog}
	health := httpkit.Mux(h.routes(), own)
	// In order: the first whose path is the request's, or leads to it, serves.
	doors := []struct {
		path    string
		handler http.Handler
	}{
		{"/healthz", health},
		{"/readyz", health},
		{openapi.Path, httpkit.Mux([]httpkit.Route{openapi.Route(a.Config.PublicURL)}, own)},
		{metricsPath, metrics(a, httpkit.Admin)},
		{"/v1", f.proxy},
		{"/v1beta", f.proxy},
		{"/api/v1", f.proxy},
		{"/api/v2", f.proxy},
		{"/api/ai/models", f.proxy},
		{"/api/ai/plan", f.proxy},
		{"/api/ai/probe", f.proxy},
		{"/api/ai", f.admin},
		{"/__blocklet__.js", f.proxy},
		{"/media", f.proxy},
		{"/api/auth", f.auth},
		{"/oauth", f.auth},
		{"/.well-known/oauth-authorization-server", f.auth},
		{"/.well-known/service", f.auth},
		{"/api/usage", f.usage},
		{"/api/user/model-calls", f.usage},
		{"/api/status", f.usage},
		{"/api/user/usage-stats", f.usage},
		{"/api/user/admin/user-stats", f.usage},
		{"/api/user/credit", f.billing},
		{"/api/user/info", f.billing},
		{"/api/user/admin/user-info", f.billing},
		{"/api/user/receipts", f.billing},
		{"/api/payment", f.billing},
		{"/api/user/wallets", f.billing},
		{"/api/billing", f.billing},
		{"/api/admin", f.admin},
		{"/api/ai-providers", f.admin},
	}
	inner := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead && r.URL.Path == "/" {
			w.WriteHeader(http.StatusOK) // hosts ask this before anything else works
			return
		}
		for _, d := range doors {
			if below(r.URL.Path, d.path) {
				d.handler.ServeHTTP(w, r)
				return
			}
		}
		f.console.ServeHTTP(w, r)
	})
	return h.track(unmount(a.Config, inner))
}

// below reports whether path is root or lies under it.
func below(path, root string) bool {
	rest, ok := strings.CutPrefix(path, root)
	return ok && (rest == "" || rest[0] == '/')
}
