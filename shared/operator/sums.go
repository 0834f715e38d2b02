package operator

import (
	"context"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// RebuildSums has the sums of calls of a span made again by the job that makes
// them, at most a year at once. It returns how many hours that are.
func (d *Desk) RebuildSums(ctx context.Context, actor string, from, until time.Time) (hours int, err error) {
	const most = 366 * 24 * time.Hour
	if now := d.Now(); until.After(now) {
		until = now
	}
	from, until = store.Hour.Floor(from), store.Hour.Ceil(until)
	if !from.Before(until) || until.Sub(from) > most {
		return 0, hub.Invalid("startDate", "startDate must lie before endDate and before now, by at most a year.")
	}
	for at := from; at.Before(until); at = store.Month.Next(store.Month.Floor(at)) { // a month is 3,000 rows
		end := store.Month.Next(store.Month.Floor(at))
		if until.Before(end) {
			end = until
		}
		var due []store.StatBucket
		for p := store.Quarter; p <= store.Month; p++ {
			due = append(due, p.Buckets(p.Floor(at), end)...)
		}
		if err := d.Store.QueueStats(ctx, nil, due, false); err != nil {
			return 0, err
		}
	}
	hours = int(until.Sub(from) / time.Hour)
	return hours, d.audit(ctx, actor, "usage.rebuild", "sums", nil, map[string]any{"from": from, "until": until})
}

// NoteRebuild puts on record that somebody makes the sums of a span again.
func (d *Desk) NoteRebuild(ctx context.Context, actor string, from, until time.Time, force bool) error {
	return d.audit(ctx, actor, "usage.rebuild", "sums", nil, map[string]any{"from": from, "until": until, "force": force})
}
