package hostusers

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/blocklet"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

const (
	// sweepDeaf is how often the server is asked about all users while it tells
	// nothing by itself, sweepHearing while it does.
	sweepDeaf    = time.Minute
	sweepHearing = 15 * time.Minute
	longestWait  = 30 * time.Second
	learnTries   = 5
)

// Serve follows what happens to users at the server until ctx ends. An event only
// says whom to ask about, so events that come twice, late, out of order or not at
// all do no harm.
func (h *Host) Serve(ctx context.Context) {
	if !h.Env.HasDaemon() {
		return
	}
	f := &follower{Host: h, due: map[string]int{}, wake: make(chan struct{}, 1)}
	var wg sync.WaitGroup
	wg.Go(func() { f.work(ctx) })
	wg.Go(func() { f.sweeps(ctx) })
	if h.Env.CanListen() {
		f.listen(ctx)
	}
	wg.Wait()
}

// follower is one run of Serve.
type follower struct {
	*Host

	mu      sync.Mutex
	due     map[string]int // DIDs to ask about, and how often that failed
	hearing bool
	wake    chan struct{}
}

func (f *follower) listen(ctx context.Context) {
	wait := time.Second
	l := &blocklet.Listener{Env: f.Env, Now: f.Now,
		Joined: func() {
			wait = time.Second
			f.set(true)
			f.Log.Info("following the users of the Blocklet Server")
		},
		User:    func(e blocklet.UserEvent) { f.put(e.DID, 0) },
		Refused: func() { f.Log.Warn("an event about a user is not signed by the Blocklet Server; it is ignored") }}
	for {
		err := l.Run(ctx)
		f.set(false)
		if ctx.Err() != nil {
			return
		}
		f.Log.Warn("the Blocklet Server's events about users do not come", "error", err, "retry_in", wait.String())
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		wait = min(2*wait, longestWait)
	}
}

// set notes whether events come. What happened until they do is asked for.
func (f *follower) set(hearing bool) {
	f.mu.Lock()
	f.hearing = hearing
	f.mu.Unlock()
	if hearing {
		f.put("", 0)
	}
}

// put makes a DID due, "" for everybody's.
func (f *follower) put(did string, failed int) {
	f.mu.Lock()
	f.due[did] = failed
	f.mu.Unlock()
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

func (f *follower) take() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	due := f.due
	f.due = map[string]int{}
	return due
}

// work asks about those who are due.
func (f *follower) work(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.wake:
		}
		for did, failed := range f.take() {
			var err error
			if did == "" {
				err = f.Sweep(ctx)
			} else {
				_, err = f.Learn(ctx, did)
			}
			if err == nil || ctx.Err() != nil {
				continue
			}
			f.Log.Warn("users of the Blocklet Server are not up to date", "error", err)
			if failed++; failed < learnTries {
				time.AfterFunc(time.Duration(failed)*time.Second, func() { f.put(did, failed) })
			}
		}
	}
}

// sweeps makes everybody due now and then.
func (f *follower) sweeps(ctx context.Context) {
	last := f.Now()
	if !f.Env.CanListen() {
		f.put("", 0)
	}
	tick := time.NewTicker(sweepDeaf)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		f.mu.Lock()
		hearing := f.hearing
		f.mu.Unlock()
		if !hearing || f.Now().Sub(last) >= sweepHearing {
			last = f.Now()
			f.put("", 0)
		}
	}
}

// Sweep asks the server about all of its users whom the hub knows.
func (h *Host) Sweep(ctx context.Context) error {
	for after := ""; ; {
		known, err := h.Store.HostUsers(ctx, after, blocklet.MostUsers)
		if err != nil {
			return err
		}
		if len(known) > 0 {
			if err := h.compare(ctx, known); err != nil {
				return err
			}
		}
		if len(known) < blocklet.MostUsers {
			return nil
		}
		after = known[len(known)-1].ID
	}
}

// compare asks about some users and stores what changed. Whom the server left out
// is asked about alone, before it is taken for gone.
func (h *Host) compare(ctx context.Context, known []store.HostUser) error {
	at := h.Now()
	dids := make([]string, len(known))
	for i, u := range known {
		dids[i] = u.DID
	}
	said, err := h.Env.Users(ctx, dids, at)
	if err != nil {
		return err
	}
	var faults error
	for _, u := range known {
		i := slices.IndexFunc(said, func(s blocklet.User) bool { return s.DID == u.DID })
		switch {
		case i >= 0 && u.Same(h.read(said[i], at)):
			continue
		case i < 0 && u.BlockedAt != nil && len(u.Roles) == 0: // known to be gone
			continue
		}
		_, err := h.Learn(ctx, u.DID)
		faults = errors.Join(faults, err)
	}
	return faults
}
