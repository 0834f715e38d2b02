// Package hostusers lets the users of a Blocklet Server use a hub that is a
// component there: by the tokens under which they are signed in, and by the access
// keys that they make in the server's user centre. It keeps what the hub knows
// about them as the server has it. What the server's proxy writes into headers
// (x-user-did and the like) is never looked at: every process of the machine can
// write the same.
package hostusers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/blocklet"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/identity"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Host is a Blocklet Server's part in who is who.
type Host struct {
	Env   *blocklet.Environment
	Store *store.Store
	Keys  *identity.Keys // for the service keys of components
	// Welcome greets a new user.
	Welcome func(ctx context.Context, userID, accountID string) error
	// Roles gives the server's roles those of the hub; nobody with none of them is
	// let in.
	Roles []identity.RoleRule
	// Provision: whoever the server lets in becomes a user of the hub.
	Provision bool
	// Only: nobody signs in but at the server.
	Only bool
	Now  hub.Now
	Log  *slog.Logger

	mu   sync.Mutex // of keys
	keys map[[32]byte]knownKey
	asks chan struct{} // bounds the questions about keys that are open at once
}

// New makes a Host ready whose exported fields are set, and returns it.
func New(h *Host) *Host {
	const atOnce = 8
	h.keys, h.asks = map[[32]byte]knownKey{}, make(chan struct{}, atOnce)
	return h
}

// SignInPath is where the server signs people in; its parameter redirect says
// where they go then.
const SignInPath = "/.well-known/service/login"

// SignOutPath is where the server signs people out of all of the app, by POST.
const SignOutPath = "/.well-known/service/api/user/logout"

// actor is who the audit log says acts when the server does.
const actor = "blocklet-server"

var (
	errToken = hub.Errorf(hub.CodeUnauthenticated, "This sign-in at the Blocklet Server has ended or is not for this app. Sign in again.")
	errKey   = hub.Errorf(hub.CodeUnauthenticated, "This access key is not known to the Blocklet Server, or is revoked or expired.")
	errOut   = hub.Errorf(hub.CodeUnauthenticated, "The Blocklet Server, or this hub, does not let this user in.")
)

func unavailable(err error) error {
	e := hub.Wrap(hub.CodeUnavailable, err, "Users cannot be checked now; the Blocklet Server or the database does not answer.")
	e.RetryAfter = time.Second
	return e
}

// Authenticate finds the caller of a request without an API key: by the server's
// cookie or, without one that is worth something, by a component's signature.
// Neither gives the zero Caller.
func (h *Host) Authenticate(r *http.Request) (hub.Caller, error) {
	for _, token := range tokens(r) {
		c, _, err := h.byToken(r.Context(), token)
		switch hub.CodeOf(err) {
		case "":
			c.Session = true
			return c, nil
		case hub.CodeUnauthenticated: // browsers send old cookies everywhere
		default:
			return hub.Caller{}, err
		}
	}
	if blocklet.SignedByComponent(r) {
		return h.component(r)
	}
	return hub.Caller{}, nil
}

// tokens are what a request has in the server's cookie.
func tokens(r *http.Request) []hub.Secret {
	const most = 2 // nobody has more who is not looking for trouble
	var out []hub.Secret
	for _, c := range r.CookiesNamed(blocklet.LoginCookie) {
		if c.Value != "" && len(out) < most {
			out = append(out, hub.Secret(c.Value))
		}
	}
	return out
}

// Bearer finds the caller of a request that shows something that is no API key of
// the hub: a login token or an access key. CodeUnauthenticated: it is neither, or
// is good for nothing.
func (h *Host) Bearer(ctx context.Context, key hub.Secret, _ netip.Addr) (hub.Caller, error) {
	switch {
	case blocklet.LooksLikeLogin(key):
		c, _, err := h.byToken(ctx, key)
		return c, err
	case strings.HasPrefix(key.Reveal(), blocklet.AccessKeyPrefix):
		return h.byAccessKey(ctx, key)
	}
	return hub.Caller{}, hub.Errorf(hub.CodeUnauthenticated, "This is neither an API key of the hub nor an access key or a sign-in of the Blocklet Server.")
}

// byToken finds whose a login token is. The role is the weaker one of the token's
// and of what the user has now: the server took a passport away after the token
// was made, or another one was chosen at sign-in.
func (h *Host) byToken(ctx context.Context, token hub.Secret) (hub.Caller, blocklet.Login, error) {
	l, err := h.Env.VerifyLogin(token, h.Now())
	if err != nil {
		return hub.Caller{}, l, errToken
	}
	u, err := h.Store.HostUser(ctx, l.DID, proof(token))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return hub.Caller{}, l, unavailable(err)
	}
	if u.Spent {
		return hub.Caller{}, l, errToken
	}
	// A sign-in that is newer than what is known says that there is more to know.
	if u.ReadAt.IsZero() || (l.IssuedAt.After(u.ReadAt) && (u.BlockedAt != nil || !slices.Contains(u.Roles, l.Role))) {
		if u, err = h.meet(ctx, l); err != nil {
			return hub.Caller{}, l, err
		}
	}
	c, err := h.caller(u, l.Role)
	return c, l, err
}

// proof is what is kept of a token.
func proof(token hub.Secret) string { return "token/" + identity.Hash(token) }

// caller is a user in one of the server's roles.
func (h *Host) caller(u store.HostUser, role string) (hub.Caller, error) {
	as, ok := h.role(role)
	if !ok || u.ID == "" || u.DisabledAt != nil || u.BlockedAt != nil {
		return hub.Caller{}, errOut
	}
	return hub.Caller{UserID: u.ID, Email: u.Email, Role: weaker(as, u.Role), Groups: u.Groups, AccountID: u.AccountID}, nil
}

// role is the most powerful of the hub's roles that roles of the server give.
func (h *Host) role(roles ...string) (hub.Role, bool) {
	return identity.Provider{Roles: h.Roles}.Role(roles)
}

func weaker(a, b hub.Role) hub.Role {
	order := []hub.Role{hub.RoleGuest, hub.RoleMember, hub.RoleAdmin, hub.RoleOwner}
	return order[max(0, min(slices.Index(order, a), slices.Index(order, b)))]
}

// Leave ends the sign-in that a request came with, as far as the hub goes: its
// token is worth nothing here any more, and the browser forgets it. It reports
// whether there was one.
func (h *Host) Leave(w http.ResponseWriter, r *http.Request) (bool, error) {
	left := false
	for _, token := range tokens(r) {
		l, err := h.Env.VerifyLogin(token, h.Now())
		if err != nil {
			continue
		}
		if err := h.Store.Spend(r.Context(), proof(token), l.ExpiresAt); err != nil && !errors.Is(err, store.ErrConflict) {
			return left, err
		}
		left = true
	}
	if left {
		http.SetCookie(w, &http.Cookie{Name: blocklet.LoginCookie, Path: "/", MaxAge: -1, HttpOnly: true, Secure: true, SameSite: http.SameSiteLaxMode})
	}
	return left, nil
}

// component finds the caller of a request that another component of the app
// signed. It comes with the newest service key that an operator made for it, so
// that key's limits, wallet and end hold, and does no more than call models: what
// else there is belongs to whoever answers for the key.
//
// The signature covers method, path, query and body, but neither headers nor the
// component's DID, since all components sign with one key. So each call that does
// something is taken once, whoever it claims to come from, and no header says on
// whose behalf it is made: a component that acts for a user sends the user's token.
func (h *Host) component(r *http.Request) (hub.Caller, error) {
	refused := hub.Errorf(hub.CodeUnauthenticated, "This call is not signed by a component of this app, or too long ago.")
	body, err := identity.SignedBody(r)
	if err != nil {
		return hub.Caller{}, err
	}
	call, err := h.Env.Key.VerifyCall(r, body, h.Now())
	if err != nil {
		return hub.Caller{}, refused
	}
	switch _, err := h.Env.Component(call.DID); {
	case errors.Is(err, blocklet.ErrNoComponent):
		return hub.Caller{}, refused
	case err != nil:
		return hub.Caller{}, unavailable(err)
	}
	c, err := h.Keys.ServiceCaller(r, call.DID)
	if err != nil {
		return hub.Caller{}, err
	}
	c.Scopes = []hub.Scope{hub.ScopeInference} // as every service key has it
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return c, nil
	}
	sum := sha256.Sum256(call.Signature)
	switch err := h.Store.Spend(r.Context(), "call/"+hex.EncodeToString(sum[:]), call.ExpiresAt); {
	case errors.Is(err, store.ErrConflict):
		return hub.Caller{}, hub.Errorf(hub.CodeConflict, "This signed call was made already; sign another one.")
	case err != nil:
		return hub.Caller{}, unavailable(err)
	}
	return c, nil
}
