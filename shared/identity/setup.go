package identity

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/mail"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Users makes users and the first owner.
type Users struct {
	Store *store.Store
	// Elsewhere: people sign in at the server that the hub is a component of, whose
	// owner is the hub's.
	Elsewhere bool
}

// ErrElsewhere says that the hub itself signs nobody in.
var ErrElsewhere = hub.Errorf(hub.CodeForbidden, "People sign in at the Blocklet Server that this hub is a component of, and its owner is the hub's (AIGNE_HUB_BLOCKLET_SIGN_IN).")

const setupTokenSetting = "setup_token_hash"

// ErrHasOwner says that an owner exists, so there is nothing to set up.
var ErrHasOwner = hub.Errorf(hub.CodeConflict, "This hub has an owner already; set-up tokens are for the first one only.")

// NewSetupToken makes a one-time token that lets its bearer become the first
// owner. An earlier token stops working. ErrHasOwner, ErrElsewhere: none is needed.
func (u *Users) NewSetupToken(ctx context.Context) (hub.Secret, error) {
	if u.Elsewhere {
		return "", ErrElsewhere
	}
	has, err := u.Store.HasOwner(ctx)
	if err != nil {
		return "", err
	}
	if has {
		return "", ErrHasOwner
	}
	token := hub.Secret("setup-" + random())
	return token, u.Store.SetSetting(ctx, setupTokenSetting, Hash(token))
}

// SetUp makes the first owner for whoever holds the token, and spends it.
func (u *Users) SetUp(ctx context.Context, token hub.Secret, email string, password hub.Secret) (store.User, error) {
	if u.Elsewhere {
		return store.User{}, ErrElsewhere
	}
	want, err := u.Store.Setting(ctx, setupTokenSetting)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return store.User{}, err
	}
	if want == "" || subtle.ConstantTimeCompare([]byte(want), []byte(Hash(token))) != 1 {
		return store.User{}, hub.Errorf(hub.CodeForbidden, "The set-up token is wrong or used up. `aigne-hub setup-token` prints a new one while no owner exists.")
	}
	row, err := newUser(email, hub.RoleOwner, password)
	if err != nil {
		return store.User{}, err
	}
	row, err = u.Store.CreateOwner(ctx, row)
	if errors.Is(err, store.ErrConflict) {
		return row, ErrHasOwner
	}
	return row, err
}

// Create makes a user. An empty password leaves the user without one.
func (u *Users) Create(ctx context.Context, email string, role hub.Role, password hub.Secret) (store.User, error) {
	row, err := newUser(email, role, password)
	if err != nil {
		return row, err
	}
	row, err = u.Store.CreateUser(ctx, row)
	if errors.Is(err, store.ErrConflict) {
		return row, hub.Errorf(hub.CodeConflict, "There is a user with the e-mail address %s already.", email)
	}
	return row, err
}

// CheckUser reports what makes an e-mail address or a role unusable.
func CheckUser(email string, role hub.Role) error {
	addr, err := mail.ParseAddress(email)
	if err != nil || addr.Address != email || len(email) > 254 {
		return hub.Invalid("email", "%q is not an e-mail address.", email)
	}
	if !role.Valid() {
		return hub.Invalid("role", "The role must be owner, admin, member or guest.")
	}
	return nil
}

func newUser(email string, role hub.Role, password hub.Secret) (store.User, error) {
	email = strings.TrimSpace(email)
	if err := CheckUser(email, role); err != nil {
		return store.User{}, err
	}
	row := store.User{Email: email, Role: role}
	if password == "" {
		return row, nil
	}
	err := CheckNewPassword(email, password)
	if err == nil {
		row.PasswordHash, err = HashPassword(password)
	}
	return row, err
}

// SetPassword replaces a user's password and ends the user's sessions.
func (u *Users) SetPassword(ctx context.Context, email string, password hub.Secret) error {
	if err := CheckNewPassword(email, password); err != nil {
		return err
	}
	hash, err := HashPassword(password)
	if err != nil {
		return err
	}
	row, err := u.Store.UserByEmail(ctx, email)
	if err != nil {
		return err
	}
	return u.Store.SetPassword(ctx, row.ID, hash, "")
}
