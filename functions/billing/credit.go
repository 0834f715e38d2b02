package billing

import (
	"cmp"
	"net/http"
	"strconv"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// The lists and balances of this file answer in two tongues at once: the hub's
// own, and that of AIGNE Hub's clients, whose names come from Payment Kit (count,
// list, remaining_amount, seconds since 1970). What both call alike is there once.

// currency is what AIGNE's clients show amounts with. Amounts are whole credits
// with decimals, so none is divided by a power of ten.
type currency struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Symbol  string `json:"symbol"`
	Decimal int    `json:"decimal"`
}

var credit = currency{ID: "credit", Name: "Credit", Symbol: "credits"}

// balanceView is a wallet; amounts are credits as decimal text.
type balanceView struct {
	Balance   money.Credits `json:"balance"`
	Held      money.Credits `json:"held"` // set aside for calls that are running
	Available money.Credits `json:"available"`
	Debt      money.Credits `json:"debt"`    // of reversed payments; while it is open no call starts
	Billing   string        `json:"billing"` // on or off
	infoCredits
	Currency currency `json:"currency"`
}

// account is the wallet that a request is about: the caller's own, or with
// ?wallet= a shared one that the caller manages. What others spend of a shared
// wallet is no business of its other members.
func (h *handler) account(r *http.Request, c hub.Caller) (string, error) {
	if name := r.URL.Query().Get("wallet"); name != "" {
		w, err := h.managed(r, c, name)
		return w.AccountID, err
	}
	if !c.SharedWallet {
		return c.AccountID, nil
	}
	u, err := h.Store.UserByID(r.Context(), c.UserID)
	return u.AccountID, err
}

// balance shows the wallet that pays for the caller's calls.
func (h *handler) balance(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	h.refresh(r, c)
	a, credits, err := h.credits(r, c.AccountID)
	if err != nil {
		return err
	}
	v := balanceView{Balance: a.Balance, Held: a.Held, Available: a.Available(), Debt: a.Debt, Billing: "off", infoCredits: *credits, Currency: credit}
	if h.Billing {
		v.Billing = "on"
	}
	return httpkit.WriteJSON(w, http.StatusOK, v)
}

// paymentLink says where credits can be had: a text, or null. Everybody may ask.
func (h *handler) paymentLink(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	if !h.Billing {
		return httpkit.WriteJSON(w, http.StatusOK, nil)
	}
	return httpkit.WriteJSON(w, http.StatusOK, optional(h.buyLink(r, c.AccountID)))
}

// listPaging is what AIGNE's clients page by.
type listPaging struct {
	Page     int `json:"page"`
	PageSize int `json:"pageSize"`
	Total    int `json:"total"`
}

// span reads ?start= and ?end=, seconds since 1970; end is left out of the span.
func span(r *http.Request) (s store.Span, err error) {
	for _, side := range []struct {
		name string
		into *time.Time
	}{{"start", &s.From}, {"end", &s.Until}} {
		text := r.URL.Query().Get(side.name)
		if text == "" {
			continue
		}
		n, err := strconv.ParseInt(text, 10, 64)
		const most = 1 << 40
		if err != nil || n < 0 || n > most {
			return s, hub.Invalid(side.name, "%s must be seconds since 1970.", side.name)
		}
		*side.into = time.Unix(n, 0)
	}
	return s, nil
}

// grantView is a grant; amounts are credits as decimal text.
type grantView struct {
	ID        string        `json:"id"`
	Kind      string        `json:"kind"`
	Name      string        `json:"name"`
	Amount    money.Credits `json:"amount"`
	Remaining money.Credits `json:"remaining"`
	Priority  int64         `json:"priority"` // lower is spent first
	State     string        `json:"state"`
	Reason    string        `json:"reason"`
	ExpiresAt *time.Time    `json:"expires_at"`
	CreatedAt time.Time     `json:"created_at"`
}

func viewGrant(g store.Grant) grantView {
	return grantView{ID: g.ID, Kind: g.Kind, Name: g.Name, Amount: g.Amount, Remaining: g.Remaining, Priority: g.Priority,
		State: g.State, Reason: g.Reason, ExpiresAt: g.ExpiresAt, CreatedAt: g.CreatedAt}
}

// kitGrant is a grant in Payment Kit's words.
type kitGrant struct {
	ID        string        `json:"id"`
	Name      string        `json:"name"`
	Amount    money.Credits `json:"amount"`
	Remaining money.Credits `json:"remaining_amount"`
	Status    string        `json:"status"`   // granted, depleted or expired
	Category  string        `json:"category"` // paid or promotional
	Priority  int64         `json:"priority"`
	ExpiresAt int64         `json:"expires_at"` // seconds since 1970; 0: never
	CreatedAt time.Time     `json:"created_at"`
	Currency  currency      `json:"paymentCurrency"`
}

func kitView(g store.Grant) kitGrant {
	v := kitGrant{ID: g.ID, Name: g.Name, Amount: g.Amount, Remaining: g.Remaining, Status: "granted", Category: "promotional", Priority: g.Priority,
		CreatedAt: g.CreatedAt, Currency: credit}
	if g.Kind == "purchased" {
		v.Category = "paid"
	}
	if g.ExpiresAt != nil {
		v.ExpiresAt = g.ExpiresAt.Unix()
	}
	switch {
	case g.State == "expired":
		v.Status = "expired"
	case g.Remaining == 0:
		v.Status = "depleted"
	}
	return v
}

type grantPage struct {
	Data   []grantView `json:"data"`
	Count  int         `json:"count"` // in the span
	List   []kitGrant  `json:"list"`
	Paging listPaging  `json:"paging"`
}

// listGrants lists the caller's grants, oldest first: ?page=, ?pageSize= (20, at
// most 100), ?start= and ?end= (seconds).
func (h *handler) listGrants(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	account, err := h.account(r, c)
	if err != nil {
		return err
	}
	return h.writeGrants(w, r, account)
}

func (h *handler) writeGrants(w http.ResponseWriter, r *http.Request, account string) error {
	paging, err := httpkit.ParsePaging(r)
	switch {
	case err != nil:
		return err
	case paging.Cursor != "":
		return hub.Invalid("cursor", "This list has no cursor; use page.")
	}
	within, err := span(r)
	if err != nil {
		return err
	}
	page := grantPage{Data: []grantView{}, List: []kitGrant{}, Paging: listPaging{Page: paging.Page, PageSize: paging.Size}}
	grants, count, err := h.Store.GrantPage(r.Context(), account, within, paging.Offset(), paging.Size)
	if err != nil {
		return err
	}
	page.Count, page.Paging.Total = count, count
	for _, g := range grants {
		page.Data, page.List = append(page.Data, viewGrant(g)), append(page.List, kitView(g))
	}
	return httpkit.WriteJSON(w, http.StatusOK, page)
}

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

// listTransactions lists what moved the caller's wallet, newest first: ?cursor=
// for all of it, or ?page= for the newest 10,000; ?pageSize= (20, at most 100),
// ?start= and ?end= (seconds).
func (h *handler) listTransactions(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	account, err := h.account(r, c)
	if err != nil {
		return err
	}
	return h.writeTransactions(w, r, account)
}

func (h *handler) writeTransactions(w http.ResponseWriter, r *http.Request, account string) error {
	paging, err := httpkit.ParsePaging(r)
	if err != nil {
		return err
	}
	f := store.TransactionFilter{AccountID: account, Limit: paging.Size + 1}
	if f.Span, err = span(r); err != nil {
		return err
	}
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
	if page.Count, err = h.Store.CountTransactions(r.Context(), account, f.Span); err != nil {
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
