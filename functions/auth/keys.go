package auth

import (
	"errors"
	"net/http"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// keyView is a key without what could be used in its place.
type keyView struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Hint       string     `json:"hint"`
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  *time.Time `json:"expires_at"`
	RevokedAt  *time.Time `json:"revoked_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
	WalletID   string     `json:"wallet_id"` // the shared wallet that pays; "": the user's own
}

func viewKey(k store.APIKey) keyView {
	return keyView{ID: k.ID, Name: k.Name, Hint: k.Hint, CreatedAt: k.CreatedAt, ExpiresAt: k.ExpiresAt, RevokedAt: k.RevokedAt, LastUsedAt: k.LastUsedAt, WalletID: k.WalletID}
}

// listKeys lists the caller's own keys, revoked ones included, oldest first.
func (h *handler) listKeys(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	keys, err := h.Store.Keys(r.Context(), c.UserID)
	if err != nil {
		return err
	}
	data := make([]keyView, len(keys))
	for i, k := range keys {
		data[i] = viewKey(k)
	}
	return httpkit.WriteJSON(w, http.StatusOK, map[string]any{"data": data})
}

type newKey struct {
	Name      string     `json:"name" validate:"required,max=100"`
	ExpiresAt *time.Time `json:"expires_at"`
	Wallet    string     `json:"wallet" validate:"max=100"` // a shared wallet that pays; "": the caller's own
}

// createKey makes a key for the caller. The answer is the only place where the
// key can be read.
func (h *handler) createKey(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[newKey](r)
	if err != nil {
		return err
	}
	key, row, err := h.Desk.CreateLimitedKey(r.Context(), c.Email, c.Email, in.Name, in.ExpiresAt, operator.KeyLimits{Wallet: in.Wallet})
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return httpkit.WriteJSON(w, http.StatusCreated, map[string]any{"id": row.ID, "name": row.Name, "key": key.Reveal()})
}

// revokeKey ends one of the caller's keys; owners and admins may end any. A key that
// lacks the scope admin can only end itself, which whoever finds it should do.
// Somebody else's key and one that never was look the same.
func (h *handler) revokeKey(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	id := r.PathValue("id")
	key, err := h.Store.KeyByID(r.Context(), id)
	switch {
	case errors.Is(err, store.ErrNotFound) || (err == nil && key.UserID != c.UserID && !c.All):
		return hub.Errorf(hub.CodeNotFound, "There is no API key with this id among yours.")
	case err != nil:
		return err
	}
	if id != c.KeyID && !c.May(hub.ScopeAdmin) {
		return hub.Errorf(hub.CodeForbidden, "This API key may end no other: it lacks the scope %s.", hub.ScopeAdmin)
	}
	if err := h.Desk.RevokeKey(r.Context(), c.Email, id); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
