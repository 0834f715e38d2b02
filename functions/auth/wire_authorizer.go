package auth

import (
	"context"
	"net/netip"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// Authorizer makes the Lambda authorizer from an open hub.
func Authorizer(a *boot.App) boot.Events {
	caller := func(ctx context.Context, key hub.Secret, _ netip.Addr) (hub.Caller, error) {
		return a.Keys.Caller(ctx, key)
	}
	return authorizer{caller: caller, policy: a.Config.AuthorizerPolicy}.answer
}
