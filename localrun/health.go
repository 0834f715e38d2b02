package main

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// readyTimeout bounds one look at whether the hub can serve.
const readyTimeout = 2 * time.Second

// health says whether the process lives and can serve, and counts what it
// serves.
type health struct {
	app      *boot.App
	draining atomic.Bool  // no new calls are wanted
	quiet    atomic.Bool  // and they are refused
	leaving  atomic.Bool  // connections are to be closed
	open     atomic.Int64 // requests that are being served
	before   atomic.Int64 // those of them that began before leaving
}

func (h *health) routes() []httpkit.Route {
	return []httpkit.Route{
		{Method: "GET", Pattern: "/healthz", Who: httpkit.Anonymous, Handler: alive, Data: httpkit.Common},
		{Method: "GET", Pattern: "/readyz", Who: httpkit.Anonymous, Handler: h.ready, Data: httpkit.Common},
	}
}

func alive(w http.ResponseWriter, _ *http.Request) error {
	return httpkit.WriteJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// ready names what is missing, without the errors themselves: anybody may ask.
func (h *health) ready(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	reasons := []string{}
	look := func(reason string, err error) {
		if err != nil {
			httpkit.Log(ctx).WarnContext(ctx, "not ready", "reason", reason, "error", err)
			reasons = append(reasons, reason)
		}
	}
	if h.draining.Load() {
		reasons = append(reasons, "shutting down")
	}
	if err := h.app.Store.Ready(ctx); err != nil {
		look("the database does not answer", err)
	} else {
		look("the database is not migrated for this version", h.app.Store.CheckSchema(ctx))
		_, err := h.app.Vault(ctx)
		look("the keyring cannot be opened", err)
	}
	if len(reasons) > 0 {
		// The one that is being answered is not among the open ones.
		return httpkit.WriteJSON(w, http.StatusServiceUnavailable, map[string]any{"status": "unavailable", "reasons": reasons, "open": h.open.Load() - 1})
	}
	return httpkit.WriteJSON(w, http.StatusOK, map[string]string{"status": "ready"})
}

// track counts the requests that are being served.
func (h *health) track(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.open.Add(1)
		defer h.open.Add(-1)
		if !h.leaving.Load() {
			h.before.Add(1)
			defer h.before.Add(-1)
		} else if r.ProtoMajor == 1 {
			w.Header().Set("Connection", "close") // so that nobody reuses it as it is closed
		}
		if h.quiet.Load() && !bystander(r.URL.Path) {
			h.refuse(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// idle waits until nothing is being served, for at most limit.
func (h *health) idle(limit time.Duration) bool {
	const look = 5 * time.Millisecond
	for began := time.Now(); h.open.Load() > 0; time.Sleep(look) {
		if time.Since(began) > limit {
			return false
		}
	}
	return true
}

// bystander reports whether a path is for those who watch the process.
func bystander(path string) bool {
	return path == "/healthz" || path == "/readyz" || path == metricsPath
}

// refuse asks the caller to come again: by then another process serves.
func (h *health) refuse(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Connection", "close")
	httpkit.WriteError(w, r, hub.Errorf(hub.CodeUnavailable, "The hub is being stopped. Try again in a moment."), httpkit.JSONError(h.app.Now))
}
