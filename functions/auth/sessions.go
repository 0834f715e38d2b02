package auth

import (
	"errors"
	"net/http"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// sessionView is a session without what could be used in its place.
type sessionView struct {
	ID        string    `json:"id"`
	Method    string    `json:"method"`
	Address   string    `json:"address"`
	Agent     string    `json:"agent"`
	CreatedAt time.Time `json:"created_at"`
	SeenAt    time.Time `json:"seen_at"` // some minutes behind
	ExpiresAt time.Time `json:"expires_at"`
	Current   bool      `json:"current"` // the one that asks
}

// listSessions lists the caller's own sessions, newest first. There are at most
// 50.
func (h *handler) listSessions(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	current, err := h.Sessions.Current(r)
	if err != nil {
		return err
	}
	rows, err := h.Store.Sessions(r.Context(), c.UserID)
	if err != nil {
		return err
	}
	data := make([]sessionView, 0, len(rows))
	for _, s := range rows {
		if !h.Sessions.Over(s) {
			data = append(data, sessionView{ID: s.ID, Method: s.Method, Address: s.Address, Agent: s.Agent, CreatedAt: s.CreatedAt, SeenAt: s.SeenAt,
				ExpiresAt: s.ExpiresAt, Current: s.ID == current.ID})
		}
	}
	return httpkit.WriteJSON(w, http.StatusOK, map[string]any{"data": data})
}

// endSession ends one of the caller's own sessions. Somebody else's and one that
// never was look the same.
func (h *handler) endSession(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	s, err := h.Store.SessionByID(r.Context(), r.PathValue("id"))
	if errors.Is(err, store.ErrNotFound) || (err == nil && s.UserID != c.UserID) {
		return hub.Errorf(hub.CodeNotFound, "There is no session with this id among yours.")
	}
	if err != nil {
		return err
	}
	if err := h.Desk.EndSession(r.Context(), c.Email, s.ID); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// endOtherSessions ends all of the caller's sessions but the one that asks.
func (h *handler) endOtherSessions(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	current, err := h.Sessions.Current(r)
	if err != nil {
		return err
	}
	if err := h.Desk.EndSessions(r.Context(), c.Email, c.Email, current.ID); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
