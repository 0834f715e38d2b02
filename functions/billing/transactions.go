package billing

import (
	"cmp"
	"encoding/csv"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/selling"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// transactionView is an operation on the caller's wallet. The amount has no
// sign; change is what it did to the wallet.
type transactionView struct {
	ID        string        `json:"id"`
	Kind      string        `json:"kind"`
	Cause     string        `json:"cause"` // transfer, refund, debt …; "" where the kind says it all
	CallID    string        `json:"call_id"`
	Amount    money.Credits `json:"amount"`
	Change    money.Credits `json:"change"`
	Reason    string        `json:"reason"`
	CreatedAt time.Time     `json:"created_at"`
}

// kitTransaction is the same in Payment Kit's words: what was taken, so that what
// was given is negative.
type kitTransaction struct {
	ID           string        `json:"id"`
	Quantity     money.Credits `json:"quantity"`
	CreditAmount money.Credits `json:"credit_amount"`
	Event        string        `json:"meter_event_name"` // the cause of the operation, else its kind
	Description  string        `json:"description"`
	CreatedAt    time.Time     `json:"created_at"`
	Currency     currency      `json:"paymentCurrency"`
}

type transactionPage struct {
	Data       []transactionView `json:"data"`
	NextCursor *string           `json:"next_cursor"` // for ?cursor=; null at the end
	Count      int               `json:"count"`       // in the span, at most 10,000
	List       []kitTransaction  `json:"list"`
	Paging     listPaging        `json:"paging"`
}

// moveKinds are the kinds of operations.
var moveKinds = []string{"charge", "correct", "grant", "expire", "adjust", "refund"}

// asked is what of which wallet a request is about.
func (h *handler) asked(r *http.Request, c hub.Caller) (f store.TransactionFilter, err error) {
	if f, err = moves(r); err != nil {
		return f, err
	}
	f.AccountID, err = h.account(r, c)
	return f, err
}

// moves is what of any wallet a request is about.
func moves(r *http.Request) (f store.TransactionFilter, err error) {
	if f.Kind = r.URL.Query().Get("kind"); f.Kind != "" && !slices.Contains(moveKinds, f.Kind) {
		return f, hub.Invalid("kind", "kind must be one of %v.", moveKinds)
	}
	f.Span, err = span(r)
	return f, err
}

// listTransactions lists what moved the caller's wallet, newest first: ?cursor=
// for all of it, or ?page= for the newest 10,000; ?pageSize= (20, at most 100),
// ?kind=, ?start= and ?end= (seconds).
func (h *handler) listTransactions(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	f, err := h.asked(r, c)
	if err != nil {
		return err
	}
	return h.writeTransactions(w, r, f)
}

func (h *handler) writeTransactions(w http.ResponseWriter, r *http.Request, f store.TransactionFilter) error {
	paging, err := httpkit.ParsePaging(r)
	if err != nil {
		return err
	}
	f.Limit = paging.Size + 1
	if paging.Cursor != "" {
		keys, err := httpkit.DecodeCursor(paging.Cursor, 2)
		if err != nil {
			return err
		}
		if f.BeforeAt, err = strconv.ParseInt(keys[0], 10, 64); err != nil {
			return hub.Invalid("cursor", "cursor is not one that this list gave out.")
		}
		f.BeforeID = keys[1]
	} else if f.Offset = paging.Offset(); f.Offset >= store.MostCounted {
		return hub.Invalid("page", "Pages end at the newest %d; go on with cursor=<next_cursor>.", store.MostCounted)
	}
	found, err := h.Store.Transactions(r.Context(), f)
	if err != nil {
		return err
	}
	page := transactionPage{Data: []transactionView{}, List: []kitTransaction{}, Paging: listPaging{Page: paging.Page, PageSize: paging.Size}}
	if page.Count, err = h.Store.CountTransactions(r.Context(), f.AccountID, f.Kind, f.Span); err != nil {
		return err
	}
	page.Paging.Total = page.Count
	if len(found) > paging.Size {
		found = found[:paging.Size]
		last := found[len(found)-1]
		page.NextCursor = new(httpkit.EncodeCursor(strconv.FormatInt(last.CreatedAt.UnixMilli(), 10), last.ID))
	}
	for _, t := range found {
		page.Data = append(page.Data, transactionView{ID: t.ID, Kind: t.Kind, Cause: t.Cause, CallID: t.CallID, Amount: t.Amount, Change: t.Change, Reason: t.Reason, CreatedAt: t.CreatedAt})
		page.List = append(page.List, kitTransaction{ID: t.ID, Quantity: -t.Change, CreditAmount: -t.Change, Event: cmp.Or(t.Cause, t.Kind), Description: t.Reason,
			CreatedAt: t.CreatedAt, Currency: credit})
	}
	return httpkit.WriteJSON(w, http.StatusOK, page)
}

// exportTransactions writes what moved the caller's wallet as CSV, newest first:
// ?kind=, ?start= and ?end= (seconds). More than fits on Lambda is refused, not cut.
func (h *handler) exportTransactions(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	f, err := h.asked(r, c)
	if err != nil {
		return err
	}
	switch n, err := h.Store.CountTransactions(r.Context(), f.AccountID, f.Kind, f.Span); {
	case err != nil:
		return err
	case n >= store.MostCounted:
		return hub.Invalid("start", "These are %d transactions or more, too many for one file; take a shorter span.", store.MostCounted)
	}
	const some = 500
	f.Limit = some
	found, err := h.Store.Transactions(r.Context(), f)
	if err != nil {
		return err
	}
	csvHeaders(w, "transactions.csv")
	out := csv.NewWriter(w)
	err = out.Write([]string{"id", "created_at", "kind", "cause", "change", "reason", "call_id"})
	for err == nil && len(found) > 0 {
		for _, t := range found {
			cells := append(selling.SafeCells(t.ID, textOf(&t.CreatedAt), t.Kind, t.Cause), t.Change.String())
			if err = out.Write(append(cells, selling.SafeCells(t.Reason, t.CallID)...)); err != nil {
				return err
			}
		}
		if len(found) < some {
			break
		}
		last := found[len(found)-1]
		f.BeforeAt, f.BeforeID = last.CreatedAt.UnixMilli(), last.ID
		found, err = h.Store.Transactions(r.Context(), f)
	}
	out.Flush()
	return errors.Join(err, out.Error())
}
