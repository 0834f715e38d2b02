package usage

import (
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/boot"
)

// Wire makes the function from an open hub.
func Wire(a *boot.App) http.Handler { return New(deps(a)) }

func deps(a *boot.App) Deps {
	d := Deps{Deps: a.HTTP(), Store: a.Store, Routes: a.Routes, PublicModels: a.Config.PublicModels, CreditPrice: a.Config.CreditPrice,
		Book: a.Book, Billing: a.Config.Billing, Stats: a.Stats, Archives: a.Archive, Desk: a.Desk, Blobs: a.Blobs, Vault: a.Vault, PublicURL: a.Config.PublicURL}
	if a.OnLambda() {
		d.MostAnswer = wholeAnswer
	}
	return d
}
