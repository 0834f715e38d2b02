package calls

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/store"
)

// The formats of an export.
const (
	CSV    = "csv"    // RFC 4180 with a heading; cells that no spreadsheet takes for formulas
	NDJSON = "ndjson" // an object a line, all with the same keys and types of values
)

// Form is how an export is written.
type Form struct {
	Format    string `json:"format"`   // CSV or NDJSON
	Language  string `json:"language"` // of the heading of CSV; a value of Language
	Zone      string `json:"zone"`     // IANA name of the time zone that times are written in
	Operators bool   `json:"operators"`
}

// Export writes calls out, batch by batch, however many there are.
type Export struct {
	log   *Log
	form  Form
	zone  *time.Location
	names names
}

// names are cached: few users make many calls.
type names struct{ user, key, app map[string]string }

// NewExport makes an export. An error: the zone is not known.
func NewExport(l *Log, form Form) (*Export, error) {
	zone, err := time.LoadLocation(form.Zone)
	if err != nil {
		return nil, fmt.Errorf("time zone: %w", err)
	}
	x := &Export{log: l, form: form, zone: zone}
	x.forget()
	return x, nil
}

func (x *Export) forget() {
	x.names = names{map[string]string{}, map[string]string{}, map[string]string{}}
}

// batch is how many calls are in memory, keptNames how many names.
const (
	batch     = 500
	keptNames = 20_000
)

// Heading writes what stands before the first call: of CSV, the names of the
// columns behind the mark by which spreadsheets tell UTF-8.
func (x *Export) Heading(w io.Writer) error {
	if x.form.Format != CSV {
		return nil
	}
	lang := max(0, slices.Index(languages[:], x.form.Language))
	var cells []string
	for _, c := range x.columns() {
		cells = append(cells, c.heading[lang])
	}
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	_ = out.Write(cells) // shown by Flush
	out.Flush()
	return out.Error()
}

func (x *Export) columns() []column {
	if x.form.Operators {
		return columns
	}
	return slices.DeleteFunc(slices.Clone(columns), func(c column) bool { return c.operators })
}

// Next writes the next batch of what a filter selects, newest first, and how many
// calls it had. It sets the filter to go on; done says that it was the last one.
func (x *Export) Next(ctx context.Context, w io.Writer, f *store.CallFilter) (n int, done bool, err error) {
	f.Limit, f.Walk = batch, store.MaxWalk
	p, err := x.log.Page(ctx, *f)
	if err != nil {
		return 0, false, err
	}
	if err := x.learn(ctx, p.Calls); err != nil {
		return 0, false, err
	}
	if err := x.write(w, p.Calls); err != nil {
		return 0, false, err
	}
	f.Before = p.Floor
	return len(p.Calls), p.Floor == "", nil
}

// All writes a whole export and says how many calls it had.
func (x *Export) All(ctx context.Context, w io.Writer, f store.CallFilter) (n int64, err error) {
	if err := x.Heading(w); err != nil {
		return 0, err
	}
	for {
		some, done, err := x.Next(ctx, w, &f)
		n += int64(some)
		if err != nil || done {
			return n, err
		}
	}
}

func (x *Export) write(w io.Writer, calls []store.Call) error {
	cols := x.columns()
	var buf bytes.Buffer
	table := csv.NewWriter(&buf)
	table.UseCRLF = true
	cells := make([]string, len(cols))
	for i := range calls {
		c := &calls[i]
		r := &row{Call: c, user: x.names.user[c.UserID], key: x.names.key[c.APIKeyID], app: x.names.app[c.AppID], zone: x.zone}
		if x.form.Format != CSV {
			if err := object(&buf, cols, r); err != nil {
				return err
			}
			continue
		}
		for i, col := range cols {
			cells[i] = cell(col.value(r))
		}
		if err := table.Write(cells); err != nil {
			return err
		}
	}
	table.Flush()
	_, err := w.Write(buf.Bytes())
	return err
}

// object writes a line of NDJSON with its keys in the order of the columns.
func object(buf *bytes.Buffer, cols []column, r *row) error {
	sep := byte('{')
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	for _, c := range cols {
		buf.WriteByte(sep)
		sep = ','
		buf.WriteString(`"` + c.key + `":`)
		if err := enc.Encode(c.value(r)); err != nil {
			return err
		}
		buf.Truncate(buf.Len() - 1) // the encoder's line end
	}
	buf.WriteString("}\n")
	return nil
}

// learn looks up the names that the calls need and that are not known yet.
func (x *Export) learn(ctx context.Context, calls []store.Call) error {
	if len(x.names.user)+len(x.names.key)+len(x.names.app) > keptNames {
		x.forget()
	}
	s := x.log.Store
	for _, kind := range []struct {
		known map[string]string
		id    func(*store.Call) string
		read  func(context.Context, []string) (map[string]store.Named, error)
	}{
		{x.names.user, func(c *store.Call) string { return c.UserID }, s.UserNames},
		{x.names.key, func(c *store.Call) string { return c.APIKeyID }, s.KeyNames},
		{x.names.app, func(c *store.Call) string { return c.AppID }, s.AppNames},
	} {
		var missing []string
		for i := range calls {
			id := kind.id(&calls[i])
			if _, ok := kind.known[id]; !ok && id != "" {
				kind.known[id] = ""
				missing = append(missing, id)
			}
		}
		found, err := kind.read(ctx, missing)
		if err != nil {
			return err
		}
		for id, name := range found {
			kind.known[id] = cmp.Or(name.Email, name.Name)
		}
	}
	return nil
}
