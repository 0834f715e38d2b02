package admin

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// actFilter reads ?actor=, ?action=, ?subject=, ?from= and ?until= (RFC 3339).
func actFilter(r *http.Request) (f store.ActFilter, err error) {
	q := r.URL.Query()
	f = store.ActFilter{Actor: q.Get("actor"), Action: q.Get("action"), Subject: q.Get("subject")}
	for name, into := range map[string]*time.Time{"from": &f.From, "until": &f.Until} {
		if q.Get(name) == "" {
			continue
		}
		if *into, err = time.Parse(time.RFC3339, q.Get(name)); err != nil {
			return f, hub.Invalid(name, "%s must be a time such as 2027-01-31T00:00:00Z.", name)
		}
	}
	return f, nil
}

// listActs lists the audit log, newest first, by ?cursor= and ?pageSize=.
func (h *handler) listActs(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	f, err := actFilter(r)
	if err != nil {
		return err
	}
	p, err := httpkit.ParsePaging(r)
	if err != nil {
		return err
	}
	if p.Page > 1 {
		return hub.Invalid("page", "This list has no pages; go on with cursor=<next_cursor>.")
	}
	var after store.ActCursor
	if p.Cursor != "" {
		keys, err := httpkit.DecodeCursor(p.Cursor, 2)
		if err != nil {
			return err
		}
		ms, err := strconv.ParseInt(keys[0], 10, 64)
		if err != nil || keys[1] == "" {
			return hub.Invalid("cursor", "cursor is not one that this list gave out.")
		}
		after = store.ActCursor{At: time.UnixMilli(ms), ID: keys[1]}
	}
	rows, err := h.Store.Acts(r.Context(), f, after, p.Size+1)
	if err != nil {
		return err
	}
	out := httpkit.Listing[operator.ActView]{Data: []operator.ActView{}}
	if len(rows) > p.Size {
		rows = rows[:p.Size]
		last := rows[p.Size-1]
		next := httpkit.EncodeCursor(strconv.FormatInt(last.At.UnixMilli(), 10), last.ID)
		out.NextCursor = &next
	}
	for _, a := range rows {
		out.Data = append(out.Data, operator.ViewAct(a))
	}
	w.Header().Set("Cache-Control", "no-store")
	return httpkit.WriteJSON(w, http.StatusOK, out)
}

// verifyTime is how long a verification that an administrator asks for may take:
// API Gateway gives up after 30 s.
const verifyTime = 25 * time.Second

type auditReport struct {
	OK bool `json:"ok"`
	store.AuditReport
}

// verifyActs proves the chain of the audit log: ?anchor= (number:hash, as it was
// printed once). What is wrong is part of the answer, not an error.
func (h *handler) verifyActs(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	anchor, err := operator.ParseHead(r.URL.Query().Get("anchor"))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), verifyTime)
	defer cancel()
	report, err := h.Store.VerifyAudit(ctx, anchor)
	if err != nil && ctx.Err() != nil && r.Context().Err() == nil {
		return hub.Wrap(hub.CodeUnavailable, err, "The log is too long to be proved while you wait: `aigne-hub audit verify` does it.")
	}
	if err != nil {
		return err
	}
	if report.Violations == nil {
		report.Violations = []store.Violation{}
	}
	return httpkit.WriteJSON(w, http.StatusOK, auditReport{len(report.Violations) == 0, report})
}

// exportActs writes what listActs would list, all of it: ?format=ndjson
// (default) or csv. Who exports is on record.
func (h *handler) exportActs(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	f, err := actFilter(r)
	if err != nil {
		return err
	}
	form, kind := r.URL.Query().Get("format"), "application/x-ndjson"
	switch form {
	case "":
		form = operator.NDJSON
	case operator.NDJSON:
	case operator.CSV:
		kind = "text/csv; charset=utf-8"
	default:
		return hub.Invalid("format", "format must be ndjson or csv.")
	}
	if err := h.Desk.NoteExport(r.Context(), c.Email, form, f); err != nil {
		return err
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", `attachment; filename="audit.`+form+`"`)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	return h.Desk.ExportActs(r.Context(), w, form, f)
}
