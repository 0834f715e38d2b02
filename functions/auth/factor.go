package auth

import (
	"errors"
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

type factorRequest struct {
	Password hub.Secret `json:"password" validate:"max=1024"` // "" where the user has none
}

// confirmed is the caller's user, whose password was typed again.
func (h *handler) confirmed(r *http.Request, c hub.Caller) (store.User, error) {
	in, err := httpkit.Decode[factorRequest](r)
	if err != nil {
		return store.User{}, err
	}
	u, err := h.Store.UserByID(r.Context(), c.UserID)
	if err != nil {
		return u, err
	}
	return u, h.SignIn.Confirm(r.Context(), u, in.Password)
}

// beginFactor makes a second factor that is not asked for until it is confirmed.
func (h *handler) beginFactor(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	u, err := h.confirmed(r, c)
	if err != nil {
		return err
	}
	if u.PasswordHash == "" {
		return hub.Errorf(hub.CodeConflict, "You sign in without a password here; the second factor is that of your provider.")
	}
	e, err := h.SignIn.Enrol(r.Context(), u)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return httpkit.WriteJSON(w, http.StatusOK, map[string]string{"secret": e.Secret.Reveal(), "uri": e.URI.Reveal()})
}

type factorCode struct {
	Code hub.Secret `json:"code" validate:"required,max=100"`
}

// confirmFactor puts the second factor into force. The answer is the only place
// where the recovery codes can be read.
func (h *handler) confirmFactor(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[factorCode](r)
	if err != nil {
		return err
	}
	u, err := h.Store.UserByID(r.Context(), c.UserID)
	if err != nil {
		return err
	}
	codes, err := h.SignIn.ConfirmEnrolment(r.Context(), u, in.Code)
	if err != nil {
		return err
	}
	if err := h.SignIn.Record(r.Context(), c.Email, "second-factor.add", u.Email, h.visitor(r), nil); err != nil {
		return err
	}
	shown := make([]string, len(codes))
	for i, code := range codes {
		shown[i] = code.Reveal()
	}
	w.Header().Set("Cache-Control", "no-store")
	return httpkit.WriteJSON(w, http.StatusOK, map[string]any{"recovery_codes": shown})
}

// showFactor says whether the caller has a second factor.
func (h *handler) showFactor(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	t, err := h.Store.UserTOTP(r.Context(), c.UserID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	left, err := h.Store.RecoveryLeft(r.Context(), c.UserID)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, map[string]any{"active": t.ConfirmedAt != nil, "since": t.ConfirmedAt, "recovery_codes_left": left})
}

// removeFactor takes the caller's second factor away.
func (h *handler) removeFactor(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	if _, err := h.confirmed(r, c); err != nil {
		return err
	}
	if err := h.Desk.RemoveSecondFactor(r.Context(), c.Email, c.Email); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
