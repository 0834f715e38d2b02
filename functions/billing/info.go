package billing

import (
	"cmp"
	"fmt"
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
)

// infoView is what `aigne hub status` asks for. Its names are AIGNE Hub's
// (GET /api/user/info); amounts are credits as decimal text.
type infoView struct {
	User          infoUser     `json:"user"`
	CreditBalance *infoCredits `json:"creditBalance"` // null with billing off
	PaymentLink   *string      `json:"paymentLink"`
	EnableCredit  bool         `json:"enableCredit"`
	ProfileLink   *string      `json:"profileLink"`
	CreditPrefix  string       `json:"creditPrefix"`
}

type infoUser struct {
	DID      string   `json:"did"` // the hub's own id of a user who has none
	FullName string   `json:"fullName"`
	Email    string   `json:"email"`
	Avatar   string   `json:"avatar"`
	Role     hub.Role `json:"role"`
}

type infoCredits struct {
	Balance       money.Credits `json:"balance"`
	Total         money.Credits `json:"total"` // of grants that have not expired: spent is total - balance
	GrantCount    int           `json:"grantCount"`
	PendingCredit money.Credits `json:"pendingCredit"` // held for calls that are running
}

// info tells AIGNE's command line who it works for and what is left.
func (h *handler) info(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	user, err := h.Store.UserByID(r.Context(), c.UserID)
	if err != nil {
		return fmt.Errorf("caller's user: %w", err)
	}
	v := infoView{User: infoUser{DID: cmp.Or(user.DID, user.ID), FullName: user.Name, Email: user.Email, Role: user.Role}, EnableCredit: h.Billing,
		ProfileLink: optional(h.PublicURL)}
	if v.User.FullName == "" {
		v.User.FullName = user.Email
	}
	if h.Billing {
		h.refresh(r, c)
		v.PaymentLink = optional(h.buyLink(r, c.AccountID))
		if v.CreditBalance, err = h.credits(r, c.AccountID); err != nil {
			return err
		}
	}
	return httpkit.WriteJSON(w, http.StatusOK, v)
}

func (h *handler) credits(r *http.Request, accountID string) (*infoCredits, error) {
	a, err := h.Book.Balance(r.Context(), accountID)
	if err != nil {
		return nil, err
	}
	grants, err := h.Store.Grants(r.Context(), accountID)
	if err != nil {
		return nil, err
	}
	v := &infoCredits{Balance: a.Balance, PendingCredit: a.Held}
	for _, g := range grants {
		if g.State == "expired" {
			continue
		}
		v.Total += g.Amount
		if g.Remaining > 0 {
			v.GrantCount++
		}
	}
	return v, nil
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
