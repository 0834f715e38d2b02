package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Blob is a row of blobs: a file kept for its link. The content is elsewhere.
type Blob struct {
	ID        string // digest of the name
	UserID    string
	CallID    string // of the call that made it
	Type      string // media type
	Size      int64
	CreatedAt time.Time
	ExpiresAt time.Time
}

// AddBlob records a file before its content is written, so that no content is
// ever without a row.
func (s *Store) AddBlob(ctx context.Context, b Blob) error {
	u := &Unit{Priority: Settling}
	u.Add("INSERT INTO blobs (id, user_id, call_id, type, size, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
		b.ID, b.UserID, b.CallID, b.Type, b.Size, b.CreatedAt.UnixMilli(), b.ExpiresAt.UnixMilli())
	return s.Do(ctx, u)
}

const blobColumns = "id, user_id, call_id, type, size, created_at, expires_at FROM blobs"

func scanBlob(scan func(...any) error, b *Blob) error {
	var created, expires int64
	err := scan(&b.ID, &b.UserID, &b.CallID, &b.Type, &b.Size, &created, &expires)
	b.CreatedAt, b.ExpiresAt = time.UnixMilli(created).UTC(), time.UnixMilli(expires).UTC()
	return err
}

// BlobByID finds a file, also one that has expired and is still there.
func (s *Store) BlobByID(ctx context.Context, id string) (Blob, error) {
	var b Blob
	err := scanBlob(s.read.QueryRowContext(ctx, "SELECT "+blobColumns+" WHERE id = ?", id).Scan, &b)
	if errors.Is(err, sql.ErrNoRows) {
		return b, ErrNotFound
	}
	return b, err
}

// ExpiredBlobs lists files whose time has come, the oldest first.
func (s *Store) ExpiredBlobs(ctx context.Context, limit int) ([]Blob, error) {
	return list(ctx, s.read, func(r *sql.Rows, b *Blob) error { return scanBlob(r.Scan, b) },
		"SELECT "+blobColumns+" WHERE expires_at <= ? ORDER BY expires_at LIMIT ?", s.millis(), limit)
}

// DropBlob removes the record of a file whose content is gone.
func (s *Store) DropBlob(ctx context.Context, id string) error {
	u := &Unit{Priority: Background}
	u.Add("DELETE FROM blobs WHERE id = ?1", id)
	return s.Do(ctx, u)
}
