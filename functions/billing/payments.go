package billing

import (
	"errors"
	"net/http"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/selling"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// paymentView is a card payment; money is decimal text in the currency's main
// unit.
type paymentView struct {
	ID        string        `json:"id"`
	Kind      string        `json:"kind"` // checkout or topup
	UserID    string        `json:"user_id"`
	Credits   money.Credits `json:"credits"`
	Amount    string        `json:"amount"` // the price, without tax that is added to it
	Total     string        `json:"total"`  // what was paid
	Currency  string        `json:"currency"`
	State     string        `json:"state"` // new, open, paid, failed or expired
	Session   string        `json:"session"`
	Intent    string        `json:"intent"`
	Error     string        `json:"error"`
	CreatedAt time.Time     `json:"created_at"`
	PaidAt    *time.Time    `json:"paid_at"`
}

// payments lists card payments, newest first: ?user= (e-mail), ?state=, ?cursor=,
// ?pageSize=.
func (h *handler) payments(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	before, size, err := httpkit.CursorPage(r)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	switch q.Get("state") {
	case "", "new", "open", "paid", "failed", "expired":
	default:
		return hub.Invalid("state", "state must be new, open, paid, failed or expired.")
	}
	account := ""
	if email := q.Get("user"); email != "" {
		u, err := h.Store.UserByEmail(r.Context(), email)
		if errors.Is(err, store.ErrNotFound) {
			return hub.Errorf(hub.CodeNotFound, "There is no user with the e-mail address %.254s.", email)
		}
		if err != nil {
			return err
		}
		account = u.AccountID
	}
	rows, err := h.Store.Payments(r.Context(), account, q.Get("state"), before, size+1)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, httpkit.Listed(rows, size, func(p store.Payment) string { return p.ID }, viewPayment))
}

func viewPayment(p store.Payment) paymentView {
	return paymentView{ID: p.ID, Kind: p.Kind, UserID: p.UserID, Credits: p.Credits, Amount: selling.Decimal(p.Amount, p.Currency),
		Total: selling.Decimal(p.Total, p.Currency), Currency: p.Currency, State: p.State, Session: p.SessionID, Intent: p.IntentID, Error: p.Error,
		CreatedAt: p.CreatedAt, PaidAt: p.PaidAt}
}
