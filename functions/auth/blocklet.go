package auth

import (
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/hostusers"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/identity"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// ours keeps the hub's own ways of signing in shut while people sign in at a
// Blocklet Server.
func (h *handler) ours(next httpkit.Handler) httpkit.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if h.Users.Elsewhere {
			return identity.ErrElsewhere
		}
		return next(w, r)
	}
}

// oursAs is ours for routes that know their caller.
func (h *handler) oursAs(next httpkit.CallerHandler) httpkit.CallerHandler {
	return func(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
		if h.Users.Elsewhere {
			return identity.ErrElsewhere
		}
		return next(w, r, c)
	}
}

// elsewhereView is where people sign in and out on a Blocklet Server; paths of its
// origin, whatever the hub is mounted below.
type elsewhereView struct {
	SignIn  string `json:"sign_in"`  // ?redirect= says where people go then
	SignOut string `json:"sign_out"` // by POST: signs out of the whole app
	Only    bool   `json:"only"`     // the hub itself signs nobody in
}

func (h *handler) elsewhere() *elsewhereView {
	if h.Host == nil {
		return nil
	}
	return &elsewhereView{SignIn: hostusers.SignInPath, SignOut: hostusers.SignOutPath, Only: h.Host.Only}
}

// hostView is what a Blocklet Server says of a user of its.
type hostView struct {
	DID    string   `json:"did"`
	Avatar string   `json:"avatar"` // URL, "" for none
	Roles  []string `json:"roles"`  // as the server calls them
}

func (h *handler) hostView(r *http.Request, u store.User) (*hostView, error) {
	if h.Host == nil || u.DID == "" {
		return nil, nil
	}
	n, err := h.Store.HostUserByID(r.Context(), u.ID)
	if err != nil || n.ReadAt.IsZero() {
		return nil, err
	}
	return &hostView{DID: u.DID, Avatar: n.Avatar, Roles: append([]string{}, n.Roles...)}, nil
}

// leaveHost ends the sign-in at a Blocklet Server that a request came with, as far
// as the hub goes.
func (h *handler) leaveHost(w http.ResponseWriter, r *http.Request) error {
	if h.Host == nil {
		return nil
	}
	_, err := h.Host.Leave(w, r)
	return err
}
