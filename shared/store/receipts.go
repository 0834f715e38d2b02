package store

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"time"
)

// Receipt is a row of receipts with its payment and what went back of it.
type Receipt struct {
	Number    int64
	Data      string // JSON
	CreatedAt time.Time
	Email     string // of the user, today
	Payment   Payment
	Backs     Backs
}

const (
	receiptColumns = `r.number, r.data_json, r.created_at, u.email, p.id, p.kind, p.user_id, p.credits_nano, p.total, p.tax, p.currency,
  coalesce(b.refunded, 0), coalesce(b.reversed_nano, 0), ` + disputed + `
FROM receipts r JOIN payments p ON p.id = r.payment_id JOIN users u ON u.id = r.user_id LEFT JOIN payment_backs b ON b.intent_id = p.intent_id `
	allReceipts = "SELECT " + receiptColumns + "WHERE r.number < ?1 ORDER BY r.number DESC LIMIT ?2"
	ownReceipts = "SELECT " + receiptColumns + "WHERE r.user_id = ?3 AND r.number < ?1 ORDER BY r.number DESC LIMIT ?2"
)

// LastReceipt is the data of a user's newest receipt, "" where there is none.
func (tx *Tx) LastReceipt(ctx context.Context, userID string) (data string, err error) {
	err = tx.QueryRowContext(ctx, "SELECT data_json FROM receipts WHERE user_id = ? ORDER BY number DESC LIMIT 1", userID).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return data, err
}

// Receipts lists up to limit receipts with numbers below before (0: all), newest
// first, of one user or, for "", of everybody.
func (s *Store) Receipts(ctx context.Context, userID string, before int64, limit int) ([]Receipt, error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	scan := func(r *sql.Rows, v *Receipt) error {
		var created int64
		p := &v.Payment
		err := r.Scan(&v.Number, &v.Data, &created, &v.Email, &p.ID, &p.Kind, &p.UserID, &p.Credits, &p.Total, &p.Tax, &p.Currency,
			&v.Backs.Refunded, &v.Backs.Reversed, &v.Backs.Disputed)
		v.CreatedAt = time.UnixMilli(created).UTC()
		return err
	}
	if userID == "" {
		return list(ctx, s.read, scan, allReceipts, before, limit)
	}
	return list(ctx, s.read, scan, ownReceipts, before, limit, userID)
}
