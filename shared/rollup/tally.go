package rollup

import (
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// tally gathers sums by their keys.
type tally map[store.StatKey]*Sums

func (t tally) at(k store.StatKey) *Sums {
	s := t[k]
	if s == nil {
		s = &Sums{}
		t[k] = s
	}
	return s
}

func (t tally) counted() (n int64) {
	for _, e := range t {
		n += e.Calls
	}
	return n
}

// cube leaves of a key what a cube tells apart.
func cube(c store.Cube, k store.StatKey) store.StatKey {
	switch c {
	case store.Whole:
		k.UserID, k.AppID, k.KeyID = "", "", ""
	case store.Who:
		k.Provider, k.Model, k.Type, k.Category = "", "", "", ""
	case store.Ends:
		k = store.StatKey{Status: k.Status}
	}
	return k
}

// cubes are those that the buckets of a period have.
func cubes(p store.Period) []store.Cube {
	if p >= store.Day {
		return []store.Cube{store.Full, store.Whole, store.Ends, store.Who}
	}
	return []store.Cube{store.Full, store.Whole, store.Ends}
}

// projected sums a full cube into another one.
func (t tally) projected(c store.Cube) tally {
	if c == store.Full {
		return t
	}
	out := tally{}
	for k, s := range t {
		out.at(cube(c, k)).Add(s)
	}
	return out
}

// difference is what is to be written where old rows are to become new ones.
func difference(c store.Cube, old []store.StatRow, fresh tally) store.StatChange {
	change := store.StatChange{Cube: c}
	kept := make(map[store.StatKey]bool, len(old))
	for _, r := range old {
		s, ok := fresh[r.StatKey]
		switch {
		case !ok:
			change.Drop = append(change.Drop, r.StatKey)
		case s.stored() == r.StatSums:
			kept[r.StatKey] = true
		}
	}
	for k, s := range fresh {
		if !kept[k] {
			change.Put = append(change.Put, store.StatRow{StatKey: k, StatSums: s.stored()})
		}
	}
	return change
}
