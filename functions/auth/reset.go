package auth

import (
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

type forgotten struct {
	Email string `json:"email" validate:"required,max=254"`
}

// forgot has a link for a new password mailed to whoever has the e-mail address.
// Its answer says nothing about whether anybody has.
func (h *handler) forgot(w http.ResponseWriter, r *http.Request) error {
	in, err := httpkit.Decode[forgotten](r)
	if err != nil {
		return err
	}
	if !h.Desk.Mails() {
		return hub.Errorf(hub.CodeUnavailable, "This hub sends no e-mail. Ask an administrator for a link to set a new password.")
	}
	if err := h.SignIn.AskReset(r.Context(), h.visitor(r), in.Email); err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusAccepted, map[string]string{
		"message": "If there is an account with this address, a link to set a new password is on its way to it. It works for an hour.",
	})
}

type reset struct {
	Token    hub.Secret `json:"token" validate:"required,max=200"`
	Password hub.Secret `json:"password" validate:"required,max=1024"`
}

// resetPassword sets a new password by the token of a link and ends the user's
// sessions. It signs nobody in: a second factor is still asked for.
func (h *handler) resetPassword(w http.ResponseWriter, r *http.Request) error {
	in, err := httpkit.Decode[reset](r)
	if err != nil {
		return err
	}
	u, err := h.Desk.ResetUser(r.Context(), in.Token)
	if err != nil {
		return err
	}
	hash, err := h.SignIn.Hash(r.Context(), u.Email, in.Password)
	if err != nil {
		return err
	}
	if err := h.Desk.UseReset(r.Context(), u, in.Token, hash); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
