package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// ErrInUse says that somebody has a database file open.
var ErrInUse = errors.New("the database is in use")

// FileURL is the URL of a database file, whatever is in its name.
func FileURL(path string) string {
	return "file:" + strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path)
}

// Snapshot copies an embedded file as it is at this instant into a new file that
// only its owner can read, while others read and write. The copy has no empty pages.
func (s *Store) Snapshot(ctx context.Context, path string) error {
	if s.remote {
		return hub.Errorf(hub.CodeInvalid, "The database is a server; it is copied where it runs.")
	}
	const private = 0o600
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, private) // SQLite would let others read it
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if _, err := s.read.ExecContext(ctx, "VACUUM INTO ?", path); err != nil {
		return fmt.Errorf("copy the database: %w", errors.Join(err, os.Remove(path)))
	}
	return nil
}

// Sound has SQLite check every page, index and reference of an embedded file.
func (s *Store) Sound(ctx context.Context) error {
	found, err := list(ctx, s.read, func(r *sql.Rows, text *string) error { return r.Scan(text) }, "PRAGMA integrity_check")
	if err != nil {
		return err
	}
	if len(found) != 1 || found[0] != "ok" {
		return fmt.Errorf("the database is damaged: %s", strings.Join(found[:min(len(found), 3)], "; "))
	}
	return nil
}

// Schema is the name of the last migration that a database has.
func (s *Store) Schema(ctx context.Context) (name string, err error) {
	err = s.read.QueryRowContext(ctx, "SELECT name FROM schema_migrations ORDER BY name DESC LIMIT 1").Scan(&name)
	return name, err
}

// Seclude writes what is in the write-ahead log of a database file back and leaves
// the file alone, without log. It returns ErrInUse while any process has it open.
func Seclude(ctx context.Context, url string) error {
	db, err := openPlain(url)
	if err != nil {
		return err
	}
	defer db.Close()
	var mode string
	err = db.QueryRowContext(ctx, "PRAGMA journal_mode = DELETE").Scan(&mode)
	switch {
	case err == nil && mode == "delete":
		return nil
	case err == nil || busy(err):
		return ErrInUse
	}
	return err
}

// NewestSchema is the name of the last migration that this binary knows.
func NewestSchema() string {
	all, err := migrations()
	if err != nil || len(all) == 0 {
		return ""
	}
	return all[len(all)-1].name
}
