package health

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

const (
	// reportEvery is how often a process brings what it saw to the database.
	reportEvery = 10 * time.Second
	// reportLimit bounds a report in the background, waitLimit one that somebody
	// waits for. One that is cut off may have been stored: then its attempts are
	// counted twice.
	reportLimit = 5 * time.Second
	waitLimit   = 500 * time.Millisecond
	// reportBatch is how many targets one unit of work carries.
	reportBatch = 100
	maxReason   = 300 // bytes
)

// Reporter brings what a board saw to the database: only targets that saw
// attempts, in the background, never as part of a call.
type Reporter struct {
	Board *Board
	Store *store.Store
	Log   *slog.Logger
	// Statuses, if not nil, is read again with each report, for Recent.
	Statuses *Statuses

	mu   sync.Mutex // of one report at a time
	last time.Time
}

// Serve reports every 10 s until ctx ends, and once more then. Every process
// that makes calls runs it: it is no job, of which one process does the work.
func (r *Reporter) Serve(ctx context.Context) {
	tick := time.NewTicker(reportEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			r.report(ctx, waitLimit)
			return
		case <-tick.C:
			r.report(ctx, reportLimit)
		}
	}
}

// Due reports where no ticker runs, at the end of an invocation on Lambda: at
// most every 10 s, or when a target came or went, and for half a second at most.
// A function that makes no calls has nothing to do.
func (r *Reporter) Due(ctx context.Context) {
	if r.Board.Idle() {
		return
	}
	r.mu.Lock()
	due := r.Board.Now().Sub(r.last) >= reportEvery
	r.mu.Unlock()
	if due || r.Board.Turned() {
		r.report(ctx, waitLimit)
	}
}

func (r *Reporter) report(ctx context.Context, limit time.Duration) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	if err := r.Report(ctx); err != nil {
		r.Log.Warn("model statuses not stored; they will be with the next ones", "error", err)
		return
	}
	if r.Statuses != nil {
		if _, err := r.Statuses.All(ctx); err != nil {
			r.Log.Warn("model statuses not read", "error", err)
		}
	}
}

// Report stores what was seen since the last report. What fails is not lost.
func (r *Reporter) Report(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last = r.Board.Now()
	var failed error
	for batch := range slices.Chunk(r.Board.Take(), reportBatch) {
		rows := make([]store.StatusReport, len(batch))
		for i, k := range batch {
			rows[i] = r.row(k)
		}
		if failed == nil {
			failed = r.Store.ReportStatuses(ctx, rows)
		}
		if failed != nil {
			r.Board.GiveBack(batch)
		}
	}
	return failed
}

func (r *Reporter) row(k Taken) store.StatusReport {
	return store.StatusReport{
		ModelStatus: store.ModelStatus{Provider: k.Provider, Model: k.Model, Type: k.Type, Available: k.Available, Category: string(k.Error),
			Error: clip(k.Reason), Calls: k.Calls, Success: k.Success, Response: k.P50, P95: k.P95},
		Age: r.last.Sub(k.Checked), OK: k.OK, Failed: k.Failed,
	}
}

// clip shortens a provider's words without cutting a character.
func clip(s string) string {
	for i := range s {
		if i > maxReason {
			return s[:i]
		}
	}
	return s
}

const (
	// readEvery is how long what was read serves for others who ask.
	readEvery = 2 * time.Second
	// fresh is how long a failure is taken for the state of a target: it is the
	// board's window. Afterwards nobody knows, and somebody has to try.
	fresh = slot * slots
)

// Statuses reads what all processes saw, at most once in two seconds.
type Statuses struct {
	Store *store.Store
	Now   hub.Now

	mu   sync.Mutex // of reading
	read time.Time
	rows atomic.Pointer[map[Target]store.ModelStatus] // never changed, only replaced
}

// All returns the statuses. While the database does not answer, those that were
// read last.
func (s *Statuses) All(ctx context.Context) (map[Target]store.ModelStatus, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.rows.Load()
	if old != nil && s.Now().Sub(s.read) < readEvery {
		return *old, nil
	}
	all, err := s.Store.ModelStatuses(ctx)
	switch {
	case err != nil && (old == nil || errors.Is(err, context.Canceled)):
		return nil, err
	case err != nil:
		s.read = s.Now()
		return *old, nil
	}
	rows := make(map[Target]store.ModelStatus, len(all))
	for _, m := range all {
		rows[Target{m.Provider, m.Model, m.Type}] = m
	}
	s.read = s.Now()
	s.rows.Store(&rows)
	return rows, nil
}

// Known says whether a target was seen to answer; nil: not known, because its
// last failure is minutes ago.
func Known(m store.ModelStatus, now time.Time) *bool {
	if !m.Available && now.Sub(m.CheckedAt) > fresh {
		return nil
	}
	return &m.Available
}

// Available says whether a target was seen to answer; nil: not known.
func (s *Statuses) Available(ctx context.Context, t Target) *bool {
	all, err := s.All(ctx)
	if err != nil {
		return nil
	}
	m, found := all[t]
	if !found {
		return nil
	}
	return Known(m, s.Now())
}

// Recent is what was read last of a target that was called within five minutes.
// It waits for nothing: plans are made from it.
func (s *Statuses) Recent(t Target) (store.ModelStatus, bool) {
	rows := s.rows.Load()
	if rows == nil {
		return store.ModelStatus{}, false
	}
	m, found := (*rows)[t]
	return m, found && s.Now().Sub(m.CheckedAt) <= fresh
}
