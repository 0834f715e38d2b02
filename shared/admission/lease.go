package admission

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Lease timing (money.md §5.6): renewed every 5 s; a process that has not
// renewed for 20 s does so before it admits; dead after 60 s.
const (
	renewEvery = 5 * time.Second
	renewFirst = 20 * time.Second
)

// Lease is this process's sign of life. Calls carry its id, so that a sweeper
// can tell whose they are when the process dies.
type Lease struct {
	store *store.Store
	log   *slog.Logger

	mu      sync.Mutex
	id      string
	renewed time.Time // by this process's monotonic clock
	stop    chan struct{}
	done    chan struct{}
}

// NewLease makes a lease keeper; the lease itself is taken by the first
// admission.
func NewLease(s *store.Store, log *slog.Logger) *Lease {
	return &Lease{store: s, log: log}
}

// Owner returns the lease id to admit under, taking or renewing the lease where
// that is due. A dead id never lives again: a new one takes its place.
func (l *Lease) Owner(ctx context.Context) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.id != "" && time.Since(l.renewed) < renewFirst {
		return l.id, nil
	}
	if l.id != "" {
		switch err := l.store.RenewLease(ctx, l.id); {
		case err == nil:
			l.renewed = time.Now()
			return l.id, nil
		case !errors.Is(err, store.ErrLeaseLost):
			return "", err
		}
	}
	id, err := l.store.OpenLease(ctx)
	if err != nil {
		return "", err
	}
	l.id, l.renewed = id, time.Now()
	if l.stop == nil {
		l.stop, l.done = make(chan struct{}), make(chan struct{})
		go l.keep(l.stop, l.done)
	}
	return id, nil
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
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		l.mu.Lock()
		id := l.id
		l.mu.Unlock()
		if id == "" {
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
