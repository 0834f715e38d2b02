package archive

import (
	"context"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
)

// Rehearse says what Run would move now, and writes nothing.
func (k *Keeper) Rehearse(ctx context.Context) (Report, error) {
	if !k.Enabled() {
		return Report{}, hub.Errorf(hub.CodeInvalid, "Archiving is off: AIGNE_HUB_ARCHIVE_AFTER says so.")
	}
	out := Report{DryRun: true, Cutoff: k.Cutoff(), Archives: []Share{}, Removed: []string{}}
	if _, _, err := (&run{Keeper: k}).mover(); err != nil {
		return out, err
	}
	finished, after := k.Now().Add(-settled), ""
	for {
		ids, err := k.Store.Archivable(ctx, after, out.Cutoff, finished, 1)
		if err != nil {
			return out, err
		}
		if len(ids) == 0 {
			break
		}
		name, _, ok := within(ids)
		if !ok {
			after = ids[0]
			continue
		}
		_, _, until := quarterOf(name)
		if until.After(out.Cutoff) {
			until = out.Cutoff
		}
		sums, err := k.Store.ArchivableCount(ctx, after, until, finished)
		if err != nil {
			return out, err
		}
		out.Archives = append(out.Archives, Share{Name: name, Calls: sums.Calls, Credits: money.Credits(sums.Credits)})
		out.Calls += sums.Calls
		after = lastBefore(until)
	}
	all, err := k.Store.CallCount(ctx, "", out.Cutoff, keptLimit)
	out.Kept = max(0, all-out.Calls)
	for _, a := range k.overdue(ctx) {
		out.Removed = append(out.Removed, a.Name)
	}
	return out, err
}

// lastBefore sorts after every id made before a time, and before those made then.
func lastBefore(t time.Time) string {
	var id ulid.ULID
	_ = id.SetTime(ulid.Timestamp(t.Add(-time.Millisecond))) // fails beyond the year 10889
	for i := 6; i < len(id); i++ {
		id[i] = 0xff
	}
	return id.String()
}
