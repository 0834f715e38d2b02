// Package schedule runs named jobs: on a server by a local ticker, on Lambda one
// at a time when EventBridge names one. It knows nothing of what the jobs do,
// keeps no record of them and offers no calendar ("at three o'clock"): a job is
// due every so often and must bear being run twice.
package schedule

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

const (
	minLimit    = time.Minute      // a run may always take this long
	maxLimit    = 15 * time.Minute // what Lambda allows at most, so everywhere the same
	leaseMargin = 30 * time.Second // what a lease outlives the run's context by
	maxJitter   = 30 * time.Second
)

// ErrBusy says that the job is running already, in this process or, by its
// lease, in another one. Whoever meets it need do nothing: the work is being done.
var ErrBusy = errors.New("the job is already running")

// Job is work that is due again and again. Names are unique and written
// "function.what", such as "billing.sweep".
type Job struct {
	Name    string
	Every   time.Duration // 0: never by the ticker, only when named
	Timeout time.Duration // the longest run; 0: Every, but one minute at least and 15 at most
	Run     func(ctx context.Context) error
}

// limit is how long a run may take.
func (j Job) limit() time.Duration {
	if j.Timeout > 0 {
		return j.Timeout
	}
	return min(max(j.Every, minLimit), maxLimit)
}

// Lease claims a name across processes for at most ttl. ok is false when another
// process holds it; release, called once when the run is over, gives it back early.
// A run's context ends before its ttl does, so runs in two processes never overlap
// as long as jobs heed their context. A lease prevents overlap, not repetition.
type Lease func(ctx context.Context, name string, ttl time.Duration) (release func(), ok bool, err error)

// Options are what a Runner may be given; the zero value works.
type Options struct {
	Lease  Lease                                   // nil: no lease, one process only
	Log    *slog.Logger                            // nil: slog.Default()
	Jitter func(limit time.Duration) time.Duration // delay of a job's first run, in [0, limit); nil: random
}

// Runner runs a fixed set of jobs, each at most once at a time.
type Runner struct {
	jobs []Job
	opts Options
	busy []sync.Mutex // one for each job
}

// New makes a Runner. It fails on a job without a name or a function, on a
// negative duration and on a name that is there twice.
func New(jobs []Job, opts Options) (*Runner, error) {
	seen := make(map[string]bool, len(jobs))
	for _, j := range jobs {
		switch {
		case j.Name == "":
			return nil, errors.New("schedule: a job has no name")
		case j.Run == nil:
			return nil, fmt.Errorf("schedule: job %s has no function", j.Name)
		case j.Every < 0 || j.Timeout < 0:
			return nil, fmt.Errorf("schedule: job %s has a negative duration", j.Name)
		case seen[j.Name]:
			return nil, fmt.Errorf("schedule: two jobs are called %s", j.Name)
		}
		seen[j.Name] = true
	}
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	if opts.Jitter == nil {
		opts.Jitter = rand.N[time.Duration]
	}
	return &Runner{jobs: jobs, opts: opts, busy: make([]sync.Mutex, len(jobs))}, nil
}

// Run runs the named job once, now, without a lease: what a Lambda does with a
// schedule event. See [Runner.Run] for the errors.
func Run(ctx context.Context, jobs []Job, name string) error {
	r, err := New(jobs, Options{})
	if err != nil {
		return err
	}
	return r.Run(ctx, name)
}

// Run runs the named job once, now, and waits for it. It returns ErrBusy when the
// job is running already, a *hub.Error with CodeNotFound for an unknown name, and
// else the job's own error; a panic in the job comes back as an error.
func (r *Runner) Run(ctx context.Context, name string) error {
	for i := range r.jobs {
		if r.jobs[i].Name == name {
			return r.once(ctx, i)
		}
	}
	names := make([]string, len(r.jobs))
	for i, j := range r.jobs {
		names[i] = j.Name
	}
	return hub.Errorf(hub.CodeNotFound, "There is no job %q here. The jobs are: %s.", name, strings.Join(names, ", "))
}

// Jobs lists the runner's jobs.
func (r *Runner) Jobs() []Job { return r.jobs }

// Serve runs every job by its interval until ctx ends, then waits for the runs
// that are still going; their contexts end with ctx. A job's first run comes
// within its interval or 30 s, whichever is shorter, at random, so that processes
// started together do not act together. A run that takes longer than the interval
// skips the ticks it overran. Failures are logged, and the job stays due.
func (r *Runner) Serve(ctx context.Context) {
	var all sync.WaitGroup
	for i := range r.jobs {
		if r.jobs[i].Every > 0 {
			all.Go(func() { r.tick(ctx, i) })
		}
	}
	all.Wait()
}

func (r *Runner) tick(ctx context.Context, i int) {
	every := r.jobs[i].Every
	first := time.NewTimer(r.opts.Jitter(min(every, maxJitter)))
	defer first.Stop()
	select {
	case <-first.C:
	case <-ctx.Done():
		return
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for ctx.Err() == nil {
		r.report(ctx, r.jobs[i].Name, r.once(ctx, i))
		select {
		case <-ticker.C: // overran
		default:
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
}

func (r *Runner) report(ctx context.Context, name string, err error) {
	switch {
	case err == nil, errors.Is(err, ErrBusy):
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		r.opts.Log.InfoContext(ctx, "job stopped with the process", "job", name)
	default:
		r.opts.Log.ErrorContext(ctx, "job failed", "job", name, "error", err)
	}
}

// once runs job i unless it is running here or elsewhere.
func (r *Runner) once(ctx context.Context, i int) error {
	job := r.jobs[i]
	if !r.busy[i].TryLock() {
		return fmt.Errorf("job %s: %w", job.Name, ErrBusy)
	}
	defer r.busy[i].Unlock()
	// The clock starts before the lease is asked for: however long the asking
	// takes, the run ends before the lease.
	ctx, cancel := context.WithTimeout(ctx, job.limit())
	defer cancel()
	if r.opts.Lease != nil {
		release, ok, err := r.opts.Lease(ctx, job.Name, job.limit()+leaseMargin)
		if err != nil {
			return fmt.Errorf("job %s: lease: %w", job.Name, err)
		}
		if !ok {
			return fmt.Errorf("job %s: %w", job.Name, ErrBusy)
		}
		defer release()
	}
	if err := r.guarded(ctx, job); err != nil {
		return fmt.Errorf("job %s: %w", job.Name, err)
	}
	return nil
}

// guarded turns a panic into an error, so that one job never ends the process. The
// stack goes to the log only: the error may travel.
func (r *Runner) guarded(ctx context.Context, job Job) (err error) {
	defer func() {
		if p := recover(); p != nil {
			r.opts.Log.ErrorContext(ctx, "job panicked", "job", job.Name, "panic", p, "stack", string(debug.Stack()))
			err = errors.New("it panicked")
		}
	}()
	return job.Run(ctx)
}
