package routing

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// noRoom is why a target is passed over whose context is too small.
const noRoom = "its context is smaller than the request"

// arranged makes the plan of an alias, or of a plain name whose caller says how
// to choose.
func (n *Snapshot) arranged(model string, a *Alias, r Request) (Plan, error) {
	plan := Plan{Version: n.Version, Requested: r.Model}
	var err error
	if a != nil {
		err = n.follow(&plan, a, r)
	} else {
		plan, err = n.resolve(model, r)
	}
	if err != nil {
		return plan, err
	}
	if r.Traits.Prefer != "" {
		if err := n.prefer(&plan, r.Traits.Prefer); err != nil {
			return plan, err
		}
	}
	plan.record, err = plan.JSON()
	return plan, err
}

// follow fills in the targets of the first rule whose conditions hold.
func (n *Snapshot) follow(plan *Plan, a *Alias, r Request) error {
	switch {
	case r.Allow.Named(a.Name):
		r.Allow = nil // the operator decides what stands behind the name
	case !n.serves(a, r.Allow, r.Type):
		return n.unknown(a.Name, &r)
	}
	for i := range a.Rules {
		rule := &a.Rules[i]
		if !rule.When.holds(&r.Traits) {
			continue
		}
		plan.Why = fmt.Sprintf("alias %s, rule %d", a.Name, i+1)
		if rule.Policy != "" {
			plan.Why += ", policy " + string(rule.Policy)
		}
		for _, s := range rule.Steps {
			n.step(plan, s, rule.Policy, r)
		}
		if len(plan.Targets) == 0 {
			return n.nowhere(a.Name, plan)
		}
		return nil
	}
	return hub.Invalid("model", "No rule of %s fits this request.", a.Name)
}

// step appends the targets of one step in the order in which they are to be
// tried.
func (n *Snapshot) step(plan *Plan, s Step, policy Policy, r Request) {
	var targets []Target
	var weights []int64
	for _, w := range s.Targets {
		sub, err := n.resolve(w.Model, r)
		plan.Refused = append(plan.Refused, sub.Refused...)
		if err != nil && len(sub.Refused) == 0 && r.Allow == nil { // what the caller may not use is not spoken of
			plan.Refused = append(plan.Refused, Refusal{w.Model, hub.AsError(err).Message})
		}
		for i := range sub.Targets {
			t := sub.Targets[i]
			if why := t.unfit(&r.Traits); why != "" {
				plan.Refused = append(plan.Refused, Refusal{t.Name(), why})
				continue
			}
			if slices.ContainsFunc(plan.Targets, func(o Target) bool { return o.Name() == t.Name() }) ||
				slices.ContainsFunc(targets, func(o Target) bool { return o.Name() == t.Name() }) {
				continue
			}
			targets = append(targets, t)
			weights = append(weights, max(1, w.Weight))
		}
	}
	if policy != "" {
		policy.order(targets, n.measured)
	} else {
		targets = byWeight(targets, weights, r.Traits.draw())
	}
	plan.Targets = append(plan.Targets, targets...)
}

// unfit says why a target cannot answer a request, "" when it may.
func (t *Target) unfit(r *Traits) string {
	if need := t.lacks(r.Needs); need != "" {
		return "the model has no " + string(need)
	}
	if t.Context > 0 && r.Tokens > t.Context {
		return noRoom
	}
	if r.Region != "" && t.Provider.Region != "" && !strings.EqualFold(r.Region, t.Provider.Region) {
		return "it is in the region " + t.Provider.Region
	}
	return ""
}

// nowhere is the error of an alias none of whose targets can serve.
func (n *Snapshot) nowhere(name string, plan *Plan) error {
	if len(plan.Refused) == 0 {
		return hub.Errorf(hub.CodeUnavailable, "No target of %s can serve now.", name)
	}
	for _, r := range plan.Refused {
		if r.Reason == noRate {
			return hub.Invalid("model", "No target of %s can be billed: %s has %s. The operator sets one with `aigne-hub rate set`.", name, r.Target, r.Reason)
		}
	}
	return hub.Errorf(hub.CodeUnavailable, "No target of %s can serve this request: %s: %s.", name, plan.Refused[0].Target, plan.Refused[0].Reason)
}

// prefer reorders a plan as the caller wishes; names that the plan does not hold
// are refused, so that a wish never leads where the caller may not go.
func (n *Snapshot) prefer(plan *Plan, wish string) error {
	if p := Policy(strings.ToLower(strings.TrimSpace(wish))); p.Valid() {
		plan.Why = joined(plan.Why, "asked for policy "+string(p))
		p.order(plan.Targets, n.measured)
		return nil
	}
	var first []Target
	rest := plan.Targets
	for name := range strings.SplitSeq(wish, ",") {
		name = strings.TrimSpace(name)
		var kept []Target
		found := false
		for _, t := range rest {
			if strings.EqualFold(t.Provider.Name, name) || strings.EqualFold(t.Name(), name) {
				first, found = append(first, t), true
				continue
			}
			kept = append(kept, t)
		}
		if !found {
			return hub.Invalid("route", "%.100q is neither a policy (%s) nor a provider or provider/model that serves %s.", name, policyNames(), plan.Requested)
		}
		rest = kept
	}
	plan.Why = joined(plan.Why, "asked for "+wish)
	plan.Targets = slices.Concat(first, rest)
	return nil
}

func joined(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}
