package billing

import (
	"net/http"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// balanceView is a wallet; amounts are credits as decimal text.
type balanceView struct {
	Balance   money.Credits `json:"balance"`
	Held      money.Credits `json:"held"` // set aside for calls that are running
	Available money.Credits `json:"available"`
	Debt      money.Credits `json:"debt"`    // of reversed payments; while it is open no call starts
	Billing   string        `json:"billing"` // on or off
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
	a, err := h.Book.Balance(r.Context(), c.AccountID)
	if err != nil {
		return err
	}
	v := balanceView{Balance: a.Balance, Held: a.Held, Available: a.Available(), Debt: a.Debt, Billing: "off"}
	if h.Billing {
		v.Billing = "on"
	}
	return httpkit.WriteJSON(w, http.StatusOK, v)
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

// listGrants lists the caller's grants, oldest first.
func (h *handler) listGrants(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	account, err := h.account(r, c)
	if err != nil {
		return err
	}
	grants, err := h.Store.Grants(r.Context(), account)
	if err != nil {
		return err
	}
	data := make([]grantView, len(grants))
	for i, g := range grants {
		data[i] = viewGrant(g)
	}
	return httpkit.WriteJSON(w, http.StatusOK, map[string]any{"data": data})
}

// transactionView is an operation on the caller's wallet. Charge, correct,
// expire and refund take from it, grant gives; adjust gives where its id begins
// with grant/, else it takes. The amount has no sign.
type transactionView struct {
	ID        string        `json:"id"`
	Kind      string        `json:"kind"`
	Cause     string        `json:"cause"` // transfer, refund, debt …; "" where the kind says it all
	CallID    string        `json:"call_id"`
	Amount    money.Credits `json:"amount"`
	Reason    string        `json:"reason"`
	CreatedAt time.Time     `json:"created_at"`
}

// maxTransactions is how far back the list goes; each call is an operation, and
// the call log shows all of them.
const maxTransactions = 1000

// listTransactions lists what moved the caller's wallet, newest first: ?page=,
// ?pageSize= (20, at most 100), down to the newest 1,000.
func (h *handler) listTransactions(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	paging, err := httpkit.ParsePaging(r)
	switch {
	case err != nil:
		return err
	case paging.Cursor != "":
		return hub.Invalid("cursor", "This list has no cursor; use page.")
	case paging.Offset() >= maxTransactions:
		return hub.Invalid("page", "This list ends at the newest %d; GET /api/user/model-calls goes further back.", maxTransactions)
	}
	end := min(paging.Offset()+paging.Size, maxTransactions)
	account, err := h.account(r, c)
	if err != nil {
		return err
	}
	ops, err := h.Store.Operations(r.Context(), account, end)
	if err != nil {
		return err
	}
	data := []transactionView{}
	for _, o := range ops[min(paging.Offset(), len(ops)):] {
		data = append(data, transactionView{ID: o.ID, Kind: o.Kind, Cause: o.Cause, CallID: o.CallID, Amount: o.Amount, Reason: o.Reason, CreatedAt: o.CreatedAt})
	}
	return httpkit.WriteJSON(w, http.StatusOK, map[string]any{"data": data})
}
