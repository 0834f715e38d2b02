package httpkit

import (
	"fmt"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// Data says whose data a route serves. What is not declared is the caller's own:
// hub.Caller.All is set by admit and nowhere else, so that a handler cannot give
// more than its line in the route table says.
type Data string

// The data that routes serve.
const (
	Common         Data = "common" // the same for everybody whom the route admits
	AdminsSeeMore  Data = "common, more for admins"
	Own            Data = "own" // the caller's; anybody else's looks as if it were not there
	OwnUnlessAdmin Data = "own, all for admins"
	All            Data = "all" // everybody's: of Admin and OwnerOnly routes only
)

// AnyScope is the Scope of routes that every key may use, whatever its scopes.
const AnyScope hub.Scope = "any"

// contradiction says what in the policy cannot be meant, "" for nothing.
func (rt Route) contradiction() string {
	switch rt.Data {
	case "", Common, AdminsSeeMore:
	case Own, OwnUnlessAdmin:
		if rt.Who == Anonymous {
			return "is anonymous and cannot know whose data is its caller's"
		}
	case All:
		if rt.Who < Admin {
			return "serves everybody's data to those who administer nothing"
		}
	default:
		return fmt.Sprintf("serves data that there is no word for: %q", string(rt.Data))
	}
	switch rt.Scope {
	case "", AnyScope, hub.ScopeInference, hub.ScopeUsage, hub.ScopeBilling, hub.ScopeAdmin:
		return ""
	}
	return fmt.Sprintf("asks for a scope that there is not: %q", string(rt.Scope))
}

// Undeclared says what the route's policy leaves open, "" for nothing. Such a route
// is served at its narrowest; a test wants every table to be complete.
func (rt Route) Undeclared() string {
	switch {
	case rt.Who == Nobody:
		return "who may call it"
	case rt.Data == "":
		return "whose data it serves"
	case rt.Scope == "" && rt.Who != Anonymous && !rt.Session: // no key at all is good for sessions' routes
		return "which scope it asks for"
	}
	return ""
}

// needs is the scope that a key with scopes must have.
func (rt Route) needs() hub.Scope {
	if rt.Who >= Admin && rt.Scope == "" {
		return hub.ScopeAdmin
	}
	return rt.Scope
}

// admit decides whether the caller may use the route and how much it sees there.
func (rt Route) admit(c hub.Caller) (hub.Caller, error) {
	if err := rt.Who.admit(c); err != nil {
		return c, err
	}
	if scope := rt.needs(); scope != AnyScope && !c.May(scope) {
		if scope == "" {
			return c, hub.Errorf(hub.CodeForbidden, "API keys that are restricted to scopes may not do this.")
		}
		return c, hub.Errorf(hub.CodeForbidden, "This API key may not do this: it lacks the scope %s.", scope)
	}
	switch rt.Data {
	case All:
		c.All = true
	case OwnUnlessAdmin, AdminsSeeMore:
		// A key for one's own usage shows no more because an admin made it.
		c.All = c.Role.Administers() && c.May(hub.ScopeAdmin)
	default:
		c.All = false
	}
	return c, nil
}

func (w Who) admit(c hub.Caller) error {
	switch {
	case w == Optional:
		return nil
	case c.UserID == "":
		return hub.Errorf(hub.CodeUnauthenticated, "Sign in or send an API key: Authorization: Bearer sk-hub-….")
	case w == Admin && !c.Role.Administers():
		return hub.Errorf(hub.CodeForbidden, "Only owners and admins may do this.")
	case w == OwnerOnly && c.Role != hub.RoleOwner:
		return hub.Errorf(hub.CodeForbidden, "Only the owner may do this.")
	case w >= AnyUser && !c.Role.Uses():
		return hub.Errorf(hub.CodeForbidden, "Guests may only see their own profile; ask an admin to become a member.")
	}
	return nil
}
