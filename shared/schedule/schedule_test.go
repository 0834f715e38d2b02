package schedule_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/schedule"
)

func none(time.Duration) time.Duration { return 0 }

func nothing(context.Context) error { return nil }

func newRunner(t *testing.T, opts schedule.Options, jobs ...schedule.Job) *schedule.Runner {
	t.Helper()
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Jitter == nil {
		opts.Jitter = none
	}
	r, err := schedule.New(jobs, opts)
	require.NoError(t, err)
	return r
}

// serve starts r and returns a function that ends it and waits.
func serve(t *testing.T, r *schedule.Runner) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { r.Serve(ctx); close(done) }()
	return func() { cancel(); <-done }
}

func TestNewRefusesBadJobs(t *testing.T) {
	t.Parallel()
	for name, jobs := range map[string][]schedule.Job{
		"a job without a name":                {{Run: nothing}},
		"a job without a function":            {{Name: "a"}},
		"a job with a negative interval":      {{Name: "a", Every: -1, Run: nothing}},
		"a job with a negative longest run":   {{Name: "a", Timeout: -1, Run: nothing}},
		"two jobs with the same name":         {{Name: "a", Run: nothing}, {Name: "a", Run: nothing}},
		"a bad job hidden behind a good one":  {{Name: "a", Run: nothing}, {Name: "b"}},
		"the same name with another interval": {{Name: "a", Run: nothing}, {Name: "a", Every: 1, Run: nothing}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := schedule.New(jobs, schedule.Options{})
			assert.Error(t, err)
			assert.Error(t, schedule.Run(t.Context(), jobs, "a"))
		})
	}
}

func TestRunByName(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	var ran atomic.Int32
	jobs := []schedule.Job{
		{Name: "count", Every: time.Hour, Run: func(context.Context) error { ran.Add(1); return nil }},
		{Name: "fail", Run: func(context.Context) error { return broken }},
		{Name: "panic", Run: func(context.Context) error { panic("boom") }},
	}
	require.NoError(t, schedule.Run(t.Context(), jobs, "count"))
	assert.EqualValues(t, 1, ran.Load())
	assert.ErrorIs(t, schedule.Run(t.Context(), jobs, "fail"), broken)
	assert.ErrorContains(t, schedule.Run(t.Context(), jobs, "panic"), "it panicked")

	err := schedule.Run(t.Context(), jobs, "absent")
	assert.Equal(t, hub.CodeNotFound, hub.CodeOf(err))
	assert.ErrorContains(t, err, "count, fail, panic")
}

func TestServeKeepsTheInterval(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var at []time.Duration
		r := newRunner(t, schedule.Options{Jitter: func(limit time.Duration) time.Duration {
			assert.Equal(t, 30*time.Second, limit, "the first run waits 30 s at most")
			return 7 * time.Second
		}}, schedule.Job{Name: "a", Every: time.Minute, Run: func(context.Context) error {
			at = append(at, time.Since(start))
			time.Sleep(10 * time.Second) // the bubble's clock; the run's length must not shift the next one
			return errors.New("a failure does not end the job")
		}})
		stop := serve(t, r)
		time.Sleep(3 * time.Minute)
		stop()
		assert.Equal(t, []time.Duration{7 * time.Second, 67 * time.Second, 127 * time.Second}, at)
	})
}

func TestServeSkipsTicksThatARunOverran(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var at []time.Duration
		r := newRunner(t, schedule.Options{}, schedule.Job{Name: "a", Every: 10 * time.Second, Run: func(context.Context) error {
			at = append(at, time.Since(start))
			time.Sleep(25 * time.Second)
			return nil
		}})
		stop := serve(t, r)
		time.Sleep(61 * time.Second)
		stop()
		assert.Equal(t, []time.Duration{0, 30 * time.Second, 60 * time.Second}, at)
	})
}

func TestServeJittersWithinTheInterval(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var ran atomic.Int32
		jobs := []schedule.Job{
			{Name: "a", Every: 5 * time.Second, Run: func(context.Context) error { ran.Add(1); return nil }},
			{Name: "never by the ticker", Run: func(context.Context) error { ran.Add(1000); return nil }},
		}
		r, err := schedule.New(jobs, schedule.Options{})
		require.NoError(t, err)
		stop := serve(t, r)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		assert.EqualValues(t, 1, ran.Load())
		stop()
	})
}

func TestServeWaitsForRunningJobs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var finished atomic.Bool
		r := newRunner(t, schedule.Options{}, schedule.Job{Name: "a", Every: time.Hour, Run: func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(3 * time.Second) // a last transaction
			finished.Store(true)
			return ctx.Err()
		}})
		stop := serve(t, r)
		synctest.Wait()
		stop()
		assert.True(t, finished.Load())
	})
}

func TestARunEndsWithItsLimit(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		job  schedule.Job
		want time.Duration
	}{
		"the interval":                   {schedule.Job{Every: 5 * time.Minute}, 5 * time.Minute},
		"a minute for a short interval":  {schedule.Job{Every: time.Second}, time.Minute},
		"15 minutes for a long interval": {schedule.Job{Every: 24 * time.Hour}, 15 * time.Minute},
		"what the job itself asks for":   {schedule.Job{Every: time.Hour, Timeout: 20 * time.Second}, 20 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				start, ttl := time.Now(), time.Duration(0)
				c.job.Name = "a"
				c.job.Run = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
				r := newRunner(t, schedule.Options{Lease: func(_ context.Context, _ string, d time.Duration) (func(), bool, error) {
					ttl = d
					return func() {}, true, nil
				}}, c.job)
				require.ErrorIs(t, r.Run(t.Context(), "a"), context.DeadlineExceeded)
				assert.Equal(t, c.want, time.Since(start))
				assert.Greater(t, ttl, c.want, "the lease outlives the run")
			})
		})
	}
}

func TestAJobNeverOverlapsItself(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		started, release := make(chan struct{}), make(chan struct{})
		r := newRunner(t, schedule.Options{},
			schedule.Job{Name: "a", Every: time.Minute, Run: func(context.Context) error { close(started); <-release; return nil }},
			schedule.Job{Name: "b", Run: nothing})
		stop := serve(t, r)
		<-started
		assert.ErrorIs(t, r.Run(t.Context(), "a"), schedule.ErrBusy)
		assert.NoError(t, r.Run(t.Context(), "b"), "another job is free")
		close(release)
		stop()
	})
}

func TestLease(t *testing.T) {
	t.Parallel()
	t.Run("two processes with one lease never run at once", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var held atomic.Bool
			lease := func(context.Context, string, time.Duration) (func(), bool, error) {
				if !held.CompareAndSwap(false, true) {
					return nil, false, nil
				}
				return func() { held.Store(false) }, true, nil
			}
			var inside, ran atomic.Int32
			job := schedule.Job{Name: "a", Every: time.Second, Run: func(context.Context) error {
				assert.EqualValues(t, 1, inside.Add(1))
				time.Sleep(700 * time.Millisecond)
				inside.Add(-1)
				ran.Add(1)
				return nil
			}}
			stopA := serve(t, newRunner(t, schedule.Options{Lease: lease}, job))
			stopB := serve(t, newRunner(t, schedule.Options{Lease: lease}, job))
			time.Sleep(10 * time.Second)
			stopA()
			stopB()
			assert.GreaterOrEqual(t, ran.Load(), int32(10))
			assert.False(t, held.Load(), "the lease is given back")
		})
	})
	t.Run("held elsewhere is busy", func(t *testing.T) {
		t.Parallel()
		r := newRunner(t, schedule.Options{Lease: func(context.Context, string, time.Duration) (func(), bool, error) {
			return nil, false, nil
		}}, schedule.Job{Name: "a", Run: func(context.Context) error { panic("must not run") }})
		assert.ErrorIs(t, r.Run(t.Context(), "a"), schedule.ErrBusy)
	})
	t.Run("a failing lease stops the run", func(t *testing.T) {
		t.Parallel()
		gone := errors.New("database gone")
		r := newRunner(t, schedule.Options{Lease: func(context.Context, string, time.Duration) (func(), bool, error) {
			return nil, false, gone
		}}, schedule.Job{Name: "a", Run: func(context.Context) error { panic("must not run") }})
		assert.ErrorIs(t, r.Run(t.Context(), "a"), gone)
	})
	t.Run("a panicking job gives its lease back", func(t *testing.T) {
		t.Parallel()
		released := false
		r := newRunner(t, schedule.Options{Lease: func(context.Context, string, time.Duration) (func(), bool, error) {
			return func() { released = true }, true, nil
		}}, schedule.Job{Name: "a", Run: func(context.Context) error { panic("boom") }})
		assert.Error(t, r.Run(t.Context(), "a"))
		assert.True(t, released)
	})
}

func TestServeLogsFailuresOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		r := newRunner(t, schedule.Options{Log: slog.New(slog.NewTextHandler(&out, nil))},
			schedule.Job{Name: "bad", Every: time.Minute, Run: func(context.Context) error { return errors.New("no disk") }},
			schedule.Job{Name: "good", Every: time.Minute, Run: nothing},
			schedule.Job{Name: "ended", Every: time.Minute, Run: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }})
		stop := serve(t, r)
		synctest.Wait()
		stop()
		assert.Contains(t, out.String(), `job=bad error="job bad: no disk"`)
		assert.Contains(t, out.String(), `msg="job stopped with the process" job=ended`)
		assert.NotContains(t, out.String(), "job=good")
	})
}
