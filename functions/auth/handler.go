// Package auth says who a caller is and hands out API keys: the set-up of the
// first owner, the caller's own view of itself, its own keys. Other people's
// users and keys are the business of admin.
package auth

import (
	"net/http"
	"net/netip"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/identity"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Deps is what the function needs.
type Deps struct {
	httpkit.Deps // who calls, the clock, the log, the limit of bodies

	Store          *store.Store
	Users          *identity.Users
	Desk           *operator.Desk
	TrustedProxies []netip.Prefix // may say for whom they forward
}

type handler struct {
	Deps
	setUps *throttle
}

// New returns the function's handler.
func New(d Deps) http.Handler {
	h := &handler{Deps: d, setUps: newThrottle(d.Now)}
	return httpkit.Mux(h.routes(), d.Deps)
}

// Routes is everything the function serves, and who may call it. The handlers in
// it are not fit to be called.
func Routes() []httpkit.Route { return httpkit.Describe((&handler{}).routes(), docs()) }

func (h *handler) routes() []httpkit.Route {
	return []httpkit.Route{
		{Method: "POST", Pattern: "/api/auth/setup", Who: httpkit.Anonymous, Handler: h.setUp, Data: httpkit.Common},
		{Method: "GET", Pattern: "/api/auth/me", Who: httpkit.GuestsToo, As: h.me, Scope: httpkit.AnyScope, Data: httpkit.Own},
		{Method: "GET", Pattern: "/api/auth/keys", Who: httpkit.AnyUser, As: h.listKeys, Scope: hub.ScopeAdmin, Data: httpkit.Own},
		{Method: "POST", Pattern: "/api/auth/keys", Who: httpkit.AnyUser, As: h.createKey, Scope: hub.ScopeAdmin, Data: httpkit.Own},
		{Method: "GET", Pattern: "/api/auth/keys/{id}", Who: httpkit.AnyUser, As: h.getKey, Scope: hub.ScopeAdmin, Data: httpkit.Own},
		{Method: "PATCH", Pattern: "/api/auth/keys/{id}", Who: httpkit.AnyUser, As: h.changeKey, Scope: hub.ScopeAdmin, Data: httpkit.Own},
		{Method: "POST", Pattern: "/api/auth/keys/{id}/rotate", Who: httpkit.AnyUser, As: h.rotateKey, Scope: hub.ScopeAdmin, Data: httpkit.Own},
		{Method: "DELETE", Pattern: "/api/auth/keys/{id}", Who: httpkit.AnyUser, As: h.revokeKey, Scope: httpkit.AnyScope, Data: httpkit.OwnUnlessAdmin},
	}
}
