package rollup

import (
	"time"

	"github.com/aigne-hub/aigne-hub/shared/store"
)

const (
	quarter = 15 * time.Minute
	day     = 24 * time.Hour
)

// floor is when the bucket of a period begins that a time is in.
func floor(p store.Period, t time.Time) time.Time {
	t = t.UTC()
	switch p {
	case store.Quarter:
		return t.Truncate(quarter)
	case store.Hour:
		return t.Truncate(time.Hour)
	case store.Day:
		return t.Truncate(day)
	}
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
}

// ceil is the first begin of a bucket that is not before a time.
func ceil(p store.Period, t time.Time) time.Time {
	if f := floor(p, t); !f.Before(t) {
		return f
	}
	return next(p, floor(p, t))
}

// next is when the bucket ends that begins at a time.
func next(p store.Period, start time.Time) time.Time {
	switch p {
	case store.Quarter:
		return start.Add(quarter)
	case store.Hour:
		return start.Add(time.Hour)
	case store.Day:
		return start.Add(day)
	}
	return start.AddDate(0, 1, 0)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// buckets are the buckets of a period that begin in a span.
func buckets(p store.Period, from, until time.Time) []store.StatBucket {
	var out []store.StatBucket
	for at := ceil(p, from); at.Before(until); at = next(p, at) {
		out = append(out, store.StatBucket{Period: p, Start: at})
	}
	return out
}
