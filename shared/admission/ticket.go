package admission

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

// Ticket is an admitted call. It is settled exactly once, by one goroutine.
type Ticket struct {
	CallID  string
	LowerTo int64 // > 0: the most output tokens the wallet covers; the provider must be told

	gate     *Gate
	req      Request
	owner    string
	hold     money.Credits
	held     int64 // output tokens that the hold covers, of a stream whose hold grows; see Held
	ceiling  int64
	number   int64 // of the hold's last extension
	start    time.Time
	limits   []store.LimitHold
	billing  bool // of the operator when the call was admitted
	policies policies
	job      *store.JobEnd
	settled  bool
	late     bool // the call had been swept; what was charged must be read back
	again    bool // the call was settled already: by this unit, whose answer was lost, or of a job by another process
}

// Outcome is how a call ended.
type Outcome struct {
	Status       hub.CallStatus
	Target       *routing.Target // the last one tried; nil when none was
	CredentialID string
	Credential   string
	Usage        hub.Usage
	Variant      task.Variant
	Source       hub.UsageSource
	HTTPStatus   int
	Err          *hub.Error
	Attempts     []store.Attempt
	Tries        int
	Cut          bool             // the answer was not read to its end
	Empty        bool             // nothing is in the answer that a caller could see or use
	Ended        hub.ChargePolicy // what ended the answer before its own end: MoneyEnded, LimitEnded or ""
	TTFB         *time.Duration
	ProviderTTFB *time.Duration
	// Also is what must become durable together with the settlement.
	Also []store.Stmt
}

// Settled is what a call came to.
type Settled struct {
	Credits money.Credits
	Billed  bool
}

// Ended is a call that was settled, for those who count. What it points to must not
// be changed or kept.
type Ended struct {
	Request    *Request // of jobs: only who called and the type
	Start      time.Time
	Outcome    *Outcome
	Settlement *store.Settlement
	Charged    money.Credits
}

// settleWait is how long settlement keeps trying while the closing frames are
// withheld.
const settleWait = 30 * time.Second

// Settle charges the usage, gives the hold back and finishes the record. ctx
// must not be the client's. On error the call is not settled for certain: the
// client must not see a success, and attempts go on in the background.
func (t *Ticket) Settle(ctx context.Context, o Outcome) (Settled, error) {
	if t.settled {
		return Settled{}, errors.New("ticket settled twice")
	}
	t.settled = true
	x, err := t.settlement(&o)
	if err != nil {
		t.gate.Log.Error("usage cannot be priced", "call_id", t.CallID, "error", err)
	}
	wait, stop := context.WithTimeout(ctx, settleWait)
	defer stop()
	err = retry(wait, func() error { return t.send(wait, &x) })
	if err != nil {
		if unknown(err) {
			go t.settleLate(context.WithoutCancel(ctx), o, x)
		}
		t.gate.Log.Error("settlement not confirmed", "call_id", t.CallID, "error", err)
		return Settled{}, unavailable(err)
	}
	s := Settled{Credits: x.Amount, Billed: x.Billing}
	if !x.Billing {
		s.Credits = 0
	} else if x.Amount > t.hold || t.late {
		if s.Credits, err = t.gate.Store.Charged(ctx, t.CallID); err != nil {
			return Settled{}, unavailable(err)
		}
	}
	t.tell(ctx, &o, &x, s.Credits)
	return s, nil
}

// Context is the context that the call goes on with, and is to be settled with.
func (t *Ticket) Context(ctx context.Context) context.Context {
	if t.gate.Begun == nil {
		return ctx
	}
	return t.gate.Begun(ctx, t.CallID, &t.req, t.start)
}

// tell says that the call is settled.
func (t *Ticket) tell(ctx context.Context, o *Outcome, x *store.Settlement, charged money.Credits) {
	if t.gate.Ended != nil && (!t.again || t.job == nil) {
		t.gate.Ended(ctx, &Ended{Request: &t.req, Start: t.start, Outcome: o, Settlement: x, Charged: charged})
	}
}

// Abandon settles a call whose handler ended without doing so, which only a
// defect of the hub can bring about: it costs nothing and its hold goes back.
// After Settle it does nothing.
func (t *Ticket) Abandon(ctx context.Context) {
	if t.settled {
		return
	}
	t.gate.Log.Error("call ended without settlement", "call_id", t.CallID)
	_, _ = t.Settle(ctx, Outcome{Status: hub.StatusFailed, HTTPStatus: http.StatusInternalServerError,
		Err: hub.AsError(errors.New("the handler ended without settling the call"))}) // Settle has logged it
}

// send sends the settling unit; a call that was swept meanwhile gets its one
// correction instead.
func (t *Ticket) send(ctx context.Context, x *store.Settlement) error {
	err := t.gate.Store.Do(ctx, t.gate.Store.SettleUnit(*x))
	if errors.Is(err, store.ErrGrantSplit) {
		x.SplitGrants = true
		err = t.gate.Store.Do(ctx, t.gate.Store.SettleUnit(*x))
	}
	if !errors.Is(err, store.ErrExists) && !errors.Is(err, store.ErrNotOpen) {
		return err
	}
	c, err := t.gate.Store.CallByID(ctx, t.CallID)
	if err != nil {
		return store.ErrUnavailable
	}
	switch c.Status {
	case hub.StatusInterrupted:
	case hub.StatusProcessing:
		return store.ErrNotOpen // refused and still open: it is not settled, and nobody may say so
	default:
		t.again = true
		return nil // the same unit arrived before, its answer was lost
	}
	t.late = true
	if err := t.gate.Store.Do(ctx, t.gate.Store.CorrectUnit(*x)); err != nil && !errors.Is(err, store.ErrExists) {
		return err
	}
	return nil
}

// settleLate goes on trying; ctx does not end.
func (t *Ticket) settleLate(ctx context.Context, o Outcome, x store.Settlement) {
	if err := retry(ctx, func() error { return t.send(ctx, &x) }); err != nil {
		t.gate.Log.Error("settlement refused", "call_id", t.CallID, "error", err)
		return
	}
	charged, err := t.gate.Store.Charged(ctx, t.CallID)
	if err != nil {
		charged = x.Amount
	}
	t.tell(ctx, &o, &x, charged)
}

// settlement prices the outcome. A usage that has no price costs the user
// nothing and is logged; admission has priced every bucket that chat can use.
func (t *Ticket) settlement(o *Outcome) (store.Settlement, error) {
	r := &t.req
	x := store.Settlement{CallID: t.CallID, Owner: t.owner, UserID: r.Caller.UserID, AccountID: r.Caller.AccountID, AppID: r.Caller.AppID,
		Type: r.Type, Billing: t.billing, Status: o.Status, Usage: o.Usage, Source: o.Source,
		CredentialID: o.CredentialID, Credential: o.Credential, HTTPStatus: o.HTTPStatus, Attempts: o.Attempts, Tries: o.Tries,
		Duration: t.gate.Now().Sub(t.start), TTFB: o.TTFB, ProviderTTFB: o.ProviderTTFB, Variant: o.Variant.String(), Job: t.job, Also: o.Also}
	x.Usage.Clamp()
	if o.Err != nil {
		x.Category, x.Error = string(o.Err.Code), o.Err.Message
	}
	if o.Target == nil {
		return x, nil
	}
	x.Provider, x.Model = o.Target.Provider.Name, o.Target.Model
	x.RateID, x.RateVersion = o.Target.RateID, o.Target.RateVersion
	if r.Replay != nil {
		x.Cost = new(money.Credits) // nobody was asked
		x.Amount = t.hold           // what a kept answer costs is known when it is admitted
		return x, nil
	}
	x.Cost = o.cost(x.Usage)
	if !x.Billing {
		return x, nil
	}
	countRequest(o.Target, &x.Usage)
	var gratis bool
	if x.Policy, gratis = t.policies.decide(o); gratis {
		return x, nil
	}
	var err error
	var estimated bool
	if x.Amount, estimated, err = charge(o.Target, x.Type, o.Variant, &x.Usage); estimated {
		x.Source = hub.UsageEstimated
	}
	if errors.Is(err, money.ErrOverflow) {
		// Figures beyond all bounds are the provider's lie; what was held is the
		// most that an honest answer can cost.
		x.Amount = t.hold
	}
	return x, err
}

// countRequest counts the request itself where that has a price.
func countRequest(t *routing.Target, u *hub.Usage) {
	if t.Prices.Buckets[hub.Requests].Set && !u.IsZero() && u[hub.Requests] == 0 {
		u[hub.Requests] = 1
	}
}

// charge prices a usage at a target. Where the target has no price for what was
// counted, the usage is put in tokens, and estimated is true: it is not free
// because it was counted otherwise.
func charge(t *routing.Target, kind hub.CallType, v task.Variant, u *hub.Usage) (amount money.Credits, estimated bool, err error) {
	prices := t.Prices.For(v.Quality, v.Size)
	amount, err = prices.Charge(prices.Measured(*u))
	if !errors.Is(err, pricing.ErrUnpriced) {
		return amount, false, err
	}
	tokens, ok := inTokens(kind, *u)
	if !ok {
		return amount, false, err
	}
	*u = tokens
	amount, err = prices.Charge(prices.Measured(*u))
	return amount, true, err
}

// cost is what a usage costs the operator at the outcome's target, nil: unknown.
func (o *Outcome) cost(u hub.Usage) *money.Credits {
	if o.Target.Cost == nil {
		return nil
	}
	cost := o.Target.Cost.For(o.Variant.Quality, o.Variant.Size)
	c, err := cost.Charge(cost.Measured(u))
	if err != nil {
		return nil
	}
	return &c
}
