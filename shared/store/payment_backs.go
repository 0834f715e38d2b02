package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/bits"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/money"
)

// The stages of a dispute, in the order in which they count. A dispute takes
// money from the hub's operator while it is open, and when it is lost.
const (
	DisputeInquiry int64 = iota // a question of the bank; no money has moved
	DisputeOpen
	DisputeLost
	DisputeWon
)

// NoteRefund notes how much of a charge has been refunded in all, and reverses
// what is new of it. Smaller sums than one seen before change nothing: they come
// late.
func (s *Store) NoteRefund(ctx context.Context, tx *Tx, intentID, chargeID string, cumulative int64) error {
	u := &Unit{}
	u.Add(`INSERT INTO payment_backs (intent_id, charge_id, refunded, created_at) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (intent_id) DO UPDATE SET refunded = max(refunded, ?3)`, intentID, chargeID, cumulative, s.millis())
	if err := tx.run(ctx, u); err != nil {
		return err
	}
	return s.settleKnown(ctx, tx, intentID)
}

// Dispute is what is known of a dispute. The bank's amount can be in another
// currency than the payment's; then it stands for the whole of the payment.
type Dispute struct {
	ID       string
	Amount   int64
	Currency string
	Stage    int64
}

// NoteDispute notes how far a dispute is, and reverses or gives back what follows
// from it.
func (s *Store) NoteDispute(ctx context.Context, tx *Tx, intentID, chargeID string, d Dispute) error {
	now := s.millis()
	u := &Unit{}
	u.Add("INSERT INTO payment_backs (intent_id, charge_id, created_at) VALUES (?1, ?2, ?3) ON CONFLICT (intent_id) DO NOTHING", intentID, chargeID, now)
	u.Add(`INSERT INTO payment_disputes (id, intent_id, amount, currency, stage, created_at) VALUES (?1, ?2, ?3, ?6, ?4, ?5)
ON CONFLICT (id) DO UPDATE SET amount = max(amount, ?3), stage = max(stage, ?4)`, d.ID, intentID, d.Amount, d.Stage, now, d.Currency)
	if err := tx.run(ctx, u); err != nil {
		return err
	}
	return s.settleKnown(ctx, tx, intentID)
}

func (s *Store) settleKnown(ctx context.Context, tx *Tx, intentID string) error {
	p, err := tx.PaymentByIntent(ctx, intentID)
	if errors.Is(err, ErrNotFound) || (err == nil && p.State != "paid") {
		return nil // it is remembered until the payment is known
	}
	if err != nil {
		return err
	}
	return s.settleBacks(ctx, tx, p)
}

// Backs is what went back of a payment.
type Backs struct {
	ChargeID string
	Refunded int64 // in all
	Disputed int64 // by disputes that are open or lost
	Reversed money.Credits
	steps    int64
}

// disputed is what disputes that are open or lost take of the payment p.
const disputed = `coalesce((SELECT sum(CASE WHEN d.currency = p.currency THEN d.amount ELSE p.total END) FROM payment_disputes d
  WHERE d.intent_id = p.intent_id AND d.stage IN (1, 2)), 0)`

const backsOf = "SELECT b.charge_id, b.refunded, " + disputed + `, b.reversed_nano, b.steps
FROM payments p JOIN payment_backs b ON b.intent_id = p.intent_id WHERE p.intent_id = ?`

func backs(ctx context.Context, q queryer, intentID string) (b Backs, err error) {
	err = q.QueryRowContext(ctx, backsOf, intentID).Scan(&b.ChargeID, &b.Refunded, &b.Disputed, &b.Reversed, &b.steps)
	if errors.Is(err, sql.ErrNoRows) {
		return b, nil
	}
	return b, err
}

// settleBacks brings the wallet to what follows from all that is known of a
// payment, whatever order it became known in: credits in proportion to the money
// that went back, the difference to what was reversed before.
func (s *Store) settleBacks(ctx context.Context, tx *Tx, p Payment) error {
	b, err := backs(ctx, tx, p.IntentID)
	if err != nil || b.ChargeID == "" {
		return err
	}
	cause := "refund"
	if b.Disputed > 0 {
		cause = "dispute"
	}
	want := share(p.Credits, min(b.Refunded+b.Disputed, p.Total), p.Total)
	id := fmt.Sprintf("%s/%d/%d", b.ChargeID, b.steps+1, int64(want)) // the charge, the step, and the credits reversed in all
	switch diff := want - b.Reversed; {
	case diff == 0:
		return nil
	case diff > 0:
		_, err = s.ReverseIn(ctx, tx, Reversal{ID: id, AccountID: p.AccountID, GrantID: p.GrantID(), Cause: cause, Amount: diff, Actor: "stripe",
			Reason: cause + " of payment " + p.ID})
	default:
		err = s.GrantIn(ctx, tx, Grant{ID: id, AccountID: p.AccountID, Kind: "purchased", Name: "card payment", Amount: -diff, Remaining: -diff,
			Priority: purchasedPriority, State: "active", Cause: "dispute", Actor: "stripe", Reason: "dispute won over payment " + p.ID, CreatedAt: time.UnixMilli(s.millis()).UTC()})
	}
	if err != nil {
		return err
	}
	u := &Unit{}
	u.Add("UPDATE payment_backs SET reversed_nano = ?2, steps = steps + 1 WHERE intent_id = ?1", p.IntentID, int64(want))
	return tx.run(ctx, u)
}

// share is credits × part ÷ whole in 128 bits, rounded down: of a part that goes
// back, at most a nano-credit stays with the user. The whole is exact.
func share(credits money.Credits, part, whole int64) money.Credits {
	if part <= 0 || whole <= 0 || credits <= 0 {
		return 0
	}
	part = min(part, whole)
	hi, lo := bits.Mul64(uint64(credits), uint64(part))
	q, _ := bits.Div64(hi, lo, uint64(whole)) // fits: part ≤ whole
	return money.Credits(q)
}
