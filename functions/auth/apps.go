package auth

import (
	"net/http"
	"slices"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// appView is an application that the caller has to do with. What others said of it
// is a stranger's text.
type appView struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"` // "": not known
	Logo      string     `json:"logo"`
	URL       string     `json:"url"`
	Source    string     `json:"source"`     // seen: calls named it; fetched: its own page told; operator: it was told here
	Own       bool       `json:"own"`        // the caller registered it
	Remote    bool       `json:"remote"`     // it may sign its calls with a key that an operator registered
	CreatedAt *time.Time `json:"created_at"` // null: calls name it, and more is not known yet

	Use  operator.UseView   `json:"use"`
	Keys []operator.KeyView `json:"keys,omitempty"` // its service keys that the caller answers for; of one application
}

func viewApp(id string, a *store.App, userID string, use operator.UseView) appView {
	v := appView{ID: id, Source: store.AppSeen, Use: use}
	if a == nil {
		return v
	}
	v.Own, v.Remote, v.Source, v.CreatedAt = a.OwnerID == userID, a.PublicKey != "", a.Source, &a.CreatedAt
	if a.OwnerID == "" || v.Own { // what strangers call theirs is not for everybody to read
		v.Name, v.Logo, v.URL = a.Name, a.Logo, a.URL
	}
	return v
}

func appSpan(r *http.Request, now time.Time) (store.Span, error) {
	return operator.UseSpan(r.URL.Query().Get("startTime"), r.URL.Query().Get("endTime"), now)
}

// listApps lists the applications that the caller registered, has service keys of,
// or whose names its calls gave in the span, by id: ?cursor=, ?pageSize=,
// ?startTime=, ?endTime= (seconds; the last 30 days, at most 31).
func (h *handler) listApps(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	after, size, err := httpkit.CursorPage(r)
	if err != nil {
		return err
	}
	span, err := appSpan(r, h.Now())
	if err != nil {
		return err
	}
	all, err := h.Desk.AppsOf(r.Context(), c.UserID, span)
	if err != nil {
		return err
	}
	from, found := slices.BinarySearch(all.IDs, after)
	if found {
		from++
	}
	ids := all.IDs[from:min(from+size+1, len(all.IDs))]
	known, err := h.Store.AppsByID(r.Context(), ids)
	if err != nil {
		return err
	}
	byID := make(map[string]*store.App, len(known))
	for i := range known {
		byID[known[i].ID] = &known[i]
	}
	return httpkit.WriteJSON(w, http.StatusOK, httpkit.Listed(ids, size, func(id string) string { return id }, func(id string) appView {
		return viewApp(id, byID[id], c.UserID, all.Use(id))
	}))
}

// getApp shows one of them with its service keys that the caller answers for.
func (h *handler) getApp(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	span, err := appSpan(r, h.Now())
	if err != nil {
		return err
	}
	return h.showApp(w, r, c, http.StatusOK, r.PathValue("id"), span)
}

func (h *handler) showApp(w http.ResponseWriter, r *http.Request, c hub.Caller, status int, id string, span store.Span) error {
	all, err := h.Desk.AppsOf(r.Context(), c.UserID, span)
	if err != nil {
		return err
	}
	if _, ok := slices.BinarySearch(all.IDs, id); !ok {
		return hub.Errorf(hub.CodeNotFound, "There is no application with this id among yours.")
	}
	known, err := h.Store.AppsByID(r.Context(), []string{id})
	if err != nil {
		return err
	}
	var a *store.App
	if len(known) > 0 {
		a = &known[0]
	}
	v := viewApp(id, a, c.UserID, all.Use(id))
	keys, err := h.Store.OwnKeysOfApp(r.Context(), id, c.UserID)
	if err != nil {
		return err
	}
	for i := range keys {
		v.Keys = append(v.Keys, operator.ViewKey(&keys[i], h.Now()))
	}
	return httpkit.WriteJSON(w, status, v)
}

// registerApp makes an application of the caller's known.
func (h *handler) registerApp(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[operator.AboutApp](r)
	if err != nil {
		return err
	}
	a, err := h.Desk.RegisterApp(r.Context(), c.Email, c.UserID, in)
	if err != nil {
		return err
	}
	return h.showApp(w, r, c, http.StatusCreated, a.ID, recent(h.Now()))
}

func recent(now time.Time) store.Span {
	return store.Span{From: now.Add(-operator.MostUse), Until: now}
}

// changeApp changes what the caller says of an application of its own.
func (h *handler) changeApp(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[operator.AboutApp](r)
	if err != nil {
		return err
	}
	a, err := h.Desk.ChangeOwnApp(r.Context(), c.Email, c.UserID, r.PathValue("id"), in)
	if err != nil {
		return err
	}
	return h.showApp(w, r, c, http.StatusOK, a.ID, recent(h.Now()))
}

// removeApp ends an application of the caller's own and its service keys. With a
// key that is restricted that is as little allowed as making keys.
func (h *handler) removeApp(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	id := r.PathValue("id")
	if _, err := h.Desk.OwnApp(r.Context(), c.UserID, id); err != nil {
		return err
	}
	if err := h.Desk.MayManageKeys(r.Context(), c); err != nil {
		return err
	}
	if err := h.Desk.RemoveOwnApp(r.Context(), c.Email, c.UserID, id); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
