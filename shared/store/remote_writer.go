package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// remoteWriter sends each unit to a libSQL server as one batch, one round trip:
// BEGIN IMMEDIATE; …; COMMIT. The server orders them.
type remoteWriter struct {
	db    *sql.DB
	log   *slog.Logger
	slots chan struct{}
	queue atomic.Int64
	did   *WriteStats
}

const remoteUnitTimeout = 10 * time.Second

func newRemoteWriter(db *sql.DB, log *slog.Logger) *remoteWriter {
	w := &remoteWriter{db: db, log: log, slots: make(chan struct{}, remoteStreams)}
	// All wait for the same streams, whatever their priority: they are shown as the first.
	w.did = newWriteStats(func() [numPriorities]int { return [numPriorities]int{int(w.queue.Load())} })
	return w
}

func (w *remoteWriter) stats() *WriteStats { return w.did }

// enter waits for a stream to the server.
func (w *remoteWriter) enter(ctx context.Context) error {
	began := time.Now()
	w.queue.Add(1)
	defer w.queue.Add(-1)
	select {
	case w.slots <- struct{}{}:
		w.did.Wait.Observe(time.Since(began).Microseconds())
		return nil
	case <-ctx.Done():
		return &NotSentError{ctx.Err()}
	}
}

func (w *remoteWriter) close() {
	for range cap(w.slots) { // wait for what is under way
		w.slots <- struct{}{}
	}
}

// do sends a unit. When the answer is lost the same unit is sent again: its own
// ids tell that it had happened.
func (w *remoteWriter) do(ctx context.Context, u *Unit) error {
	if err := w.enter(ctx); err != nil {
		return err
	}
	result := make(chan error, 1)
	go func() {
		defer func() { <-w.slots }()
		sendCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), remoteUnitTimeout)
		defer cancel()
		began := time.Now()
		err := w.send(sendCtx, u)
		var away error
		if errors.Is(err, ErrUnavailable) {
			away = err
		}
		w.did.committed(1, began, away)
		result <- err
	}()
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *remoteWriter) send(ctx context.Context, u *Unit) error {
	var text strings.Builder
	var args []any
	text.WriteString("BEGIN IMMEDIATE")
	for _, s := range u.Stmts {
		text.WriteString(";\n")
		text.WriteString(s.SQL)
		args = append(args, s.Args...)
	}
	text.WriteString(";\nCOMMIT")
	if u.Verify {
		return w.single(ctx, u)
	}
	_, err := w.db.ExecContext(ctx, text.String(), args...)
	return w.classify(err)
}

func (w *remoteWriter) single(ctx context.Context, u *Unit) error {
	var changed int64
	for _, s := range u.Stmts {
		res, err := w.db.ExecContext(ctx, s.SQL, s.Args...)
		if err != nil {
			return w.classify(err)
		}
		n, err := res.RowsAffected()
		if err != nil {
			return err
		}
		changed += n
	}
	if changed == 0 {
		return ErrNotFound
	}
	return nil
}

func (w *remoteWriter) classify(err error) error {
	if err == nil {
		return nil
	}
	if c := condition(err); c != nil {
		return c
	}
	w.log.Error("database refused a unit", "error", err)
	return ErrUnavailable
}

func (w *remoteWriter) tx(ctx context.Context, fn func(context.Context, *Tx) error) (err error) {
	if err := w.enter(ctx); err != nil {
		return err
	}
	defer func() { <-w.slots }()
	conn, err := w.db.Conn(ctx)
	if err != nil {
		return ErrUnavailable
	}
	defer conn.Close()
	if _, err = conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return w.classify(err)
	}
	if err = fn(ctx, &Tx{conn}); err == nil {
		_, err = conn.ExecContext(ctx, "COMMIT")
	}
	if err != nil {
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		if c := condition(err); c != nil {
			return c
		}
		if away(err) {
			return w.classify(err)
		}
	}
	return err
}

// away reports an error of the way to the server, or of the server's, in a transaction
// of several steps. The client has no other sign of them than its words.
func away(err error) bool {
	var way *url.Error
	if errors.As(err, &way) || errors.Is(err, driver.ErrBadConn) {
		return true
	}
	text := err.Error()
	return strings.Contains(text, "failed to execute SQL") && !strings.Contains(text, "SQL input error")
}
