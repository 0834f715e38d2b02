package proxy

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/schedule"
)

// Wire makes the function from an open hub.
func Wire(a *boot.App) http.Handler { return New(deps(a)) }

// Jobs are the function's scheduled jobs. Only their running needs the hub to be
// open, listing them does not.
func Jobs(a *boot.App) []schedule.Job {
	job := schedule.Job{Name: "proxy.probe", Timeout: probeRun, Run: func(ctx context.Context) error {
		if a.Config.Probe == 0 {
			return nil
		}
		if err := a.Fresh(ctx); err != nil {
			return err
		}
		probed := newHandler(deps(a)).probe(ctx, a.Config.Probe)
		return errors.Join(probed, a.Reporter.Report(ctx))
	}}
	if a.Config.Probe > 0 {
		job.Every = time.Minute
	}
	return []schedule.Job{job}
}

func deps(a *boot.App) Deps {
	limits := DefaultLimits
	limits.Total = a.Config.Timeouts.Total
	door := a.HTTP()
	door.Authenticate = a.AuthenticateCall
	return Deps{
		Deps:   door,
		Routes: a.Routes, Gate: a.Gate, Upstream: a.Upstream, CatchUp: a.CatchUp,
		Statuses: a.Statuses, Store: a.Store, Vault: a.Vault, ResponsesTTL: a.Config.ResponsesTTL,
		Limits: limits, PublicModels: a.Config.PublicModels, MountPoint: mountPoint(a.Config.PublicURL), Halt: a.Halting(),
		Cache: CacheSettings(a.Config.Cache), PublicURL: a.Config.PublicURL, Low: a.Shop.Nudge, Fetch: a.Fetch, Blobs: a.Blobs, Jobs: a.Jobs,
	}
}

// mountPoint is the path below which the hub is reached.
func mountPoint(publicURL string) string {
	u, err := url.Parse(publicURL)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(u.Path, "/")
}
