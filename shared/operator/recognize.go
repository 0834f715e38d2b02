package operator

import (
	"context"
	"errors"
	"slices"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/identity"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

var errStranger = hub.Errorf(hub.CodeForbidden, "Nobody here has this sign-in. Ask an administrator for an invitation.")

// Recognize finds or makes the user whom a provider's claims are about, and gives
// the user the role that the provider's groups say. An invitation's token makes
// the user of that invitation.
func (d *Desk) Recognize(ctx context.Context, p identity.Provider, c identity.Claims, invitation hub.Secret) (store.User, error) {
	role, mapped := p.Role(c.Groups)
	switch {
	case !p.Admits(p.Address(c)):
		return store.User{}, hub.Errorf(hub.CodeForbidden, "Only addresses of certain organisations may sign in here by %s.", p.Label)
	case len(p.Roles) > 0 && !mapped:
		return store.User{}, hub.Errorf(hub.CodeForbidden, "None of your groups at %s may sign in here.", p.Label)
	}
	u, err := d.whose(ctx, p, c, role, invitation)
	if err != nil {
		return u, err
	}
	if u.DisabledAt != nil {
		return u, hub.Errorf(hub.CodeForbidden, "Your account is disabled. Ask an administrator.")
	}
	if !mapped || u.Role == role {
		return u, nil
	}
	before := u.Role
	changed, err := d.Store.SetRoleByProvider(ctx, u.ID, role)
	if err != nil {
		return u, err
	}
	if !changed {
		d.Log.Warn("the last owner keeps the role, whatever the provider's groups say", "user_id", u.ID)
		return u, nil
	}
	u.Role = role
	return u, d.audit(ctx, "oidc/"+p.Name, "user.role", u.Email, map[string]any{"role": before}, map[string]any{"role": role})
}

func (d *Desk) whose(ctx context.Context, p identity.Provider, c identity.Claims, role hub.Role, invitation hub.Secret) (store.User, error) {
	id := store.Identity{Issuer: c.Issuer, Subject: c.Subject, Email: c.Email}
	known, err := d.Store.Identity(ctx, c.Issuer, c.Subject)
	if err == nil {
		if err := d.Store.UseIdentity(ctx, id); err != nil {
			return store.User{}, err
		}
		return d.Store.UserByID(ctx, known.UserID)
	}
	if !errors.Is(err, store.ErrNotFound) {
		return store.User{}, err
	}
	newcomer := store.User{Name: clipName(c.Name)}
	if invitation != "" {
		n, err := d.Invitation(ctx, invitation)
		if err != nil {
			return store.User{}, err
		}
		return d.Accept(ctx, n, newcomer, &id)
	}
	address := p.Address(c)
	if address == "" || identity.CheckUser(address, hub.RoleMember) != nil {
		return store.User{}, errStranger
	}
	u, err := d.Store.UserByEmail(ctx, address)
	if err == nil {
		if u.DisabledAt != nil {
			return u, nil // nothing is linked to somebody who is locked out
		}
		id.UserID = u.ID
		return u, d.link(ctx, p, u, id)
	}
	if !errors.Is(err, store.ErrNotFound) {
		return u, err
	}
	n, err := d.Store.InvitationTo(ctx, address)
	if err == nil {
		return d.Accept(ctx, n, newcomer, &id)
	}
	if !errors.Is(err, store.ErrNotFound) {
		return u, err
	}
	if !p.Provision {
		return u, errStranger
	}
	newcomer.Email, newcomer.Role = address, hub.RoleMember
	if role != "" {
		newcomer.Role = role
	}
	return d.provision(ctx, p, newcomer, id)
}

func clipName(name string) string {
	const most = 100
	runes := []rune(name)
	return string(runes[:min(len(runes), most)])
}

func (d *Desk) provision(ctx context.Context, p identity.Provider, u store.User, id store.Identity) (store.User, error) {
	u, err := d.Store.CreateUserWith(ctx, u, id)
	if errors.Is(err, store.ErrConflict) {
		return u, hub.Errorf(hub.CodeConflict, "You are signing in twice at once; please try again.")
	}
	if err != nil {
		return u, err
	}
	if _, err := d.Book.Welcome(ctx, u.ID, u.AccountID); err != nil {
		return u, err
	}
	return u, d.audit(ctx, "oidc/"+p.Name, "user.create", u.Email, nil, map[string]any{"role": u.Role})
}

// link adds an identity to a user.
func (d *Desk) link(ctx context.Context, p identity.Provider, u store.User, id store.Identity) error {
	err := d.Store.AddIdentity(ctx, id)
	if errors.Is(err, store.ErrConflict) {
		return hub.Errorf(hub.CodeConflict, "This sign-in at %s belongs to another user here.", p.Label)
	}
	if err != nil {
		return err
	}
	return d.audit(ctx, "oidc/"+p.Name, "identity.link", u.Email, nil, map[string]any{"provider": p.Name, "subject": id.Subject})
}

// LinkIdentity adds what a provider calls a signed-in user.
func (d *Desk) LinkIdentity(ctx context.Context, p identity.Provider, c identity.Claims, userID string) (store.User, error) {
	u, err := d.Store.UserByID(ctx, userID)
	if err != nil {
		return u, err
	}
	has, err := d.Store.Identities(ctx, u.ID)
	if err != nil || slices.ContainsFunc(has, func(n store.Identity) bool { return n.Issuer == c.Issuer && n.Subject == c.Subject }) {
		return u, err
	}
	return u, d.link(ctx, p, u, store.Identity{Issuer: c.Issuer, Subject: c.Subject, Email: c.Email, UserID: u.ID})
}

// RemoveIdentity takes a provider's sign-in from a user who has another way in.
func (d *Desk) RemoveIdentity(ctx context.Context, actor string, u store.User, id string) error {
	has, err := d.Store.Identities(ctx, u.ID)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(has, func(n store.Identity) bool { return n.ID == id }) {
		return hub.Errorf(hub.CodeNotFound, "There is no sign-in with this id among yours.")
	}
	err = d.Store.RemoveIdentity(ctx, u.ID, id)
	if errors.Is(err, store.ErrNotFound) {
		return hub.Errorf(hub.CodeConflict, "You could not sign in without it; set a password first.")
	}
	if err != nil {
		return err
	}
	return d.audit(ctx, actor, "identity.unlink", u.Email, map[string]any{"id": id}, nil)
}
