package billing

import (
	"cmp"
	"fmt"
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// infoView is what `aigne hub status` asks for. Its names are AIGNE Hub's
// (GET /api/user/info); amounts are credits as decimal text.
type infoView struct {
	User          infoUser     `json:"user"`
	CreditBalance *infoBalance `json:"creditBalance"` // null with billing off
	PaymentLink   *string      `json:"paymentLink"`
	Currency      *currency    `json:"currency,omitempty"`
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

// infoCredits is a wallet in the words of AIGNE Hub's clients.
type infoCredits struct {
	Total      money.Credits `json:"total"` // of grants that have not expired: spent is total - balance
	GrantCount int           `json:"grantCount"`
	// PendingCredit is what is owed beyond the balance: clients show anything above
	// 0 as overdue. What is held for running calls is not.
	PendingCredit money.Credits `json:"pendingCredit"`
}

type infoBalance struct {
	Balance money.Credits `json:"balance"`
	infoCredits
}

// info tells AIGNE's command line who it works for and what is left.
func (h *handler) info(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	user, err := h.Store.UserByID(r.Context(), c.UserID)
	if err != nil {
		return fmt.Errorf("caller's user: %w", err)
	}
	v := infoView{User: infoUser{DID: cmp.Or(user.DID, user.ID), FullName: nameOf(&user), Email: user.Email, Role: user.Role}, EnableCredit: h.Billing,
		ProfileLink: optional(h.PublicURL)}
	if h.Billing {
		h.refresh(r, c)
		v.PaymentLink, v.Currency = optional(h.buyLink(r, c.AccountID)), &credit
		a, credits, err := h.credits(r, c.AccountID)
		if err != nil {
			return err
		}
		v.CreditBalance = &infoBalance{a.Balance, *credits}
	}
	return httpkit.WriteJSON(w, http.StatusOK, v)
}

func nameOf(u *store.User) string {
	if u.Name != "" {
		return u.Name
	}
	return u.Email
}

func (h *handler) credits(r *http.Request, accountID string) (store.Account, *infoCredits, error) {
	a, err := h.Book.Balance(r.Context(), accountID)
	if err != nil {
		return a, nil, err
	}
	g, err := h.Store.Granted(r.Context(), accountID)
	return a, &infoCredits{Total: g.Total, GrantCount: g.Open, PendingCredit: a.Debt}, err
}

type askedUsers struct {
	UserDIDs []string `json:"userDids" validate:"required,min=1,max=200,dive,required,max=200"`
}

type namedUser struct {
	DID      string `json:"did"`
	FullName string `json:"fullName"`
	Email    string `json:"email"`
}

// userInfo names users, in the order in which they were asked for. Whom nobody
// knows is an unknown user, as AIGNE Hub says.
func (h *handler) userInfo(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	in, err := httpkit.Decode[askedUsers](r)
	if err != nil {
		return err
	}
	found, err := h.Store.UsersByID(r.Context(), in.UserDIDs)
	if err != nil {
		return err
	}
	known := make(map[string]*store.User, len(found))
	for i := range found {
		known[found[i].ID] = &found[i]
	}
	users := make([]namedUser, len(in.UserDIDs))
	for i, did := range in.UserDIDs {
		users[i] = namedUser{DID: did, FullName: "Unknown User"}
		if u := known[did]; u != nil {
			users[i].FullName, users[i].Email = nameOf(u), u.Email
		}
	}
	return httpkit.WriteJSON(w, http.StatusOK, map[string]any{"users": users})
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
