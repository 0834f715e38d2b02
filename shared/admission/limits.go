package admission

import (
	"context"
	"sync"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/limits"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// exhausted remembers windows that are used up, so that a caller who goes on
// asking costs no database. Only whole requests count: what they reserve is
// given back only where no provider was asked. For that, and for limits that are
// raised, the database is asked again after maxBelief.
type exhausted struct {
	mu    sync.Mutex
	until map[[2]string]belief
}

// belief is how long a window is taken for used up, and when it ends.
type belief struct{ until, ends time.Time }

const maxBelief = time.Second

// maxExhausted bounds the memory; forgetting only costs a look at the database.
const maxExhausted = 10_000

func (e *exhausted) note(h store.LimitHold, now time.Time, ends time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.until == nil || len(e.until) >= maxExhausted {
		e.until = map[[2]string]belief{}
	}
	e.until[[2]string{h.LimitID, h.Counts}] = belief{now.Add(min(ends, maxBelief)), now.Add(ends)}
}

// left is how long a window stays used up, 0 when it is not known to be.
func (e *exhausted) left(h store.LimitHold, now time.Time) time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	b, ok := e.until[[2]string{h.LimitID, h.Counts}]
	if !ok {
		return 0
	}
	if now.Before(b.until) {
		return b.ends.Sub(now)
	}
	delete(e.until, [2]string{h.LimitID, h.Counts})
	return 0
}

// LimitError is the refusal of a call by a limit.
type LimitError struct {
	Told   *hub.Error
	Hold   store.LimitHold
	Window store.Window
}

// Error returns what the caller is told.
func (e *LimitError) Error() string { return e.Told.Error() }

// Unwrap returns what the caller is told.
func (e *LimitError) Unwrap() error { return e.Told }

func exceeded(h store.LimitHold, w store.Window) *LimitError {
	return &LimitError{limits.Exceeded(h, w), h, w}
}

// bind finds the limits of a call and refuses it when one is known to be used up.
func (g *Gate) bind(t *Ticket) error {
	if g.Limits == nil {
		return nil
	}
	r := &t.req
	first := ""
	if len(r.Plan.Targets) > 0 {
		first = r.Plan.Targets[0].Name()
	}
	t.limits = g.Limits().Bind(r.Caller, first, r.Plan.Requested)
	for _, h := range t.limits {
		if h.Metric != limits.Requests {
			continue
		}
		if left := g.exhausted.left(h, g.Now()); left > 0 {
			return exceeded(h, store.Window{Used: h.Most, Ends: left.Milliseconds()})
		}
	}
	return nil
}

// tokens estimates the most tokens of a call for its token limits: the prompt at
// four bytes a token, since those limits protect capacity and are corrected at
// settlement, and the whole output limit.
func (g *Gate) tokens(r *Request, lowered *int64) int64 {
	if r.Replay != nil {
		return r.Replay.Usage.Prompt() + r.Replay.Usage.Completion()
	}
	const bytesPerToken = 4
	var most int64
	for i := range r.Plan.Targets {
		t := &r.Plan.Targets[i]
		b := r.bound(t, lowered)
		prompt := (r.PromptBytes + bytesPerToken - 1) / bytesPerToken
		if r.Work != nil {
			prompt = r.Work.Input
		}
		if t.Context > 0 {
			prompt = min(prompt, t.Context)
		}
		most = max(most, prompt+b.Output*max(1, b.N))
	}
	return most
}

// room is what is left of a call's limits.
type room struct {
	tokens, credits int64       // -1: without limit
	full            *LimitError // of a limit that no smaller answer can meet
	tight           *LimitError // of one that a smaller answer may meet
}

// look reads how much is left of each limit.
func (g *Gate) look(ctx context.Context, holds []store.LimitHold) (room, error) {
	r := room{tokens: -1, credits: -1}
	for _, h := range holds {
		w, err := g.Store.Window(ctx, h)
		if err != nil {
			return r, err
		}
		left := max(0, h.Most-w.Used)
		switch h.Metric {
		case limits.Tokens:
			if r.tokens < 0 || left < r.tokens {
				r.tokens = left
			}
		case limits.Credits:
			if r.credits < 0 || left < r.credits {
				r.credits = left
			}
		}
		if h.Amount <= left {
			continue
		}
		switch {
		case h.Metric == limits.Requests:
			g.exhausted.note(h, g.Now(), time.Duration(w.Ends)*time.Millisecond)
			r.full = exceeded(h, w)
		case h.Metric == limits.Concurrency:
			r.full = exceeded(h, w)
		case r.tight == nil:
			r.tight = exceeded(h, w)
		}
	}
	return r, nil
}

// limited deals with a call that a limit refused: it finds a smaller answer that
// fits, or says which limit is in the way.
func (g *Gate) limited(ctx context.Context, t *Ticket) (lower int64, err error) {
	left, err := g.look(ctx, t.limits)
	switch {
	case err != nil:
		return 0, unavailable(err)
	case left.full != nil:
		return 0, left.full
	case left.tight == nil: // another call ended meanwhile
		return 0, nil
	case t.req.Work != nil || t.req.Replay != nil || t.LowerTo > 0:
		return 0, left.tight
	}
	r := &t.req
	lower, ok := g.largest(r, func(tokens int64) bool {
		hold, err := g.hold(r, &tokens)
		return err == nil && (left.tokens < 0 || g.tokens(r, &tokens) <= left.tokens) && (left.credits < 0 || int64(hold) <= left.credits)
	})
	if !ok {
		return 0, left.tight
	}
	return lower, nil
}

// Windows tells how much is left of a ticket's limits on requests and tokens, for
// the caller's information.
func (t *Ticket) Windows(ctx context.Context) (holds []store.LimitHold, windows []store.Window) {
	for _, h := range t.limits {
		if h.Metric != limits.Requests && h.Metric != limits.Tokens {
			continue
		}
		w, err := t.gate.Store.Window(ctx, h)
		if err != nil {
			continue // headers are a courtesy
		}
		holds, windows = append(holds, h), append(windows, w)
	}
	return holds, windows
}

// reserve fills in what the call takes of its limits.
func (g *Gate) reserve(t *Ticket, lowered *int64, hold money.Credits) {
	if len(t.limits) > 0 {
		limits.Reserve(t.limits, g.tokens(&t.req, lowered), hold)
	}
}
