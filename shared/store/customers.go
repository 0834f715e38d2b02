package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/money"
)

// Customer is a user as a customer of the outside system that bills: a row of
// payment_customers.
type Customer struct {
	UserID     string
	DID        string
	AccountID  string
	CustomerID string        // there; "" until it was asked for
	OpenedAt   *time.Time    // when its grants were taken over
	Expected   money.Credits // its balance there, by what has passed between the two; below 0: used in advance
	Drift      money.Credits // by how much it differed at the last look
	DriftSince *time.Time
	Welcome    string // "", asked or given
	WelcomeAt  *time.Time
	SyncedAt   time.Time
}

const customerColumns = `c.user_id, coalesce(u.did, ''), coalesce(a.id, ''), c.customer_id, c.opened_at, c.expected_nano, c.drift_nano, c.drift_since,
  c.welcome, c.welcome_at, c.synced_at
FROM payment_customers c JOIN users u ON u.id = c.user_id LEFT JOIN accounts a ON a.user_id = c.user_id`

func scanCustomer(scan func(...any) error, c *Customer) error {
	var opened, drift, welcome sql.NullInt64
	var synced int64
	err := scan(&c.UserID, &c.DID, &c.AccountID, &c.CustomerID, &opened, &c.Expected, &c.Drift, &drift, &c.Welcome, &welcome, &synced)
	c.OpenedAt, c.DriftSince, c.WelcomeAt, c.SyncedAt = nullMillis(opened), nullMillis(drift), nullMillis(welcome), time.UnixMilli(synced).UTC()
	return err
}

// DueCustomers lists customers that were not looked at since a moment, the longest
// ago first.
func (s *Store) DueCustomers(ctx context.Context, since time.Time, limit int) ([]Customer, error) {
	return list(ctx, s.read, func(r *sql.Rows, c *Customer) error { return scanCustomer(r.Scan, c) },
		"SELECT "+customerColumns+" WHERE c.synced_at <= ? ORDER BY c.synced_at, c.user_id LIMIT ?", since.UnixMilli(), limit)
}

// CustomerOf finds the customer that a user is. ErrNotFound: the user has no DID.
func (s *Store) CustomerOf(ctx context.Context, userID string) (Customer, error) {
	return s.oneCustomer(ctx, "SELECT "+customerColumns+" WHERE c.user_id = ?", userID)
}

// CustomerOfWallet finds the customer that a wallet belongs to.
func (s *Store) CustomerOfWallet(ctx context.Context, accountID string) (Customer, error) {
	return s.oneCustomer(ctx, "SELECT "+customerColumns+" WHERE c.user_id = (SELECT user_id FROM accounts WHERE id = ?)", accountID)
}

// CustomerNamed finds a customer by its DID or by its id in the outside system.
func (s *Store) CustomerNamed(ctx context.Context, name string) (Customer, error) {
	c, err := s.oneCustomer(ctx, "SELECT "+customerColumns+" WHERE c.user_id = (SELECT id FROM users WHERE did = ?)", name)
	if errors.Is(err, ErrNotFound) {
		return s.oneCustomer(ctx, "SELECT "+customerColumns+" WHERE c.customer_id = ? AND c.customer_id <> ''", name)
	}
	return c, err
}

func (s *Store) oneCustomer(ctx context.Context, query, arg string) (Customer, error) {
	var c Customer
	err := scanCustomer(s.read.QueryRowContext(ctx, query, arg).Scan, &c)
	if errors.Is(err, sql.ErrNoRows) {
		return c, ErrNotFound
	}
	return c, err
}

// NameCustomer notes a customer's id in the outside system.
func (s *Store) NameCustomer(ctx context.Context, userID, customerID string) error {
	return s.Exec(ctx, "UPDATE payment_customers SET customer_id = ?2 WHERE user_id = ?1", userID, customerID)
}

// OpenCustomer notes, once, that a customer's grants were taken over: from now on
// its usage is reported. balance is what it has there beside those grants: below 0
// when it has used more than them.
func (s *Store) OpenCustomer(ctx context.Context, userID string, balance money.Credits) error {
	u := &Unit{Priority: Background}
	u.Add("UPDATE payment_customers SET opened_at = ?2, expected_nano = expected_nano + ?3 WHERE user_id = ?1 AND opened_at IS NULL",
		userID, s.millis(), int64(balance))
	return s.Do(ctx, u)
}

// SyncedCustomer notes that a customer was looked at.
func (s *Store) SyncedCustomer(ctx context.Context, userID string) error {
	return s.Exec(ctx, "UPDATE payment_customers SET synced_at = ?2 WHERE user_id = ?1", userID, s.millis())
}

// AskWelcome notes that the welcome gift is about to be asked for. ErrNotFound:
// somebody else asked since seen.
func (s *Store) AskWelcome(ctx context.Context, c Customer) error {
	return s.Exec(ctx, "UPDATE payment_customers SET welcome = 'asked', welcome_at = ?2 WHERE user_id = ?1 AND welcome <> 'given' AND coalesce(welcome_at, 0) = ?3",
		c.UserID, s.millis(), millisOrZero(c.WelcomeAt))
}

// GaveWelcome notes that the welcome gift is there.
func (s *Store) GaveWelcome(ctx context.Context, userID string) error {
	return s.Exec(ctx, "UPDATE payment_customers SET welcome = 'given' WHERE user_id = ?1", userID)
}

func millisOrZero(t *time.Time) int64 {
	if t == nil {
		return 0
	}
	return t.UnixMilli()
}

// MirroredGrant is a grant of the outside system that was applied here.
type MirroredGrant struct {
	ID        string // there
	Ended     bool
	Remaining money.Credits // there, at the last look
}

// MirroredGrants lists a customer's, by id.
func (s *Store) MirroredGrants(ctx context.Context, userID string) ([]MirroredGrant, error) {
	return list(ctx, s.read, func(r *sql.Rows, g *MirroredGrant) error { return r.Scan(&g.ID, &g.Ended, &g.Remaining) },
		"SELECT id, state = 'ended', remaining_nano FROM payment_grants WHERE user_id = ? ORDER BY id", userID)
}

// MirrorUnit applies a grant of the outside system, once: ErrConflict or ErrExists
// when it was applied before. remaining is what is left of it there.
func (s *Store) MirrorUnit(userID, outsideID string, g Grant, remaining money.Credits) *Unit {
	u := s.GrantUnit(g)
	u.Add("INSERT INTO payment_grants (id, user_id, state, remaining_nano, created_at) VALUES (?1, ?2, 'granted', ?3, ?4)",
		outsideID, userID, int64(remaining), s.millis())
	u.Add("UPDATE payment_customers SET expected_nano = expected_nano + ?2 WHERE user_id = ?1", userID, int64(g.Amount))
	return u
}

// SkipMirror notes a grant that gives nothing here: it was over before its customer
// was taken over.
func (s *Store) SkipMirror(ctx context.Context, userID, outsideID string) error {
	u := &Unit{Priority: Background}
	u.Add("INSERT INTO payment_grants (id, user_id, state, remaining_nano, created_at) VALUES (?1, ?2, 'ended', 0, ?3) ON CONFLICT (id) DO NOTHING",
		outsideID, userID, s.millis())
	return s.Do(ctx, u)
}

// SeeMirror notes what is left of a grant there.
func (s *Store) SeeMirror(ctx context.Context, outsideID string, remaining money.Credits) error {
	return s.Exec(ctx, "UPDATE payment_grants SET remaining_nano = ?2 WHERE id = ?1", outsideID, int64(remaining))
}

// EndMirror notes that a grant has ended there with so much left of it; a repeat
// changes nothing.
func (s *Store) EndMirror(ctx context.Context, userID, outsideID string, left money.Credits) error {
	u := &Unit{Priority: Background}
	u.Add(`UPDATE payment_customers SET expected_nano = expected_nano - ?3
WHERE user_id = ?1 AND EXISTS (SELECT 1 FROM payment_grants WHERE id = ?2 AND state = 'granted')`, userID, outsideID, int64(left))
	u.Add("UPDATE payment_grants SET state = 'ended', remaining_nano = 0 WHERE id = ?1", outsideID)
	return s.Do(ctx, u)
}

// ExpiredOf is how much of a grant has expired here.
func (s *Store) ExpiredOf(ctx context.Context, grantID string) (sum money.Credits, err error) {
	err = s.read.QueryRowContext(ctx, "SELECT coalesce(sum(amount_nano), 0) FROM ledger_operations WHERE id >= ?1 AND id < ?2",
		"expire/"+grantID+"/", "expire/"+grantID+"0").Scan(&sum) // "0" follows "/"
	return sum, err
}

// NoteDrift notes by how much a customer's balance differs there, and since when;
// nil: it does not.
func (s *Store) NoteDrift(ctx context.Context, userID string, drift money.Credits, since *time.Time) error {
	return s.Exec(ctx, "UPDATE payment_customers SET drift_nano = ?2, drift_since = ?3 WHERE user_id = ?1", userID, int64(drift), millisOrNil(since))
}

// TakeDrift notes that a difference was adjusted here under the operation id, by
// what that operation came to; a repeat changes nothing. since tells which
// difference.
func (s *Store) TakeDrift(ctx context.Context, userID, operationID string, since time.Time) error {
	u := &Unit{Priority: Background}
	u.Add(`UPDATE payment_customers SET drift_nano = 0, drift_since = NULL,
  expected_nano = expected_nano + coalesce((SELECT e.amount_nano FROM ledger_entries e
    WHERE e.operation_id = ?2 AND e.account_id = (SELECT id FROM accounts WHERE user_id = ?1)), 0)
WHERE user_id = ?1 AND drift_since = ?3`, userID, operationID, since.UnixMilli())
	return s.Do(ctx, u)
}
