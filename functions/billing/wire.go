package billing

import (
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/schedule"
)

// Wire makes the function from an open hub.
func Wire(a *boot.App) http.Handler {
	return New(Deps{
		Deps:  a.HTTP(),
		Store: a.Store, Book: a.Book, Desk: a.Desk, Codes: a.Codes, Shop: a.Shop, Routes: a.Routes, PublicModels: a.Config.PublicModels,
		Billing: a.Config.Billing, PaymentLink: a.Gate.Settings.PaymentLink, PublicURL: a.Config.PublicURL,
		Mirror: a.Mirror, Blocklet: a.Blocklet,
	})
}

// Jobs are the function's scheduled jobs. Only their running needs the hub to be
// open, listing them does not.
func Jobs(a *boot.App) []schedule.Job {
	return scheduled(func() worker {
		return worker{Sweeper: a.Sweeper, Book: a.Book, Jobs: a.Jobs, Blobs: a.Blobs, Fresh: a.Fresh, Log: a.Log, Tell: a.Notify.Tell,
			Kit: a.Kit, Mirror: a.Mirror, Outbox: a.Outbox,
			Shop:      a.Shop,
			CacheRoom: a.Config.Cache.Size / 10 * 9} // new answers find room until the next run
	})
}
