package main

import (
	"fmt"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/rollup"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func usageRebuild(j *job) error {
	return j.withHub(func(a *boot.App) error {
		q, err := j.usageQuestion(a)
		if err != nil {
			return err
		}
		force := j.c.Bool("force")
		if err := a.Desk.NoteRebuild(j.ctx, actor, q.From, q.Until, force); err != nil {
			return err
		}
		shown := time.Now()
		report, err := a.Roller.Rebuild(j.ctx, q.From, q.Until, force, func(done time.Time, so rollup.Report) {
			if now := time.Now(); !j.json && now.Sub(shown) > time.Second { // whoever waits sees that it goes on
				shown = now
				_, _ = fmt.Fprintf(j.stderr, "up to %s: %d buckets, %d of them changed\n", done.Format(time.RFC3339), so.Made, so.Changed)
			}
		})
		if err != nil {
			return err
		}
		human := fmt.Sprintf("Made %d buckets again; %d were not right.\n", report.Made, report.Changed)
		if report.Refused > 0 {
			human += fmt.Sprintf("%d were left as they are, because not all of their calls can be read any more.\n", report.Refused)
		}
		return j.show(report, human)
	})
}

// usageState is how far the sums of a period reach.
type usageState struct {
	Period  string     `json:"period"`
	From    *time.Time `json:"from"`    // sums of calls before it are still to be made, or, of 15 minutes, are no longer kept; null: all are there
	Through *time.Time `json:"through"` // what comes after it is counted when it is asked for; null: nothing was summed up yet
}

func usageStatus(j *job) error {
	return j.withHub(func(a *boot.App) error {
		states, err := a.Store.StatStates(j.ctx)
		if err != nil {
			return err
		}
		var views []usageState
		var rows [][]string
		for p, name := range [store.NumPeriods]string{"15m", "hour", "day", "month"} {
			s := states[p]
			from := s.Filled
			if s.Kept.After(from) {
				from = s.Kept
			}
			v := usageState{Period: name, From: known(from), Through: known(s.Horizon)}
			views = append(views, v)
			rows = append(rows, []string{name, timeOrDash(v.From), timeOrDash(v.Through)})
		}
		return j.show(views, table("PERIOD FROM THROUGH", rows))
	})
}

func known(t time.Time) *time.Time {
	if t.UnixMilli() <= 0 {
		return nil
	}
	return &t
}
