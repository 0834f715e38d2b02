package observe

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/schedule"
	"github.com/aigne-hub/aigne-hub/shared/telemetry/meter"
)

// requestFigures are the figures of HTTP requests. Routes are patterns and statuses
// are the hub's own, so both are few.
type requestFigures struct {
	mu       sync.RWMutex
	all      map[answered]requestSeries
	number   *meter.Counters
	duration *meter.Histograms
}

type answered struct {
	route  string
	status int
}

type requestSeries struct {
	number   *meter.Counter
	duration *meter.Histogram
}

func (f *requestFigures) init(r *meter.Registry) {
	f.all = map[answered]requestSeries{}
	f.number = r.Counters(meter.Desc{Name: "aigne_hub_http_requests_total", Labels: []string{"route", "status"}, Help: "HTTP requests; 499 is a client that left."})
	f.duration = r.Histograms(meter.Desc{Name: "aigne_hub_http_request_duration_seconds", Labels: []string{"route"}, Decimals: 6, Help: "Time to the end of the answer.", Unit: "s"},
		[]int64{1000, 5000, 25_000, 100_000, 500_000, 2_500_000, 10_000_000, 60_000_000})
}

func (f *requestFigures) of(key answered) requestSeries {
	f.mu.RLock()
	found, ok := f.all[key]
	f.mu.RUnlock()
	if ok {
		return found
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	route := key.route
	if route == "" {
		route = none
	}
	found = requestSeries{f.number.With(route, strconv.Itoa(key.status)), f.duration.With(route)}
	f.all[key] = found
	return found
}

// begin notes a request, and begins its trace where traces are made.
func (s *Set) begin(r *http.Request, start time.Time) context.Context {
	s.inFlight.Add(1)
	if s.traces == nil {
		return nil
	}
	return s.traces.request(r, start)
}

func (s *Set) end(ctx context.Context, x *httpkit.Served) {
	s.inFlight.Add(-1)
	series := s.requests.of(answered{x.Route, x.Status})
	series.number.Add(1)
	series.duration.Observe(seconds(x.Took))
	if s.traces != nil {
		s.traces.answered(ctx, x)
	}
}

// jobFigures are the figures of scheduled jobs.
type jobFigures struct {
	runs, time *meter.Counters
	mu         sync.Mutex
	done       map[string]time.Time
}

func (f *jobFigures) init(r *meter.Registry) {
	f.done = map[string]time.Time{}
	f.runs = r.Counters(meter.Desc{Name: "aigne_hub_job_runs_total", Labels: []string{"job", "outcome"}, Help: "Runs of scheduled jobs in this process: ok or failed."})
	f.time = r.Counters(meter.Desc{Name: "aigne_hub_job_seconds_total", Labels: []string{"job"}, Decimals: 6, Help: "Time that scheduled jobs took in this process.", Unit: "s"})
}

// Version is the version that runs; "" where nobody said it.
func (s *Set) Version() string { return s.version }

// Started is when the process began.
func (s *Set) Started() time.Time { return s.started }

// Jobs returns the jobs with their runs counted.
func (s *Set) Jobs(jobs []schedule.Job) []schedule.Job {
	out := make([]schedule.Job, len(jobs))
	for i, j := range jobs {
		run := j.Run
		ok, failed, took := s.jobs.runs.With(j.Name, "ok"), s.jobs.runs.With(j.Name, "failed"), s.jobs.time.With(j.Name)
		j.Run = func(ctx context.Context) error {
			start := s.now()
			err := run(ctx)
			took.Add(max(0, seconds(s.now().Sub(start))))
			switch {
			case err == nil:
				ok.Add(1)
				s.jobs.mu.Lock()
				s.jobs.done[j.Name] = s.now()
				s.jobs.mu.Unlock()
			case !errors.Is(err, context.Canceled):
				failed.Add(1)
			}
			return err
		}
		out[i] = j
	}
	return out
}
