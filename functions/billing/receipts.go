package billing

import (
	"encoding/csv"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/selling"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func (h *handler) receiptRoutes() []httpkit.Route {
	return []httpkit.Route{
		{Method: "GET", Pattern: "/api/user/receipts", Who: httpkit.AnyUser, As: h.ownReceipts, Scope: hub.ScopeBilling, Data: httpkit.Own},
		{Method: "GET", Pattern: "/api/user/receipts/{number}", Who: httpkit.AnyUser, As: h.ownReceipt, Scope: hub.ScopeBilling, Data: httpkit.Own},
		{Method: "GET", Pattern: "/api/billing/receipts", Who: httpkit.Admin, As: h.allReceipts, Scope: hub.ScopeAdmin, Data: httpkit.All},
		{Method: "GET", Pattern: "/api/billing/receipts/export", Who: httpkit.Admin, As: h.exportReceipts, Scope: hub.ScopeAdmin, Data: httpkit.All},
		{Method: "GET", Pattern: "/api/billing/receipts/{number}", Who: httpkit.Admin, As: h.anyReceipt, Scope: hub.ScopeAdmin, Data: httpkit.All},
	}
}

// ownReceipts lists the caller's receipts, newest first: ?cursor=, ?pageSize=.
func (h *handler) ownReceipts(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	return h.listReceipts(w, r, c.UserID)
}

// allReceipts lists everybody's receipts, newest first.
func (h *handler) allReceipts(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	return h.listReceipts(w, r, "")
}

func (h *handler) listReceipts(w http.ResponseWriter, r *http.Request, userID string) error {
	after, size, err := httpkit.CursorPage(r)
	if err != nil {
		return err
	}
	var before int64
	if after != "" {
		if before, err = strconv.ParseInt(after, 10, 64); err != nil || before < 1 {
			return hub.Invalid("cursor", "cursor is not one that this list gave out.")
		}
	}
	list, err := h.Shop.Receipts(r.Context(), userID, before, size+1)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, httpkit.Listed(list, size, func(v selling.Receipt) string { return strconv.FormatInt(v.Key, 10) },
		func(v selling.Receipt) selling.Receipt { return v }))
}

// ownReceipt shows a receipt of the caller, as JSON or, with .html behind its
// number, as a page for printing.
func (h *handler) ownReceipt(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	return h.showReceipt(w, r, c.UserID)
}

func (h *handler) anyReceipt(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	return h.showReceipt(w, r, "")
}

func (h *handler) showReceipt(w http.ResponseWriter, r *http.Request, userID string) error {
	text, asPage := strings.CutSuffix(r.PathValue("number"), ".html")
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		return noReceipt(text)
	}
	v, err := h.Shop.Receipt(r.Context(), userID, n)
	if errors.Is(err, store.ErrNotFound) {
		return noReceipt(text)
	}
	if err != nil {
		return err
	}
	if !asPage {
		return httpkit.WriteJSON(w, http.StatusOK, v)
	}
	w.Header().Set("Content-Security-Policy", receiptPolicy())
	return send(w, "text/html; charset=utf-8", receiptPage(v))
}

func noReceipt(number string) error {
	return hub.Errorf(hub.CodeNotFound, "There is no receipt %.40q.", number)
}

// exportReceipts writes everybody's receipts as CSV, newest first.
func (h *handler) exportReceipts(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	const some = 500
	list, err := h.Shop.Receipts(r.Context(), "", 0, some)
	if err != nil {
		return err
	}
	csvHeaders(w, "receipts.csv")
	out := csv.NewWriter(w)
	err = out.Write(selling.ReceiptHead())
	for err == nil && len(list) > 0 {
		for _, v := range list {
			if err = out.Write(v.Row()); err != nil {
				return err
			}
		}
		if len(list) < some {
			break
		}
		list, err = h.Shop.Receipts(r.Context(), "", list[len(list)-1].Key, some)
	}
	out.Flush()
	return errors.Join(err, out.Error())
}
