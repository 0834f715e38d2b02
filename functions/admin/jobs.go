package admin

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/schedule"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// notificationLife is how long notifications are kept.
const notificationLife = 90 * 24 * time.Hour

// Jobs are the function's scheduled jobs. Only their running needs the hub to be
// open, listing them does not.
func Jobs(a *boot.App) []schedule.Job {
	return []schedule.Job{
		// In this order: what has just been noticed is delivered in the same run.
		{Name: "admin.notify", Every: 10 * time.Second, Timeout: 2 * time.Minute, Run: func(ctx context.Context) error {
			fresh := a.Fresh(ctx)
			offered := sync.OnceValue(func() func(string, string, hub.CallType) bool { return a.Routes().Offers() })
			watched := a.Notify.Watch(ctx, func(m store.ModelStatus) bool { return offered()(m.Provider, m.Model, m.Type) })
			fallen := a.Notify.Wallets(ctx, a.Gate.Settings.PaymentLink)
			return errors.Join(fresh, watched, fallen, a.Notify.Deliver(ctx))
		}},
		{Name: "admin.alerts", Every: time.Minute, Timeout: 2 * time.Minute, Run: func(ctx context.Context) error { return a.Watcher().Run(ctx) }},
		{Name: "admin.forget", Every: 10 * time.Minute, Run: func(ctx context.Context) error {
			return errors.Join(a.Store.ForgetNotifications(ctx, notificationLife), a.Store.ForgetStatuses(ctx), a.Store.ForgetAlerts(ctx, notificationLife), forgetPayloads(ctx, a.Store))
		}},
		// What triggers record, money that moved above all, joins the chain.
		{Name: "admin.audit", Every: time.Minute, Run: func(ctx context.Context) error { return a.Store.LinkAudit(ctx) }},
		{Name: "admin.audit-verify", Every: 24 * time.Hour, Timeout: 10 * time.Minute, Run: func(ctx context.Context) error { return a.Desk.WatchAudit(ctx) }},
		// Where a rotation of the vault's keys was interrupted, it goes on.
		{Name: "admin.vault", Every: time.Hour, Timeout: 10 * time.Minute, Run: func(ctx context.Context) error {
			_, err := a.Rotator().Finish(ctx)
			return err
		}},
		// Prices planned for a time hold from then on, or a few seconds later.
		{Name: "admin.rates", Every: 10 * time.Second, Timeout: time.Minute, Run: func(ctx context.Context) error { return a.Desk.TurnRates(ctx) }},
		{Name: "admin.prices", Every: time.Hour, Timeout: 4 * time.Minute, Run: func(ctx context.Context) error {
			return errors.Join(a.Desk.KeepWatchOnCatalogue(ctx), a.Fresh(ctx), a.Desk.WatchRates(ctx))
		}},
		{Name: "admin.apps", Every: 5 * time.Minute, Timeout: 4 * time.Minute, Run: func(ctx context.Context) error { return a.Apps.Run(ctx) }},
		// The first question after a refusal is due after 5 s.
		{Name: "admin.recheck", Every: 5 * time.Second, Timeout: 4 * time.Minute, Run: func(ctx context.Context) error { return a.Keeper.Recheck(ctx) }},
	}
}
