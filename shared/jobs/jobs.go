// Package jobs follows work that goes on at a provider after its request was
// answered (money.md §5.8): it asks how far a job is, settles its call once when
// it is over, and fetches what was made. Who asks, a poll, a download or the
// scheduled job, makes no difference.
package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/admission"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/task"
	"github.com/aigne-hub/aigne-hub/shared/upstream"
)

// The times of a job.
const (
	Deadline  = 24 * time.Hour      // then the provider is asked once more, and an unfinished job has failed
	Life      = 30 * 24 * time.Hour // how long a job can be asked after
	FirstPoll = 5 * time.Second

	// young is how long a provider may not know a job that it has just accepted.
	young    = 10 * time.Minute
	askTime  = 30 * time.Second // of one question to a provider
	atOnce   = 8                // jobs that the scheduled job asks after at the same time
	maxState = 64 << 20         // bytes of an answer, which may hold the film itself
)

// Follower follows jobs.
type Follower struct {
	Store    *store.Store
	Gate     *admission.Gate
	Upstream *upstream.Client
	Fetch    *upstream.Fetcher
	Routes   func() *routing.Snapshot
	Clients  map[dialect.Name]dialect.JobClient
	Log      *slog.Logger
	Now      hub.Now
}

// Asked is what is shown of a job's request, and what it is priced by where the
// provider does not say.
type Asked struct {
	Model   string       `json:"model"` // as the caller named it
	Seconds int64        `json:"seconds,omitempty"`
	Size    string       `json:"size,omitempty"`
	Variant task.Variant `json:"variant"`
}

// AskedOf reads what was asked for.
func AskedOf(row *store.Job) (a Asked) {
	_ = json.Unmarshal(row.Asked, &a) // the hub's own writing
	return a
}

// side is how a job's provider is reached.
type side struct {
	client dialect.JobClient
	target *routing.Target
	key    routing.Credential
	to     dialect.Target
}

var errGone = hub.Errorf(hub.CodeUnavailable, "The provider that works on this, or its credential, is no longer configured.")

func (f *Follower) side(row *store.Job) (side, error) {
	client, ok := f.Clients[dialect.Name(row.Language)]
	if !ok {
		return side{}, errGone
	}
	for _, p := range f.Routes().Providers() {
		if p.Name != row.Provider {
			continue
		}
		for _, c := range p.Credentials {
			if c.ID == row.CredentialID && c.Name == row.Credential {
				return side{client: client, key: c, target: &routing.Target{Provider: p, Model: row.Model},
					to: dialect.Target{Model: row.Model, Quirks: p.Kind.Quirks}}, nil
			}
		}
	}
	return side{}, errGone
}

func (s *side) fault(_ *routing.Target, status int, header http.Header, body []byte) *hub.Error {
	return s.client.Fault(status, header, body)
}

func request(enc dialect.TaskEncoded) upstream.Request {
	return upstream.Request{Method: enc.Method, Path: enc.Path, Body: enc.Body, Header: enc.Header}
}

// state asks the provider how far a job is.
func (f *Follower) state(ctx context.Context, s *side, row *store.Job) (*task.Job, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	answer, err := f.Upstream.Ask(ctx, s.target, s.key, request(s.client.Poll(row.ProviderJob, s.to)), s.fault)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxState))
	if err != nil {
		return nil, hub.Wrap(hub.CodeUpstream, err, "The provider's answer broke off.")
	}
	state, err := s.client.Job(dialect.TaskAnswer{Header: answer.Header, Body: body}, s.to)
	if err != nil {
		return nil, hub.Wrap(hub.CodeUpstream, err, "The provider's answer could not be understood.")
	}
	return state, nil
}

// Poll brings a job up to date and returns it. When the provider has finished, the
// call is settled first: a job that is shown as succeeded has been charged. A
// provider that cannot be asked leaves the job as it was, unless its time is over;
// only a settlement that fails is an error.
func (f *Follower) Poll(ctx context.Context, row store.Job) (store.Job, error) {
	if row.FinishedAt != nil {
		return row, nil
	}
	ctx = context.WithoutCancel(ctx) // what the provider says is used, whoever waits for it
	s, err := f.side(&row)
	var state *task.Job
	if err == nil {
		state, err = f.state(ctx, &s, &row)
	}
	late := !f.Now().Before(row.Deadline)
	switch {
	case err == nil && state.Done():
		return f.finish(ctx, row, state)
	case late:
		if err == nil {
			f.stop(ctx, &s, &row)
		}
		return f.finish(ctx, row, &task.Job{Status: task.JobFailed,
			Fault: hub.Errorf(hub.CodeTimeout, "The provider did not finish within %s.", Deadline)})
	case err != nil && hub.AsError(err).Status == http.StatusNotFound && f.Now().Sub(row.CreatedAt) > young:
		return f.finish(ctx, row, &task.Job{Status: task.JobFailed,
			Fault: hub.Errorf(hub.CodeUpstream, "The provider no longer knows this job.")})
	case err != nil:
		f.Log.Warn("job not followed", "job", row.ID, "provider", row.Provider, "error", err)
		return row, f.note(ctx, &row, row.State, row.Progress)
	}
	now := store.JobRunning
	if state.Status == task.JobQueued {
		now = store.JobQueued
	}
	progress := min(max(state.Progress, row.Progress), 99)
	if err := f.note(ctx, &row, now, progress); err != nil {
		return row, err
	}
	row.State, row.Progress = now, progress
	return row, nil
}

// note says when the job is looked at next: the older it is, the less often.
func (f *Follower) note(ctx context.Context, row *store.Job, state store.JobState, progress int64) error {
	const slowest = 2 * time.Minute
	wait := min(max(f.Now().Sub(row.CreatedAt)/10, FirstPoll), slowest)
	err := f.Store.NoteJob(ctx, row.ID, state, progress, f.Now().Add(wait))
	if err != nil {
		f.Log.Warn("job not noted", "job", row.ID, "error", err)
	}
	return nil
}

// finish settles a job's call and returns the job as it then stands: of two who
// settle at once, the first one's outcome.
func (f *Follower) finish(ctx context.Context, row store.Job, state *task.Job) (store.Job, error) {
	asked := AskedOf(&row)
	o := admission.Outcome{Status: hub.StatusSuccess, HTTPStatus: http.StatusOK, Source: hub.UsageReported, Variant: asked.Variant}
	end := store.JobEnd{State: store.JobSucceeded}
	if state.Status == task.JobFailed {
		o.Status, o.Err, o.HTTPStatus, o.Source = hub.StatusFailed, state.Fault, http.StatusBadGateway, ""
		end = store.JobEnd{State: store.JobFailed, ErrorCode: string(state.Fault.Code), Error: state.Fault.Message}
	} else {
		o.Usage = state.Usage
		seconds := state.Seconds
		if seconds <= 0 {
			seconds = asked.Seconds
		}
		o.Usage[hub.Seconds] = seconds * int64(max(1, len(state.Films)))
		if state.Variant.Size != "" {
			o.Variant.Size = state.Variant.Size
		}
		if state.Variant.Quality != "" {
			o.Variant.Quality = state.Variant.Quality
		}
	}
	if _, err := f.Gate.FinishJob(ctx, row, end, o); err != nil {
		return row, err
	}
	return f.reread(ctx, row)
}

func (f *Follower) reread(ctx context.Context, row store.Job) (store.Job, error) {
	now, err := f.Store.JobByID(ctx, row.ID, row.UserID)
	if errors.Is(err, store.ErrNotFound) { // deleted meanwhile by its owner
		row.State, row.FinishedAt = store.JobFailed, new(f.Now())
		return row, nil
	}
	if err != nil {
		return row, hub.Wrap(hub.CodeUnavailable, err, "The job cannot be looked up now.")
	}
	return now, nil
}

// Follow asks after every job that is due: the work of the scheduled job.
func (f *Follower) Follow(ctx context.Context) error {
	const batch = 100
	due, err := f.Store.DueJobs(ctx, batch)
	if err != nil {
		return err
	}
	failed := make([]error, len(due))
	free := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for i, row := range due {
		if failed[i] = ctx.Err(); failed[i] != nil {
			break
		}
		free <- struct{}{}
		all.Go(func() {
			defer func() { <-free }()
			_, failed[i] = f.Poll(ctx, row)
		})
	}
	all.Wait()
	return errors.Join(errors.Join(failed...), f.Store.ForgetJobs(ctx))
}

// Delete takes a job out of its owner's sight. One that the provider can still
// stop, and says so, costs nothing; any other is followed to its end and charged
// like one that was waited for, since the provider charges it.
func (f *Follower) Delete(ctx context.Context, row store.Job) error {
	if row.FinishedAt == nil {
		if s, err := f.side(&row); err == nil && f.stop(ctx, &s, &row) {
			if _, err := f.finish(ctx, row, &task.Job{Status: task.JobFailed, Fault: hub.Errorf(hub.CodeConflict, "The job was cancelled.")}); err != nil {
				return err
			}
		}
	}
	err := f.Store.HideJob(ctx, row.ID, row.UserID)
	if errors.Is(err, store.ErrNotFound) {
		return nil // by somebody else at the same time
	}
	return err
}

// stop asks the provider to end a job and reports whether it did.
func (f *Follower) stop(ctx context.Context, s *side, row *store.Job) bool {
	enc, ok := s.client.Cancel(row.ProviderJob, s.to)
	if !ok {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	answer, err := f.Upstream.Ask(ctx, s.target, s.key, request(enc), s.fault)
	if err != nil {
		f.Log.Info("job not cancelled", "job", row.ID, "provider", row.Provider, "error", err)
		return false
	}
	answer.Body.Close()
	return true
}
