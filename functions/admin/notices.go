package admin

import (
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
)

// lowChoice is the balance below which users are told who did not choose
// another; "0": nobody.
type lowChoice struct {
	LowBalance money.Credits `json:"low_balance"`
}

func (h *handler) lowBalance(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	n, err := h.Desk.Store.LowBalance(r.Context())
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, lowChoice{n})
}

func (h *handler) setLowBalance(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[lowChoice](r)
	if err != nil {
		return err
	}
	if err := h.Desk.SetLowBalance(r.Context(), c.Email, in.LowBalance); err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, in)
}

// resendNotification tries the deliveries of a notification again that were given up.
func (h *handler) resendNotification(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	if err := h.Desk.Redeliver(r.Context(), c.Email, r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
