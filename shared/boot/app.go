package boot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/admission"
	"github.com/aigne-hub/aigne-hub/shared/apps"
	"github.com/aigne-hub/aigne-hub/shared/archive"
	"github.com/aigne-hub/aigne-hub/shared/backup"
	"github.com/aigne-hub/aigne-hub/shared/blob"
	"github.com/aigne-hub/aigne-hub/shared/blocklet"
	"github.com/aigne-hub/aigne-hub/shared/capture"
	"github.com/aigne-hub/aigne-hub/shared/credentials"
	"github.com/aigne-hub/aigne-hub/shared/health"
	"github.com/aigne-hub/aigne-hub/shared/hostusers"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/identity"
	"github.com/aigne-hub/aigne-hub/shared/jobs"
	"github.com/aigne-hub/aigne-hub/shared/ledger"
	"github.com/aigne-hub/aigne-hub/shared/limits"
	"github.com/aigne-hub/aigne-hub/shared/mirror"
	"github.com/aigne-hub/aigne-hub/shared/notify"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/outbox"
	"github.com/aigne-hub/aigne-hub/shared/paymentkit"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
	"github.com/aigne-hub/aigne-hub/shared/rollup"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/schedule"
	"github.com/aigne-hub/aigne-hub/shared/selling"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/upstream"
)

// Options are what Open needs beside the configuration.
type Options struct {
	Log *slog.Logger
	Now hub.Now // nil: time.Now
	Env Env     // for providers from the environment; nil: none
	// Observe counts what happens; nil: one of its own.
	Observe *Observer
	// Migrate applies missing migrations; otherwise they are only checked.
	Migrate bool
}

// App is an open hub: what the functions are wired from.
type App struct {
	Config   Config
	Log      *slog.Logger
	Now      hub.Now
	Store    *store.Store
	Keys     *identity.Keys
	Users    *identity.Users
	Sessions *identity.Sessions
	SignIn   *identity.SignIn
	Book     *ledger.Book
	Codes    *selling.Codes
	Shop     *selling.Shop
	Sweeper  *ledger.Sweeper
	Desk     *operator.Desk
	Gate     *admission.Gate
	Upstream *upstream.Client
	Fetch    *upstream.Fetcher
	Blobs    *blob.Keeper
	Jobs     *jobs.Follower
	Health   *health.Board    // what this process sees of targets
	Reporter *health.Reporter // brings it to the database
	Statuses *health.Statuses // what all processes saw
	Notify   *notify.Post
	Keeper   *credentials.Keeper
	Capture  *capture.Recorder // of bodies; nil: none may be kept
	Apps     *apps.Finder
	Roller   *rollup.Roller // sums calls up
	Stats    *rollup.Reader // answers from the sums
	Archive  *archive.Keeper
	Observe  *Observer

	Host *hostusers.Host // nil unless a Blocklet Server's users are the hub's

	// The following are nil unless a Payment Kit sells credits.
	Blocklet *blocklet.Environment
	Kit      *paymentkit.Shop
	Mirror   *mirror.Mirror
	Outbox   *outbox.Reporter

	Runner *schedule.Runner // of the jobs that this process runs; nil: none

	env      Env
	noted    notes
	halting  context.Context
	halt     context.CancelFunc
	leaving  context.Context
	leave    context.CancelFunc
	snapshot atomic.Pointer[routing.Snapshot]
	prices   atomic.Pointer[pricing.Catalogue]
	limits   atomic.Pointer[limits.Set]
	caught   atomic.Int64 // when CatchUp last looked, Unix milliseconds
	checked  atomic.Int64 // when the version was last compared, Unix milliseconds

	mu     sync.Mutex // of loading
	loaded time.Time
	keys   keyStore
}

// Open opens the database and everything above it.
func Open(ctx context.Context, cfg Config, o Options) (*App, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Env == nil {
		o.Env = func(string) (string, bool) { return "", false }
	}
	if err := prepareFolder(cfg); err != nil {
		return nil, err
	}
	if file := cfg.DatabaseFile(); file != "" {
		if err := backup.Unfinished(file); err != nil {
			return nil, err
		}
	}
	s, err := store.Open(ctx, store.Options{URL: cfg.Database, Token: cfg.DatabaseToken, Synchronous: cfg.Synchronous, Now: o.Now, Log: o.Log})
	if err != nil {
		return nil, err
	}
	a := &App{Config: cfg, Log: o.Log, Now: o.Now, Store: s, env: o.Env, Observe: o.Observe}
	if a.Observe == nil {
		a.Observe = NewObserver(cfg, "", o.Log, o.Now)
	}
	a.prices.Store(pricing.OpenCatalogue(o.Now))
	a.halting, a.halt = context.WithCancel(context.Background())
	a.leaving, a.leave = context.WithCancel(a.halting)
	if err := a.schema(ctx, o.Migrate); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	a.Keys = identity.NewKeys(s, o.Now, a.configVersion, cfg.TrustedProxies)
	a.Keys.Noticed = a.noticed
	a.Users = &identity.Users{Store: s}
	a.openDoor()
	a.Book = &ledger.Book{Store: s, Now: o.Now, WelcomeGift: ledger.WelcomeGift{Amount: cfg.Welcome, Life: cfg.WelcomeLife}}
	a.Codes = &selling.Codes{Store: s, Now: o.Now, Vault: a.Vault}
	a.Sweeper = &ledger.Sweeper{Store: s, Log: o.Log}
	a.Desk = &operator.Desk{Store: s, Users: a.Users, Keys: a.Keys, Book: a.Book, Codes: a.Codes, Log: o.Log, Now: o.Now, Vault: a.Vault, CreditPrice: cfg.CreditPrice,
		DefaultMargin: cfg.DefaultMargin, Catalogue: a.Catalogue, Routes: a.Routes, Links: cfg.links(), InvitationLife: cfg.Door.Invitation}
	a.Gate = &admission.Gate{Store: s, Lease: admission.NewLease(s, o.Log), Log: o.Log, Now: o.Now, Reload: a.Reload, Limits: a.limits.Load,
		Settings: admission.Settings{Billing: cfg.Billing, OnAbort: cfg.OnAbort, OnFailure: cfg.OnUpstreamFailure,
			OnEmpty: cfg.EmptyAnswer, DefaultOutput: cfg.DefaultOutput, Slice: cfg.Slice}}
	a.watchHealth()
	if a.Notify, err = a.post(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	a.Desk.Notify = a.Notify
	a.openShop()
	a.Keeper = &credentials.Keeper{Store: s, Tell: a.Notify.Tell, Ask: a.ask, Log: o.Log, Now: o.Now}
	upstreamSettings := upstream.Settings{Connect: cfg.Timeouts.Connect, FirstByte: cfg.Timeouts.FirstByte, Idle: cfg.Timeouts.Idle,
		Attempts: int(cfg.Attempts), Budget: cfg.AttemptsTime, Cooldown: cfg.Cooldown, Hedge: cfg.Hedge, SlowRate: cfg.SlowStream,
		Seen:    a.seen,
		Refused: func(ctx context.Context, r upstream.Refusal) { a.Keeper.Refused(ctx, r) }}
	if t := a.Observe.Traces(); t != nil {
		upstreamSettings.Attempt, upstreamSettings.Send = t.Attempt, t.Send
	}
	a.Upstream = upstream.New(upstreamSettings, o.Now)
	a.observed()
	a.Fetch = upstream.NewFetcher(cfg.FetchAllow)
	a.Apps = &apps.Finder{Store: s, Fetch: a.Fetch.Get, Domain: cfg.AppDomain, Now: o.Now, Log: o.Log}
	a.Blobs = &blob.Keeper{Place: a.place(), Store: s, Life: cfg.BlobLife, Now: o.Now}
	a.Jobs = a.follower()
	a.Archive = a.archive()
	a.Desk.Archive = a.Archive
	a.Roller = &rollup.Roller{Store: s, Archives: a.Archive, Now: o.Now, Log: o.Log, Keep: cfg.StatsLife}
	a.Stats = &rollup.Reader{Store: s, Now: o.Now}
	a.Desk.Stats = a.Stats
	a.openCapture()
	if err := errors.Join(a.openHost(), a.openPayment()); err != nil {
		return nil, errors.Join(err, a.Close(context.WithoutCancel(ctx)))
	}
	return a, nil
}

func (a *App) schema(ctx context.Context, migrate bool) error {
	if !migrate {
		return a.Store.CheckSchema(ctx)
	}
	done, err := a.Store.Migrate(ctx)
	for _, name := range done {
		a.Log.Info("migration applied", "name", name)
	}
	return err
}

// DatabaseFile is the path of an embedded database, "" for others.
func (c Config) DatabaseFile() string {
	path, embedded := strings.CutPrefix(c.Database, "file:")
	if !embedded || strings.HasPrefix(path, ":memory:") {
		return ""
	}
	path, _, _ = strings.Cut(path, "?")
	if plain, err := url.PathUnescape(path); err == nil { // as SQLite reads it
		path = plain
	}
	return path
}

func prepareFolder(cfg Config) error {
	path := cfg.DatabaseFile()
	if path == "" {
		return nil
	}
	const private, privateFile = 0o700, 0o600
	if err := os.MkdirAll(filepath.Dir(path), private); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, privateFile) // SQLite would let others read it
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	return f.Close()
}

// Halting ends once Halt is called.
func (a *App) Halting() context.Context { return a.halting }

// Halt makes every open call settle now, as delivered: the process has little
// time left.
func (a *App) Halt() { a.halt() }

// Leaving ends once Leave is called, or Halt.
func (a *App) Leaving() context.Context { return a.leaving }

// Leave ends what would go on for ever: the process takes no more requests.
func (a *App) Leave() { a.leave() }

// Close settles nothing: callers drain first. It gives the lease back and
// closes the database.
func (a *App) Close(ctx context.Context) error {
	a.Upstream.Close()
	a.Fetch.Close()
	a.Capture.Close(ctx)
	return errors.Join(a.Gate.Lease.Close(ctx), a.Archive.Close(), a.Store.Close())
}

// JobLease claims a job's name across processes.
func (a *App) JobLease() schedule.Lease {
	holder := a.Store.NewID()
	return func(ctx context.Context, name string, ttl time.Duration) (func(), bool, error) {
		ok, err := a.Store.AcquireJob(ctx, name, holder, ttl)
		if err != nil || !ok {
			return nil, false, err
		}
		return func() {
			if err := a.Store.ReleaseJob(context.WithoutCancel(ctx), name, holder); err != nil {
				a.Log.Warn("job lease not released", "job", name, "error", err)
			}
		}, true, nil
	}
}
