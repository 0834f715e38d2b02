// Package rollup sums up finished calls in buckets of UTC time and answers from
// the sums: 15-minute rows from calls, hours from those, days from hours, months
// from days. A call belongs to the bucket of its admission, by its id, so that a
// late end or a correction changes that bucket and no other.
//
// A bucket is always made as a whole, from its calls or from the buckets below it,
// and what differs is written in one unit: making it again changes nothing, and
// makes good what was wrong. What is to be made is known from a trigger on calls
// (store.ChangedStretches) and stays on a list until it is done; of two processes
// that make the same bucket the one that read older calls is refused.
package rollup

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/calls"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

const (
	// grace is how long after its end a 15-minute bucket is first made: most calls
	// of it are finished by then, and until then answers count its calls themselves.
	grace = 2 * time.Minute
	// page bounds what is read of lists at once.
	page = 500
)

// Roller makes the sums.
type Roller struct {
	Store    *store.Store
	Archives calls.Archives // nil: there are none
	Now      hub.Now
	Log      *slog.Logger
	// Keep is for how long 15-minute rows are kept.
	Keep time.Duration
}

// Report is what a run did.
type Report struct {
	Made    int `json:"made"`    // buckets that were made
	Changed int `json:"changed"` // of them, those that were not so already
	// Refused is buckets left as they were, because fewer of their calls can be read
	// than they count.
	Refused int `json:"refused"`
}

func (r *Report) add(o Report) {
	r.Made, r.Changed, r.Refused = r.Made+o.Made, r.Changed+o.Changed, r.Refused+o.Refused
}

// Run makes what is due, moves the horizons and deletes what is no longer kept.
func (r *Roller) Run(ctx context.Context) error {
	if _, err := r.run(ctx, store.Month); err != nil {
		return err
	}
	if err := r.fill(ctx); err != nil {
		return err
	}
	return r.forget(ctx)
}

// run makes what is due of the periods up to one.
func (r *Roller) run(ctx context.Context, through store.Period) (Report, error) {
	var total Report
	if err := r.gather(ctx); err != nil {
		return total, err
	}
	for p := store.Quarter; p <= through; p++ {
		done, err := r.makeDue(ctx, p)
		total.add(done)
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// gather turns stretches in which calls have changed into buckets that are due.
func (r *Roller) gather(ctx context.Context) error {
	after := ""
	for {
		stretches, err := r.Store.ChangedStretches(ctx, after, page)
		if err != nil || len(stretches) == 0 {
			return err
		}
		var due []store.StatBucket
		for _, s := range stretches {
			if from, until, ok := store.Stretch(s); ok {
				due = append(due, buckets(store.Quarter, floor(store.Quarter, from), until)...)
			}
		}
		if err := r.Store.QueueStats(ctx, stretches, due, false); err != nil {
			return err
		}
		after = stretches[len(stretches)-1]
	}
}

// ready is the time before whose end buckets of a period can be made.
func (r *Roller) ready(ctx context.Context, p store.Period) (time.Time, [store.NumPeriods]store.StatState, error) {
	states, err := r.Store.StatStates(ctx)
	if p == store.Quarter {
		return floor(p, r.Now().Add(-grace)), states, err
	}
	return floor(p, states[p-1].Horizon), states, err
}

// makeDue makes the buckets of a period that are due and complete, and moves the
// horizon.
func (r *Roller) makeDue(ctx context.Context, p store.Period) (total Report, err error) {
	until, states, err := r.ready(ctx, p)
	if err != nil {
		return total, err
	}
	var failed error
	for from := time.UnixMilli(0); ; {
		due, err := r.Store.DueStats(ctx, p, from, until, page)
		if err != nil {
			return total, errors.Join(failed, err)
		}
		for _, d := range due {
			done, err := r.make(ctx, d, states[store.Quarter].Kept)
			total.add(done)
			if ctx.Err() != nil {
				return total, errors.Join(failed, ctx.Err())
			}
			if err != nil && failed == nil { // it stays on the list; the others are made
				failed = fmt.Errorf("sums of %s: %w", d.Start.Format(time.RFC3339), err)
			}
			from = d.Start.Add(time.Millisecond)
		}
		if len(due) < page {
			return total, errors.Join(failed, r.Store.AdvanceStats(ctx, p, until))
		}
	}
}

// make makes one bucket.
func (r *Roller) make(ctx context.Context, d store.DueStat, kept time.Time) (Report, error) {
	var report Report
	if d.Period == store.Quarter && d.Start.Before(kept) {
		// Its row is gone; the hour, which is kept, is made from calls.
		hour := store.StatBucket{Period: store.Hour, Start: floor(store.Hour, d.Start)}
		return report, over(r.Store.PutStats(ctx, d, nil, []store.StatBucket{hour}))
	}
	rows, err := r.collect(ctx, d, kept)
	if err != nil {
		return report, err
	}
	var changes []store.StatChange
	var next []store.StatBucket
	old, err := r.Store.BucketRows(ctx, d.StatBucket)
	if err != nil {
		return report, err
	}
	if !d.Forced && counted(old[store.Full]) > counted(list(rows)) {
		r.Log.WarnContext(ctx, "sums left as they are: fewer calls can be read than they count", "start", d.Start, "period", int(d.Period))
		report.Refused++
		return report, over(r.Store.PutStats(ctx, d, nil, nil))
	}
	for _, c := range cubes(d.Period) {
		if change := difference(c, old[c], projected(c, rows)); len(change.Put)+len(change.Drop) > 0 {
			changes = append(changes, change)
		}
	}
	if len(changes) > 0 && d.Period < store.Month {
		next = []store.StatBucket{{Period: d.Period + 1, Start: floor(d.Period+1, d.Start)}}
	}
	if err := r.Store.PutStats(ctx, d, changes, next); err != nil {
		return report, over(err)
	}
	report.Made++
	if len(changes) > 0 {
		report.Changed++
	}
	return report, nil
}

// over takes the end of a turn for no error: somebody else makes the bucket.
func over(err error) error {
	if errors.Is(err, store.ErrNotOpen) {
		return nil
	}
	return err
}

func list(rows map[store.StatKey]store.StatSums) []store.StatRow {
	out := make([]store.StatRow, 0, len(rows))
	for k, s := range rows {
		out = append(out, store.StatRow{StatKey: k, StatSums: s})
	}
	return out
}

func counted(rows []store.StatRow) (n int64) {
	for i := range rows {
		n += rows[i].Calls
	}
	return n
}

// collect makes the full cube of a bucket from the buckets below it, or from its
// calls.
func (r *Roller) collect(ctx context.Context, d store.DueStat, kept time.Time) (map[store.StatKey]store.StatSums, error) {
	t := tally{}
	until := next(d.Period, d.Start)
	if d.Period == store.Quarter || (d.Period == store.Hour && d.Start.Before(kept)) {
		err := r.calls(ctx, d.Start, until, t)
		return t.rows(), err
	}
	rows, err := r.Store.StatRows(ctx, d.Period-1, store.Full, d.Start, until)
	for i := range rows {
		t.row(rows[i].StatKey, &rows[i].StatSums)
	}
	return t.rows(), err
}

// calls counts the calls of a span, wherever they are. The hub's own database is
// read first and the archives are asked for after that: a call that moves in the
// meantime is in both, never in neither, and is counted once.
func (r *Roller) calls(ctx context.Context, from, until time.Time, t tally) error {
	seen := map[string]bool{}
	err := r.Store.CountedCalls(ctx, from, until, func(c *store.CountedCall) error {
		seen[c.ID] = true
		t.call(c)
		return nil
	})
	if err != nil || r.Archives == nil {
		return err
	}
	archives, err := r.Archives.Of(ctx, from, until)
	if err != nil {
		return fmt.Errorf("archives: %w", err)
	}
	for _, a := range archives {
		err := a.CountedCalls(ctx, from, until, func(c *store.CountedCall) error {
			if !seen[c.ID] {
				seen[c.ID] = true
				t.call(c)
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("archive: %w", err)
		}
	}
	return nil
}
