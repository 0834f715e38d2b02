package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"
)

// DueStat is a bucket that is to be made (again).
type DueStat struct {
	StatBucket
	Turn   string
	Forced bool // also where fewer calls are found than were counted
}

// DueStats lists buckets of a period that are due and begin at a time or later,
// and before another one, oldest first.
func (s *Store) DueStats(ctx context.Context, p Period, from, before time.Time, limit int) ([]DueStat, error) {
	return list(ctx, s.read, func(r *sql.Rows, d *DueStat) error {
		var at int64
		err := r.Scan(&at, &d.Turn, &d.Forced)
		d.Period, d.Start = p, time.UnixMilli(at).UTC()
		return err
	}, "SELECT started_at, turn, forced FROM model_call_stats_due WHERE period = ?1 AND started_at >= ?2 AND started_at < ?3 ORDER BY started_at LIMIT ?4",
		int(p), from.UnixMilli(), before.UnixMilli(), limit)
}

// ChangedStretches lists stretches of admission in which calls have changed.
func (s *Store) ChangedStretches(ctx context.Context, after string, limit int) ([]string, error) {
	return list(ctx, s.read, func(r *sql.Rows, v *string) error { return r.Scan(v) },
		"SELECT stretch FROM model_call_changes WHERE stretch > ?1 ORDER BY stretch LIMIT ?2", after, limit)
}

// QueueStats makes buckets due, and takes stretches, of which they are the buckets,
// off the list of changes.
func (s *Store) QueueStats(ctx context.Context, stretches []string, buckets []StatBucket, forced bool) error {
	u := &Unit{Priority: Background}
	if len(stretches) > 0 {
		text, err := json.Marshal(stretches)
		if err != nil {
			return err
		}
		u.Add("DELETE FROM model_call_changes WHERE stretch IN (SELECT value FROM json_each(?1))", string(text))
	}
	if err := u.queue(s.NewID(), buckets, forced); err != nil {
		return err
	}
	if len(u.Stmts) == 0 {
		return nil
	}
	return s.Do(ctx, u)
}

// StatState is how far the sums of a period reach.
type StatState struct {
	Horizon time.Time // buckets from Filled up to it have been made
	Filled  time.Time
	Kept    time.Time // buckets before it are not kept any more
}

// StatStates reads the states of all periods.
func (s *Store) StatStates(ctx context.Context) (all [NumPeriods]StatState, err error) {
	type row struct{ p, horizon, filled, kept int64 }
	rows, err := list(ctx, s.read, func(r *sql.Rows, v *row) error { return r.Scan(&v.p, &v.horizon, &v.filled, &v.kept) },
		"SELECT period, horizon, filled_from, kept_from FROM model_call_stats_state")
	for _, r := range rows {
		all[r.p] = StatState{time.UnixMilli(r.horizon).UTC(), time.UnixMilli(r.filled).UTC(), time.UnixMilli(r.kept).UTC()}
	}
	return all, err
}

// AdvanceStats moves the horizon of a period to a time, but not past a bucket that
// is due.
func (s *Store) AdvanceStats(ctx context.Context, p Period, to time.Time) error {
	u := &Unit{Priority: Background}
	u.Add(`UPDATE model_call_stats_state SET horizon = max(horizon, min(?2,
  coalesce((SELECT min(started_at) FROM model_call_stats_due WHERE period = ?1 AND started_at >= horizon), ?2))) WHERE period = ?1`,
		int(p), to.UnixMilli())
	return s.Do(ctx, u)
}

// FilledStats notes that buckets from a time on have been made, of all periods.
func (s *Store) FilledStats(ctx context.Context, from time.Time) error {
	u := &Unit{Priority: Background}
	u.Add("UPDATE model_call_stats_state SET filled_from = min(filled_from, ?1)", from.UnixMilli())
	return s.Do(ctx, u)
}

// FirstCall is when the oldest call that is kept here was admitted; ok is false
// when there is none.
func (s *Store) FirstCall(ctx context.Context) (at time.Time, ok bool, err error) {
	var id sql.NullString
	if err := s.read.QueryRowContext(ctx, "SELECT min(id) FROM model_calls").Scan(&id); err != nil || !id.Valid {
		return at, false, err
	}
	at, ok = AdmittedAt(id.String)
	return at, ok, nil
}
