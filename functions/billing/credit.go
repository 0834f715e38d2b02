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
	Billing   string        `json:"billing"` // on or off
}

// balance shows the caller's wallet.
func (h *handler) balance(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	a, err := h.Book.Balance(r.Context(), c.AccountID)
	if err != nil {
		return err
	}
	v := balanceView{Balance: a.Balance, Held: a.Held, Available: a.Available(), Billing: "off"}
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
	grants, err := h.Store.Grants(r.Context(), c.AccountID)
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
// expire and refund take from it, grant gives; the amount has no sign.
type transactionView struct {
	ID        string        `json:"id"`
	Kind      string        `json:"kind"`
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
	ops, err := h.Store.Operations(r.Context(), c.AccountID, end)
	if err != nil {
		return err
	}
	data := []transactionView{}
	for _, o := range ops[min(paging.Offset(), len(ops)):] {
		data = append(data, transactionView{ID: o.ID, Kind: o.Kind, CallID: o.CallID, Amount: o.Amount, Reason: o.Reason, CreatedAt: o.CreatedAt})
	}
	return httpkit.WriteJSON(w, http.StatusOK, map[string]any{"data": data})
}
