package store

import (
	"context"
	"database/sql"
	"time"
)

// Facts are what an operator wants to know of the database itself.
type Facts struct {
	Engine     string // version of SQLite
	Size, Free int64  // bytes of all pages, and of those that hold nothing; 0: a server does not tell
	Migrations []AppliedMigration
}

// AppliedMigration is a migration that the database has.
type AppliedMigration struct {
	Name string
	At   time.Time
}

// Facts looks at the database itself.
func (s *Store) Facts(ctx context.Context) (f Facts, err error) {
	if err = s.read.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&f.Engine); err != nil {
		return f, err
	}
	// Servers need not answer this; nothing depends on it.
	var size, pages, free int64
	if s.read.QueryRowContext(ctx, "SELECT (SELECT page_size FROM pragma_page_size()), (SELECT page_count FROM pragma_page_count()), (SELECT freelist_count FROM pragma_freelist_count())").
		Scan(&size, &pages, &free) == nil {
		f.Size, f.Free = size*pages, size*free
	}
	f.Migrations, err = list(ctx, s.read, func(r *sql.Rows, m *AppliedMigration) error {
		var at int64
		err := r.Scan(&m.Name, &at)
		m.At = time.UnixMilli(at).UTC()
		return err
	}, "SELECT name, applied_at FROM schema_migrations ORDER BY name DESC")
	return f, err
}
