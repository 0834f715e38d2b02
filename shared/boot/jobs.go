package boot

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/schedule"
)

// notes remember what was noted of jobs, so that one that is due every few seconds
// does not write as often.
type notes struct {
	mu sync.Mutex
	of map[string]note
}

type note struct {
	at     time.Time
	failed bool
}

const (
	noteEvery = time.Minute // while a job goes on ending well
	noteText  = 500         // bytes of an error
)

// Noted returns the jobs with their runs counted, and noted in the database:
// each that fails, the one after it, and otherwise one in a minute.
func (a *App) Noted(jobs []schedule.Job) []schedule.Job {
	out := a.Observe.Jobs(jobs)
	for i := range out {
		j := out[i]
		out[i].Run = func(ctx context.Context) error {
			started := a.Now()
			err := j.Run(ctx)
			a.noteRun(ctx, j, started, err)
			return err
		}
	}
	return out
}

func (a *App) noteRun(ctx context.Context, j schedule.Job, started time.Time, err error) {
	if errors.Is(err, context.Canceled) {
		return // the process stops
	}
	failed := ""
	if err != nil {
		failed = err.Error()
		failed = failed[:min(len(failed), noteText)]
	}
	a.noted.mu.Lock()
	last, known := a.noted.of[j.Name]
	due := !known || failed != "" || last.failed || started.Sub(last.at) >= noteEvery
	if due {
		if a.noted.of == nil {
			a.noted.of = map[string]note{}
		}
		a.noted.of[j.Name] = note{started, failed != ""}
	}
	a.noted.mu.Unlock()
	if !due {
		return
	}
	const patience = 5 * time.Second // the run's own time may be over
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if err := a.Store.NoteJobRun(ctx, j.Name, j.Every, started, a.Now().Sub(started), failed); err != nil {
		a.Log.WarnContext(ctx, "the run of a job is not on record", "job", j.Name, "error", err)
	}
}
