// Package capture keeps bodies of requests and answers for those who look into
// calls: by rule, for a sample of them, without secrets, sealed, and for a while.
// It works beside calls, never in their way: what there is no room or time for is
// dropped and counted.
package capture

import (
	"hash/fnv"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"context"
	"log/slog"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/vault"
)

// The parts of a call that a rule keeps.
const (
	Both     = "both"
	Request  = "request"
	Response = "response"
)

// Settings bound what is kept.
type Settings struct {
	Body   int           // bytes of a body, after redaction
	Life   time.Duration // how long
	Memory int64         // bytes of all bodies that are being taken or wait to be stored
}

// Stats count since the process began.
type Stats struct {
	Kept    int64 `json:"kept"`    // calls whose bodies were stored
	Dropped int64 `json:"dropped"` // calls whose bodies there was no room for
	Failed  int64 `json:"failed"`  // calls whose bodies could not be sealed or stored
	Bytes   int64 `json:"bytes"`   // in memory now
}

// Recorder keeps bodies. A nil Recorder keeps none.
type Recorder struct {
	store    *store.Store
	vault    func(context.Context) (*vault.Keyring, error)
	log      *slog.Logger
	now      hub.Now
	settings Settings

	rules   atomic.Pointer[[]store.CaptureRule] // nil: nothing is kept
	queue   chan *Take
	memory  atomic.Int64
	kept    atomic.Int64
	dropped atomic.Int64
	failed  atomic.Int64

	turn    sync.Mutex // of storing
	working atomic.Bool
	done    sync.WaitGroup
}

// waiting is how many calls wait to be stored at most.
const waiting = 1024

// New makes a recorder without rules.
func New(s *store.Store, ring func(context.Context) (*vault.Keyring, error), log *slog.Logger, now hub.Now, settings Settings) *Recorder {
	return &Recorder{store: s, vault: ring, log: log, now: now, settings: settings, queue: make(chan *Take, waiting)}
}

// Follow takes rules over: the most specific first (key, user, application), among
// equals the oldest.
func (r *Recorder) Follow(rules []store.CaptureRule) {
	if r == nil {
		return
	}
	if len(rules) == 0 {
		r.rules.Store(nil)
		return
	}
	sorted := slices.Clone(rules)
	slices.SortStableFunc(sorted, func(a, b store.CaptureRule) int { return rank(b) - rank(a) })
	r.rules.Store(&sorted)
}

func rank(c store.CaptureRule) (n int) {
	for i, id := range []string{c.AppID, c.UserID, c.KeyID} {
		if id != "" {
			n += 1 << i
		}
	}
	return n
}

// Stats counts what became of calls in this process.
func (r *Recorder) Stats() Stats {
	if r == nil {
		return Stats{}
	}
	return Stats{Kept: r.kept.Load(), Dropped: r.dropped.Load(), Failed: r.failed.Load(), Bytes: r.memory.Load()}
}

// Take begins to keep a call if a rule wants it; else it returns nil, which keeps
// nothing. The first rule that fits the caller decides.
func (r *Recorder) Take(c *hub.Caller, callID string) *Take {
	if r == nil {
		return nil
	}
	rules := r.rules.Load()
	if rules == nil {
		return nil
	}
	for i := range *rules {
		rule := &(*rules)[i]
		if fits(rule.KeyID, c.KeyID) && fits(rule.UserID, c.UserID) && fits(rule.AppID, c.AppID) {
			if !sampled(callID, rule.Permille) {
				return nil
			}
			return &Take{r: r, rule: rule, callID: callID, userID: c.UserID, at: r.now()}
		}
	}
	return nil
}

func fits(want, is string) bool { return want == "" || want == is }

// sampled decides by the call's id, so that it can be told later.
func sampled(callID string, permille int64) bool {
	h := fnv.New32a()
	_, _ = h.Write([]byte(callID)) // never fails
	return int64(h.Sum32()%1000) < permille
}

// room reserves memory for bodies.
func (r *Recorder) room(n int64) bool {
	if r.memory.Add(n) > r.settings.Memory {
		r.memory.Add(-n)
		return false
	}
	return true
}

// put hands a call over to be stored.
func (r *Recorder) put(t *Take) {
	select {
	case r.queue <- t:
	default:
		r.drop(t)
		return
	}
	r.work()
}

func (r *Recorder) drop(t *Take) {
	r.dropped.Add(1)
	r.memory.Add(-t.reserved)
	t.reserved = 0
}

// work sees to it that somebody stores what waits.
func (r *Recorder) work() {
	if !r.working.CompareAndSwap(false, true) {
		return
	}
	r.done.Go(func() {
		for r.batch(context.Background()) > 0 {
		}
		r.working.Store(false)
		if len(r.queue) > 0 {
			r.work() // something came in between
		}
	})
}

// Flush stores what waits now, for processes that are frozen afterwards.
func (r *Recorder) Flush(ctx context.Context) {
	if r == nil {
		return
	}
	for ctx.Err() == nil && r.batch(ctx) > 0 {
	}
}

// Close waits for what is being stored, as long as the context lasts.
func (r *Recorder) Close(ctx context.Context) {
	if r == nil {
		return
	}
	ended := make(chan struct{})
	go func() {
		r.done.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
	}
}
