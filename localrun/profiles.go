package main

import (
	"net/http"
	"net/http/pprof"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// profiles serves Go's profiles to admins, where the operator switched them on.
func profiles(a *boot.App) http.Handler {
	var routes []httpkit.Route
	if a.Config.PPROF {
		for pattern, serve := range map[string]http.HandlerFunc{
			"/debug/pprof/": pprof.Index, "/debug/pprof/profile": pprof.Profile,
			"/debug/pprof/symbol": pprof.Symbol, "/debug/pprof/trace": pprof.Trace,
		} {
			routes = append(routes, httpkit.Route{Method: "GET", Pattern: pattern, Who: httpkit.Admin, Scope: hub.ScopeAdmin, Data: httpkit.All,
				Handler: func(w http.ResponseWriter, r *http.Request) error {
					serve(w, r)
					return nil
				}})
		}
	}
	return httpkit.Mux(routes, a.HTTP())
}
