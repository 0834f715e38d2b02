package auth

import (
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

type invitationToken struct {
	Token hub.Secret `json:"token" validate:"required,max=200"`
}

// readInvitation tells whoever holds an invitation's link what it offers.
func (h *handler) readInvitation(w http.ResponseWriter, r *http.Request) error {
	in, err := httpkit.Decode[invitationToken](r)
	if err != nil {
		return err
	}
	n, err := h.Desk.Invitation(r.Context(), in.Token)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return httpkit.WriteJSON(w, http.StatusOK, map[string]any{"email": n.Email, "role": n.Role, "invited_by": n.Actor, "expires_at": n.ExpiresAt})
}

type acceptance struct {
	Token    hub.Secret `json:"token" validate:"required,max=200"`
	Password hub.Secret `json:"password" validate:"required,max=1024"`
	profile
}

// acceptInvitation makes the user of an invitation, with a password, and signs
// the user in.
func (h *handler) acceptInvitation(w http.ResponseWriter, r *http.Request) error {
	if err := h.Browser.SameSite(r); err != nil {
		return err
	}
	in, err := httpkit.Decode[acceptance](r)
	if err != nil {
		return err
	}
	n, err := h.Desk.Invitation(r.Context(), in.Token)
	if err != nil {
		return err
	}
	u := store.User{Email: n.Email}
	if err := in.apply(&u); err != nil {
		return err
	}
	if u.PasswordHash, err = h.SignIn.Hash(r.Context(), n.Email, in.Password); err != nil {
		return err
	}
	if u, err = h.Desk.Accept(r.Context(), n, u, nil); err != nil {
		return err
	}
	return h.welcome(w, r, h.visitor(r), u, "invitation", http.StatusCreated)
}
