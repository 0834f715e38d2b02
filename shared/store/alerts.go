package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/money"
)

// Alert is something that is, or was, wrong.
type Alert struct {
	ID             string
	Rule           string
	Subject        string // what of several things it is about; "": there is one
	Severity       string // info, warning or error
	Title          string
	Data           string // JSON, without secrets
	RaisedAt       time.Time
	SeenAt         time.Time  // when it last held
	CalmSince      *time.Time // since when it does not hold; nil while it does
	ResolvedAt     *time.Time
	AcknowledgedAt *time.Time
	AcknowledgedBy string
}

const alertColumns = "id, rule, subject, severity, title, data_json, raised_at, seen_at, calm_since, resolved_at, acknowledged_at, acknowledged_by"

func scanAlert(r *sql.Rows, a *Alert) error {
	var raised, seen int64
	var calm, resolved, acknowledged sql.NullInt64
	err := r.Scan(&a.ID, &a.Rule, &a.Subject, &a.Severity, &a.Title, &a.Data, &raised, &seen, &calm, &resolved, &acknowledged, &a.AcknowledgedBy)
	a.RaisedAt, a.SeenAt = time.UnixMilli(raised).UTC(), time.UnixMilli(seen).UTC()
	a.CalmSince, a.ResolvedAt, a.AcknowledgedAt = nullMillis(calm), nullMillis(resolved), nullMillis(acknowledged)
	return err
}

// OpenAlerts lists the alerts that are not resolved.
func (s *Store) OpenAlerts(ctx context.Context) ([]Alert, error) {
	return list(ctx, s.read, scanAlert, "SELECT "+alertColumns+" FROM alerts WHERE resolved_at IS NULL AND rule > '' ORDER BY rule, subject")
}

// Alerts lists up to limit alerts older than the one with id before ("": from the
// newest), newest first.
func (s *Store) Alerts(ctx context.Context, before string, limit int) ([]Alert, error) {
	if before == "" {
		before = "~" // behind every id
	}
	return list(ctx, s.read, scanAlert, "SELECT "+alertColumns+" FROM alerts WHERE id < ?1 ORDER BY id DESC LIMIT ?2", before, limit)
}

// AlertByID reads an alert.
func (s *Store) AlertByID(ctx context.Context, id string) (Alert, error) {
	found, err := list(ctx, s.read, scanAlert, "SELECT "+alertColumns+" FROM alerts WHERE id = ?", id)
	if err == nil && len(found) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Alert{}, err
	}
	return found[0], nil
}

// RaiseAlert records that something is wrong, unless that is on record and open.
func (s *Store) RaiseAlert(ctx context.Context, a Alert) error {
	u := &Unit{Priority: Background}
	u.Add(`INSERT INTO alerts (id, rule, subject, severity, title, data_json, raised_at, seen_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)
ON CONFLICT (rule, subject) WHERE resolved_at IS NULL DO NOTHING`, s.NewID(), a.Rule, a.Subject, a.Severity, a.Title, a.Data, a.RaisedAt.UnixMilli())
	return s.Do(ctx, u)
}

// HoldAlert notes that an open alert still holds.
func (s *Store) HoldAlert(ctx context.Context, id, title, data string, at time.Time) error {
	u := &Unit{Priority: Background}
	u.Add("UPDATE alerts SET seen_at = ?2, calm_since = NULL, title = ?3, data_json = ?4 WHERE id = ?1 AND resolved_at IS NULL", id, at.UnixMilli(), title, data)
	return s.Do(ctx, u)
}

// CalmAlert notes that an open alert does not hold any more, and resolves it when that
// has been so since before.
func (s *Store) CalmAlert(ctx context.Context, id string, at, before time.Time) error {
	u := &Unit{Priority: Background}
	u.Add("UPDATE alerts SET calm_since = ?2 WHERE id = ?1 AND resolved_at IS NULL AND calm_since IS NULL", id, at.UnixMilli())
	u.Add("UPDATE alerts SET resolved_at = ?2, due = 1 WHERE id = ?1 AND resolved_at IS NULL AND calm_since <= ?3", id, at.UnixMilli(), before.UnixMilli())
	return s.Do(ctx, u)
}

// DueAlerts lists the alerts of which something is to be told, oldest first.
func (s *Store) DueAlerts(ctx context.Context, limit int) ([]Alert, error) {
	return list(ctx, s.read, scanAlert, "SELECT "+alertColumns+" FROM alerts WHERE due = 1 AND id > '' ORDER BY id LIMIT ?", limit)
}

// AlertTold notes that an alert was told as it was read: one that was resolved
// meanwhile stays due.
func (s *Store) AlertTold(ctx context.Context, a Alert) error {
	u := &Unit{Priority: Background}
	u.Add("UPDATE alerts SET due = 0 WHERE id = ?1 AND (resolved_at IS NOT NULL) = ?2", a.ID, boolInt(a.ResolvedAt != nil))
	return s.Do(ctx, u)
}

// AcknowledgeAlert notes who has seen an alert first. ErrNotFound: there is none, or
// somebody had.
func (s *Store) AcknowledgeAlert(ctx context.Context, id, by string) error {
	return s.Exec(ctx, "UPDATE alerts SET acknowledged_at = ?2, acknowledged_by = ?3 WHERE id = ?1 AND acknowledged_at IS NULL", id, s.millis(), by)
}

// ForgetAlerts deletes alerts that were raised longer ago than age and are resolved,
// and sums of hours that nobody looks at any more.
func (s *Store) ForgetAlerts(ctx context.Context, age time.Duration) error {
	u := &Unit{Priority: Background}
	before := s.now().Add(-age)
	u.Add("DELETE FROM alerts WHERE id < ?1 AND resolved_at IS NOT NULL AND due = 0", earliestID(before))
	u.Add("DELETE FROM alert_slots WHERE slot < ?", before.Unix()/slotSeconds)
	return s.Do(ctx, u)
}

// Turnover is what calls came to.
type Turnover struct {
	Calls   int64
	Cost    money.Credits // dollars
	Credits money.Credits
}

// Failing counts the newest calls that were admitted since a time and have ended, at
// most limit, and those of them that failed by the hub's fault or a provider's.
func (s *Store) Failing(ctx context.Context, since time.Time, limit int) (calls, failed int64, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(bad), 0) FROM (SELECT status = 'interrupted' OR (status = 'failed' AND (http_status >= 500 OR http_status = 429)) AS bad
FROM model_calls WHERE id >= ?1 AND status <> 'processing' ORDER BY id DESC LIMIT ?2)`, earliestID(since), limit).Scan(&calls, &failed)
	return calls, failed, err
}

// Slot is the span of time that turnover is added up by, and slotSeconds the same.
const (
	Slot        = 5 * time.Minute
	slotSeconds = int64(Slot / time.Second)
)

// SlotOf is the slot that a moment is in.
func SlotOf(at time.Time) int64 { return at.Unix() / slotSeconds }

// SumSlot keeps what the calls that were admitted in a slot came to. One that is kept
// stays. It reads each call's usage once, in the order in which it lies.
func (s *Store) SumSlot(ctx context.Context, slot int64) error {
	var x Turnover
	from, to := time.Unix(slot*slotSeconds, 0), time.Unix((slot+1)*slotSeconds, 0)
	if err := s.read.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(cost_nano), 0), coalesce(sum(credits_nano), 0) FROM usage WHERE call_id >= ?1 AND call_id < ?2`,
		earliestID(from), earliestID(to)).Scan(&x.Calls, &x.Cost, &x.Credits); err != nil {
		return err
	}
	u := &Unit{Priority: Background}
	u.Add("INSERT INTO alert_slots (slot, calls, cost_nano, credits_nano) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (slot) DO NOTHING", slot, x.Calls, int64(x.Cost), int64(x.Credits))
	return s.Do(ctx, u)
}

// SumSlots adds up the kept slots from from (inclusive) to to (exclusive), and says
// which the newest kept one is, 0 for none, and how many there are.
func (s *Store) SumSlots(ctx context.Context, from, to int64) (x Turnover, newest, kept int64, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT coalesce(sum(calls), 0), coalesce(sum(cost_nano), 0), coalesce(sum(credits_nano), 0), coalesce(max(slot), 0), count(*)
FROM alert_slots WHERE slot >= ?1 AND slot < ?2`, from, to).Scan(&x.Calls, &x.Cost, &x.Credits, &newest, &kept)
	return x, newest, kept, err
}
