package upstream

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/routing"
)

// When a breaker opens, and for how long.
const (
	breakStreak  = 5  // failures in a row
	breakCalls   = 20 // calls in the window, of which more than half failed
	breakSlot    = 10 * time.Second
	breakSlots   = 6 // a minute
	breakWait    = 5 * time.Second
	breakLongest = time.Minute
	maxCircuits  = 5000
)

// spot is a provider's model.
type spot struct{ provider, model string }

func spotOf(t *routing.Target) spot { return spot{t.Provider.Name, t.Model} }

// breaker remembers, for each provider's model, whether it is worth being asked
// first. An open one goes to the end of the order, not away. After a wait one
// call at a time may try it in its own place; a success closes it, another
// failure doubles the wait.
type breaker struct {
	now hub.Now

	open atomic.Int64 // how many are: while none is, nobody has to look
	mu   sync.Mutex
	at   map[spot]*circuit
}

type circuit struct {
	streak  int
	counts  [breakSlots]struct{ epoch, ok, bad int64 }
	open    bool
	until   time.Time     // no probe before
	wait    time.Duration // the current one
	probing bool
}

func newBreaker(now hub.Now) *breaker { return &breaker{now: now, at: map[spot]*circuit{}} }

// last reports whether a target is to come after all others.
func (b *breaker) last(t *routing.Target) bool {
	if b.open.Load() == 0 {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.at[spotOf(t)]
	return c != nil && c.open && (c.probing || b.now().Before(c.until))
}

// enter asks to try a target in its place: yes when it is closed, or when it is
// this call that may find out. probe: leave or an outcome must follow.
func (b *breaker) enter(t *routing.Target) (ok, probe bool) {
	if b.open.Load() == 0 {
		return true, false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.at[spotOf(t)]
	if c == nil || !c.open {
		return true, false
	}
	if c.probing || b.now().Before(c.until) {
		return false, false
	}
	c.probing = true
	return true, true
}

// leave ends a probe that found nothing out.
func (b *breaker) leave(t *routing.Target) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c := b.at[spotOf(t)]; c != nil {
		c.probing = false
	}
}

// record notes how an attempt ended.
func (b *breaker) record(t *routing.Target, good, probe bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := spotOf(t)
	c := b.at[s]
	if c == nil {
		if len(b.at) >= maxCircuits {
			b.forget()
		}
		c = &circuit{}
		b.at[s] = c
	}
	if probe {
		c.probing = false
	}
	now := b.now()
	epoch := now.UnixMilli() / breakSlot.Milliseconds()
	k := &c.counts[epoch%breakSlots]
	if k.epoch != epoch {
		k.epoch, k.ok, k.bad = epoch, 0, 0
	}
	if good {
		k.ok++
		c.streak = 0
		if c.open {
			*c = circuit{}
			b.open.Add(-1)
		}
		return
	}
	k.bad++
	c.streak++
	switch {
	case c.open && probe:
		c.wait = min(2*c.wait, breakLongest)
		c.until = now.Add(c.wait)
	case !c.open && (c.streak >= breakStreak || c.failing(epoch)):
		c.open, c.wait, c.until = true, breakWait, now.Add(breakWait)
		b.open.Add(1)
	}
}

// failing reports whether most calls of the window failed.
func (c *circuit) failing(epoch int64) bool {
	var ok, bad int64
	for i := range c.counts {
		if c.counts[i].epoch > epoch-breakSlots {
			ok += c.counts[i].ok
			bad += c.counts[i].bad
		}
	}
	return ok+bad >= breakCalls && bad > ok
}

// forget makes room: closed ones have little to remember.
func (b *breaker) forget() {
	for s, c := range b.at {
		if !c.open {
			delete(b.at, s)
		}
	}
	if len(b.at) >= maxCircuits {
		clear(b.at)
		b.open.Store(0)
	}
}

// arrange moves the candidates of open targets behind all others.
func (b *breaker) arrange(cands []candidate) []candidate {
	if b.open.Load() == 0 {
		return cands
	}
	var front, back []candidate
	for _, c := range cands {
		if b.last(c.target) {
			back = append(back, c)
		} else {
			front = append(front, c)
		}
	}
	return append(front, back...)
}
