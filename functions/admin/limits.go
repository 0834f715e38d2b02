package admin

import (
	"net/http"
	"strconv"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/limits"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// limitView is a limit. Amount is a number, or decimal credits.
type limitView struct {
	ID      string `json:"id"`
	Scope   string `json:"scope"`
	Subject string `json:"subject"` // an id, a model, or * for each
	Metric  string `json:"metric"`
	Period  string `json:"period"`
	Amount  string `json:"amount"`
	Managed string `json:"managed,omitempty"` // file: only the file that was applied may change it
}

func viewLimit(l store.Limit) limitView {
	v := limitView{ID: l.ID, Scope: l.Scope, Subject: l.Subject, Metric: l.Metric, Period: l.Period, Amount: money.Credits(l.Amount).String(), Managed: l.Managed}
	if l.Metric != limits.Credits {
		v.Amount = strconv.FormatInt(l.Amount, 10)
	}
	return v
}

func (h *handler) listLimits(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	all, err := h.Store.Limits(r.Context())
	if err != nil {
		return err
	}
	out := make([]limitView, len(all))
	for i, l := range all {
		out[i] = viewLimit(l)
	}
	return httpkit.WriteJSON(w, http.StatusOK, map[string]any{"data": out})
}

func (h *handler) setLimit(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	n, err := httpkit.Decode[operator.NewLimit](r)
	if err != nil {
		return err
	}
	l, err := h.Desk.SetLimit(r.Context(), c.Email, n)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, viewLimit(l))
}

func (h *handler) removeLimit(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	if err := h.Desk.RemoveLimit(r.Context(), c.Email, r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
