package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/aigne-hub/aigne-hub/functions/console"
	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/identity"
	"github.com/aigne-hub/aigne-hub/shared/schedule"
)

const (
	headerTimeout  = 10 * time.Second
	idleTimeout    = 120 * time.Second
	maxHeaderBytes = 64 << 10
	// settleTime is what handlers whose provider was cut off have to settle: a
	// Blocklet host kills 1.6 s after its signal.
	settleTime = 1500 * time.Millisecond
)

// serve opens the hub and serves until a signal ends it.
func serve(j *job) error {
	cfg, err := j.config()
	if err != nil {
		return err
	}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)

	listener, err := listen(j.ctx, cfg)
	if err != nil {
		return err
	}
	log := j.logger(cfg, true)
	a, err := boot.Open(j.ctx, cfg, boot.Options{Log: log, Env: j.lookup, Migrate: true, Observe: boot.NewObserver(cfg, version, log, time.Now)})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	s := &server{job: j, app: a, log: log, health: &health{app: a}}
	err = s.run(listener, signals)
	return errors.Join(err, closeHub(j.ctx, a))
}

// listen comes before the database, so that a port that is taken leaves no
// trace.
func listen(ctx context.Context, cfg boot.Config) (net.Listener, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Listen)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, hub.Errorf(hub.CodeUnavailable, "the address %s is in use; choose another with --listen or AIGNE_HUB_LISTEN", cfg.Listen)
	}
	if err != nil {
		return nil, hub.Wrap(hub.CodeUnavailable, err, "cannot listen on %s (--listen)", cfg.Listen)
	}
	return listener, nil
}

// server is one hub while it serves.
type server struct {
	*job
	app    *boot.App
	log    *slog.Logger
	health *health
}

func (s *server) run(listener net.Listener, signals <-chan os.Signal) error {
	// The keyring is opened, or made, before anything needs it.
	_, err := s.app.Vault(s.ctx)
	if err = errors.Join(err, s.app.Reload(s.ctx)); err != nil {
		return errors.Join(err, listener.Close())
	}
	beside, err := sides(s.ctx, s.app)
	if err != nil {
		return errors.Join(err, closeSides(beside), listener.Close())
	}
	runner, err := schedule.New(s.app.Noted(jobs(s.app)), schedule.Options{Lease: s.app.JobLease(), Log: s.log})
	if err != nil {
		return errors.Join(err, closeSides(beside), listener.Close())
	}
	s.app.Runner = runner
	background, stop := context.WithCancel(s.ctx)
	defer stop()
	ended := make(chan struct{})
	works := []func(context.Context){s.app.Watch, runner.Serve, s.app.Reporter.Serve, s.app.Shop.Serve, s.app.Observe.Serve}
	for _, b := range beside {
		works = append(works, b.serve)
	}
	if s.app.Host != nil {
		works = append(works, s.app.Host.Serve)
	}
	for _, work := range works {
		go func() {
			work(background)
			ended <- struct{}{}
		}()
	}
	web := &http.Server{
		Handler: compose(s.app, wire(s.app), s.health), ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeaderBytes, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go func() { failed <- web.Serve(listener) }()
	if err = s.greet(listener.Addr().String(), beside); err == nil {
		select {
		case err = <-failed:
		case sig := <-signals:
			s.log.Info("stopping", "signal", sig.String(), "drain", s.app.Config.Drain.String())
			s.drain(web, signals)
		case <-s.ctx.Done():
			s.drain(web, signals)
		}
	}
	stop()
	for range works {
		<-ended
	}
	return errors.Join(err, web.Close())
}

// drain lets open calls finish, then ends them as delivered, gives handlers a
// moment to settle, and cuts the connections. A second signal ends the process at once.
func (s *server) drain(web *http.Server, signals <-chan os.Signal) {
	s.health.draining.Store(true)
	s.app.Leave()
	go func() {
		if sig, ok := <-signals; ok {
			s.log.Warn("ended by a second signal; open calls will be settled as interrupted", "signal", sig.String())
			os.Exit(exitFailed)
		}
	}()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), s.app.Config.Drain)
	defer cancel()
	if err := web.Shutdown(ctx); err == nil {
		return
	}
	s.log.Warn("calls are still open, they are settled as delivered", "after", s.app.Config.Drain.String())
	s.app.Halt()
	if !s.health.idle(settleTime) {
		s.log.Warn("calls are still open; they will be settled as interrupted")
	}
	if err := web.Close(); err != nil {
		s.log.Warn("connections not closed", "error", err)
	}
}

// greeting is what serve prints when it is up.
type greeting struct {
	Version    string `json:"version"`
	Data       string `json:"data"`
	Database   string `json:"database"`
	Listen     string `json:"listen"`
	URL        string `json:"url"`
	SetupToken string `json:"setup_token,omitempty"`
	Metrics    string `json:"metrics,omitempty"`
	Profiles   string `json:"profiles,omitempty"`

	elsewhere bool // people sign in at the Blocklet Server
}

// greet says where the hub is and, while it has no owner, how to become one.
func (s *server) greet(addr string, beside []*side) error {
	cfg := s.app.Config
	g := greeting{Version: version, Data: cfg.Data, Database: cfg.Database, Listen: addr, URL: serverURL(cfg, addr)}
	for _, b := range beside {
		switch b.what {
		case "metrics":
			g.Metrics = "http://" + b.address() + metricsPath
		case "profiles":
			g.Profiles = "http://" + b.address() + "/debug/pprof/"
		}
	}
	token, err := s.app.Users.NewSetupToken(s.ctx)
	if err != nil && !errors.Is(err, identity.ErrHasOwner) && !errors.Is(err, identity.ErrElsewhere) {
		return err
	}
	g.SetupToken, g.elsewhere = token.Reveal(), errors.Is(err, identity.ErrElsewhere)
	return s.show(g, g.words())
}

func (g greeting) words() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("AIGNE Hub %s", g.Version)
	line("Data folder:   %s", g.Data)
	line("Address:       %s", g.URL)
	if g.Metrics != "" {
		line("Metrics:       %s", g.Metrics)
	}
	if g.Profiles != "" {
		line("Profiles:      %s", g.Profiles)
	}
	if g.elsewhere {
		line("Sign-in:       at the Blocklet Server, whose owner is this hub's")
		return b.String()
	}
	if g.SetupToken == "" {
		line("First call:    aigne-hub quickstart --data %s   prints it", g.Data)
		return b.String()
	}
	line("Set-up token:  %s", g.SetupToken)
	line("There is no owner yet. Become it with the token, which works once:")
	if console.Built() {
		line("  %s/setup#token=%s   in a browser, or", g.URL, g.SetupToken)
	}
	line("  curl %s/api/auth/setup -H 'Content-Type: application/json' -d '%s'", g.URL,
		`{"token":"`+g.SetupToken+`","email":"you@example.com","password":"AT-LEAST-10-CHARACTERS"}`)
	line("or without a password: aigne-hub quickstart --data %s   makes owner, provider and key, and prints the first call.", g.Data)
	return b.String()
}
