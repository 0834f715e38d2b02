package billing

import (
	"errors"
	"net/http"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

const accounts = "/api/billing/accounts"

// accountRoutes: everybody's wallets, for those who keep the books.
func (h *handler) accountRoutes() []httpkit.Route {
	admin := func(pattern string, as httpkit.CallerHandler) httpkit.Route {
		return httpkit.Route{Method: "GET", Pattern: pattern, Who: httpkit.Admin, As: as, Scope: hub.ScopeAdmin, Data: httpkit.All}
	}
	return []httpkit.Route{
		admin(accounts, h.listHolders),
		admin(accounts+"/{id}", h.getHolder),
		admin(accounts+"/{id}/grants", h.grantsOfHolder),
		admin(accounts+"/{id}/transactions", h.transactionsOfHolder),
	}
}

func accountDocs() map[string]httpkit.Doc {
	span := []httpkit.Param{{Name: "start", Doc: "Seconds since 1970.", Number: true}, {Name: "end", Doc: "Seconds since 1970.", Number: true}}
	return map[string]httpkit.Doc{
		"GET " + accounts: {Summary: "Lists the wallets of users and the shared ones.", Response: httpkit.Listing[holderView]{}, Query: httpkit.Cursors(
			httpkit.Query("q", "A part of the e-mail address or the name."), httpkit.Query("kind", "All unless given.", "user", "shared", "debt"))},
		"GET " + accounts + "/{id}":        {Summary: "Shows a wallet.", Response: holderView{}},
		"GET " + accounts + "/{id}/grants": {Summary: "Lists the grants of a wallet, oldest first.", Query: httpkit.Pages(span...), Response: grantPage{}},
		"GET " + accounts + "/{id}/transactions": {Summary: "Lists what moved a wallet, newest first.", Response: transactionPage{},
			Query: append(httpkit.Pages(span...), httpkit.Query("cursor", "The next_cursor of the answer before."))},
	}
}

// holderView is a wallet and whose it is. Exactly one of email and wallet is set:
// what grants and adjustments name it by.
type holderView struct {
	ID     string `json:"id"` // of the account
	Email  string `json:"email"`
	Wallet string `json:"wallet"` // name of the shared wallet
	Name   string `json:"name"`   // of the user
	Kind   string `json:"kind"`   // user, team or app
	accountView
	CreatedAt time.Time  `json:"created_at"`
	ClosedAt  *time.Time `json:"closed_at"`
}

func viewHolder(o store.Holder) holderView {
	v := holderView{ID: o.ID, Email: o.Email, Name: o.Name, Kind: "user", accountView: viewAccount(o.Account), CreatedAt: o.CreatedAt, ClosedAt: o.ClosedAt}
	if o.Shared != "" {
		v.Kind, v.Wallet, v.Name = o.Shared, o.Name, ""
	}
	return v
}

// listHolders lists wallets by id: ?q=, ?kind=user|shared|debt, ?cursor=, ?pageSize=.
func (h *handler) listHolders(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	after, size, err := httpkit.CursorPage(r)
	if err != nil {
		return err
	}
	f := store.HolderFilter{Part: r.URL.Query().Get("q")}
	switch r.URL.Query().Get("kind") {
	case "":
	case "user":
		f.Shared = new(false)
	case "shared":
		f.Shared = new(true)
	case "debt":
		f.InDebt = true
	default:
		return hub.Invalid("kind", "kind must be user, shared or debt.")
	}
	rows, err := h.Store.Holders(r.Context(), f, after, size+1)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, httpkit.Listed(rows, size, func(o store.Holder) string { return o.ID }, viewHolder))
}

// holder is the wallet that a path names.
func (h *handler) holder(r *http.Request) (store.Holder, error) {
	o, err := h.Store.HolderByID(r.Context(), r.PathValue("id"))
	if errors.Is(err, store.ErrNotFound) {
		return o, hub.Errorf(hub.CodeNotFound, "There is no wallet %.64s.", r.PathValue("id"))
	}
	return o, err
}

func (h *handler) getHolder(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	o, err := h.holder(r)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, viewHolder(o))
}

func (h *handler) grantsOfHolder(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	o, err := h.holder(r)
	if err != nil {
		return err
	}
	return h.writeGrants(w, r, o.ID)
}

func (h *handler) transactionsOfHolder(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	o, err := h.holder(r)
	if err != nil {
		return err
	}
	f, err := moves(r)
	if err != nil {
		return err
	}
	f.AccountID = o.ID
	return h.writeTransactions(w, r, f)
}
