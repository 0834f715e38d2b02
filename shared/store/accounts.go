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
		"SELECT id FROM accounts WHERE next_expiry <= "+dbNow+" ORDER BY id LIMIT ?", limit)
}

// Grant is a row of credit_grants.
type Grant struct {
	ID        string
	AccountID string
	Kind      string // promotional, purchased, welcome or credit_line
	Name      string
	Amount    money.Credits
	Remaining money.Credits
	Priority  int64 // lower is spent first
	ExpiresAt *time.Time
	State     string // active, expiring or expired
	Actor     string
	Reason    string
	CreatedAt time.Time
}

const grantColumns = "id, account_id, kind, name, amount_nano, remaining_nano, priority, expires_at, state, actor, reason, created_at FROM credit_grants"

func scanGrant(r *sql.Rows, g *Grant) error {
	var expires sql.NullInt64
	var created int64
	if err := r.Scan(&g.ID, &g.AccountID, &g.Kind, &g.Name, &g.Amount, &g.Remaining, &g.Priority, &expires, &g.State, &g.Actor, &g.Reason, &created); err != nil {
		return err
	}
	g.ExpiresAt, g.CreatedAt = nullMillis(expires), time.UnixMilli(created).UTC()
	return nil
}

// Grants lists an account's grants by id.
func (s *Store) Grants(ctx context.Context, accountID string) ([]Grant, error) {
	return list(ctx, s.read, scanGrant, "SELECT "+grantColumns+" WHERE account_id = ? ORDER BY id LIMIT 1000", accountID)
}

const refreshExpiry = `UPDATE accounts SET next_expiry = (SELECT min(expires_at) FROM credit_grants WHERE account_id = ?1 AND open = 1 AND remaining_nano > 0) WHERE id = ?1`

// GrantUnit gives credits to an account under the grant's id; a second one with
// that id gives ErrConflict and changes nothing.
func (s *Store) GrantUnit(g Grant) *Unit {
	u := &Unit{Priority: Background}
	now := s.millis()
	op := "grant/" + g.ID
	u.Add(`INSERT INTO credit_grants (id, account_id, kind, name, amount_nano, remaining_nano, priority, expires_at, spend_by, actor, reason, created_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7, coalesce(?7, 9223372036854775807), ?8, ?9, ?10)`, g.ID, g.AccountID, g.Kind, g.Name, int64(g.Amount), g.Priority,
		millisOrNil(g.ExpiresAt), g.Actor, g.Reason, now)
	u.Add("INSERT INTO ledger_operations (id, kind, account_id, amount_nano, actor, reason, created_at) VALUES (?1, 'grant', ?2, ?3, ?4, ?5, ?6)",
		op, g.AccountID, int64(g.Amount), g.Actor, g.Reason, now)
	u.Add("INSERT INTO ledger_entries (operation_id, account_id, amount_nano) VALUES (?1, ?2, ?3), (?1, 'grants', -?3)",
		op, g.AccountID, int64(g.Amount))
	u.Add(refreshExpiry, g.AccountID)
	return u
}

// ExpireGrants moves what is left of the account's due grants to the system
// account, at most what no hold needs; the rest stays expiring until holds
// close. blocked reports such a rest: then nothing is free on the account, and
// no new hold may open.
func (s *Store) ExpireGrants(ctx context.Context, accountID string) (blocked bool, err error) {
	err = s.Tx(ctx, func(ctx context.Context, tx *Tx) error {
		due, err := list(ctx, tx, scanGrant, "SELECT "+grantColumns+" WHERE account_id = ? AND open = 1 AND remaining_nano > 0 AND expires_at <= "+dbNow+
			" ORDER BY priority, spend_by, id", accountID)
		if err != nil {
			return err
		}
		var acc Account
		if err := scanAccount(tx.QueryRowContext(ctx, "SELECT "+accountColumns+" WHERE id = ?", accountID).Scan, &acc); err != nil {
			return err
		}
		free := acc.Available()
		u := &Unit{}
		blocked = false
		for _, g := range due {
			take := min(g.Remaining, max(0, free))
			free -= take
			s.expireOne(u, g, take)
			blocked = blocked || take < g.Remaining
		}
		u.Add(refreshExpiry, accountID)
		return tx.run(ctx, u)
	})
	return blocked, err
}

func (s *Store) expireOne(u *Unit, g Grant, take money.Credits) {
	state := "expiring"
	if take == g.Remaining {
		state = "expired"
	}
	u.Add("UPDATE credit_grants SET remaining_nano = remaining_nano - ?2, state = ?3, open = (remaining_nano > ?2) WHERE id = ?1", g.ID, int64(take), state)
	if take == 0 {
		return
	}
	op := "expire/" + g.ID + "/" + s.NewID()
	u.Add("INSERT INTO ledger_operations (id, kind, account_id, amount_nano, reason, created_at) VALUES (?1, 'expire', ?2, ?3, 'grant expired', ?4)",
		op, g.AccountID, int64(take), s.millis())
	u.Add("INSERT INTO ledger_entries (operation_id, account_id, amount_nano) VALUES (?1, ?2, -?3), (?1, 'expired', ?3)", op, g.AccountID, int64(take))
}

// Operation is a row of ledger_operations.
type Operation struct {
	ID        string
	Kind      string
	CallID    string
	AccountID string
	Amount    money.Credits
	Actor     string
	Reason    string
	CreatedAt time.Time
}

const operationColumns = "id, kind, coalesce(call_id, ''), account_id, amount_nano, actor, reason, created_at FROM ledger_operations"

func scanOperation(r *sql.Rows, o *Operation) error {
	var created int64
	if err := r.Scan(&o.ID, &o.Kind, &o.CallID, &o.AccountID, &o.Amount, &o.Actor, &o.Reason, &created); err != nil {
		return err
	}
	o.CreatedAt = time.UnixMilli(created).UTC()
	return nil
}

// Operations lists an account's newest operations.
func (s *Store) Operations(ctx context.Context, accountID string, limit int) ([]Operation, error) {
	return list(ctx, s.read, scanOperation, "SELECT "+operationColumns+" WHERE account_id = ? ORDER BY created_at DESC, id DESC LIMIT ?", accountID, limit)
}
