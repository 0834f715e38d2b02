package billing

import (
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
