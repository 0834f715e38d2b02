package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/money"
)

// TopUp is a row of auto_topups: what is bought by itself when a wallet runs low.
type TopUp struct {
	AccountID  string
	UserID     string
	Threshold  money.Credits // below it of what is available
	Credits    money.Credits // are bought
	MonthlyCap int64         // of the prices in a calendar month (UTC), in the currency's smallest unit
	Currency   string
	Enabled    bool
	Failures   int64  // in a row
	Error      string // of the last one
}

const topUpColumns = "t.account_id, t.user_id, t.threshold_nano, t.credits_nano, t.monthly_cap, t.currency, t.enabled, t.failures, t.error FROM auto_topups t "

func scanTopUp(scan func(...any) error, t *TopUp) error {
	return scan(&t.AccountID, &t.UserID, &t.Threshold, &t.Credits, &t.MonthlyCap, &t.Currency, &t.Enabled, &t.Failures, &t.Error)
}

// TopUpOf finds an account's top-up.
func (s *Store) TopUpOf(ctx context.Context, accountID string) (t TopUp, err error) {
	err = scanTopUp(s.read.QueryRowContext(ctx, "SELECT "+topUpColumns+"WHERE t.account_id = ?", accountID).Scan, &t)
	if errors.Is(err, sql.ErrNoRows) {
		return t, ErrNotFound
	}
	return t, err
}

// SetTopUp stores an account's top-up and forgets its failures.
func (s *Store) SetTopUp(ctx context.Context, t TopUp) error {
	u := &Unit{Priority: Background}
	u.Add(`INSERT INTO auto_topups (account_id, user_id, threshold_nano, credits_nano, monthly_cap, enabled, updated_at, currency) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
ON CONFLICT (account_id) DO UPDATE SET threshold_nano = ?3, credits_nano = ?4, monthly_cap = ?5, enabled = ?6, failures = 0, error = '', not_before = 0, updated_at = ?7, currency = ?8`,
		t.AccountID, t.UserID, int64(t.Threshold), int64(t.Credits), t.MonthlyCap, boolInt(t.Enabled), s.millis(), t.Currency)
	return s.Do(ctx, u)
}

// StopTopUp switches an account's top-up off. ErrNotFound: there is none.
func (s *Store) StopTopUp(ctx context.Context, accountID, reason string) error {
	return s.Exec(ctx, "UPDATE auto_topups SET enabled = 0, error = ?2, updated_at = ?3 WHERE account_id = ?1", accountID, reason, s.millis())
}

// ready is when a top-up is due: the wallet is low, owes nothing, no other top-up
// of it is under way, and its user is not disabled. What is owed comes from a payment that was taken
// back; charging the card once more would only bring the next dispute.
const ready = `t.enabled = 1 AND t.not_before <= ` + dbNow + ` AND a.balance_nano - a.held_nano < t.threshold_nano AND a.debt_nano = 0
  AND NOT EXISTS (SELECT 1 FROM payments p WHERE p.account_id = t.account_id AND p.kind = 'topup' AND p.state IN ('new','open'))
  AND NOT EXISTS (SELECT 1 FROM users u WHERE u.id = t.user_id AND u.disabled_at IS NOT NULL)`

// DueTopUps lists up to limit top-ups that are due, after the account with id
// after.
func (s *Store) DueTopUps(ctx context.Context, after string, limit int) ([]TopUp, error) {
	return list(ctx, s.read, func(r *sql.Rows, t *TopUp) error { return scanTopUp(r.Scan, t) },
		"SELECT "+topUpColumns+"JOIN accounts a ON a.id = t.account_id WHERE t.account_id > ?1 AND "+ready+" ORDER BY t.account_id LIMIT ?2", after, limit)
}

// DueTopUp finds an account's top-up if it is due. ErrNotFound: it is not.
func (s *Store) DueTopUp(ctx context.Context, accountID string) (t TopUp, err error) {
	err = scanTopUp(s.read.QueryRowContext(ctx, "SELECT "+topUpColumns+"JOIN accounts a ON a.id = t.account_id WHERE t.account_id = ?1 AND "+ready, accountID).Scan, &t)
	if errors.Is(err, sql.ErrNoRows) {
		return t, ErrNotFound
	}
	return t, err
}

// monthSpent is what top-ups of an account cost in the current month, those that
// are under way included.
const monthSpent = `(SELECT coalesce(sum(p.amount), 0) FROM payments p WHERE p.account_id = t.account_id AND p.kind = 'topup' AND p.state IN ('new','open','paid')
  AND p.created_at >= unixepoch('now', 'start of month') * 1000)`

// BeginTopUp records a top-up before the provider hears of it, if it is still due
// and within the month's cap: two processes never begin two. ErrNotFound: it is
// not; ErrConflict: another one is under way.
func (s *Store) BeginTopUp(ctx context.Context, p Payment, wait time.Duration) error {
	return s.Exec(ctx, `INSERT INTO payments (id, kind, user_id, account_id, credits_nano, amount, currency, customer_id, method_id, state, check_at, created_at)
SELECT ?1, 'topup', t.user_id, t.account_id, ?3, ?4, ?5, ?6, ?7, 'new', `+dbNow+` + ?8, `+dbNow+`
FROM auto_topups t JOIN accounts a ON a.id = t.account_id WHERE t.account_id = ?2 AND `+ready+` AND `+monthSpent+` + ?4 <= t.monthly_cap`,
		p.ID, p.AccountID, int64(p.Credits), p.Amount, p.Currency, p.CustomerID, p.MethodID, wait.Milliseconds())
}

// MonthSpent is what an account's top-ups of the current month cost, in the
// currency's smallest unit.
func (s *Store) MonthSpent(ctx context.Context, accountID string) (n int64, err error) {
	err = s.read.QueryRowContext(ctx, "SELECT coalesce((SELECT "+monthSpent+" FROM auto_topups t WHERE t.account_id = ?), 0)", accountID).Scan(&n)
	return n, err
}

// TopUpFailed counts a failure; after most in a row the top-up is switched off,
// before that it rests.
func (tx *Tx) TopUpFailed(ctx context.Context, accountID, reason string, most int64, rest time.Duration) error {
	_, err := tx.ExecContext(ctx, `UPDATE auto_topups SET failures = failures + 1, error = ?2, enabled = (enabled = 1 AND failures + 1 < ?3), not_before = `+dbNow+` + ?4
WHERE account_id = ?1`, accountID, reason, most, rest.Milliseconds())
	return err
}

// TopUpRests puts an account's top-up off without counting a failure: the fault is
// not the card's.
func (tx *Tx) TopUpRests(ctx context.Context, accountID string, rest time.Duration) error {
	_, err := tx.ExecContext(ctx, "UPDATE auto_topups SET not_before = "+dbNow+" + ?2 WHERE account_id = ?1", accountID, rest.Milliseconds())
	return err
}

// TopUpWorked forgets the failures of an account's top-up.
func (tx *Tx) TopUpWorked(ctx context.Context, accountID string) error {
	_, err := tx.ExecContext(ctx, "UPDATE auto_topups SET failures = 0, error = '' WHERE account_id = ?1 AND (failures > 0 OR error <> '')", accountID)
	return err
}
