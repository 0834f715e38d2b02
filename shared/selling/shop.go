package selling

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/notify"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/stripe"
)

// Shop sells credits by card. What a webhook or an answer of the provider says is
// compared with what this hub asked for; nothing in it is believed that the hub
// did not ask for itself.
type Shop struct {
	Store  *store.Store
	Stripe *stripe.Client // nil: nothing is sold by card
	// Secret signs the provider's webhooks; with an empty one none is taken.
	Secret    hub.Secret
	Terms     Terms
	PublicURL string   // where users reach the hub
	Seller    []string // lines of the seller's name and address, for receipts
	Now       hub.Now
	Log       *slog.Logger
	Tell      func(ctx context.Context, e notify.Event) error
	// Low holds accounts whose calls were refused for want of credits, for Serve;
	// nil: they wait for TopUp.
	Low chan string
}

// On reports whether credits are sold by card.
func (s *Shop) On() bool { return s != nil && s.Stripe != nil }

// metadata names the payment on the provider's side, for people there and for
// finding a charge whose answer was lost.
const metadata = "aigne_hub_payment"

const (
	// checkSession is when the provider is asked after a session of which nothing
	// was heard; sessions live for a day.
	checkSession = 15 * time.Minute
	sessionLife  = 24 * time.Hour
	// newLife is when a payment is given up that never got a session: nobody was
	// sent to it.
	newLife = time.Hour
	// openLife is how long money that was announced is waited for. Should it come
	// later still, its event counts.
	openLife = 30 * 24 * time.Hour
	// maxUnpaid is how many purchases somebody may begin within an hour without
	// paying.
	maxUnpaid = 20
)

// errClosed is what users of a hub without card payments are told.
func errClosed() error {
	return hub.Errorf(hub.CodeUnavailable, "This hub does not sell credits by card.")
}

// BuyURL is the page where credits are bought; "" when none are.
func (s *Shop) BuyURL() string {
	if !s.On() {
		return ""
	}
	return s.PublicURL + "/api/billing/buy"
}

// Checkout makes a page of the payment provider where the caller pays for an
// order, and returns its address. saveCard keeps the card for automatic top-ups.
func (s *Shop) Checkout(ctx context.Context, c hub.Caller, o Order, saveCard bool) (store.Payment, string, error) {
	var p store.Payment
	if !s.On() {
		return p, "", errClosed()
	}
	credits, amount, err := s.Terms.price(o)
	if err != nil {
		return p, "", err
	}
	user, err := s.Store.UserByID(ctx, c.UserID)
	if err != nil {
		return p, "", err
	}
	begun, err := s.Store.UnpaidSince(ctx, user.AccountID, s.Now().Add(-time.Hour))
	if err != nil {
		return p, "", err
	}
	if begun >= maxUnpaid {
		return p, "", hub.Errorf(hub.CodeRateLimited, "You began %d purchases within the hour and paid none of them. Finish one, or try again later.", begun)
	}
	customer, err := s.customer(ctx, c.UserID)
	if err != nil {
		return p, "", err
	}
	// Not Caller.AccountID: a key may spend a shared wallet, its user buys for the own one.
	p = store.Payment{ID: s.Store.NewID(), Kind: "checkout", UserID: c.UserID, AccountID: user.AccountID, Credits: credits, Amount: amount,
		Currency: s.Terms.Currency, CustomerID: customer.CustomerID}
	if err := s.Store.AddPayment(ctx, p, newLife); err != nil {
		return p, "", err
	}
	back := s.BuyURL()
	if o.Console {
		back = s.PublicURL + "/credits"
	}
	session, err := s.Stripe.CreateSession(ctx, stripe.NewSession{Customer: p.CustomerID, Amount: amount, Currency: p.Currency, Product: credits.String() + " credits",
		SuccessURL: back + "?state=done", CancelURL: back + "?state=cancelled", Reference: p.ID, Metadata: map[string]string{metadata: p.ID},
		SaveCard: saveCard, Tax: s.Terms.Tax}, p.ID)
	if err != nil {
		return p, "", s.refused(err)
	}
	if session.ID == "" || !strings.HasPrefix(session.URL, "http") || session.AmountSubtotal != amount || session.Currency != p.Currency {
		return p, "", hub.Errorf(hub.CodeUpstream, "The payment provider made another session than was asked for.")
	}
	p.SessionID = session.ID
	return p, session.URL, s.Store.OpenPayment(ctx, p.ID, session.ID, "", checkSession)
}

// refused turns what the provider said into what users are told; the rest is for
// the log.
func (s *Shop) refused(err error) error {
	if errors.Is(err, stripe.ErrUnknown) {
		return hub.Wrap(hub.CodeUnavailable, err, "The payment provider does not answer now; please try again.")
	}
	return hub.Wrap(hub.CodeUpstream, err, "The payment provider refused; the hub's operator finds the reason in the log.")
}

// customer finds or makes the provider's customer of a user.
func (s *Shop) customer(ctx context.Context, userID string) (store.CardCustomer, error) {
	c, err := s.Store.CardCustomerOf(ctx, userID)
	if err == nil || !errors.Is(err, store.ErrNotFound) {
		return c, err
	}
	u, err := s.Store.UserByID(ctx, userID)
	if err != nil {
		return c, err
	}
	// A key that is used again must come with the same words.
	words := sha256.Sum256([]byte(u.Email + "\n" + u.Name))
	id, err := s.Stripe.CreateCustomer(ctx, u.Mail(), u.Name, u.ID, "customer-"+u.ID+"-"+hex.EncodeToString(words[:8]))
	if err != nil {
		return c, s.refused(err)
	}
	return s.Store.AddCardCustomer(ctx, userID, id)
}

// mismatch is a payment that is not what the hub asked for. It grants nothing.
type mismatch struct{ payment, reason string }

func (m *mismatch) Error() string { return fmt.Sprintf("payment %s: %s", m.payment, m.reason) }

// takeSession takes in what a Checkout session has become.
func (s *Shop) takeSession(ctx context.Context, tx *store.Tx, v stripe.Session) error {
	p, err := tx.PaymentBySession(ctx, v.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil // of another hub or shop of the same account
	}
	if err != nil || p.State == "paid" {
		return err
	}
	switch {
	case v.Status == "expired":
		_, err := tx.EndPayment(ctx, p.ID, "expired", "")
		return err
	case v.Status != "complete" || v.PaymentStatus == "unpaid": // it may still come
		return nil
	case v.PaymentStatus != "paid":
		return &mismatch{p.ID, "payment status is " + v.PaymentStatus}
	case v.Currency != p.Currency:
		return &mismatch{p.ID, "paid in " + v.Currency + ", not in " + p.Currency}
	case string(v.Customer) != p.CustomerID:
		return &mismatch{p.ID, "paid by another customer"}
	case v.AmountSubtotal != p.Amount || v.TotalDetails.Discount != 0 || v.TotalDetails.Tax < 0 || v.AmountTotal != p.Amount+v.TotalDetails.Tax:
		return &mismatch{p.ID, fmt.Sprintf("amounts %d and %d are not what was asked for, %d", v.AmountSubtotal, v.AmountTotal, p.Amount)}
	case v.Intent == "":
		return &mismatch{p.ID, "no payment intent"}
	}
	return s.settle(ctx, tx, p, store.Paid{IntentID: string(v.Intent), Total: v.AmountTotal, Tax: v.TotalDetails.Tax}, s.receiptData(v.Buyer))
}

func (s *Shop) settle(ctx context.Context, tx *store.Tx, p store.Payment, paid store.Paid, d receiptData) error {
	text, err := json.Marshal(d)
	if err != nil {
		return err
	}
	paid.Receipt = string(text)
	return s.Store.SettlePayment(ctx, tx, p, paid)
}

// Follow asks the provider after payments of which nothing was heard: a webhook
// can be lost, and a process can die between asking and noting.
func (s *Shop) Follow(ctx context.Context) error {
	if !s.On() {
		return ctx.Err()
	}
	const batch = 50
	due, err := s.Store.DuePayments(ctx, batch)
	if err != nil {
		return err
	}
	var failed error
	for _, p := range due {
		if err := s.follow(ctx, p); err != nil {
			failed = errors.Join(failed, fmt.Errorf("payment %s: %w", p.ID, err))
		}
	}
	return failed
}

func (s *Shop) follow(ctx context.Context, p store.Payment) error {
	if p.Kind == "topup" {
		return s.followTopUp(ctx, p)
	}
	if p.SessionID == "" {
		return ignore(s.Store.EndPayment(ctx, p.ID, "failed", "it never got a session"), store.ErrNotFound)
	}
	age := s.Now().Sub(p.CreatedAt)
	if age > openLife {
		return ignore(s.Store.EndPayment(ctx, p.ID, "expired", "no money came"), store.ErrNotFound)
	}
	// The older, the rarer; a bank transfer can take days.
	wait := min(max(checkSession, age/2), sessionLife)
	if err := s.Store.PutOffPayment(ctx, p.ID, wait); err != nil {
		return err
	}
	v, err := s.Stripe.Session(ctx, p.SessionID)
	if err != nil {
		return err
	}
	return s.apply(ctx, "", func(ctx context.Context, tx *store.Tx) error { return s.takeSession(ctx, tx, v) })
}

// apply carries out what the provider said in one transaction, once for each
// event. A payment that is not what was asked for is told to the operator and
// changes nothing.
func (s *Shop) apply(ctx context.Context, eventID string, fn func(ctx context.Context, tx *store.Tx) error) error {
	err := s.Store.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		if eventID != "" {
			if fresh, err := s.Store.NoteEvent(ctx, tx, eventID); err != nil || !fresh {
				return err
			}
		}
		return fn(ctx, tx)
	})
	var m *mismatch
	if !errors.As(err, &m) {
		return err
	}
	s.Log.ErrorContext(ctx, "a card payment is not what was asked for; nothing was granted", "payment", m.payment, "reason", m.reason)
	return s.Tell(ctx, notify.Event{ID: "payment.mismatch:" + m.payment + ":" + m.reason, Kind: notify.PaymentMismatch, Severity: notify.Failure,
		Title: "A card payment is not what was asked for; no credits were given.", Data: map[string]any{"payment": m.payment, "reason": m.reason}})
}

func ignore(err, harmless error) error {
	if errors.Is(err, harmless) {
		return nil
	}
	return err
}
