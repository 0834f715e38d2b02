package calls

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Log is the call log: the hub's own database and the archives that older calls
// were moved to, as one list.
type Log struct {
	Store    *store.Store
	Archives Archives // nil: there are none
}

// Page lists calls, newest first, as many as the filter's limit. A page can be
// shorter, even empty, and yet not the last one: only so many calls are looked at
// for it. It goes on below Floor unless that is "".
func (l *Log) Page(ctx context.Context, f store.CallFilter) (store.CallPage, error) {
	rows, floor, err := merge(ctx, l, f, func(c store.Call) string { return c.ID },
		func(s *store.Store, f store.CallFilter) ([]store.Call, string, error) {
			p, err := s.CallPage(ctx, f)
			return p.Calls, p.Floor, err
		})
	return store.CallPage{Calls: rows, Floor: floor}, err
}

func (l *Log) ids(ctx context.Context, f store.CallFilter) ([]string, string, error) {
	return merge(ctx, l, f, func(id string) string { return id },
		func(s *store.Store, f store.CallFilter) ([]string, string, error) { return s.CallIDs(ctx, f) })
}

// part is what one database says: rows, complete from their floor on.
type part[T any] struct {
	rows  []T
	floor string
}

// merge reads from all databases that can hold what is wanted. A call that is in
// two, because it is just being moved, is listed once.
func merge[T any](ctx context.Context, l *Log, f store.CallFilter, id func(T) string,
	read func(*store.Store, store.CallFilter) ([]T, string, error)) (rows []T, floor string, err error) {
	rows, floor, err = read(l.Store, f)
	if err != nil || l.Archives == nil {
		return rows, floor, err
	}
	parts := []part[T]{{rows, floor}}
	from, to := reach(f, floor)
	if !from.Before(to) {
		return rows, floor, nil
	}
	archives, rest, err := l.Archives.Newest(ctx, from, to)
	if err != nil {
		return nil, "", err
	}
	if len(archives) == 0 && rest == "" {
		return rows, floor, nil
	}
	parts = append(parts, part[T]{floor: rest})
	for _, s := range archives {
		g := f
		g.Span.From = from // further down, the page ends anyway
		var p part[T]
		if p.rows, p.floor, err = read(s, g); err != nil {
			return nil, "", err
		}
		parts = append(parts, p)
	}
	rows, floor = joined(parts, id)
	if limit := f.Limit; limit > 0 && len(rows) > limit {
		rows = rows[:limit]
		floor = id(rows[limit-1])
	}
	return rows, floor, nil
}

// joined are the rows of all parts down to where each of them is complete.
func joined[T any](parts []part[T], id func(T) string) (rows []T, floor string) {
	for _, p := range parts {
		floor = max(floor, p.floor)
	}
	for _, p := range parts {
		for _, r := range p.rows {
			if id(r) >= floor {
				rows = append(rows, r)
			}
		}
	}
	slices.SortStableFunc(rows, func(a, b T) int { return cmp.Compare(id(b), id(a)) })
	return slices.CompactFunc(rows, func(a, b T) bool { return id(a) == id(b) }), floor
}

// reach is the time that a page comes from: from its floor to where it begins.
func reach(f store.CallFilter, floor string) (from, to time.Time) {
	from, to = f.Span.From, f.Span.Until
	if to.IsZero() {
		to = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if at, ok := madeAt(f.Before); ok && at.Before(to) {
		to = at.Add(time.Millisecond)
	}
	if at, ok := madeAt(floor); ok && at.After(from) {
		from = at
	}
	return from, to
}

// madeAt is when the id of a call was made. Before cursors may be ids with
// something behind them.
func madeAt(id string) (time.Time, bool) {
	if len(id) < ulid.EncodedSize {
		return time.Time{}, false
	}
	u, err := ulid.ParseStrict(id[:ulid.EncodedSize])
	if err != nil {
		return time.Time{}, false
	}
	return ulid.Time(u.Time()).UTC(), true
}

// Find finds a call and the database that it lies in. store.ErrNotFound: there is
// none with that id.
func (l *Log) Find(ctx context.Context, id string) (store.Call, *store.Store, error) {
	c, err := l.Store.CallByID(ctx, id)
	at, ok := madeAt(id)
	if !errors.Is(err, store.ErrNotFound) || l.Archives == nil || !ok || len(id) != ulid.EncodedSize {
		return c, l.Store, err
	}
	archives, err := l.Archives.Of(ctx, at, at.Add(time.Millisecond))
	if err != nil {
		return c, nil, err
	}
	for _, s := range archives {
		if c, err = s.CallByID(ctx, id); !errors.Is(err, store.ErrNotFound) {
			return c, s, err
		}
	}
	return store.Call{}, nil, store.ErrNotFound
}

// Bounds of counting and of leafing by numbers: whoever has more goes on by cursor.
const (
	MaxCount = 10_000 // calls
	maxWalks = 5      // of DefaultWalk calls each
)

// Count counts what a filter selects, up to MaxCount. exact is false when there
// can be more.
func (l *Log) Count(ctx context.Context, f store.CallFilter) (n int, exact bool, err error) {
	_, n, exact, err = l.skip(ctx, f, MaxCount)
	return n, exact, err
}

// Skip leafs over n calls and returns what goes on behind them. ok is false when
// there are not as many, or so many calls would have to be looked at for them that
// it gave up.
func (l *Log) Skip(ctx context.Context, f store.CallFilter, n int) (before string, ok bool, err error) {
	if n == 0 {
		return f.Before, true, nil
	}
	before, found, _, err := l.skip(ctx, f, n)
	return before, found == n, err
}

func (l *Log) skip(ctx context.Context, f store.CallFilter, n int) (before string, found int, whole bool, err error) {
	const page = 1000
	for short := 0; short < maxWalks; {
		f.Limit = min(page, n-found)
		ids, floor, err := l.ids(ctx, f)
		if err != nil {
			return "", 0, false, err
		}
		if len(ids) < f.Limit {
			short++ // a walk that found too little
		}
		if found += len(ids); floor == "" {
			if len(ids) > 0 {
				f.Before = ids[len(ids)-1]
			}
			return f.Before, found, true, nil
		}
		f.Before = floor
		if found == n {
			return ids[len(ids)-1], n, false, nil
		}
	}
	return "", found, false, nil
}
