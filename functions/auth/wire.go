package auth

import (
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/boot"
)

// Wire makes the function from an open hub.
func Wire(a *boot.App) http.Handler {
	return New(Deps{Deps: a.HTTP(), Store: a.Store, Users: a.Users, Sessions: a.Sessions, SignIn: a.SignIn, Desk: a.Desk,
		TrustedProxies: a.Config.TrustedProxies})
}
