package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/aigne-hub/aigne-hub/shared/money"
)

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
	State     string        // active, expiring or expired
	Repaid    money.Credits // of a credit line
	Actor     string
	Reason    string
	CreatedAt time.Time

	// Cause is written on the operation that gives the grant; it is not read back.
	Cause string
}

const grantColumns = "id, account_id, kind, name, amount_nano, remaining_nano, priority, expires_at, state, repaid_nano, actor, reason, created_at FROM credit_grants"

func scanGrant(r *sql.Rows, g *Grant) error {
	var expires sql.NullInt64
	var created int64
	if err := r.Scan(&g.ID, &g.AccountID, &g.Kind, &g.Name, &g.Amount, &g.Remaining, &g.Priority, &expires, &g.State, &g.Repaid, &g.Actor, &g.Reason, &created); err != nil {
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
// that id gives ErrConflict and changes nothing. What the account owes is taken
// of it at once: debts by anything but a welcome, spent credit lines by a
// purchase.
func (s *Store) GrantUnit(g Grant) *Unit {
	u := &Unit{Priority: Background}
	s.give(u, g, "grant", "grants")
	return u
}

// GrantIn is GrantUnit within a transaction.
func (s *Store) GrantIn(ctx context.Context, tx *Tx, g Grant) error {
	return tx.run(ctx, s.GrantUnit(g))
}

// give adds the statements that put a grant on its account, against a system
// account.
func (s *Store) give(u *Unit, g Grant, kind, against string) {
	now := s.millis()
	op := "grant/" + g.ID
	u.Add(`INSERT INTO credit_grants (id, account_id, kind, name, amount_nano, remaining_nano, priority, expires_at, spend_by, actor, reason, created_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7, coalesce(?7, 9223372036854775807), ?8, ?9, ?10)`, g.ID, g.AccountID, g.Kind, g.Name, int64(g.Amount), g.Priority,
		millisOrNil(g.ExpiresAt), g.Actor, g.Reason, now)
	u.Add("INSERT INTO ledger_operations (id, kind, cause, account_id, amount_nano, actor, reason, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
		op, kind, g.Cause, g.AccountID, int64(g.Amount), g.Actor, g.Reason, now)
	u.Add("INSERT INTO ledger_entries (operation_id, account_id, amount_nano) VALUES (?1, ?2, ?3), (?1, ?4, -?3)",
		op, g.AccountID, int64(g.Amount), against)
	if g.Kind != "welcome" && g.Kind != "credit_line" {
		u.Add(collectDebt, "debt/"+g.ID, g.AccountID, now)
	}
	if g.Kind == "purchased" {
		u.Add("INSERT INTO line_repayments (id, account_id, grant_id, created_at) VALUES (?1, ?2, ?3, ?4)", "repay/"+g.ID, g.AccountID, g.ID, now)
	}
	u.Add(refreshExpiry, g.AccountID)
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

// NewUsers lists users made since a time who have a wallet and no grant whose id
// is prefix and the user's id.
func (s *Store) NewUsers(ctx context.Context, since time.Time, prefix string, limit int) ([]User, error) {
	var first ulid.ULID
	if err := first.SetTime(ulid.Timestamp(since)); err != nil {
		return nil, err
	}
	return list(ctx, s.read, func(r *sql.Rows, u *User) error { return r.Scan(&u.ID, &u.AccountID) },
		`SELECT u.id, a.id FROM users u JOIN accounts a ON a.user_id = u.id
WHERE u.id >= ?1 AND u.disabled_at IS NULL AND NOT EXISTS (SELECT 1 FROM credit_grants g WHERE g.id = ?2 || u.id) ORDER BY u.id LIMIT ?3`,
		first.String(), prefix, limit)
}
