package admission

import (
	"context"
	"errors"
	"slices"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/limits"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// A stream that shows every token it bills can be stopped before it costs more
// than is held. So only its prompt and a slice of its answer are held at first,
// and the hold grows with what is relayed, for as long as wallet and limits last.
// Its output limit then stays as the caller sent it: what the wallet does not cover
// is never relayed.

// firstSlice is how much output of each answer is held at first, nil: all of it.
func (g *Gate) firstSlice(r *Request) *int64 {
	if !g.Settings.Billing || g.Settings.Slice <= 0 || !r.Stream || r.Work != nil || r.Replay != nil || r.ServerTools || r.Unseen || r.Thinking > 0 {
		return nil
	}
	for i := range r.Plan.Targets {
		if !r.Plan.Targets[i].Shows() {
			return nil
		}
	}
	first := portion(g.Settings.Slice, r.answers())
	if first >= r.ceiling() {
		return nil
	}
	return &first
}

// portion is what each of n gets of a whole, rounded up.
func portion(whole, n int64) int64 { return (whole + n - 1) / n }

// Delivered is what a stream's client has got so far, and from where.
type Delivered struct {
	Target       *routing.Target
	CredentialID string
	Credential   string
	Usage        hub.Usage
	Source       hub.UsageSource
}

// RefusedError says that a hold cannot grow, and what the stream that needs it
// ends by.
type RefusedError struct{ Policy hub.ChargePolicy }

// Error says which.
func (e *RefusedError) Error() string { return "the hold cannot grow: " + string(e.Policy) }

// ErrSwept says that a call was closed from outside while it ran, so that its hold
// is gone.
var ErrSwept = &hub.Error{Code: hub.CodeUnavailable, Message: "The call was taken for interrupted and closed; the answer ends here."}

// Held is how many output tokens, over all answers, the hold covers, and how many
// there can be. Where nothing grows both are 0.
func (t *Ticket) Held() (tokens, ceiling int64) { return t.held, t.ceiling }

// Extend makes the hold cover more output, durably, and notes what was delivered:
// a slice more, at least need tokens over all answers, or as much as wallet and
// limits have. It goes on trying while the database does not answer, until ctx
// ends. Errors: *RefusedError, ErrSwept, else the database's. It must not be called
// by two goroutines at once, nor after Settle.
func (t *Ticket) Extend(ctx context.Context, need int64, d Delivered) (held int64, err error) {
	g := t.gate
	want := min(t.ceiling, max(t.held+g.Settings.Slice, need))
	for try := 0; ; try++ {
		x, err := t.slice(want, &d)
		if err != nil {
			return t.held, err
		}
		err = retry(ctx, func() error { return g.Store.Do(ctx, g.Store.SliceUnit(x)) })
		switch {
		case err == nil, errors.Is(err, store.ErrExists):
			t.number, t.hold, t.held, t.limits = x.Number, x.Hold, x.Tokens, x.Limits
			return t.held, nil
		case errors.Is(err, store.ErrNotOpen):
			return t.held, ErrSwept
		case errors.Is(err, store.ErrGrantsDue) && try < extendTries:
			var blocked bool
			if err = patient(ctx, func() (err error) {
				blocked, err = g.Store.ExpireGrants(ctx, t.req.Caller.AccountID)
				return err
			}); err != nil {
				return t.held, err
			}
			if blocked {
				return t.held, &RefusedError{hub.MoneyEnded}
			}
		case errors.Is(err, store.ErrInsufficient), errors.Is(err, store.ErrLimit), errors.Is(err, store.ErrGrantsDue):
			refused := &RefusedError{hub.MoneyEnded}
			if errors.Is(err, store.ErrLimit) {
				refused.Policy = hub.LimitEnded
			}
			if try >= extendTries {
				return t.held, refused
			}
			if err = patient(ctx, func() (err error) {
				want, err = t.affordable(ctx, want, &d)
				return err
			}); err != nil {
				return t.held, err
			}
			if want <= t.held {
				return t.held, refused
			}
		default:
			return t.held, err
		}
	}
}

const extendTries = 6

// patient repeats what reads until the database answers or ctx ends.
func patient(ctx context.Context, read func() error) error {
	return retry(ctx, func() error {
		if err := read(); err != nil {
			return errors.Join(store.ErrUnavailable, err)
		}
		return nil
	})
}

// slice is the next extension, so that the hold covers tokens of output.
func (t *Ticket) slice(tokens int64, d *Delivered) (store.Slice, error) {
	each := portion(tokens, t.req.answers())
	hold, err := t.holdOf(each, d.Target)
	if err != nil {
		return store.Slice{}, err
	}
	amount, cost, source := t.worth(d)
	x := store.Slice{CallID: t.CallID, Number: t.number + 1, AccountID: t.req.Caller.AccountID, Owner: t.owner, Hold: hold, Tokens: each * t.req.answers(),
		Usage: d.Usage, Source: source, Amount: amount, Cost: cost, Provider: d.Target.Provider.Name, Model: d.Target.Model,
		CredentialID: d.CredentialID, Credential: d.Credential, RateID: d.Target.RateID, RateVersion: d.Target.RateVersion}
	if len(t.limits) > 0 {
		x.Limits = slices.Clone(t.limits)
		limits.Reserve(x.Limits, t.gate.tokens(&t.req, &each), hold)
	}
	return x, nil
}

// holdOf is what must be held for so many tokens of each answer, now that it is
// known where they come from; never less than is.
func (t *Ticket) holdOf(each int64, target *routing.Target) (money.Credits, error) {
	hold, err := t.req.holdAt(target, &each)
	return max(hold, t.hold), err
}

// worth prices what was delivered. What has no price is worth nothing, and logged.
func (t *Ticket) worth(d *Delivered) (amount money.Credits, cost *money.Credits, source hub.UsageSource) {
	d.Usage.Clamp()
	source = d.Source
	o := Outcome{Target: d.Target, Variant: t.req.Variant}
	cost = o.cost(d.Usage)
	countRequest(d.Target, &d.Usage)
	amount, estimated, err := charge(d.Target, t.req.Type, o.Variant, &d.Usage)
	if estimated {
		source = hub.UsageEstimated
	}
	switch {
	case errors.Is(err, money.ErrOverflow):
		amount = t.hold
	case err != nil:
		t.gate.Log.Error("usage cannot be priced", "call_id", t.CallID, "error", err)
	}
	return amount, cost, source
}

// affordable is the most output, below want tokens, that wallet and limits have
// room for. Both may change before it is held; then less is tried.
func (t *Ticket) affordable(ctx context.Context, want int64, d *Delivered) (int64, error) {
	g, n := t.gate, t.req.answers()
	acc, err := g.Store.AccountByID(ctx, t.req.Caller.AccountID)
	if err != nil {
		return 0, err
	}
	left, err := g.look(ctx, t.limits)
	if err != nil {
		return 0, err
	}
	reserved := int64(0)
	for _, h := range t.limits {
		if h.Metric == limits.Tokens {
			reserved = h.Amount
		}
	}
	high := (want - 1) / n
	most := largestBetween(t.held/n, high, func(each int64) bool {
		hold, err := t.holdOf(each, d.Target)
		more := hold - t.hold
		return err == nil && more <= acc.Available() && (left.credits < 0 || int64(more) <= left.credits) &&
			(left.tokens < 0 || g.tokens(&t.req, &each)-reserved <= left.tokens)
	})
	if most < high {
		return most * n, nil
	}
	return t.held + (want-t.held)/2, nil // there is room by what was read, and yet it was refused
}
