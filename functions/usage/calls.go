package usage

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/oklog/ulid/v2"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

type callPage struct {
	Data       []callView `json:"data"`
	NextCursor *string    `json:"next_cursor"` // for ?before=; null at the end
}

// listCalls lists calls, newest first: ?before=<call id>, ?pageSize= (20, at
// most 100), ?scope=own|all.
func (h *handler) listCalls(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	filter, err := parseFilter(r, c)
	if err != nil {
		return err
	}
	size := filter.Limit
	filter.Limit++ // one more tells whether there is a next page
	calls, err := h.Store.Calls(r.Context(), filter)
	if err != nil {
		return err
	}
	page := callPage{}
	if len(calls) > size {
		calls = calls[:size]
		page.NextCursor = &calls[size-1].ID
	}
	page.Data = make([]callView, len(calls))
	for i := range calls {
		page.Data[i] = viewCall(&calls[i], c)
	}
	return httpkit.WriteJSON(w, http.StatusOK, page)
}

func parseFilter(r *http.Request, c hub.Caller) (store.CallFilter, error) {
	var f store.CallFilter
	paging, err := httpkit.ParsePaging(r)
	if err != nil {
		return f, err
	}
	q := r.URL.Query()
	for _, name := range []string{"page", "cursor"} {
		if q.Has(name) {
			return f, hub.Invalid(name, "This list has no %s; go on with before=<next_cursor>.", name)
		}
	}
	f.Limit, f.Before = paging.Size, q.Get("before")
	if f.Before != "" {
		if _, err := ulid.ParseStrict(f.Before); err != nil {
			return f, hub.Invalid("before", "before must be the id of a call.")
		}
	}
	switch q.Get("scope") {
	case "", "own":
		f.UserID = c.UserID
	case "all":
		if !c.Role.Administers() {
			return f, hub.Errorf(hub.CodeForbidden, "Only owners and admins may see everybody's calls.")
		}
	default:
		return f, hub.Invalid("scope", "scope must be own or all.")
	}
	return f, nil
}

// getCall shows one call with the tries that failed before it and the plan it
// was admitted with.
func (h *handler) getCall(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	call, err := h.Store.CallByID(r.Context(), r.PathValue("id"))
	switch {
	case errors.Is(err, store.ErrNotFound) || (err == nil && call.UserID != c.UserID && !c.Role.Administers()):
		return hub.Errorf(hub.CodeNotFound, "There is no call with this id.")
	case err != nil:
		return err
	}
	attempts, err := h.Store.CallAttempts(r.Context(), call.ID)
	if err != nil {
		return err
	}
	var plan routing.Record
	if err := json.Unmarshal(call.Plan, &plan); err != nil {
		return fmt.Errorf("plan of call %s: %w", call.ID, err)
	}
	return httpkit.WriteJSON(w, http.StatusOK, viewDetail(&call, attempts, plan, c))
}
