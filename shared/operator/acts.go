package operator

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/notify"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// ActView is a row of the audit log as it is shown.
type ActView struct {
	ID        string          `json:"id"`
	At        time.Time       `json:"at"`
	Actor     string          `json:"actor"`
	UserID    string          `json:"user_id,omitempty"`
	KeyID     string          `json:"api_key_id,omitempty"`
	Address   string          `json:"address,omitempty"`
	RequestID string          `json:"request_id,omitempty"`
	Action    string          `json:"action"`
	Subject   string          `json:"subject"`
	Before    json.RawMessage `json:"before"` // null for none
	After     json.RawMessage `json:"after"`
	Number    int64           `json:"number"` // in the chain; 0 for a moment after it was recorded
	Hash      string          `json:"hash"`
}

// ViewAct shows an act.
func ViewAct(a store.Act) ActView {
	return ActView{a.ID, a.At, a.Actor, a.UserID, a.KeyID, a.Address, a.RequestID, a.Action, a.Subject, document(a.Before), document(a.After), a.Number, a.Hash}
}

// document is a stored text as JSON, whatever it is.
func document(text string) json.RawMessage {
	switch {
	case text == "":
		return json.RawMessage("null")
	case json.Valid([]byte(text)):
		return json.RawMessage(text)
	}
	b, _ := json.Marshal(text) // a string
	return b
}

// The forms of an export.
const (
	NDJSON = "ndjson"
	CSV    = "csv"
)

// ExportActs writes the acts that a filter lets through, newest first, a page at
// a time: one JSON document a line, or CSV with a heading whose cells no
// spreadsheet takes for formulas.
func (d *Desk) ExportActs(ctx context.Context, w io.Writer, form string, f store.ActFilter) error {
	const page = 500
	write, end := actsAsJSON(w)
	if form == CSV {
		write, end = actsAsCSV(w)
	}
	var after store.ActCursor
	for {
		acts, err := d.Store.Acts(ctx, f, after, page)
		if err != nil {
			return errors.Join(err, end())
		}
		for _, a := range acts {
			if err := write(a); err != nil {
				return err
			}
			after = store.ActCursor{At: a.At, ID: a.ID}
		}
		if len(acts) < page {
			return end()
		}
	}
}

func actsAsJSON(w io.Writer) (write func(store.Act) error, end func() error) {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return func(a store.Act) error { return enc.Encode(ViewAct(a)) }, func() error { return nil }
}

func actsAsCSV(w io.Writer) (write func(store.Act) error, end func() error) {
	out := csv.NewWriter(w)
	failed := out.Write([]string{"number", "at", "actor", "user_id", "api_key_id", "address", "request_id", "action", "subject", "before", "after", "id", "hash"})
	return func(a store.Act) error {
			row := []string{strconv.FormatInt(a.Number, 10), a.At.Format(time.RFC3339Nano), a.Actor, a.UserID, a.KeyID, a.Address, a.RequestID, a.Action, a.Subject,
				a.Before, a.After, a.ID, a.Hash}
			for i := range row {
				row[i] = cell(row[i])
			}
			return out.Write(row)
		}, func() error {
			out.Flush()
			return errors.Join(failed, out.Error())
		}
}

// cell keeps a spreadsheet from taking text for a formula: an apostrophe before
// what may begin one, which spreadsheets show as text.
func cell(s string) string {
	if strings.ContainsAny(s[:min(1, len(s))], "=+-@\t\r\n|%") || strings.HasPrefix(s, "＝") || strings.HasPrefix(s, "＋") ||
		strings.HasPrefix(s, "－") || strings.HasPrefix(s, "＠") {
		return "'" + s
	}
	return s
}

// ParseHead reads an anchor, "number:hash" as "audit verify" prints it; "" is
// none.
func ParseHead(text string) (store.Head, error) {
	if text == "" {
		return store.Head{}, nil
	}
	number, hash, _ := strings.Cut(text, ":")
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 1 || len(hash) != 64 || strings.Trim(hash, "0123456789abcdef") != "" {
		return store.Head{}, hub.Invalid("anchor", `An anchor is what "audit verify" printed, number:hash.`)
	}
	return store.Head{Number: n, Hash: hash}, nil
}

// WatchAudit proves the audit log, puts its head into the log of the process,
// where whoever changes the database does not reach it, and tells operators when
// something is wrong.
func (d *Desk) WatchAudit(ctx context.Context) error {
	if err := d.Store.LinkAudit(ctx); err != nil {
		return err
	}
	r, err := d.Store.VerifyAudit(ctx, store.Head{})
	if err != nil {
		return err
	}
	n := len(r.Violations)
	if n == 0 {
		d.Log.InfoContext(ctx, "audit log verified", "acts", r.Rows, "anchor", fmt.Sprintf("%d:%s", r.Head.Number, r.Head.Hash))
		return nil
	}
	first := r.Violations[0]
	d.Log.ErrorContext(ctx, "the audit log was tampered with", "violations", n, "first", first)
	told := d.Notify.Tell(ctx, notify.Event{ // once for each thing that is wrong, however often it is found
		ID: string(notify.AuditWrong) + "/" + first.Rule + "/" + first.Subject, Kind: notify.AuditWrong, Severity: notify.Failure,
		Title: "The audit log was tampered with.", Data: map[string]any{"violations": n, "first": first}})
	return errors.Join(fmt.Errorf("the audit log was tampered with: %d violations", n), told)
}

// NoteExport records that somebody takes the audit log out of the hub.
func (d *Desk) NoteExport(ctx context.Context, actor, form string, f store.ActFilter) error {
	about := map[string]any{"format": form}
	for name, v := range map[string]string{"actor": f.Actor, "action": f.Action, "subject": f.Subject} {
		if v != "" {
			about[name] = v
		}
	}
	for name, t := range map[string]time.Time{"from": f.From, "until": f.Until} {
		if !t.IsZero() {
			about[name] = t.UTC()
		}
	}
	return d.audit(ctx, actor, "audit.export", "", nil, about)
}
