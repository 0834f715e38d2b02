package admin

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
		// The first question after a refusal is due after 5 s.
		{Name: "admin.recheck", Every: 5 * time.Second, Timeout: 4 * time.Minute, Run: func(ctx context.Context) error { return a.Keeper.Recheck(ctx) }},
	}
}
