package auth

import (
	"maps"
	"net/netip"
	"sync"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

const (
	maxTries    = 10
	tryWindow   = time.Minute
	maxThrottle = 10_000 // addresses remembered
)

// throttle allows so many tries a minute for each address. It remembers a
// bounded number of addresses and forgets all when they get too many: a token
// is long enough not to be guessed, what is kept in bounds is the noise.
type throttle struct {
	now hub.Now

	mu      sync.Mutex
	windows map[netip.Addr]window
}

type window struct {
	end   time.Time
	tries int
}

func newThrottle(now hub.Now) *throttle {
	return &throttle{now: now, windows: map[netip.Addr]window{}}
}

// subject is whom a try is counted against: of IPv6 the network, since one
// client has a whole one. Clients whose address is unknown share one window.
func subject(a netip.Addr) netip.Addr {
	const network = 64
	if p, err := a.Prefix(network); err == nil && a.Is6() {
		return p.Addr()
	}
	return a
}

// take counts a try. It returns 0, or how long to wait when there is none left.
func (t *throttle) take(client netip.Addr) time.Duration {
	client = subject(client)
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	w, known := t.windows[client]
	if !known && len(t.windows) >= maxThrottle {
		t.shrink(now)
	}
	if !w.end.After(now) {
		w = window{end: now.Add(tryWindow)}
	}
	if w.tries >= maxTries {
		return w.end.Sub(now)
	}
	w.tries++
	t.windows[client] = w
	return 0
}

// giveBack undoes a take that did not fail.
func (t *throttle) giveBack(client netip.Addr) {
	client = subject(client)
	t.mu.Lock()
	defer t.mu.Unlock()
	if w, ok := t.windows[client]; ok && w.tries > 0 {
		w.tries--
		t.windows[client] = w
	}
}

func (t *throttle) shrink(now time.Time) {
	maps.DeleteFunc(t.windows, func(_ netip.Addr, w window) bool { return !w.end.After(now) })
	if len(t.windows) >= maxThrottle {
		clear(t.windows)
	}
}
