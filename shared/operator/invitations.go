package operator

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/identity"
	"github.com/aigne-hub/aigne-hub/shared/notify"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Invited is an invitation and how the invited person learns of it.
type Invited struct {
	store.Invitation
	Mailed bool
	Link   hub.Secret // to be passed on by hand; "" when it was mailed
}

// Invite lets whoever gets the link become a user with an e-mail address and a
// role. An open invitation to the same address ends. The link is mailed where
// there is a mail server, and otherwise returned.
func (d *Desk) Invite(ctx context.Context, actor, email string, role hub.Role, groups []string, language string) (Invited, error) {
	if err := identity.CheckUser(email, role); err != nil {
		return Invited{}, err
	}
	if err := CheckGroups(groups); err != nil {
		return Invited{}, err
	}
	token := identity.NewToken()
	n, err := d.Store.Invite(ctx, store.Invitation{Email: email, Role: role, Groups: groups, Hash: identity.Hash(token), Actor: actor, ExpiresAt: d.Now().Add(d.InvitationLife)})
	if errors.Is(err, store.ErrConflict) {
		return Invited{}, hub.Errorf(hub.CodeConflict, "There is a user with the e-mail address %s already.", email)
	}
	if err != nil {
		return Invited{}, err
	}
	if err := d.audit(ctx, actor, "invitation.create", email, nil, map[string]any{"id": n.ID, "role": role, "groups": n.Groups}); err != nil {
		return Invited{}, err
	}
	return d.tell(ctx, n, token, language), nil
}

// ResendInvitation gives an open invitation, also one that has expired, a new
// link and a new time. The old link stops working.
func (d *Desk) ResendInvitation(ctx context.Context, actor, id, language string) (Invited, error) {
	token := identity.NewToken()
	err := d.Store.RenewInvitation(ctx, id, identity.Hash(token), d.Now().Add(d.InvitationLife))
	if errors.Is(err, store.ErrNotFound) {
		return Invited{}, errNoInvitation(id)
	}
	if err != nil {
		return Invited{}, err
	}
	n, err := d.Store.InvitationByID(ctx, id)
	if err != nil {
		return Invited{}, err
	}
	if err := d.audit(ctx, actor, "invitation.resend", n.Email, nil, map[string]any{"id": id}); err != nil {
		return Invited{}, err
	}
	return d.tell(ctx, n, token, language), nil
}

func errNoInvitation(id string) error {
	return hub.Errorf(hub.CodeNotFound, "There is no open invitation with the id %s.", id)
}

// RevokeInvitation ends an open invitation.
func (d *Desk) RevokeInvitation(ctx context.Context, actor, id string) error {
	err := d.Store.RevokeInvitation(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return errNoInvitation(id)
	}
	if err != nil {
		return err
	}
	return d.audit(ctx, actor, "invitation.revoke", id, nil, nil)
}

// tell mails the link of an invitation or, failing that, hands it back.
func (d *Desk) tell(ctx context.Context, n store.Invitation, token hub.Secret, language string) Invited {
	out := Invited{Invitation: n, Link: d.Links.Invitation(token)}
	subject, text := identity.InvitationMail(language, out.Link)
	if out.Mailed = d.mail(ctx, n.Email, subject, text); out.Mailed {
		out.Link = ""
	}
	return out
}

// Mails reports whether there is a mail server.
func (d *Desk) Mails() bool { return d.Notify != nil && d.Notify.Mail != nil }

// mail reports whether a mail was sent.
func (d *Desk) mail(ctx context.Context, to, subject, text string) bool {
	if !d.Mails() || strings.HasSuffix(to, ".invalid") { // nobody has such an address (RFC 2606)
		return false
	}
	err := d.Notify.Mail.Send(ctx, notify.Message{ID: d.Store.NewID(), To: to, Subject: subject, Text: text, Date: d.Now()})
	if err != nil {
		d.Log.Warn("mail not sent", "error", err)
	}
	return err == nil
}

// errUsedUp is for tokens that do not work, for whatever reason.
var errUsedUp = hub.Errorf(hub.CodeForbidden, "This link does not work any more: it was used, has expired, or was replaced by a newer one. Ask for another one.")

// Invitation finds the invitation of a link's token.
func (d *Desk) Invitation(ctx context.Context, token hub.Secret) (store.Invitation, error) {
	n, err := d.Store.InvitationByHash(ctx, identity.Hash(token))
	if errors.Is(err, store.ErrNotFound) {
		return n, errUsedUp
	}
	return n, err
}

// Accept makes the user of an invitation; id is what an outside provider calls
// the user, nil where none does. u holds what the user says about itself, and the
// hash of its password.
func (d *Desk) Accept(ctx context.Context, n store.Invitation, u store.User, id *store.Identity) (store.User, error) {
	u, err := d.Store.Accept(ctx, n, u, id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return u, errUsedUp
	case errors.Is(err, store.ErrConflict):
		return u, hub.Errorf(hub.CodeConflict, "There is a user with this e-mail address or sign-in already.")
	case err != nil:
		return u, err
	}
	if _, err := d.Book.Welcome(ctx, u.ID, u.AccountID); err != nil {
		return u, err
	}
	return u, d.audit(ctx, u.Email, "invitation.accept", u.Email, nil, map[string]any{"invitation": n.ID, "invited_by": n.Actor, "role": u.Role, "groups": u.Groups})
}

// resetLife is how long a link for a new password works.
const resetLife = time.Hour

// ResetLink makes a link by which a user can set a new password, to be passed on
// by hand. Earlier ones stop working.
func (d *Desk) ResetLink(ctx context.Context, actor, email string) (hub.Secret, time.Time, error) {
	expires := d.Now().Add(resetLife)
	u, err := d.User(ctx, email)
	if err != nil {
		return "", expires, err
	}
	if u.DisabledAt != nil {
		return "", expires, hub.Errorf(hub.CodeConflict, "%s is disabled.", u.Email)
	}
	token := identity.NewToken()
	if err := d.Store.SetReset(ctx, u.ID, identity.Hash(token), expires); err != nil {
		return "", expires, err
	}
	return d.Links.Reset(token), expires, d.audit(ctx, actor, "user.reset-link", u.Email, nil, nil)
}

// SendResets makes and mails the links for new passwords that were asked for. It
// is done by a job, not while somebody waits: the time would tell who has an
// account.
func (d *Desk) SendResets(ctx context.Context) error {
	const most = 50
	due, err := d.Store.DueResets(ctx, most)
	if err != nil {
		return err
	}
	for _, r := range due {
		if !r.ExpiresAt.After(d.Now()) || !d.Mails() {
			if err := d.Store.DropReset(ctx, r.UserID); err != nil {
				return err
			}
			continue
		}
		token := identity.NewToken()
		subject, text := identity.ResetMail(r.Language, d.Links.Reset(token))
		if !d.mail(ctx, r.Email, subject, text) {
			continue // again with the next run, until it has expired
		}
		if err := d.Store.SetReset(ctx, r.UserID, identity.Hash(token), d.Now().Add(resetLife)); err != nil {
			return err
		}
		if err := d.audit(ctx, "job", "user.reset-link", r.Email, nil, map[string]any{"mailed": true}); err != nil {
			return err
		}
	}
	return nil
}

// UseReset replaces a user's password by the token of a link and the hash of the
// new password, and ends the user's sessions.
func (d *Desk) UseReset(ctx context.Context, u store.User, token hub.Secret, hash string) error {
	err := d.Store.UseReset(ctx, u.ID, identity.Hash(token), hash)
	if errors.Is(err, store.ErrNotFound) {
		return errUsedUp
	}
	if err != nil {
		return err
	}
	return d.audit(ctx, u.Email, "user.reset-password", u.Email, nil, nil)
}

// ResetUser finds whose password a link's token may replace.
func (d *Desk) ResetUser(ctx context.Context, token hub.Secret) (store.User, error) {
	u, err := d.Store.ResetUser(ctx, identity.Hash(token))
	if errors.Is(err, store.ErrNotFound) {
		return u, errUsedUp
	}
	return u, err
}
