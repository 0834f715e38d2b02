package rollup

import (
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// tally gathers rows by their keys.
type tally map[store.StatKey]*entry

// entry is a row whose histograms are open.
type entry struct {
	sums            store.StatSums
	durations, ttfb Histogram
}

func (t tally) at(k store.StatKey) *entry {
	e := t[k]
	if e == nil {
		e = &entry{}
		t[k] = e
	}
	return e
}

// call counts a call.
func (t tally) call(c *store.CountedCall) {
	e := t.at(c.StatKey)
	s := &e.sums
	s.Calls++
	s.Attempts += c.Attempts
	s.Credits += c.Credits
	s.Shortfall += c.Shortfall
	if c.Cost.Valid {
		s.Cost += c.Cost.Int64
		s.CostedCredits += c.Credits
	} else {
		s.Uncosted++
	}
	for b, n := range c.Usage {
		s.Units[b] += n
	}
	if c.DurationMS.Valid {
		s.Timed++
		s.DurationMS += c.DurationMS.Int64
		e.durations.Add(c.DurationMS.Int64)
	}
	if c.TTFBMS.Valid {
		s.Begun++
		s.TTFBMS += c.TTFBMS.Int64
		e.ttfb.Add(c.TTFBMS.Int64)
	}
	if at, ok := store.AdmittedAt(c.ID); ok {
		s.LastAt = max(s.LastAt, at.UnixMilli())
	}
}

// row adds a row.
func (t tally) row(k store.StatKey, r *store.StatSums) {
	t.at(k).row(r)
}

func (e *entry) row(r *store.StatSums) {
	s := &e.sums
	s.Calls += r.Calls
	s.Uncosted += r.Uncosted
	s.Attempts += r.Attempts
	s.Credits += r.Credits
	s.CostedCredits += r.CostedCredits
	s.Shortfall += r.Shortfall
	s.Cost += r.Cost
	for b, n := range r.Units {
		s.Units[b] += n
	}
	s.Timed += r.Timed
	s.DurationMS += r.DurationMS
	s.Begun += r.Begun
	s.TTFBMS += r.TTFBMS
	s.LastAt = max(s.LastAt, r.LastAt)
	e.durations.AddText(r.Durations)
	e.ttfb.AddText(r.TTFBs)
}

func (t tally) counted() (n int64) {
	for _, e := range t {
		n += e.sums.Calls
	}
	return n
}

// rows closes the histograms.
func (t tally) rows() map[store.StatKey]store.StatSums {
	out := make(map[store.StatKey]store.StatSums, len(t))
	for k, e := range t {
		s := e.sums
		s.Durations, s.TTFBs = e.durations.String(), e.ttfb.String()
		out[k] = s
	}
	return out
}

// cube leaves of a key what a cube tells apart.
func cube(c store.Cube, k store.StatKey) store.StatKey {
	switch c {
	case store.Whole:
		k.UserID, k.AppID, k.KeyID = "", "", ""
	case store.Who:
		k.Provider, k.Model, k.Type, k.Category = "", "", "", ""
	}
	return k
}

// cubes are those that the buckets of a period have.
func cubes(p store.Period) []store.Cube {
	if p >= store.Day {
		return []store.Cube{store.Full, store.Whole, store.Who}
	}
	return []store.Cube{store.Full, store.Whole}
}

// projected sums rows of the full cube into another one.
func projected(c store.Cube, rows map[store.StatKey]store.StatSums) map[store.StatKey]store.StatSums {
	if c == store.Full {
		return rows
	}
	t := tally{}
	for k, s := range rows {
		t.row(cube(c, k), &s)
	}
	return t.rows()
}

// difference is what is to be written where old rows are to become new ones.
func difference(c store.Cube, old []store.StatRow, rows map[store.StatKey]store.StatSums) store.StatChange {
	change := store.StatChange{Cube: c}
	kept := make(map[store.StatKey]bool, len(old))
	for _, r := range old {
		s, ok := rows[r.StatKey]
		switch {
		case !ok:
			change.Drop = append(change.Drop, r.StatKey)
		case s == r.StatSums:
			kept[r.StatKey] = true
		}
	}
	for k, s := range rows {
		if !kept[k] {
			change.Put = append(change.Put, store.StatRow{StatKey: k, StatSums: s})
		}
	}
	return change
}
