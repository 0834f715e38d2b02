package auth

import (
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/oauth"
	"github.com/aigne-hub/aigne-hub/shared/oidc"
)

// Wire makes the function from an open hub.
func Wire(a *boot.App) http.Handler {
	var providers []*oidc.Client
	for _, p := range a.Config.Door.Providers {
		providers = append(providers, oidc.New(p, a.Config.PublicURL+CallbackPath(p.Name), a.Now))
	}
	return New(Deps{Deps: a.HTTP(), Store: a.Store, Users: a.Users, Sessions: a.Sessions, SignIn: a.SignIn, Desk: a.Desk,
		OAuth:     &oauth.Server{Settings: a.Config.OAuth, Store: a.Store, Desk: a.Desk, SignIn: a.SignIn, Now: a.Now},
		Providers: providers, Host: a.Host, TrustedProxies: a.Config.TrustedProxies})
}
