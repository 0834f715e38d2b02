// Package admission lets a call in: it prices the most the call can cost, holds
// that much of the caller's wallet, and hands out a Ticket that settles exactly
// once. It calls no provider and reads no wire.
package admission

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/limits"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

// Settings are the money policies of the operator.
type Settings struct {
	Billing       bool
	OnAbort       string // reported, delivered or free
	OnFailure     string // delivered or free
	DefaultOutput int64  // what an unaffordable, unlimited request is lowered to, in tokens
	PaymentLink   string // shown in 402 answers; may be empty
}

// Gate admits calls.
type Gate struct {
	Store    *store.Store
	Lease    *Lease
	Settings Settings
	Log      *slog.Logger
	Now      hub.Now
	// Reload refreshes the configuration after ErrStale.
	Reload func(ctx context.Context) error
	// Limits are those of the current configuration; nil: none.
	Limits func() *limits.Set
	// Funds are asked before a call is refused for money; nil: there are none.
	Funds Funds

	exhausted exhausted
}

// Request is what a call asks for.
type Request struct {
	Caller         hub.Caller
	Plan           routing.Plan
	Type           hub.CallType
	Dialect        string
	Stream         bool
	RequestID      string
	TraceID        string
	IdempotencyKey string

	PromptBytes int64  // of the body: a token is at least one byte
	OpaqueInput bool   // the prompt has no byte bound: the context window is held
	MaxOutput   *int64 // tokens asked for
	N           int64
	Thinking    int64 // thinking budget, 0: none
	ServerTools bool

	// Work, when set, is the most that work beside chat can use; then none of the
	// figures above counts but OpaqueInput. An Output below 0 stands for the
	// model's own limit.
	Work    *pricing.Bound
	Variant task.Variant // of pictures and films, as far as it is known

	// Replay, when set, is the kept answer that the call gets instead of a
	// provider's; then nothing else decides what is held.
	Replay *Replay
}

const (
	admitWait      = 2 * time.Second
	unknownContext = 1 << 20 // tokens held for an opaque prompt of a model without a known window
	maxWebSearches = 20      // per call, held where the provider may search
	leastOutput    = 256     // tokens below which lowering helps nobody
)

// ErrStale says that the configuration has changed: plan and admit again.
var ErrStale = &hub.Error{Code: hub.CodeStaleConfig, Message: "The configuration changed while the request was admitted; please try again."}

// admitOnce is Admit for what the wallet has now.
func (g *Gate) admitOnce(ctx context.Context, r Request) (*Ticket, error) {
	t := &Ticket{gate: g, req: r, CallID: g.Store.NewID(), start: g.Now(), billing: g.Settings.Billing}
	if err := g.bind(t); err != nil {
		return nil, err
	}
	hold, err := g.hold(&r, nil)
	if err != nil {
		return nil, err
	}
	g.reserve(t, nil, hold)
	for try := 0; ; try++ {
		err := g.admit(ctx, t, hold)
		switch {
		case err == nil:
			return t, nil
		case errors.Is(err, store.ErrLeaseLost) && try < 3:
			g.Lease.Lost(t.owner)
		case errors.Is(err, store.ErrGrantsDue) && try < 3:
			blocked, xerr := g.Store.ExpireGrants(ctx, r.Caller.AccountID)
			if xerr != nil {
				return nil, unavailable(xerr)
			}
			if blocked {
				return nil, g.insufficient()
			}
		case errors.Is(err, store.ErrInsufficient) && t.LowerTo == 0 && r.Work == nil && r.Replay == nil && try < 3:
			lower, lerr := g.lower(ctx, &r)
			if lerr != nil {
				return nil, lerr
			}
			if hold, lerr = g.hold(&r, &lower); lerr != nil {
				return nil, lerr
			}
			t.LowerTo = lower
			g.reserve(t, &lower, hold)
		case errors.Is(err, store.ErrLimit) && try < 3:
			lower, lerr := g.limited(ctx, t)
			if lerr != nil {
				return nil, lerr
			}
			if lower == 0 {
				continue
			}
			if hold, lerr = g.hold(&r, &lower); lerr != nil {
				return nil, lerr
			}
			t.LowerTo = lower
			g.reserve(t, &lower, hold)
		default:
			return nil, g.refusal(ctx, &r, err)
		}
	}
}

// admit sends the admitting unit, and gives up on its answer after admitWait.
func (g *Gate) admit(ctx context.Context, t *Ticket, hold money.Credits) error {
	ctx, cancel := context.WithTimeout(ctx, admitWait)
	defer cancel()
	owner, err := g.Lease.Owner(ctx)
	if err != nil {
		return err
	}
	t.owner, t.hold = owner, hold
	plan, err := t.req.Plan.JSON()
	if err != nil {
		return err
	}
	r := &t.req
	a := store.Admission{CallID: t.CallID, Caller: r.Caller, Type: r.Type, Dialect: r.Dialect, RequestedModel: r.Plan.Requested,
		Stream: r.Stream, Owner: owner, ConfigVersion: r.Plan.Version, RequestID: r.RequestID, TraceID: r.TraceID,
		Billing: g.Settings.Billing, OnAbort: g.Settings.OnAbort, OnFailure: g.Settings.OnFailure, PlanJSON: plan,
		Hold: hold, IdempotencyKey: r.IdempotencyKey, Limits: t.limits}
	err = g.Store.Do(ctx, g.Store.AdmitUnit(a))
	if errors.Is(err, store.ErrExists) {
		return nil // sent before, and it arrived
	}
	// A condition that failed is a certain answer, also when it came late: a
	// cancellation would then hit the next try, which has the same id.
	var notSent *store.NotSentError
	if unknown(err) && !errors.As(err, &notSent) {
		g.cancel(a)
	}
	return err
}

// cancel makes an admission of unknown outcome stay without effect. It outlives
// the request on purpose: if this process dies the sweeper does the same.
func (g *Gate) cancel(a store.Admission) {
	u := g.Store.CancelUnit(a)
	go func() {
		ctx, stop := context.WithTimeout(context.Background(), time.Minute)
		defer stop()
		if err := retry(ctx, func() error { return g.Store.Do(ctx, u) }); err != nil {
			g.Log.Error("cancelled admission not confirmed", "call_id", a.CallID, "error", err)
		}
	}()
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
		t := &r.Plan.Targets[i]
		prices := t.Prices.Dearest(r.Variant.Quality, r.Variant.Size)
		h, err := prices.Hold(prices.MeasuredBound(r.bound(t, lowered)))
		if err != nil {
			return 0, hub.Wrap(hub.CodeInvalid, err, "The most that this request can cost on %s cannot be computed: %v.", t.Name(), err)
		}
		most = max(most, h)
	}
	return most, nil
}

func (r *Request) bound(t *routing.Target, lowered *int64) pricing.Bound {
	if r.Work != nil {
		return r.workBound(t)
	}
	b := pricing.Bound{Input: r.PromptBytes, N: max(1, r.N)}
	if r.OpaqueInput || r.ServerTools { // what the provider's tools find becomes prompt
		b.Input = t.Context
		if t.Context == 0 {
			b.Input = max(unknownContext, r.PromptBytes)
		}
	}
	switch {
	case lowered != nil:
		b.Output = *lowered
	case r.MaxOutput != nil:
		b.Output = *r.MaxOutput
	default:
		// A thinking budget may be sent on top of the model's own limit.
		b.Output = t.MaxOutput + r.Thinking
	}
	if r.ServerTools {
		b.WebSearches = maxWebSearches
	}
	return b
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
// else the default; ok is false where what fits would help nobody.
func (g *Gate) largest(r *Request, fits func(tokens int64) bool) (tokens int64, ok bool) {
	asked := g.Settings.DefaultOutput
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
	low, high := least, asked // fits(low) holds
	for low < high {
		mid := low + (high-low+1)/2
		if fits(mid) {
			low = mid
		} else {
			high = mid - 1
		}
	}
	return low, true
}

func (g *Gate) insufficient() error {
	msg := "Not enough credits for this request. Buy credits or ask your administrator for a grant, then try again."
	return &hub.Error{Code: hub.CodeInsufficientCredits, Message: msg, Link: g.Settings.PaymentLink}
}

// refusal turns a unit's condition into what the caller is told.
func (g *Gate) refusal(ctx context.Context, r *Request, err error) error {
	switch {
	case errors.Is(err, store.ErrLimit):
		return hub.Errorf(hub.CodeRateLimited, "A limit of this key, user, application or model is reached; please try again.")
	case errors.Is(err, store.ErrInsufficient), errors.Is(err, store.ErrGrantsDue):
		return g.insufficient()
	case errors.Is(err, store.ErrDebt):
		return &hub.Error{Code: hub.CodeInsufficientCredits, Link: g.Settings.PaymentLink,
			Message: "The account has an open debt from a reversed payment. Buy credits to settle it, then try again."}
	case errors.Is(err, store.ErrStaleConfig):
		if rerr := g.Reload(context.WithoutCancel(ctx)); rerr != nil {
			return unavailable(rerr)
		}
		return ErrStale
	case errors.Is(err, store.ErrKeyGone):
		return hub.Errorf(hub.CodeUnauthenticated, "This API key is revoked or expired.")
	case errors.Is(err, store.ErrWalletGone):
		return hub.Errorf(hub.CodeForbidden, "This API key may no longer spend from the shared wallet that it is bound to.")
	case errors.Is(err, store.ErrUserGone):
		return hub.Errorf(hub.CodeUnauthenticated, "The user of this API key is disabled.")
	case errors.Is(err, store.ErrRepeated):
		return g.repeated(ctx, r)
	}
	return unavailable(err)
}

func (g *Gate) repeated(ctx context.Context, r *Request) error {
	c, err := g.Store.CallByIdempotencyKey(context.WithoutCancel(ctx), r.Caller.KeyID, r.IdempotencyKey)
	if err != nil {
		return hub.Errorf(hub.CodeConflict, "A request with this Idempotency-Key is being answered.")
	}
	if c.Status == hub.StatusProcessing {
		return hub.Errorf(hub.CodeConflict, "Call %s with this Idempotency-Key is still being answered.", c.ID)
	}
	return hub.Errorf(hub.CodeConflict, "Call %s with this Idempotency-Key ended as %s and cost %s credits; it is not repeated.", c.ID, c.Status, c.Credits)
}

func unavailable(err error) error {
	e := hub.Wrap(hub.CodeUnavailable, err, "The hub's database cannot take the request now; it was not sent to a provider and cost nothing.")
	e.RetryAfter = time.Second
	return e
}

// retry repeats a unit whose outcome is unknown until ctx ends.
func retry(ctx context.Context, do func() error) error {
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		err := do()
		if err == nil || !unknown(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
		}
	}
}

func unknown(err error) bool {
	return errors.Is(err, store.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// Solvent reports, as a 402, an account on which nothing is left.
func (g *Gate) Solvent(ctx context.Context, accountID string) error {
	acc, err := g.Store.AccountByID(ctx, accountID)
	if err != nil {
		return unavailable(err)
	}
	if acc.Available() <= 0 {
		return g.insufficient()
	}
	return nil
}

// Recognize checks once more that a caller's key and user are good, for requests
// that cost nothing and are therefore not admitted as calls: who is called may be
// known from a cache.
func (g *Gate) Recognize(ctx context.Context, c hub.Caller) error {
	user, err := g.Store.UserByID(ctx, c.UserID)
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && user.DisabledAt != nil:
		return g.refusal(ctx, nil, store.ErrUserGone)
	case err != nil:
		return unavailable(err)
	case c.KeyID == "":
		return nil
	}
	key, err := g.Store.KeyByID(ctx, c.KeyID)
	switch {
	case err == nil && key.RevokedAt == nil && (key.ExpiresAt == nil || key.ExpiresAt.After(g.Now())):
		return nil
	case err == nil, errors.Is(err, store.ErrNotFound):
		return g.refusal(ctx, nil, store.ErrKeyGone)
	}
	return unavailable(err)
}
