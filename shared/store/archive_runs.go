package store

import (
	"context"
	"database/sql"
	"time"
)

// ArchiveRun is a row of archive_runs.
type ArchiveRun struct {
	ID      string
	Actor   string
	State   RunState
	Cutoff  time.Time // calls admitted before were to be moved
	Calls   int64
	Kept    int64 // older calls that had to stay
	Freed   int64 // bytes given back
	Error   string
	Started time.Time
	Ended   *time.Time
}

// RunState is how a run of the archiver ended.
type RunState string

// The states.
const (
	RunRunning     RunState = "running"
	RunDone        RunState = "done"
	RunPartial     RunState = "partial"     // its time was over; the next one goes on
	RunFailed      RunState = "failed"      // with an error
	RunInterrupted RunState = "interrupted" // its process died
)

// keepRuns is how long the log of runs is kept.
const keepRuns = 2 * 366 * 24 * time.Hour

// BeginArchiveRun notes a run. Whoever begins one holds the archiver's lease: runs
// that still seem to go on were interrupted.
func (s *Store) BeginArchiveRun(ctx context.Context, actor string, cutoff time.Time) (string, error) {
	id := s.NewID()
	u := &Unit{Priority: Background}
	u.Add("UPDATE archive_runs SET state = 'interrupted', ended_at = ?1 WHERE id IN (SELECT id FROM archive_runs WHERE id > '' AND state = 'running')", s.millis())
	u.Add("DELETE FROM archive_runs WHERE id < ?1", firstID(s.now().Add(-keepRuns)))
	u.Add("INSERT INTO archive_runs (id, actor, state, cutoff_at, started_at) VALUES (?1, ?2, 'running', ?3, ?4)", id, actor, cutoff.UnixMilli(), s.millis())
	return id, s.Do(ctx, u)
}

// EndArchiveRun notes how a run ended. Its calls were counted as they moved.
func (s *Store) EndArchiveRun(ctx context.Context, r ArchiveRun) error {
	u := &Unit{Priority: Background}
	u.Add("UPDATE archive_runs SET state = ?2, kept = ?3, freed_bytes = ?4, error = ?5, ended_at = ?6 WHERE id = ?1 AND state IN ('running','interrupted')",
		r.ID, string(r.State), r.Kept, r.Freed, r.Error, s.millis())
	return s.Do(ctx, u)
}

// ArchiveRuns lists runs with ids below before, newest first; "" begins.
func (s *Store) ArchiveRuns(ctx context.Context, before string, limit int) ([]ArchiveRun, error) {
	if before == "" {
		before = "~" // sorts after every ULID
	}
	return list(ctx, s.read, func(r *sql.Rows, x *ArchiveRun) error {
		var cutoff, started int64
		var ended sql.NullInt64
		err := r.Scan(&x.ID, &x.Actor, &x.State, &cutoff, &x.Calls, &x.Kept, &x.Freed, &x.Error, &started, &ended)
		x.Cutoff, x.Started, x.Ended = time.UnixMilli(cutoff).UTC(), time.UnixMilli(started).UTC(), nullMillis(ended)
		return err
	}, `SELECT id, actor, state, cutoff_at, calls, kept, freed_bytes, error, started_at, ended_at FROM archive_runs
WHERE id < ?1 ORDER BY id DESC LIMIT ?2`, before, limit)
}

// Space is how large an embedded file is, and how much of it is empty, in bytes.
// A server keeps that to itself: both are 0 then.
func (s *Store) Space(ctx context.Context) (total, empty int64, err error) {
	if s.remote {
		return 0, 0, nil
	}
	var size int64
	for pragma, into := range map[string]*int64{"page_size": &size, "page_count": &total, "freelist_count": &empty} {
		if err := s.read.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(into); err != nil {
			return 0, 0, err
		}
	}
	return total * size, empty * size, nil
}

// shrinkStep is how many pages are given back in one go: a few milliseconds for
// which the writer waits.
const shrinkStep = "PRAGMA incremental_vacuum(128)"

// Shrinks reports whether an embedded file can be made smaller bit by bit. Files
// of before that was so can once they were compacted.
func (s *Store) Shrinks(ctx context.Context) (bool, error) {
	const incremental = 2
	if s.remote {
		return false, nil
	}
	var mode int64
	err := s.read.QueryRowContext(ctx, "PRAGMA auto_vacuum").Scan(&mode)
	return mode == incremental, err
}

// Shrink gives some of the empty pages of an embedded file back to the disk, if it
// can.
func (s *Store) Shrink(ctx context.Context) error {
	return s.Tx(ctx, func(ctx context.Context, tx *Tx) error {
		rows, err := tx.QueryContext(ctx, shrinkStep) // one step for each page
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			continue
		}
		return rows.Err()
	})
}

// Compact writes an embedded file anew, without what is empty. It keeps every
// writer waiting, for seconds in a large file, and needs as much disk again.
func (s *Store) Compact(ctx context.Context) error {
	conn, err := s.read.Conn(ctx) // the writer keeps its own
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.ExecContext(ctx, "VACUUM")
	return err
}
