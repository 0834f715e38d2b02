package proxy

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/admission"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/jobs"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/task"
	"github.com/aigne-hub/aigne-hub/shared/upstream"
)

// jobServer is how callers of one language ask for work that becomes a job.
type jobServer interface {
	Name() dialect.Name
	View(r *http.Request, body []byte) (*dialect.TaskView, error)
}

// order is a job between admission and its being on record.
type order struct {
	lifetime
	view    *dialect.TaskView
	native  dialect.Name // the caller's language
	dropped []string
	made    *task.Job
}

func (x *order) client(t *routing.Target) (c dialect.JobClient, native bool) {
	name := t.Provider.Kind.Tasks[x.view.Request.Kind]
	return x.h.Jobs.Clients[name], name == x.native
}

func (x *order) target(t *routing.Target) dialect.Target {
	return dialect.Target{Model: t.Model, Quirks: t.Provider.Kind.Quirks, MaxOutput: t.MaxOutput}
}

func (x *order) prepare(t *routing.Target) (upstream.Request, error) {
	client, native := x.client(t)
	var enc dialect.TaskEncoded
	var err error
	if native {
		enc, err = client.Splice(x.view, x.target(t))
	} else {
		enc, err = x.h.translate(x.upstream, client, x.view.Request, x.target(t))
	}
	x.dropped = enc.Dropped
	return encoded(client.Name(), enc), err
}

func (x *order) fault(t *routing.Target, status int, header http.Header, body []byte) *hub.Error {
	client, _ := x.client(t)
	return client.Fault(status, header, body)
}

func (x *order) accept(a *upstream.Answer) *hub.Error {
	body, err := readAnswer(a.Body, a.Header)
	if err != nil {
		return brokenAnswer(err)
	}
	client, _ := x.client(a.Target)
	if x.made, err = client.Job(dialect.TaskAnswer{Header: a.Header, Body: body}, x.target(a.Target)); err != nil {
		return misread(err)
	}
	if x.made.Status == task.JobFailed {
		return x.made.Fault
	}
	return nil
}

// createJob asks a provider for a job and puts it on record. From then on the job
// owns the call, whoever leaves or dies. Between the provider's yes and the record
// a crash may lose the job: its call is swept, its hold goes back, and what the
// provider charges is the operator's cost.
func (h *handler) createJob(w http.ResponseWriter, r *http.Request, caller hub.Caller, server jobServer) (store.Job, *dialect.TaskView, error) {
	body, err := readBody(r)
	if err != nil {
		return store.Job{}, nil, err
	}
	view, err := server.View(r, body)
	if err != nil {
		return store.Job{}, nil, err
	}
	req := view.Request
	bound, opaque := admission.WorkBound(req, view.Bytes)
	traits, err := h.workTraits(r, caller, view)
	if err != nil {
		return store.Job{}, nil, err
	}
	to := routing.Request{Model: req.Model, Type: req.Kind.CallType(), Task: req.Kind, Dialect: server.Name(), Traits: traits}
	plan, ticket, err := h.ticket(r, caller, to, way{}, func(*routing.Plan) admission.Request {
		return admission.Request{Caller: caller, Type: req.Kind.CallType(), Dialect: string(server.Name()), Work: &bound, OpaqueInput: opaque, Variant: variantAsked(req)}
	})
	if err != nil {
		refusalHeaders(w, err)
		return store.Job{}, nil, err
	}
	take := h.Capture.Take(&caller, ticket.CallID) // the answer is only the job's number
	take.Request(r.Header.Get("Content-Type"), body)
	defer take.Done()
	x := &order{lifetime: newLifetime(h, w, r, ticket), view: view, native: server.Name()}
	defer x.done()
	answer, trace, err := h.Upstream.Do(x.upstream, upstream.Call{Plan: plan, Prepare: x.prepare, Fault: x.fault, Whole: true, Accept: x.accept})
	if err != nil {
		fault := hub.AsError(err)
		if _, err := ticket.Settle(x.settling(), fail(trace, fault, r.Context().Err() != nil)); err != nil {
			return store.Job{}, nil, err
		}
		return store.Job{}, nil, fault
	}
	answer.Body.Close()
	row, err := x.record(answer, trace)
	if err != nil {
		return row, view, err
	}
	(&errand{lifetime: x.lifetime, dropped: x.dropped}).headers(answer, admission.Settled{})
	return row, view, nil
}

// record hands the call over to its job.
func (x *order) record(a *upstream.Answer, trace upstream.Trace) (store.Job, error) {
	client, _ := x.client(a.Target)
	film := x.view.Request.Film
	asked := jobs.Asked{Model: x.view.Request.Model, Seconds: film.Seconds, Size: film.Size, Variant: variantAsked(x.view.Request)}
	if asked.Seconds == 0 {
		asked.Seconds = client.DefaultSeconds(x.target(a.Target))
	}
	if asked.Size == "" {
		asked.Size = x.made.Variant.Size
	}
	text, err := json.Marshal(asked)
	if err != nil {
		return store.Job{}, err
	}
	now := x.h.Now()
	return x.ticket.HandOver(x.settling(), admission.Job{
		Kind: string(x.view.Request.Kind), Language: string(client.Name()), ProviderJob: x.made.ID, Target: a.Target, Credential: a.Credential,
		Asked: text, Poll: now.Add(jobs.FirstPoll), Deadline: now.Add(jobs.Deadline), ExpiresAt: now.Add(jobs.Life),
		Attempts: trace.Attempts, Tries: trace.Tries,
	})
}

// videoPrefix stands before a job's id, as OpenAI's ids look.
const videoPrefix = "video_"

type videoOut struct {
	ID          string      `json:"id"`
	Object      string      `json:"object"`
	CreatedAt   int64       `json:"created_at"`
	CompletedAt *int64      `json:"completed_at"`
	ExpiresAt   *int64      `json:"expires_at"`
	Status      string      `json:"status"`
	Model       string      `json:"model"`
	Progress    int64       `json:"progress"`
	Prompt      *string     `json:"prompt"` // never kept
	Seconds     string      `json:"seconds"`
	Size        string      `json:"size"`
	Remixed     *string     `json:"remixed_from_video_id"`
	Error       *videoFault `json:"error"`
}

type videoFault struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

var videoStatus = map[store.JobState]string{
	store.JobQueued: "queued", store.JobRunning: "in_progress", store.JobSucceeded: "completed", store.JobFailed: "failed",
}

// videoOf shows a job as OpenAI shows a video.
func videoOf(row *store.Job) videoOut {
	asked := jobs.AskedOf(row)
	out := videoOut{ID: videoPrefix + row.ID, Object: "video", CreatedAt: row.CreatedAt.Unix(), Status: videoStatus[row.State],
		Model: row.Model, Progress: row.Progress, Seconds: strconv.FormatInt(asked.Seconds, 10), Size: asked.Size}
	if row.FinishedAt != nil && row.State == store.JobSucceeded {
		out.CompletedAt = new(row.FinishedAt.Unix())
	}
	if row.State == store.JobFailed {
		out.Error = &videoFault{Code: row.ErrorCode, Message: row.Error}
	}
	return out
}

// createVideo serves POST /v1/videos.
func (h *handler) createVideo(server jobServer) httpkit.CallerHandler {
	return func(w http.ResponseWriter, r *http.Request, caller hub.Caller) error {
		row, _, err := h.createJob(w, r, caller, server)
		if err != nil {
			return err
		}
		return sendJSON(w, videoOf(&row))
	}
}

func sendJSON(w http.ResponseWriter, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("content-type", "application/json")
	w.Header().Set("content-length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(body) // a client that left can ask again
	return nil
}

// ownVideo finds the caller's own job; anybody else's is not there.
func (h *handler) ownVideo(r *http.Request, caller hub.Caller) (store.Job, error) {
	id, ok := strings.CutPrefix(r.PathValue("id"), videoPrefix)
	unknown := hub.Errorf(hub.CodeNotFound, "There is no such video.")
	if !ok {
		return store.Job{}, unknown
	}
	row, err := h.Jobs.Store.JobByID(r.Context(), id, caller.UserID)
	if errors.Is(err, store.ErrNotFound) {
		return row, unknown
	}
	if err != nil {
		return row, hub.Wrap(hub.CodeUnavailable, err, "The video cannot be looked up now.")
	}
	return row, nil
}

// getVideo serves GET /v1/videos/{id}.
func (h *handler) getVideo(w http.ResponseWriter, r *http.Request, caller hub.Caller) error {
	row, err := h.ownVideo(r, caller)
	if err != nil {
		return err
	}
	if row, err = h.Jobs.Poll(r.Context(), row); err != nil {
		return err
	}
	return sendJSON(w, videoOf(&row))
}

// listVideos serves GET /v1/videos: the caller's own.
func (h *handler) listVideos(w http.ResponseWriter, r *http.Request, caller hub.Caller) error {
	const usual, most = 20, 100
	q := r.URL.Query()
	limit := usual
	if text := q.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > most {
			return hub.Invalid("limit", "limit must be a whole number from 1 to %d.", most)
		}
		limit = n
	}
	order := q.Get("order")
	if order != "" && order != "asc" && order != "desc" {
		return hub.Invalid("order", "order must be asc or desc.")
	}
	rows, err := h.Jobs.Store.Jobs(r.Context(), caller.UserID, strings.TrimPrefix(q.Get("after"), videoPrefix), limit+1, order == "asc")
	if err != nil {
		return hub.Wrap(hub.CodeUnavailable, err, "The videos cannot be listed now.")
	}
	out := struct {
		Object  string     `json:"object"`
		Data    []videoOut `json:"data"`
		FirstID *string    `json:"first_id"`
		LastID  *string    `json:"last_id"`
		HasMore bool       `json:"has_more"`
	}{Object: "list", Data: []videoOut{}, HasMore: len(rows) > limit}
	for i := range rows[:min(limit, len(rows))] {
		out.Data = append(out.Data, videoOf(&rows[i]))
	}
	if n := len(out.Data); n > 0 {
		out.FirstID, out.LastID = &out.Data[0].ID, &out.Data[n-1].ID
	}
	return sendJSON(w, out)
}

// deleteVideo serves DELETE /v1/videos/{id}.
func (h *handler) deleteVideo(w http.ResponseWriter, r *http.Request, caller hub.Caller) error {
	row, err := h.ownVideo(r, caller)
	if err != nil {
		return err
	}
	if err := h.Jobs.Delete(r.Context(), row); err != nil {
		return err
	}
	return sendJSON(w, map[string]any{"id": videoPrefix + row.ID, "object": "video.deleted", "deleted": true})
}

// finished brings a job up to date and refuses one without a film.
func (h *handler) finished(ctx context.Context, row store.Job) (store.Job, error) {
	row, err := h.Jobs.Poll(ctx, row)
	switch {
	case err != nil:
		return row, err
	case row.State == store.JobFailed:
		return row, hub.Errorf(hub.CodeNotFound, "The video failed: %s", row.Error)
	case row.State != store.JobSucceeded:
		return row, hub.Errorf(hub.CodeConflict, "The video is not ready yet; ask after it with GET /v1/videos/%s%s.", videoPrefix, row.ID)
	}
	return row, nil
}

// videoContent serves GET /v1/videos/{id}/content.
func (h *handler) videoContent(w http.ResponseWriter, r *http.Request, caller hub.Caller) error {
	row, err := h.ownVideo(r, caller)
	if err != nil {
		return err
	}
	if row, err = h.finished(r.Context(), row); err != nil {
		return err
	}
	c, err := h.Jobs.Open(r.Context(), row, r.Header, r.URL.Query().Get("variant"))
	if err != nil {
		return err
	}
	defer c.Body.Close()
	hd := w.Header()
	for name, values := range c.Header {
		hd[name] = values
	}
	kind := c.Header.Get("Content-Type")
	if !strings.HasPrefix(kind, "video/") && !strings.HasPrefix(kind, "image/") || strings.Contains(kind, "svg") {
		hd.Set("content-type", "video/mp4") // whatever a file server calls it
	}
	hd.Set("x-content-type-options", "nosniff")
	hd.Set("content-security-policy", "default-src 'none'; sandbox")
	w.WriteHeader(c.Status)
	if _, err := io.Copy(w, c.Body); err != nil {
		return hub.Wrap(hub.CodeUpstream, err, "The video broke off.")
	}
	return nil
}
