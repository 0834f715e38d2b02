package admin

import (
	"net/http"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// listKeys lists one user's keys (?user=<e-mail>) or everybody's, revoked ones
// included: ?cursor=, ?pageSize=.
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
		if rows, err = h.Store.Keys(r.Context(), u.ID, after, size+1); err != nil {
			return err
		}
	} else if rows, err = h.Store.AllKeys(r.Context(), after, size+1); err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, httpkit.Listed(rows, size, func(k store.APIKey) string { return k.ID }, h.viewKey))
}

func (h *handler) viewKey(k store.APIKey) operator.KeyView { return operator.ViewKey(&k, h.Now()) }

// getKey shows a key with its limits and its use: ?startTime=, ?endTime= (seconds;
// the last 30 days, at most 31).
func (h *handler) getKey(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	key, err := h.Desk.Key(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	span, err := operator.UseSpan(r.URL.Query().Get("startTime"), r.URL.Query().Get("endTime"), h.Now())
	if err != nil {
		return err
	}
	v, err := h.Desk.KeyDetail(r.Context(), &key, span)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, v)
}

type newKey struct {
	User      string     `json:"user" validate:"required,max=254"` // e-mail address
	Name      string     `json:"name" validate:"required,max=100"`
	ExpiresAt *time.Time `json:"expires_at"`

	RPM         *int64      `json:"rpm"`                       // requests a minute
	TPM         *int64      `json:"tpm"`                       // tokens a minute
	Concurrency *int64      `json:"concurrency"`               // calls at once
	BudgetDay   string      `json:"budget_day"`                // decimal credits
	BudgetWeek  string      `json:"budget_week"`               // decimal credits
	BudgetMonth string      `json:"budget_month"`              // decimal credits
	Models      []string    `json:"models" openapi:"null"`     // patterns; null: all
	IPs         []string    `json:"ips" openapi:"null"`        // addresses and networks; null: all
	Scopes      []hub.Scope `json:"scopes" openapi:"null"`     // null: whatever the user may do
	App         string      `json:"app" validate:"max=200"`    // makes a service key of that application
	Wallet      string      `json:"wallet" validate:"max=100"` // a shared wallet that pays; "": the user's own
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
		operator.KeyLimits{
			RPM: in.RPM, TPM: in.TPM, Concurrency: in.Concurrency, BudgetDay: in.BudgetDay, BudgetWeek: in.BudgetWeek, BudgetMonth: in.BudgetMonth,
			Models: in.Models, IPs: in.IPs, Scopes: in.Scopes, App: in.App, Wallet: in.Wallet})
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return httpkit.WriteJSON(w, http.StatusCreated, map[string]any{"id": row.ID, "user": u.Email, "name": row.Name, "key": key.Reveal()})
}

// powerful finds a key that the caller may change or get the secret of: not an
// owner's, unless the caller is one.
func (h *handler) powerful(r *http.Request, c hub.Caller) (store.APIKey, error) {
	key, err := h.Desk.Key(r.Context(), r.PathValue("id"))
	if err != nil {
		return key, err
	}
	u, err := h.Store.UserByID(r.Context(), key.UserID)
	if err != nil {
		return key, err
	}
	return key, mayEmpower(c, u.Role)
}

// changeKey alters a key; fields that are left out stay, null takes a restriction
// or a limit away.
func (h *handler) changeKey(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[operator.ChangedKey](r)
	if err != nil {
		return err
	}
	key, err := h.powerful(r, c)
	if err != nil {
		return err
	}
	if key, err = h.Desk.ChangeKey(r.Context(), c.Email, key.ID, in); err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, h.viewKey(key))
}

// rotateKey gives a key another secret, shown only here.
func (h *handler) rotateKey(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[operator.Rotation](r)
	if err != nil {
		return err
	}
	key, err := h.powerful(r, c)
	if err != nil {
		return err
	}
	rotated, err := h.Desk.Rotate(r.Context(), c.Email, key.ID, in)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return httpkit.WriteJSON(w, http.StatusOK, rotated)
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
