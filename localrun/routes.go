package main

import (
	"cmp"
	"slices"
	"strings"

	"github.com/aigne-hub/aigne-hub/functions/admin"
	"github.com/aigne-hub/aigne-hub/functions/auth"
	"github.com/aigne-hub/aigne-hub/functions/billing"
	"github.com/aigne-hub/aigne-hub/functions/console"
	"github.com/aigne-hub/aigne-hub/functions/proxy"
	"github.com/aigne-hub/aigne-hub/functions/usage"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/openapi"
)

func routesSpec() spec {
	return spec{
		name: "routes", usage: "list every path and who may use it", run: listRoutes,
		about: "WHO: anonymous; optional (everybody, but wrong credentials are refused); guest; user (no guests); admin; owner. Each includes those behind it.\n" +
			"SCOPE: what an API key that is restricted to scopes must have; any: every key. DATA: whose data is served.",
	}
}

func openapiSpec() spec {
	return spec{name: "openapi", usage: "print the OpenAPI 3.1 document of the hub", run: printOpenAPI,
		about: "With --public-url, or where the settings have one, the document names it as the server."}
}

// tables are the route tables of all functions, and what every process serves.
func tables() map[string][]httpkit.Route {
	return map[string][]httpkit.Route{"common": openapi.Common(), "proxy": proxy.Routes(), "auth": auth.Routes(), "usage": usage.Routes(),
		"billing": billing.Routes(), "admin": admin.Routes(), "console": console.Routes()}
}

// routeView is a route as it is shown.
type routeView struct {
	Method   string `json:"method"` // "" for all
	Path     string `json:"path"`
	Function string `json:"function"`
	Who      string `json:"who"`
	Scope    string `json:"scope"` // "" where no key is looked at, session where none is enough
	Data     string `json:"data"`
	Summary  string `json:"summary"`
}

// scopeOf is the scope that a key needs; "session" where no key is enough.
func scopeOf(rt httpkit.Route) string {
	if rt.Session {
		return "session"
	}
	return string(rt.Scope)
}

func listRoutes(j *job) error {
	all := []routeView{}
	for name, routes := range tables() {
		for _, rt := range routes {
			all = append(all, routeView{rt.Method, rt.Pattern, name, rt.Who.String(), scopeOf(rt), string(rt.Data), rt.Doc.Summary})
		}
	}
	slices.SortFunc(all, func(a, b routeView) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Method, b.Method))
	})
	rows := make([][]string, len(all))
	for i, r := range all {
		rows[i] = []string{cmp.Or(r.Method, "ANY"), r.Path, r.Function, r.Who, orDash(r.Scope), r.Data}
	}
	return j.show(all, table("METHOD PATH FUNCTION WHO SCOPE DATA", rows))
}

func printOpenAPI(j *job) error {
	cfg, err := j.config()
	if err != nil {
		return err
	}
	_, err = j.stdout.Write(openapi.Document(cfg.PublicURL))
	return err
}
