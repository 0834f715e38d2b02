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
	u.Add("DELETE FROM alert_hours WHERE hour < ?", before.Unix()/3600)
	return s.Do(ctx, u)
}

// Turnover is what the calls that were admitted in a span of time came to.
type Turnover struct {
	Calls   int64 // ended ones
	Failed  int64 // by the hub's fault or a provider's
	Cost    money.Credits
	Credits money.Credits
}

const sumSpan = `SELECT count(*), coalesce(sum(status = 'interrupted' OR (status = 'failed' AND (http_status >= 500 OR http_status = 429))), 0),
  coalesce(sum(cost_nano), 0), coalesce(sum(credits_nano), 0) FROM model_calls WHERE id >= ?1 AND id < ?2 AND status <> 'processing'`

// SumSpan adds up the calls that were admitted from from (inclusive) to to
// (exclusive). It reads each of them.
func (s *Store) SumSpan(ctx context.Context, from, to time.Time) (x Turnover, err error) {
	err = s.read.QueryRowContext(ctx, sumSpan, earliestID(from), earliestID(to)).Scan(&x.Calls, &x.Failed, &x.Cost, &x.Credits)
	return x, err
}

// SumHour keeps what an hour (Unix time in hours) came to. One that is kept stays.
func (s *Store) SumHour(ctx context.Context, hour int64) error {
	x, err := s.SumSpan(ctx, time.Unix(hour*3600, 0), time.Unix((hour+1)*3600, 0))
	if err != nil {
		return err
	}
	u := &Unit{Priority: Background}
	u.Add("INSERT INTO alert_hours (hour, calls, failed, cost_nano, credits_nano) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (hour) DO NOTHING",
		hour, x.Calls, x.Failed, int64(x.Cost), int64(x.Credits))
	return s.Do(ctx, u)
}

// SumHours adds up the kept hours from from (inclusive) to to (exclusive), and says
// which the newest kept one is, 0 for none, and how many there are.
func (s *Store) SumHours(ctx context.Context, from, to int64) (x Turnover, newest, hours int64, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT coalesce(sum(calls), 0), coalesce(sum(failed), 0), coalesce(sum(cost_nano), 0), coalesce(sum(credits_nano), 0),
  coalesce(max(hour), 0), count(*) FROM alert_hours WHERE hour >= ?1 AND hour < ?2`, from, to).Scan(&x.Calls, &x.Failed, &x.Cost, &x.Credits, &newest, &hours)
	return x, newest, hours, err
}
