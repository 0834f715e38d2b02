package admin

import (
	"net/http"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// appView is an application. What it says of itself is a stranger's text.
type appView struct {
	ID          string     `json:"id"`
	Name        string     `json:"name"` // "": not known
	Logo        string     `json:"logo"`
	URL         string     `json:"url"`
	Source      string     `json:"source"`     // seen, fetched or operator
	PublicKey   string     `json:"public_key"` // of a registered remote application
	FirstSeenAt *time.Time `json:"first_seen_at"`
	FetchedAt   *time.Time `json:"fetched_at"`
	FetchError  string     `json:"fetch_error"`
	CreatedAt   time.Time  `json:"created_at"`

	Use  *operator.UseView  `json:"use,omitempty"`
	Keys []operator.KeyView `json:"keys,omitempty"` // its service keys
}

func viewApp(a *store.App) appView {
	return appView{ID: a.ID, Name: a.Name, Logo: a.Logo, URL: a.URL, Source: a.Source, PublicKey: a.PublicKey, FirstSeenAt: a.FirstSeenAt,
		FetchedAt: a.FetchedAt, FetchError: a.FetchError, CreatedAt: a.CreatedAt}
}

// listApps lists applications by id with what was used through them: ?cursor=,
// ?pageSize=, ?startTime=, ?endTime= (seconds; the last 30 days, at most 31).
func (h *handler) listApps(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	after, size, err := httpkit.CursorPage(r)
	if err != nil {
		return err
	}
	span, err := operator.UseSpan(r.URL.Query().Get("startTime"), r.URL.Query().Get("endTime"), h.Now())
	if err != nil {
		return err
	}
	rows, err := h.Store.Apps(r.Context(), after, size+1)
	if err != nil {
		return err
	}
	use, err := h.Desk.AppUse(r.Context(), rows[:min(size, len(rows))], span)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, httpkit.Listed(rows, size, func(a store.App) string { return a.ID }, func(a store.App) appView {
		v, u := viewApp(&a), use[a.ID]
		v.Use = &u
		return v
	}))
}

// getApp shows one application with its use and its service keys.
func (h *handler) getApp(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	a, err := h.Desk.App(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	span, err := operator.UseSpan(r.URL.Query().Get("startTime"), r.URL.Query().Get("endTime"), h.Now())
	if err != nil {
		return err
	}
	use, err := h.Desk.AppUse(r.Context(), []store.App{a}, span)
	if err != nil {
		return err
	}
	keys, err := h.Store.KeysOfApp(r.Context(), a.ID)
	if err != nil {
		return err
	}
	v, u := viewApp(&a), use[a.ID]
	v.Use = &u
	for _, k := range keys {
		v.Keys = append(v.Keys, h.viewKey(k))
	}
	return httpkit.WriteJSON(w, http.StatusOK, v)
}

// setApp says what an application is called, or makes it known.
func (h *handler) setApp(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[operator.ChangedApp](r)
	if err != nil {
		return err
	}
	a, err := h.Desk.SetApp(r.Context(), c.Email, r.PathValue("id"), in)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, viewApp(&a))
}
