package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Setting reads a stored setting.
func (s *Store) Setting(ctx context.Context, name string) (value string, err error) {
	err = s.read.QueryRowContext(ctx, "SELECT value FROM settings WHERE name = ?", name).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", ErrNotFound
	}
	return value, err
}

// SetSetting writes a stored setting.
func (s *Store) SetSetting(ctx context.Context, name, value string) error {
	u := &Unit{Priority: Background}
	u.Add("INSERT INTO settings (name, value, updated_at) VALUES (?1, ?2, ?3) ON CONFLICT (name) DO UPDATE SET value = ?2, updated_at = ?3",
		name, value, s.millis())
	return s.Do(ctx, u)
}

// AcquireJob takes the lease of a named job for ttl, by the database's clock.
func (s *Store) AcquireJob(ctx context.Context, name, holder string, ttl time.Duration) (bool, error) {
	u := &Unit{Priority: Background, Verify: true}
	u.Add("INSERT INTO job_leases (name, holder, expires_at) VALUES (?1, ?2, "+dbNow+" + ?3) ON CONFLICT (name) DO UPDATE SET holder = ?2, expires_at = "+
		dbNow+" + ?3 WHERE job_leases.expires_at <= "+dbNow+" OR job_leases.holder = ?2", name, holder, ttl.Milliseconds())
	err := s.Do(ctx, u)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// ReleaseJob gives a job's lease back.
func (s *Store) ReleaseJob(ctx context.Context, name, holder string) error {
	u := &Unit{Priority: Background}
	u.Add("DELETE FROM job_leases WHERE name = ?1 AND holder = ?2", name, holder)
	return s.Do(ctx, u)
}

// sweepBatches bounds what one sweep deletes, so that it never goes on for long.
const sweepBatches = 50

// sweep repeats a statement that deletes a batch of old rows until there are none.
// Others write between the batches.
func (s *Store) sweep(ctx context.Context, query string, args ...any) error {
	for range sweepBatches {
		err := s.Exec(ctx, query, args...)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}
