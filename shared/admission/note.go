package admission

import (
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/routing"
)

// note puts on record how the hold came about, so that it can be explained when
// rates and limits have long changed. Without billing nothing is held.
func (t *Ticket) note(plan string) (string, error) {
	r := &t.req
	switch {
	case !t.billing:
		return plan, nil
	case r.Replay != nil:
		return routing.WithHold(plan, routing.HoldRecord{Percent: &r.Replay.Percent})
	case len(r.Plan.Targets) == 0:
		return plan, nil
	}
	var lowered *int64
	if t.LowerTo > 0 {
		lowered = &t.LowerTo
	}
	dearest := &r.Plan.Targets[0]
	var most money.Credits
	for i := range r.Plan.Targets[1:] {
		// The hold was computed of the same figures a moment ago, without error.
		if i == 0 {
			most = held(r, dearest, lowered)
		}
		if h := held(r, &r.Plan.Targets[i+1], lowered); h > most {
			dearest, most = &r.Plan.Targets[i+1], h
		}
	}
	return routing.WithHold(plan, routing.HoldRecord{Target: dearest.Name(), Bound: r.bound(dearest, lowered),
		Quality: r.Variant.Quality, Size: r.Variant.Size, Opaque: r.OpaqueInput || r.ServerTools, Lowered: lowered != nil})
}

func held(r *Request, t *routing.Target, lowered *int64) money.Credits {
	prices := t.Prices.Dearest(r.Variant.Quality, r.Variant.Size)
	h, err := prices.Hold(prices.MeasuredBound(r.bound(t, lowered)))
	if err != nil {
		return 0
	}
	return h
}
