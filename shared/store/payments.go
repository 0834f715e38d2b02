package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/money"
)

// Payment is a row of payments. Money is in the currency's smallest unit.
type Payment struct {
	ID         string
	Kind       string // checkout or topup
	UserID     string
	AccountID  string
	Credits    money.Credits
	Amount     int64 // the price, without tax that is added to it
	Total      int64 // what was paid; 0 until then
	Tax        int64 // of the total
	Currency   string
	CustomerID string
	MethodID   string // the card that a top-up is charged to
	State      string // new, open, paid, failed or expired
	SessionID  string
	IntentID   string
	Error      string
	CreatedAt  time.Time
	PaidAt     *time.Time
}

const paymentColumns = `p.id, p.kind, p.user_id, p.account_id, p.credits_nano, p.amount, p.total, p.tax, p.currency, p.customer_id, p.method_id, p.state,
  coalesce(p.session_id, ''), coalesce(p.intent_id, ''), p.error, p.created_at, p.paid_at FROM payments p `

func scanPayment(scan func(...any) error, p *Payment) error {
	var created int64
	var paid sql.NullInt64
	err := scan(&p.ID, &p.Kind, &p.UserID, &p.AccountID, &p.Credits, &p.Amount, &p.Total, &p.Tax, &p.Currency, &p.CustomerID, &p.MethodID, &p.State,
		&p.SessionID, &p.IntentID, &p.Error, &created, &paid)
	p.CreatedAt, p.PaidAt = time.UnixMilli(created).UTC(), nullMillis(paid)
	return err
}

func onePayment(ctx context.Context, q queryer, where, arg string) (Payment, error) {
	var p Payment
	err := scanPayment(q.QueryRowContext(ctx, "SELECT "+paymentColumns+where, arg).Scan, &p)
	if errors.Is(err, sql.ErrNoRows) {
		return p, ErrNotFound
	}
	return p, err
}

// PaymentByID finds a payment.
func (s *Store) PaymentByID(ctx context.Context, id string) (Payment, error) {
	return onePayment(ctx, s.read, "WHERE p.id = ?", id)
}

// PaymentByID finds a payment.
func (tx *Tx) PaymentByID(ctx context.Context, id string) (Payment, error) {
	return onePayment(ctx, tx, "WHERE p.id = ?", id)
}

// PaymentBySession finds the payment that a checkout session was made for.
func (tx *Tx) PaymentBySession(ctx context.Context, id string) (Payment, error) {
	return onePayment(ctx, tx, "WHERE p.session_id = ?", id)
}

// PaymentByIntent finds the payment with a payment intent.
func (tx *Tx) PaymentByIntent(ctx context.Context, id string) (Payment, error) {
	return onePayment(ctx, tx, "WHERE p.intent_id = ?", id)
}

// PaymentByIntent finds the payment with a payment intent.
func (s *Store) PaymentByIntent(ctx context.Context, id string) (Payment, error) {
	return onePayment(ctx, s.read, "WHERE p.intent_id = ?", id)
}

// AddPayment records a checkout before the provider hears of it; it is looked
// after from wait on.
func (s *Store) AddPayment(ctx context.Context, p Payment, wait time.Duration) error {
	u := &Unit{Priority: Background}
	u.Add(`INSERT INTO payments (id, kind, user_id, account_id, credits_nano, amount, currency, customer_id, state, check_at, created_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'new', `+dbNow+` + ?9, ?10)`, p.ID, p.Kind, p.UserID, p.AccountID, int64(p.Credits), p.Amount, p.Currency,
		p.CustomerID, wait.Milliseconds(), s.millis())
	return s.Do(ctx, u)
}

// OpenPayment notes what the provider calls the payment: its checkout session, or
// its intent. ErrNotFound: the payment is over.
func (s *Store) OpenPayment(ctx context.Context, id, sessionID, intentID string, wait time.Duration) error {
	return s.Exec(ctx, `UPDATE payments SET session_id = nullif(?2, ''), intent_id = nullif(?3, ''), state = 'open', check_at = `+dbNow+` + ?4
WHERE id = ?1 AND state IN ('new','open')`, id, sessionID, intentID, wait.Milliseconds())
}

// EndPayment closes a payment that did not come about: failed or expired.
// ErrNotFound: it is over already.
func (s *Store) EndPayment(ctx context.Context, id, state, reason string) error {
	return s.Exec(ctx, "UPDATE payments SET state = ?2, error = ?3 WHERE id = ?1 AND state IN ('new','open')", id, state, reason)
}

// EndPayment is Store's, within a transaction; it reports whether the payment was
// not over yet.
func (tx *Tx) EndPayment(ctx context.Context, id, state, reason string) (bool, error) {
	res, err := tx.ExecContext(ctx, "UPDATE payments SET state = ?2, error = ?3 WHERE id = ?1 AND state IN ('new','open')", id, state, reason)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// PutOffPayment has a payment looked after later.
func (s *Store) PutOffPayment(ctx context.Context, id string, wait time.Duration) error {
	u := &Unit{Priority: Background}
	u.Add("UPDATE payments SET check_at = "+dbNow+" + ?2 WHERE id = ?1 AND state IN ('new','open')", id, wait.Milliseconds())
	return s.Do(ctx, u)
}

// DuePayments lists payments whose outcome the provider has to be asked for.
func (s *Store) DuePayments(ctx context.Context, limit int) ([]Payment, error) {
	return list(ctx, s.read, func(r *sql.Rows, p *Payment) error { return scanPayment(r.Scan, p) },
		"SELECT "+paymentColumns+"WHERE p.state IN ('new','open') AND p.check_at <= "+dbNow+" ORDER BY p.check_at LIMIT ?", limit)
}

const (
	allPayments   = "SELECT " + paymentColumns + "WHERE p.id < ?1 AND (?2 = '' OR p.state = ?2) ORDER BY p.id DESC LIMIT ?3"
	paymentsOfOne = "SELECT " + paymentColumns + "WHERE p.account_id = ?4 AND p.id < ?1 AND (?2 = '' OR p.state = ?2) ORDER BY p.id DESC LIMIT ?3"
)

// Payments lists up to limit payments older than the one with id before ("": from
// the newest), newest first: in one state and of one account, "" meaning all.
func (s *Store) Payments(ctx context.Context, accountID, state, before string, limit int) ([]Payment, error) {
	const last = "~" // behind every id
	if before == "" {
		before = last
	}
	scan := func(r *sql.Rows, p *Payment) error { return scanPayment(r.Scan, p) }
	if accountID == "" {
		return list(ctx, s.read, scan, allPayments, before, state, limit)
	}
	return list(ctx, s.read, scan, paymentsOfOne, before, state, limit, accountID)
}

// UnpaidSince counts an account's checkouts since a moment that were not paid.
func (s *Store) UnpaidSince(ctx context.Context, accountID string, since time.Time) (n int64, err error) {
	err = s.read.QueryRowContext(ctx, "SELECT count(*) FROM payments p WHERE p.account_id = ?1 AND p.id > ?2 AND p.kind = 'checkout' AND p.state <> 'paid'",
		accountID, earliestID(since)).Scan(&n)
	return n, err
}

// NoteEvent records an event of the payment provider; fresh is false when it was
// recorded before.
func (s *Store) NoteEvent(ctx context.Context, tx *Tx, id string) (fresh bool, err error) {
	res, err := tx.ExecContext(ctx, "INSERT INTO payment_events (id, created_at) VALUES (?1, ?2) ON CONFLICT DO NOTHING", id, s.millis())
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// Paid is what the provider says of a payment that succeeded.
type Paid struct {
	IntentID string
	Total    int64
	Tax      int64
	Receipt  string // JSON: seller and buyer as they are
}

// SettlePayment takes a payment in: its credits are granted, it gets the next
// receipt's number, and what had gone back of it already is reversed. One that
// was taken in before stays as it is.
func (s *Store) SettlePayment(ctx context.Context, tx *Tx, p Payment, paid Paid) error {
	if p.State == "paid" {
		return nil
	}
	now := s.millis()
	u := &Unit{}
	u.Add("UPDATE payments SET state = 'paid', intent_id = ?2, total = ?3, tax = ?4, error = '', paid_at = ?5 WHERE id = ?1",
		p.ID, paid.IntentID, paid.Total, paid.Tax, now)
	u.Add("INSERT INTO receipts (number, payment_id, user_id, data_json, created_at) SELECT coalesce(max(number), 0) + 1, ?1, ?2, ?3, ?4 FROM receipts",
		p.ID, p.UserID, paid.Receipt, now)
	if err := tx.run(ctx, u); err != nil {
		return err
	}
	g := Grant{ID: p.GrantID(), AccountID: p.AccountID, Kind: "purchased", Name: "card payment", Amount: p.Credits, Remaining: p.Credits, Priority: purchasedPriority,
		State: "active", Cause: "payment", Actor: "stripe", Reason: "payment " + p.ID, CreatedAt: time.UnixMilli(now).UTC()}
	if err := s.GrantIn(ctx, tx, g); err != nil {
		return err
	}
	p.State, p.IntentID, p.Total, p.Tax = "paid", paid.IntentID, paid.Total, paid.Tax
	return s.settleBacks(ctx, tx, p)
}

// GrantID is the id of the grant that a payment makes.
func (p Payment) GrantID() string { return "payment/" + p.ID }

// purchasedPriority spends what was given before what was bought.
const purchasedPriority = 100

// CardCustomer is a row of card_customers.
type CardCustomer struct {
	UserID     string
	CustomerID string
	MethodID   string // "": no card is kept
	Card       string // for people
}

// CardCustomerOf finds the payment provider's customer of a user.
func (s *Store) CardCustomerOf(ctx context.Context, userID string) (c CardCustomer, err error) {
	err = s.read.QueryRowContext(ctx, "SELECT user_id, customer_id, method_id, card FROM card_customers WHERE user_id = ?", userID).
		Scan(&c.UserID, &c.CustomerID, &c.MethodID, &c.Card)
	if errors.Is(err, sql.ErrNoRows) {
		return c, ErrNotFound
	}
	return c, err
}

// AddCardCustomer keeps a user's customer; of two processes the first one's stays.
func (s *Store) AddCardCustomer(ctx context.Context, userID, customerID string) (CardCustomer, error) {
	u := &Unit{Priority: Background}
	u.Add("INSERT INTO card_customers (user_id, customer_id, created_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING", userID, customerID, s.millis())
	if err := s.Do(ctx, u); err != nil {
		return CardCustomer{}, err
	}
	return s.CardCustomerOf(ctx, userID)
}

// SetCard keeps the card of a user that top-ups are charged to; "" forgets it.
func (s *Store) SetCard(ctx context.Context, userID, methodID, card string) error {
	return s.Exec(ctx, "UPDATE card_customers SET method_id = ?2, card = ?3 WHERE user_id = ?1", userID, methodID, card)
}

// eventLife is how long ids of events are kept. The provider repeats an event for
// days; later repeats change nothing either, since facts only grow.
const eventLife = 60 * 24 * time.Hour

// ForgetEvents deletes old ids of events, and what went back of payments that are
// not this hub's, a batch at a time.
func (s *Store) ForgetEvents(ctx context.Context) error {
	const batch = 1000
	u := &Unit{Priority: Background}
	u.Add("DELETE FROM payment_events WHERE id IN (SELECT id FROM payment_events WHERE created_at < ?1 ORDER BY created_at LIMIT ?2)",
		s.now().Add(-eventLife).UnixMilli(), batch)
	u.Add(`DELETE FROM payment_backs WHERE intent_id IN (SELECT b.intent_id FROM payment_backs b WHERE b.created_at < ?1 AND b.steps = 0
  AND NOT EXISTS (SELECT 1 FROM payments p WHERE p.intent_id = b.intent_id) ORDER BY b.created_at LIMIT ?2)`, s.now().Add(-eventLife).UnixMilli(), batch)
	return s.Do(ctx, u)
}
