package auth

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
		{Name: "auth.mail", Every: 5 * time.Second, Timeout: 2 * time.Minute, Run: func(ctx context.Context) error { return a.Desk.SendResets(ctx) }},
	}
}
