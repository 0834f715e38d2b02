package boot

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/lambdahttp"
	"github.com/aigne-hub/aigne-hub/shared/openapi"
	"github.com/aigne-hub/aigne-hub/shared/schedule"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/telemetry"
)

const (
	// openLimit leaves a function the time to say that its database is away.
	openLimit = 10 * time.Second
	// lambdaMargin is the time a call has to be settled in before the sandbox is
	// killed (money.md §5.5).
	lambdaMargin = 10 * time.Second
)

// Lambda is the main of a function on AWS Lambda and never returns. It takes its
// settings from the environment; a bad one ends the process, with the reason in
// the log. The hub is opened by the first event that needs it, with its schema
// checked, not migrated; a failure answers that event with 503 and the next one
// tries again. Each request begins with a look at the configuration's version.
// /healthz, /readyz and /openapi.json are answered here.
//
// jobs may be nil. It is also called with an App that is not open, to learn the
// jobs' names: only their running may use what is in it.
func Lambda(wire func(*App) http.Handler, jobs func(*App) []schedule.Job) {
	lambdaMain(&lazy{wire: wire, jobs: jobs})
}

// Events answers events of Lambda that are neither HTTP nor a schedule.
type Events func(ctx context.Context, event json.RawMessage) (any, error)

// LambdaEvents is Lambda for a function that answers such events only, an authorizer
// for example. An event that comes while the hub cannot be opened fails.
func LambdaEvents(wire func(*App) Events) {
	none := func(a *App) http.Handler { return httpkit.Mux(nil, httpkit.Deps{Log: a.Log, Now: a.Now}) }
	lambdaMain(&lazy{wire: none, events: wire})
}

func lambdaMain(l *lazy) {
	store.TuneProcess()
	env, environ, err := parameters(context.Background(), os.LookupEnv, os.Environ(), time.Now)
	var cfg Config
	if err == nil {
		cfg, err = Load(env, environ, nil)
	}
	if err != nil {
		telemetry.NewLogger(os.Stderr, telemetry.FormatJSON, slog.LevelInfo).Error("the settings are refused", "error", err)
		os.Exit(1)
	}
	l.observe = NewObserver(cfg, os.Getenv("AWS_LAMBDA_FUNCTION_VERSION"), telemetry.NewLogger(os.Stderr, cfg.LogFormat, cfg.LogLevel), time.Now)
	l.cfg, l.env, l.log, l.now = cfg, env, telemetry.NewLogger(os.Stderr, cfg.LogFormat, cfg.LogLevel), time.Now
	var other Events
	if l.events != nil {
		other = l.event
	}
	lambdahttp.Start(l.handler(), l.proxies(), lambdahttp.Options{
		Other:  other,
		Stream: true, // of Function URLs, which only the streaming function has
		Margin: lambdaMargin, Lease: l.lease, Log: l.log,
	})
}

// lazy is a hub that opens when it is first needed.
type lazy struct {
	cfg  Config
	env  Env
	log  *slog.Logger
	now  hub.Now
	wire func(*App) http.Handler
	jobs func(*App) []schedule.Job

	events func(*App) Events // nil: none are answered

	observe *Observer // nil: one of the hub's own

	document http.Handler // what describes the hub

	mu  sync.Mutex
	hub *opened
}

// opened is an open hub and what was made from it.
type opened struct {
	app     *App
	handler http.Handler
	jobs    []schedule.Job
	events  Events
	lease   schedule.Lease
}

// get returns the hub, opening it if it is not. Nothing is kept of a failure.
func (l *lazy) get(ctx context.Context) (*opened, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.hub != nil {
		return l.hub, nil
	}
	ctx, cancel := context.WithTimeout(ctx, openLimit)
	defer cancel()
	app, err := l.open(ctx)
	if err != nil {
		return nil, unopened(err)
	}
	o := &opened{app: app, handler: l.wire(app), lease: app.JobLease()}
	if l.jobs != nil {
		o.jobs = app.Noted(l.jobs(app))
		if app.Runner, err = schedule.New(o.jobs, schedule.Options{Lease: o.lease, Log: l.log}); err != nil {
			return nil, errors.Join(err, app.Close(context.WithoutCancel(ctx)))
		}
	}
	if l.events != nil {
		o.events = l.events(app)
	}
	l.hub = o
	return o, nil
}

func (l *lazy) open(ctx context.Context) (*App, error) {
	app, err := Open(ctx, l.cfg, Options{Log: l.log, Now: l.now, Env: l.env, Observe: l.observe})
	if err != nil {
		return nil, err
	}
	if err := app.Reload(ctx); err != nil {
		return nil, errors.Join(err, app.Close(context.WithoutCancel(ctx)))
	}
	return app, nil
}

func unopened(err error) error {
	if errors.Is(err, store.ErrSchema) {
		return hub.Wrap(hub.CodeUnavailable, err, "The hub's database is not set up for this version. Its operator has to run `aigne-hub migrate`.")
	}
	return hub.Wrap(hub.CodeUnavailable, err, "The hub cannot open its database now; please try again.")
}

// handler serves what the function serves, and what every process does.
func (l *lazy) handler() http.Handler {
	l.document = httpkit.Mux([]httpkit.Route{openapi.Route(l.cfg.PublicURL)}, httpkit.Deps{Log: slog.New(slog.DiscardHandler), Now: l.now})
	d := httpkit.Deps{Log: l.log, Now: l.now, Access: l.cfg.AccessLog}
	if l.observe == nil {
		return httpkit.Observe(http.HandlerFunc(l.serve), d)
	}
	d.Watch = l.observe.Watch()
	watched := httpkit.Observe(http.HandlerFunc(l.serve), d)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer l.observe.afterwards(r.Context()) // the sandbox freezes once this returns
		watched.ServeHTTP(w, r)
	})
}

func (l *lazy) serve(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/healthz":
		l.write(w, r, http.StatusOK, map[string]string{"status": "ok"})
		return
	case "/readyz":
		l.ready(w, r)
		return
	case openapi.Path:
		l.document.ServeHTTP(w, r)
		return
	}
	o, err := l.get(r.Context())
	if err != nil {
		l.fail(w, r, err)
		return
	}
	if err := o.app.FreshFor(r); err != nil {
		httpkit.Log(r.Context()).Warn("configuration not refreshed", "error", err)
	}
	// No ticker runs while the sandbox is frozen, so what was seen is stored here.
	defer o.app.Reporter.Due(r.Context())
	defer o.app.Capture.Flush(r.Context())
	o.handler.ServeHTTP(w, r)
}

// event answers what is neither HTTP nor a schedule, with the configuration as it is
// now: what was revoked a moment ago is.
func (l *lazy) event(ctx context.Context, raw json.RawMessage) (any, error) {
	o, err := l.get(ctx)
	if err != nil {
		return nil, err
	}
	if err := o.app.refresh(ctx); err != nil {
		return nil, hub.Wrap(hub.CodeUnavailable, err, "The hub's database does not answer.")
	}
	return o.events(ctx, raw)
}

// ready says whether the function can serve, and what is missing without the
// errors themselves: anybody may ask.
func (l *lazy) ready(w http.ResponseWriter, r *http.Request) {
	reason, err := l.lacks(r.Context())
	if err == nil {
		l.write(w, r, http.StatusOK, map[string]string{"status": "ready"})
		return
	}
	httpkit.NoteError(r.Context(), err)
	l.write(w, r, http.StatusServiceUnavailable, map[string]any{"status": "unavailable", "reasons": []string{reason}})
}

func (l *lazy) lacks(ctx context.Context) (reason string, err error) {
	o, err := l.get(ctx)
	switch {
	case errors.Is(err, store.ErrSchema):
		return "the database is not migrated for this version", err
	case err != nil:
		return "the hub cannot be opened", err
	}
	if err := o.app.Store.Ready(ctx); err != nil {
		return "the database does not answer", err
	}
	_, err = o.app.Vault(ctx)
	return "the keyring cannot be opened", err
}

func (l *lazy) write(w http.ResponseWriter, r *http.Request, status int, v any) {
	if err := httpkit.WriteJSON(w, status, v); err != nil {
		l.fail(w, r, err)
	}
}

func (l *lazy) fail(w http.ResponseWriter, r *http.Request, err error) {
	httpkit.NoteError(r.Context(), err)
	httpkit.WriteError(w, r, err, httpkit.JSONError(l.now))
}

// proxies are the jobs under their own names, opening the hub when they run.
func (l *lazy) proxies() []schedule.Job {
	if l.jobs == nil {
		return nil
	}
	out := l.jobs(&App{})
	for i := range out {
		out[i].Run = func(ctx context.Context) error {
			o, err := l.get(ctx)
			if err != nil {
				return err
			}
			if l.observe != nil {
				defer l.observe.afterwards(ctx)
			}
			return o.jobs[i].Run(ctx)
		}
	}
	return out
}

// lease claims a job through the hub's database.
func (l *lazy) lease(ctx context.Context, name string, ttl time.Duration) (func(), bool, error) {
	o, err := l.get(ctx)
	if err != nil {
		return nil, false, err
	}
	return o.lease(ctx, name, ttl)
}
