package usage

import (
	"context"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/schedule"
)

// Jobs are the function's scheduled jobs. Only their running needs the hub to be
// open, listing them does not.
func Jobs(a *boot.App) []schedule.Job {
	return []schedule.Job{
		{Name: "usage.exports", Every: 10 * time.Second, Timeout: 10 * time.Minute, Run: func(ctx context.Context) error {
			return (&handler{Deps: deps(a)}).writer().run(ctx)
		}},
	}
}
