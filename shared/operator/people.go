package operator

import (
	"context"
	"errors"
	"regexp"
	"slices"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// User finds a user by e-mail address.
func (d *Desk) User(ctx context.Context, email string) (store.User, error) {
	u, err := d.Store.UserByEmail(ctx, email)
	if errors.Is(err, store.ErrNotFound) {
		return u, hub.Errorf(hub.CodeNotFound, "There is no user with the e-mail address %s.", email)
	}
	return u, err
}

// CreateUser makes a user. The first owner is made by a set-up token or here.
func (d *Desk) CreateUser(ctx context.Context, actor, email string, role hub.Role, password hub.Secret) (store.User, error) {
	u, err := d.Users.Create(ctx, email, role, password)
	if err != nil {
		return u, err
	}
	if _, err := d.Book.Welcome(ctx, u.ID, u.AccountID); err != nil {
		return u, err
	}
	return u, d.audit(ctx, actor, "user.create", u.Email, nil, map[string]any{"role": u.Role})
}

// SetPassword replaces a user's password.
func (d *Desk) SetPassword(ctx context.Context, actor, email string, password hub.Secret) error {
	if _, err := d.User(ctx, email); err != nil {
		return err
	}
	if err := d.Users.SetPassword(ctx, email, password); err != nil {
		return err
	}
	return d.audit(ctx, actor, "user.set-password", email, nil, nil)
}

// The most groups of a user, and the form of their names.
const mostGroups = 50

var groupName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,49}$`)

// CheckGroups reports what makes names of groups unusable.
func CheckGroups(groups []string) error {
	if len(groups) > mostGroups {
		return hub.Invalid("groups", "A user can be in at most %d groups.", mostGroups)
	}
	for i, g := range groups {
		switch {
		case !groupName.MatchString(g):
			return hub.Invalid("groups", "%.60q is no name of a group: 1 to 50 letters, digits, dots, dashes and underscores.", g)
		case hub.Role(g).Valid():
			return hub.Invalid("groups", "%s is a role; every user's role is a group already.", g)
		case slices.Contains(groups[:i], g):
			return hub.Invalid("groups", "The group %s is named twice.", g)
		}
	}
	return nil
}

// SetGroups puts a user into groups, and out of all others.
func (d *Desk) SetGroups(ctx context.Context, actor, email string, groups []string) (store.User, error) {
	u, err := d.User(ctx, email)
	if err != nil {
		return u, err
	}
	if err := CheckGroups(groups); err != nil {
		return u, err
	}
	before := u.Groups
	if err := d.Store.SetUserGroups(ctx, u.ID, groups); err != nil {
		return u, err
	}
	u.Groups = groups
	return u, d.audit(ctx, actor, "user.groups", u.Email, map[string]any{"groups": before}, map[string]any{"groups": groups})
}
