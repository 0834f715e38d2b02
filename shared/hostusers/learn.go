package hostusers

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/blocklet"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/identity"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// nowhere ends the addresses of users who have none that the server verified. No
// mail goes there (RFC 2606).
const nowhere = "@did.invalid"

// Learn asks the server about a user and stores what it says: a new one is made,
// one whom it does not let in is disabled. The zero HostUser is for strangers who
// do not become users.
func (h *Host) Learn(ctx context.Context, did string) (store.HostUser, error) {
	at := h.Now() // before asking: what is stored is at least as new
	said, err := h.Env.User(ctx, did, at)
	if errors.Is(err, blocklet.ErrUnknown) {
		return h.gone(ctx, did, at)
	}
	if err != nil {
		return store.HostUser{}, err
	}
	return h.take(ctx, did, h.read(said, at), said.EmailVerified, said.Email)
}

// meet learns of a user who shows a token. Where the server cannot be asked at
// all, the token itself says what there is to know.
func (h *Host) meet(ctx context.Context, l blocklet.Login) (store.HostUser, error) {
	var u store.HostUser
	var err error
	if h.Env.HasDaemon() {
		u, err = h.Learn(ctx, l.DID)
	} else {
		said := blocklet.User{DID: l.DID, Name: l.Name, Passports: []blocklet.Passport{{Role: l.Role}}}
		u, err = h.take(ctx, l.DID, h.read(said, l.IssuedAt), false, "")
	}
	if err != nil {
		return u, unavailable(err)
	}
	if u.ID == "" {
		return u, errOut
	}
	return u, nil
}

// read is what the server says in the hub's words.
func (h *Host) read(said blocklet.User, at time.Time) store.HostUser {
	role, ok := h.role(said.Roles()...)
	n := store.HostUser{Roles: said.Roles(), Avatar: h.Env.Picture(said), ReadAt: at, User: store.User{DID: said.DID, Name: clipped(said.Name), Role: role, Language: language(said.Locale)}}
	if !ok {
		n.Role = hub.RoleGuest
	}
	if !ok || said.Blocked() {
		n.BlockedAt = &at
	}
	return n
}

func clipped(name string) string {
	const most = 100
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, ""))
	runes := []rune(strings.TrimSpace(name))
	return string(runes[:min(len(runes), most)])
}

// language is the hub's word for a language of the server.
func language(locale string) string {
	switch strings.ToLower(locale) {
	case "zh", "zh-cn", "zh-hans":
		return "zh-CN"
	case "zh-tw", "zh-hk", "zh-hant":
		return "zh-TW"
	}
	if slices.Contains(identity.Languages(), locale) {
		return locale
	}
	return ""
}

// take stores what the server says of a user. Its e-mail address is taken over
// only when the server verified it, and never tells who a user is: an address that
// belongs to somebody here stays with them.
func (h *Host) take(ctx context.Context, did string, n store.HostUser, verified bool, email string) (store.HostUser, error) {
	if !verified || identity.CheckUser(email, hub.RoleMember) != nil {
		email = ""
	}
	u, err := h.Store.HostUser(ctx, did, "")
	if errors.Is(err, store.ErrNotFound) {
		if n.BlockedAt != nil || !h.Provision {
			return store.HostUser{}, nil
		}
		n.DID = did
		var made bool
		if u, made, err = h.create(ctx, n, email); made {
			return u, err
		}
	}
	if err != nil {
		return u, err
	}
	return h.change(ctx, u, n, email)
}

// create makes a user, unless another request or another process does so at the
// same moment.
func (h *Host) create(ctx context.Context, n store.HostUser, email string) (u store.HostUser, made bool, err error) {
	address := n.DID + nowhere
	for _, n.Email = range []string{email, address} {
		if n.Email == "" {
			continue
		}
		u, err = h.Store.CreateHostUser(ctx, n)
		if errors.Is(err, store.ErrConflict) {
			if u, err := h.Store.HostUser(ctx, n.DID, ""); err == nil {
				return u, false, nil
			}
			continue
		}
		if err != nil {
			return u, false, err
		}
		if err := h.Welcome(ctx, u.ID, u.AccountID); err != nil {
			return u, true, err
		}
		return u, true, h.note(ctx, "user.create", u.Email, nil, map[string]any{"role": u.Role, "did": u.DID})
	}
	return n, false, store.ErrConflict
}

// change stores what is new about a user.
func (h *Host) change(ctx context.Context, u, n store.HostUser, email string) (store.HostUser, error) {
	n.ID = u.ID
	if n.Name == "" {
		n.Name = u.Name
	}
	done, err := h.Store.SetHostUser(ctx, n)
	if err != nil {
		return u, err
	}
	if email != "" && email != u.Email {
		switch err := h.Store.SetUserEmail(ctx, u.ID, email); {
		case errors.Is(err, store.ErrConflict):
			h.Log.Warn("a user's e-mail address at the Blocklet Server is another user's here", "user_id", u.ID)
		case err != nil:
			return u, err
		}
	}
	after, err := h.Store.HostUser(ctx, u.DID, "")
	if err != nil || !done {
		return after, err
	}
	return after, h.tell(ctx, u, after)
}

// gone takes in that the server knows a user no more. What the user did stays on
// the books, and so does the user.
func (h *Host) gone(ctx context.Context, did string, at time.Time) (store.HostUser, error) {
	u, err := h.Store.HostUser(ctx, did, "")
	if errors.Is(err, store.ErrNotFound) {
		return store.HostUser{}, nil
	}
	if err != nil {
		return u, err
	}
	n := u
	n.Roles, n.BlockedAt, n.ReadAt = nil, &at, at
	return h.change(ctx, u, n, "")
}

// tell audits what changed about a user's powers.
func (h *Host) tell(ctx context.Context, before, after store.HostUser) error {
	var err error
	if before.Role != after.Role {
		err = h.note(ctx, "user.role", after.Email, map[string]any{"role": before.Role}, map[string]any{"role": after.Role})
	}
	switch was, is := before.DisabledAt != nil, after.DisabledAt != nil; {
	case !was && is:
		err = errors.Join(err, h.note(ctx, "user.disable", after.Email, nil, nil))
	case was && !is:
		err = errors.Join(err, h.note(ctx, "user.enable", after.Email, nil, nil))
	}
	if before.Email != after.Email {
		err = errors.Join(err, h.note(ctx, "user.email", after.Email, map[string]any{"email": before.Email}, map[string]any{"email": after.Email}))
	}
	return err
}

func (h *Host) note(ctx context.Context, action, subject string, before, after map[string]any) error {
	text := func(m map[string]any) string {
		if m == nil {
			return ""
		}
		b, _ := json.Marshal(m) // strings only
		return string(b)
	}
	return h.Store.Audit(ctx, actor, action, subject, text(before), text(after))
}
