package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/money"
)

// Account is a row of accounts.
type Account struct {
	ID         string
	Kind       string
	UserID     string
	Balance    money.Credits
	Held       money.Credits
	Debt       money.Credits
	NextExpiry *time.Time
}

// Available is what new holds may take.
func (a Account) Available() money.Credits { return a.Balance - a.Held }

const accountColumns = "id, kind, coalesce(user_id, ''), balance_nano, held_nano, debt_nano, next_expiry FROM accounts"

func scanAccount(scan func(...any) error, a *Account) error {
	var next sql.NullInt64
	if err := scan(&a.ID, &a.Kind, &a.UserID, &a.Balance, &a.Held, &a.Debt, &next); err != nil {
		return err
	}
	a.NextExpiry = nullMillis(next)
	return nil
}

// AccountByID finds an account.
func (s *Store) AccountByID(ctx context.Context, id string) (Account, error) {
	var a Account
	err := scanAccount(s.read.QueryRowContext(ctx, "SELECT "+accountColumns+" WHERE id = ?", id).Scan, &a)
	if errors.Is(err, sql.ErrNoRows) {
		return a, ErrNotFound
	}
	return a, err
}

// Accounts lists up to limit accounts after the one with id after.
func (s *Store) Accounts(ctx context.Context, after string, limit int) ([]Account, error) {
	return list(ctx, s.read, func(r *sql.Rows, a *Account) error { return scanAccount(r.Scan, a) },
		"SELECT "+accountColumns+" WHERE id > ? ORDER BY id LIMIT ?", after, limit)
}

// DueAccounts lists accounts with grants due by the database's clock.
func (s *Store) DueAccounts(ctx context.Context, limit int) ([]string, error) {
	return list(ctx, s.read, func(r *sql.Rows, id *string) error { return r.Scan(id) },
		"SELECT id FROM accounts WHERE next_expiry <= "+dbNow+" ORDER BY next_expiry LIMIT ?", limit)
}

// Operation is a row of ledger_operations.
type Operation struct {
	ID        string
	Kind      string
	Cause     string // "" where the kind says it all
	CallID    string
	AccountID string
	Amount    money.Credits
	Actor     string
	Reason    string
	CreatedAt time.Time
}

// Operations lists an account's newest operations.
func (s *Store) Operations(ctx context.Context, accountID string, limit int) ([]Operation, error) {
	return list(ctx, s.read, func(r *sql.Rows, o *Operation) error {
		var created int64
		if err := r.Scan(&o.ID, &o.Kind, &o.Cause, &o.CallID, &o.AccountID, &o.Amount, &o.Actor, &o.Reason, &created); err != nil {
			return err
		}
		o.CreatedAt = time.UnixMilli(created).UTC()
		return nil
	}, `SELECT id, kind, cause, coalesce(call_id, ''), account_id, amount_nano, actor, reason, created_at FROM ledger_operations
WHERE account_id = ? ORDER BY created_at DESC, id DESC LIMIT ?`, accountID, limit)
}
