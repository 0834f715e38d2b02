package selling

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/notify"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/stripe"
)

const (
	// topUpFailures in a row switch a top-up off.
	topUpFailures = 3
	// topUpRest is between a failure and the next attempt: banks block cards that
	// are tried again and again.
	topUpRest = 6 * time.Hour
	// operatorRest is after the provider refused the hub itself.
	operatorRest = 10 * time.Minute
	// checkCharge is when a charge is looked after whose outcome is not known.
	checkCharge = time.Minute
	// keyLife is how long a request can be repeated under its idempotency key: the
	// provider keeps keys for at least a day.
	keyLife = 23 * time.Hour
)

// SetTopUp has credits bought by themselves for a user, with the card that was
// kept at a checkout. cap is of a calendar month, in the currency's main unit.
func (s *Shop) SetTopUp(ctx context.Context, c hub.Caller, threshold, credits, limit money.Credits) (store.TopUp, error) {
	var t store.TopUp
	if !s.On() {
		return t, errClosed()
	}
	if s.Terms.Tax {
		return t, hub.Errorf(hub.CodeConflict, "This hub adds tax to the price, which only the payment page can compute; there are no automatic top-ups.")
	}
	_, amount, err := s.Terms.price(Order{Credits: credits})
	if err != nil {
		return t, err
	}
	if threshold < 0 {
		return t, hub.Invalid("threshold", "The threshold must not be negative.")
	}
	most, err := units(limit, money.Credit, s.Terms.Currency)
	if err != nil || limit <= 0 || most < amount {
		return t, hub.Invalid("monthly_cap", "The monthly cap must be at least the price of one top-up, %s.", Money(amount, s.Terms.Currency))
	}
	user, err := s.Store.UserByID(ctx, c.UserID)
	if err != nil {
		return t, err
	}
	if err := s.keepCard(ctx, c.UserID); err != nil {
		return t, err
	}
	t = store.TopUp{AccountID: user.AccountID, UserID: user.ID, Threshold: threshold, Credits: credits, MonthlyCap: most, Currency: s.Terms.Currency, Enabled: true}
	return t, s.Store.SetTopUp(ctx, t)
}

// keepCard notes the newest card that the provider keeps for a user.
func (s *Shop) keepCard(ctx context.Context, userID string) error {
	noCard := hub.Errorf(hub.CodeConflict, "No card is kept for you. Buy credits once with save_card, then switch automatic top-ups on.")
	customer, err := s.Store.CardCustomerOf(ctx, userID)
	if errors.Is(err, store.ErrNotFound) {
		return noCard
	}
	if err != nil {
		return err
	}
	cards, err := s.Stripe.Cards(ctx, customer.CustomerID)
	if err != nil {
		return s.refused(err)
	}
	if len(cards) == 0 {
		return noCard
	}
	return s.Store.SetCard(ctx, userID, cards[0].ID, cardText(cards[0]))
}

// Card says for people which card the provider keeps for a user, "" for none.
func (s *Shop) Card(ctx context.Context, userID string) (string, error) {
	customer, err := s.Store.CardCustomerOf(ctx, userID)
	if err != nil {
		return "", ignore(err, store.ErrNotFound)
	}
	if customer.Card != "" {
		return customer.Card, nil
	}
	cards, err := s.Stripe.Cards(ctx, customer.CustomerID)
	if err != nil {
		return "", s.refused(err)
	}
	if len(cards) == 0 {
		return "", nil
	}
	return cardText(cards[0]), nil
}

func cardText(c stripe.Card) string { return c.Card.Brand + " …" + c.Card.Last4 }

// ForgetCards has the provider forget a user's kept cards, and switches automatic
// top-ups off.
func (s *Shop) ForgetCards(ctx context.Context, userID string) error {
	if !s.On() {
		return errClosed()
	}
	user, err := s.Store.UserByID(ctx, userID)
	if err != nil {
		return err
	}
	if err := ignore(s.Store.StopTopUp(ctx, user.AccountID, ""), store.ErrNotFound); err != nil {
		return err
	}
	customer, err := s.Store.CardCustomerOf(ctx, userID)
	if err != nil {
		return ignore(err, store.ErrNotFound)
	}
	cards, err := s.Stripe.Cards(ctx, customer.CustomerID)
	if err != nil {
		return s.refused(err)
	}
	for _, card := range cards {
		if err := s.Stripe.Detach(ctx, card.ID); err != nil {
			return s.refused(err)
		}
	}
	return s.Store.SetCard(ctx, userID, "", "")
}

// TopUp buys credits for every wallet that is low and wants it.
func (s *Shop) TopUp(ctx context.Context) error {
	if !s.On() || s.Terms.Tax {
		return ctx.Err()
	}
	const batch = 100
	var failed error
	for after := ""; ; {
		due, err := s.Store.DueTopUps(ctx, after, batch)
		if err != nil {
			return errors.Join(failed, err)
		}
		for _, t := range due {
			if err := s.topUp(ctx, t); err != nil {
				failed = errors.Join(failed, fmt.Errorf("top-up of %s: %w", t.AccountID, err))
			}
		}
		if len(due) < batch || ctx.Err() != nil {
			return failed
		}
		after = due[len(due)-1].AccountID
	}
}

// Nudge has an account's wallet looked at soon. It never waits: what finds no room
// is found by TopUp.
func (s *Shop) Nudge(accountID string) {
	if !s.On() || s.Terms.Tax {
		return
	}
	select {
	case s.Low <- accountID:
	default:
	}
}

// Serve tops up wallets as soon as a call was refused for want of credits, until
// ctx ends.
func (s *Shop) Serve(ctx context.Context) {
	const patience = time.Minute
	for {
		select {
		case <-ctx.Done():
			return
		case id := <-s.Low:
			if err := s.topUpOne(ctx, id, patience); err != nil && ctx.Err() == nil {
				s.Log.WarnContext(ctx, "wallet not topped up", "account", id, "error", err)
			}
		}
	}
}

func (s *Shop) topUpOne(ctx context.Context, accountID string, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	t, err := s.Store.DueTopUp(ctx, accountID)
	if err != nil {
		return ignore(err, store.ErrNotFound)
	}
	return s.topUp(ctx, t)
}

func (s *Shop) topUp(ctx context.Context, t store.TopUp) error {
	if t.Currency != s.Terms.Currency { // the cap is no longer what its user meant
		return s.Store.StopTopUp(ctx, t.AccountID, "credits are sold in another currency now")
	}
	amount, err := s.Terms.Cost(t.Credits)
	if err != nil {
		return err
	}
	customer, err := s.Store.CardCustomerOf(ctx, t.UserID)
	if err != nil {
		return err
	}
	if customer.MethodID == "" {
		return s.Store.StopTopUp(ctx, t.AccountID, "no card is kept")
	}
	p := store.Payment{ID: s.Store.NewID(), Kind: "topup", UserID: t.UserID, AccountID: t.AccountID, Credits: t.Credits, Amount: amount, Currency: s.Terms.Currency,
		CustomerID: customer.CustomerID, MethodID: customer.MethodID, State: "new"}
	err = s.Store.BeginTopUp(ctx, p, checkCharge)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrConflict) {
		return nil // no longer due, above the month's cap, or another process is at it
	}
	if err != nil {
		return err
	}
	return s.charge(ctx, p)
}

// charge asks for a top-up's money under the payment's own key: whoever repeats
// it, and how often, the card is charged once.
func (s *Shop) charge(ctx context.Context, p store.Payment) error {
	v, err := s.Stripe.Charge(ctx, stripe.NewIntent{Customer: p.CustomerID, Method: p.MethodID, Amount: p.Amount, Currency: p.Currency,
		Description: p.Credits.String() + " credits, automatic top-up", Metadata: map[string]string{metadata: p.ID}}, p.ID)
	var refused *stripe.Error
	switch {
	case errors.Is(err, stripe.ErrUnknown):
		s.Log.WarnContext(ctx, "outcome of a top-up is not known yet", "payment", p.ID, "error", err)
		return nil // Follow finds out
	case errors.As(err, &refused):
		return s.chargeRefused(ctx, p, refused)
	case err != nil:
		return err
	}
	if err := ignore(s.Store.OpenPayment(ctx, p.ID, "", v.ID, checkCharge), store.ErrNotFound); err != nil {
		return err
	}
	return s.onIntent(ctx, "", v)
}

func (s *Shop) chargeRefused(ctx context.Context, p store.Payment, e *stripe.Error) error {
	switch e.Type {
	case "card_error":
		reason := e.Code
		if e.Decline != "" {
			reason += ", " + e.Decline
		}
		return s.failTopUp(ctx, "", p, reason)
	case "idempotency_error":
		return e // what was asked for under this key before may have happened; Follow looks for it
	}
	s.Log.ErrorContext(ctx, "the payment provider refused a top-up", "payment", p.ID, "error", e)
	err := s.Store.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		if changed, err := tx.EndPayment(ctx, p.ID, "failed", e.Type+" "+e.Code); err != nil || !changed {
			return err
		}
		if e.Status == 401 || e.Status == 403 {
			return tx.TopUpRests(ctx, p.AccountID, operatorRest)
		}
		return tx.TopUpFailed(ctx, p.AccountID, e.Code, topUpFailures, topUpRest)
	})
	return errors.Join(err, e)
}

// failTopUp ends a top-up whose card was refused, and tells its user and the
// operators.
func (s *Shop) failTopUp(ctx context.Context, eventID string, p store.Payment, reason string) error {
	u, err := s.Store.UserByID(ctx, p.UserID)
	if err != nil {
		return err
	}
	err = s.Tell(ctx, notify.Event{ID: "topup.failed:" + p.ID, Kind: notify.TopUpFailed, Severity: notify.Warning, To: []string{u.Email},
		Title: "An automatic top-up of credits failed: the card was refused.",
		Data: map[string]any{"user": u.Email, "credits": p.Credits.String(), "amount": Money(p.Amount, p.Currency), "reason": reason,
			"note": fmt.Sprintf("After %d failures in a row automatic top-ups are switched off.", topUpFailures)}})
	if err != nil {
		return err
	}
	return s.apply(ctx, eventID, func(ctx context.Context, tx *store.Tx) error {
		if changed, err := tx.EndPayment(ctx, p.ID, "failed", reason); err != nil || !changed {
			return err
		}
		return tx.TopUpFailed(ctx, p.AccountID, reason, topUpFailures, topUpRest)
	})
}

// onIntent takes in what the charge of a top-up has become. Intents of checkouts
// come with their sessions.
func (s *Shop) onIntent(ctx context.Context, eventID string, v stripe.Intent) error {
	p, err := s.topUpOf(ctx, v)
	if err != nil || p.ID == "" || p.State == "paid" {
		return err
	}
	switch v.Status {
	case "succeeded":
		return s.apply(ctx, eventID, func(ctx context.Context, tx *store.Tx) error { return s.takeIntent(ctx, tx, p.ID, v) })
	case "requires_payment_method", "requires_action", "canceled":
		if p.State == "failed" {
			return nil
		}
		reason := v.Status
		if v.Failure != nil {
			reason = v.Failure.Code
		}
		return s.failTopUp(ctx, eventID, p, reason)
	}
	return nil // processing
}

// topUpOf finds the top-up of an intent: by its id, or, where the answer that told
// it was lost, by what the hub wrote on it, if the customer is the same. The zero
// Payment is none.
func (s *Shop) topUpOf(ctx context.Context, v stripe.Intent) (store.Payment, error) {
	p, err := s.Store.PaymentByIntent(ctx, v.ID)
	if errors.Is(err, store.ErrNotFound) && v.Metadata[metadata] != "" {
		p, err = s.Store.PaymentByID(ctx, v.Metadata[metadata])
	}
	if errors.Is(err, store.ErrNotFound) {
		return store.Payment{}, nil
	}
	if err != nil || p.Kind != "topup" || (p.IntentID != "" && p.IntentID != v.ID) || string(v.Customer) != p.CustomerID {
		return store.Payment{}, err
	}
	return p, nil
}

func (s *Shop) takeIntent(ctx context.Context, tx *store.Tx, id string, v stripe.Intent) error {
	p, err := tx.PaymentByID(ctx, id)
	switch {
	case err != nil || p.State == "paid":
		return err
	case v.Currency != p.Currency || v.Amount != p.Amount || v.Received != p.Amount:
		return &mismatch{p.ID, fmt.Sprintf("%s were charged, not %s", Money(v.Received, v.Currency), Money(p.Amount, p.Currency))}
	}
	if err := tx.TopUpWorked(ctx, p.AccountID); err != nil {
		return err
	}
	// Nobody was asked for a name: it is the one of the last purchase.
	text, err := tx.LastReceipt(ctx, p.UserID)
	if err != nil {
		return err
	}
	var last receiptData
	if text != "" {
		if err := json.Unmarshal([]byte(text), &last); err != nil {
			return err
		}
	}
	last.Seller = s.Seller
	return s.settle(ctx, tx, p, store.Paid{IntentID: v.ID, Total: p.Amount}, last)
}

// followTopUp finds out what became of a charge: by its intent, by asking once
// more under the same key, or, when the key may be forgotten, among the customer's
// intents.
func (s *Shop) followTopUp(ctx context.Context, p store.Payment) error {
	age := s.Now().Sub(p.CreatedAt)
	if err := s.Store.PutOffPayment(ctx, p.ID, min(max(checkCharge, age/2), sessionLife)); err != nil {
		return err
	}
	if p.IntentID != "" {
		v, err := s.Stripe.Intent(ctx, p.IntentID)
		if err != nil {
			return err
		}
		return s.onIntent(ctx, "", v)
	}
	if age < keyLife {
		return s.charge(ctx, p)
	}
	all, err := s.Stripe.Intents(ctx, p.CustomerID, p.CreatedAt.Add(-time.Hour))
	if err != nil {
		return err
	}
	for _, v := range all {
		if v.Metadata[metadata] == p.ID {
			return s.onIntent(ctx, "", v)
		}
	}
	return ignore(s.Store.EndPayment(ctx, p.ID, "failed", "the provider knows of no charge"), store.ErrNotFound)
}
