package upstream

import (
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/routing"
)

// Observer is told of each attempt at a target: its time to the first byte, or
// its fault. It must be quick; calls wait for it.
type Observer interface {
	Attempt(provider, model string, kind hub.CallType, ttfb time.Duration, fault *hub.Error)
}

// observe tells the observer how a target fared.
func (c *Client) observe(t *routing.Target, ttfb time.Duration, fault *hub.Error) {
	if c.Observer != nil {
		c.Observer.Attempt(t.Provider.Name, t.Model, t.Type, ttfb, fault)
	}
}

// Broke tells the observer of an answer that broke off after it was accepted.
func (c *Client) Broke(a *Answer, fault *hub.Error) { c.observe(a.Target, 0, fault) }

// RestsUntil is when a credential that cools down may be used again, as this
// process knows it; the zero time when it need not wait.
func (c *Client) RestsUntil(p *routing.Provider, key routing.Credential) time.Time {
	c.pool.mu.Lock()
	defer c.pool.mu.Unlock()
	s := c.pool.state[candidate{&routing.Target{Provider: p}, key}.key()]
	if s == nil || !c.now().Before(s.rests) {
		return time.Time{}
	}
	return s.rests
}
