package usage

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/calls"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// mostExports is how many exports of one user a job has to write at a time.
const mostExports = 3

// exportAsked is what an export is of. It is kept as JSON until the export is
// written.
type exportAsked struct {
	Filter store.CallFilter `json:"filter"`
	Form   calls.Form       `json:"form"`
}

// exportView is an export that a job writes.
type exportView struct {
	ID         string     `json:"id"`
	State      string     `json:"state"` // waiting, writing, done or failed
	Format     string     `json:"format"`
	CreatedAt  time.Time  `json:"created_at"`
	FinishedAt *time.Time `json:"finished_at"`
	ExpiresAt  *time.Time `json:"expires_at"` // of its links
	Calls      int64      `json:"calls"`      // so far
	Bytes      int64      `json:"bytes"`      // so far
	Error      string     `json:"error"`
	// Links open the files, in their order, for whoever has them; each begins with
	// the heading. Empty until the export is done.
	Links []string `json:"links"`
}

// askedExport reads what a request wants exported.
func (h *handler) askedExport(r *http.Request, c hub.Caller) (x exportAsked, err error) {
	q := r.URL.Query()
	if x.Filter, err = h.filterOf(r, c); err != nil {
		return x, err
	}
	x.Form.Format = cmp.Or(q.Get("format"), calls.CSV)
	if x.Form.Format != calls.CSV && x.Form.Format != calls.NDJSON {
		return x, hub.Invalid("format", "format must be csv or ndjson.")
	}
	who, err := h.Store.UserByID(r.Context(), c.UserID)
	if err != nil {
		return x, err
	}
	zone, err := calls.Zone("tz", cmp.Or(q.Get("tz"), who.TimeZone, "UTC"))
	if err != nil {
		return x, err
	}
	x.Form.Zone = zone.String()
	x.Form.Language = calls.Language(cmp.Or(q.Get("lang"), q.Get("locale"), who.Language, r.Header.Get("Accept-Language")))
	x.Form.Operators = c.All
	return x, nil
}

// exportCalls writes all calls that listCalls would list, as a stream without a
// limit. Where an answer has to be whole (on Lambda) a longer one becomes an export
// that a job writes: 202.
func (h *handler) exportCalls(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	asked, err := h.askedExport(r, c)
	if err != nil {
		return err
	}
	x, err := calls.NewExport(h.log(), asked.Form)
	if err != nil {
		return err
	}
	if asked.Filter.UserID != c.UserID {
		if err := h.Desk.NoteCallExport(r.Context(), c.Email, asked); err != nil {
			return err
		}
	}
	if h.MostAnswer == 0 {
		h.exportHeaders(w, asked.Form.Format)
		_, err = x.All(r.Context(), w, asked.Filter)
		return err
	}
	buf := &bounded{most: h.MostAnswer}
	switch _, err = x.All(r.Context(), buf, asked.Filter); {
	case errors.Is(err, errFull):
		return h.queueExport(w, r, c, asked, http.StatusAccepted)
	case err != nil:
		return err
	}
	h.exportHeaders(w, asked.Form.Format)
	_, err = w.Write(buf.b)
	return err
}

func (h *handler) exportHeaders(w http.ResponseWriter, format string) {
	hd := w.Header()
	hd.Set("Content-Type", exportType(format))
	hd.Set("Content-Disposition", `attachment; filename="model-calls-`+h.Now().UTC().Format(time.DateOnly)+"."+format+`"`)
	hd.Set("Cache-Control", "no-store")
	hd.Set("X-Content-Type-Options", "nosniff")
}

func exportType(format string) string {
	if format == calls.NDJSON {
		return "application/x-ndjson"
	}
	return "text/csv; charset=utf-8"
}

var errFull = errors.New("the answer is too long")

// bounded keeps up to so many bytes and refuses more.
type bounded struct {
	b    []byte
	most int
}

func (w *bounded) Write(p []byte) (int, error) {
	if len(w.b)+len(p) > w.most {
		return 0, errFull
	}
	w.b = append(w.b, p...)
	return len(p), nil
}

// startExport lets a job write an export of what listCalls would list.
func (h *handler) startExport(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	asked, err := h.askedExport(r, c)
	if err != nil {
		return err
	}
	if err := h.Desk.NoteCallExport(r.Context(), c.Email, asked); err != nil {
		return err
	}
	return h.queueExport(w, r, c, asked, http.StatusAccepted)
}

func (h *handler) queueExport(w http.ResponseWriter, r *http.Request, c hub.Caller, asked exportAsked, status int) error {
	if !h.Blobs.Ready() {
		return hub.Errorf(hub.CodeUnavailable, "This hub has no place for files; its operator has to set AIGNE_HUB_BLOB_URL.")
	}
	if until := asked.Filter.Span.Until; until.IsZero() || until.After(h.Now()) {
		asked.Filter.Span.Until = h.Now() // what comes later is not what was asked for
	}
	text, err := json.Marshal(asked)
	if err != nil {
		return err
	}
	e := store.CallExport{ID: h.Store.NewID(), UserID: c.UserID, CreatedAt: h.Now(), State: store.ExportWaiting, Asked: string(text)}
	if err := h.Store.AddCallExport(r.Context(), e, mostExports); errors.Is(err, store.ErrConflict) {
		return hub.Errorf(hub.CodeConflict, "%d of your exports are still being written; wait for one of them.", mostExports)
	} else if err != nil {
		return err
	}
	v, err := h.viewExport(r.Context(), e)
	if err != nil {
		return err
	}
	w.Header().Set("Location", "/api/usage/exports/"+e.ID)
	return httpkit.WriteJSON(w, status, v)
}

// listExports lists the caller's exports, newest first.
func (h *handler) listExports(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	after, size, err := httpkit.CursorPage(r)
	if err != nil {
		return err
	}
	rows, err := h.Store.CallExports(r.Context(), c.UserID, after, size+1)
	if err != nil {
		return err
	}
	var failed error
	page := httpkit.Listed(rows, size, func(e store.CallExport) string { return e.ID }, func(e store.CallExport) exportView {
		v, err := h.viewExport(r.Context(), e)
		failed = errors.Join(failed, err)
		return v
	})
	if failed != nil {
		return failed
	}
	w.Header().Set("Cache-Control", "no-store")
	return httpkit.WriteJSON(w, http.StatusOK, page)
}

// getExport shows one of the caller's exports, with the links once it is written.
func (h *handler) getExport(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	e, err := h.Store.CallExport(r.Context(), r.PathValue("id"))
	if errors.Is(err, store.ErrNotFound) || err == nil && e.UserID != c.UserID {
		return hub.Errorf(hub.CodeNotFound, "There is no export with this id.")
	}
	if err != nil {
		return err
	}
	v, err := h.viewExport(r.Context(), e)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return httpkit.WriteJSON(w, http.StatusOK, v)
}

func (h *handler) viewExport(ctx context.Context, e store.CallExport) (exportView, error) {
	var asked exportAsked
	if err := json.Unmarshal([]byte(e.Asked), &asked); err != nil {
		return exportView{}, err
	}
	v := exportView{ID: e.ID, State: e.State, Format: asked.Form.Format, CreatedAt: e.CreatedAt.UTC().Truncate(time.Millisecond),
		FinishedAt: e.FinishedAt, ExpiresAt: e.ExpiresAt, Calls: e.Rows, Bytes: e.Bytes, Error: e.Error, Links: []string{}}
	if e.State != store.ExportDone {
		return v, nil
	}
	names, err := h.writer().names(ctx, e)
	for _, name := range names {
		v.Links = append(v.Links, h.PublicURL+"/media/"+name)
	}
	return v, err
}
