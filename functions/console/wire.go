package console

import (
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/boot"
)

// Wire makes the function from an open hub.
func Wire(a *boot.App) http.Handler {
	return New(Deps{Log: a.Log, Now: a.Now, Browser: a.Browser(), Blocklet: a.Host != nil})
}
