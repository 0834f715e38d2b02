package rollup

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Top is a stretch of the list of all parts, the greatest first.
type Top struct {
	Parts []*Part
	Count int   // of all parts
	Whole int64 // what all parts come to by the measure
	// Rest is what the other parts come to in each slot of a question with a step;
	// without how long their calls took at most, and how many of them in which class.
	// nil: there are no others.
	Rest []Total
}

// Top finds the parts that come first by a measure, most of them after the first
// skip ones. Of users and keys, who can be thousands, everybody is only weighed, and
// only those who are wanted are summed up.
func (r *Reader) Top(ctx context.Context, q Question, name string, m Measure, skip, most int) (Range, *Top, error) {
	if (name == "user" || name == "key") && q.Only == (store.StatKey{}) {
		return r.weighed(ctx, q, name, m, skip, most)
	}
	x, all, err := r.By(ctx, q, name)
	if err != nil {
		return x, nil, err
	}
	SortParts(all, m)
	t := &Top{Count: len(all), Parts: all[min(skip, len(all)):min(skip+most, len(all))]}
	for i, p := range all {
		t.Whole += p.By(m)
		if i >= skip && i < skip+most || q.Step == "" {
			continue
		}
		if t.Rest == nil {
			t.Rest = make([]Total, len(x.Starts))
		}
		for slot := range p.Slots {
			t.Rest[slot].AddTotal(&p.Slots[slot])
		}
	}
	return x, t, nil
}

var errRoster = errors.New("a roster cannot be read")

// mostUsers is of how many users sums are looked up one by one; of more it is faster
// to read everybody's.
const mostUsers = 300

// scale is what users or keys weigh, by packed name.
type scale struct {
	key    bool
	names  map[string]*weighed
	noKeys map[string]bool // who called without a key, packed
	last   string          // packed name of one: lines of the same follow on each other
	one    *weighed
}

type weighed struct {
	packed, name string

	users []string // whose the key is; of calls without one all who made them
	weight
}

func (s *scale) put(user, key []byte, w *weight) {
	name := user
	if s.key {
		if name = key; len(key) == 0 && !s.noKeys[string(user)] {
			s.noKeys[string(user)] = true
		}
	}
	if s.one == nil || s.last != string(name) {
		if s.one = s.names[string(name)]; s.one == nil {
			s.one = &weighed{packed: string(name), name: unpacked(string(name)), users: []string{unpacked(string(user))}}
			s.names[s.one.packed] = s.one
		}
		s.last = s.one.packed
	}
	s.one.add(w)
}

// weighed is Top of users or keys.
func (r *Reader) weighed(ctx context.Context, q Question, name string, m Measure, skip, most int) (Range, *Top, error) {
	x, all, err := r.weigh(ctx, q, name == "key")
	if err != nil {
		return x, nil, err
	}
	slices.SortFunc(all, func(a, b *weighed) int {
		return cmp.Or(cmp.Compare(b.by(m), a.by(m)), cmp.Compare(b.calls, a.calls), cmp.Compare(a.name, b.name))
	})
	t := &Top{Count: len(all)}
	for _, w := range all {
		t.Whole += w.by(m)
	}
	wanted := all[min(skip, len(all)):min(skip+most, len(all))]
	place, users := make(map[string]int, len(wanted)), map[string]bool{}
	for i, w := range wanted {
		place[w.name] = i
		for _, u := range w.users {
			users[u] = true
		}
	}
	if len(users) <= mostUsers {
		q.users = slices.Collect(maps.Keys(users))
	}
	if len(wanted) > 0 {
		_, parts, err := r.By(ctx, q, name)
		if err != nil {
			return x, nil, err
		}
		t.Parts = slices.DeleteFunc(parts, func(p *Part) bool { _, ok := place[p.Key]; return !ok })
		slices.SortFunc(t.Parts, func(a, b *Part) int { return cmp.Compare(place[a.Key], place[b.Key]) })
	}
	if q.Step == "" || len(wanted) == len(all) {
		return x, t, nil
	}
	q.users = nil
	_, t.Rest, err = r.Trend(ctx, q)
	for slot := range t.Rest {
		for _, p := range t.Parts {
			t.Rest[slot].subtract(&p.Slots[slot])
		}
	}
	return x, t, err
}

// weigh weighs all users or keys over the whole range, in no order. The range is in
// the question's slots.
func (r *Reader) weigh(ctx context.Context, q Question, key bool) (Range, []*weighed, error) {
	recent, err := r.recent(ctx)
	if err != nil {
		return Range{}, nil, err
	}
	q.Before = false
	x, err := q.ranged(&recent.states)
	if err != nil {
		return x, nil, err
	}
	whole := x
	whole.spans = []span{{x.From, x.Until}}
	on := &scale{key: key, names: map[string]*weighed{}, noKeys: map[string]bool{}}
	stored := recent.spread(&whole, &q, func(_ int, t tally) {
		for k, s := range t {
			on.put([]byte(packed(k.UserID)), []byte(packed(k.KeyID)), new(weigh(s, k.Status)))
		}
	})
	if stored, err = r.people(ctx, stored, on); err != nil {
		return x, nil, err
	}
	if len(stored) > 0 {
		rows, err := r.Store.SumStats(ctx, store.StatQuery{Spans: stored, By: store.ByUser | store.ByKey | store.ByStatus})
		if err != nil {
			return x, nil, err
		}
		for i := range rows {
			s := &Sums{}
			s.add(&rows[i].StatSums)
			on.put([]byte(packed(rows[i].UserID)), []byte(packed(rows[i].KeyID)), new(weigh(s, rows[i].Status)))
		}
	}
	all := make([]*weighed, 0, len(on.names))
	for name, w := range on.names {
		if key && name == "" {
			w.users = nil
			for u := range on.noKeys {
				w.users = append(w.users, unpacked(u))
			}
		}
		all = append(all, w)
	}
	return x, all, nil
}

// people weighs those of the buckets that have rosters, and returns the others.
func (r *Reader) people(ctx context.Context, spans []store.StatSpan, on *scale) ([]store.StatSpan, error) {
	read := reads{}
	err := r.Store.RosterPeople(ctx, rostered(spans), func(slot int, b store.StatBucket, text []byte) error {
		line := readRoster(text)
		if line.bad {
			return nil
		}
		for line.more() {
			user, _, key, w := line.person()
			on.put(user, key, &w)
		}
		return read.note(slot, b, &line)
	})
	return read.others(spans), err
}

// apps adds the applications of those of the buckets that have rosters, and returns
// the others.
func (r *Reader) apps(ctx context.Context, spans []store.StatSpan, by store.Dim, total answers) ([]store.StatSpan, error) {
	read := reads{}
	err := r.Store.RosterApps(ctx, rostered(spans), func(slot int, b store.StatBucket, text []byte) error {
		line := readRoster(text)
		if line.bad {
			return nil
		}
		for line.more() {
			k, s := line.app()
			total.at(slot, only(by, k)).add(&s)
		}
		return read.note(slot, b, &line)
	})
	return read.others(spans), err
}

// rostered leaves out spans of buckets that never have rosters.
func rostered(spans []store.StatSpan) (out []store.StatSpan) {
	for _, s := range spans {
		if s.Period >= store.Hour {
			out = append(out, s)
		}
	}
	return out
}

// reads is which buckets have been read, by slot.
type reads map[readBucket]bool

type readBucket struct {
	slot   int
	period store.Period
	start  int64
}

func (r reads) note(slot int, b store.StatBucket, line *reading) error {
	if line.bad {
		return errRoster
	}
	r[readBucket{slot, b.Period, b.Start.UnixMilli()}] = true
	return nil
}

// others is what of spans has not been read.
func (r reads) others(spans []store.StatSpan) (out []store.StatSpan) {
	for _, s := range spans {
		if s.Period == store.Quarter {
			out = append(out, s)
			continue
		}
		open := false // the last span of out goes on
		for at := s.From; at.Before(s.Until); {
			next := s.Period.Next(at)
			switch {
			case r[readBucket{s.Slot, s.Period, at.UnixMilli()}]:
				open = false
			case open:
				out[len(out)-1].Until = next
			default:
				out, open = append(out, store.StatSpan{Slot: s.Slot, Period: s.Period, From: at, Until: earlier(next, s.Until)}), true
			}
			at = next
		}
	}
	return out
}
