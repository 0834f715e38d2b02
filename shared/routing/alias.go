package routing

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// Alias is a model name that the operator defined: rules, of which the first
// whose conditions hold says where calls go.
type Alias struct {
	Name  string
	Rules []Rule
}

// Rule sends calls that meet its conditions to its steps: the targets of the
// first step are tried first, those of later ones only when all before failed.
type Rule struct {
	When   When   `json:"when" yaml:"when,omitempty"`
	Policy Policy `json:"policy,omitempty" yaml:"policy,omitempty"` // orders the targets of each step; "": by weight
	Steps  []Step `json:"steps" yaml:"steps"`
}

// Step is a set of equals: each call goes to one of them, chosen by weight, and
// to the others when that one fails.
type Step struct {
	Targets []Weighted `json:"targets" yaml:"targets"`
}

// Weighted is a target of a step. A weight of 0 means 1.
type Weighted struct {
	Model  string `json:"model" yaml:"model"` // provider/model or a bare name, never an alias
	Weight int64  `json:"weight,omitempty" yaml:"weight,omitempty"`
}

// When are the conditions of a rule; all that are set must hold.
type When struct {
	Needs     []Need   `json:"needs,omitempty" yaml:"needs,omitempty"`           // the request uses all of these
	MinTokens int64    `json:"min_tokens,omitempty" yaml:"min_tokens,omitempty"` // prompt and output limit together are at least that many
	MaxTokens int64    `json:"max_tokens,omitempty" yaml:"max_tokens,omitempty"` // … at most; 0: no bound
	Regions   []string `json:"regions,omitempty" yaml:"regions,omitempty"`       // the request asks for one of these
	Groups    []string `json:"groups,omitempty" yaml:"groups,omitempty"`         // the caller is in one of these; roles are groups too
	Tags      []string `json:"tags,omitempty" yaml:"tags,omitempty"`             // the request carries one of these
}

// Need is something that a request asks of a model.
type Need string

// The needs.
const (
	NeedTools    Need = "tools"
	NeedVision   Need = "vision"
	NeedAudio    Need = "audio"
	NeedFiles    Need = "files"
	NeedSchema   Need = "structured_output"
	NeedThinking Need = "thinking"
)

// Needs lists all needs.
func Needs() []Need {
	return []Need{NeedTools, NeedVision, NeedAudio, NeedFiles, NeedSchema, NeedThinking}
}

// Traits are what rules and policies may ask of a request.
type Traits struct {
	Needs  []Need
	Tokens int64 // of prompt and output limit, estimated
	Region string
	Groups []string
	Tags   []string
	// Prefer is the caller's own wish: a policy, or names of providers or
	// provider/model in the order in which they are to be tried.
	Prefer string
	// Sticky, when set, keeps equal strings at equal targets, as prompt caches and
	// stored state want it.
	Sticky string
	// Draw chooses by weight where nothing is sticky: a random number.
	Draw uint64
}

// holds reports whether the conditions are met.
func (w *When) holds(t *Traits) bool {
	for _, n := range w.Needs {
		if !slices.Contains(t.Needs, n) {
			return false
		}
	}
	return t.Tokens >= w.MinTokens && (w.MaxTokens == 0 || t.Tokens <= w.MaxTokens) &&
		(len(w.Regions) == 0 || slices.Contains(w.Regions, t.Region)) && meets(w.Groups, t.Groups) && meets(w.Tags, t.Tags)
}

func meets(want, have []string) bool {
	return len(want) == 0 || slices.ContainsFunc(want, func(w string) bool { return slices.Contains(have, w) })
}

const (
	maxRules   = 50
	maxSteps   = 10
	maxTargets = 50
)

// Check reports what makes an alias unusable; the error's Param names the field.
func (a *Alias) Check(isAlias func(name string) bool) error {
	if a.Name == "" || len(a.Name) > 200 || strings.TrimSpace(a.Name) != a.Name || strings.ContainsAny(a.Name, "\r\n\t ") {
		return hub.Invalid("name", "An alias has 1 to 200 characters without blanks.")
	}
	if len(a.Rules) == 0 || len(a.Rules) > maxRules {
		return hub.Invalid("rules", "An alias has 1 to %d rules.", maxRules)
	}
	for i := range a.Rules {
		if err := a.Rules[i].check(fmt.Sprintf("rules[%d]", i), isAlias); err != nil {
			return err
		}
	}
	return nil
}

func (r *Rule) check(at string, isAlias func(name string) bool) error {
	if r.Policy != "" && !r.Policy.Valid() {
		return hub.Invalid(at+".policy", "There is no policy %q; there are %s.", r.Policy, policyNames())
	}
	for _, n := range r.When.Needs {
		if !slices.Contains(Needs(), n) {
			return hub.Invalid(at+".when.needs", "A request cannot need %q.", n)
		}
	}
	if r.When.MinTokens < 0 || r.When.MaxTokens < 0 {
		return hub.Invalid(at+".when", "Numbers of tokens must not be negative.")
	}
	if len(r.Steps) == 0 || len(r.Steps) > maxSteps {
		return hub.Invalid(at+".steps", "A rule has 1 to %d steps.", maxSteps)
	}
	for i, s := range r.Steps {
		here := fmt.Sprintf("%s.steps[%d].targets", at, i)
		if len(s.Targets) == 0 || len(s.Targets) > maxTargets {
			return hub.Invalid(here, "A step has 1 to %d targets.", maxTargets)
		}
		for j, t := range s.Targets {
			switch {
			case t.Model == "":
				return hub.Invalid(fmt.Sprintf("%s[%d].model", here, j), "A target needs a model.")
			case t.Weight < 0:
				return hub.Invalid(fmt.Sprintf("%s[%d].weight", here, j), "A weight must not be negative.")
			case isAlias(t.Model):
				return hub.Invalid(fmt.Sprintf("%s[%d].model", here, j), "%s is an alias itself; targets are models.", t.Model)
			}
		}
	}
	return nil
}
