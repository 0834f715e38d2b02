// Package calls explains calls from what is on record: who made one, where it
// could go and went, what priced it, line by line, and what was booked for it.
// It computes nothing anew that was decided then: rates are read as they were.
package calls

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Explanation is everything that is known of how a call came to its charge.
// Amounts are credits and costs dollars, as decimal text.
type Explanation struct {
	Call       store.Call      `json:"-"`
	Plan       routing.Record  `json:"-"`
	Failed     []store.Attempt `json:"-"`          // the tries that did not answer, in full
	User       string          `json:"user"`       // e-mail; "" when the user is gone
	Key        string          `json:"key"`        // name of the API key; "" for none
	Attempts   []Attempt       `json:"attempts"`   // in their order; the last one answered unless the call failed
	Policies   Policies        `json:"policies"`   // as they were when the call was admitted
	Rate       *Rate           `json:"rate"`       // null: nothing priced the call
	Lines      []Line          `json:"lines"`      // units × rate = amount
	LeftOut    []Units         `json:"left_out"`   // counted, but charged by another measure of the same work
	Sum        money.Sum       `json:"sum"`        // of the lines, before rounding
	Amount     money.Credits   `json:"amount"`     // the sum, rounded half up once
	Due        money.Credits   `json:"due"`        // what the call was settled at, whether or not the wallet covered it
	Charged    money.Credits   `json:"charged"`    // what the wallet paid for it
	Reasons    []Reason        `json:"reasons"`    // why the lines are not simply what was charged; empty when they are
	Hold       *Hold           `json:"hold"`       // null: nothing was held
	Operations []Operation     `json:"operations"` // in the ledger

	Operator *Operator `json:"operator,omitempty"` // only for those who run the hub
}

// Attempt is one try at a target. What speaks of the operator's keys and costs is
// left out for everybody else.
type Attempt struct {
	Provider   string         `json:"provider"`
	Model      string         `json:"model"`
	Credential string         `json:"credential,omitempty"` // its name
	Answered   bool           `json:"answered"`             // the try whose answer the call is
	HTTPStatus int            `json:"http_status"`
	Category   string         `json:"category"` // of the error, "" for none
	Error      string         `json:"error,omitempty"`
	DurationMS *int64         `json:"duration_ms"` // of the one that answered: what the failed ones left of the call's
	CostUSD    *money.Credits `json:"cost_usd,omitempty"`
}

// Policies are the operator's rules that the call was admitted under.
type Policies struct {
	OnAbort   string `json:"on_abort"`
	OnFailure string `json:"on_failure"`
	OnEmpty   string `json:"on_empty"`
	// Decided is the one that decided what the call costs; "" where none had to.
	Decided hub.ChargePolicy `json:"decided"`
}

// Rate is the version of a rate that priced the call.
type Rate struct {
	ID      string     `json:"id"` // "" for a price from the catalogue, which the call carries itself
	Version int64      `json:"version"`
	Target  string     `json:"target"` // provider/model
	SetAt   *time.Time `json:"set_at"`
	SetBy   string     `json:"set_by,omitempty"`
}

// Line is one bucket of the charge.
type Line struct {
	Bucket   string     `json:"bucket"`
	Units    int64      `json:"units"`
	Rate     money.Rate `json:"rate"`               // credits per unit
	Amount   money.Sum  `json:"amount"`             // exact
	Fallback string     `json:"fallback,omitempty"` // the bucket whose rate stood in
	Above    int64      `json:"tier_above,omitempty"`
	Variant  string     `json:"variant,omitempty"`
	Priced   bool       `json:"priced"`
}

// Units are units that no line charges.
type Units struct {
	Bucket string `json:"bucket"`
	Units  int64  `json:"units"`
}

// Reason is why the sum of the lines is not simply what was charged, or why
// figures are not the provider's own.
type Reason struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// Hold is what was set aside and how it was computed.
type Hold struct {
	Amount     money.Credits       `json:"amount"`   // at last
	Computed   *routing.HoldRecord `json:"computed"` // at admission; null: older than such records
	Extensions []Extension         `json:"extensions"`
	Open       bool                `json:"open"`     // still held
	Released   money.Credits       `json:"released"` // what went back of it at settlement
}

// Extension is a slice by which a stream's hold grew, and what had been delivered
// by then: what the call is charged should its process die.
type Extension struct {
	Number    int64         `json:"number"`
	At        time.Time     `json:"at"`
	Hold      money.Credits `json:"hold"`   // of the whole call, from then on
	Tokens    int64         `json:"tokens"` // of output that it covers
	Delivered money.Credits `json:"delivered"`
}

// Operation is a movement in the ledger, with its entries.
type Operation struct {
	ID        string        `json:"id"`
	Kind      string        `json:"kind"`
	Cause     string        `json:"cause,omitempty"`
	Amount    money.Credits `json:"amount"`
	Actor     string        `json:"actor,omitempty"`
	Reason    string        `json:"reason,omitempty"`
	CreatedAt time.Time     `json:"created_at"`
	Entries   []Entry       `json:"entries"`
}

// Entry is one side of an operation.
type Entry struct {
	Account string        `json:"account"`
	Amount  money.Credits `json:"amount"` // signed
}

// Operator is what the call cost those who run the hub, and brought in.
type Operator struct {
	Shortfall   money.Credits  `json:"shortfall"` // what the wallet did not cover
	CostUSD     *money.Credits `json:"cost_usd"`  // of the answer; null: unknown
	CostLines   []Line         `json:"cost_lines"`
	CostFrom    string         `json:"cost_from"`    // rate, catalogue, bill, cache or unknown
	AttemptsUSD money.Credits  `json:"attempts_usd"` // of failed tries, as far as it is known
	RevenueUSD  money.Credits  `json:"revenue_usd"`  // the charge at the present price of a credit
	MarginUSD   *money.Credits `json:"margin_usd"`   // null: the cost is unknown

	Bills []store.BilledCall `json:"bills,omitempty"` // what providers' bills said of the call, the newest first
}

// Explainer reads explanations.
type Explainer struct {
	Store *store.Store
	// Archives are where older calls lie, for Explain; nil: nowhere.
	Archives Archives
	// Home is where the call, its tries and its slices lie, for Of; nil: Store.
	Home *store.Store
	// CreditPrice is dollars per credit, a decimal.
	CreditPrice string
}

// Explain explains a call. store.ErrNotFound: there is none with that id. Whether
// the viewer may see it, and the operator's part of it, is the caller's business.
func (x *Explainer) Explain(ctx context.Context, id string, operator bool) (*Explanation, error) {
	call, home, err := (&Log{Store: x.Store, Archives: x.Archives}).Find(ctx, id)
	if err != nil {
		return nil, err
	}
	there := *x
	there.Home = home
	return there.Of(ctx, call, operator)
}

// Of explains a call that was read already.
func (x *Explainer) Of(ctx context.Context, call store.Call, operator bool) (*Explanation, error) {
	e := &Explanation{Call: call, Charged: call.Credits, Due: call.Credits + call.Shortfall,
		Policies: Policies{OnAbort: call.OnAbort, OnFailure: call.OnFailure, OnEmpty: call.OnEmpty, Decided: call.ChargePolicy},
		Lines:    []Line{}, LeftOut: []Units{}, Reasons: []Reason{}, Operations: []Operation{}}
	if err := json.Unmarshal(call.Plan, &e.Plan); err != nil {
		return nil, fmt.Errorf("plan of call %s: %w", call.ID, err)
	}
	tries, err := x.home().CallAttempts(ctx, call.ID)
	if err != nil {
		return nil, err
	}
	e.Failed = tries
	e.attempts(operator)
	if err := x.people(ctx, e); err != nil {
		return nil, err
	}
	rate, err := x.rate(ctx, e)
	if err != nil {
		return nil, err
	}
	if err := x.operations(ctx, e, operator); err != nil {
		return nil, err
	}
	if e.Rate != nil && !operator {
		e.Rate.SetBy = ""
	}
	if err := x.hold(ctx, e); err != nil {
		return nil, err
	}
	e.price(rate)
	if operator {
		return e, x.operator(ctx, e, rate)
	}
	return e, nil
}

func (x *Explainer) home() *store.Store {
	if x.Home != nil {
		return x.Home
	}
	return x.Store
}

func (x *Explainer) people(ctx context.Context, e *Explanation) error {
	user, err := x.Store.UserByID(ctx, e.Call.UserID)
	if err == nil {
		e.User = user.Email
	} else if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if e.Call.APIKeyID == "" {
		return nil
	}
	key, err := x.Store.KeyByID(ctx, e.Call.APIKeyID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	e.Key = key.Name
	return err
}

// attempts lists the failed tries and, where there was one, the last.
func (e *Explanation) attempts(operator bool) {
	c, tries := &e.Call, e.Failed
	e.Attempts = make([]Attempt, 0, len(tries)+1)
	var spent int64
	for _, t := range tries {
		ms := t.Duration.Milliseconds()
		spent += ms
		a := Attempt{Provider: t.Provider, Model: t.Model, HTTPStatus: t.HTTPStatus, Category: t.Category, DurationMS: &ms}
		if operator {
			a.Credential, a.Error, a.CostUSD = t.Credential, t.Error, t.Cost
		}
		e.Attempts = append(e.Attempts, a)
	}
	if c.Provider == "" || c.Attempts <= len(tries) {
		return
	}
	a := Attempt{Provider: c.Provider, Model: c.Model, Answered: c.Status != hub.StatusFailed, HTTPStatus: c.HTTPStatus, Category: c.ErrorCategory}
	if c.DurationMS != nil {
		a.DurationMS = new(max(0, *c.DurationMS-spent))
	}
	if operator {
		a.Credential, a.Error, a.CostUSD = c.Credential, c.Error, c.Cost
	}
	e.Attempts = append(e.Attempts, a)
}

// version is what priced a call, decoded.
type version struct {
	prices *pricing.Prices // nil: not known
	costs  *pricing.Prices // nil: the rate had none
}

// rate reads the version of the rate that the call names, or the prices that its
// plan carries.
func (x *Explainer) rate(ctx context.Context, e *Explanation) (v version, err error) {
	c := &e.Call
	target := c.Provider + "/" + c.Model
	if c.RateID == "" {
		for _, t := range e.Plan.Targets {
			if t.Target == target && t.Prices != nil {
				v.prices, e.Rate = t.Prices, &Rate{Target: target}
			}
		}
		return v, nil
	}
	row, err := x.Store.RateAt(ctx, c.RateID, c.RateVersion)
	if errors.Is(err, store.ErrNotFound) {
		return v, nil
	}
	if err != nil {
		return v, err
	}
	e.Rate = &Rate{ID: row.ID, Version: row.Version, Target: row.Provider + "/" + row.Model, SetAt: &row.At, SetBy: row.Actor}
	v.prices = &pricing.Prices{}
	if err := json.Unmarshal([]byte(row.Prices), v.prices); err != nil {
		return v, fmt.Errorf("rate %s, version %d: %w", row.ID, row.Version, err)
	}
	if row.Costs != "" {
		v.costs = &pricing.Prices{}
		err = json.Unmarshal([]byte(row.Costs), v.costs)
	}
	return v, err
}

func (x *Explainer) operations(ctx context.Context, e *Explanation, operator bool) error {
	ops, err := x.Store.CallOperations(ctx, e.Call.ID)
	if err != nil {
		return err
	}
	entries, err := x.Store.CallEntries(ctx, e.Call.ID)
	if err != nil {
		return err
	}
	for _, o := range ops {
		op := Operation{ID: o.ID, Kind: o.Kind, Cause: o.Cause, Amount: o.Amount, Reason: o.Reason, CreatedAt: o.CreatedAt, Entries: []Entry{}}
		if operator {
			op.Actor = o.Actor
		}
		for _, side := range entries {
			if side.OperationID == o.ID {
				op.Entries = append(op.Entries, Entry{side.AccountID, side.Amount})
			}
		}
		e.Operations = append(e.Operations, op)
	}
	return nil
}

func (x *Explainer) hold(ctx context.Context, e *Explanation) error {
	c := &e.Call
	if !c.Billing || (c.Hold == 0 && e.Plan.Hold == nil) {
		return nil
	}
	h := &Hold{Amount: c.Hold, Computed: e.Plan.Hold, Extensions: []Extension{}, Open: c.Status == hub.StatusProcessing}
	if !h.Open {
		h.Released = max(0, c.Hold-settled(e.Operations))
	}
	slices, err := x.home().Slices(ctx, c.ID)
	if err == nil && len(slices) == 0 && x.home() != x.Store {
		slices, err = x.Store.Slices(ctx, c.ID)
	}
	for _, s := range slices {
		h.Extensions = append(h.Extensions, Extension{s.Number, s.CreatedAt, s.Hold, s.Tokens, s.Amount})
	}
	e.Hold = h
	return err
}

// settled is what the settlement took, without a later correction.
func settled(ops []Operation) money.Credits {
	for _, o := range ops {
		if o.Kind == "charge" {
			return o.Amount
		}
	}
	return 0
}
