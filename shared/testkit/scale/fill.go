// Package scale fills a database with years of made-up calls, quickly and always
// the same ones, and measures what a hub does on it. It writes past the hub: what
// it fills is right by construction, and the tests prove the books of a small one.
package scale

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the engine, without the hub's writer before it

	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Options say what to fill.
type Options struct {
	File   string    // database file, which must not exist
	Calls  int       // over the span
	Users  int       // 0: 2,000
	Until  time.Time // of the last call; zero: now
	Span   time.Duration
	Seed   uint64
	Ledger bool // the calls are billed: settlements, entries and grants as well
	Out    io.Writer
}

// Population is whom a filled database knows, for queries.
type Population struct {
	From, Until time.Time
	Busy        []string // e-mail addresses of those who call most
	Calls       int
}

// bytesPerCall is what a call takes in the file, with and without the ledger.
const (
	bytesPerCall   = 1900
	bytesPerBilled = 1700
)

// Needs is how many bytes of disk a database of so many calls takes, with what
// making it takes beside.
func (o Options) Needs() int64 {
	if o.Ledger {
		return int64(o.Calls) * bytesPerBilled
	}
	return int64(o.Calls) * bytesPerCall
}

func (o *Options) defaults() {
	if o.Users == 0 {
		o.Users = 2000
	}
	if o.Until.IsZero() {
		o.Until = time.Now()
	}
	if o.Span == 0 {
		o.Span = 365 * 24 * time.Hour
	}
	if o.Out == nil {
		o.Out = io.Discard
	}
}

// Fill makes the database.
func Fill(ctx context.Context, o Options) (Population, error) {
	o.defaults()
	if _, err := os.Stat(o.File); err == nil {
		return Population{}, fmt.Errorf("%s exists", o.File)
	}
	if err := blank(ctx, o.File); err != nil {
		return Population{}, err
	}
	f := &filler{Options: o, rand: rand.New(rand.NewPCG(o.Seed, 0x5ca1e)), from: o.Until.Add(-o.Span)} //nolint:gosec // made-up data
	if err := f.open(ctx); err != nil {
		return Population{}, err
	}
	err := f.fill(ctx)
	if err = errors.Join(err, f.close()); err != nil {
		return Population{}, err
	}
	return f.population(), nil
}

// Describe is the population of a database that was filled with the same options
// before.
func Describe(o Options) Population {
	o.defaults()
	f := &filler{Options: o, rand: rand.New(rand.NewPCG(o.Seed, 0x5ca1e)), from: o.Until.Add(-o.Span)} //nolint:gosec // made-up data
	f.people = newPeople(f.rand, o.Users, f.from.Add(-time.Hour))
	return f.population()
}

// blank makes an empty database with the newest schema.
func blank(ctx context.Context, path string) error {
	const private = 0o700
	if err := os.MkdirAll(filepath.Dir(path), private); err != nil {
		return err
	}
	s, err := store.Open(ctx, store.Options{URL: "file:" + path})
	if err != nil {
		return err
	}
	_, err = s.Migrate(ctx)
	return errors.Join(err, s.Close())
}

// filler writes with everything off that makes a database safe: what it leaves
// when it dies is thrown away.
type filler struct {
	Options
	from   time.Time
	rand   *rand.Rand
	people *people
	db     *sql.DB
	conn   *sql.Conn
	later  []string // statements that make indexes and triggers again
	stmts  map[string]*sql.Stmt
	rows   int
}

func (f *filler) population() Population {
	p := Population{From: f.from, Until: f.Until, Calls: f.Calls}
	for _, u := range f.people.users[:min(20, len(f.people.users))] {
		p.Busy = append(p.Busy, u.email)
	}
	return p
}

// bulk are the tables whose indexes and triggers wait until all rows are there.
var bulk = []string{"model_calls", "usage", "model_call_attempts", "ledger_operations", "ledger_entries"}

func (f *filler) open(ctx context.Context) error {
	var err error
	f.stmts = map[string]*sql.Stmt{}
	if f.db, err = sql.Open("sqlite", "file:"+f.File+"?_pragma=journal_mode(OFF)&_pragma=synchronous(OFF)&_pragma=foreign_keys(0)&_pragma=locking_mode(EXCLUSIVE)&_pragma=cache_size(-200000)"); err != nil {
		return err
	}
	if f.conn, err = f.db.Conn(ctx); err != nil {
		return err
	}
	type object struct{ kind, name, table, text string }
	var all []object
	rows, err := f.conn.QueryContext(ctx, "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE type IN ('index','trigger') AND sql IS NOT NULL")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var x object
		if err := rows.Scan(&x.kind, &x.name, &x.table, &x.text); err != nil {
			return err
		}
		if slices.Contains(bulk, x.table) {
			all = append(all, x)
		}
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for _, x := range all {
		f.later = append(f.later, x.text)
		if _, err := f.conn.ExecContext(ctx, "DROP "+x.kind+" "+x.name); err != nil {
			return err
		}
	}
	return nil
}

func (f *filler) close() error {
	failed := make([]error, 0, len(f.stmts)+2)
	for _, s := range f.stmts {
		failed = append(failed, s.Close())
	}
	return errors.Join(append(failed, f.conn.Close(), f.db.Close())...)
}

// insert adds a row. columns are separated by spaces.
func (f *filler) insert(ctx context.Context, table, columns string, values ...any) error {
	key := table + " " + columns
	s := f.stmts[key]
	if s == nil {
		names := strings.Fields(columns)
		var err error
		s, err = f.conn.PrepareContext(ctx, "INSERT "+"INTO "+table+" ("+strings.Join(names, ", ")+") VALUES (?"+strings.Repeat(", ?", len(names)-1)+")")
		if err != nil {
			return err
		}
		f.stmts[key] = s
	}
	_, err := s.ExecContext(ctx, values...)
	return err
}

func (f *filler) fill(ctx context.Context) error {
	began := time.Now()
	if _, err := f.conn.ExecContext(ctx, "BEGIN"); err != nil {
		return err
	}
	if err := f.settle(ctx); err != nil {
		return err
	}
	at := f.from
	for _, n := range hours(f.Calls, f.from, f.Until) {
		if err := f.hour(ctx, at, n); err != nil {
			return err
		}
		at = at.Add(time.Hour)
		const portion = 500_000
		if f.rows/portion != (f.rows-n)/portion {
			fmt.Fprintf(f.Out, "%d calls, %s\n", f.rows, time.Since(began).Round(time.Second))
			if _, err := f.conn.ExecContext(ctx, "COMMIT"); err != nil {
				return err
			}
			if _, err := f.conn.ExecContext(ctx, "BEGIN"); err != nil {
				return err
			}
		}
	}
	if err := f.pay(ctx); err != nil {
		return err
	}
	if _, err := f.conn.ExecContext(ctx, "COMMIT"); err != nil {
		return err
	}
	fmt.Fprintf(f.Out, "%d calls, %s; making indexes\n", f.rows, time.Since(began).Round(time.Second))
	for _, text := range f.later {
		if _, err := f.conn.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	fmt.Fprintf(f.Out, "filled in %s\n", time.Since(began).Round(time.Second))
	return nil
}

// hour makes the calls of an hour, in their order.
func (f *filler) hour(ctx context.Context, at time.Time, n int) error {
	for i := range n {
		when := at.Add(time.Duration((float64(i) + f.rand.Float64()) / float64(n) * float64(time.Hour)))
		if err := f.call(ctx, when); err != nil {
			return err
		}
	}
	f.rows += n
	return nil
}
