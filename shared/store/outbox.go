package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/money"
)

// BatchState is how far a batch has come. A sent one may have arrived or not.
type BatchState string

// The states of a batch, and of usage that is reported.
const (
	BatchPending   BatchState = "pending"
	BatchSent      BatchState = "sent"
	BatchConfirmed BatchState = "confirmed"
	BatchDead      BatchState = "dead"
)

// Batch is usage that is reported at once: a row of outbox_batches.
type Batch struct {
	ID        string // the identifier under which it is sent
	UserID    string
	DID       string // of the user
	Email     string
	AppID     string
	Amount    money.Credits
	Calls     int64
	State     BatchState
	Attempts  int
	NextTry   time.Time
	Error     string
	CreatedAt time.Time
	DroppedAt *time.Time // it is confirmed by nobody: an operator gave it up for good
}

// ReportUsage says whether usage that is settled from now on is to be reported to
// an outside system: that of wallets whose users it knows, by their DIDs.
func (s *Store) ReportUsage(on bool) { s.reports.Store(on) }

// reportState is the first state of a usage row: ?12 is whether the call is billed
// and reported, ?13 the wallet that paid.
const reportState = `CASE WHEN ?12 = 0 THEN 'none' ELSE coalesce(
  (SELECT 'pending' FROM accounts a JOIN users u ON u.id = a.user_id WHERE a.id = ?13 AND u.did IS NOT NULL), 'none') END`

// reportAgain is the state of a usage row to which a correction adds something.
const reportAgain = `report_state = CASE WHEN report_state IN ('sent','confirmed','dead')
  AND (SELECT amount_nano FROM ledger_operations WHERE id = ?1 || '/correct') > 0 THEN 'pending' ELSE report_state END`

// PendingUsage is usage of one user through one application that is in no batch.
type PendingUsage struct {
	UserID, AppID string
}

// PendingUsage lists whose usage is to be put into batches. Users whose grants were
// not taken over yet are left out.
func (s *Store) PendingUsage(ctx context.Context, limit int) ([]PendingUsage, error) {
	return list(ctx, s.read, func(r *sql.Rows, p *PendingUsage) error { return r.Scan(&p.UserID, &p.AppID) },
		`SELECT user_id, app_id FROM (SELECT DISTINCT user_id, app_id FROM usage WHERE report_state = 'pending') waiting
WHERE EXISTS (SELECT 1 FROM payment_customers c WHERE c.user_id = waiting.user_id AND c.opened_at IS NOT NULL) LIMIT ?`, limit)
}

// maxBatch is how many calls a batch holds at most.
const maxBatch = 5000

const batchedCalls = `SELECT call_id FROM usage WHERE report_state = 'pending' AND user_id = ?2 AND app_id = ?3 ORDER BY call_id LIMIT ?4`

// BatchUnit puts a user's pending usage of an application into a batch under a new
// id, at most 5,000 calls; what cost nothing needs no batch. Of two that do the
// same at once each call is in one batch.
func (s *Store) BatchUnit(p PendingUsage) *Unit {
	u := &Unit{Priority: Background}
	id, now := s.NewID(), s.millis()
	u.Add(`UPDATE usage SET report_state = 'confirmed' WHERE report_state = 'pending' AND user_id = ?1 AND app_id = ?2 AND credits_nano <= reported_nano`,
		p.UserID, p.AppID)
	u.Add(`INSERT INTO outbox_batches (id, user_id, app_id, amount_nano, calls, state, next_try, created_at)
SELECT ?1, ?2, ?3, sum(credits_nano - reported_nano), count(*), 'pending', ?5, ?5 FROM usage WHERE call_id IN (`+batchedCalls+`) HAVING count(*) > 0`,
		id, p.UserID, p.AppID, maxBatch, now)
	u.Add(`UPDATE usage SET report_state = 'sent', batch_id = ?1, reported_nano = credits_nano WHERE call_id IN (`+batchedCalls+`)`,
		id, p.UserID, p.AppID, maxBatch)
	return u
}

const batchColumns = `b.id, b.user_id, coalesce(u.did, ''), u.email, b.app_id, b.amount_nano, b.calls, b.state, b.attempts, b.next_try, b.error, b.created_at, b.dropped_at
FROM outbox_batches b JOIN users u ON u.id = b.user_id`

func scanBatch(r *sql.Rows, b *Batch) error {
	var next, created int64
	var dropped sql.NullInt64
	if err := r.Scan(&b.ID, &b.UserID, &b.DID, &b.Email, &b.AppID, &b.Amount, &b.Calls, &b.State, &b.Attempts, &next, &b.Error, &created, &dropped); err != nil {
		return err
	}
	b.DroppedAt = nullMillis(dropped)
	b.NextTry, b.CreatedAt = time.UnixMilli(next).UTC(), time.UnixMilli(created).UTC()
	return nil
}

// DueBatches lists batches that are to be sent now, the longest due first.
func (s *Store) DueBatches(ctx context.Context, limit int) ([]Batch, error) {
	return list(ctx, s.read, scanBatch, "SELECT "+batchColumns+" WHERE b.state IN ('pending','sent') AND b.next_try <= ? ORDER BY b.next_try, b.id LIMIT ?",
		s.millis(), limit)
}

// Batches lists batches of a state after the one with id after, by id.
func (s *Store) Batches(ctx context.Context, state BatchState, after string, limit int) ([]Batch, error) {
	return list(ctx, s.read, scanBatch, "SELECT "+batchColumns+" WHERE b.state = ? AND b.id > ? ORDER BY b.id LIMIT ?", string(state), after, limit)
}

// ClaimBatch notes that a batch is about to be sent, and keeps others from sending
// it for hold. ErrNotFound: somebody else has it.
func (s *Store) ClaimBatch(ctx context.Context, b Batch, hold time.Duration) error {
	return s.Exec(ctx, `UPDATE outbox_batches SET state = 'sent', attempts = attempts + 1, next_try = ?3
WHERE id = ?1 AND state IN ('pending','sent') AND attempts = ?2`, b.ID, b.Attempts, s.now().Add(hold).UnixMilli())
}

// ConfirmBatch notes that a batch has arrived; a repeat changes nothing.
func (s *Store) ConfirmBatch(ctx context.Context, id string) error {
	u := &Unit{Priority: Background}
	u.Add(`UPDATE payment_customers SET expected_nano = expected_nano - (SELECT amount_nano FROM outbox_batches WHERE id = ?1)
WHERE user_id = (SELECT user_id FROM outbox_batches WHERE id = ?1 AND state <> 'confirmed')`, id)
	u.Add("UPDATE usage SET report_state = 'confirmed' WHERE batch_id = ?1 AND report_state IN ('sent','dead')", id)
	u.Add("UPDATE outbox_batches SET state = 'confirmed', confirmed_at = ?2, error = '' WHERE id = ?1 AND state <> 'confirmed'", id, s.millis())
	return s.Do(ctx, u)
}

// DelayBatch notes why a batch was not confirmed, and when it is tried again.
func (s *Store) DelayBatch(ctx context.Context, id, reason string, wait time.Duration) error {
	u := &Unit{Priority: Background}
	u.Add("UPDATE outbox_batches SET next_try = ?2, error = ?3 WHERE id = ?1 AND state = 'sent'", id, s.now().Add(wait).UnixMilli(), reason)
	return s.Do(ctx, u)
}

// BuryBatch gives a batch up: it is sent again only when somebody says so.
func (s *Store) BuryBatch(ctx context.Context, id, reason string) error {
	u := &Unit{Priority: Background}
	u.Add("UPDATE outbox_batches SET state = 'dead', error = ?2 WHERE id = ?1 AND state IN ('pending','sent')", id, reason)
	u.Add("UPDATE usage SET report_state = 'dead' WHERE batch_id = ?1 AND report_state IN ('sent','dead') AND EXISTS (SELECT 1 FROM outbox_batches WHERE id = ?1 AND state = 'dead')", id)
	return s.Do(ctx, u)
}

// ReviveBatch has a dead batch sent again under its old identifier. ErrNotFound:
// there is no dead one with that id.
func (s *Store) ReviveBatch(ctx context.Context, id string) error {
	if err := s.Exec(ctx, "UPDATE outbox_batches SET state = 'sent', attempts = 0, next_try = ?2 WHERE id = ?1 AND state = 'dead'", id, s.millis()); err != nil {
		return err
	}
	u := &Unit{Priority: Background}
	u.Add("UPDATE usage SET report_state = 'sent' WHERE batch_id = ?1 AND report_state IN ('sent','dead') AND EXISTS (SELECT 1 FROM outbox_batches WHERE id = ?1 AND state = 'sent')", id)
	return s.Do(ctx, u)
}

// DropBatch gives a dead batch up for good: it is never sent again, and what it
// holds is waited for no longer. The customer's expected balance stays, since the
// outside system took nothing. ErrNotFound: there is no dead one with that id.
func (s *Store) DropBatch(ctx context.Context, id string) (b Batch, err error) {
	found, err := list(ctx, s.read, scanBatch, "SELECT "+batchColumns+" WHERE b.id = ?1 AND b.state = 'dead'", id)
	switch {
	case err != nil:
		return b, err
	case len(found) == 0:
		return b, ErrNotFound
	}
	return found[0], s.Tx(ctx, func(ctx context.Context, tx *Tx) error {
		res, err := tx.ExecContext(ctx, "UPDATE outbox_batches SET state = 'confirmed', dropped_at = ?2 WHERE id = ?1 AND state = 'dead'", id, s.millis())
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrNotFound) // it was revived meanwhile
		}
		_, err = tx.ExecContext(ctx, "UPDATE usage SET report_state = 'confirmed' WHERE batch_id = ?1 AND report_state IN ('sent','dead')", id)
		return err
	})
}

// Outbox is what has not arrived yet.
type Outbox struct {
	Calls        int64         // settled, in no batch
	CallsAmount  money.Credits // what they cost
	Pending      int64         // batches that were never sent
	Sent         int64         // batches that may have arrived
	Dead         int64         // batches that were given up
	Unconfirmed  money.Credits // in batches, dead ones included
	Oldest       *time.Time    // of what is neither confirmed nor dead
	OldestID     string
	NewestDeadID string
}

// Outbox counts what has not arrived yet.
func (s *Store) Outbox(ctx context.Context) (Outbox, error) {
	var o Outbox
	var call, batch sql.NullInt64
	var batchID string
	err := s.read.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(credits_nano - reported_nano), 0), min(created_at), coalesce(min(call_id), '')
FROM usage WHERE report_state = 'pending'`).Scan(&o.Calls, &o.CallsAmount, &call, &o.OldestID)
	if err != nil {
		return o, err
	}
	err = s.read.QueryRowContext(ctx, `SELECT coalesce(sum(state = 'pending'), 0), coalesce(sum(state = 'sent'), 0), coalesce(sum(state = 'dead'), 0),
  coalesce(sum(amount_nano), 0), min(CASE WHEN state <> 'dead' THEN created_at END), coalesce(min(CASE WHEN state <> 'dead' THEN id END), ''),
  coalesce(max(CASE WHEN state = 'dead' THEN id END), '')
FROM outbox_batches WHERE state IN ('pending','sent','dead')`).Scan(&o.Pending, &o.Sent, &o.Dead, &o.Unconfirmed, &batch, &batchID, &o.NewestDeadID)
	if err != nil {
		return o, err
	}
	o.Oldest = nullMillis(call)
	if batch.Valid && (!call.Valid || batch.Int64 <= call.Int64) {
		o.Oldest, o.OldestID = nullMillis(batch), batchID
	}
	return o, nil
}

// Unconfirmed is what a user has used and the outside system has not confirmed;
// dead batches count. open is false when there is nothing.
func (s *Store) Unconfirmed(ctx context.Context, userID string) (amount money.Credits, open bool, err error) {
	var calls, batches int64
	var inCalls, inBatches money.Credits
	err = s.read.QueryRowContext(ctx, "SELECT count(*), coalesce(sum(credits_nano - reported_nano), 0) FROM usage WHERE report_state = 'pending' AND user_id = ?",
		userID).Scan(&calls, &inCalls)
	if err == nil {
		err = s.read.QueryRowContext(ctx, "SELECT count(*), coalesce(sum(amount_nano), 0) FROM outbox_batches WHERE user_id = ? AND state <> 'confirmed'",
			userID).Scan(&batches, &inBatches)
	}
	return inCalls + inBatches, calls+batches > 0, err
}

// SetDID says under which name a user is known outside; it is given once.
// ErrConflict: it is another user's. ErrNotFound: there is no such user, or the
// user has another one.
func (s *Store) SetDID(ctx context.Context, userID, did string) error {
	return s.Tx(ctx, func(ctx context.Context, tx *Tx) error {
		if err := tx.one(ctx, "UPDATE users SET did = ?2 WHERE id = ?1 AND coalesce(did, ?2) = ?2", userID, did); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO payment_customers (user_id) VALUES (?1) ON CONFLICT (user_id) DO NOTHING", userID)
		return err
	})
}
