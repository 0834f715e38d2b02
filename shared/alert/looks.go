package alert

import (
	"context"
	"fmt"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/ledger"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/notify"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func (w *Watcher) errorRate(ctx context.Context, r *Rules) ([]finding, error) {
	rule := r.ErrorRate
	if !rule.On {
		return nil, nil
	}
	calls, failed, err := w.Store.Failing(ctx, w.Now().Add(-time.Duration(rule.Minutes)*time.Minute), newestCalls)
	if err != nil {
		return nil, err
	}
	const overAt = 2 // the rate must fall to a half before it is over
	if calls < rule.MinCalls || failed*100*overAt < rule.Percent*calls {
		return nil, nil
	}
	return []finding{{severity: notify.Failure, hold: failed*100 < rule.Percent*calls,
		title: fmt.Sprintf("%s %% of calls fail.", percent(failed, calls)),
		data:  map[string]any{"failed": failed, "calls": calls, "minutes": rule.Minutes, "limit_percent": rule.Percent}}}, nil
}

const (
	// newestCalls is how many of a busy hub's calls are looked at for an error rate.
	newestCalls = 5000
	// lastEnd is when calls have ended, but for jobs at providers.
	lastEnd = 20 * time.Minute
	// leastHours is how much of the past an average must be of.
	leastHours = 6
	hourSlots  = int64(time.Hour / store.Slot)
)

// spend compares the newest hour whose calls have all ended with those before it.
func (w *Watcher) spend(ctx context.Context, r *Rules) ([]finding, error) {
	rule := r.Spend
	if !rule.On {
		return nil, nil
	}
	end := store.SlotOf(w.Now().Add(-lastEnd))
	begin, err := w.sumUp(ctx, end-hourSlots*(rule.Hours+1), end)
	hours := (end-begin)/hourSlots - 1
	if err != nil || hours < leastHours {
		return nil, err
	}
	x, _, _, err := w.Store.SumSlots(ctx, end-hourSlots, end)
	if err != nil {
		return nil, err
	}
	past, _, _, err := w.Store.SumSlots(ctx, end-hourSlots*(hours+1), end-hourSlots)
	if err != nil {
		return nil, err
	}
	unit, spent, average := "USD", x.Cost, past.Cost/money.Credits(hours)
	if spent == 0 && past.Cost == 0 {
		unit, spent, average = "credits", x.Credits, past.Credits/money.Credits(hours)
	}
	limit := average/100*money.Credits(rule.Percent) + average%100*money.Credits(rule.Percent)/100 // the average times percent could overflow
	if spent < limit/4*3 || spent < rule.Least || spent == 0 {
		return nil, nil
	}
	return []finding{{severity: notify.Warning, hold: spent < limit,
		title: fmt.Sprintf("An hour cost %s %s, the average hour %s.", spent, unit, average),
		data:  map[string]any{"spent": spent.String(), "unit": unit, "average_hour": average.String(), "hours": hours, "limit_percent": rule.Percent, "calls": x.Calls}}}, nil
}

// sumUp adds up the slots before end that are not kept yet, and returns the first of
// them: from, or that of the hub's first call if it is later.
func (w *Watcher) sumUp(ctx context.Context, from, end int64) (int64, error) {
	first, _, err := w.Store.FirstCall(ctx)
	if err != nil || first.IsZero() {
		return end, err
	}
	if from = max(from, store.SlotOf(first)); from >= end {
		return end, nil
	}
	_, newest, kept, err := w.Store.SumSlots(ctx, from, end)
	if err != nil || kept == end-from {
		return from, err
	}
	next := from
	if kept == newest+1-from { // without a gap
		next = newest + 1
	}
	for slot := next; slot < end; slot++ {
		if err := w.Store.SumSlot(ctx, slot); err != nil {
			return from, err
		}
	}
	return from, nil
}

func (w *Watcher) credentials(ctx context.Context, r *Rules) ([]finding, error) {
	if !r.Credential.On {
		return nil, nil
	}
	refused, err := w.Store.DisabledCredentials(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]finding, len(refused))
	for i, c := range refused {
		out[i] = finding{subject: c.Provider + "/" + c.Name, severity: notify.Warning,
			title: fmt.Sprintf("%s does not take the credential %s.", c.Provider, c.Name),
			data:  map[string]any{"provider": c.Provider, "credential": c.Name, "reason": c.Reason, "left": c.Left}}
		if c.Left == 0 {
			out[i].severity = notify.Failure
			out[i].title = fmt.Sprintf("%s does not take the credential %s, and there is no other.", c.Provider, c.Name)
		}
	}
	return out, nil
}

func (w *Watcher) outbox(ctx context.Context, r *Rules) ([]finding, error) {
	if !r.Outbox.On {
		return nil, nil
	}
	b, err := w.Store.Backlog(ctx)
	if err != nil || (b.UsageDead == 0 && !r.Outbox.late(b.OldestUsage)) {
		return nil, err
	}
	f := finding{severity: notify.Warning, title: fmt.Sprintf("Usage has waited %s to be reported.", b.OldestUsage.Round(time.Minute)),
		data: map[string]any{"pending": b.UsagePending, "dead": b.UsageDead, "oldest_seconds": int64(b.OldestUsage.Seconds())}}
	if b.UsageDead > 0 {
		f.severity, f.title = notify.Failure, fmt.Sprintf("The usage of %d calls was refused where it is billed.", b.UsageDead)
	}
	return []finding{f}, nil
}

func (a After) late(d time.Duration) bool { return d > time.Duration(a.Minutes)*time.Minute }

func (w *Watcher) notices(ctx context.Context, r *Rules) ([]finding, error) {
	if !r.Notices.On {
		return nil, nil
	}
	b, err := w.Store.Backlog(ctx)
	if err != nil || !r.Notices.late(b.OldestNotice) {
		return nil, err
	}
	return []finding{{severity: notify.Warning, title: fmt.Sprintf("Notices are not sent for %s.", b.OldestNotice.Round(time.Minute)),
		data: map[string]any{"due": b.Notices, "oldest_seconds": int64(b.OldestNotice.Seconds())}}}, nil
}

func (w *Watcher) ledger(ctx context.Context, r *Rules) ([]finding, error) {
	if !r.Ledger.On {
		return nil, nil
	}
	v, ok, err := ledger.LastVerified(ctx, w.Store)
	if err != nil || !ok || v.Violations == 0 {
		return nil, err
	}
	return []finding{{severity: notify.Failure, title: "The books do not balance.",
		data: map[string]any{"violations": v.Violations, "first": v.First, "at": v.At.Format(time.RFC3339)}}}, nil
}

func (w *Watcher) sweeper(ctx context.Context, r *Rules) ([]finding, error) {
	if !r.Sweeper.On {
		return nil, nil
	}
	b, err := w.Store.Backlog(ctx)
	if err != nil || !r.Sweeper.late(b.SweeperLag) {
		return nil, err
	}
	return []finding{{severity: notify.Failure, title: fmt.Sprintf("Calls of a process that died are open for %s.", b.SweeperLag.Round(time.Minute)),
		data: map[string]any{"lag_seconds": int64(b.SweeperLag.Seconds()), "open_calls": b.OpenCalls, "held": b.Held.String()}}}, nil
}

func (w *Watcher) disk(_ context.Context, r *Rules) ([]finding, error) {
	if !r.Disk.On || w.Room == nil {
		return nil, nil
	}
	free, all, err := w.Room()
	if err != nil || all == 0 {
		return nil, err
	}
	const overAt = 2 // percent above the limit
	share := int64(free / max(1, all/100))
	if share >= r.Disk.Percent+overAt {
		return nil, nil
	}
	f := finding{severity: notify.Warning, hold: share >= r.Disk.Percent, title: fmt.Sprintf("%d %% of the database's disk are free.", share),
		data: map[string]any{"free_bytes": free, "disk_bytes": all, "limit_percent": r.Disk.Percent}}
	if share*2 < r.Disk.Percent {
		f.severity = notify.Failure
	}
	return []finding{f}, nil
}
