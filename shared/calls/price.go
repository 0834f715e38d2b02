package calls

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// The codes of reasons. They are part of the API.
const (
	Open            = "open"            // not settled yet
	BillingOff      = "billing_off"     // recorded and priced, not charged
	NoRate          = "no_rate"         // nothing on record prices it
	Unpriced        = "unpriced"        // a used bucket has no rate
	Overflow        = "overflow"        // figures beyond all bounds; charged as held
	Policy          = "policy"          // the operator's policy lets such calls be free
	Ended           = "ended"           // the answer had another end than its own
	Interrupted     = "interrupted"     // the process died; charged by the last durable checkpoint
	KeptAnswer      = "kept_answer"     // from the cache, for a part of the price
	LimitedByWallet = "limited"         // the wallet covered less
	Corrected       = "corrected"       // swept, then corrected by its owner
	Estimated       = "estimated"       // counted by the hub
	Imported        = "imported"        // served and charged by another system, before the move
	Reconciled      = "reconciled"      // the cost is the provider's bill's
	Unexplained     = "does_not_add_up" // none of the above; the books are to be looked at
)

func (e *Explanation) because(code, format string, args ...any) {
	e.Reasons = append(e.Reasons, Reason{code, fmt.Sprintf(format, args...)})
}

// price puts the usage on record against the prices on record, and says why the
// outcome differs from the charge where it does.
func (e *Explanation) price(v version) {
	c := &e.Call
	var failed error
	if v.prices != nil {
		u := c.Usage
		if v.prices.Buckets[hub.Requests].Set && !u.IsZero() && u[hub.Requests] == 0 {
			u[hub.Requests] = 1 // a kept answer's request is priced without being counted
		}
		quality, size, _ := strings.Cut(c.Variant, "/")
		var bill pricing.Bill
		bill, failed = v.prices.Bill(u, quality, size)
		e.Lines, e.LeftOut = lines(bill.Lines), units(bill.LeftOut)
		e.Sum, e.Amount = bill.Sum, bill.Amount
	}
	e.differs(v, failed)
	e.notes()
}

// differs names why what was settled is not the amount of the lines.
func (e *Explanation) differs(v version, failed error) {
	c := &e.Call
	switch {
	case c.Status == hub.StatusProcessing:
		e.because(Open, "The call is still open; nothing is charged yet.")
	case c.Source == hub.UsageImported:
		e.because(Imported, "Another system served the call and charged it, before its users moved here; no wallet here paid for it.")
	case !c.Billing:
		e.because(BillingOff, "Billing was off: the call is recorded, and not charged.")
	case e.Plan.Hold != nil && e.Plan.Hold.Percent != nil:
		e.kept(*e.Plan.Hold.Percent, failed)
	case policyWords[c.ChargePolicy] != "" && e.Due == 0:
		e.because(Policy, "%s", policyWords[c.ChargePolicy])
	case v.prices != nil && failed == nil && e.Amount == e.Due:
	case swept(c):
		// What its last checkpoint charged stays, whatever the figures are now.
	case e.Due == 0 && c.Status == hub.StatusAborted && c.OnAbort == "free":
		e.because(Policy, "The client left, and such calls were free (on_abort: free).")
	case e.Due == 0 && c.Status == hub.StatusFailed && c.OnFailure == "free":
		e.because(Policy, "The answer broke off, and such calls were free (on_failure: free).")
	case errors.Is(failed, money.ErrOverflow) && e.Due == c.Hold:
		e.because(Overflow, "The provider's figures are beyond all bounds; what was held is charged.")
	case v.prices == nil && e.Due == 0 && c.Usage.IsZero():
		// Nothing was used, and nothing is charged: there is nothing to explain.
	case v.prices == nil:
		e.because(NoRate, "The prices of this call are not on record.")
	case errors.Is(failed, pricing.ErrUnpriced) && e.Due == 0:
		e.because(Unpriced, "Something was used that has no rate (%v); it was not charged.", failed)
	default:
		e.because(Unexplained, "The lines come to %s credits, but the call was settled at %s. Run the check of the books.", e.Amount, e.Due)
	}
}

// swept reports a call whose charge is that of its last checkpoint.
func swept(c *store.Call) bool {
	return c.Status == hub.StatusInterrupted || c.ChargePolicy == hub.SweptCheckpoint
}

// policyWords say which rules let a call be free.
var policyWords = map[hub.ChargePolicy]string{
	hub.FreeOnAbort:   "The client left, and such calls were free.",
	hub.FreeOnFailure: "The answer broke off, and such calls were free.",
	hub.InsuredEmpty:  "The answer was empty, and such calls were free.",
	hub.InsuredFailed: "The provider failed, and such calls were free.",
}

// endWords say what else decided how much of an answer is charged.
var endWords = map[hub.ChargePolicy]string{
	hub.ReportedOnAbort:    "The client left; what the provider reported is charged.",
	hub.DeliveredOnAbort:   "The client left; what it got is charged.",
	hub.DeliveredOnFailure: "The answer broke off; what the client got is charged.",
	hub.MoneyEnded:         "The wallet ended the answer; what the client got is charged.",
	hub.LimitEnded:         "A limit ended the answer; what the client got is charged.",
}

// kept explains an answer from the cache: so many percent of the present price.
func (e *Explanation) kept(percent int64, failed error) {
	switch {
	case percent == 0 && e.Due == 0:
		e.because(KeptAnswer, "Answered from the cache, which costs nothing.")
	case failed == nil && e.Amount.Percent(percent) == e.Due:
		e.because(KeptAnswer, "Answered from the cache, for %d %% of the price: %s of %s credits.", percent, e.Due, e.Amount)
	default:
		e.because(Unexplained, "Answered from the cache for %d %% of the price; the lines come to %s credits, but the call was settled at %s.",
			percent, e.Amount, e.Due)
	}
}

// notes says what else one has to know to trust the figures.
func (e *Explanation) notes() {
	c := &e.Call
	if swept(c) {
		e.because(Interrupted, "The serving process ended before the call was settled, or was taken for dead; what had been delivered at its last durable checkpoint is charged.")
	}
	if words := endWords[c.ChargePolicy]; words != "" {
		e.because(Ended, "%s", words)
	}
	if c.Shortfall > 0 {
		e.because(LimitedByWallet, "The wallet covered %s of %s credits; the operator bears the other %s.", e.Charged, e.Due, c.Shortfall)
	}
	for _, o := range e.Operations {
		if o.Kind == "correct" {
			e.because(Corrected, "The call was closed as interrupted while it was still served; a correction then charged another %s credits.", o.Amount)
		}
	}
	switch c.Source {
	case hub.UsageEstimated:
		e.because(Estimated, "The provider did not report usage in units that have a rate; the hub counted or estimated it.")
	case hub.UsageReconciled:
		e.because(Reconciled, "The operator's cost was corrected by the provider's bill; the charge was not changed.")
	}
}

func lines(in []pricing.BillLine) []Line {
	out := make([]Line, len(in))
	for i, l := range in {
		out[i] = Line{Bucket: l.Bucket.String(), Units: l.Units, Rate: l.Rate, Amount: l.Amount, Above: l.Tier, Variant: l.Variant, Priced: l.Priced}
		if l.From != l.Bucket {
			out[i].Fallback = l.From.String()
		}
	}
	return out
}

func units(in []pricing.BillLine) []Units {
	out := make([]Units, len(in))
	for i, l := range in {
		out[i] = Units{l.Bucket.String(), l.Units}
	}
	return out
}

// operator adds what only those see who run the hub.
func (x *Explainer) operator(ctx context.Context, e *Explanation, v version) error {
	c := &e.Call
	o := &Operator{Shortfall: c.Shortfall, CostUSD: c.Cost, CostLines: []Line{}, CostFrom: "unknown"}
	for _, t := range e.Failed {
		if t.Cost != nil {
			o.AttemptsUSD += *t.Cost
		}
	}
	switch {
	case c.Cost == nil:
	case c.Source == hub.UsageReconciled:
		o.CostFrom = "bill"
	case e.Plan.Hold != nil && e.Plan.Hold.Percent != nil:
		o.CostFrom = "cache"
	case v.costs == nil:
		o.CostFrom = "catalogue"
	default:
		o.CostFrom = "rate"
		quality, size, _ := strings.Cut(c.Variant, "/")
		if bill, err := v.costs.Bill(c.Usage, quality, size); err == nil && bill.Amount == *c.Cost {
			o.CostLines = lines(bill.Lines)
		}
	}
	var err error
	if o.RevenueUSD, err = e.Charged.Dollars(x.CreditPrice); err != nil {
		return err
	}
	if c.Cost != nil {
		o.MarginUSD = new(o.RevenueUSD - *c.Cost - o.AttemptsUSD)
	}
	e.Operator = o
	o.Bills, err = x.Store.BillsOfCall(ctx, c.ID)
	return err
}
