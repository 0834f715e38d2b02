package admin

import (
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/schedule"
)

// Wire makes the function from an open hub.
func Wire(a *boot.App) http.Handler {
	return New(Deps{
		Deps: a.HTTP(), Store: a.Store, Desk: a.Desk, Routes: a.Routes, Probe: a.Upstream.Probe,
		Upstream: a.Upstream, Capture: a.Capture, Settings: a.Config.Effective, Streams: !a.OnLambda(), Leaving: a.Leaving(),
		Billing: a.Config.Billing, System: systemOf(a), Rotator: a.Rotator, Runner: func() *schedule.Runner { return a.Runner },
	})
}
