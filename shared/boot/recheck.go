package boot

import (
	"context"

	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/upstream"
)

// ask puts the free question to a stored provider under a credential of it, used
// or not.
func (a *App) ask(ctx context.Context, row store.Provider, c store.Credential) (upstream.Probe, error) {
	p, err := readProvider(row)
	if err != nil {
		return upstream.Probe{}, err
	}
	keyring, err := a.Vault(ctx)
	if err != nil {
		return upstream.Probe{}, err
	}
	secret, err := keyring.Open(operator.CredentialAAD(c.ID), c.Sealed)
	if err != nil {
		return upstream.Probe{}, err
	}
	return a.Upstream.Probe(ctx, p, secret), nil
}
