package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/schedule"
)

const (
	headerTimeout  = 10 * time.Second
	idleTimeout    = 120 * time.Second
	maxHeaderBytes = 64 << 10
	// settleTime is what handlers whose provider was cut off have to settle.
	settleTime = 1500 * time.Millisecond
	// doorTime is what a request has to begin on a connection that was just taken.
	doorTime = 50 * time.Millisecond
	// hostLimit is how long a Blocklet Server's signal lets calls go on: it kills 1.6 s
	// later, and those that should have finished did so in its hook before the stop.
	hostLimit = 100 * time.Millisecond
)

// serve opens the hub and serves until a signal ends it.
func serve(j *job) error {
	cfg, err := j.config()
	if err != nil {
		return err
	}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, sigQuiet, sigHandOver)
	defer signal.Stop(signals)
	if cfg.TLS.Cert != "" { // else a closed terminal ends the process, as ever
		signal.Notify(signals, sigReload)
	}
	given, err := takeOver(j.lookup, os.Getpid())
	if err != nil {
		return err
	}
	listener, err := listen(j.ctx, given, cfg)
	if err != nil {
		return err
	}
	log := j.logger(cfg, true)
	a, err := boot.Open(j.ctx, cfg, boot.Options{Log: log, Env: j.lookup, Migrate: true, Observe: boot.NewObserver(cfg, version, log, time.Now)})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	s := &server{job: j, app: a, log: log, health: &health{app: a}, given: given}
	err = s.run(listener, signals)
	return errors.Join(err, closeHub(j.ctx, a))
}

// listen comes before the database, so that a port that is taken leaves no
// trace.
func listen(ctx context.Context, given handover, cfg boot.Config) (net.Listener, error) {
	listener, err := given.listen(ctx, listenHub, cfg.Listen)
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
	given  handover

	web      *http.Server
	listener net.Listener
	shut     chan struct{} // closed when no connections are taken any more, and
	failed   error         // why
	cert     *certificate  // nil unless from files
	presence *presence
}

func (s *server) run(listener net.Listener, signals <-chan os.Signal) error {
	// The keyring is opened, or made, before anything needs it.
	_, err := s.app.Vault(s.ctx)
	if err = errors.Join(err, s.app.Reload(s.ctx)); err != nil {
		return errors.Join(err, listener.Close())
	}
	beside, err := sides(s.ctx, s.given, s.app)
	if err = errors.Join(err, s.given.rest(), s.prepare(listener)); err != nil {
		return errors.Join(err, closeSides(beside), listener.Close())
	}
	runner, err := schedule.New(s.app.Noted(jobs(s.app)), schedule.Options{Lease: s.app.JobLease(), Log: s.log})
	if err != nil {
		return errors.Join(err, s.presence.leave(), closeSides(beside), listener.Close())
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
	s.listener, s.shut = listener, make(chan struct{})
	go s.accept()
	if err = s.greet(listener.Addr().String(), beside); err == nil {
		err = s.attend(beside, signals)
	}
	stop()
	for range works {
		<-ended
	}
	return errors.Join(err, s.web.Close(), s.presence.leave())
}

// prepare makes the server and lets commands find it.
func (s *server) prepare(listener net.Listener) error {
	conf, cert, err := encrypt(s.app.Config, s.log, s.app.Now)
	if err != nil {
		return err
	}
	s.cert = cert
	s.web = &http.Server{
		Handler: compose(s.app, wire(s.app), s.health), ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, TLSConfig: conf,
		MaxHeaderBytes: maxHeaderBytes, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	if s.presence, err = announce(s.app.Config.Data, listener.Addr().String()); err != nil {
		// As with a database server and a disk that cannot be written.
		s.log.Warn("commands will not find this hub (drain)", "error", err)
		s.presence = &presence{}
	}
	return nil
}

// accept takes connections until the listener is closed.
func (s *server) accept() {
	defer close(s.shut)
	if s.web.TLSConfig != nil {
		s.failed = s.web.ServeTLS(s.listener, "", "")
		return
	}
	s.failed = s.web.Serve(s.listener)
}

// shutDoor takes no more connections, and waits until the requests on those just
// taken have begun: [http.Server.Shutdown] drops a request that it meets before its
// handler, and the caller would see a connection cut. A door that is shut costs nothing.
func (s *server) shutDoor() {
	select {
	case <-s.shut:
		return
	default:
	}
	_ = s.listener.Close() // Serve closes it once more
	<-s.shut
	time.Sleep(doorTime)
}

// attend serves until a signal ends it or another process has taken over.
func (s *server) attend(beside []*side, signals <-chan os.Signal) error {
	if err := errors.Join(s.given.serving(), notifySystemd(s.lookup, "READY=1")); err != nil {
		return err
	}
	for {
		select {
		case <-s.shut:
			return s.failed
		case <-s.ctx.Done():
			s.drain(signals)
			return nil
		case sig := <-signals:
			switch sig {
			case sigReload:
				s.cert.reload()
			case sigQuiet:
				go s.fallQuiet()
			case sigHandOver:
				pid, err := s.handOver(s.listener, beside)
				if err != nil {
					s.log.Error("not handed over, this process goes on", "error", err)
					continue
				}
				s.log.Info("handed over", "to", pid)
				s.tellSystemd("MAINPID=" + strconv.Itoa(pid))
				s.lame(s.ctx)
				s.drain(signals)
				return nil
			default:
				s.log.Info("stopping", "signal", sig.String(), "drain", s.app.Config.Drain.String())
				s.tellSystemd("STOPPING=1")
				s.drain(signals)
				return nil
			}
		}
	}
}

// fallQuiet lets open calls finish and refuses others, while the process stays: whoever
// keeps it alive will stop it next.
func (s *server) fallQuiet() {
	if s.health.quiet.Swap(true) {
		return
	}
	s.log.Info("draining before the stop", "drain", s.app.Config.Drain.String())
	s.health.draining.Store(true)
	s.health.leaving.Store(true)
	s.app.Leave()
	halted := !s.health.idle(s.app.Config.Drain)
	if halted {
		s.log.Warn("calls are still open, they are settled as delivered", "after", s.app.Config.Drain.String())
		s.app.Halt()
		s.health.idle(settleTime)
	}
	if err := s.presence.quiet(halted); err != nil {
		s.log.Warn("that this hub is quiet cannot be told", "error", err)
	}
}

// drain lets open calls finish, then ends them as delivered, gives handlers a
// moment to settle, and cuts the connections. A second signal to stop ends the
// process at once.
func (s *server) drain(signals <-chan os.Signal) {
	s.health.draining.Store(true)
	s.app.Leave()
	go func() {
		for sig := range signals {
			if sig == os.Interrupt || sig == syscall.SIGTERM {
				s.log.Warn("ended by a second signal; open calls will be settled as interrupted", "signal", sig.String())
				os.Exit(exitFailed)
			}
		}
	}()
	limit, settle := s.app.Config.Drain, settleTime
	if did, _ := s.lookup("BLOCKLET_COMPONENT_DID"); did != "" {
		limit, settle = min(limit, hostLimit), settleTime-3*hostLimit
	}
	s.shutDoor()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), limit)
	defer cancel()
	if err := s.web.Shutdown(ctx); err == nil {
		return
	}
	s.log.Warn("calls are still open, they are settled as delivered", "after", limit.String())
	s.app.Halt()
	if !s.health.idle(settle) {
		s.log.Warn("calls are still open; they will be settled as interrupted")
	}
	if err := s.web.Close(); err != nil {
		s.log.Warn("connections not closed", "error", err)
	}
}
