package upstream

import (
	"context"
	"time"
)

// GivenUp is the category of an attempt that another one overtook.
const GivenUp = "given_up"

// race asks a candidate, and the next as well once the first has been silent for
// the hedging delay. The first good answer wins, the other is cancelled. more:
// there is none, but further attempts make sense.
func (d *dispatch) race(t turn, req *Request) (a *Answer, more bool) {
	results := make(chan result, 2) // room for both, so that neither is left behind
	stops := make([]context.CancelFunc, 0, 2)
	defer func() {
		if a == nil {
			for _, stop := range stops {
				stop()
			}
		}
	}()
	under := 0
	start := func(t turn, req *Request) {
		ctx, stop := context.WithCancel(d.ctx)
		stops = append(stops, stop)
		t = d.begin(t)
		t.lane = len(stops) - 1
		under++
		go func() { results <- d.c.try(ctx, d.call, t, req) }()
	}
	start(t, req)
	timer := time.NewTimer(d.c.settings.Hedge)
	defer timer.Stop()
	more = true
	for under > 0 {
		select {
		case <-timer.C:
			if !d.affordable() {
				continue
			}
			if second, req, ok := d.next(); ok {
				start(second, req)
			}
		case r := <-results:
			under--
			if r.fault == nil {
				for i, stop := range stops {
					if i != r.turn.lane {
						stop()
					}
				}
				d.giveUp(results, under)
				r.answer.body.release = also(r.answer.body.release, stops[r.turn.lane])
				return d.won(r), true
			}
			if more = d.failed(r) && more; !more { // wrong everywhere
				for _, stop := range stops {
					stop()
				}
				last := d.last
				d.giveUp(results, under)
				d.last = last
				return nil, false
			}
		}
	}
	return nil, more
}

// giveUp waits for cancelled attempts to end and notes them.
func (d *dispatch) giveUp(results <-chan result, under int) {
	for range under {
		r := <-results
		if r.answer != nil {
			r.answer.Body.Close()
		}
		if r.turn.probe {
			d.c.breaker.leave(r.turn.target)
		}
		r.fault = nil
		d.trace.Attempts = append(d.trace.Attempts, attemptOf(r, GivenUp, "Another attempt answered first."))
		d.trace.GivenUp = r.turn.target
	}
}

func also(first func(), then context.CancelFunc) func() {
	return func() {
		if first != nil {
			first()
		}
		then()
	}
}
