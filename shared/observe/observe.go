// Package observe counts what the hub does and shows it: figures for Prometheus and
// OpenTelemetry, and traces. It stands beside the hub's way: it is told what has
// happened and decides nothing. No user, key or text of a caller is in a label.
package observe

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/ledger"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/telemetry/meter"
)

// other stands in a label for what is not configured, none for what there was not.
const (
	other = "other"
	none  = "none"
)

// Hub is what figures are looked up in when somebody reads them.
type Hub struct {
	Store *store.Store
	// Routes is the configuration, by which models have names of their own in labels.
	Routes func() *routing.Snapshot
	// RestsUntil is when a credential that cools down, for one model at least, may be
	// used again for all.
	RestsUntil func(*routing.Provider, routing.Credential) time.Time
	// OpenBreakers lists targets that are asked last because they fail.
	OpenBreakers func() [][2]string
}

// Set is what one process counts.
type Set struct {
	Registry *meter.Registry

	now     hub.Now
	version string
	started time.Time
	hub     atomic.Pointer[Hub]
	traces  *Traces // nil: none are made

	calls    callFigures
	requests requestFigures
	jobs     jobFigures
	attempts *meter.Counters
	faults   *meter.Counters

	inFlight atomic.Int64
	offered  atomic.Pointer[offering]

	backlogMu sync.Mutex
	backlog   backlog
	looked    time.Time
	missed    *meter.Counter
}

// New makes a Set. traces may be nil.
func New(now hub.Now, version string, traces *Traces) *Set {
	r := &meter.Registry{}
	s := &Set{Registry: r, now: now, version: version, started: now(), traces: traces}
	s.calls.init(r)
	s.requests.init(r)
	s.jobs.init(r)
	s.attempts = r.Counters(meter.Desc{Name: "aigne_hub_provider_attempts_total", Labels: []string{"provider", "outcome"},
		Help: "Attempts at providers by how they ended: ok or the category of the error."})
	s.faults = r.Counters(meter.Desc{Name: "aigne_hub_call_errors_total", Labels: []string{"provider", "category"},
		Help: "Calls that did not succeed, by the category of the error."})
	s.missed = r.Counters(meter.Desc{Name: "aigne_hub_scrape_misses_total", Help: "Readings that went without figures of the database, because it did not answer."}).With()
	r.OnRead(s.process)
	r.OnRead(s.lookUp)
	return s
}

// Open gives the Set what it looks figures up in.
func (s *Set) Open(h Hub) { s.hub.Store(&h) }

// Watch is how requests are counted, and traced where traces are made.
func (s *Set) Watch() httpkit.Watch { return httpkit.Watch{Begin: s.begin, End: s.end} }

// Traces are the traces that are made, nil for none.
func (s *Set) Traces() *Traces { return s.traces }

// routes is the configuration, nil before the hub is open.
func (s *Set) routes() *routing.Snapshot {
	h := s.hub.Load()
	if h == nil || h.Routes == nil {
		return nil
	}
	return h.Routes()
}

// lookTimeout bounds what one reading waits for the database, and fresh is how long
// what it said is shown.
const (
	lookTimeout = 2 * time.Second
	fresh       = time.Second
)

// backlog is what the database says of the hub at a moment.
type backlog struct {
	store.Backlog
	verified ledger.Verified
	ok       bool // there was a verification
	alerts   []store.Alert
}

// waiting is what waits in the database, looked up at most once a second.
func (s *Set) waiting(ctx context.Context, h *Hub) (backlog, bool) {
	s.backlogMu.Lock()
	defer s.backlogMu.Unlock()
	if now := time.Now(); now.Sub(s.looked) >= fresh {
		ctx, cancel := context.WithTimeout(ctx, lookTimeout)
		defer cancel()
		b, err := read(ctx, h.Store)
		if err != nil {
			s.missed.Add(1)
			return b, false
		}
		s.backlog, s.looked = b, now
	}
	return s.backlog, true
}

func read(ctx context.Context, s *store.Store) (b backlog, err error) {
	if b.Backlog, err = s.Backlog(ctx); err != nil {
		return b, err
	}
	if b.verified, b.ok, err = ledger.LastVerified(ctx, s); err != nil {
		return b, err
	}
	b.alerts, err = s.OpenAlerts(ctx)
	return b, err
}
