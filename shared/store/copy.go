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

// CopyTo is Snapshot with a check that the copy is whole. Nothing is left of one that
// failed.
func (s *Store) CopyTo(ctx context.Context, path string) (err error) {
	if err := s.Snapshot(ctx, path); err != nil {
		return err
	}
	c, err := Open(ctx, Options{URL: FileURL(path)})
	if err == nil {
		err = errors.Join(c.Sound(ctx), c.Close())
	}
	if err != nil {
		return fmt.Errorf("check the copy: %w", errors.Join(err, os.Remove(path)))
	}
	return nil
}
