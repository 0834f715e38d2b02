package store

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"
)

// checkpointer copies the write-ahead log back into an embedded file on a
// connection of its own: within a commit the copying would make everybody wait
// for its fsync. Under load it never catches up with the writer, and the log
// would grow for ever; so the writer then copies the small rest itself, after
// which SQLite starts the log anew.
type checkpointer struct {
	db      *sql.DB
	log     *slog.Logger
	commits atomic.Int64 // since the last copy
	copied  atomic.Bool  // the writer is to copy the rest
	stop    chan struct{}
	done    chan struct{}
}

const (
	checkpointEvery = 100 * time.Millisecond
	checkpointAfter = 128 // commits; fewer wait for a quiet moment
	checkpointQuiet = 30  // looks after which few commits are enough
)

func newCheckpointer(db *sql.DB, log *slog.Logger) *checkpointer {
	c := &checkpointer{db: db, log: log, stop: make(chan struct{}), done: make(chan struct{})}
	go c.run()
	return c
}

func (c *checkpointer) run() {
	defer close(c.done)
	tick := time.NewTicker(checkpointEvery)
	defer tick.Stop()
	for looks := 1; ; looks++ {
		select {
		case <-c.stop:
			return
		case <-tick.C:
		}
		n := c.commits.Load()
		if n == 0 || (n < checkpointAfter && looks < checkpointQuiet) {
			continue
		}
		looks = 0
		c.commits.Add(-n)
		if _, err := c.db.ExecContext(context.Background(), copyBack); err != nil {
			c.log.Warn("write-ahead log not copied back", "error", err)
			continue
		}
		c.copied.Store(true)
	}
}

// copyBack waits for nobody: what readers still need stays in the log.
const copyBack = "PRAGMA wal_checkpoint(PASSIVE)"

// finishCheckpoint copies what was committed while the checkpointer copied.
func (w *groupWriter) finishCheckpoint(c *writeConn) {
	if !w.check.copied.CompareAndSwap(true, false) {
		return
	}
	if err := c.exec(copyBack, nil); err != nil {
		w.log.Warn("write-ahead log not copied back", "error", err)
	}
}

func (c *checkpointer) close() {
	close(c.stop)
	<-c.done
}

// durableWait is how long Durable waits for readers that keep the log.
const durableWait = 5 * time.Second

// ErrNotDurable says that a reader kept the write-ahead log from being copied.
var ErrNotDurable = errors.New("write-ahead log not copied back in time")

// Durable returns once everything that was committed before it was called survives
// a power cut. An embedded file under NORMAL writes its log to the disk with each
// checkpoint, not with each commit; a server, and FULL, need nothing.
func (s *Store) Durable(ctx context.Context) error {
	if s.remote || synchronous(s.opts) == "FULL" {
		return nil
	}
	const pause = 20 * time.Millisecond
	for began := time.Now(); ; {
		// Both numbers are of the log as it was when the checkpoint began, which is after
		// the commits in question. Its first act is to write the log to the disk.
		var blocked, frames, copied int64
		if err := s.read.QueryRowContext(ctx, copyBack).Scan(&blocked, &frames, &copied); err != nil {
			return err
		}
		if blocked == 0 && copied == frames {
			return nil
		}
		if time.Since(began) > durableWait {
			return ErrNotDurable
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}
