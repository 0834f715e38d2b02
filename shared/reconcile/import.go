package reconcile

import (
	"cmp"
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/aigne-hub/aigne-hub/shared/calls"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Options say what a file is.
type Options struct {
	Provider string // the hub's name of it
	Format   Format
	Zone     *time.Location    // of days and times without an offset; nil: UTC, as providers' days are
	Columns  map[Column]string // of the format csv
	// Calls lets lines that name calls of this hub correct the operator's cost of
	// those calls. Their users' charges stay.
	Calls bool
	Actor string
}

func (o Options) zone() *time.Location {
	if o.Zone == nil {
		return time.UTC
	}
	return o.Zone
}

// Imported is what came of an import.
type Imported struct {
	store.BillImport
	CallsCorrected int64 `json:"calls_corrected"`
	CallsUnknown   int64 `json:"calls_unknown"` // named in the file, not known here
}

// Book imports and reports.
type Book struct {
	Store *store.Store
	Now   hub.Now
	// Archives hold older calls: reports read them, imports correct them no more. nil:
	// there are none.
	Archives calls.Archives
}

const (
	// most is how many days, models and keys, or calls, are summed in memory before
	// they are written, batch by batch, so that no write holds the others up.
	most      = 50_000
	batch     = 1000
	mostName  = 200
	staleness = 24 * time.Hour
)

// Import reads an export. Nothing of it counts until all of it was read; then it
// replaces what was known of the same days, models and keys. The same file again
// changes nothing. Errors that are the file's are hub.Errors naming the place.
func (b *Book) Import(ctx context.Context, r io.Reader, o Options) (Imported, error) {
	if o.Provider == "" || len(o.Provider) > 64 {
		return Imported{}, hub.Invalid("provider", "An import needs the name of a provider.")
	}
	if o.Format != CSV && o.zone() != time.UTC {
		return Imported{}, hub.Invalid("zone", "The days of this format are UTC.")
	}
	in, err := open(o.Format, r, o)
	if err != nil {
		return Imported{}, err
	}
	if err := b.Store.ForgetBills(ctx, staleness); err != nil {
		return Imported{}, err
	}
	bill := store.BillImport{ID: b.Store.NewID(), Provider: o.Provider, Format: string(o.Format), Zone: o.zone().String(),
		Actor: o.Actor, CreatedAt: b.Now().UTC()}
	if err := b.Store.BeginBill(ctx, bill); err != nil {
		return Imported{}, err
	}
	s := sink{book: b, bill: bill, options: o, rows: map[rowKey]*store.BillRow{}, calls: map[string]int64{}, requests: map[rowSpan]map[string]int64{}}
	if err := s.drain(ctx, in); err != nil {
		return Imported{}, errors.Join(err, b.Store.DropBill(context.WithoutCancel(ctx), bill.ID))
	}
	out := Imported{BillImport: s.bill}
	if s.named > 0 {
		if out.CallsCorrected, out.CallsUnknown, err = b.Store.BilledDiffer(ctx, s.bill); err != nil {
			return out, errors.Join(err, b.Store.DropBill(context.WithoutCancel(ctx), bill.ID))
		}
	}
	out.CallsUnknown += s.lost
	if out.BillImport, err = b.Store.FinishBill(ctx, s.bill, out.CallsCorrected > 0); err != nil || out.CallsCorrected == 0 {
		return out, err
	}
	return out, b.Store.CorrectBilled(ctx, out.BillImport)
}

// rowKey is what figures are summed by.
type rowKey struct {
	day               int64
	facet, model, key string
}

// sink sums lines and writes them in batches.
type sink struct {
	book    *Book
	bill    store.BillImport
	options Options
	rows    map[rowKey]*store.BillRow
	calls   map[string]int64 // costs by call
	// requests are costs by request, of each day: the calls are looked for there.
	requests map[rowSpan]map[string]int64
	waiting  int // requests in all days
	named    int64
	lost     int64 // requests whose call was not found
}

// rowSpan is a day in Unix milliseconds.
type rowSpan struct{ from, until int64 }

func (s *sink) drain(ctx context.Context, in reader) error {
	for {
		l, err := in.next()
		if errors.Is(err, io.EOF) {
			return s.flush(ctx)
		}
		if err != nil {
			return err
		}
		s.bill.Lines++
		if err := s.take(l); err != nil {
			return err
		}
		if len(s.rows) >= most || len(s.calls)+s.waiting >= most {
			if err := s.flush(ctx); err != nil {
				return err
			}
		}
	}
}

func (s *sink) take(l line) error {
	if len(l.model) > mostName || len(l.key) > mostName {
		return hub.Invalid("file", "line %d: a name is longer than %d bytes", s.bill.Lines, mostName)
	}
	if l.nothing() {
		return nil // exports have empty lines for days without use
	}
	from, until := dayOf(l.at, s.options.zone())
	var err error
	add := func(facet string, into func(*store.BillRow)) {
		k := rowKey{from.UnixMilli(), facet, l.model, l.key}
		row := s.rows[k]
		if row == nil {
			row = &store.BillRow{Day: k.day, Until: until.UnixMilli(), Facet: facet, Model: l.model, Key: l.key}
			s.rows[k] = row
		}
		into(row)
		for _, n := range []*int64{row.Requests, row.Input, row.CacheRead, row.CacheWrite, row.Output} {
			if n != nil && *n > mostUnits {
				err = hub.Invalid("file", "line %d: the sum of a day is out of range", s.bill.Lines)
			}
		}
	}
	if plus(l.requests, l.input, l.read, l.write, l.output) != nil {
		add(usageFacet, func(r *store.BillRow) {
			r.Requests, r.Input, r.CacheRead = plus(r.Requests, l.requests), plus(r.Input, l.input), plus(r.CacheRead, l.read)
			r.CacheWrite, r.Output = plus(r.CacheWrite, l.write), plus(r.Output, l.output)
		})
	}
	if l.cost == nil || err != nil {
		return err
	}
	add(costFacet, func(r *store.BillRow) { r.Cost = plus(r.Cost, l.cost) })
	if !s.options.Calls {
		return nil
	}
	return s.ofCall(&l, rowSpan{from.UnixMilli(), until.UnixMilli()})
}

// ofCall notes what a line says of one call.
func (s *sink) ofCall(l *line, day rowSpan) error {
	switch {
	case l.call == "" && l.request == "":
		return nil
	case *l.cost < 0:
		return hub.Invalid("file", "line %d: the cost of a call is negative", s.bill.Lines)
	case l.call == "":
		if len(l.request) > mostName {
			return hub.Invalid("file", "line %d: a name is longer than %d bytes", s.bill.Lines, mostName)
		}
		of := s.requests[day]
		if of == nil {
			of = map[string]int64{}
			s.requests[day] = of
		}
		if _, again := of[l.request]; !again {
			s.waiting++
		}
		of[l.request] += *l.cost
		return nil
	}
	if _, err := ulid.ParseStrict(l.call); err != nil {
		return hub.Invalid("file", "line %d: %.40q is no call's id", s.bill.Lines, l.call)
	}
	s.calls[l.call] += *l.cost
	return nil
}

// dayOf is the day of a moment in a zone: from midnight to midnight, however many
// hours that are.
func dayOf(at time.Time, zone *time.Location) (from, until time.Time) {
	y, m, d := at.In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, zone), time.Date(y, m, d+1, 0, 0, 0, 0, zone)
}

// resolve finds the calls of the requests that were named, on their day or next to
// it: a request is admitted before its provider is done.
func (s *sink) resolve(ctx context.Context) error {
	const slack = 24 * time.Hour
	for day, costs := range s.requests {
		ids := slices.Collect(maps.Keys(costs))
		calls, err := s.book.Store.CallsOfRequests(ctx, s.bill.Provider, time.UnixMilli(day.from).Add(-slack), time.UnixMilli(day.until).Add(slack), ids)
		if err != nil {
			return err
		}
		for request, cost := range costs {
			if id := calls[request]; id != "" {
				s.calls[id] += cost
			} else {
				s.lost++
			}
		}
	}
	clear(s.requests)
	s.waiting = 0
	return nil
}

func (s *sink) flush(ctx context.Context) error {
	if err := s.resolve(ctx); err != nil {
		return err
	}
	rows := make([]store.BillRow, 0, len(s.rows))
	for _, r := range s.rows {
		rows = append(rows, *r)
	}
	slices.SortFunc(rows, func(a, b store.BillRow) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Facet, b.Facet), cmp.Compare(a.Model, b.Model), cmp.Compare(a.Key, b.Key))
	})
	calls := make([]store.BillCall, 0, len(s.calls))
	for id, cost := range s.calls {
		calls = append(calls, store.BillCall{CallID: id, Cost: cost})
	}
	s.named += int64(len(calls))
	clear(s.rows)
	clear(s.calls)
	for part := range slices.Chunk(rows, batch) {
		if err := s.book.Store.AddBill(ctx, s.bill, part, nil); err != nil {
			return err
		}
	}
	for part := range slices.Chunk(calls, batch) {
		if err := s.book.Store.AddBill(ctx, s.bill, nil, part); err != nil {
			return err
		}
	}
	return nil
}
