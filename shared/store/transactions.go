package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"math"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/money"
)

// Transaction is an operation and what it did to one account.
type Transaction struct {
	Operation
	Change money.Credits // signed
}

// Span selects what was made from From on and before Until; zero times select
// all.
type Span struct{ From, Until time.Time }

func (s Span) millis() (from, until int64) {
	until = math.MaxInt64
	if !s.From.IsZero() {
		from = s.From.UnixMilli()
	}
	if !s.Until.IsZero() {
		until = s.Until.UnixMilli()
	}
	return from, until
}

// TransactionFilter selects an account's transactions.
type TransactionFilter struct {
	AccountID string
	Kind      string // of the operations; "": all
	Span      Span
	// BeforeAt and BeforeID are the cursor: the time (Unix milliseconds) and the id
	// of the last one that was seen; an empty id begins at the newest.
	BeforeAt int64
	BeforeID string
	Offset   int
	Limit    int
}

// Transactions lists an account's operations, newest first.
func (s *Store) Transactions(ctx context.Context, f TransactionFilter) ([]Transaction, error) {
	from, until := f.Span.millis()
	at, id := f.BeforeAt, f.BeforeID
	if id == "" {
		at, id = math.MaxInt64, "~"
	} else {
		until = min(until, at+1) // so that the index begins at the cursor
	}
	return list(ctx, s.read, func(r *sql.Rows, t *Transaction) error {
		var created int64
		err := r.Scan(&t.ID, &t.Kind, &t.Cause, &t.CallID, &t.AccountID, &t.Amount, &t.Actor, &t.Reason, &created, &t.Change)
		t.CreatedAt = time.UnixMilli(created).UTC()
		return err
	}, `SELECT o.id, o.kind, o.cause, coalesce(o.call_id, ''), o.account_id, o.amount_nano, o.actor, o.reason, o.created_at,
  coalesce((SELECT e.amount_nano FROM ledger_entries e WHERE e.operation_id = o.id AND e.account_id = o.account_id), 0)
FROM ledger_operations o WHERE o.account_id = ?1 AND o.created_at >= ?2 AND o.created_at < ?3 AND (o.created_at, o.id) < (?4, ?5) AND (?8 = '' OR o.kind = ?8)
ORDER BY o.created_at DESC, o.id DESC LIMIT ?6 OFFSET ?7`, f.AccountID, from, until, at, id, f.Limit, f.Offset, f.Kind)
}

// MostCounted is where counting transactions stops: beyond it nobody pages by
// number.
const MostCounted = 10_000

// CountTransactions counts an account's operations of a kind ("": of all), at most
// MostCounted.
func (s *Store) CountTransactions(ctx context.Context, accountID, kind string, span Span) (n int, err error) {
	from, until := span.millis()
	err = s.read.QueryRowContext(ctx, `SELECT count(*) FROM (SELECT 1 FROM ledger_operations
WHERE account_id = ?1 AND created_at >= ?2 AND created_at < ?3 AND (?5 = '' OR kind = ?5) LIMIT ?4)`,
		accountID, from, until, MostCounted, kind).Scan(&n)
	return n, err
}

// Spent sums what calls cost an account in a span.
func (s *Store) Spent(ctx context.Context, accountID string, span Span) (n money.Credits, err error) {
	from, until := span.millis()
	err = s.read.QueryRowContext(ctx, `SELECT coalesce(sum(amount_nano), 0) FROM ledger_operations
WHERE account_id = ?1 AND created_at >= ?2 AND created_at < ?3 AND kind IN ('charge','correct')`, accountID, from, until).Scan(&n)
	return n, err
}

// Granted is what an account was given, as far as it has not expired.
type Granted struct {
	Total money.Credits // of what was given; spent is Total less the balance
	Open  int           // grants with a remainder
	Since time.Time     // when the account was opened
}

// Granted sums an account's grants.
func (s *Store) Granted(ctx context.Context, accountID string) (g Granted, err error) {
	var since int64
	err = s.read.QueryRowContext(ctx, `SELECT coalesce(sum(amount_nano), 0), coalesce(sum(remaining_nano > 0), 0),
  (SELECT created_at FROM accounts WHERE id = ?1) FROM credit_grants WHERE account_id = ?1 AND state <> 'expired'`, accountID).Scan(&g.Total, &g.Open, &since)
	g.Since = time.UnixMilli(since).UTC()
	return g, err
}

// GrantPage lists some of an account's grants by id, and counts all in the span.
func (s *Store) GrantPage(ctx context.Context, accountID string, span Span, offset, limit int) (page []Grant, count int, err error) {
	from, until := span.millis()
	if page, err = list(ctx, s.read, scanGrant, "SELECT "+grantColumns+" WHERE account_id = ?1 AND created_at >= ?2 AND created_at < ?3 ORDER BY id LIMIT ?4 OFFSET ?5",
		accountID, from, until, limit, offset); err != nil {
		return nil, 0, err
	}
	err = s.read.QueryRowContext(ctx, "SELECT count(*) FROM credit_grants WHERE account_id = ?1 AND created_at >= ?2 AND created_at < ?3",
		accountID, from, until).Scan(&count)
	return page, count, err
}

// UsersByID finds users; those that are not there are left out.
func (s *Store) UsersByID(ctx context.Context, ids []string) ([]User, error) {
	text, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	return list(ctx, s.read, func(r *sql.Rows, u *User) error { return scanUser(r.Scan, u) },
		"SELECT "+userColumns+" WHERE u.id IN (SELECT value FROM json_each(?))", string(text))
}
