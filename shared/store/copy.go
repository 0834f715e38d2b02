package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// Pending lists the migrations that the database lacks; for an empty database it is
// all of them.
func (s *Store) Pending(ctx context.Context) ([]string, error) {
	all, err := migrations()
	if err != nil {
		return nil, err
	}
	have, err := list(ctx, s.read, func(r *sql.Rows, name *string) error { return r.Scan(name) }, "SELECT name FROM schema_migrations")
	if err != nil && !strings.Contains(err.Error(), "no such table") {
		return nil, err
	}
	var missing []string
	for _, m := range all {
		if !slices.Contains(have, m.name) {
			missing = append(missing, m.name)
		}
	}
	return missing, nil
}

// ErrNoFile says that the database is a server's, which is copied there.
var ErrNoFile = errors.New("the database is not a file")

// CopyTo writes an embedded database, as it is at one moment, into a new file, also
// while others write; and checks that the copy is whole. Nothing is left of a copy
// that failed.
func (s *Store) CopyTo(ctx context.Context, path string) (err error) {
	if s.remote {
		return ErrNoFile
	}
	if _, err := os.Stat(path); err == nil {
		return fmt.Errorf("there is a file %s already", path)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, removeIfThere(path))
		}
	}()
	if _, err := s.read.ExecContext(ctx, "VACUUM INTO ?", path); err != nil {
		return fmt.Errorf("copy the database: %w", err)
	}
	const private = 0o600
	if err := os.Chmod(path, private); err != nil {
		return err
	}
	return checkCopy(ctx, path)
}

func checkCopy(ctx context.Context, path string) (err error) {
	c, err := Open(ctx, Options{URL: "file:" + strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path)})
	if err != nil {
		return fmt.Errorf("open the copy: %w", err)
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	var word string
	if err := c.read.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&word); err != nil {
		return fmt.Errorf("check the copy: %w", err)
	}
	if word != "ok" {
		return fmt.Errorf("the copy is damaged: %s", word)
	}
	return nil
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
