package auth

import (
	"fmt"
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// firstKey is the name of the API key that the set-up makes.
const firstKey = "first"

type setUpRequest struct {
	Token    hub.Secret `json:"token" validate:"required,max=200"`
	Email    string     `json:"email" validate:"required,max=254"`
	Password hub.Secret `json:"password" validate:"required"`
}

// setUp makes the first owner for whoever holds the set-up token, with a first
// API key, which is shown only here.
func (h *handler) setUp(w http.ResponseWriter, r *http.Request) error {
	in, err := httpkit.Decode[setUpRequest](r)
	if err != nil {
		return err
	}
	client := httpkit.ClientIP(r, h.TrustedProxies)
	// The try is counted before the token is looked at, so that many at once do
	// not slip through, and given back unless the token was wrong.
	if wait := h.setUps.take(client); wait > 0 {
		e := hub.Errorf(hub.CodeRateLimited, "Too many set-up tokens were tried from this address; wait a minute.")
		e.RetryAfter = wait
		return e
	}
	user, err := h.Users.SetUp(r.Context(), in.Token, in.Email, in.Password)
	if hub.CodeOf(err) != hub.CodeForbidden {
		h.setUps.giveBack(client)
	}
	if err != nil {
		return err
	}
	if _, err := h.Desk.Book.Welcome(r.Context(), user.ID, user.AccountID); err != nil {
		return fmt.Errorf("welcome: %w", err)
	}
	if err := h.Store.Audit(r.Context(), user.Email, "hub.set-up", user.Email, "", `{"role":"owner"}`); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	key, _, err := h.Desk.CreateKey(r.Context(), user.Email, user.Email, firstKey, nil)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return httpkit.WriteJSON(w, http.StatusCreated, map[string]any{"user": viewUser(user), "api_key": key.Reveal()})
}
