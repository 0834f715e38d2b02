package rollup

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Reader answers from the sums. Calls of buckets that have not been made yet, those
// of the last quarter-hours, it counts itself.
type Reader struct {
	Store *store.Store
	Now   hub.Now

	mu   sync.Mutex
	tail *recent
}

// recent is the calls behind the horizon, by bucket, and the states they fit to.
type recent struct {
	states  [store.NumPeriods]store.StatState
	buckets map[int64]tally // by the begin of the quarter-hour
	made    time.Time
	took    time.Duration
}

const (
	// What took long to count is kept for so many times as long, so that a busy hub
	// does not count the same calls for everybody who looks.
	keptTimes = 10
	keptMost  = 10 * time.Second
)

// recent counts calls behind the horizon, or takes those counted a moment ago.
func (r *Reader) recent(ctx context.Context) (*recent, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.Now()
	if t := r.tail; t != nil && now.Sub(t.made) < min(keptMost, keptTimes*t.took) && !now.Before(t.made) {
		return t, nil
	}
	t := &recent{buckets: map[int64]tally{}, made: now}
	var err error
	if t.states, err = r.Store.StatStates(ctx); err != nil {
		return nil, err
	}
	err = r.Store.CountedCalls(ctx, t.states[store.Quarter].Horizon, time.Time{}, func(c *store.CountedCall) error {
		at, ok := store.AdmittedAt(c.ID)
		if !ok {
			return nil
		}
		b := store.Quarter.Floor(at).UnixMilli()
		if t.buckets[b] == nil {
			t.buckets[b] = tally{}
		}
		t.buckets[b].at(c.StatKey).call(c)
		return nil
	})
	if err != nil {
		return nil, err
	}
	t.took = r.Now().Sub(now)
	r.tail = t
	return t, nil
}

// Range is a span of time in slots.
type Range struct {
	From, Until time.Time
	Zone        *time.Location
	// UTCDays: the range begins before the oldest 15-minute rows and is answered in
	// days of UTC, whatever zone and step were asked for.
	UTCDays bool
	// Partial: sums of calls from before CompleteFrom are still being made.
	CompleteFrom time.Time
	Step         Step // "" of a range that is one slot
	Starts       []time.Time
	spans        []span
}

// Question is what is asked.
type Question struct {
	From, Until time.Time
	Zone        *time.Location // nil: UTC
	Step        Step           // "": one slot
	By          store.Dim
	Only        store.StatKey
	// Before adds the span of the same length right before, as slot -1. Without a
	// step only.
	Before bool
	users  []string // whose calls are meant, with Only's; none: everybody's
}

// Answer is what the calls of one slot and key come to.
type Answer struct {
	Slot int
	store.StatKey
	Sums
}

// MaxSlots is how many slots a trend may have: a year of hours is refused.
const MaxSlots = 2000

// Ask answers a question. Ends that are no quarter-hours are moved outwards, and
// with a step to the ends of slots.
func (r *Reader) Ask(ctx context.Context, q Question) (Range, []*Answer, error) {
	recent, err := r.recent(ctx)
	if err != nil {
		return Range{}, nil, err
	}
	x, err := q.ranged(&recent.states)
	if err != nil {
		return x, nil, err
	}
	total := answers{}
	stored := recent.spread(&x, &q, func(slot int, t tally) { t.into(total, slot, &q) })
	if q.By&^store.ByStatus == store.ByApp && q.Only == (store.StatKey{}) && len(q.users) == 0 {
		if stored, err = r.apps(ctx, stored, q.By, total); err != nil {
			return x, nil, err
		}
	}
	if len(stored) > 0 {
		rows, err := r.Store.SumStats(ctx, store.StatQuery{Spans: stored, By: q.By, Only: q.Only, Users: q.users})
		if err != nil {
			return x, nil, err
		}
		for i := range rows {
			total.at(rows[i].Slot, rows[i].StatKey).add(&rows[i].StatSums)
		}
	}
	return x, slices.Collect(maps.Values(total)), nil
}

// spread is what is stored of a range; what is not, the calls behind the horizon, is
// handed over.
func (t *recent) spread(x *Range, q *Question, each func(slot int, t tally)) (stored []store.StatSpan) {
	for i, one := range x.spans {
		slot := i
		if q.Before {
			slot = i - 1
		}
		covered, tail := cover(slot, one, &t.states)
		stored = append(stored, covered...)
		for at, bucket := range t.buckets {
			if b := time.UnixMilli(at); !b.Before(tail) && b.Before(one.until) {
				each(slot, bucket)
			}
		}
	}
	return stored
}

type slotKey struct {
	slot int
	store.StatKey
}

type answers map[slotKey]*Answer

func (t answers) at(slot int, k store.StatKey) *Sums {
	a := t[slotKey{slot, k}]
	if a == nil {
		a = &Answer{Slot: slot, StatKey: k}
		t[slotKey{slot, k}] = a
	}
	return &a.Sums
}

// into adds those rows that a question lets through.
func (t tally) into(total answers, slot int, q *Question) {
	for k, s := range t {
		if lets(q.Only, k) && (len(q.users) == 0 || slices.Contains(q.users, k.UserID)) {
			total.at(slot, only(q.By, k)).Add(s)
		}
	}
}

func lets(f, k store.StatKey) bool {
	return (f.UserID == "" || f.UserID == k.UserID) && (f.AppID == "" || f.AppID == k.AppID) && (f.KeyID == "" || f.KeyID == k.KeyID) &&
		(f.Provider == "" || f.Provider == k.Provider) && (f.Model == "" || f.Model == k.Model) && (f.Type == "" || f.Type == k.Type) &&
		(f.Status == "" || f.Status == k.Status) && (f.Category == "" || f.Category == k.Category)
}

// only leaves of a key what was asked for.
func only(by store.Dim, k store.StatKey) (out store.StatKey) {
	for _, c := range []struct {
		dim  store.Dim
		take func()
	}{
		{store.ByUser, func() { out.UserID = k.UserID }}, {store.ByApp, func() { out.AppID = k.AppID }},
		{store.ByKey, func() { out.KeyID = k.KeyID }}, {store.ByProvider, func() { out.Provider = k.Provider }},
		{store.ByModel, func() { out.Model = k.Model }}, {store.ByType, func() { out.Type = k.Type }},
		{store.ByStatus, func() { out.Status = k.Status }}, {store.ByCategory, func() { out.Category = k.Category }},
	} {
		if by&c.dim != 0 {
			c.take()
		}
	}
	return out
}

// ranged puts a question's span into slots.
func (q *Question) ranged(states *[store.NumPeriods]store.StatState) (Range, error) {
	x := Range{Zone: q.Zone, Step: q.Step, CompleteFrom: states[store.Quarter].Filled}
	if x.Zone == nil {
		x.Zone = time.UTC
	}
	all := span{store.Quarter.Floor(q.From), store.Quarter.Ceil(q.Until)}
	if !all.from.Before(all.until) {
		return x, hub.Invalid("startTime", "startTime must lie before endTime.")
	}
	length := all.until.Sub(all.from)
	first := all.from
	if q.Before {
		first = first.Add(-length)
	}
	if q.Step != "" {
		first = store.Quarter.Floor(q.Step.begin(all.from, x.Zone))
	}
	if first.Before(states[store.Quarter].Kept) {
		x.UTCDays, x.Zone = true, time.UTC
		if q.Step == ByHour {
			x.Step = ByDay
		}
		all = span{store.Day.Floor(all.from), store.Day.Ceil(all.until)}
		length = all.until.Sub(all.from)
	}
	switch {
	case q.Step != "":
		const mostHours = MaxSlots * time.Hour
		if length > mostHours && x.Step == ByHour {
			return x, hub.Invalid("granularity", "Hours are shown of at most %d days; send granularity=day.", MaxSlots/24)
		}
		for _, s := range slots(x.Step, all, x.Zone) {
			x.spans = append(x.spans, span{store.Quarter.Floor(s.from), store.Quarter.Floor(s.until)})
			x.Starts = append(x.Starts, s.from.In(x.Zone))
		}
		if len(x.spans) > MaxSlots {
			return x, hub.Invalid("startTime", "A trend has at most %d points; send a longer granularity.", MaxSlots)
		}
		all = span{x.spans[0].from, x.spans[len(x.spans)-1].until}
	case q.Before:
		x.spans = []span{{all.from.Add(-length), all.from}, all}
	default:
		x.spans = []span{all}
	}
	x.From, x.Until = all.from.In(x.Zone), all.until.In(x.Zone)
	return x, nil
}
