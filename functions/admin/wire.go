package admin

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/schedule"
)

// Wire makes the function from an open hub.
func Wire(a *boot.App) http.Handler {
	return New(Deps{Deps: a.HTTP(), Store: a.Store, Desk: a.Desk, Routes: a.Routes, Upstream: a.Upstream, Streams: !a.OnLambda(), Leaving: a.Leaving()})
}

// notificationLife is how long notifications are kept.
const notificationLife = 90 * 24 * time.Hour

// Jobs are the function's scheduled jobs. Only their running needs the hub to be
// open, listing them does not.
func Jobs(a *boot.App) []schedule.Job {
	return []schedule.Job{
		// In this order: what has just been noticed is delivered in the same run.
		{Name: "admin.notify", Every: 10 * time.Second, Timeout: 2 * time.Minute, Run: func(ctx context.Context) error {
			watched := a.Notify.Watch(ctx)
			return errors.Join(watched, a.Notify.Deliver(ctx))
		}},
		{Name: "admin.forget", Every: 10 * time.Minute, Run: func(ctx context.Context) error {
			return errors.Join(a.Store.ForgetNotifications(ctx, notificationLife), a.Store.ForgetStatuses(ctx))
		}},
	}
}
