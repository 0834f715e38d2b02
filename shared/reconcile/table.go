package reconcile

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// table is a file of lines with a heading, separated by commas or tabs (or
// semicolons), read line by line.
type table struct {
	csv     *csv.Reader
	columns map[string]int
	heading []string
	cells   []string
	number  int
}

const mostColumns = 500

func newTable(r *bufio.Reader) (*table, error) {
	head, err := r.Peek(4096)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, hub.Invalid("file", "The file cannot be read.")
	}
	firstLine, _, _ := strings.Cut(string(head), "\n")
	t := &table{csv: csv.NewReader(r), columns: map[string]int{}}
	t.csv.ReuseRecord, t.csv.FieldsPerRecord = true, -1
	switch {
	case strings.Contains(firstLine, "\t"):
		t.csv.Comma = '\t'
	case !strings.Contains(firstLine, ",") && strings.Contains(firstLine, ";"):
		t.csv.Comma = ';'
	}
	heading, err := t.csv.Read()
	if err != nil || len(heading) > mostColumns {
		return nil, hub.Invalid("file", "The file has no heading that can be read.")
	}
	for i, name := range heading {
		name = strings.TrimSpace(name)
		t.heading = append(t.heading, name)
		if _, twice := t.columns[name]; !twice {
			t.columns[name] = i
		}
	}
	t.number = 1
	return t, nil
}

// next reads a line; blank ones are passed over.
func (t *table) next() error {
	for {
		cells, err := t.csv.Read()
		if errors.Is(err, io.EOF) {
			return io.EOF
		}
		if err != nil {
			return hub.Invalid("file", "The table cannot be read: %v.", err)
		}
		t.number, _ = t.csv.FieldPos(0)
		if len(cells) > 1 || strings.TrimSpace(cells[0]) != "" {
			t.cells = cells
			return nil
		}
	}
}

func (t *table) place() string { return "line " + strconv.Itoa(t.number) }

// has reports whether a column is there.
func (t *table) has(name string) bool {
	_, ok := t.columns[name]
	return ok
}

// need checks that columns are there.
func (t *table) need(names ...string) error {
	var missing []string
	for _, n := range names {
		if !t.has(n) {
			missing = append(missing, n)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return hub.Invalid("file", "The table has no column %s; it has %s.", strings.Join(missing, ", "), shorten(strings.Join(t.heading, ", ")))
}

func shorten(s string) string {
	const most = 300
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + " …"
}

func (t *table) text(name string) string {
	i, ok := t.columns[name]
	if !ok || i >= len(t.cells) {
		return ""
	}
	return strings.TrimSpace(t.cells[i])
}

func (t *table) count(name string) (*int64, error) {
	n, ok := wholeNumber(t.text(name))
	if !ok {
		return nil, fault(t.place(), "%s is no whole number: %.40q", name, t.text(name))
	}
	return n, nil
}

// counts reads several columns; those that the table has not are nil.
func (t *table) counts(into map[string]**int64) error {
	for name, at := range into {
		n, err := t.count(name)
		if err != nil {
			return err
		}
		if *at = n; n == nil && t.has(name) {
			*at = new(int64) // an empty cell of a column that there is
		}
	}
	return nil
}

func (t *table) money(name string, per int64) (*int64, error) {
	n, ok := dollars(t.text(name), per)
	if !ok {
		return nil, fault(t.place(), "%s is no amount: %.40q", name, t.text(name))
	}
	return n, nil
}

// tableReader reads the lines of one kind of table.
type tableReader struct {
	t    *table
	read func(t *table) (line, error)
}

func (r tableReader) next() (line, error) {
	if err := r.t.next(); err != nil {
		return line{}, err
	}
	return r.read(r.t)
}

// timeLayouts are how exports write times; those without an offset are in the
// export's zone.
var timeLayouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006/01/02 15:04:05"}

var dayLayouts = []string{time.DateOnly, "2006/01/02", "20060102"}

// moment reads a time or a day: a date, a date with a time, or Unix seconds.
func moment(s string, zone *time.Location) (time.Time, error) {
	for _, layout := range dayLayouts {
		if d, err := time.ParseInLocation(layout, s, zone); err == nil {
			return d, nil
		}
	}
	for _, layout := range timeLayouts {
		if at, err := time.ParseInLocation(layout, s, zone); err == nil {
			return at, nil
		}
	}
	whole, frac, _ := strings.Cut(s, ".")
	if n, err := strconv.ParseInt(whole, 10, 64); err == nil && strings.Trim(frac, "0") == "" && n > 1_000_000_000 && n < 100_000_000_000 {
		return time.Unix(n, 0), nil
	}
	return time.Time{}, fmt.Errorf("%.40q is no date", s)
}

// Column names what a column of a mapped table holds.
type Column string

// The columns of a mapped table. Date and Model are needed.
const (
	colDate     Column = "date"
	colModel    Column = "model"
	colKey      Column = "key"
	colCall     Column = "call"           // the hub's id of a call
	colRequest  Column = "request"        // or the id of its request: the header x-request-id
	colInput    Column = "input"          // prompt tokens, cached ones included
	colUncached Column = "input_uncached" // prompt tokens without cached ones; instead of input
	colCached   Column = "cached"         // prompt tokens read from a cache
	colWrite    Column = "cache_write"
	colOutput   Column = "output" // generated tokens, thinking included
	colRequests Column = "requests"
	colCost     Column = "cost" // dollars
)

// Columns lists what can be mapped.
func Columns() []Column {
	return []Column{colDate, colModel, colKey, colCall, colRequest, colInput, colUncached, colCached, colWrite, colOutput, colRequests, colCost}
}

// ParseColumns reads a mapping such as date=Day,model=Model,input=Prompt tokens.
func ParseColumns(s string) (map[Column]string, error) {
	out := map[Column]string{}
	for part := range strings.SplitSeq(s, ",") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		name, column, ok := strings.Cut(part, "=")
		c := Column(strings.TrimSpace(name))
		if !ok || !slices.Contains(Columns(), c) || strings.TrimSpace(column) == "" {
			return nil, hub.Invalid("map", "The mapping must look like date=Day,model=Model,cost=Cost; there are %s.", columnNames())
		}
		out[c] = strings.TrimSpace(column)
	}
	return out, nil
}

func columnNames() string {
	var all []string
	for _, c := range Columns() {
		all = append(all, string(c))
	}
	return strings.Join(all, ", ")
}

// mappedTable reads any table. A column that is not mapped is the one of its own
// name, if the table has that.
func mappedTable(t *table, o Options) (reader, error) {
	name := map[Column]string{}
	for _, c := range Columns() {
		name[c] = string(c)
	}
	for c, column := range o.Columns {
		if !t.has(column) {
			return nil, t.need(column)
		}
		name[c] = column
	}
	if err := t.need(name[colDate], name[colModel]); err != nil {
		return nil, err
	}
	if t.has(name[colInput]) && t.has(name[colUncached]) {
		return nil, hub.Invalid("map", "Map input or input_uncached, not both.")
	}
	return tableReader{t, func(t *table) (line, error) {
		l := line{model: t.text(name[colModel]), key: t.text(name[colKey]), call: t.text(name[colCall]), request: t.text(name[colRequest])}
		var err error
		if l.at, err = moment(t.text(name[colDate]), o.zone()); err != nil {
			return l, fault(t.place(), "%s: %v", name[colDate], err)
		}
		var input *int64
		err = t.counts(map[string]**int64{name[colInput]: &input, name[colUncached]: &l.input, name[colCached]: &l.read,
			name[colWrite]: &l.write, name[colOutput]: &l.output, name[colRequests]: &l.requests})
		if err != nil {
			return l, err
		}
		if input != nil {
			l.input = less(input, l.read, l.write)
		}
		l.cost, err = t.money(name[colCost], 1)
		return l, err
	}}, nil
}
