package usage

import (
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/boot"
)

// Wire makes the function from an open hub.
func Wire(a *boot.App) http.Handler {
	return New(Deps{Deps: a.HTTP(), Store: a.Store, Routes: a.Routes, PublicModels: a.Config.PublicModels, CreditPrice: a.Config.CreditPrice,
		Book: a.Book, Billing: a.Config.Billing, Stats: a.Stats, Desk: a.Desk})
}
