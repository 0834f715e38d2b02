package admin

import (
	"net/http"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// ownCallView is a call that the hub made by itself.
type ownCallView struct {
	ID         string    `json:"id"`
	Provider   string    `json:"provider"`
	Model      string    `json:"model"`
	Credential string    `json:"credential"`
	OK         bool      `json:"ok"`
	TTFB       int64     `json:"ttfb_ms"`
	HTTPStatus int       `json:"http_status"`
	Code       string    `json:"code,omitempty"`
	Error      string    `json:"error,omitempty"`
	Cost       *string   `json:"cost_usd"` // null: unknown
	At         time.Time `json:"at"`
}

// listProbes lists the hub's own calls, newest first.
func (h *handler) listProbes(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	before, size, err := httpkit.CursorPage(r)
	if err != nil {
		return err
	}
	rows, err := h.Store.Probes(r.Context(), before, size+1)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, httpkit.Listed(rows, size, func(p store.Probe) string { return p.ID }, func(p store.Probe) ownCallView {
		v := ownCallView{ID: p.ID, Provider: p.Provider, Model: p.Model, Credential: p.Credential, OK: p.OK, TTFB: p.TTFB.Milliseconds(),
			HTTPStatus: p.HTTPStatus, Code: p.Category, Error: p.Error, At: p.At}
		if p.Cost != nil {
			v.Cost = new(p.Cost.String())
		}
		return v
	}))
}
