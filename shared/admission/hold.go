package admission

import (
	"context"
	"errors"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// open decides what is held of a call at first, and reserves as much of its
// limits: the whole of what it can cost, or of a stream that can be stopped in
// time its prompt and a first slice of its answer.
func (g *Gate) open(t *Ticket) (money.Credits, error) {
	first := g.firstSlice(&t.req)
	hold, err := g.hold(&t.req, first)
	if err != nil {
		return 0, err
	}
	t.held, t.ceiling = 0, 0
	if first != nil {
		t.held, t.ceiling = *first*t.req.answers(), t.req.ceiling()*t.req.answers()
	}
	g.reserve(t, first, hold)
	return hold, nil
}

// smaller finds a hold for a call whose hold was refused: the same prompt with its
// tokens counted, then a smaller answer. It returns the refusal where neither
// helps.
func (g *Gate) smaller(ctx context.Context, t *Ticket, hold money.Credits, refused error) (money.Credits, error) {
	r := &t.req
	if count := r.CountPrompt; count != nil {
		r.CountPrompt = nil
		if r.count(count()) && t.LowerTo == 0 {
			return g.open(t)
		}
	}
	var lower int64
	var err error
	switch {
	case errors.Is(refused, store.ErrLimit):
		if lower, err = g.limited(ctx, t); err == nil && lower == 0 {
			return hold, nil
		}
	case t.LowerTo > 0 || r.Work != nil || r.Replay != nil:
		err = g.insufficient()
	default:
		lower, err = g.lower(ctx, r)
	}
	if err != nil {
		return 0, err
	}
	if hold, err = g.hold(r, &lower); err != nil {
		return 0, err
	}
	t.LowerTo, t.held, t.ceiling = lower, 0, 0
	g.reserve(t, &lower, hold)
	return hold, nil
}

// count takes a counted prompt for the bound, where it is less than its bytes.
func (r *Request) count(n int64) bool {
	switch {
	case n <= 0 || r.opaque():
		return false
	case r.Work == nil:
		r.counted = n
		return n < r.PromptBytes
	case n >= r.Work.Input:
		return false
	}
	work := *r.Work // it is the caller's, who may ask again
	work.Input = n
	r.Work = &work
	return true
}

// hold is the most the call can cost over all targets. lowered, when given,
// stands for the output limit.
func (g *Gate) hold(r *Request, lowered *int64) (money.Credits, error) {
	if !g.Settings.Billing {
		return 0, nil
	}
	if r.Replay != nil {
		return r.Replay.price(r.Type)
	}
	var most money.Credits
	for i := range r.Plan.Targets {
		h, err := r.holdAt(&r.Plan.Targets[i], lowered)
		if err != nil {
			return 0, err
		}
		most = max(most, h)
	}
	return most, nil
}

// holdAt is the most that the call can cost at one target.
func (r *Request) holdAt(t *routing.Target, lowered *int64) (money.Credits, error) {
	prices := t.Prices.Dearest(r.Variant.Quality, r.Variant.Size)
	h, err := prices.Hold(prices.MeasuredBound(r.bound(t, lowered)))
	if err != nil {
		return 0, hub.Wrap(hub.CodeInvalid, err, "The most that this request can cost on %s cannot be computed: %v.", t.Name(), err)
	}
	return h, nil
}

// opaque reports a prompt that has no bound of its own: what is outside the body,
// or what the provider's tools find.
func (r *Request) opaque() bool { return r.OpaqueInput || r.ServerTools }

// answers is how many answers are asked for.
func (r *Request) answers() int64 { return max(1, r.N) }

func (r *Request) bound(t *routing.Target, lowered *int64) pricing.Bound {
	if r.Work != nil {
		return r.workBound(t)
	}
	b := pricing.Bound{Input: r.PromptBytes, N: r.answers()}
	switch {
	case r.opaque():
		b.Input = t.Context
		if t.Context == 0 {
			b.Input = max(unknownContext, r.PromptBytes)
		}
	case r.counted > 0:
		b.Input = min(r.counted, r.PromptBytes)
	}
	b.Output = r.most(t)
	if lowered != nil {
		b.Output = *lowered
	}
	if r.ServerTools {
		b.WebSearches = maxWebSearches
	}
	return b
}

// most is the most tokens of one answer at a target.
func (r *Request) most(t *routing.Target) int64 {
	if r.MaxOutput != nil {
		return *r.MaxOutput
	}
	// A thinking budget may be sent on top of the model's own limit.
	return t.MaxOutput + r.Thinking
}

// ceiling is the most tokens of one answer at any target.
func (r *Request) ceiling() (most int64) {
	for i := range r.Plan.Targets {
		most = max(most, r.most(&r.Plan.Targets[i]))
	}
	return most
}

// workBound is the bound of work beside chat at a target.
func (r *Request) workBound(t *routing.Target) pricing.Bound {
	b := *r.Work
	if r.OpaqueInput {
		b.Input = max(t.Context, b.Input)
		if t.Context == 0 {
			b.Input = max(unknownContext, b.Input)
		}
	}
	if b.Output < 0 {
		b.Output = t.MaxOutput
	}
	return b
}

// lower finds how much output the wallet covers, or refuses.
func (g *Gate) lower(ctx context.Context, r *Request) (int64, error) {
	acc, err := g.Store.AccountByID(ctx, r.Caller.AccountID)
	if err != nil {
		return 0, unavailable(err)
	}
	free := acc.Available()
	lower, ok := g.largest(r, func(tokens int64) bool {
		h, err := g.hold(r, &tokens)
		return err == nil && h <= free
	})
	if !ok {
		return 0, g.insufficient()
	}
	return lower, nil
}

// largest finds the largest output limit that fits, at most what was asked for,
// else the default beside what is thought; ok is false where what fits would help
// nobody.
func (g *Gate) largest(r *Request, fits func(tokens int64) bool) (tokens int64, ok bool) {
	asked := g.Settings.DefaultOutput + r.Thinking
	if r.MaxOutput != nil {
		asked = *r.MaxOutput
	}
	least := min(asked, leastOutput)
	if r.Thinking > 0 {
		least = max(least, r.Thinking+1)
	}
	if least > asked || !fits(least) {
		return 0, false
	}
	return largestBetween(least, asked, fits), true
}

// largestBetween is the largest number up to high that fits; low does.
func largestBetween(low, high int64, fits func(int64) bool) int64 {
	for low < high {
		mid := low + (high-low+1)/2
		if fits(mid) {
			low = mid
		} else {
			high = mid - 1
		}
	}
	return low
}
