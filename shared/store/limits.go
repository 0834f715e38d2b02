package store

import (
	"context"
	"database/sql"
	"errors"
)

// Limit is a row of limits.
type Limit struct {
	ID      string
	Scope   string // key, user, app or model
	Subject string // whom it binds; "*": each one by itself
	Metric  string // requests, tokens, concurrency or credits
	Period  string // minute, hour, day, week or month; now for concurrency
	Amount  int64  // calls, tokens or nano-credits
	Managed string // see Provider; SetLimit leaves it as it is
}

// LimitHold is what one call reserves of a limit.
type LimitHold struct {
	LimitID string
	Counts  string // whom is counted
	Metric  string
	Period  string
	Amount  int64 // reserved; corrected when the call is finished
	Most    int64 // the limit's amount
}

// windowStarts are the beginnings of the windows that contain the moment of the
// database's clock, in UTC; weeks begin on Monday.
var windowStarts = map[string]string{
	"now":    "0",
	"minute": dbNow + " / 60000 * 60000",
	"hour":   dbNow + " / 3600000 * 3600000",
	"day":    dbNow + " / 86400000 * 86400000",
	"week":   "(" + dbNow + " - 345600000) / 604800000 * 604800000 + 345600000",
	"month":  "unixepoch('now', 'start of month') * 1000",
}

// reserve adds the statements that take limits into an admitting unit. They fail
// with ErrLimit when one of them is used up.
func (u *Unit) reserve(callID string, holds []LimitHold) {
	for _, h := range holds {
		u.Add("INSERT INTO limits_holds (call_id, limit_id, counts, metric, started_at, amount, most) VALUES (?1, ?2, ?3, ?4, "+
			windowStarts[h.Period]+", ?5, ?6)", callID, h.LimitID, h.Counts, h.Metric, h.Amount, h.Most)
	}
}

// returnRequests gives back the request of a call that no provider has seen; what
// it reserved of other limits goes back when the call is finished.
const returnRequests = `UPDATE limits_windows SET used = max(0, used - h.amount)
FROM (SELECT limit_id, counts, started_at, amount FROM limits_holds WHERE call_id = ?1 AND metric = 'requests') h
WHERE limits_windows.limit_id = h.limit_id AND limits_windows.counts = h.counts AND limits_windows.started_at = h.started_at`

// Window is how much of a limit is used now.
type Window struct {
	Used int64
	Ends int64 // milliseconds until the window ends; 0 for concurrency
}

// windowEnds are the milliseconds until the windows end.
var windowEnds = map[string]string{
	"minute": "60000 - " + dbNow + " % 60000",
	"hour":   "3600000 - " + dbNow + " % 3600000",
	"day":    "86400000 - " + dbNow + " % 86400000",
	"week":   "604800000 - (" + dbNow + " - 345600000) % 604800000",
	"month":  "unixepoch('now', 'start of month', '+1 month') * 1000 - " + dbNow,
}

// Window reads how much of a limit is used.
func (s *Store) Window(ctx context.Context, h LimitHold) (w Window, err error) {
	if h.Period == "now" {
		err = s.read.QueryRowContext(ctx, "SELECT count(*) FROM limits_holds WHERE limit_id = ?1 AND counts = ?2 AND metric = 'concurrency'",
			h.LimitID, h.Counts).Scan(&w.Used)
		return w, err
	}
	err = s.read.QueryRowContext(ctx, "SELECT coalesce((SELECT used FROM limits_windows WHERE limit_id = ?1 AND counts = ?2 AND started_at = "+
		windowStarts[h.Period]+"), 0), "+windowEnds[h.Period], h.LimitID, h.Counts).Scan(&w.Used, &w.Ends)
	return w, err
}

// SetLimit stores a limit, in place of one for the same scope, subject, metric
// and period.
func (s *Store) SetLimit(ctx context.Context, l Limit) (Limit, error) {
	l.ID = s.NewID()
	err := s.changed(ctx, `INSERT INTO limits (id, scope, subject, metric, period, amount, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)
ON CONFLICT (scope, subject, metric, period) DO UPDATE SET amount = ?6, updated_at = ?7`, l.ID, l.Scope, l.Subject, l.Metric, l.Period, l.Amount, s.millis())
	if err != nil {
		return l, err
	}
	return s.LimitOf(ctx, l.Scope, l.Subject, l.Metric, l.Period)
}

const limitColumns = "SELECT id, scope, subject, metric, period, amount, managed FROM limits"

func scanLimit(scan func(...any) error, l *Limit) error {
	return scan(&l.ID, &l.Scope, &l.Subject, &l.Metric, &l.Period, &l.Amount, &l.Managed)
}

// LimitOf finds a limit. ErrNotFound: there is none.
func (s *Store) LimitOf(ctx context.Context, scope, subject, metric, period string) (l Limit, err error) {
	err = scanLimit(s.read.QueryRowContext(ctx, limitColumns+" WHERE scope = ?1 AND subject = ?2 AND metric = ?3 AND period = ?4",
		scope, subject, metric, period).Scan, &l)
	if errors.Is(err, sql.ErrNoRows) {
		return l, ErrNotFound
	}
	return l, err
}

// LimitByID finds a limit. ErrNotFound: there is none.
func (s *Store) LimitByID(ctx context.Context, id string) (l Limit, err error) {
	err = scanLimit(s.read.QueryRowContext(ctx, limitColumns+" WHERE id = ?1", id).Scan, &l)
	if errors.Is(err, sql.ErrNoRows) {
		return l, ErrNotFound
	}
	return l, err
}

// LimitsOf lists the limits of one subject.
func (s *Store) LimitsOf(ctx context.Context, scope, subject string) ([]Limit, error) {
	return list(ctx, s.read, func(r *sql.Rows, l *Limit) error { return scanLimit(r.Scan, l) },
		limitColumns+" WHERE scope = ?1 AND subject = ?2 ORDER BY metric, period", scope, subject)
}

// RemoveLimit deletes a limit. ErrNotFound: there is none with that id.
func (s *Store) RemoveLimit(ctx context.Context, id string) error {
	return s.changed(ctx, "DELETE FROM limits WHERE id = ?1", id)
}

// Limits lists all limits.
func (s *Store) Limits(ctx context.Context) ([]Limit, error) { return alone(ctx, s.read, askLimits) }

func askLimits(into *[]Limit) question {
	return asks(into, func(r *sql.Rows, l *Limit) error { return scanLimit(r.Scan, l) }, limitColumns+" ORDER BY scope, subject, metric, period")
}

// keepWindows is how long windows are kept: the longest is a month.
const keepWindows = 62 * 24 * 3600 * 1000

// ForgetWindows deletes windows that are over.
func (s *Store) ForgetWindows(ctx context.Context) error {
	const batch = 5000
	return s.sweep(ctx, "DELETE FROM limits_windows WHERE (limit_id, counts, started_at) IN (SELECT limit_id, counts, started_at FROM limits_windows WHERE started_at < "+
		dbNow+" - ?1 ORDER BY started_at LIMIT ?2)", int64(keepWindows), batch)
}
