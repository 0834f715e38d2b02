package admission

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Lease timing (money.md §5.6): renewed every 5 s; dead after 60 s. Where the keeper
// is late, as when the process was frozen, the next admission renews in its own unit.
const (
	renewEvery = 5 * time.Second
	renewFirst = 6 * time.Second
)

// Lease is this process's sign of life. Calls carry its id, so that a sweeper
// can tell whose they are when the process dies.
type Lease struct {
	store *store.Store
	log   *slog.Logger

	mu      sync.Mutex
	id      string
	opened  bool      // it is in the database, as far as is known
	renewed time.Time // by this process's monotonic clock
	stop    chan struct{}
	done    chan struct{}
}

// Claim is what an admission is made under: a lease, and what the admission's own unit
// does to it, so that no round trip goes before it.
type Claim struct {
	ID    string
	Sign  store.LeaseSign
	since time.Time
}

// NewLease makes a lease keeper; the lease itself is taken by the first
// admission.
func NewLease(s *store.Store, log *slog.Logger) *Lease {
	return &Lease{store: s, log: log}
}

// Claim returns the lease to admit under, to be taken or renewed where that is due. A
// dead id never lives again: the admission finds it dead, and after Lost a new one
// takes its place.
func (l *Lease) Claim() Claim {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := Claim{since: time.Now()}
	if l.id == "" {
		l.id, l.opened = l.store.NewID(), false
	}
	c.ID = l.id
	switch {
	case !l.opened:
		c.Sign = store.LeaseOpened
	case time.Since(l.renewed) >= renewFirst:
		c.Sign = store.LeaseRenewed
	}
	return c
}

// Shown notes that an admission under a claim is durable.
func (l *Lease) Shown(c Claim) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.Sign == store.LeaseHeld || l.id != c.ID {
		return
	}
	l.opened = true
	if l.renewed.Before(c.since) {
		l.renewed = c.since
	}
	if l.stop == nil {
		l.stop, l.done = make(chan struct{}), make(chan struct{})
		go l.keep(l.stop, l.done)
	}
}

// Lost forgets an id that an admission found dead.
func (l *Lease) Lost(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.id == id {
		l.id = ""
	}
}

func (l *Lease) keep(stop <-chan struct{}, done chan<- struct{}) {
	defer close(done)
	tick := time.NewTicker(renewEvery)
	defer tick.Stop()
	var left time.Time // the renewal after which a turn was left to an admission
	for {
		waiting := time.Now()
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		l.mu.Lock()
		id, opened, renewed := l.id, l.opened, l.renewed
		l.mu.Unlock()
		if id == "" || !opened {
			continue
		}
		// A sandbox that thaws has a call, whose admission renews: one round trip less
		// beside it. No two turns in a row are left to what may never be admitted.
		if time.Since(waiting) >= renewFirst && left != renewed {
			left = renewed
			tick.Reset(renewEvery)
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), renewEvery)
		start := time.Now()
		err := l.store.RenewLease(ctx, id)
		cancel()
		switch {
		case errors.Is(err, store.ErrLeaseLost):
			l.log.Warn("lease was declared dead", "lease", id)
			l.Lost(id)
		case err != nil:
			l.log.Warn("lease not renewed", "lease", id, "error", err)
		default:
			l.mu.Lock()
			if l.id == id {
				l.renewed = start
			}
			l.mu.Unlock()
		}
	}
}

// Close gives the lease back once no call is open.
func (l *Lease) Close(ctx context.Context) error {
	l.mu.Lock()
	id, stop, done := l.id, l.stop, l.done
	l.id, l.stop = "", nil
	l.mu.Unlock()
	if stop != nil {
		close(stop)
		<-done
	}
	if id == "" {
		return nil
	}
	return l.store.CloseLease(ctx, id)
}
