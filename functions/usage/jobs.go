package usage

import (
	"context"
	"errors"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/archive"
	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/schedule"
)

// Jobs are the function's scheduled jobs. Only their running needs the hub to be
// open, listing them does not.
func Jobs(a *boot.App) []schedule.Job {
	return []schedule.Job{
		{Name: "usage.rollup", Every: time.Minute, Timeout: 4 * time.Minute, Run: func(ctx context.Context) error { return a.Roller.Run(ctx) }},
		{Name: "usage.exports", Every: 10 * time.Second, Timeout: 10 * time.Minute, Run: func(ctx context.Context) error {
			return (&handler{Deps: deps(a)}).writer().run(ctx)
		}},
		// Each run goes on where the one before ended, a few minutes at a time.
		{Name: "usage.archive", Every: time.Hour, Timeout: 4 * time.Minute, Run: func(ctx context.Context) error {
			if !a.Archive.Ready() {
				return ctx.Err()
			}
			const margin = 10 * time.Second // to write down how it ended
			if end, ok := ctx.Deadline(); ok {
				limited, cancel := context.WithDeadline(ctx, end.Add(-margin))
				defer cancel()
				ctx = limited
			}
			_, err := a.Archive.Run(ctx, "job")
			if errors.Is(err, archive.ErrBusy) {
				return nil // somebody does it by hand
			}
			return err
		}},
	}
}
