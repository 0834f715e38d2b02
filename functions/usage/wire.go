package usage

import (
	"context"
	"net/http"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/schedule"
)

// Wire makes the function from an open hub.
func Wire(a *boot.App) http.Handler {
	return New(Deps{Deps: a.HTTP(), Store: a.Store, Routes: a.Routes, PublicModels: a.Config.PublicModels, CreditPrice: a.Config.CreditPrice,
		Book: a.Book, Billing: a.Config.Billing, Stats: a.Stats, Desk: a.Desk})
}

// Jobs are the function's scheduled jobs. Only their running needs the hub to be
// open, listing them does not.
func Jobs(a *boot.App) []schedule.Job {
	return []schedule.Job{
		{Name: "usage.rollup", Every: time.Minute, Timeout: 4 * time.Minute, Run: func(ctx context.Context) error { return a.Roller.Run(ctx) }},
	}
}
