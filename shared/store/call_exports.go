package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// The states of an export of the call log.
const (
	ExportWaiting = "waiting"
	ExportWriting = "writing"
	ExportDone    = "done"
	ExportFailed  = "failed"
)

// CallExport is a row of call_exports: an export of the call log that a job writes.
type CallExport struct {
	ID         string
	UserID     string
	CreatedAt  time.Time
	FinishedAt *time.Time
	ExpiresAt  *time.Time // of its files
	State      string
	Asked      string // JSON: filter and form
	After      string // the last call that is in a file; "" for none
	Rows       int64
	Bytes      int64
	Error      string
	Sealed     string // the names of its files, a JSON list; "" for none
	KeyID      string
}

const exportColumns = `id, user_id, created_at, finished_at, expires_at, state, asked_json, after, row_count, bytes, error, sealed, key_id FROM call_exports`

func scanExport(scan func(...any) error, e *CallExport) error {
	var created int64
	var finished, expires sql.NullInt64
	err := scan(&e.ID, &e.UserID, &created, &finished, &expires, &e.State, &e.Asked, &e.After, &e.Rows, &e.Bytes, &e.Error, &e.Sealed, &e.KeyID)
	e.CreatedAt, e.FinishedAt, e.ExpiresAt = time.UnixMilli(created).UTC(), nullMillis(finished), nullMillis(expires)
	return err
}

// AddCallExport records an export to be written, unless most of its user's are
// waiting or being written: ErrConflict.
func (s *Store) AddCallExport(ctx context.Context, e CallExport, most int) error {
	err := s.Exec(ctx, `INSERT INTO call_exports (id, user_id, created_at, state, asked_json) SELECT ?1, ?2, ?3, 'waiting', ?4
WHERE (SELECT count(*) FROM call_exports WHERE user_id = ?2 AND state IN ('waiting','writing')) < ?5`,
		e.ID, e.UserID, e.CreatedAt.UnixMilli(), e.Asked, most)
	if errors.Is(err, ErrNotFound) {
		return ErrConflict
	}
	return err
}

// CallExport finds an export.
func (s *Store) CallExport(ctx context.Context, id string) (CallExport, error) {
	var e CallExport
	err := scanExport(s.read.QueryRowContext(ctx, "SELECT "+exportColumns+" WHERE id = ?", id).Scan, &e)
	if errors.Is(err, sql.ErrNoRows) {
		return e, ErrNotFound
	}
	return e, err
}

// CallExports lists a user's exports, newest first, behind one.
func (s *Store) CallExports(ctx context.Context, userID, after string, limit int) ([]CallExport, error) {
	if after == "" {
		after = "~" // sorts after every ULID
	}
	return list(ctx, s.read, func(r *sql.Rows, e *CallExport) error { return scanExport(r.Scan, e) },
		"SELECT "+exportColumns+" WHERE user_id = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3", userID, after, limit)
}

// DueCallExport finds the oldest export that is not written. ErrNotFound: none is.
func (s *Store) DueCallExport(ctx context.Context) (CallExport, error) {
	var e CallExport
	err := scanExport(s.read.QueryRowContext(ctx, "SELECT "+exportColumns+" WHERE state IN ('waiting','writing') AND id > '' ORDER BY id LIMIT 1").Scan, &e)
	if errors.Is(err, sql.ErrNoRows) {
		return e, ErrNotFound
	}
	return e, err
}

// SaveCallExport stores how far an export has come, which was at after. ErrNotFound:
// somebody else has gone on with it.
func (s *Store) SaveCallExport(ctx context.Context, e CallExport, after string) error {
	return s.Exec(ctx, `UPDATE call_exports SET finished_at = ?2, expires_at = ?3, state = ?4, after = ?5, row_count = ?6, bytes = ?7, error = ?8, sealed = ?9, key_id = ?10
WHERE id = ?1 AND state IN ('waiting','writing') AND after = ?11`,
		e.ID, millisOrNil(e.FinishedAt), millisOrNil(e.ExpiresAt), e.State, e.After, e.Rows, e.Bytes, e.Error, e.Sealed, e.KeyID, after)
}

// ForgetCallExports deletes exports that were finished before a time.
func (s *Store) ForgetCallExports(ctx context.Context, before time.Time) error {
	const batch = 500
	u := &Unit{Priority: Background}
	u.Add(`DELETE FROM call_exports WHERE id IN (SELECT id FROM call_exports WHERE id < ?1 AND finished_at < ?2 ORDER BY id LIMIT ?3)`,
		firstID(before), before.UnixMilli(), batch)
	return s.Do(ctx, u)
}
