package admission

import (
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/routing"
)

// note puts on record how the hold came about, so that it can be explained when
// rates and limits have long changed. Without billing nothing is held.
func (t *Ticket) note(plan string) string {
	r := &t.req
	switch {
	case !t.billing:
		return plan
	case r.Replay != nil:
		return routing.WithHold(plan, &routing.HoldRecord{Amount: t.hold, Percent: &r.Replay.Percent})
	case len(r.Plan.Targets) == 0:
		return plan
	}
	lowered, slice := t.outputHeld()
	dearest := &r.Plan.Targets[0]
	if len(r.Plan.Targets) > 1 {
		var most money.Credits
		for i := range r.Plan.Targets {
			// The hold was computed of the same figures a moment ago, without error.
			if h, err := r.holdAt(&r.Plan.Targets[i], lowered); err == nil && h > most {
				dearest, most = &r.Plan.Targets[i], h
			}
		}
	}
	return routing.WithHold(plan, &routing.HoldRecord{Amount: t.hold, Target: dearest.Name(), Bound: r.bound(dearest, lowered),
		Quality: r.Variant.Quality, Size: r.Variant.Size, Opaque: r.opaque(), Counted: r.counted > 0 && r.counted < r.PromptBytes && !r.opaque(),
		Lowered: t.LowerTo > 0, Slice: slice})
}

// outputHeld is the output of one answer that the hold covers, nil for the whole
// limit, and whether it is the first slice of it.
func (t *Ticket) outputHeld() (tokens *int64, slice bool) {
	switch {
	case t.LowerTo > 0:
		return &t.LowerTo, false
	case t.held > 0:
		return new(t.held / t.req.answers()), true
	}
	return nil, false
}
