package rollup

import (
	"context"
	"fmt"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Rebuild makes all buckets of a span again, of every period, oldest first; progress
// is told how far it is, nil to tell nobody. With force buckets whose calls cannot
// all be read any more lose what cannot be read; otherwise they are left as they
// are. What of the span is not over yet stays on the list.
func (r *Roller) Rebuild(ctx context.Context, from, until time.Time, force bool, progress func(done time.Time, so Report)) (Report, error) {
	var total Report
	from, until = store.Quarter.Floor(from), earlier(store.Quarter.Ceil(until), store.Quarter.Ceil(r.Now()))
	for at := from; at.Before(until); {
		end := earlier(store.Day.Floor(at).Add(day), until)
		done, err := r.rebuild(ctx, at, end, force, end.Equal(until) || store.Month.Floor(end).Equal(end))
		total.add(done)
		if err != nil {
			return total, err
		}
		if progress != nil {
			progress(end, total)
		}
		at = end
	}
	return total, nil
}

// rebuild makes the buckets of a span of at most a day, and with months those of
// the month: they read all its days, once is enough for many spans.
func (r *Roller) rebuild(ctx context.Context, from, until time.Time, force, months bool) (Report, error) {
	due := store.Quarter.Buckets(from, until)
	for p := store.Hour; p <= store.Month; p++ {
		due = append(due, p.Buckets(p.Floor(from), until)...)
	}
	if err := r.Store.QueueStats(ctx, nil, due, force); err != nil {
		return Report{}, err
	}
	if months {
		return r.run(ctx, store.Month)
	}
	return r.run(ctx, store.Day)
}

// fillTime is how long one run fills in what was called before there were sums.
const fillTime = time.Minute

// fill makes sums of calls that are older than the sums, a day at a time, backwards.
func (r *Roller) fill(ctx context.Context) error {
	states, err := r.Store.StatStates(ctx)
	if err != nil {
		return err
	}
	filled := states[store.Quarter].Filled
	for end := r.Now().Add(fillTime); filled.UnixMilli() > 0 && r.Now().Before(end); {
		first, found, err := r.first(ctx)
		if err != nil {
			return err
		}
		from := store.Day.Floor(filled.Add(-1))
		if !found || !first.Before(filled) {
			return r.Store.FilledStats(ctx, time.UnixMilli(0))
		}
		if _, err := r.rebuild(ctx, from, filled, false, store.Month.Floor(from).Equal(from)); err != nil {
			return err
		}
		if err := r.Store.FilledStats(ctx, from); err != nil {
			return err
		}
		filled = from
	}
	return nil
}

// first is when the oldest call was admitted that is kept anywhere.
func (r *Roller) first(ctx context.Context) (at time.Time, found bool, err error) {
	if at, found, err = r.Store.FirstCall(ctx); err != nil {
		return at, found, err
	}
	if r.Archives == nil {
		return at, found, nil
	}
	first, ok, err := r.Archives.First(ctx)
	if err != nil {
		return at, found, fmt.Errorf("archives: %w", err)
	}
	if ok && (!found || first.Before(at)) {
		return first, true, nil
	}
	return at, found, nil
}

// forget deletes 15-minute rows whose time is over, once the hours above them are
// made.
func (r *Roller) forget(ctx context.Context) error {
	if r.Keep <= 0 {
		return nil
	}
	states, err := r.Store.StatStates(ctx)
	if err != nil {
		return err
	}
	before := earlier(store.Day.Floor(r.Now().Add(-r.Keep)), store.Day.Floor(states[store.Hour].Horizon))
	if filled := states[store.Quarter].Filled; before.Before(filled) || !before.After(states[store.Quarter].Kept) {
		return nil
	}
	for p := store.Quarter; p <= store.Hour; p++ {
		if due, err := r.Store.DueStats(ctx, p, time.UnixMilli(0), before, 1); err != nil || len(due) > 0 {
			return err
		}
	}
	for more := true; more; {
		if more, err = r.Store.ForgetStats(ctx, before); err != nil {
			return err
		}
	}
	return nil
}
