package usage

import (
	"errors"
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// getPayload shows what was kept of the bodies of a call: to operators, which is
// put on record, and to its user where the rule says so.
func (h *handler) getPayload(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	w.Header().Set("Cache-Control", "no-store")
	id := r.PathValue("id")
	if c.All {
		p, err := h.Desk.Payload(r.Context(), c.Email, id)
		if err != nil {
			return err
		}
		return httpkit.WriteJSON(w, http.StatusOK, p)
	}
	row, err := h.ownPayload(r, c)
	if err != nil {
		return err
	}
	p, err := h.Desk.OpenPayload(r.Context(), row)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, p)
}

// ownPayload finds what the caller may see of a call.
func (h *handler) ownPayload(r *http.Request, c hub.Caller) (store.Payload, error) {
	row, err := h.Store.Payload(r.Context(), r.PathValue("id"))
	if errors.Is(err, store.ErrNotFound) || err == nil && (row.UserID != c.UserID || !row.UsersSee) {
		return row, operator.NothingKept()
	}
	return row, err
}

// forgetPayload deletes it before its time.
func (h *handler) forgetPayload(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	if !c.All {
		if _, err := h.ownPayload(r, c); err != nil {
			return err
		}
	}
	if err := h.Desk.ForgetPayload(r.Context(), c.Email, r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
