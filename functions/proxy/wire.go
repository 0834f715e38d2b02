package proxy

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/boot"
)

// Wire makes the function from an open hub.
func Wire(a *boot.App) http.Handler {
	limits := DefaultLimits
	limits.Total = a.Config.Timeouts.Total
	return New(Deps{
		Deps:   a.HTTP(),
		Routes: a.Routes, Gate: a.Gate, Upstream: a.Upstream, CatchUp: a.CatchUp,
		Store: a.Store, Vault: a.Vault, ResponsesTTL: a.Config.ResponsesTTL,
		Limits: limits, PublicModels: a.Config.PublicModels, MountPoint: mountPoint(a.Config.PublicURL), Halt: a.Halting(),
		Cache: CacheSettings(a.Config.Cache), PublicURL: a.Config.PublicURL, Fetch: a.Fetch, Blobs: a.Blobs, Jobs: a.Jobs,
	})
}

// mountPoint is the path below which the hub is reached.
func mountPoint(publicURL string) string {
	u, err := url.Parse(publicURL)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(u.Path, "/")
}
