package billing

import (
	"errors"
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/selling"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func (h *handler) shopRoutes() []httpkit.Route {
	const topUp = "/api/user/credit/auto-topup"
	return []httpkit.Route{
		{Method: "GET", Pattern: "/api/billing/offer", Who: httpkit.Anonymous, Handler: h.offer, Data: httpkit.Common},
		{Method: "GET", Pattern: "/api/billing/buy", Who: httpkit.Anonymous, Handler: h.buyPage, Data: httpkit.Common},
		{Method: "GET", Pattern: "/api/billing/buy.js", Who: httpkit.Anonymous, Handler: h.buyScript, Data: httpkit.Common},
		{Method: "GET", Pattern: "/api/billing/page.css", Who: httpkit.Anonymous, Handler: h.pageStyle, Data: httpkit.Common},
		{Method: "GET", Pattern: "/api/billing/prices", Who: httpkit.Optional, As: h.prices, Scope: httpkit.AnyScope, Data: httpkit.Common},
		{Method: "GET", Pattern: "/api/billing/payments", Who: httpkit.Admin, As: h.payments, Scope: hub.ScopeAdmin, Data: httpkit.All},
		{Method: "POST", Pattern: "/api/billing/stripe/webhook", Who: httpkit.Anonymous, Handler: h.webhook, Data: httpkit.Common, MaxBody: maxWebhook},
		{Method: "POST", Pattern: "/api/user/credit/checkout", Who: httpkit.AnyUser, As: h.checkout, Scope: hub.ScopeBilling, Data: httpkit.Own, MaxBody: maxForm},
		{Method: "GET", Pattern: topUp, Who: httpkit.AnyUser, As: h.topUp, Scope: hub.ScopeBilling, Data: httpkit.Own},
		{Method: "PUT", Pattern: topUp, Who: httpkit.AnyUser, As: h.setTopUp, Scope: hub.ScopeBilling, Data: httpkit.Own, MaxBody: maxForm},
		{Method: "DELETE", Pattern: topUp, Who: httpkit.AnyUser, As: h.stopTopUp, Scope: hub.ScopeBilling, Data: httpkit.Own},
		{Method: "GET", Pattern: "/api/user/credit/cards", Who: httpkit.AnyUser, As: h.cards, Scope: hub.ScopeBilling, Data: httpkit.Own},
		{Method: "DELETE", Pattern: "/api/user/credit/cards", Who: httpkit.AnyUser, As: h.forgetCards, Scope: hub.ScopeBilling, Data: httpkit.Own},
	}
}

// maxWebhook is the limit of an event in bytes; Stripe's are some kilobytes.
const maxWebhook = 1 << 20

// webhook takes in what Stripe tells. Anybody may call it: what counts is the
// signature of the body as it came.
func (h *handler) webhook(w http.ResponseWriter, r *http.Request) error {
	body, err := httpkit.ReadBody(r, maxWebhook)
	if err != nil {
		return err
	}
	if err := h.Shop.Webhook(r.Context(), r.Header.Get("Stripe-Signature"), body); err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, map[string]bool{"received": true})
}

// offerView is what credits cost by card; money is decimal text in the currency's
// main unit.
type offerView struct {
	Enabled  bool          `json:"enabled"`
	Currency string        `json:"currency"`
	Price    money.Credits `json:"price"` // of one credit
	Min      money.Credits `json:"min"`   // credits at once
	Max      money.Credits `json:"max"`
	TaxAdded bool          `json:"tax_added"`
	Packages []packageView `json:"packages"`
}

type packageView struct {
	ID      string        `json:"id"`
	Credits money.Credits `json:"credits"`
	Price   string        `json:"price"`
}

func (h *handler) offerNow() offerView {
	t := h.Shop.Terms
	v := offerView{Enabled: h.Shop.On(), Currency: t.Currency, Price: t.Price, Min: t.Min, Max: t.Max, TaxAdded: t.Tax, Packages: []packageView{}}
	for _, p := range t.Packages {
		v.Packages = append(v.Packages, packageView{ID: p.ID, Credits: p.Credits, Price: selling.Decimal(p.Amount, t.Currency)})
	}
	return v
}

// offer says what credits cost.
func (h *handler) offer(w http.ResponseWriter, _ *http.Request) error {
	return httpkit.WriteJSON(w, http.StatusOK, h.offerNow())
}

type newCheckout struct {
	Credits  money.Credits `json:"credits"` // decimal text; or package
	Package  string        `json:"package"`
	SaveCard bool          `json:"save_card"`                                    // for automatic top-ups
	ReturnTo string        `json:"return_to" validate:"omitempty,oneof=console"` // where the browser goes then; "": the page where credits are bought
}

// checkout begins a purchase and says where to pay.
func (h *handler) checkout(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[newCheckout](r)
	if err != nil {
		return err
	}
	p, url, err := h.Shop.Checkout(r.Context(), c, selling.Order{Credits: in.Credits, Package: in.Package, Console: in.ReturnTo == "console"}, in.SaveCard)
	if err != nil {
		return err
	}
	if err := h.Desk.Note(r.Context(), c.Email, "payment.checkout", p.ID, nil, map[string]any{"credits": p.Credits.String(),
		"amount": selling.Decimal(p.Amount, p.Currency), "currency": p.Currency, "save_card": in.SaveCard}); err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusCreated, map[string]any{"payment_id": p.ID, "url": url, "credits": p.Credits,
		"amount": selling.Decimal(p.Amount, p.Currency), "currency": p.Currency})
}

// topUpView is an automatic top-up; money is decimal text in the currency's main
// unit.
type topUpView struct {
	Enabled    bool          `json:"enabled"`
	Threshold  money.Credits `json:"threshold"` // bought when less is available
	Credits    money.Credits `json:"credits"`   // bought each time
	MonthlyCap string        `json:"monthly_cap"`
	MonthSpent string        `json:"month_spent"`
	Currency   string        `json:"currency"`
	Card       string        `json:"card"`
	Failures   int64         `json:"failures"` // in a row; after three it is switched off
	Error      string        `json:"error"`
}

// topUp shows the caller's automatic top-up.
func (h *handler) topUp(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	user, err := h.Store.UserByID(r.Context(), c.UserID)
	if err != nil {
		return err
	}
	t, err := h.Store.TopUpOf(r.Context(), user.AccountID)
	if errors.Is(err, store.ErrNotFound) {
		return hub.Errorf(hub.CodeNotFound, "You have no automatic top-up.")
	}
	if err != nil {
		return err
	}
	return h.showTopUp(w, r, t)
}

func (h *handler) showTopUp(w http.ResponseWriter, r *http.Request, t store.TopUp) error {
	v, err := h.viewTopUp(r, t)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, v)
}

func (h *handler) viewTopUp(r *http.Request, t store.TopUp) (*topUpView, error) {
	spent, err := h.Store.MonthSpent(r.Context(), t.AccountID)
	if err != nil {
		return nil, err
	}
	card, err := h.Store.CardCustomerOf(r.Context(), t.UserID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	currency := t.Currency
	return &topUpView{Enabled: t.Enabled, Threshold: t.Threshold, Credits: t.Credits, Currency: currency,
		MonthlyCap: selling.Decimal(t.MonthlyCap, currency), MonthSpent: selling.Decimal(spent, currency), Card: card.Card, Failures: t.Failures, Error: t.Error}, nil
}

type newTopUp struct {
	Threshold  money.Credits `json:"threshold"`
	Credits    money.Credits `json:"credits"`
	MonthlyCap money.Credits `json:"monthly_cap"` // decimal text in the currency's main unit
}

// setTopUp has credits bought by themselves with the caller's kept card.
func (h *handler) setTopUp(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[newTopUp](r)
	if err != nil {
		return err
	}
	t, err := h.Shop.SetTopUp(r.Context(), c, in.Threshold, in.Credits, in.MonthlyCap)
	if err != nil {
		return err
	}
	if err := h.Desk.Note(r.Context(), c.Email, "topup.set", c.Email, nil, map[string]any{"threshold": in.Threshold.String(), "credits": in.Credits.String(),
		"monthly_cap": in.MonthlyCap}); err != nil {
		return err
	}
	return h.showTopUp(w, r, t)
}

// stopTopUp switches the caller's automatic top-up off.
func (h *handler) stopTopUp(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	user, err := h.Store.UserByID(r.Context(), c.UserID)
	if err != nil {
		return err
	}
	if err := h.Store.StopTopUp(r.Context(), user.AccountID, ""); err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err := h.Desk.Note(r.Context(), c.Email, "topup.stop", c.Email, nil, nil); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// cardsView is what is kept to pay by, and what is bought with it by itself.
type cardsView struct {
	Card      string     `json:"card"`      // brand and last digits; "": none is kept
	Automatic *topUpView `json:"automatic"` // null: nothing is, and never was
}

// cards says which card is kept for the caller, and what it is used for.
func (h *handler) cards(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	var v cardsView
	if h.Shop.On() {
		var err error
		if v.Card, err = h.Shop.Card(r.Context(), c.UserID); err != nil {
			return err
		}
	}
	user, err := h.Store.UserByID(r.Context(), c.UserID)
	if err != nil {
		return err
	}
	t, err := h.Store.TopUpOf(r.Context(), user.AccountID)
	if err == nil {
		v.Automatic, err = h.viewTopUp(r, t)
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, v)
}

// forgetCards has the caller's kept cards forgotten, which ends automatic top-ups.
func (h *handler) forgetCards(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	if err := h.Shop.ForgetCards(r.Context(), c.UserID); err != nil {
		return err
	}
	if err := h.Desk.Note(r.Context(), c.Email, "cards.forget", c.Email, nil, nil); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
