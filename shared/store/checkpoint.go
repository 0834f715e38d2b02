package store

import (
	"context"
	"database/sql"
	"log/slog"
	"sync/atomic"
	"time"
)

// checkpointer copies the write-ahead log back into an embedded file on a
// connection of its own: within a commit the copying would make everybody wait
// for its fsync.
type checkpointer struct {
	db      *sql.DB
	log     *slog.Logger
	commits atomic.Int64 // since the last copy
	stop    chan struct{}
	done    chan struct{}
}

const (
	checkpointEvery = 500 * time.Millisecond
	checkpointAfter = 64 // commits; fewer wait for a quiet moment
	checkpointQuiet = 10 // looks after which few commits are enough
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
		var busy, pages, copied int
		err := c.db.QueryRowContext(context.Background(), "PRAGMA wal_checkpoint(PASSIVE)").Scan(&busy, &pages, &copied)
		if err != nil {
			c.log.Warn("write-ahead log not copied back", "error", err)
		}
	}
}

func (c *checkpointer) close() {
	close(c.stop)
	<-c.done
}
