// Package usage shows the call log, of which members see their own calls, owners
// and admins everybody's, and to everybody how models fare. It writes nothing.
package usage

import (
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/ledger"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Deps is what the function needs.
type Deps struct {
	httpkit.Deps // who calls, the clock, the log, the limit of bodies

	Store        *store.Store
	Routes       func() *routing.Snapshot
	PublicModels bool   // GET /api/status answers without a key
	CreditPrice  string // dollars per credit, a decimal
	Book         *ledger.Book
	Billing      bool // calls are charged
}

type handler struct {
	Deps
	cache statusCache
}

// New returns the function's handler.
func New(d Deps) http.Handler {
	h := &handler{Deps: d}
	return httpkit.Mux(h.routes(), d.Deps)
}

// Routes is everything the function serves, and who may call it. The handlers in
// it are not fit to be called.
func Routes() []httpkit.Route { return httpkit.Describe((&handler{}).routes(), docs()) }

func (h *handler) routes() []httpkit.Route {
	return []httpkit.Route{
		{Method: "GET", Pattern: "/api/user/model-calls", Who: httpkit.AnyUser, As: h.listCalls, Scope: hub.ScopeUsage, Data: httpkit.OwnUnlessAdmin},
		{Method: "GET", Pattern: "/api/user/model-calls/{id}", Who: httpkit.AnyUser, As: h.getCall, Scope: hub.ScopeUsage, Data: httpkit.OwnUnlessAdmin},
		{Method: "GET", Pattern: "/api/usage/quota", Who: httpkit.AnyUser, As: h.quota, Scope: hub.ScopeUsage, Data: httpkit.Own},
		{Method: "GET", Pattern: "/api/status", Who: httpkit.Optional, As: h.status, Scope: httpkit.AnyScope, Data: httpkit.Common},
	}
}
