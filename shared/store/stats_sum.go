package store

import (
	"context"
	"database/sql"
	"strconv"
	"time"
)

// Dim is a column of the key that sums are told apart by.
type Dim int

// The columns.
const (
	ByUser Dim = 1 << iota
	ByApp
	ByKey
	ByProvider
	ByModel
	ByType
	ByStatus
	ByCategory
)

// StatSpan is a range of buckets of one period that count for one slot.
type StatSpan struct {
	Slot        int
	Period      Period
	From, Until time.Time
}

// StatQuery asks for sums. Empty fields of Only let everything through.
type StatQuery struct {
	Spans []StatSpan
	By    Dim // 0: one sum for each slot
	Only  StatKey
	// Users, where there are any and Only names none, are whose rows are read.
	Users []string
}

// StatSum is the sums of one slot and key; of the key only what was asked for is
// filled in.
type StatSum struct {
	Slot int
	StatRow
}

// statColumns are the columns of the key, in the order of StatRow's fields.
var statColumns = [...]struct {
	dim  Dim
	name string
	only func(*StatKey) string
}{
	{ByUser, "s.user_id", func(k *StatKey) string { return k.UserID }},
	{ByApp, "s.app_id", func(k *StatKey) string { return k.AppID }},
	{ByKey, "s.api_key_id", func(k *StatKey) string { return k.KeyID }},
	{ByProvider, "s.provider", func(k *StatKey) string { return k.Provider }},
	{ByModel, "s.model", func(k *StatKey) string { return k.Model }},
	{ByType, "s.type", func(k *StatKey) string { return string(k.Type) }},
	{ByStatus, "s.status", func(k *StatKey) string { return string(k.Status) }},
	{ByCategory, "s.category", func(k *StatKey) string { return k.Category }},
}

const statSpans = `WITH j(slot, period, cube, since, until) AS MATERIALIZED (
  SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(?)) `

const statSums = `, sum(s.calls), sum(s.uncosted), sum(s.credits_nano), sum(s.costed_credits_nano), sum(s.cost_nano), group_concat(s.more, '')
FROM j CROSS JOIN model_call_stats s `

// The ways to the rows: by the range of buckets of a cube; by an application's
// index; and for a user, whose rows stand together in each bucket, bucket by bucket.
const (
	statsByCube = "WHERE s.period = j.period AND s.cube = j.cube AND s.started_at >= j.since AND s.started_at < j.until"
	statsOfApp  = "INDEXED BY model_call_stats_app WHERE s.cube = 0 AND s.app_id <> '' AND s.period = j.period AND s.started_at >= j.since AND s.started_at < j.until"
	statsOfUser = "WHERE s.period = j.period AND s.cube = j.cube AND s.started_at = j.since"
	// The users are the parameter before those of the key.
	statsOfUsers = statsOfUser + " AND s.user_id IN (SELECT value FROM json_each(?))"
)

// statement is the query and its parameters behind the first, the spans. Only what
// is asked for is in it: rows are many.
func (q *StatQuery) statement() (query string, args []any) {
	way := statsByCube
	switch {
	case q.Only.UserID != "":
		way = statsOfUser
	case len(q.Users) > 0:
		way = statsOfUsers
		args = append(args, listOrNil(q.Users))
	case q.Only.AppID != "":
		way = statsOfApp
	}
	columns, groups := statSpans+"SELECT j.slot", " GROUP BY 1"
	for i, c := range statColumns {
		name := "''"
		if q.By&c.dim != 0 {
			const before = 2 // columns count from 1, and the first is the slot
			name = c.name
			groups += ", " + strconv.Itoa(i+before)
		}
		columns += ", " + name
		if only := c.only(&q.Only); only != "" {
			way += " AND " + c.name + " = ?"
			args = append(args, only)
		}
	}
	return columns + statSums + way + groups, args
}

// SumStats sums rows, in no order.
func (s *Store) SumStats(ctx context.Context, q StatQuery) ([]StatSum, error) {
	spans := q.Spans
	if q.Only.UserID != "" || len(q.Users) > 0 {
		spans = single(spans)
	}
	text, err := spansText(spans, q.cube)
	if err != nil {
		return nil, err
	}
	query, args := q.statement()
	return list(ctx, s.read, func(r *sql.Rows, v *StatSum) error {
		return r.Scan(append([]any{&v.Slot}, v.fields()...)...)
	}, query, append([]any{text}, args...)...)
}

// single splits spans into their buckets.
func single(spans []StatSpan) []StatSpan {
	var out []StatSpan
	for _, x := range spans {
		for at := x.From; at.Before(x.Until); at = x.Period.Next(at) {
			out = append(out, StatSpan{x.Slot, x.Period, at, at})
		}
	}
	return out
}

// cube is the smallest one that tells apart what is asked for.
func (q *StatQuery) cube(p Period) Cube {
	o := &q.Only
	who := q.By&(ByUser|ByApp|ByKey) != 0 || o.UserID != "" || o.AppID != "" || o.KeyID != "" || len(q.Users) > 0
	what := q.By&(ByProvider|ByModel|ByType|ByCategory) != 0 || o.Provider != "" || o.Model != "" || o.Type != "" || o.Category != ""
	switch {
	case o.AppID != "" && o.UserID == "" && len(q.Users) == 0:
		return Full // of which there is the index
	case !who && !what:
		return Ends
	case !who:
		return Whole
	case !what && p >= Day:
		return Who
	}
	return Full
}
