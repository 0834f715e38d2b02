// Package meter counts what the hub does: counters and histograms that cost a few
// atomic additions, and gauges that are looked up when somebody reads. It writes
// them in the text format of Prometheus; package otlp sends the same figures to an
// OpenTelemetry collector. It knows nothing of the hub, and it knows no floats:
// figures are whole numbers of a small unit (microseconds, nano-credits) and become
// decimals when they are shown.
package meter

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Kind is what sort of figure a family holds.
type Kind int

// The kinds.
const (
	KindCounter Kind = iota // only grows
	KindGauge
	KindHistogram
)

// Attr is an attribute of OpenTelemetry.
type Attr struct{ Key, Value string }

// Desc describes a family of figures.
type Desc struct {
	Name     string   // of Prometheus, with its unit and, of counters, _total
	Help     string   // one line
	Labels   []string // names, in the order of the values that With takes
	Decimals int      // figures are shown divided by 10 to this power
	// OTel is the name for OpenTelemetry, "" when it is Name with dots for underscores.
	OTel string
	Unit string // for OpenTelemetry, as UCUM writes it; "" is 1
}

// Family is one family as it was at a moment.
type Family struct {
	Desc
	Kind   Kind
	Bounds []int64 // of histograms: upper bounds, without the last, infinite one
	Points []Point
}

// Point is one figure of a family.
type Point struct {
	Values []string // of the labels
	Attrs  []Attr   // for OpenTelemetry, in place of the labels; nil: the labels
	Value  int64    // of counters and gauges; of histograms the sum
	Counts []uint64 // of histograms: of each bucket by itself, the infinite one last
}

// Registry holds families. The zero value is empty and works.
type Registry struct {
	mu       sync.Mutex
	families []family
	gatherer []func(context.Context, *Gather)
}

type family interface{ read() Family }

// Counter is a figure that only grows.
type Counter struct{ n atomic.Int64 }

// Add adds n, which must not be negative.
func (c *Counter) Add(n int64) { c.n.Add(n) }

// Value is the figure as it is now.
func (c *Counter) Value() int64 { return c.n.Load() }

// Histogram counts figures by size.
type Histogram struct {
	bounds []int64
	counts []atomic.Uint64
	sum    atomic.Int64
}

// Observe counts v.
func (h *Histogram) Observe(v int64) {
	i := 0
	for i < len(h.bounds) && v > h.bounds[i] {
		i++
	}
	h.counts[i].Add(1)
	h.sum.Add(v)
}

// Since counts the time since a moment, of histograms of microseconds.
func (h *Histogram) Since(start, now time.Time) { h.Observe(now.Sub(start).Microseconds()) }

// vec is the series of a family. Series are made once and kept by their users: the
// map is not on anybody's way.
type vec[T any] struct {
	desc Desc
	make func() *T
	mu   sync.Mutex
	all  map[string]*series[T]
}

type series[T any] struct {
	values []string
	attrs  []Attr
	value  *T
}

func (v *vec[T]) with(attrs []Attr, values []string) *T {
	v.mu.Lock()
	defer v.mu.Unlock()
	key := strings.Join(values, "\x00")
	s := v.all[key]
	if s == nil {
		s = &series[T]{values: slices.Clone(values), attrs: attrs, value: v.make()}
		if v.all == nil {
			v.all = map[string]*series[T]{}
		}
		v.all[key] = s
	}
	return s.value
}

// points lists the series in the order of their labels.
func (v *vec[T]) points(point func(*T) Point) []Point {
	v.mu.Lock()
	defer v.mu.Unlock()
	out := make([]Point, 0, len(v.all))
	for _, s := range v.all {
		p := point(s.value)
		p.Values, p.Attrs = s.values, s.attrs
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b Point) int { return slices.Compare(a.Values, b.Values) })
	return out
}

// Counters is a family of counters.
type Counters struct{ vec[Counter] }

// Counters makes a family of counters.
func (r *Registry) Counters(d Desc) *Counters {
	c := &Counters{vec[Counter]{desc: d, make: func() *Counter { return &Counter{} }}}
	r.add(c)
	return c
}

// With returns the counter with these values of the labels; its users keep it.
func (c *Counters) With(values ...string) *Counter { return c.with(nil, values) }

// WithAttrs is With for a counter that OpenTelemetry knows by other attributes.
func (c *Counters) WithAttrs(attrs []Attr, values ...string) *Counter { return c.with(attrs, values) }

func (c *Counters) read() Family {
	return Family{Desc: c.desc, Kind: KindCounter, Points: c.points(func(n *Counter) Point { return Point{Value: n.Value()} })}
}

// Histograms is a family of histograms with the same buckets.
type Histograms struct {
	vec[Histogram]
	bounds []int64
}

// Histograms makes a family of histograms. bounds are the upper bounds of the
// buckets in ascending order; an infinite one follows.
func (r *Registry) Histograms(d Desc, bounds []int64) *Histograms {
	h := &Histograms{bounds: bounds}
	h.desc, h.make = d, func() *Histogram {
		return &Histogram{bounds: bounds, counts: make([]atomic.Uint64, len(bounds)+1)}
	}
	r.add(h)
	return h
}

// With returns the histogram with these values of the labels; its users keep it.
func (h *Histograms) With(values ...string) *Histogram { return h.with(nil, values) }

// WithAttrs is With for a histogram that OpenTelemetry knows by other attributes.
func (h *Histograms) WithAttrs(attrs []Attr, values ...string) *Histogram {
	return h.with(attrs, values)
}

func (h *Histograms) read() Family {
	return Family{Desc: h.desc, Kind: KindHistogram, Bounds: h.bounds, Points: h.points(func(x *Histogram) Point {
		p := Point{Counts: make([]uint64, len(x.counts)), Value: x.sum.Load()}
		for i := range x.counts {
			p.Counts[i] = x.counts[i].Load()
		}
		return p
	})}
}

func (r *Registry) add(f family) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.families = append(r.families, f)
}

// OnRead adds what looks figures up whenever somebody reads.
func (r *Registry) OnRead(look func(context.Context, *Gather)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gatherer = append(r.gatherer, look)
}

// Gather takes the figures that are looked up at reading.
type Gather struct{ families []Family }

// Gauge adds a figure with the values of the labels.
func (g *Gather) Gauge(d Desc, v int64, values ...string) { g.add(d, KindGauge, v, values) }

// Counter adds a figure that only grows and is counted elsewhere.
func (g *Gather) Counter(d Desc, v int64, values ...string) { g.add(d, KindCounter, v, values) }

// Histogram adds a histogram that is counted elsewhere.
func (g *Gather) Histogram(d Desc, h *Histogram, values ...string) {
	p := Point{Values: values, Counts: make([]uint64, len(h.counts)), Value: h.sum.Load()}
	for i := range h.counts {
		p.Counts[i] = h.counts[i].Load()
	}
	g.families = append(g.families, Family{Desc: d, Kind: KindHistogram, Bounds: h.bounds, Points: []Point{p}})
}

func (g *Gather) add(d Desc, k Kind, v int64, values []string) {
	p := Point{Values: values, Value: v}
	for i := range g.families {
		if g.families[i].Name == d.Name {
			g.families[i].Points = append(g.families[i].Points, p)
			return
		}
	}
	g.families = append(g.families, Family{Desc: d, Kind: k, Points: []Point{p}})
}

// Read is every family as it is now, by name; those without a point are left out.
func (r *Registry) Read(ctx context.Context) []Family {
	r.mu.Lock()
	families, gatherer := slices.Clone(r.families), slices.Clone(r.gatherer)
	r.mu.Unlock()
	g := &Gather{}
	for _, look := range gatherer {
		look(ctx, g)
	}
	out := g.families
	for i := range out {
		slices.SortStableFunc(out[i].Points, func(a, b Point) int { return slices.Compare(a.Values, b.Values) })
	}
	for _, f := range families {
		if read := f.read(); len(read.Points) > 0 {
			out = append(out, read)
		}
	}
	slices.SortStableFunc(out, func(a, b Family) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Known lists the names of all families, also of those without a point.
func (r *Registry) Known(ctx context.Context) []string {
	var names []string
	for _, f := range r.Read(ctx) {
		names = append(names, f.Name)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range r.families {
		names = append(names, f.read().Name)
	}
	return names
}

// NewHistogram makes a histogram that no registry holds, for packages that count for
// themselves; see Gather.Histogram.
func NewHistogram(bounds []int64) *Histogram {
	return &Histogram{bounds: bounds, counts: make([]atomic.Uint64, len(bounds)+1)}
}
