package admin

import (
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
	UserID     string     `json:"user_id"`
	Name       string     `json:"name"`
	Hint       string     `json:"hint"` // the key's last characters
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  *time.Time `json:"expires_at"`
	RevokedAt  *time.Time `json:"revoked_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
}

func viewKey(k store.APIKey) keyView {
	return keyView{ID: k.ID, UserID: k.UserID, Name: k.Name, Hint: k.Hint, CreatedAt: k.CreatedAt,
		ExpiresAt: k.ExpiresAt, RevokedAt: k.RevokedAt, LastUsedAt: k.LastUsedAt}
}

// listKeys lists one user's keys (?user=<e-mail>, all at once) or everybody's
// (?cursor=, ?pageSize=), revoked ones included.
func (h *handler) listKeys(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	after, size, err := httpkit.CursorPage(r)
	if err != nil {
		return err
	}
	var rows []store.APIKey
	if email := r.URL.Query().Get("user"); email != "" {
		u, err := h.Desk.User(r.Context(), email)
		if err != nil {
			return err
		}
		if rows, err = h.Store.Keys(r.Context(), u.ID); err != nil {
			return err
		}
		size = len(rows)
	} else if rows, err = h.Store.AllKeys(r.Context(), after, size+1); err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, httpkit.Listed(rows, size, func(k store.APIKey) string { return k.ID }, viewKey))
}

type newKey struct {
	User      string     `json:"user" validate:"required,max=254"` // e-mail address
	Name      string     `json:"name" validate:"required,max=100"`
	ExpiresAt *time.Time `json:"expires_at"`

	RPM         *int64 `json:"rpm"`                       // requests a minute
	TPM         *int64 `json:"tpm"`                       // tokens a minute
	Concurrency *int64 `json:"concurrency"`               // calls at once
	BudgetMonth string `json:"budget_month"`              // decimal credits
	Wallet      string `json:"wallet" validate:"max=100"` // a shared wallet that pays; "": the user's own
}

// createKey makes a key for a user. The answer is the only place where the key
// can be read.
func (h *handler) createKey(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[newKey](r)
	if err != nil {
		return err
	}
	u, err := h.Desk.User(r.Context(), in.User)
	if err != nil {
		return err
	}
	if err := mayEmpower(c, u.Role); err != nil {
		return err
	}
	key, row, err := h.Desk.CreateLimitedKey(r.Context(), c.Email, u.Email, in.Name, in.ExpiresAt,
		operator.KeyLimits{RPM: in.RPM, TPM: in.TPM, Concurrency: in.Concurrency, BudgetMonth: in.BudgetMonth, Wallet: in.Wallet})
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return httpkit.WriteJSON(w, http.StatusCreated, map[string]any{"id": row.ID, "user": u.Email, "name": row.Name, "key": key.Reveal()})
}

// revokeKey ends a key; an owner's too, since a leaked one must be ended by
// whoever notices.
func (h *handler) revokeKey(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	if err := h.Desk.RevokeKey(r.Context(), c.Email, r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
