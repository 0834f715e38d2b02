package upstream

import (
	"context"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/routing"
)

// Observer is told of each attempt at a target: its time to the first byte, or
// its fault. It must be quick; calls wait for it.
type Observer interface {
	Attempt(provider, model string, kind hub.CallType, ttfb time.Duration, fault *hub.Error)
}

// observe tells the observer. An attempt that ended because its caller left says
// nothing of the target, nor does one that is no call of a model.
func (c *Client) observe(ctx context.Context, call *Call, cand candidate, a *Answer, fault *hub.Error) {
	if c.Observer == nil || call.Plan.Type == "" || (fault != nil && ctx.Err() != nil) {
		return
	}
	var ttfb time.Duration
	if a != nil {
		ttfb = a.TTFB
	}
	c.Observer.Attempt(cand.target.Provider.Name, cand.target.Model, call.Plan.Type, ttfb, fault)
}

// Broke tells the observer of an answer that broke off after it was accepted.
func (c *Client) Broke(t *routing.Target, kind hub.CallType, fault *hub.Error) {
	if c.Observer != nil {
		c.Observer.Attempt(t.Provider.Name, t.Model, kind, 0, fault)
	}
}

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
