package store

import (
	"sync/atomic"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/telemetry/meter"
)

// writeBounds are the buckets of the writer's histograms, in microseconds.
func writeBounds() []int64 {
	return []int64{100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000}
}

// WriteStats is what this process's writer has done since it was opened.
type WriteStats struct {
	// Wait is how long units waited for their turn, Commit how long a group took to
	// become durable (of a server: a unit), both in microseconds.
	Wait, Commit *meter.Histogram

	units, groups, failed atomic.Int64
	waiting               func() [numPriorities]int
}

const numPriorities = int(Background) + 1

func newWriteStats(waiting func() [numPriorities]int) *WriteStats {
	return &WriteStats{Wait: meter.NewHistogram(writeBounds()), Commit: meter.NewHistogram(writeBounds()), waiting: waiting}
}

// Units is how many units were written, Groups in how many transactions, and Failed
// how many the database could not take.
func (w *WriteStats) Units() int64 { return w.units.Load() }

// Groups is how many transactions were committed.
func (w *WriteStats) Groups() int64 { return w.groups.Load() }

// Failed is how many units the database could not take; a broken condition is an
// answer and no failure.
func (w *WriteStats) Failed() int64 { return w.failed.Load() }

// Waiting is how many units wait for their turn now, by priority.
func (w *WriteStats) Waiting() (settling, admitting, background int) {
	n := w.waiting()
	return n[Settling], n[Admitting], n[Background]
}

// committed notes a transaction of some units that began at a time.
func (w *WriteStats) committed(units int, began time.Time, err error) {
	w.Commit.Observe(time.Since(began).Microseconds())
	if err != nil {
		w.failed.Add(int64(units))
		return
	}
	w.groups.Add(1)
	w.units.Add(int64(units))
}

// WriteStats shows what this process's writer does.
func (s *Store) WriteStats() *WriteStats { return s.writer.stats() }

func (w *groupWriter) stats() *WriteStats { return w.did }
