package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Lease is the sign of life of one process start. Its times are the database's.
type Lease struct {
	ID           string
	Counter      int64
	RenewedAt    int64
	WatchCounter int64
	WatchAt      int64
}

// OpenLease makes a lease under a new random id.
func (s *Store) OpenLease(ctx context.Context) (string, error) {
	id := s.NewID()
	u := &Unit{Priority: Admitting}
	u.Add("INSERT INTO leases (id, counter, renewed_at) VALUES (?1, 1, "+dbNow+")", id)
	return id, s.Do(ctx, u)
}

// LeaseSign is what an admission does to the lease that it is made under.
type LeaseSign int

// The signs: none is due, the lease is renewed, or it is made, unless it was.
const (
	LeaseHeld LeaseSign = iota
	LeaseRenewed
	LeaseOpened
)

// sign renews or opens a lease in a unit. Whether it lives the unit's own statements
// check.
func (u *Unit) sign(id string, as LeaseSign) {
	switch as {
	case LeaseHeld:
	case LeaseRenewed:
		u.Add("UPDATE leases SET counter = counter + 1, renewed_at = "+dbNow+" WHERE id = ?1 AND dead = 0", id)
	case LeaseOpened:
		u.Add("INSERT INTO leases (id, counter, renewed_at) VALUES (?1, 1, "+dbNow+") ON CONFLICT (id) DO NOTHING", id)
	}
}

// RenewLease shows that the process lives. ErrLeaseLost: it was declared dead,
// for ever.
func (s *Store) RenewLease(ctx context.Context, id string) error {
	u := &Unit{Priority: Admitting, Verify: true}
	u.Add("UPDATE leases SET counter = counter + 1, renewed_at = "+dbNow+" WHERE id = ?1 AND dead = 0", id)
	err := s.Do(ctx, u)
	if errors.Is(err, ErrNotFound) {
		return ErrLeaseLost
	}
	return err
}

// CloseLease ends a lease in order: the process has settled everything.
func (s *Store) CloseLease(ctx context.Context, id string) error {
	u := &Unit{Priority: Background}
	u.Add("DELETE FROM leases WHERE id = ?1 AND NOT EXISTS ("+openCallIDs+")", id)
	return s.Do(ctx, u)
}

// QuietLeases lists living leases that were not renewed for age.
func (s *Store) QuietLeases(ctx context.Context, age time.Duration) ([]Lease, error) {
	return list(ctx, s.read, func(r *sql.Rows, l *Lease) error {
		return r.Scan(&l.ID, &l.Counter, &l.RenewedAt, &l.WatchCounter, &l.WatchAt)
	}, "SELECT id, counter, renewed_at, watch_counter, watch_at FROM leases WHERE dead = 0 AND renewed_at < "+dbNow+" - ? ORDER BY id", age.Milliseconds())
}

// DeadLeases lists leases that were declared dead and still own open calls.
func (s *Store) DeadLeases(ctx context.Context) ([]string, error) {
	return list(ctx, s.read, func(r *sql.Rows, id *string) error { return r.Scan(id) },
		"SELECT id FROM leases WHERE dead = 1 ORDER BY id")
}

// WatchLease notes the counter a sweeper saw, and since when, for sweepers that
// keep no memory between runs.
func (s *Store) WatchLease(ctx context.Context, id string, counter int64) error {
	u := &Unit{Priority: Background}
	u.Add("UPDATE leases SET watch_counter = ?2, watch_at = "+dbNow+" WHERE id = ?1 AND watch_counter <> ?2", id, counter)
	return s.Do(ctx, u)
}

// WatchedFor reports for how long the counter of a lease has stood still
// according to WatchLease.
func (s *Store) WatchedFor(ctx context.Context, id string, counter int64) (time.Duration, error) {
	var ms int64
	err := s.read.QueryRowContext(ctx, "SELECT CASE WHEN watch_counter = ?2 AND counter = ?2 THEN "+dbNow+" - watch_at ELSE 0 END FROM leases WHERE id = ?1",
		id, counter).Scan(&ms)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return time.Duration(ms) * time.Millisecond, err
}

// KillLease declares a lease dead if its counter still stands and it is older
// than age. ErrNotFound: it lives after all.
func (s *Store) KillLease(ctx context.Context, id string, counter int64, age time.Duration) error {
	return s.Exec(ctx, "UPDATE leases SET dead = 1 WHERE id = ?1 AND dead = 0 AND counter = ?2 AND renewed_at < "+dbNow+" - ?3", id, counter, age.Milliseconds())
}

// ForgetLease deletes a dead lease that owns nothing any more.
func (s *Store) ForgetLease(ctx context.Context, id string) error {
	u := &Unit{Priority: Background}
	u.Add("DELETE FROM leases WHERE id = ?1 AND dead = 1 AND NOT EXISTS ("+openCallIDs+")", id)
	return s.Do(ctx, u)
}

// openCallIDs selects the open calls of the owner ?1: the billed ones by their
// holds, the others by an index of their own. CROSS JOIN makes the few holds
// the outer loop.
const openCallIDs = `SELECT c.id FROM credit_holds h CROSS JOIN model_calls c WHERE c.id = h.call_id AND c.owner = ?1
UNION ALL SELECT id FROM model_calls WHERE status = 'processing' AND billing = 0 AND owner = ?1`

// OpenCall is what a sweeper must know of a call to settle it.
type OpenCall struct {
	ID, Owner, UserID, AccountID, AppID, Type string
	Billing                                   bool
	CreatedAt                                 int64
}

// OpenCalls lists calls that a lease still owns.
func (s *Store) OpenCalls(ctx context.Context, owner string, limit int) ([]OpenCall, error) {
	return list(ctx, s.read, func(r *sql.Rows, c *OpenCall) error {
		return r.Scan(&c.ID, &c.Owner, &c.UserID, &c.AccountID, &c.AppID, &c.Type, &c.Billing, &c.CreatedAt)
	}, `SELECT id, owner, user_id, account_id, app_id, type, billing, created_at FROM model_calls
WHERE id IN (SELECT id FROM (`+openCallIDs+`) ORDER BY id LIMIT ?2)`, owner, limit)
}
