package rollup

import (
	"cmp"
	"context"
	"slices"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Total is sums of calls and how they ended.
type Total struct {
	Sums
	Statuses map[hub.CallStatus]int64
}

// Add adds the sums of an answer that was asked for by status.
func (t *Total) Add(a *Answer) {
	t.Sums.Add(&a.Sums)
	if t.Statuses == nil {
		t.Statuses = map[hub.CallStatus]int64{}
	}
	t.Statuses[a.Status] += a.Calls
}

// AddTotal adds another total.
func (t *Total) AddTotal(o *Total) {
	t.Sums.Add(&o.Sums)
	if t.Statuses == nil {
		t.Statuses = map[hub.CallStatus]int64{}
	}
	for s, n := range o.Statuses {
		t.Statuses[s] += n
	}
}

// Summary is the sums of a span and, where q.Before asks for it, of the one before.
func (r *Reader) Summary(ctx context.Context, q Question) (x Range, current, before Total, err error) {
	q.By, q.Step = store.ByStatus, ""
	x, all, err := r.Ask(ctx, q)
	for _, a := range all {
		if a.Slot < 0 {
			before.Add(a)
		} else {
			current.Add(a)
		}
	}
	return x, current, before, err
}

// Trend is the sums of each slot of a span, those without calls included.
func (r *Reader) Trend(ctx context.Context, q Question) (Range, []Total, error) {
	q.By, q.Before = store.ByStatus, false
	x, all, err := r.Ask(ctx, q)
	out := make([]Total, len(x.Starts))
	for _, a := range all {
		out[a.Slot].Add(a)
	}
	return x, out, err
}

// Part is the sums of what has a key in common.
type Part struct {
	Key string
	store.StatKey
	Total
	Slots []Total // of a question with a step
}

// Keys name the parts that calls count for; most count for one.
type Keys func(store.StatKey) []string

// Parts are sums by key, in no order. A question's By is what keys looks at.
func (r *Reader) Parts(ctx context.Context, q Question, keys Keys) (Range, []*Part, error) {
	q.By |= store.ByStatus
	q.Before = false
	x, all, err := r.Ask(ctx, q)
	parts := map[string]*Part{}
	for _, a := range all {
		for _, key := range keys(a.StatKey) {
			p := parts[key]
			if p == nil {
				p = &Part{Key: key, StatKey: a.StatKey, Slots: make([]Total, len(x.Starts))}
				parts[key] = p
			}
			p.Add(a)
			if len(p.Slots) > 0 {
				p.Slots[a.Slot].Add(a)
			}
		}
	}
	out := make([]*Part, 0, len(parts))
	for _, p := range parts {
		out = append(out, p)
	}
	return x, out, err
}

// Measure is what parts are put in order by.
type Measure string

// The measures.
const (
	Calls  Measure = "calls"
	Credit Measure = "credits"
	Cost   Measure = "cost"
	Tokens Measure = "tokens"
	Errors Measure = "errors"
)

// MeasureNames lists the measures; the last one is for operators.
func MeasureNames() []string {
	return []string{string(Calls), string(Credit), string(Tokens), string(Errors), string(Cost)}
}

// By is how great a total is by a measure.
func (t *Total) By(m Measure) int64 {
	switch m {
	case Credit:
		return t.Credits
	case Cost:
		return t.Cost
	case Tokens:
		return t.Units.Prompt() + t.Units.Completion()
	case Errors:
		return t.Statuses[hub.StatusFailed] + t.Statuses[hub.StatusInterrupted]
	}
	return t.Calls
}

// SortParts puts the greatest first.
func SortParts(parts []*Part, m Measure) {
	slices.SortFunc(parts, func(a, b *Part) int {
		return cmp.Or(cmp.Compare(b.By(m), a.By(m)), cmp.Compare(b.Calls, a.Calls), cmp.Compare(a.Key, b.Key))
	})
}
