package functions_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
)

// TestEveryRouteAdmitsWhomItShould tries every route as everybody.
func TestEveryRouteAdmitsWhomItShould(t *testing.T) {
	t.Parallel()
	w := open(t)
	var anonymous []string
	eachRoute(func(name, method, path string, rt httpkit.Route) {
		if rt.Who == httpkit.Anonymous {
			anonymous = append(anonymous, method+" "+rt.Pattern)
		}
		for _, as := range []string{"", "bad", "guest", "member", "admin", "owner"} {
			got := w.do(name, as, method, path, "").Code
			what := method + " " + rt.Pattern + " as " + as
			if rt.Session && as != "" && as != "bad" {
				assert.Equal(t, http.StatusForbidden, got, what+", whose key is not enough")
				continue
			}
			switch admitted(rt.Who, as) {
			case http.StatusOK:
				assert.NotContains(t, []int{401, 403, 405, 500}, got, what)
			default:
				assert.Equal(t, admitted(rt.Who, as), got, what)
			}
		}
	})
	assert.ElementsMatch(t, []string{"POST /api/auth/setup", "POST /api/auth/login", "GET /",
		"POST /api/auth/invitations/read", "POST /api/auth/invitations/accept", // the token is the capability
		"GET /api/auth/sign-in", "GET /api/auth/sign-in.js", "GET /api/auth/sign-in.css", "GET /api/auth/providers", "GET /api/auth/oidc/{name}/start", "GET /api/auth/oidc/{name}/callback",
		"POST /api/auth/password/forgot", "POST /api/auth/password/reset", "GET /__blocklet__.js",
		"GET /.well-known/oauth-authorization-server", "GET /.well-known/oauth-authorization-server/{path...}",
		"GET /oauth/authorize", "GET /oauth/device", "GET /oauth/connect", "GET /oauth/consent.js", "GET /oauth/consent.words.js", "GET /oauth/consent.css",
		"POST /oauth/token", "POST /oauth/revoke", "POST /oauth/introspect", "POST /oauth/register", "POST /oauth/device_authorization", // clients show who they are
		"POST /.well-known/service/api/access-key/session", "GET /.well-known/service/api/access-key/session", "DELETE /.well-known/service/api/access-key/session",
		"GET /.well-known/service/gen-simple-access-key", // the session's id is the capability
		"GET /media/{name}",                // the name is the capability
		"POST /api/billing/stripe/webhook", // the signature is
		"GET /api/billing/buy", "GET /api/billing/buy.js", "GET /api/billing/page.css", "GET /api/billing/offer",
		"POST /api/payment/callback", // signed by a component of the app
	}, anonymous, "routes that anybody may call")
}

// admitted is the status that who may call says, 200 for "let in".
func admitted(who httpkit.Who, as string) int {
	switch {
	case who == httpkit.Anonymous, who == httpkit.Optional && as != "bad":
		return http.StatusOK
	case as == "" || as == "bad":
		return http.StatusUnauthorized
	case as == "guest" && who != httpkit.GuestsToo && who != httpkit.Optional:
		return http.StatusForbidden
	case who == httpkit.Admin && as != "admin" && as != "owner", who == httpkit.OwnerOnly && as != "owner":
		return http.StatusForbidden
	}
	return http.StatusOK
}
