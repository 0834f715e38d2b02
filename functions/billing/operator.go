package billing

import (
	"net/http"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/ledger"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/operator"
)

// purse names a user by e-mail address or a shared wallet by name or id.
type purse struct {
	Email  string `json:"email" validate:"max=254"`
	Wallet string `json:"wallet" validate:"max=100"`
}

func (p purse) of() operator.Purse { return operator.Purse{User: p.Email, Wallet: p.Wallet} }

type newGrant struct {
	Email     string        `json:"email" validate:"max=254"`  // of a user; or
	Wallet    string        `json:"wallet" validate:"max=100"` // a shared wallet
	Kind      string        `json:"kind"`                      // promotional (default) or purchased
	Name      string        `json:"name" validate:"max=100"`
	Amount    money.Credits `json:"amount"`                             // decimal text, at most nine decimals
	Priority  int64         `json:"priority" validate:"min=0,max=1000"` // lower is spent first; 0 means 50
	ExpiresAt *time.Time    `json:"expires_at"`
	Reason    string        `json:"reason" validate:"max=500"` // the user sees it
}

// grant gives credits to a user or a shared wallet.
func (h *handler) grant(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[newGrant](r)
	if err != nil {
		return err
	}
	g, err := h.Desk.Give(r.Context(), c.Email, operator.Purse{User: in.Email, Wallet: in.Wallet}, operator.Gift{Kind: in.Kind, Name: in.Name, Amount: in.Amount, Priority: in.Priority,
		ExpiresAt: in.ExpiresAt, Reason: in.Reason})
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusCreated, viewGrant(g))
}

// newReversal takes credits back. A repeated id takes nothing again.
type newReversal struct {
	Email   string        `json:"email" validate:"max=254"`  // of a user; or
	Wallet  string        `json:"wallet" validate:"max=100"` // a shared wallet
	ID      string        `json:"id" validate:"max=100"`
	Amount  money.Credits `json:"amount"`
	Cause   string        `json:"cause" validate:"required"` // refund, dispute or correction
	GrantID string        `json:"grant_id" validate:"max=200"`
	Reason  string        `json:"reason" validate:"required,max=500"` // the user sees it
}

// reverse takes credits back; what is not there any more becomes a debt.
func (h *handler) reverse(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[newReversal](r)
	if err != nil {
		return err
	}
	done, err := h.Desk.Reverse(r.Context(), c.Email, operator.Purse{User: in.Email, Wallet: in.Wallet}, ledger.Reversal{ID: in.ID, GrantID: in.GrantID, Cause: in.Cause,
		Amount: in.Amount, Reason: in.Reason})
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, map[string]money.Credits{"taken": done.Taken, "debt": done.Debt})
}

// newAdjustment corrects a balance. A repeated id corrects nothing again.
type newAdjustment struct {
	Email     string        `json:"email" validate:"max=254"`  // of a user; or
	Wallet    string        `json:"wallet" validate:"max=100"` // a shared wallet
	ID        string        `json:"id" validate:"max=100"`
	Amount    money.Credits `json:"amount"`
	Reason    string        `json:"reason" validate:"required,max=500"` // the user sees it
	ExpiresAt *time.Time    `json:"expires_at"`                         // of credits that are given
}

// adjust gives credits or, with an amount below 0, takes them.
func (h *handler) adjust(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[newAdjustment](r)
	if err != nil {
		return err
	}
	if err := h.Desk.Adjust(r.Context(), c.Email, operator.Purse{User: in.Email, Wallet: in.Wallet}, ledger.Adjustment{ID: in.ID, Amount: in.Amount, Reason: in.Reason, ExpiresAt: in.ExpiresAt}); err != nil {
		return err
	}
	return h.showBalance(w, r, operator.Purse{User: in.Email, Wallet: in.Wallet})
}

func (h *handler) showBalance(w http.ResponseWriter, r *http.Request, p operator.Purse) error {
	a, err := h.Desk.BalanceOf(r.Context(), p)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, viewAccount(a))
}

type newTransfer struct {
	ID     string        `json:"id" validate:"max=100"`
	From   purse         `json:"from"`
	To     purse         `json:"to"`
	Amount money.Credits `json:"amount"`
	Reason string        `json:"reason" validate:"required,max=500"`
}

// transfer moves credits between any two wallets.
func (h *handler) transfer(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[newTransfer](r)
	if err != nil {
		return err
	}
	if err := h.Desk.Transfer(r.Context(), c.Email, in.From.of(), in.To.of(), ledger.Transfer{ID: in.ID, Amount: in.Amount, Reason: in.Reason}); err != nil {
		return err
	}
	return h.showBalance(w, r, in.From.of())
}

type verifyView struct {
	OK bool `json:"ok"`
	ledger.Report
}

// verify proves the books since their last seals, with ?all=true from their
// beginning; what is wrong with them is part of the answer, not
// an error.
func (h *handler) verify(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	verify := h.Book.Verify
	switch r.URL.Query().Get("all") {
	case "", "false":
	case "true":
		verify = h.Book.VerifyAll
	default:
		return hub.Invalid("all", "all must be true or false.")
	}
	report, err := verify(r.Context())
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, verifyView{OK: len(report.Violations) == 0, Report: report})
}
