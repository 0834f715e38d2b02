package store

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/money"
)

// Crossing is a wallet whose balance fell below what its user wants to know of,
// or below a thousandth of a credit, which is as good as nothing. A trigger writes it in the transaction that moved the balance, so
// each fall is there once, whichever process caused it.
type Crossing struct {
	ID        int64
	AccountID string
	Kind      string // low or empty
	Balance   money.Credits
	Low       money.Credits // the threshold
	CreatedAt time.Time
	Owner     string // the user's e-mail address, or the name of a shared wallet
}

// Crossings lists crossings that nobody was told of yet, oldest first.
func (s *Store) Crossings(ctx context.Context, limit int) ([]Crossing, error) {
	return list(ctx, s.read, func(r *sql.Rows, c *Crossing) error {
		var created int64
		err := r.Scan(&c.ID, &c.AccountID, &c.Kind, &c.Balance, &c.Low, &created, &c.Owner)
		c.CreatedAt = time.UnixMilli(created).UTC()
		return err
	}, `SELECT x.id, x.account_id, x.kind, x.balance_nano, x.low_nano, x.created_at, coalesce(u.email, w.name, x.account_id)
FROM wallet_crossings x LEFT JOIN accounts a ON a.id = x.account_id LEFT JOIN users u ON u.id = a.user_id
LEFT JOIN shared_wallets w ON w.account_id = x.account_id WHERE x.id > 0 ORDER BY x.id LIMIT ?`, limit)
}

// CrossingTold deletes a crossing that was told.
func (s *Store) CrossingTold(ctx context.Context, id int64) error {
	u := &Unit{Priority: Background}
	u.Add("DELETE FROM wallet_crossings WHERE id = ?1", id)
	return s.Do(ctx, u)
}

// WalletMail lists the addresses of those whom a wallet's notices go to: its user,
// or the managers of a shared one; not who switched them off.
func (s *Store) WalletMail(ctx context.Context, accountID string) ([]string, error) {
	return list(ctx, s.read, func(r *sql.Rows, email *string) error { return r.Scan(email) },
		`SELECT u.email FROM users u LEFT JOIN notice_choices c ON c.user_id = u.id
WHERE u.id IN (SELECT user_id FROM accounts WHERE id = ?1 AND user_id IS NOT NULL UNION ALL SELECT user_id FROM wallet_members WHERE account_id = ?1 AND manager = 1)
  AND u.disabled_at IS NULL AND u.email NOT LIKE '%.invalid' AND coalesce(c.mail, 1) = 1 ORDER BY u.id LIMIT 100`, accountID)
}

// lowBalance is the stored setting with the balance below which users are told
// who did not choose another.
const lowBalance = "notify.low_balance_nano"

const lowSetting = "coalesce((SELECT CAST(value AS INTEGER) FROM settings WHERE name = '" + lowBalance + "'), 0)"

// LowBalance reads the hub's threshold; 0: nobody is told.
func (s *Store) LowBalance(ctx context.Context) (money.Credits, error) {
	text, err := s.Setting(ctx, lowBalance)
	if errors.Is(err, ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return money.Credits(n), err
}

const lowBatch = 2000

// SetLowBalance changes the hub's threshold, and with it that of every wallet
// whose user did not choose, a batch at a time. Of two at once the later setting
// stays everywhere.
func (s *Store) SetLowBalance(ctx context.Context, n money.Credits) error {
	if err := s.SetSetting(ctx, lowBalance, strconv.FormatInt(int64(n), 10)); err != nil {
		return err
	}
	for after := ""; ; {
		ids, err := list(ctx, s.read, func(r *sql.Rows, id *string) error { return r.Scan(id) },
			"SELECT id FROM accounts WHERE id > ? ORDER BY id LIMIT ?", after, lowBatch)
		if err != nil || len(ids) == 0 {
			return err
		}
		last := ids[len(ids)-1]
		u := &Unit{Priority: Background}
		u.Add("UPDATE accounts SET low_nano = "+lowSetting+` WHERE id > ?1 AND id <= ?2 AND kind = 'wallet'
  AND NOT EXISTS (SELECT 1 FROM notice_choices c WHERE c.user_id = accounts.user_id AND c.low_nano IS NOT NULL)`, after, last)
		if err := s.Do(ctx, u); err != nil {
			return err
		}
		after = last
	}
}

// FillLowBalance gives new wallets the hub's threshold.
func (s *Store) FillLowBalance(ctx context.Context) error {
	var one int
	err := s.read.QueryRowContext(ctx, "SELECT 1 FROM accounts WHERE low_nano IS NULL AND id > '' LIMIT 1").Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return nil // nearly always
	}
	if err != nil {
		return err
	}
	u := &Unit{Priority: Background}
	u.Add("UPDATE accounts SET low_nano = CASE kind WHEN 'wallet' THEN "+lowSetting+" ELSE 0 END WHERE id IN (SELECT id FROM accounts WHERE low_nano IS NULL AND id > '' LIMIT ?1)", lowBatch)
	return s.Do(ctx, u)
}

// NoticeChoice is what a user wants to be told about the own wallet.
type NoticeChoice struct {
	Low  *money.Credits // nil: the hub's threshold
	Mail bool
}

// NoticeChoice reads a user's choice; who did not choose gets everything.
func (s *Store) NoticeChoice(ctx context.Context, userID string) (NoticeChoice, error) {
	c := NoticeChoice{Mail: true}
	var low sql.NullInt64
	err := s.read.QueryRowContext(ctx, "SELECT low_nano, mail FROM notice_choices WHERE user_id = ?", userID).Scan(&low, &c.Mail)
	if errors.Is(err, sql.ErrNoRows) {
		return c, nil
	}
	c.Low = billed(low)
	return c, err
}

// ChooseNotices keeps a user's choice and puts it to the user's wallet.
func (s *Store) ChooseNotices(ctx context.Context, userID string, c NoticeChoice) error {
	var low any
	if c.Low != nil {
		low = int64(*c.Low)
	}
	u := &Unit{Priority: Background}
	u.Add(`INSERT INTO notice_choices (user_id, low_nano, mail, updated_at) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT DO UPDATE SET low_nano = excluded.low_nano, mail = excluded.mail, updated_at = excluded.updated_at`, userID, low, boolInt(c.Mail), s.millis())
	u.Add("UPDATE accounts SET low_nano = coalesce(?2, "+lowSetting+") WHERE user_id = ?1", userID, low)
	return s.Do(ctx, u)
}
