package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/calls"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func whySpec() spec {
	return spec{
		name: "why", usage: "explain a call: where it went, and how it came to what it cost", run: why, needs: []string{"call"}, arg: "call",
		flags: []cli.Flag{text("call", "`ID` of the call: the header x-aigne-hub-call-id, or from calls list")},
		about: "Rates are shown as they were when the call was admitted, whatever became of them since.",
	}
}

// whyView is a call with its explanation.
type whyView struct {
	callView
	Explanation *calls.Explanation `json:"explanation"`
}

func why(j *job) error {
	return j.withHub(func(a *boot.App) error {
		x := calls.Explainer{Store: a.Store, Archives: a.Archive, CreditPrice: a.Config.CreditPrice}
		e, err := x.Explain(j.ctx, j.text("call"), true)
		if errors.Is(err, store.ErrNotFound) {
			return hub.Errorf(hub.CodeNotFound, "there is no call %s", j.text("call"))
		}
		if err != nil {
			return err
		}
		return j.show(whyView{viewCall(e.Call, e.User), e}, whyWords(e))
	})
}

// whyWords is an explanation for people.
func whyWords(e *calls.Explanation) string {
	var b strings.Builder
	c := &e.Call
	say := func(format string, args ...any) { b.WriteString(clean(fmt.Sprintf(format, args...)) + "\n") }
	say("Call %s: %s, HTTP %d", c.ID, c.Status, c.HTTPStatus)
	say("  by %s, key %s, app %s, request %s", orDash(e.User), orDash(e.Key), orDash(c.AppID), orDash(c.RequestID))
	say("  at %s, took %s, first byte after %s", timeOrDash(&c.CreatedAt), millisOrDash(c.DurationMS), millisOrDash(c.TTFBMS))
	say("  asked for %s (%s, %s%s)", c.RequestedModel, c.Type, c.Dialect, map[bool]string{true: ", streamed"}[c.Stream])
	if c.ErrorCategory != "" {
		say("  error %s: %s", c.ErrorCategory, c.Error)
	}
	b.WriteString("\nPlan" + planReason(e.Plan.Why) + "\n")
	for i, t := range e.Plan.Targets {
		say("  %d. %s%s", i+1, t.Target, rateOf(t))
	}
	for _, r := range e.Plan.Refused {
		say("  not %s: %s", r.Target, r.Reason)
	}
	b.WriteString("\nAttempts\n")
	rows := make([][]string, 0, len(e.Attempts))
	for _, a := range e.Attempts {
		outcome := "failed"
		if a.Answered {
			outcome = "answered"
		}
		rows = append(rows, []string{a.Provider + "/" + a.Model, orDash(a.Credential), outcome, strconv.Itoa(a.HTTPStatus), orDash(a.Category),
			millisOrDash(a.DurationMS), creditsOrDash(a.CostUSD), orDash(a.Error)})
	}
	b.WriteString(indent(table("TARGET CREDENTIAL OUTCOME HTTP CATEGORY TOOK COST-USD ERROR", rows)))
	priceWords(&b, e)
	moneyWords(&b, e)
	return b.String()
}

// priceWords shows the lines of the charge.
func priceWords(b *strings.Builder, e *calls.Explanation) {
	b.WriteString("\nPrice")
	switch r := e.Rate; {
	case r == nil:
		b.WriteString(": none on record\n")
	case r.ID == "":
		fmt.Fprintf(b, " of %s, from the catalogue\n", clean(r.Target))
	default:
		fmt.Fprintf(b, " of %s: rate %s, version %d, set %s by %s\n", clean(r.Target), r.ID, r.Version, timeOrDash(r.SetAt), clean(orDash(r.SetBy)))
	}
	rows := make([][]string, 0, len(e.Lines))
	for _, l := range e.Lines {
		rows = append(rows, lineRow(l))
	}
	if len(rows) > 0 {
		b.WriteString(indent(table("BUCKET UNITS RATE-PER-MILLION AMOUNT HOW", rows)))
		fmt.Fprintf(b, "  sum %s, rounded once to %s credits\n", e.Sum, e.Amount)
	}
	for _, u := range e.LeftOut {
		fmt.Fprintf(b, "  not charged: %d %s, since the same work is charged otherwise\n", u.Units, u.Bucket)
	}
	fmt.Fprintf(b, "  usage is %s; on_abort %s, on_failure %s, on_empty %s\n", orDash(string(e.Call.Source)), orDash(e.Policies.OnAbort),
		orDash(e.Policies.OnFailure), orDash(e.Policies.OnEmpty))
}

func lineRow(l calls.Line) []string {
	var how []string
	if l.Fallback != "" {
		how = append(how, "rate of "+l.Fallback)
	}
	if l.Above > 0 {
		how = append(how, "tier above "+strconv.FormatInt(l.Above, 10))
	}
	if l.Variant != "" {
		how = append(how, "variant "+l.Variant)
	}
	if !l.Priced {
		how = append(how, "no rate")
	}
	return []string{l.Bucket, strconv.FormatInt(l.Units, 10), l.Rate.PerMillion(), l.Amount.String(), strings.Join(how, ", ")}
}

// moneyWords shows what was held, booked and earned.
func moneyWords(b *strings.Builder, e *calls.Explanation) {
	fmt.Fprintf(b, "\nCharged %s credits\n", e.Charged)
	for _, r := range e.Reasons {
		fmt.Fprintf(b, "  %s: %s\n", r.Code, clean(r.Text))
	}
	if h := e.Hold; h != nil {
		fmt.Fprintf(b, "  held %s%s\n", firstHold(h), clean(boundWords(h.Computed)))
		for _, x := range h.Extensions {
			fmt.Fprintf(b, "  grew to %s at %s, for %d tokens of output; %s were delivered\n", x.Hold, timeOrDash(&x.At), x.Tokens, x.Delivered)
		}
		if h.Open {
			b.WriteString("  still held\n")
		} else {
			fmt.Fprintf(b, "  %s of it went back at settlement\n", h.Released)
		}
	}
	for _, o := range e.Operations {
		fmt.Fprintf(b, "  %s: %s %s at %s%s\n", o.ID, strings.TrimSpace(o.Kind+" "+o.Cause), o.Amount, timeOrDash(&o.CreatedAt), clean(reasonOf(o)))
		for _, side := range o.Entries {
			fmt.Fprintf(b, "    %s %s\n", side.Account, signed(side.Amount))
		}
	}
	o := e.Operator
	if o == nil {
		return
	}
	fmt.Fprintf(b, "\nOperator\n  cost %s USD (%s), failed tries %s, revenue %s, margin %s; shortfall %s credits\n",
		creditsOrDash(o.CostUSD), o.CostFrom, o.AttemptsUSD, o.RevenueUSD, creditsOrDash(o.MarginUSD), o.Shortfall)
	for _, bill := range o.Bills {
		fmt.Fprintf(b, "  bill %s says %s USD (%s); recorded was %s, %s\n", bill.ImportID, bill.Cost, bill.State, creditsOrDash(bill.CostBefore), orDash(bill.SourceBefore))
	}
	rows := make([][]string, 0, len(o.CostLines))
	for _, l := range o.CostLines {
		rows = append(rows, lineRow(l))
	}
	if len(rows) > 0 {
		b.WriteString(indent(table("BUCKET UNITS USD-PER-MILLION COST HOW", rows)))
	}
}

// firstHold is what was held at admission, as far as that is known.
func firstHold(h *calls.Hold) money.Credits {
	if h.Computed != nil {
		return h.Computed.Amount
	}
	return h.Amount
}

// boundWords says how a hold was computed.
func boundWords(h *routing.HoldRecord) string {
	switch {
	case h == nil:
		return ""
	case h.Percent != nil:
		return fmt.Sprintf(": %d %% of the price of a kept answer", *h.Percent)
	}
	var parts []string
	add := func(n int64, what string) {
		if n > 0 {
			parts = append(parts, strconv.FormatInt(n, 10)+" "+what)
		}
	}
	add(h.Bound.Input, map[bool]string{true: "tokens of prompt, counted", false: "tokens of prompt"}[h.Counted])
	if h.Bound.N > 1 {
		add(h.Bound.N, "answers of")
	}
	add(h.Bound.Output, map[bool]string{true: "of output as the first slice", false: "of output"}[h.Slice])
	add(h.Bound.Images, "images")
	add(h.Bound.Seconds, "seconds")
	add(h.Bound.Characters, "characters")
	add(h.Bound.WebSearches, "web searches")
	add(h.Bound.Requests, "requests")
	text := fmt.Sprintf(": the dearest that %s can cost with at most %s", h.Target, strings.Join(parts, ", "))
	if h.Opaque {
		text += "; the prompt had no bound of its own, so the context window was held"
	}
	if h.Lowered {
		text += "; the output limit was lowered to what the wallet or a limit left room for"
	}
	return text
}

func rateOf(t routing.TargetRecord) string {
	if t.RateID == "" {
		return ""
	}
	return fmt.Sprintf(" (rate %s, version %d)", t.RateID, t.RateVersion)
}

func planReason(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + clean(reason)
}

func reasonOf(o calls.Operation) string {
	if o.Reason == "" {
		return ""
	}
	return " (" + o.Reason + ")"
}

func signed(c money.Credits) string {
	if c > 0 {
		return "+" + c.String()
	}
	return c.String()
}

func millisOrDash(ms *int64) string {
	if ms == nil {
		return dash
	}
	return strconv.FormatInt(*ms, 10) + " ms"
}

// indent moves the lines of a table in.
func indent(s string) string {
	return "  " + strings.ReplaceAll(strings.TrimSuffix(s, "\n"), "\n", "\n  ") + "\n"
}
