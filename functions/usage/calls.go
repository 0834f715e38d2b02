package usage

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/oklog/ulid/v2"

	"github.com/aigne-hub/aigne-hub/shared/calls"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// callPage is a page of calls. One that is short, even empty, is the last only if
// next_cursor is null: so many calls and no more are looked at for a page.
type callPage struct {
	Data       []callView `json:"data"`
	NextCursor *string    `json:"next_cursor"` // for ?before=; null at the end
}

// walks is how often the log is looked through for one page, in steps of
// store.DefaultWalk calls.
const walks = 3

func (h *handler) log() *calls.Log { return &calls.Log{Store: h.Store, Archives: h.Archives} }

// listCalls lists calls, newest first: by cursor (?before=), or by ?page= in AIGNE
// Hub's form.
func (h *handler) listCalls(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	paging, err := httpkit.ParsePaging(r)
	if err != nil {
		return err
	}
	filter, err := h.filterOf(r, c)
	if err != nil {
		return err
	}
	if r.URL.Query().Has("page") {
		return h.numberedPage(w, r, filter, paging)
	}
	if err := cursor(r, &filter); err != nil {
		return err
	}
	found, next, err := h.page(r.Context(), filter, paging.Size)
	if err != nil {
		return err
	}
	page := callPage{Data: make([]callView, len(found)), NextCursor: next}
	for i := range found {
		page.Data[i] = viewCall(&found[i], c)
	}
	return httpkit.WriteJSON(w, http.StatusOK, page)
}

// cursor reads ?before=, of which ?cursor= is another name.
func cursor(r *http.Request, f *store.CallFilter) error {
	for _, name := range []string{"before", "cursor"} {
		v := r.URL.Query().Get(name)
		if v == "" {
			continue
		}
		if _, err := ulid.ParseStrict(v); err != nil || v != strings.ToUpper(v) {
			return hub.Invalid(name, "%s must be the id of a call.", name)
		}
		f.Before = v
	}
	return nil
}

// page reads up to size calls and the cursor behind them, nil at the end.
func (h *handler) page(ctx context.Context, f store.CallFilter, size int) (found []store.Call, next *string, err error) {
	for i := range walks {
		f.Limit = size + 1 - len(found) // one more tells whether there is a next page
		p, err := h.log().Page(ctx, f)
		if err != nil {
			return nil, nil, err
		}
		found = append(found, p.Calls...)
		switch {
		case len(found) > size:
			found = found[:size]
			return found, &found[size-1].ID, nil
		case p.Floor == "":
			return found, nil, nil
		case i == walks-1:
			return found, &p.Floor, nil
		}
		f.Before = p.Floor
	}
	return found, nil, nil
}

// getCall shows one call: the tries, the plan it was admitted with, and how it
// came to what it was charged.
func (h *handler) getCall(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	call, home, err := h.findCall(r, c)
	if err != nil {
		return err
	}
	x := calls.Explainer{Store: h.Store, Home: home, CreditPrice: h.CreditPrice}
	e, err := x.Of(r.Context(), call, c.All)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, viewDetail(e, c))
}

// findCall finds the call in a path. Somebody else's looks as if it were not there.
func (h *handler) findCall(r *http.Request, c hub.Caller) (store.Call, *store.Store, error) {
	call, home, err := h.log().Find(r.Context(), r.PathValue("id"))
	if errors.Is(err, store.ErrNotFound) || (err == nil && call.UserID != c.UserID && !c.All) {
		return store.Call{}, nil, hub.Errorf(hub.CodeNotFound, "There is no call with this id.")
	}
	return call, home, err
}
