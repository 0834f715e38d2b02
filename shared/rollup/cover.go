package rollup

import (
	"time"

	"github.com/aigne-hub/aigne-hub/shared/store"
)

// span is a stretch of time that is counted as one.
type span struct{ from, until time.Time }

// cover splits a span, whose ends are quarter-hours, into the largest buckets that
// there are of it. What lies behind the horizon of quarter-hours is left over: tail
// is where that begins.
func cover(slot int, x span, states *[store.NumPeriods]store.StatState) (out []store.StatSpan, tail time.Time) {
	tail = later(x.from, states[store.Quarter].Horizon)
	return split(nil, slot, span{x.from, earlier(x.until, tail)}, store.Month, states), tail
}

func split(out []store.StatSpan, slot int, x span, p store.Period, states *[store.NumPeriods]store.StatState) []store.StatSpan {
	if !x.from.Before(x.until) {
		return out
	}
	from, until := p.Ceil(x.from), p.Floor(earlier(x.until, states[p].Horizon))
	if !from.Before(until) {
		if p == store.Quarter {
			return out
		}
		return split(out, slot, x, p-1, states)
	}
	if p > store.Quarter {
		out = split(out, slot, span{x.from, from}, p-1, states)
	}
	out = append(out, store.StatSpan{Slot: slot, Period: p, From: from, Until: until})
	if p > store.Quarter {
		out = split(out, slot, span{until, x.until}, p-1, states)
	}
	return out
}
