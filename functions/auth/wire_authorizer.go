package auth

import (
	"context"
	"net/netip"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// Authorizer makes the Lambda authorizer from an open hub.
func Authorizer(a *boot.App) boot.Events {
	caller := func(ctx context.Context, key hub.Secret, client netip.Addr) (hub.Caller, error) {
		return a.Keys.CallerFrom(ctx, key, client)
	}
	return authorizer{caller: caller, policy: a.Config.AuthorizerPolicy, session: a.Sessions.Authenticate, browser: a.Browser()}.answer
}
