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

// keyPage is a page of keys.
type keyPage struct {
	Data       []operator.KeyView `json:"data"`
	NextCursor *string            `json:"next_cursor"` // null at the end
}

// listKeys lists the caller's own keys, revoked ones included, oldest first:
// ?cursor=, ?pageSize=.
func (h *handler) listKeys(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	p, err := httpkit.ParsePaging(r)
	if err != nil {
		return err
	}
	if p.Page > 1 {
		return hub.Invalid("page", "This list has no pages; go on with cursor=<next_cursor>.")
	}
	after := []string{""}
	if p.Cursor != "" {
		if after, err = httpkit.DecodeCursor(p.Cursor, 1); err != nil {
			return err
		}
	}
	keys, err := h.Store.Keys(r.Context(), c.UserID, after[0], p.Size+1)
	if err != nil {
		return err
	}
	var page keyPage
	if len(keys) > p.Size {
		keys = keys[:p.Size]
		page.NextCursor = new(httpkit.EncodeCursor(keys[p.Size-1].ID))
	}
	page.Data = make([]operator.KeyView, len(keys))
	for i := range keys {
		page.Data[i] = operator.ViewKey(&keys[i], h.Now())
	}
	return httpkit.WriteJSON(w, http.StatusOK, page)
}

// getKey shows one of the caller's keys with its limits and its use:
// ?startTime=, ?endTime= (seconds; the last 30 days, at most 31).
func (h *handler) getKey(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	key, err := h.ownKey(r, c)
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
	v.Use = v.Use.WithoutCost() // operators ask /api/admin/keys/{id}
	return httpkit.WriteJSON(w, http.StatusOK, v)
}

// errOthers answers for somebody else's key and one that never was alike.
var errOthers = hub.Errorf(hub.CodeNotFound, "There is no API key with this id among yours.")

func (h *handler) ownKey(r *http.Request, c hub.Caller) (store.APIKey, error) {
	key, err := h.Store.KeyByID(r.Context(), r.PathValue("id"))
	if errors.Is(err, store.ErrNotFound) || (err == nil && key.UserID != c.UserID) {
		return key, errOthers
	}
	return key, err
}

type newKey struct {
	Name        string      `json:"name" validate:"required,max=100"`
	ExpiresAt   *time.Time  `json:"expires_at"`
	Wallet      string      `json:"wallet" validate:"max=100"` // a shared wallet that pays; "": the caller's own
	Models      []string    `json:"models" openapi:"null"`     // patterns; null: all
	IPs         []string    `json:"ips" openapi:"null"`        // addresses and networks; null: all
	Scopes      []hub.Scope `json:"scopes" openapi:"null"`     // null: whatever the caller may do
	RPM         *int64      `json:"rpm"`                       // requests a minute
	TPM         *int64      `json:"tpm"`                       // tokens a minute
	Concurrency *int64      `json:"concurrency"`               // calls at once
	BudgetDay   string      `json:"budget_day"`                // decimal credits
	BudgetWeek  string      `json:"budget_week"`
	BudgetMonth string      `json:"budget_month"`
	App         string      `json:"app" validate:"max=200"` // makes a service key of an application that the caller registered
}

// createKey makes a key for the caller. The answer is the only place where the
// key can be read.
func (h *handler) createKey(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[newKey](r)
	if err != nil {
		return err
	}
	if err := h.Desk.MayManageKeys(r.Context(), c); err != nil {
		return err
	}
	if in.App != "" {
		if _, err := h.Desk.OwnApp(r.Context(), c.UserID, in.App); hub.CodeOf(err) == hub.CodeNotFound {
			return hub.Invalid("app", "There is no application with this id among those that you registered.")
		} else if err != nil {
			return err
		}
	}
	key, row, err := h.Desk.CreateLimitedKey(r.Context(), c.Email, c.Email, in.Name, in.ExpiresAt, operator.KeyLimits{
		Wallet: in.Wallet, Models: in.Models, IPs: in.IPs, Scopes: in.Scopes, RPM: in.RPM, TPM: in.TPM, Concurrency: in.Concurrency,
		BudgetDay: in.BudgetDay, BudgetWeek: in.BudgetWeek, BudgetMonth: in.BudgetMonth, App: in.App})
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return httpkit.WriteJSON(w, http.StatusCreated, map[string]any{"id": row.ID, "name": row.Name, "key": key.Reveal()})
}

// changeKey alters one of the caller's keys; fields that are left out stay, null
// takes a restriction or a limit away.
func (h *handler) changeKey(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[operator.ChangedKey](r)
	if err != nil {
		return err
	}
	key, err := h.managed(r, c)
	if err != nil {
		return err
	}
	if key, err = h.Desk.ChangeKey(r.Context(), c.Email, key.ID, in); err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, operator.ViewKey(&key, h.Now()))
}

// managed is one of the caller's keys that it may change with what it came with.
func (h *handler) managed(r *http.Request, c hub.Caller) (store.APIKey, error) {
	key, err := h.ownKey(r, c)
	if err == nil {
		err = h.Desk.MayManageKeys(r.Context(), c)
	}
	return key, err
}

// rotateKey gives one of the caller's keys another secret, shown only here.
func (h *handler) rotateKey(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[operator.Rotation](r)
	if err != nil {
		return err
	}
	key, err := h.managed(r, c)
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

// revokeKey ends one of the caller's keys; owners and admins may end any. With a
// key that is restricted only that key itself can be ended.
func (h *handler) revokeKey(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	id := r.PathValue("id")
	key, err := h.Store.KeyByID(r.Context(), id)
	switch {
	case errors.Is(err, store.ErrNotFound) || (err == nil && key.UserID != c.UserID && !c.All):
		return errOthers
	case err != nil:
		return err
	}
	if id != c.KeyID {
		if err := h.Desk.MayManageKeys(r.Context(), c); err != nil {
			return err
		}
	}
	if err := h.Desk.RevokeKey(r.Context(), c.Email, id); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
