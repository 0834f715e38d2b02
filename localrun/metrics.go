package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/telemetry/meter"
)

const metricsPath = "/metrics"

// metrics serves what the hub counts, for Prometheus.
func metrics(a *boot.App, who httpkit.Who) http.Handler {
	rt := httpkit.Route{Method: "GET", Pattern: metricsPath, Who: who, Data: httpkit.Common,
		Handler: func(w http.ResponseWriter, r *http.Request) error {
			w.Header().Set("Content-Type", meter.ContentType)
			w.Header().Set("Cache-Control", "no-store")
			_, _ = w.Write(meter.Prometheus(nil, a.Observe.Registry.Read(r.Context()))) // who left asks again
			return nil
		}}
	if who != httpkit.Anonymous {
		rt.Scope, rt.Data = hub.ScopeAdmin, httpkit.All
	}
	d := a.HTTP()
	d.Watch = httpkit.Watch{} // those who look are not what is looked at
	d.Access = httpkit.AccessErrors
	return httpkit.Mux([]httpkit.Route{rt}, d)
}

// profiles serves Go's profiles to the machine itself. A page in a browser that had
// its own name resolved to this machine gets nothing.
func profiles() http.Handler {
	mux := http.NewServeMux()
	for pattern, serve := range map[string]http.HandlerFunc{
		"/debug/pprof/": pprof.Index, "/debug/pprof/profile": pprof.Profile, "/debug/pprof/cmdline": pprof.Cmdline,
		"/debug/pprof/symbol": pprof.Symbol, "/debug/pprof/trace": pprof.Trace,
	} {
		mux.HandleFunc("GET "+pattern, serve)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if ip, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !ip.IsLoopback()) {
			http.Error(w, "ask this machine by its loopback address", http.StatusMisdirectedRequest)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// side is a listener beside the hub's own.
type side struct {
	what     string
	listener net.Listener
	server   *http.Server
}

// sides opens the listeners beside the hub's own.
func sides(ctx context.Context, given handover, a *boot.App) (all []*side, err error) {
	for _, s := range []struct {
		what, address string
		handler       func() http.Handler
	}{
		{listenMetrics, a.Config.MetricsListen, func() http.Handler { return metrics(a, httpkit.Anonymous) }},
		{listenProfiles, a.Config.Profiles, profiles},
	} {
		if s.address == "" {
			continue
		}
		listener, err := given.listen(ctx, s.what, s.address)
		if err != nil {
			return all, hub.Wrap(hub.CodeUnavailable, err, "cannot listen on %s for %s", s.address, s.what)
		}
		all = append(all, &side{s.what, listener, &http.Server{Handler: s.handler(), ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout}})
	}
	return all, nil
}

// serve serves until ctx ends.
func (s *side) serve(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() { _ = s.server.Close() }) // whoever still reads figures has had enough
	defer stop()
	_ = s.server.Serve(s.listener) // it ends by Close
}

func (s *side) address() string { return s.listener.Addr().String() }

// closeSides closes listeners that nothing serves.
func closeSides(all []*side) error {
	var err error
	for _, s := range all {
		err = errors.Join(err, s.listener.Close())
	}
	return err
}
