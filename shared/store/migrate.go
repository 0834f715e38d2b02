package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// Release numbers this binary for the schema: a migration states the oldest
// release that may run on it.
const Release = 1

type migration struct {
	name, body, sum string
	minRelease      int64
}

// minReleases lists migrations that older binaries cannot live with; the others
// only expand the schema.
var minReleases = map[string]int64{"0001_init": 1}

func migrations() ([]migration, error) {
	files, err := fs.Glob(migrationFiles, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	out := make([]migration, 0, len(files))
	for _, f := range files {
		body, err := migrationFiles.ReadFile(f)
		if err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(strings.TrimPrefix(f, "migrations/"), ".sql")
		sum := sha256.Sum256(body)
		out = append(out, migration{name, string(body), hex.EncodeToString(sum[:]), max(1, minReleases[name])})
	}
	return out, nil
}

const migrationsTable = `CREATE TABLE IF NOT EXISTS schema_migrations (
  name        TEXT PRIMARY KEY,
  checksum    TEXT NOT NULL,
  min_binary  INTEGER NOT NULL,
  applied_at  INTEGER NOT NULL
) STRICT`

// Migrate applies the migrations that are missing, each in one transaction, and
// returns their names. Of two starters the loser waits and reads again.
func (s *Store) Migrate(ctx context.Context) ([]string, error) {
	all, err := migrations()
	if err != nil {
		return nil, err
	}
	conn, err := s.write.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if err := patiently(ctx, conn, migrationsTable); err != nil {
		return nil, fmt.Errorf("create schema_migrations: %w", err)
	}
	have, err := list(ctx, conn, func(r *sql.Rows, name *string) error { return r.Scan(name) }, "SELECT name FROM schema_migrations")
	if err != nil {
		return nil, err
	}
	var done []string
	for _, m := range all {
		if slices.Contains(have, m.name) { // whether it has changed CheckSchema says
			continue
		}
		applied, err := s.apply(ctx, conn, m)
		if err != nil {
			return done, fmt.Errorf("migration %s: %w", m.name, err)
		}
		if applied {
			done = append(done, m.name)
		}
	}
	return done, s.CheckSchema(ctx)
}

func (s *Store) apply(ctx context.Context, conn *sql.Conn, m migration) (applied bool, err error) {
	if err := patiently(ctx, conn, "BEGIN IMMEDIATE"); err != nil {
		return false, err
	}
	defer func() {
		if err != nil {
			_, _ = conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		}
	}()
	var sum string
	err = conn.QueryRowContext(ctx, "SELECT checksum FROM schema_migrations WHERE name = ?", m.name).Scan(&sum)
	switch {
	case err == nil && sum != m.sum:
		return false, errors.New("its text has changed since it was applied")
	case err == nil:
		_, err = conn.ExecContext(ctx, "COMMIT")
		return false, err
	case !errors.Is(err, sql.ErrNoRows):
		return false, err
	}
	if _, err = conn.ExecContext(ctx, m.body); err != nil {
		return false, err
	}
	if _, err = conn.ExecContext(ctx, "INSERT INTO schema_migrations (name, checksum, min_binary, applied_at) VALUES (?, ?, ?, ?)",
		m.name, m.sum, m.minRelease, s.millis()); err != nil {
		return false, err
	}
	_, err = conn.ExecContext(ctx, "COMMIT")
	return err == nil, err
}

// patiently waits for the lock: another starter may be migrating.
func patiently(ctx context.Context, conn *sql.Conn, query string) error {
	for deadline := time.Now().Add(starterWait); ; {
		_, err := conn.ExecContext(ctx, query)
		if err == nil || !busy(err) || time.Now().After(deadline) || ctx.Err() != nil {
			return err
		}
	}
}

// ErrSchema is returned by CheckSchema for a database this binary must not use.
var ErrSchema = errors.New("database schema does not fit this binary")

// CheckSchema refuses a database with missing or changed migrations, or one
// that asks for a newer binary. Unknown newer migrations are fine otherwise.
func (s *Store) CheckSchema(ctx context.Context) error {
	all, err := migrations()
	if err != nil {
		return err
	}
	type row struct {
		name, sum string
		min       int64
	}
	rows, err := list(ctx, s.read, func(r *sql.Rows, v *row) error { return r.Scan(&v.name, &v.sum, &v.min) },
		"SELECT name, checksum, min_binary FROM schema_migrations ORDER BY name")
	if err != nil {
		if strings.Contains(err.Error(), "no such table") {
			return fmt.Errorf("%w: it is empty; run `aigne-hub migrate`", ErrSchema)
		}
		return err
	}
	have := map[string]string{}
	for _, r := range rows {
		have[r.name] = r.sum
		if r.min > Release {
			return fmt.Errorf("%w: migration %s needs a newer binary", ErrSchema, r.name)
		}
	}
	for _, m := range all {
		switch sum, ok := have[m.name]; {
		case !ok:
			return fmt.Errorf("%w: migration %s is missing; run `aigne-hub migrate`", ErrSchema, m.name)
		case sum != m.sum:
			return fmt.Errorf("%w: migration %s has changed", ErrSchema, m.name)
		}
	}
	return nil
}
