package operator

import (
	"context"
	"errors"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/provider"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// ChangedProvider says what of a stored provider changes; nil fields stay.
type ChangedProvider struct {
	DisplayName *string
	BaseURL     *string // "" for the kind's own
	Region      *string
	Enabled     *bool
}

// ChangeProvider alters a stored provider.
func (d *Desk) ChangeProvider(ctx context.Context, actor, name string, n ChangedProvider) error {
	p, err := d.provider(ctx, name)
	if err != nil {
		return err
	}
	kind, ok := provider.Find(p.Kind)
	if !ok {
		return hub.Invalid("kind", "The provider %s is of the unknown kind %s.", p.Name, p.Kind)
	}
	facts := func() map[string]any {
		return map[string]any{"display_name": p.DisplayName, "base_url": p.BaseURL, "region": p.Region, "enabled": p.Enabled}
	}
	before := facts()
	if n.DisplayName != nil {
		p.DisplayName = *n.DisplayName
	}
	if n.BaseURL != nil {
		switch {
		case *n.BaseURL != "":
			if p.BaseURL, err = provider.NormaliseBaseURL(kind, *n.BaseURL); err != nil {
				return err
			}
		case kind.BaseURL == "":
			return hub.Invalid("base_url", "Providers of kind %s need a base URL.", kind.ID)
		default:
			p.BaseURL = ""
		}
	}
	if n.Region != nil {
		p.Region = *n.Region
	}
	if n.BaseURL != nil || n.Region != nil {
		if err := checkRegion(kind, p.BaseURL, p.Region); err != nil {
			return err
		}
	}
	if n.Enabled != nil {
		p.Enabled = *n.Enabled
	}
	if err := d.Store.UpdateProvider(ctx, p); err != nil {
		return err
	}
	return d.audit(ctx, actor, "provider.change", name, before, facts())
}

// ChangeCredential gives a credential another secret or weight. An empty secret
// and the weight 0 leave what is there.
func (d *Desk) ChangeCredential(ctx context.Context, actor, providerName, name string, weight int64, secret hub.Secret) error {
	c, err := d.credential(ctx, providerName, name)
	if err != nil {
		return err
	}
	if weight < 0 || weight > 1_000_000 {
		return hub.Invalid("weight", "The weight must be 1 to 1000000.")
	}
	before := map[string]any{"weight": c.Weight}
	if weight > 0 {
		c.Weight = weight
	}
	if secret != "" {
		if err := d.reseal(ctx, providerName, &c, secret); err != nil {
			return err
		}
	}
	if err := d.Store.UpdateCredential(ctx, c); err != nil {
		return err
	}
	return d.audit(ctx, actor, "credential.change", providerName+"/"+name, before, map[string]any{"weight": c.Weight, "value": secret != ""})
}

// reseal checks a secret's form and seals it for the row that c is.
func (d *Desk) reseal(ctx context.Context, providerName string, c *store.Credential, secret hub.Secret) error {
	p, err := d.provider(ctx, providerName)
	if err != nil {
		return err
	}
	kind, ok := provider.Find(p.Kind)
	if !ok {
		return hub.Invalid("provider", "The provider %s is of the unknown kind %s.", p.Name, p.Kind)
	}
	if _, err := d.seal(ctx, kind, c.Name, secret); err != nil {
		return err
	}
	keyring, err := d.Vault(ctx)
	if err != nil {
		return err
	}
	c.Sealed, c.KeyID, err = keyring.Seal(CredentialAAD(c.ID), hub.Secret(strings.TrimSpace(secret.Reveal())))
	return err
}

// SetRole gives a user another role. The last owner stays one.
func (d *Desk) SetRole(ctx context.Context, actor, email string, role hub.Role) error {
	if !role.Valid() {
		return hub.Invalid("role", "The role must be owner, admin, member or guest.")
	}
	u, err := d.User(ctx, email)
	if err != nil {
		return err
	}
	err = d.Store.SetUserRole(ctx, u.ID, role)
	if errors.Is(err, store.ErrNotFound) {
		return hub.Errorf(hub.CodeConflict, "%s is the only owner; make another one first.", u.Email)
	}
	if err != nil {
		return err
	}
	return d.audit(ctx, actor, "user.role", u.Email, map[string]any{"role": u.Role}, map[string]any{"role": role})
}
