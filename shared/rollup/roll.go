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
	var failed error
	for p := store.Quarter; p <= through && ctx.Err() == nil; p++ {
		done, err := r.makeDue(ctx, p)
		total.add(done)
		failed = errors.Join(failed, err)
	}
	return total, errors.Join(failed, ctx.Err())
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
				due = append(due, store.Quarter.Buckets(store.Quarter.Floor(from), until)...)
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
		return p.Floor(r.Now().Add(-grace)), states, err
	}
	return p.Floor(states[p-1].Horizon), states, err
}

// makeDue makes the buckets of a period that are due and complete, and moves the
// horizon. What fails stays on the list; the others are made.
func (r *Roller) makeDue(ctx context.Context, p store.Period) (total Report, err error) {
	until, states, err := r.ready(ctx, p)
	if err != nil {
		return total, err
	}
	var failed error
	kept := states[store.Quarter].Kept
	for from := time.UnixMilli(0); ; {
		due, err := r.Store.DueStats(ctx, p, from, until, page)
		if err != nil {
			return total, errors.Join(failed, err)
		}
		failed = errors.Join(failed, r.makeAll(ctx, groups(p, due, kept), kept, &total))
		if ctx.Err() != nil {
			return total, failed
		}
		if len(due) < page {
			return total, errors.Join(failed, r.Store.AdvanceStats(ctx, p, until))
		}
		from = due[len(due)-1].Start.Add(time.Millisecond)
	}
}

// makeAll makes groups of buckets: while one is written the next is read.
func (r *Roller) makeAll(ctx context.Context, all [][]store.DueStat, kept time.Time, total *Report) error {
	var failed error
	written := make(chan error, 1)
	written <- nil
	for _, group := range all {
		made, report, err := r.compare(ctx, group, kept)
		if failed == nil {
			failed = <-written
		} else {
			<-written
		}
		if err != nil {
			if failed == nil {
				failed = fmt.Errorf("sums of %s: %w", group[0].Start.Format(time.RFC3339), err)
			}
			written <- nil
			if ctx.Err() != nil {
				break
			}
			continue
		}
		total.add(report)
		go func() { written <- r.put(ctx, made) }()
	}
	return errors.Join(failed, <-written)
}

// groups puts together buckets that follow on each other, so many that neither
// what is read nor what is written becomes too much.
func groups(p store.Period, due []store.DueStat, kept time.Time) [][]store.DueStat {
	most := [store.NumPeriods]int{8, 8, 2, 1}[p]
	var out [][]store.DueStat
	for i, d := range due {
		if n := len(out); n > 0 && len(out[n-1]) < most && p.Next(due[i-1].Start).Equal(d.Start) && due[i-1].Start.Before(kept) == d.Start.Before(kept) {
			out[n-1] = append(out[n-1], d)
			continue
		}
		out = append(out, []store.DueStat{d})
	}
	return out
}

// put writes buckets down, together unless that would keep other writers waiting
// or one of them is somebody else's by now.
func (r *Roller) put(ctx context.Context, made []store.MadeStat) error {
	const most = 500
	size := 0
	for i := range made {
		size += made[i].Size()
	}
	err := store.ErrNotOpen
	if size <= most || len(made) == 1 {
		err = r.Store.PutStats(ctx, made)
	}
	if !errors.Is(err, store.ErrNotOpen) || len(made) == 1 {
		return over(err)
	}
	for i := range made {
		if err := over(r.Store.PutStats(ctx, made[i:i+1])); err != nil {
			return err
		}
	}
	return nil
}

// over takes the end of a turn for no error: somebody else makes the bucket.
func over(err error) error {
	if errors.Is(err, store.ErrNotOpen) {
		return nil
	}
	return err
}

// compare finds what is to be written of buckets.
func (r *Roller) compare(ctx context.Context, group []store.DueStat, kept time.Time) ([]store.MadeStat, Report, error) {
	var report Report
	made := make([]store.MadeStat, len(group))
	p, from, until := group[0].Period, group[0].Start, group[0].Period.Next(group[len(group)-1].Start)
	if p == store.Quarter && from.Before(kept) {
		// Their rows are gone; the hours, which are kept, are made from calls.
		for i, d := range group {
			made[i] = store.MadeStat{DueStat: d, Next: &store.StatBucket{Period: store.Hour, Start: store.Hour.Floor(d.Start)}}
		}
		return made, report, nil
	}
	fresh, err := r.collect(ctx, p, from, until, kept)
	if err != nil {
		return nil, report, err
	}
	rows, err := r.Store.AllRows(ctx, p, from, until)
	if err != nil {
		return nil, report, err
	}
	old := map[int64]*[store.NumCubes][]store.StatRow{}
	for i := range rows {
		b := &rows[i]
		if old[b.Start] == nil {
			old[b.Start] = &[store.NumCubes][]store.StatRow{}
		}
		old[b.Start][b.Cube] = append(old[b.Start][b.Cube], b.StatRow)
	}
	for i, d := range group {
		before := old[d.Start.UnixMilli()]
		if before == nil {
			before = &[store.NumCubes][]store.StatRow{}
		}
		made[i] = r.change(ctx, d, before, fresh[d.Start.UnixMilli()], &report)
	}
	return made, report, nil
}

// change is what becomes of a bucket.
func (r *Roller) change(ctx context.Context, d store.DueStat, old *[store.NumCubes][]store.StatRow, fresh tally, report *Report) store.MadeStat {
	made := store.MadeStat{DueStat: d}
	if !d.Forced && counted(old[store.Full]) > fresh.counted() {
		r.Log.WarnContext(ctx, "sums left as they are: fewer calls can be read than they count", "start", d.Start, "period", int(d.Period))
		report.Refused++
		return made
	}
	for _, c := range cubes(d.Period) {
		if change := difference(c, old[c], fresh.projected(c)); len(change.Put)+len(change.Drop) > 0 {
			made.Changes = append(made.Changes, change)
		}
	}
	if d.Period >= store.Hour {
		made.Roster = fresh.roster()
	}
	report.Made++
	if len(made.Changes) == 0 {
		return made
	}
	report.Changed++
	if d.Period < store.Month {
		made.Next = &store.StatBucket{Period: d.Period + 1, Start: (d.Period + 1).Floor(d.Start)}
	}
	return made
}

func counted(rows []store.StatRow) (n int64) {
	for i := range rows {
		n += rows[i].Calls
	}
	return n
}

// collect makes the full cubes of buckets, from the buckets below them or from
// calls.
func (r *Roller) collect(ctx context.Context, p store.Period, from, until, kept time.Time) (map[int64]tally, error) {
	out := map[int64]tally{}
	at := func(t time.Time) tally {
		b := p.Floor(t).UnixMilli()
		if out[b] == nil {
			out[b] = tally{}
		}
		return out[b]
	}
	if p == store.Quarter || (p == store.Hour && from.Before(kept)) {
		err := r.calls(ctx, from, until, func() { clear(out) }, func(c *store.CountedCall) {
			if admitted, ok := store.AdmittedAt(c.ID); ok {
				at(admitted).at(c.StatKey).call(c)
			}
		})
		return out, err
	}
	rows, err := r.Store.FullRows(ctx, p-1, from, until)
	for i := range rows {
		at(time.UnixMilli(rows[i].Start)).at(rows[i].StatKey).add(&rows[i].StatSums)
	}
	return out, err
}

// calls hands over the calls of a span, wherever they are, each once; forget takes
// back what was handed over. The hub's own database is read before the archives
// are asked for: a call that moves in the meantime is in both, never in neither.
func (r *Roller) calls(ctx context.Context, from, until time.Time, forget func(), each func(*store.CountedCall)) error {
	archives, err := r.archives(ctx, from, until)
	if err != nil {
		return err
	}
	var seen map[string]bool // of what may be in an archive as well
	if len(archives) > 0 {
		seen = map[string]bool{}
	}
	err = r.Store.CountedCalls(ctx, from, until, func(c *store.CountedCall) error {
		if seen != nil {
			seen[c.ID] = true
		}
		each(c)
		return nil
	})
	if err != nil {
		return err
	}
	if archives, err = r.archives(ctx, from, until); err != nil {
		return err
	}
	if len(archives) > 0 && seen == nil { // the first one was made just now
		forget()
		return r.calls(ctx, from, until, forget, each)
	}
	for _, a := range archives {
		err := a.CountedCalls(ctx, from, until, func(c *store.CountedCall) error {
			if !seen[c.ID] {
				seen[c.ID] = true
				each(c)
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("archive: %w", err)
		}
	}
	return nil
}

func (r *Roller) archives(ctx context.Context, from, until time.Time) ([]*store.Store, error) {
	if r.Archives == nil {
		return nil, nil
	}
	all, err := r.Archives.Of(ctx, from, until)
	if err != nil {
		return nil, fmt.Errorf("archives: %w", err)
	}
	return all, nil
}
