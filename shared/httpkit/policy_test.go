package httpkit_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

func TestAPolicyThatContradictsItselfIsRefused(t *testing.T) {
	t.Parallel()
	as := func(http.ResponseWriter, *http.Request, hub.Caller) error { return nil }
	for name, rt := range map[string]httpkit.Route{
		"everybody's data for members":     {Pattern: "/", Who: httpkit.AnyUser, As: as, Scope: hub.ScopeUsage, Data: httpkit.All},
		"own data of nobody in particular": {Pattern: "/", Who: httpkit.Anonymous, Handler: ok, Data: httpkit.Own},
		"data of an unknown kind":          {Pattern: "/", Who: httpkit.AnyUser, As: as, Data: "mine"},
		"a scope that no key can have":     {Pattern: "/", Who: httpkit.AnyUser, As: as, Scope: "inferense"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Panics(t, func() { httpkit.Mux([]httpkit.Route{rt}, deps(newLogBook())) })
		})
	}
}

// A route whose table says too little is served at its narrowest.
func TestWhatAPolicyLeavesOpenIsRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		route  httpkit.Route
		caller hub.Caller
		status int
		all    bool
	}{
		{"no scope: keys without scopes", httpkit.Route{Who: httpkit.AnyUser}, hub.Caller{Role: hub.RoleMember}, 200, false},
		{"no scope: every key with scopes is out", httpkit.Route{Who: httpkit.AnyUser},
			hub.Caller{Role: hub.RoleMember, Scopes: []hub.Scope{hub.ScopeInference, hub.ScopeUsage, hub.ScopeBilling, hub.ScopeAdmin}}, 403, false},
		{"no scope of an admin's route: the admin scope", httpkit.Route{Who: httpkit.Admin}, hub.Caller{Role: hub.RoleAdmin, Scopes: []hub.Scope{hub.ScopeAdmin}}, 200, false},
		{"no data: nobody sees all", httpkit.Route{Who: httpkit.AnyUser, Scope: httpkit.AnyScope}, hub.Caller{Role: hub.RoleOwner, All: true}, 200, false},
		{"an admin's key for usage sees its own", httpkit.Route{Who: httpkit.AnyUser, Scope: hub.ScopeUsage, Data: httpkit.OwnUnlessAdmin},
			hub.Caller{Role: hub.RoleAdmin, Scopes: []hub.Scope{hub.ScopeUsage}}, 200, false},
		{"an admin's session sees all", httpkit.Route{Who: httpkit.AnyUser, Scope: hub.ScopeUsage, Data: httpkit.OwnUnlessAdmin}, hub.Caller{Role: hub.RoleAdmin}, 200, true},
		{"no scopes at all", httpkit.Route{Who: httpkit.AnyUser, Scope: hub.ScopeUsage, Data: httpkit.Own}, hub.Caller{Role: hub.RoleOwner, Scopes: []hub.Scope{}}, 403, false},
		{"a role that there is not", httpkit.Route{Who: httpkit.AnyUser, Scope: httpkit.AnyScope}, hub.Caller{Role: "root"}, 403, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.caller.UserID = "u"
			d := deps(newLogBook())
			d.Authenticate = func(*http.Request) (hub.Caller, error) { return tt.caller, nil }
			var seen hub.Caller
			tt.route.Pattern = "/"
			tt.route.As = func(_ http.ResponseWriter, _ *http.Request, c hub.Caller) error { seen = c; return nil }
			res := do(httpkit.Mux([]httpkit.Route{tt.route}, d), httptest.NewRequest(http.MethodGet, "/", nil))
			require.Equal(t, tt.status, res.Code, res.Body.String())
			assert.Equal(t, tt.all, seen.All)
		})
	}
}

func TestARefusedKeyIsToldWhichScopeItLacks(t *testing.T) {
	t.Parallel()
	d := deps(newLogBook())
	d.Authenticate = func(*http.Request) (hub.Caller, error) {
		return hub.Caller{UserID: "u", Role: hub.RoleMember, Scopes: []hub.Scope{hub.ScopeUsage}}, nil
	}
	rt := httpkit.Route{Pattern: "/", Who: httpkit.AnyUser, Scope: hub.ScopeInference, Data: httpkit.Own, Handler: ok}
	res := do(httpkit.Mux([]httpkit.Route{rt}, d), httptest.NewRequest(http.MethodGet, "/", nil))
	assert.Equal(t, 403, res.Code)
	assert.JSONEq(t, `{"error":{"message":"This API key may not do this: it lacks the scope inference.","type":"permission_error","code":"forbidden"}}`, res.Body.String())
}
