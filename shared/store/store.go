// Package store keeps all data in libSQL: an embedded file or a libSQL server.
// It opens databases, migrates them, commits units of work in groups and holds
// the SQL, one file a table. It decides nothing about money or routing.
package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// Options say which database to open and how.
type Options struct {
	URL         string     // file:… (embedded) or libsql://, https://, http://
	Token       hub.Secret // for a server
	Synchronous string     // NORMAL (default) or FULL; embedded only
	Now         hub.Now    // default time.Now
	Log         *slog.Logger
	// Archive says what an embedded file holds: calls moved from another one. Users
	// and wallets, to which they refer, stayed there; what is committed survives
	// power loss.
	Archive bool
	// ReadOnly opens an embedded file that others write.
	ReadOnly bool
}

// Store is an open database.
type Store struct {
	opts   Options
	remote bool
	read   *sql.DB
	write  *sql.DB
	writer writer
	now    hub.Now
	log    *slog.Logger
	ids    *ulid.MonotonicEntropy
	idMu   sync.Mutex

	reports atomic.Bool // usage is reported to an outside system
}

// Open opens the database and checks that it answers. It does not migrate.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Store{opts: o, now: o.Now, log: o.Log, ids: ulid.Monotonic(rand.Reader, 0)}
	var err error
	if s.read, s.write, s.remote, err = openPools(o); err != nil {
		return nil, err
	}
	if err := s.patientCheck(ctx); err != nil {
		return nil, errors.Join(err, s.read.Close(), s.write.Close())
	}
	switch {
	case s.remote:
		s.writer = newRemoteWriter(s.write, o.Log)
	case o.ReadOnly:
		s.writer = noWriter{}
	default:
		s.writer = newGroupWriter(s.write, s.read, o.Log)
	}
	return s, nil
}

// Close waits for queued units, then closes the database.
func (s *Store) Close() error {
	s.writer.close()
	return errors.Join(s.read.Close(), s.write.Close())
}

// Remote reports whether the database is a server.
func (s *Store) Remote() bool { return s.remote }

// NewID returns a ULID: time-ordered, unique within and across processes.
func (s *Store) NewID() string {
	s.idMu.Lock()
	defer s.idMu.Unlock()
	ms := ulid.Timestamp(s.now())
	id, err := ulid.New(ms, s.ids)
	if err != nil { // 2^80 ids in one millisecond; start over with fresh randomness
		id = ulid.MustNew(ms, rand.Reader)
	}
	return id.String()
}

// earliestID is before every id made at a moment or later.
func earliestID(at time.Time) string {
	var id ulid.ULID
	if at.After(time.UnixMilli(0)) {
		_ = id.SetTime(ulid.Timestamp(at)) // fails in the year 10889
	}
	return id.String()
}

// millis is the injected clock in the unit of the schema.
func (s *Store) millis() int64 { return s.now().UnixMilli() }

// Ready reports whether the database answers a query now.
func (s *Store) Ready(ctx context.Context) error {
	var one int
	if err := s.read.QueryRowContext(ctx, "SELECT 1").Scan(&one); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	return nil
}

// dbNow is the database's own clock in milliseconds, as an SQL expression.
const dbNow = "CAST(unixepoch('subsec') * 1000 AS INTEGER)"

// list runs a query and scans each row.
func list[T any](ctx context.Context, q queryer, scan func(*sql.Rows, *T) error, query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	return scanned(rows, scan)
}

// scanned reads one set of rows to its end.
func scanned[T any](rows *sql.Rows, scan func(*sql.Rows, *T) error) ([]T, error) {
	var out []T
	for rows.Next() {
		var v T
		if err := scan(rows, &v); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// queryer is what list and the readers need: a pool, a connection or a Tx.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func nullMillis(v sql.NullInt64) *time.Time {
	if !v.Valid {
		return nil
	}
	t := time.UnixMilli(v.Int64).UTC()
	return &t
}

func millisOrNil(t *time.Time) any {
	if t == nil {
		return nil
	}
	return t.UnixMilli()
}

func boolInt(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func isNoRows(err error) bool { return errors.Is(err, sql.ErrNoRows) }
