package routing

import (
	"slices"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// Aliases lists the names that the operator defined for calls of a type: those
// with a target that such calls can go to.
func (n *Snapshot) Aliases(kind hub.CallType) []string { return n.AliasesFor(nil, kind) }

// AliasesFor is Aliases for a caller that may not use all models.
func (n *Snapshot) AliasesFor(allow Allow, kind hub.CallType) []string {
	names := make([]string, 0, len(n.aliases))
	for _, a := range n.aliases {
		if n.serves(a, allow, kind) {
			names = append(names, a.Name)
		}
	}
	slices.Sort(names)
	return names
}

// serves reports whether an alias has a target that a caller may use and that can
// take calls of a type.
func (n *Snapshot) serves(a *Alias, allow Allow, kind hub.CallType) bool {
	if allow.Named(a.Name) {
		allow = nil
	}
	for _, r := range a.Rules {
		for _, s := range r.Steps {
			for _, w := range s.Targets {
				for _, c := range n.candidates(w.Model, kind) {
					if t, refusal := n.target(c.provider, c.model, kind); refusal == "" && allow.Target(&t) {
						return true
					}
				}
			}
		}
	}
	return false
}

// Explained says where a call would go, without making it.
type Explained struct {
	Model   string            `json:"model"`
	Why     string            `json:"why"`
	Targets []ExplainedTarget `json:"targets"` // in the order in which they would be tried
	Refused []Refusal         `json:"refused"`
}

// ExplainedTarget is one target of Explained.
type ExplainedTarget struct {
	Target    string `json:"target"`
	Kind      string `json:"kind"`
	Native    bool   `json:"native"`     // spoken to in the caller's own language
	Context   int64  `json:"context"`    // tokens; 0: unknown
	MaxOutput int64  `json:"max_output"` // tokens
}

// Explain plans a call and says what came of it.
func (n *Snapshot) Explain(r Request) (Explained, error) {
	plan, err := n.Plan(r)
	if err != nil {
		return Explained{}, err
	}
	v := Explained{Model: r.Model, Why: plan.Why, Targets: make([]ExplainedTarget, len(plan.Targets)), Refused: append([]Refusal{}, plan.Refused...)}
	for i := range plan.Targets {
		t := &plan.Targets[i]
		v.Targets[i] = ExplainedTarget{t.Name(), t.Provider.Kind.ID, t.speaks(&r), t.Context, t.MaxOutput}
	}
	return v, nil
}

// CheckNeeds reports a need that there is none of.
func CheckNeeds(needs []Need) error {
	for _, need := range needs {
		if !slices.Contains(Needs(), need) {
			return hub.Invalid("needs", "A request cannot need %.40q.", need)
		}
	}
	return nil
}
