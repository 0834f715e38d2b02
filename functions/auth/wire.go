package auth

import (
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/boot"
)

// Wire makes the function from an open hub.
func Wire(a *boot.App) http.Handler {
	return New(Deps{Store: a.Store, Users: a.Users, Desk: a.Desk, Authenticate: a.Keys.Authenticate, Log: a.Log, Now: a.Now,
		TrustedProxies: a.Config.TrustedProxies})
}
