package proxy

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

// maxFilm bounds a film that is answered or kept as a whole.
const maxFilm = 256 << 20

// aigneVideo serves the protocol's one request for a film: it stays open while
// the job is asked after. A caller that leaves loses the answer, not the job,
// which settles like any other and is listed under /v1/videos.
func (h *handler) aigneVideo(server dialect.TaskServer) httpkit.CallerHandler {
	return func(w http.ResponseWriter, r *http.Request, caller hub.Caller) error {
		row, view, err := h.createJob(w, r, caller, server)
		if err != nil {
			return err
		}
		if row, err = h.await(r.Context(), row); err != nil {
			return err
		}
		res, err := h.film(r, row, view.Request.Film.URL)
		if err != nil {
			return err
		}
		call, err := h.Jobs.Store.CallByID(r.Context(), row.CallID)
		if err != nil {
			return hub.Wrap(hub.CodeUnavailable, err, "The call cannot be looked up now.")
		}
		payload, err := server.Whole(view, res, dialect.Closing{CallID: row.CallID, Provider: row.Provider, Model: row.Model,
			Usage: call.Usage, Known: true, Credits: call.Credits, Billed: call.Billing})
		if err != nil {
			return hub.Wrap(hub.CodeInternal, err, "The answer could not be encoded.")
		}
		hd := w.Header()
		hd.Set("content-type", payload.Type)
		hd.Set("content-length", strconv.Itoa(len(payload.Body)))
		if call.Billing {
			hd.Set("x-aigne-hub-credits", call.Credits.String())
		}
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write(payload.Body) // a client that left has been charged; nothing else to do
		return nil
	}
}

// await asks after a job until it is over, the caller has left or the time of a
// call is up.
func (h *handler) await(ctx context.Context, row store.Job) (store.Job, error) {
	ctx, cancel := context.WithTimeout(ctx, h.Limits.Total)
	defer cancel()
	stop := context.AfterFunc(h.Halt, cancel)
	defer stop()
	tick := time.NewTicker(h.Limits.JobPoll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return row, hub.Errorf(hub.CodeTimeout, "The video is not ready yet; it goes on as %s%s.", videoPrefix, row.ID)
		case <-tick.C:
		}
		var err error
		if row, err = h.Jobs.Poll(ctx, row); err != nil {
			return row, err
		}
		switch row.State {
		case store.JobSucceeded:
			return row, nil
		case store.JobFailed:
			return row, &hub.Error{Code: hub.Code(row.ErrorCode), Message: row.Error, Status: http.StatusBadGateway}
		}
	}
}

// film reads what a job made, and keeps it where a link is wanted.
func (h *handler) film(r *http.Request, row store.Job, link bool) (*task.Result, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), h.Limits.Total)
	defer cancel()
	c, err := h.Jobs.Open(ctx, row, nil, "")
	if err != nil {
		return nil, err
	}
	defer c.Body.Close()
	data, err := io.ReadAll(io.LimitReader(c.Body, maxFilm+1))
	if err != nil || len(data) > maxFilm {
		return nil, hub.Wrap(hub.CodeUpstream, err, "The video could not be read whole; it is at /v1/videos/%s%s/content.", videoPrefix, row.ID)
	}
	f := task.File{MIME: "video/mp4", Data: data}
	if link {
		if f.URL, err = h.keep(r, row.UserID, row.CallID, &f); err != nil {
			return nil, err
		}
	}
	return &task.Result{Films: []task.File{f}}, nil
}
