package rollup

import (
	"context"

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

// subtract takes a part off, but for its histograms and its latest call.
func (t *Total) subtract(o *Total) {
	t.Calls -= o.Calls
	t.Uncosted -= o.Uncosted
	t.Credits -= o.Credits
	t.CostedCredits -= o.CostedCredits
	t.Cost -= o.Cost
	mine := t.numbers()
	for i, n := range o.numbers() {
		*mine[i] -= *n
	}
	for s, n := range o.Statuses {
		t.Statuses[s] -= n
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
