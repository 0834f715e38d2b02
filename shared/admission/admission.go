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
	OnEmpty       string // charge or free: what an answer without anything in it costs, or one that failed
	DefaultOutput int64  // what an unaffordable, unlimited request is lowered to, in tokens
	Slice         int64  // output tokens by which the holds of streams grow; 0: all is held at once
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
	// Begun may add to the context of an admitted call. nil: nothing does.
	Begun func(ctx context.Context, callID string, r *Request, start time.Time) context.Context
	// Ended hears of every settled call, once; it must not wait. nil: nobody does.
	Ended func(ctx context.Context, e *Ended)
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
	Unseen      bool // output may be billed that is not in the answer, whatever the model
	// CountPrompt finds a bound of the prompt's tokens below PromptBytes, with a
	// tokenizer that is exact at every target; 0 where there is none. It is asked
	// only when a call would be refused or lowered otherwise. It may be nil.
	CountPrompt func() int64
	counted     int64

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
	admitTries     = 4       // beyond the first
)

// ErrStale says that the configuration has changed: plan and admit again.
var ErrStale = &hub.Error{Code: hub.CodeStaleConfig, Message: "The configuration changed while the request was admitted; please try again."}

// admitOnce is Admit for what the wallet has now.
func (g *Gate) admitOnce(ctx context.Context, r Request) (*Ticket, error) {
	t := &Ticket{gate: g, req: r, CallID: g.Store.NewID(), start: g.Now(), billing: g.Settings.Billing,
		policies: policies{OnAbort: g.Settings.OnAbort, OnFailure: g.Settings.OnFailure, OnEmpty: g.Settings.OnEmpty}}
	if err := g.bind(t); err != nil {
		return nil, err
	}
	if err := g.priced(&r); err != nil {
		return nil, err
	}
	hold, err := g.open(t)
	if err != nil {
		return nil, err
	}
	for try := 0; ; try++ {
		err := g.admit(ctx, t, hold)
		switch {
		case err == nil:
			return t, nil
		case try >= admitTries:
			return nil, g.refusal(ctx, &t.req, err)
		case errors.Is(err, store.ErrLeaseLost):
			g.Lease.Lost(t.owner)
		case errors.Is(err, store.ErrGrantsDue):
			blocked, xerr := g.Store.ExpireGrants(ctx, r.Caller.AccountID)
			if xerr != nil {
				return nil, unavailable(xerr)
			}
			if blocked {
				return nil, g.insufficient()
			}
		case errors.Is(err, store.ErrInsufficient), errors.Is(err, store.ErrLimit):
			if hold, err = g.smaller(ctx, t, hold, err); err != nil {
				return nil, err
			}
		default:
			return nil, g.refusal(ctx, &t.req, err)
		}
	}
}

// admit sends the admitting unit, and gives up on its answer after admitWait.
func (g *Gate) admit(ctx context.Context, t *Ticket, hold money.Credits) error {
	ctx, cancel := context.WithTimeout(ctx, admitWait)
	defer cancel()
	claim := g.Lease.Claim()
	t.owner, t.hold = claim.ID, hold
	plan, err := t.req.Plan.JSON()
	if err != nil {
		return err
	}
	plan = t.note(plan)
	r := &t.req
	a := store.Admission{CallID: t.CallID, Caller: r.Caller, Type: r.Type, Dialect: r.Dialect, RequestedModel: r.Plan.Requested,
		Stream: r.Stream, Owner: claim.ID, Sign: claim.Sign, ConfigVersion: r.Plan.Version, RequestID: r.RequestID, TraceID: r.TraceID,
		Billing: t.billing, OnAbort: t.policies.OnAbort, OnFailure: t.policies.OnFailure, OnEmpty: t.policies.OnEmpty, PlanJSON: plan,
		Hold: hold, IdempotencyKey: r.IdempotencyKey, Limits: t.limits}
	err = g.Store.Do(ctx, g.Store.AdmitUnit(a))
	if err == nil || errors.Is(err, store.ErrExists) { // sent before, and it arrived
		g.Lease.Shown(claim)
		return nil
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

// current reports whether a secret of a key is its newest, or the one before in
// its grace.
func current(k *store.APIKey, serial int64, now time.Time) bool {
	return serial == k.Serial || (serial+1 == k.Serial && k.OldUntil != nil && k.OldUntil.After(now))
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
	c, err := g.Store.CallByIdempotencyKey(context.WithoutCancel(ctx), r.Caller, r.IdempotencyKey)
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
	case err == nil && key.RevokedAt == nil && (key.ExpiresAt == nil || key.ExpiresAt.After(g.Now())) && current(&key, c.KeySerial, g.Now()):
		return nil
	case err == nil, errors.Is(err, store.ErrNotFound):
		return g.refusal(ctx, nil, store.ErrKeyGone)
	}
	return unavailable(err)
}
