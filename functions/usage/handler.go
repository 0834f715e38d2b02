// Package usage shows and exports the call log, of which members see their own
// calls, owners and admins everybody's, shows statistics of it, and to everybody
// how models fare. Beside exports and what was kept of bodies it changes nothing
// but for having sums made again.
package usage

import (
	"context"
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/blob"
	"github.com/aigne-hub/aigne-hub/shared/calls"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/ledger"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/rollup"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/vault"
)

// Deps is what the function needs.
type Deps struct {
	httpkit.Deps // who calls, the clock, the log, the limit of bodies

	Store *store.Store
	// Archives are where older calls lie; nil: nowhere.
	Archives     calls.Archives
	Routes       func() *routing.Snapshot
	PublicModels bool   // GET /api/status answers without a key
	CreditPrice  string // dollars per credit, a decimal
	Book         *ledger.Book
	Billing      bool // calls are charged
	Stats        *rollup.Reader
	Desk         *operator.Desk
	Blobs        *blob.Keeper                                  // of exports that a job writes
	Vault        func(context.Context) (*vault.Keyring, error) // seals the names of their files
	PublicURL    string                                        // what links begin with; "": they are paths
	// MostAnswer bounds an answer that cannot be streamed, in bytes; 0: all can.
	MostAnswer int
}

// wholeAnswer leaves room below what Lambda lets an answer have (6 MB).
const wholeAnswer = 5_000_000

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
		{Method: "GET", Pattern: "/api/user/model-calls/export", Who: httpkit.AnyUser, As: h.exportCalls, Scope: hub.ScopeUsage, Data: httpkit.OwnUnlessAdmin},
		{Method: "POST", Pattern: "/api/usage/exports", Who: httpkit.AnyUser, As: h.startExport, Scope: hub.ScopeUsage, Data: httpkit.OwnUnlessAdmin},
		{Method: "GET", Pattern: "/api/usage/exports", Who: httpkit.AnyUser, As: h.listExports, Scope: hub.ScopeUsage, Data: httpkit.Own},
		{Method: "GET", Pattern: "/api/usage/exports/{id}", Who: httpkit.AnyUser, As: h.getExport, Scope: hub.ScopeUsage, Data: httpkit.Own},
		{Method: "GET", Pattern: "/api/usage/projects/calls", Who: httpkit.AnyUser, As: h.projectCalls, Scope: hub.ScopeUsage, Data: httpkit.OwnUnlessAdmin},
		{Method: "GET", Pattern: "/api/user/model-calls/{id}", Who: httpkit.AnyUser, As: h.getCall, Scope: hub.ScopeUsage, Data: httpkit.OwnUnlessAdmin},
		{Method: "GET", Pattern: "/api/user/model-calls/{id}/payload", Who: httpkit.AnyUser, As: h.getPayload, Scope: hub.ScopeUsage, Data: httpkit.OwnUnlessAdmin},
		{Method: "DELETE", Pattern: "/api/user/model-calls/{id}/payload", Who: httpkit.AnyUser, As: h.forgetPayload, Scope: hub.ScopeUsage, Data: httpkit.OwnUnlessAdmin},
		{Method: "GET", Pattern: "/api/usage/quota", Who: httpkit.AnyUser, As: h.quota, Scope: hub.ScopeUsage, Data: httpkit.Own},
		{Method: "GET", Pattern: "/api/usage/summary", Who: httpkit.AnyUser, As: h.summary, Scope: hub.ScopeUsage, Data: httpkit.OwnUnlessAdmin},
		{Method: "GET", Pattern: "/api/usage/trends", Who: httpkit.AnyUser, As: h.trends, Scope: hub.ScopeUsage, Data: httpkit.OwnUnlessAdmin},
		{Method: "GET", Pattern: "/api/usage/breakdown", Who: httpkit.AnyUser, As: h.breakdown, Scope: hub.ScopeUsage, Data: httpkit.OwnUnlessAdmin},
		{Method: "GET", Pattern: "/api/usage/group-trends", Who: httpkit.AnyUser, As: h.groupTrends, Scope: hub.ScopeUsage, Data: httpkit.OwnUnlessAdmin},
		{Method: "GET", Pattern: "/api/usage/errors", Who: httpkit.AnyUser, As: h.errorStats, Scope: hub.ScopeUsage, Data: httpkit.OwnUnlessAdmin},
		{Method: "GET", Pattern: "/api/usage/projects", Who: httpkit.AnyUser, As: h.projects, Scope: hub.ScopeUsage, Data: httpkit.OwnUnlessAdmin},
		{Method: "GET", Pattern: "/api/usage/projects/group-trends", Who: httpkit.AnyUser, As: h.projectGroupTrends, Scope: hub.ScopeUsage, Data: httpkit.OwnUnlessAdmin},
		{Method: "GET", Pattern: "/api/usage/projects/trends", Who: httpkit.AnyUser, As: h.projectTrend, Scope: hub.ScopeUsage, Data: httpkit.OwnUnlessAdmin},
		{Method: "POST", Pattern: "/api/usage/stats/backfill", Who: httpkit.Admin, As: h.backfill, Scope: hub.ScopeAdmin, Data: httpkit.All},
		{Method: "GET", Pattern: "/api/user/usage-stats", Who: httpkit.AnyUser, As: h.userStats(false), Scope: hub.ScopeUsage, Data: httpkit.Own},
		{Method: "GET", Pattern: "/api/user/admin/user-stats", Who: httpkit.Admin, As: h.userStats(true), Scope: hub.ScopeAdmin, Data: httpkit.All},
		{Method: "GET", Pattern: "/api/status", Who: httpkit.Optional, As: h.status, Scope: httpkit.AnyScope, Data: httpkit.Common},
	}
}
