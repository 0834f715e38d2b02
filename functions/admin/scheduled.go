package admin

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/schedule"
)

// jobView is how a scheduled job fares, over all processes. Of runs that end well
// at most one in a minute is noted.
type jobView struct {
	Name      string     `json:"name"`
	Every     int64      `json:"every_seconds"` // 0: only when it is named
	Running   bool       `json:"running"`
	Here      bool       `json:"here"` // the process that answers can run it
	StartedAt *time.Time `json:"started_at"`
	Took      int64      `json:"took_ms"`
	NextAt    *time.Time `json:"next_at"` // about when it is due; null: unknown
	OKAt      *time.Time `json:"ok_at"`
	FailedAt  *time.Time `json:"failed_at"`
	Failures  int64      `json:"failures"` // since one ended well
	Error     string     `json:"error"`    // of the last failure
}

// jobsNow lists the jobs that this process runs, and those that others noted.
func (h *handler) jobsNow(ctx context.Context) ([]jobView, error) {
	rows, err := h.Store.JobRuns(ctx)
	if err != nil {
		return nil, err
	}
	running, err := h.Store.RunningJobs(ctx)
	if err != nil {
		return nil, err
	}
	byName := map[string]*jobView{}
	for _, row := range rows {
		started := row.StartedAt
		v := &jobView{Name: row.Name, Every: seconds(row.Every), StartedAt: &started, Took: row.Took.Milliseconds(), OKAt: row.OKAt,
			FailedAt: row.FailedAt, Failures: row.Failures, Error: row.Error}
		if row.Every > 0 {
			v.NextAt = new(following(row.StartedAt, row.Every, h.Now()))
		}
		byName[row.Name] = v
	}
	for _, j := range h.runner().Jobs() {
		v := byName[j.Name]
		if v == nil {
			v = &jobView{Name: j.Name}
			byName[j.Name] = v
		}
		v.Every, v.Here = seconds(j.Every), true
	}
	out := make([]jobView, 0, len(byName))
	for name, v := range byName {
		v.Running = slices.Contains(running, name)
		out = append(out, *v)
	}
	slices.SortFunc(out, func(a, b jobView) int { return cmp.Compare(a.Name, b.Name) })
	return out, nil
}

// following is the first time after now that lies a whole number of periods after
// a start.
func following(start time.Time, every time.Duration, now time.Time) time.Time {
	if now.Before(start) {
		return start.Add(every)
	}
	return start.Add((now.Sub(start)/every + 1) * every)
}

// runner runs this process's jobs; one without any where there are none.
func (h *handler) runner() *schedule.Runner {
	if h.Runner != nil {
		if r := h.Runner(); r != nil {
			return r
		}
	}
	return &schedule.Runner{}
}

func (h *handler) listJobs(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	all, err := h.jobsNow(r.Context())
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, map[string]any{"data": all})
}

// startedWork is what came of work that may take longer than a request.
type startedWork struct {
	State string `json:"state"` // running, done or failed
	Error string `json:"error,omitempty"`
}

const (
	// patience is how long a request waits for work that goes on without it.
	patience = 2 * time.Second
	// lambdaPatience is how long work may take where it cannot go on: API Gateway
	// gives up after 30 s.
	lambdaPatience = 25 * time.Second
	// detachedLimit bounds work that goes on without its request.
	detachedLimit = 15 * time.Minute
)

// detached does work that may take longer than a request: it goes on when the
// request is over, and ends with the process. On Lambda, where nothing does, it has
// what time there is.
func (h *handler) detached(r *http.Request, work func(ctx context.Context) error) startedWork {
	if !h.Streams {
		ctx, cancel := context.WithTimeout(r.Context(), lambdaPatience)
		defer cancel()
		return ended(work(ctx))
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), detachedLimit)
	unhook := context.AfterFunc(h.Leaving, cancel)
	result := make(chan error, 1)
	go func() {
		defer cancel()
		defer unhook()
		result <- work(ctx)
	}()
	select {
	case err := <-result:
		return ended(err)
	case <-time.After(patience):
		return startedWork{State: "running"}
	}
}

func ended(err error) startedWork {
	if err != nil {
		return startedWork{State: "failed", Error: err.Error()}
	}
	return startedWork{State: "done"}
}

// runJob runs a job of this process now.
func (h *handler) runJob(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	name := r.PathValue("name")
	runner := h.runner()
	if !slices.ContainsFunc(runner.Jobs(), func(j schedule.Job) bool { return j.Name == name }) {
		return hub.Errorf(hub.CodeNotFound, "There is no job %.60q in this process. On Lambda each function runs its own, by its schedule.", name)
	}
	if err := h.Desk.Note(r.Context(), c.Email, "job.run", name, nil, nil); err != nil {
		return err
	}
	busy := false
	state := h.detached(r, func(ctx context.Context) error {
		err := runner.Run(ctx, name)
		if errors.Is(err, schedule.ErrBusy) {
			busy = true
			return nil
		}
		if err != nil {
			httpkit.Log(ctx).ErrorContext(ctx, "job failed", "job", name, "error", err)
		}
		return err
	})
	if state.State == "done" && busy {
		return hub.Errorf(hub.CodeConflict, "The job %s is running already.", name)
	}
	return httpkit.WriteJSON(w, http.StatusOK, state)
}
