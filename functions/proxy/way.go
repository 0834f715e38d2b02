package proxy

import (
	"slices"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/routing"
)

// way is what a surface wants done differently from a plain chat call. The
// zero value is a plain chat call.
type way struct {
	// narrow leaves in a plan only the targets that may serve the call.
	narrow func(*routing.Plan) error
	// path is where below a provider's base URL the request goes, "" for the
	// language's own; natively only.
	path string
	// keep: the answer is stored, see shelf.
	keep bool
	// memo is what the cache has to do with the call; nil: nothing.
	memo *memo
	// body is the request as it came, where the language's view of it may differ.
	body []byte
}

// narrowed returns the plan with the targets that the surface takes. The plan
// itself is shared between calls and stays as it is.
func (w way) narrowed(plan routing.Plan) (routing.Plan, error) {
	if w.narrow == nil {
		return plan, nil
	}
	plan.Targets = slices.Clone(plan.Targets)
	return plan, w.narrow(&plan)
}

// runsTools reports whether the provider may run tools of its own: not where
// no target of the plan can be sent them.
func runsTools(v *dialect.View, plan *routing.Plan, caller dialect.Name) bool {
	if !v.ServerTools || caller != dialect.Responses {
		return v.ServerTools
	}
	return slices.ContainsFunc(plan.Targets, func(t routing.Target) bool { return t.Provider.Kind.Speaks(caller, t.Model) })
}

// onlyNative leaves the targets that speak a language.
func onlyNative(name dialect.Name, otherwise *hub.Error) func(*routing.Plan) error {
	return func(p *routing.Plan) error {
		p.Targets = slices.DeleteFunc(p.Targets, func(t routing.Target) bool { return !t.Provider.Kind.Speaks(name, t.Model) })
		if len(p.Targets) == 0 {
			return otherwise
		}
		return nil
	}
}

// onlyAt leaves the target at one provider, with one of its keys: where an
// earlier answer is stored.
func onlyAt(name string, key routing.Credential, otherwise *hub.Error) func(*routing.Plan) error {
	return func(p *routing.Plan) error {
		p.Targets = slices.DeleteFunc(p.Targets, func(t routing.Target) bool { return t.Provider.Name != name })
		for i := range p.Targets {
			there := *p.Targets[i].Provider
			there.Credentials = slices.DeleteFunc(slices.Clone(there.Credentials), func(c routing.Credential) bool { return !sameKey(c, key) })
			if len(there.Credentials) == 0 {
				return otherwise
			}
			p.Targets[i].Provider = &there
		}
		if len(p.Targets) == 0 {
			return otherwise
		}
		return nil
	}
}

// sameKey compares credentials: those from the environment have only names.
func sameKey(a, b routing.Credential) bool {
	return a.ID == b.ID && (a.ID != "" || a.Name == b.Name)
}
