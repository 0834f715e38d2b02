package usage

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/aigne-hub/aigne-hub/shared/calls"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

type callPage struct {
	Data       []callView `json:"data"`
	NextCursor *string    `json:"next_cursor"` // for ?before=; null at the end
}

// listCalls lists calls, newest first: ?before=<call id>, ?pageSize= (20, at
// most 100), ?scope=own|all, ?startTime= and ?endTime= (seconds).
func (h *handler) listCalls(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	filter, err := parseFilter(r, c)
	if err != nil {
		return err
	}
	size := filter.Limit
	filter.Limit++ // one more tells whether there is a next page
	found, err := h.Store.Calls(r.Context(), filter)
	if err != nil {
		return err
	}
	page := callPage{}
	if len(found) > size {
		found = found[:size]
		page.NextCursor = &found[size-1].ID
	}
	page.Data = make([]callView, len(found))
	for i := range found {
		page.Data[i] = viewCall(&found[i], c)
	}
	return httpkit.WriteJSON(w, http.StatusOK, page)
}

// latest bounds times in queries, in seconds since 1970.
const latest = 1 << 36

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
	for _, side := range []struct {
		name string
		into *time.Time
	}{{"startTime", &f.Span.From}, {"endTime", &f.Span.Until}} {
		if text := q.Get(side.name); text != "" {
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil || n < 0 || n > latest {
				return f, hub.Invalid(side.name, "%s must be seconds since 1970.", side.name)
			}
			*side.into = time.Unix(n, 0)
		}
	}
	switch q.Get("scope") {
	case "", "own":
		f.UserID = c.UserID
	case "all":
		if !c.All {
			return f, hub.Errorf(hub.CodeForbidden, "Only owners and admins may see everybody's calls.")
		}
	default:
		return f, hub.Invalid("scope", "scope must be own or all.")
	}
	return f, nil
}

// getCall shows one call: the tries, the plan it was admitted with, and how it
// came to what it was charged.
func (h *handler) getCall(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	call, err := h.Store.CallByID(r.Context(), r.PathValue("id"))
	switch {
	case errors.Is(err, store.ErrNotFound) || (err == nil && call.UserID != c.UserID && !c.All):
		return hub.Errorf(hub.CodeNotFound, "There is no call with this id.")
	case err != nil:
		return err
	}
	x := calls.Explainer{Store: h.Store, CreditPrice: h.CreditPrice}
	e, err := x.Of(r.Context(), call, c.All)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, viewDetail(e, c))
}
