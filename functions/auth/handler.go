// Package auth says who a caller is and hands out API keys: the set-up of the
// first owner, the caller's own view of itself, its own keys, signing in to
// applications with the hub. Other people's
// users and keys are the business of admin.
package auth

import (
	"net/http"
	"net/netip"

	"github.com/aigne-hub/aigne-hub/shared/hostusers"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/identity"
	"github.com/aigne-hub/aigne-hub/shared/oauth"
	"github.com/aigne-hub/aigne-hub/shared/oidc"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Deps is what the function needs.
type Deps struct {
	httpkit.Deps // who calls, the clock, the log, the limit of bodies

	Store          *store.Store
	Users          *identity.Users
	Sessions       *identity.Sessions
	SignIn         *identity.SignIn
	Desk           *operator.Desk
	Providers      []*oidc.Client
	OAuth          *oauth.Server
	Host           *hostusers.Host // nil unless a Blocklet Server's users are the hub's
	TrustedProxies []netip.Prefix  // may say for whom they forward
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
	// What decides how somebody signs in is for that somebody's own browser.
	own := func(method, pattern string, as httpkit.CallerHandler) httpkit.Route {
		return httpkit.Route{Method: method, Pattern: pattern, Who: httpkit.GuestsToo, Session: true, As: as, Data: httpkit.Own}
	}
	return append([]httpkit.Route{
		{Method: "POST", Pattern: "/api/auth/setup", Who: httpkit.Anonymous, Handler: h.setUp, Data: httpkit.Common},
		{Method: "POST", Pattern: "/api/auth/login", Who: httpkit.Anonymous, Handler: h.ours(h.login), Data: httpkit.Common},
		{Method: "POST", Pattern: "/api/auth/invitations/read", Who: httpkit.Anonymous, Handler: h.ours(h.readInvitation), Data: httpkit.Common},
		{Method: "POST", Pattern: "/api/auth/invitations/accept", Who: httpkit.Anonymous, Handler: h.ours(h.acceptInvitation), Data: httpkit.Common},
		{Method: "POST", Pattern: "/api/auth/password/forgot", Who: httpkit.Anonymous, Handler: h.ours(h.forgot), Data: httpkit.Common},
		{Method: "POST", Pattern: "/api/auth/password/reset", Who: httpkit.Anonymous, Handler: h.ours(h.resetPassword), Data: httpkit.Common},
		{Method: "GET", Pattern: identity.PlainSignIn, Who: httpkit.Anonymous, Handler: h.signInPage, Data: httpkit.Common},
		{Method: "GET", Pattern: identity.PlainSignIn + ".js", Who: httpkit.Anonymous, Handler: h.signInScript, Data: httpkit.Common},
		{Method: "GET", Pattern: identity.PlainSignIn + ".css", Who: httpkit.Anonymous, Handler: h.signInStyle, Data: httpkit.Common},
		{Method: "GET", Pattern: "/api/auth/providers", Who: httpkit.Anonymous, Handler: h.waysIn, Data: httpkit.Common},
		{Method: "GET", Pattern: "/api/auth/oidc/{name}/start", Who: httpkit.Anonymous, Handler: h.ours(h.startAt), Data: httpkit.Common},
		{Method: "POST", Pattern: "/api/auth/oidc/{name}/start", Who: httpkit.Optional, As: h.oursAs(h.startFor), Scope: httpkit.AnyScope, Data: httpkit.Common},
		{Method: "GET", Pattern: "/api/auth/oidc/{name}/callback", Who: httpkit.Anonymous, Handler: h.ours(h.callback), Data: httpkit.Common},
		own("GET", "/api/auth/identities", h.listIdentities),
		own("DELETE", "/api/auth/identities/{id}", h.oursAs(h.removeIdentity)),
		own("POST", "/api/auth/logout", h.logout),
		own("GET", "/api/auth/second-factor", h.showFactor),
		own("POST", "/api/auth/second-factor", h.oursAs(h.beginFactor)),
		own("POST", "/api/auth/second-factor/confirm", h.oursAs(h.confirmFactor)),
		own("POST", "/api/auth/second-factor/remove", h.oursAs(h.removeFactor)),
		own("PUT", "/api/auth/password", h.oursAs(h.changePassword)),
		own("GET", "/api/auth/sessions", h.listSessions),
		own("DELETE", "/api/auth/sessions", h.endOtherSessions),
		own("DELETE", "/api/auth/sessions/{id}", h.endSession),
		{Method: "GET", Pattern: "/api/auth/me", Who: httpkit.GuestsToo, As: h.me, Scope: httpkit.AnyScope, Data: httpkit.Own},
		{Method: "PATCH", Pattern: "/api/auth/me", Who: httpkit.GuestsToo, As: h.changeMe, Scope: hub.ScopeAdmin, Data: httpkit.Own},
		{Method: "GET", Pattern: "/api/auth/keys", Who: httpkit.AnyUser, As: h.listKeys, Scope: hub.ScopeAdmin, Data: httpkit.Own},
		{Method: "POST", Pattern: "/api/auth/keys", Who: httpkit.AnyUser, As: h.createKey, Scope: hub.ScopeAdmin, Data: httpkit.Own},
		{Method: "GET", Pattern: "/api/auth/keys/{id}", Who: httpkit.AnyUser, As: h.getKey, Scope: hub.ScopeAdmin, Data: httpkit.Own},
		{Method: "PATCH", Pattern: "/api/auth/keys/{id}", Who: httpkit.AnyUser, As: h.changeKey, Scope: hub.ScopeAdmin, Data: httpkit.Own},
		{Method: "POST", Pattern: "/api/auth/keys/{id}/rotate", Who: httpkit.AnyUser, As: h.rotateKey, Scope: hub.ScopeAdmin, Data: httpkit.Own},
		{Method: "DELETE", Pattern: "/api/auth/keys/{id}", Who: httpkit.AnyUser, As: h.revokeKey, Scope: httpkit.AnyScope, Data: httpkit.OwnUnlessAdmin},
		{Method: "GET", Pattern: "/api/auth/apps", Who: httpkit.AnyUser, As: h.listApps, Scope: hub.ScopeAdmin, Data: httpkit.Own},
		{Method: "POST", Pattern: "/api/auth/apps", Who: httpkit.AnyUser, As: h.registerApp, Scope: hub.ScopeAdmin, Data: httpkit.Own},
		{Method: "GET", Pattern: "/api/auth/apps/{id...}", Who: httpkit.AnyUser, As: h.getApp, Scope: hub.ScopeAdmin, Data: httpkit.Own},
		{Method: "PATCH", Pattern: "/api/auth/apps/{id...}", Who: httpkit.AnyUser, As: h.changeApp, Scope: hub.ScopeAdmin, Data: httpkit.Own},
		{Method: "DELETE", Pattern: "/api/auth/apps/{id...}", Who: httpkit.AnyUser, As: h.removeApp, Scope: hub.ScopeAdmin, Data: httpkit.Own},
	}, h.oauthRoutes(own)...)
}
