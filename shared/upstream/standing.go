package upstream

import (
	"time"

	"github.com/aigne-hub/aigne-hub/shared/routing"
)

// RestsUntil is when a credential that cools down may be used again, as this
// process knows it; the zero time when it need not wait.
func (c *Client) RestsUntil(p *routing.Provider, key routing.Credential) time.Time {
	c.pool.mu.Lock()
	defer c.pool.mu.Unlock()
	s := c.pool.state[candidate{&routing.Target{Provider: p}, key}.key()]
	if s == nil || !s.whole.resting(c.now()) {
		return time.Time{}
	}
	return s.whole.until
}

// RestsAnywhereUntil is RestsUntil for whatever the credential cools down for, be it
// one model only.
func (c *Client) RestsAnywhereUntil(p *routing.Provider, key routing.Credential) time.Time {
	c.pool.mu.Lock()
	defer c.pool.mu.Unlock()
	s := c.pool.state[candidate{&routing.Target{Provider: p}, key}.key()]
	if s == nil {
		return time.Time{}
	}
	until := s.whole.until
	for _, r := range s.models {
		if r.until.After(until) {
			until = r.until
		}
	}
	if !c.now().Before(until) {
		return time.Time{}
	}
	return until
}

// OpenBreakers lists the targets that this process asks last because they fail, by
// provider and model.
func (c *Client) OpenBreakers() [][2]string {
	b := c.breaker
	if b.open.Load() == 0 {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	var out [][2]string
	for s, at := range b.at {
		if at.open {
			out = append(out, [2]string{s.provider, s.model})
		}
	}
	return out
}
