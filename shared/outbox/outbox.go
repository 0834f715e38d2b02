// Package outbox brings usage to the outside system that bills it. What is settled
// is put into batches whose identifiers never change, and a batch is sent until it
// is confirmed: a crash at any point neither loses one nor counts one twice, since
// the other side takes an identifier once.
package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/notify"
	"github.com/aigne-hub/aigne-hub/shared/paymentkit"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// The times of a batch.
const (
	firstWait = 10 * time.Second
	longest   = 15 * time.Minute
	knock     = 2 * time.Minute // the longest while nobody answers at all
	// mostTries is after how many refusals that might pass a batch is given up: a day
	// and more. Runs that find nobody there try one batch only.
	mostTries = 100
	// hold is how long a claimed batch is left to its claimant: longer than a call.
	hold = 2 * time.Minute
)

// The sizes of a run.
const (
	page   = 200 // batches that are looked at together
	atOnce = 8   // of them, sent at the same time
	groups = 500 // of a user and an application, batched at a time
	rounds = 50  // of either, in one run
)

// late is the age at which operators are told that usage does not leave.
const late = time.Hour

// Meter takes meter events: Payment Kit.
type Meter interface {
	CreateMeterEvent(ctx context.Context, e paymentkit.MeterEvent) error
}

// Reporter reports usage. Any number of them may run at once.
type Reporter struct {
	Store *store.Store
	Kit   Meter
	// Ready makes sure that the meter is there and returns it.
	Ready func(ctx context.Context) (paymentkit.Meter, error)
	Tell  func(ctx context.Context, e notify.Event) error // nil: nobody is told
	Log   *slog.Logger
	Now   hub.Now
	// Jitter lengthens a wait, so that failures do not return together; nil: by up to
	// a quarter, at random.
	Jitter func(wait time.Duration) time.Duration

	told sync.Map    // ids of events that this process has told
	away atomic.Bool // nobody answered the last time
}

// errDown ends a run: the other side does not answer.
var errDown = errors.New("the outside system does not answer")

// Run sends what is due, puts what has been settled since into batches and sends
// those. New batches are made only while the other side answers, so that an outage
// leaves few and large ones.
func (r *Reporter) Run(ctx context.Context) error {
	err := r.run(ctx)
	return errors.Join(err, r.warn(ctx))
}

func (r *Reporter) run(ctx context.Context) error {
	m, err := r.Ready(ctx)
	if err != nil {
		return err
	}
	if err := r.send(ctx, m); err != nil {
		return err
	}
	if err := r.gather(ctx); err != nil {
		return err
	}
	return r.send(ctx, m)
}

// gather puts pending usage into batches. While nobody answers, what is there
// already does to find out when somebody does.
func (r *Reporter) gather(ctx context.Context) error {
	if r.away.Load() {
		o, err := r.Store.Outbox(ctx)
		if err != nil || o.Sent > 0 {
			return err
		}
	}
	for range rounds {
		pending, err := r.Store.PendingUsage(ctx, groups)
		if err != nil || len(pending) == 0 {
			return err
		}
		for _, p := range pending {
			if err := r.Store.Do(ctx, r.Store.BatchUnit(p)); err != nil {
				return err
			}
		}
	}
	return nil
}

// send sends what is due.
func (r *Reporter) send(ctx context.Context, m paymentkit.Meter) error {
	for range rounds {
		due, err := r.Store.DueBatches(ctx, page)
		if err != nil || len(due) == 0 {
			return err
		}
		// What leaves must not be unmade by a power cut: the same usage would then leave
		// again, under another identifier.
		if err := r.Store.Durable(ctx); err != nil {
			return err
		}
		if err := r.sendAll(ctx, m, due); err != nil {
			return err
		}
	}
	return nil
}

// sendAll sends the first batch alone: if nobody is there the others wait.
func (r *Reporter) sendAll(ctx context.Context, m paymentkit.Meter, due []store.Batch) error {
	if err := r.sendOne(ctx, m, due[0]); err != nil {
		return err
	}
	rest := due[1:]
	failed := make([]error, len(rest))
	free := make(chan struct{}, atOnce)
	var down sync.Once
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var all sync.WaitGroup
	for i, b := range rest {
		if ctx.Err() != nil {
			break
		}
		free <- struct{}{}
		all.Go(func() {
			defer func() { <-free }()
			if failed[i] = r.sendOne(context.WithoutCancel(ctx), m, b); failed[i] != nil {
				down.Do(stop)
			}
		})
	}
	all.Wait()
	return errors.Join(failed...)
}

// sendOne sends a batch and notes what came of it. Only what concerns the others
// too is an error.
func (r *Reporter) sendOne(ctx context.Context, m paymentkit.Meter, b store.Batch) error {
	err := r.Store.ClaimBatch(ctx, b, hold)
	if errors.Is(err, store.ErrNotFound) {
		return nil // another reporter has it
	}
	if err != nil {
		return err
	}
	if b.DID == "" {
		return r.Store.BuryBatch(ctx, b.ID, "the user has no DID")
	}
	err = r.Kit.CreateMeterEvent(ctx, event(m, b))
	nobody := err != nil && !errors.Is(err, paymentkit.ErrRepeated) && systemic(err)
	r.away.Store(nobody)
	var refusal *paymentkit.RefusalError
	switch {
	case err == nil, errors.Is(err, paymentkit.ErrRepeated):
		return r.Store.ConfirmBatch(ctx, b.ID)
	case nobody:
		r.Log.Warn("usage not reported", "batch", b.ID, "error", err)
		return errors.Join(r.delay(ctx, b, err, knock), fmt.Errorf("%w: %w", errDown, err))
	case paymentkit.Refused(err), errors.As(err, &refusal) && b.Attempts+1 >= mostTries:
		r.Log.Error("usage given up", "batch", b.ID, "error", err)
		return r.Store.BuryBatch(ctx, b.ID, err.Error())
	}
	r.Log.Warn("usage not reported", "batch", b.ID, "error", err)
	return r.delay(ctx, b, err, longest)
}

// systemic reports an error that every batch would meet: nobody there, a signature
// that is not accepted, a path that is not known.
func systemic(err error) bool {
	var refusal *paymentkit.RefusalError
	if !errors.As(err, &refusal) {
		return true
	}
	switch refusal.Status {
	case 401, 403, 404, 405:
		return true
	}
	return false
}

// delay has a batch wait, twice as long each time, at most for most.
func (r *Reporter) delay(ctx context.Context, b store.Batch, cause error, most time.Duration) error {
	wait := most
	if b.Attempts < 10 {
		wait = min(firstWait<<b.Attempts, most)
	}
	jitter := r.Jitter
	if jitter == nil {
		jitter = func(d time.Duration) time.Duration { return d + rand.N(d/4) }
	}
	return r.Store.DelayBatch(ctx, b.ID, cause.Error(), jitter(wait))
}

// event is the same each time a batch is sent.
func event(m paymentkit.Meter, b store.Batch) paymentkit.MeterEvent {
	return paymentkit.MeterEvent{EventName: m.EventName, Timestamp: b.CreatedAt.Unix(), Identifier: b.ID,
		Payload:  paymentkit.MeterPayload{CustomerID: b.DID, Value: b.Amount},
		Metadata: map[string]any{"appId": b.AppID},
		Source: []paymentkit.SourceData{
			{Key: "source", Label: map[string]string{"en": "Source", "zh": "来源"}, Value: "AIGNE Hub"},
			{Key: "calls", Label: map[string]string{"en": "Calls", "zh": "调用次数"}, Value: strconv.FormatInt(b.Calls, 10)},
		}}
}

// warn tells operators of usage that does not leave, each delay and each batch that
// was given up once.
func (r *Reporter) warn(ctx context.Context) error {
	o, err := r.Store.Outbox(ctx)
	if err != nil || r.Tell == nil {
		return err
	}
	if o.Oldest != nil && r.Now().Sub(*o.Oldest) > late {
		err = r.tell(ctx, notify.OutboxLate, o.OldestID, "Usage has not reached Payment Kit for more than an hour.",
			map[string]any{"calls": o.Calls, "batches": o.Pending + o.Sent, "since": o.Oldest.Format(time.RFC3339)})
	}
	if o.Dead > 0 {
		err = errors.Join(err, r.tell(ctx, notify.OutboxDead, o.NewestDeadID, "Payment Kit refused reported usage; see `aigne-hub outbox list`.",
			map[string]any{"batches": o.Dead}))
	}
	return err
}

// tell tells of something once; the record keeps other processes from repeating it.
func (r *Reporter) tell(ctx context.Context, kind notify.Kind, about, title string, data map[string]any) error {
	id := string(kind) + ":" + about
	if _, before := r.told.Load(id); before {
		return nil
	}
	err := r.Tell(ctx, notify.Event{ID: id, Kind: kind, Severity: notify.Failure, Title: title, Data: data})
	if err == nil {
		r.told.Store(id, true)
	}
	return err
}
