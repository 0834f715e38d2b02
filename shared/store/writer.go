package store

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"runtime"
	"sync/atomic"
	"time"
)

// Stmt is one statement of a unit. Parameters are ?1, ?2 … numbered within the
// statement, or plain ?.
type Stmt struct {
	SQL  string
	Args []any
}

// Priority orders units that wait together.
type Priority int

// The priorities: money that is owed goes before money that will be.
const (
	Settling Priority = iota
	Admitting
	Background
)

// Unit is a unit of work: statements that happen together or not at all, with
// nothing to read in between, so that a server takes it in one round trip.
type Unit struct {
	Stmts    []Stmt
	Priority Priority
	// Verify: sum RowsAffected of the unit must not be zero, else ErrNotFound.
	// For single-statement updates only.
	Verify bool
}

// Add appends a statement.
func (u *Unit) Add(query string, args ...any) {
	u.Stmts = append(u.Stmts, Stmt{query, args})
}

// Tx is a transaction of several steps, for administration only: it keeps every
// other writer waiting.
type Tx struct {
	*sql.Conn
}

// writer commits units. Do returns nil once the unit is durable, a condition
// error if it was refused, and ErrUnavailable (or ctx's error) when the outcome
// is unknown: the same unit can be sent again, its ids make that harmless.
type writer interface {
	do(ctx context.Context, u *Unit) error
	tx(ctx context.Context, fn func(context.Context, *Tx) error) error
	close()
	stats() *WriteStats
}

// ErrReadOnly is returned for what would write to a file that is open for reading.
var ErrReadOnly = errors.New("database is open for reading only")

// Do runs a unit. The context ends the waiting, never the work: a unit already
// taken by the writer is finished.
func (s *Store) Do(ctx context.Context, u *Unit) error { return s.writer.do(ctx, u) }

// Exec runs one statement and reports ErrNotFound when it changed no row.
func (s *Store) Exec(ctx context.Context, query string, args ...any) error {
	u := &Unit{Priority: Background, Verify: true}
	u.Add(query, args...)
	return s.Do(ctx, u)
}

// Tx runs fn in one write transaction and bumps nothing by itself. It must not
// wait for anything but the database. The context ends the waiting for fn's
// turn; once it runs, Tx returns after it.
func (s *Store) Tx(ctx context.Context, fn func(context.Context, *Tx) error) error {
	return s.writer.tx(ctx, fn)
}

// Bump makes every process reload its configuration.
func (tx *Tx) Bump(ctx context.Context) error {
	_, err := tx.ExecContext(ctx, "UPDATE config_version SET version = version + 1 WHERE id = 1")
	return err
}

const (
	maxGroup  = 256
	queueSize = 4096
	lockWait  = 2 * time.Second
)

// job is a unit on its way through the group writer.
type job struct {
	unit  *Unit
	fn    func(context.Context, *Tx) error
	ctx   context.Context // of fn only
	state atomic.Int32    // jobQueued, jobTaken or jobDropped
	since time.Time       // when it was queued
	done  chan error
}

const (
	jobQueued = iota
	jobTaken
	jobDropped
)

// groupWriter is the one goroutine that writes to an embedded file: it commits
// what has queued while the last commit ran as one transaction.
type groupWriter struct {
	db     *sql.DB
	log    *slog.Logger
	queues [numPriorities]chan *job
	wake   chan struct{}
	stop   chan struct{}
	done   chan struct{}
	closed atomic.Bool
	conn   *writeConn
	check  *checkpointer
	did    *WriteStats
	// careful counts the groups that still run each unit under a savepoint:
	// savepoints cost a fifth of a unit, so they are left out until a condition
	// fails, and then the group is run again with them.
	careful int
}

// carefulGroups is how many groups are run with savepoints after a refusal,
// since refusals (an empty wallet) come in numbers.
const carefulGroups = 64

func newGroupWriter(db, read *sql.DB, log *slog.Logger) *groupWriter {
	w := &groupWriter{db: db, log: log, check: newCheckpointer(read, log), wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{})}
	for i := range w.queues {
		w.queues[i] = make(chan *job, queueSize)
	}
	w.did = newWriteStats(func() (n [numPriorities]int) {
		for i := range w.queues {
			n[i] = len(w.queues[i])
		}
		return n
	})
	go w.run()
	return w
}

func (w *groupWriter) do(ctx context.Context, u *Unit) error {
	return w.submit(ctx, u.Priority, &job{unit: u, done: make(chan error, 1)})
}

func (w *groupWriter) tx(ctx context.Context, fn func(context.Context, *Tx) error) error {
	return w.submit(ctx, Background, &job{fn: fn, ctx: ctx, done: make(chan error, 1)})
}

func (w *groupWriter) submit(ctx context.Context, p Priority, j *job) error {
	if w.closed.Load() {
		return ErrUnavailable
	}
	j.since = time.Now()
	select {
	case w.queues[p] <- j:
	default: // a full queue refuses; it never grows and never drops what it took
		return ErrUnavailable
	}
	select {
	case w.wake <- struct{}{}:
	default:
	}
	select {
	case err := <-j.done:
		return err
	case <-w.done:
		select {
		case err := <-j.done:
			return err
		default:
			return ErrUnavailable
		}
	case <-ctx.Done():
		if j.state.CompareAndSwap(jobQueued, jobDropped) {
			return &NotSentError{ctx.Err()}
		}
		if j.fn != nil { // fn works on its caller's variables, which must not return before it
			return <-j.done
		}
		return ctx.Err()
	}
}

func (w *groupWriter) close() {
	if w.closed.CompareAndSwap(false, true) {
		close(w.stop)
		<-w.done
		w.check.close()
	}
	<-w.done
}

func (w *groupWriter) run() {
	defer close(w.done)
	defer func() {
		if w.conn != nil {
			w.conn.discard()
		}
	}()
	for {
		w.gather()
		select {
		case <-w.wake: // for units that are about to be collected
		default:
		}
		group := w.collect()
		if len(group) == 0 {
			select {
			case <-w.wake:
				continue
			case <-w.stop:
				if group = w.collect(); len(group) == 0 {
					return
				}
			}
		}
		w.commit(group)
	}
}

// gather lets goroutines that are ready to run queue their units first: a
// commit costs as much as several units, and on a busy machine this makes
// groups larger without anybody waiting. On an idle one it returns at once.
func (*groupWriter) gather() {
	const rounds = 4
	for range rounds {
		runtime.Gosched()
	}
}

// collect takes what has queued, in order of priority. A multi-step transaction
// is a group of its own.
func (w *groupWriter) collect() []*job {
	var group []*job
	for p := range w.queues {
		for len(group) < maxGroup {
			var j *job
			select {
			case j = <-w.queues[p]:
			default:
			}
			if j == nil {
				break
			}
			if !j.state.CompareAndSwap(jobQueued, jobTaken) {
				continue
			}
			w.did.Wait.Observe(time.Since(j.since).Microseconds())
			if j.fn != nil {
				w.commit(group)
				group = nil
				w.runTx(j)
				continue
			}
			group = append(group, j)
		}
	}
	return group
}

// commit runs a group as one transaction. After an error that is no broken
// condition the connection is thrown away and the group is run once more, unit
// by unit; nobody is answered from a transaction that did not commit.
func (w *groupWriter) commit(group []*job) {
	if len(group) == 0 {
		return
	}
	results := make([]error, len(group))
	began := time.Now()
	if err := w.tryGroup(group, results); err == nil {
		w.did.committed(len(group), began, nil)
		for i, j := range group {
			j.done <- results[i]
		}
		w.finishCheckpoint(w.conn)
		return
	} else if len(group) == 1 {
		w.did.committed(1, began, err)
		w.log.Error("database refused a unit", "error", err)
		group[0].done <- ErrUnavailable
		return
	}
	for i, j := range group {
		began = time.Now()
		err := w.tryGroup(group[i:i+1], results[i:i+1])
		w.did.committed(1, began, err)
		if err != nil {
			w.log.Error("database refused a unit", "error", err)
			j.done <- ErrUnavailable
			continue
		}
		j.done <- results[i]
	}
}

func (w *groupWriter) tryGroup(group []*job, results []error) (err error) {
	c, err := w.connection()
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			c.discard()
			w.conn = nil
		}
	}()
	patient := group[0].unit.Priority == Settling
	if err := w.begin(c, patient); err != nil {
		return err
	}
	savepoints := len(group) > 1 && w.careful > 0
	w.careful = max(0, w.careful-1)
	for i := 0; i < len(group); i++ {
		if results[i], err = c.unit(group[i].unit, savepoints); err != nil {
			return err
		}
		if results[i] == nil || savepoints {
			continue
		}
		if err := c.exec("ROLLBACK", nil); err != nil || len(group) == 1 {
			return err
		}
		if err := w.begin(c, patient); err != nil {
			return err
		}
		savepoints, w.careful, i = true, carefulGroups, -1
	}
	w.check.commits.Add(1)
	return c.exec("COMMIT", nil)
}

// begin waits for the lock: two seconds for admissions, without limit where
// money is owed.
func (w *groupWriter) begin(c *writeConn, patient bool) error {
	deadline := time.Now().Add(lockWait)
	for {
		err := c.exec("BEGIN IMMEDIATE", nil)
		if err == nil || !busy(err) || (!patient && time.Now().After(deadline)) {
			return err
		}
		select {
		case <-w.stop:
			return err
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (w *groupWriter) connection() (*writeConn, error) {
	if w.conn != nil {
		return w.conn, nil
	}
	c, err := openWriteConn(w.db)
	w.conn = c
	return c, err
}

func (w *groupWriter) runTx(j *job) {
	began := time.Now()
	c, err := w.connection()
	if err != nil {
		j.done <- ErrUnavailable
		return
	}
	if err := w.begin(c, false); err != nil {
		c.discard()
		w.conn = nil
		j.done <- ErrUnavailable
		return
	}
	err = j.fn(context.WithoutCancel(j.ctx), &Tx{c.conn})
	if err == nil {
		err = c.exec("COMMIT", nil)
	}
	if err != nil {
		if rerr := c.exec("ROLLBACK", nil); rerr != nil {
			c.discard()
			w.conn = nil
		}
		if cond := condition(err); cond != nil {
			err = cond
		}
	}
	w.did.committed(1, began, nil) // whatever fn answered: the database did its part
	j.done <- err
}
