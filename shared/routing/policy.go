package routing

import (
	"cmp"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// Policy orders targets by what is known of them.
type Policy string

// The policies.
const (
	Fast        Policy = "fast"         // shortest measured time to the first byte
	Cheap       Policy = "cheap"        // lowest price
	Balanced    Policy = "balanced"     // price and time together
	Vision      Policy = "vision"       // models that see pictures, balanced
	Coding      Policy = "coding"       // models with tools and thinking, dearest first: price is the best public sign of ability
	LongContext Policy = "long-context" // largest context window first
)

// Policies lists all policies.
func Policies() []Policy { return []Policy{Fast, Cheap, Balanced, Vision, Coding, LongContext} }

// Valid reports whether p is known.
func (p Policy) Valid() bool { return slices.Contains(Policies(), p) }

func policyNames() string {
	names := make([]string, 0, len(Policies()))
	for _, p := range Policies() {
		names = append(names, string(p))
	}
	return strings.Join(names, ", ")
}

// Measured is what was seen of a target lately.
type Measured struct {
	TTFB    time.Duration // median time to the first byte; 0: not known
	Success float64       // share of calls that succeeded; 1 when nothing is known
}

// unmeasured stands for the time of a target that nobody has called lately.
const unmeasured = 2 * time.Second

// score is how good a target is under a policy; lower is better. Failing targets
// come behind all others.
func (p Policy) score(t *Target, m Measured) float64 {
	const failing = 0.5
	seconds := unmeasured.Seconds()
	if m.TTFB > 0 {
		seconds = m.TTFB.Seconds()
	}
	price := t.price()
	var s float64
	switch p {
	case Fast:
		s = seconds
	case Cheap:
		s = price
	case Coding:
		s = -price
		if t.Reasoning == no {
			s += 1e6
		}
		if t.Tools == no {
			s += 1e9
		}
	case LongContext:
		s = -float64(t.Context)
	case Vision:
		s = seconds * (price + 1)
		if t.Sees == no {
			s += 1e9
		}
	default:
		s = seconds * (price + 1)
	}
	if m.Success < failing {
		s += 1e12
	}
	return s
}

// price is what a typical million tokens cost, three of prompt for one of answer,
// in dollars or credits; without any price it counts as dear.
func (t *Target) price() float64 {
	const unknown = 1000
	p := t.Prices
	if p == nil {
		p = t.Cost
	}
	if p == nil {
		return unknown
	}
	in, okIn := p.Rate(hub.Input, 0)
	out, okOut := p.Rate(hub.Output, 0)
	if !okIn || !okOut {
		return unknown
	}
	const pico = 1e12
	return (3*float64(in) + float64(out)) / 4 / pico * 1e6
}

// order sorts targets by a policy, ties by name.
func (p Policy) order(targets []Target, measured func(target string) Measured) {
	type scored struct {
		target Target
		score  float64
	}
	all := make([]scored, len(targets))
	for i, t := range targets {
		m := Measured{Success: 1}
		if measured != nil {
			m = measured(t.Name())
		}
		all[i] = scored{t, p.score(&targets[i], m)}
	}
	slices.SortStableFunc(all, func(a, b scored) int {
		if c := cmp.Compare(a.score, b.score); c != 0 {
			return c
		}
		return strings.Compare(a.target.Name(), b.target.Name())
	})
	for i := range all {
		targets[i] = all[i].target
	}
}

// byWeight puts one target first, chosen by weight, and the others behind it by
// falling weight.
func byWeight(targets []Target, weights []int64, draw uint64) []Target {
	var total uint64
	for _, w := range weights {
		total += uint64(w)
	}
	if len(targets) < 2 || total == 0 {
		return targets
	}
	at, point := 0, draw%total
	for i, w := range weights {
		if point < uint64(w) {
			at = i
			break
		}
		point -= uint64(w)
	}
	order := make([]int, 0, len(targets))
	for i := range targets {
		if i != at {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(weights[b], weights[a]) })
	out := []Target{targets[at]}
	for _, i := range order {
		out = append(out, targets[i])
	}
	return out
}

// draw is the number that chooses by weight: the same for equal sticky strings.
func (t *Traits) draw() uint64 {
	if t.Sticky == "" {
		return t.Draw
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(t.Sticky)) // a hash's Write never fails
	return h.Sum64()
}
