package ledger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// DeadAfter is how long a lease must be without renewal, and how long its
// counter must have stood still under the sweeper's eyes, before its calls are
// closed.
const DeadAfter = 60 * time.Second

// Sweeper closes the calls of processes that died.
type Sweeper struct {
	Store *store.Store
	Log   *slog.Logger
	// After is DeadAfter unless a test needs less.
	After time.Duration

	mu   sync.Mutex
	seen map[string]sighting // by lease id, of this process's own clock
}

type sighting struct {
	counter int64
	since   time.Time // monotonic
}

// Sweep declares leases dead that both the database's clock and a second look
// find silent, and settles their open calls as interrupted, charging nothing
// beyond their last durable checkpoint.
func (s *Sweeper) Sweep(ctx context.Context) error {
	after := s.After
	if after == 0 {
		after = DeadAfter
	}
	quiet, err := s.Store.QuietLeases(ctx, after)
	if err != nil {
		return err
	}
	for _, l := range quiet {
		still, err := s.standsStill(ctx, l, after)
		if err != nil {
			return err
		}
		if !still {
			continue
		}
		if err := s.Store.KillLease(ctx, l.ID, l.Counter, after); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	dead, err := s.Store.DeadLeases(ctx)
	if err != nil {
		return err
	}
	for _, id := range dead {
		if err := s.closeCalls(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// standsStill looks at a lease with this process's own clock; a process that
// keeps no memory (Lambda) relies on what the last run stored.
func (s *Sweeper) standsStill(ctx context.Context, l store.Lease, after time.Duration) (bool, error) {
	s.mu.Lock()
	if s.seen == nil {
		s.seen = map[string]sighting{}
	}
	before, known := s.seen[l.ID]
	if !known || before.counter != l.Counter {
		s.seen[l.ID] = sighting{l.Counter, time.Now()}
	}
	s.mu.Unlock()
	if known && before.counter == l.Counter && time.Since(before.since) >= after {
		return true, nil
	}
	if err := s.Store.WatchLease(ctx, l.ID, l.Counter); err != nil {
		return false, err
	}
	if known {
		return false, nil // this process watches by itself
	}
	d, err := s.Store.WatchedFor(ctx, l.ID, l.Counter)
	return d >= after, err
}

func (s *Sweeper) closeCalls(ctx context.Context, lease string) error {
	const batch = 100
	for {
		open, err := s.Store.OpenCalls(ctx, lease, batch)
		if err != nil {
			return err
		}
		for _, c := range open {
			if err := s.closeCall(ctx, &c); err != nil {
				return err
			}
			s.Log.Warn("interrupted call closed", "call_id", c.ID, "lease", lease)
		}
		if len(open) < batch {
			s.mu.Lock()
			delete(s.seen, lease)
			s.mu.Unlock()
			return s.Store.ForgetLease(ctx, lease)
		}
	}
}

// closeCall charges a call its last checkpoint: what its client had got for
// certain, at the price of the rate that the call was admitted under. What was
// delivered after it, at most what was held beyond, is the operator's cost.
func (s *Sweeper) closeCall(ctx context.Context, c *store.OpenCall) error {
	x := store.Settlement{CallID: c.ID, Owner: c.Owner, UserID: c.UserID, AccountID: c.AccountID, AppID: c.AppID,
		Type: hub.CallType(c.Type), Billing: c.Billing, Status: hub.StatusInterrupted,
		Category: "interrupted", Error: "the serving process ended before the call was settled; a provider that was at work may bill its answer"}
	if c.Billing {
		x.Policy = hub.SweptCheckpoint
	}
	last, err := s.Store.LastSlice(ctx, c.ID)
	switch {
	case err == nil:
		x.Usage, x.Source, x.Amount, x.Cost = last.Usage, last.Source, last.Amount, last.Cost
		x.Provider, x.Model, x.CredentialID, x.Credential = last.Provider, last.Model, last.CredentialID, last.Credential
		x.RateID, x.RateVersion = last.RateID, last.RateVersion
		x.Error = fmt.Sprintf("the serving process ended before the call was settled; charged is what was delivered at checkpoint %d; the provider may bill more, up to %d output tokens",
			last.Number, last.Tokens)
	case !errors.Is(err, store.ErrNotFound):
		return err
	}
	err = s.Store.Do(ctx, s.Store.SettleUnit(x))
	if errors.Is(err, store.ErrGrantSplit) {
		x.SplitGrants = true
		err = s.Store.Do(ctx, s.Store.SettleUnit(x))
	}
	if err != nil && !errors.Is(err, store.ErrExists) && !errors.Is(err, store.ErrNotOpen) {
		return err
	}
	return nil
}
