package store

import (
	"context"
	"database/sql"
	"encoding/json"
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
}

// StatSum is the sums of one slot and key; of the key only what was asked for is
// filled in.
type StatSum struct {
	Slot int
	StatRow
}

const sumStats = `j.value ->> 0, CASE WHEN ?2 & 1 THEN s.user_id ELSE '' END, CASE WHEN ?2 & 2 THEN s.app_id ELSE '' END,
  CASE WHEN ?2 & 4 THEN s.api_key_id ELSE '' END, CASE WHEN ?2 & 8 THEN s.provider ELSE '' END, CASE WHEN ?2 & 16 THEN s.model ELSE '' END,
  CASE WHEN ?2 & 32 THEN s.type ELSE '' END, CASE WHEN ?2 & 64 THEN s.status ELSE '' END, CASE WHEN ?2 & 128 THEN s.category ELSE '' END,
  sum(calls), sum(uncosted), sum(credits_nano), sum(costed_credits_nano), sum(cost_nano), group_concat(more, '')
FROM json_each(?1) j CROSS JOIN model_call_stats s `

const statOnly = `
  AND (?3 = '' OR s.user_id = ?3) AND (?4 = '' OR s.app_id = ?4) AND (?5 = '' OR s.api_key_id = ?5) AND (?6 = '' OR s.provider = ?6)
  AND (?7 = '' OR s.model = ?7) AND (?8 = '' OR s.type = ?8) AND (?9 = '' OR s.status = ?9) AND (?10 = '' OR s.category = ?10)
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9`

// The ways to the rows: by the range of buckets of a cube; by an application's
// index; and for a user, whose rows stand together in each bucket, bucket by bucket.
const (
	sumByCube = "SELECT " + sumStats + `WHERE s.period = j.value ->> 1 AND s.cube = j.value ->> 2
  AND s.started_at >= j.value ->> 3 AND s.started_at < j.value ->> 4` + statOnly
	sumOfApp = "SELECT " + sumStats + `INDEXED BY model_call_stats_app WHERE s.cube = 0 AND s.app_id <> '' AND s.app_id = ?4
  AND s.period = j.value ->> 1 AND s.started_at >= j.value ->> 3 AND s.started_at < j.value ->> 4` + statOnly
	sumOfUser = "SELECT " + sumStats + `WHERE s.period = j.value ->> 1 AND s.cube = j.value ->> 2 AND s.started_at = j.value ->> 3 AND s.user_id = ?3` + statOnly
)

// SumStats sums rows, in no order.
func (s *Store) SumStats(ctx context.Context, q StatQuery) ([]StatSum, error) {
	query, spans := sumByCube, q.Spans
	switch {
	case q.Only.UserID != "":
		query, spans = sumOfUser, single(q.Spans)
	case q.Only.AppID != "":
		query = sumOfApp
	}
	ranges := make([][5]int64, len(spans))
	for i, x := range spans {
		ranges[i] = [5]int64{int64(x.Slot), int64(x.Period), int64(q.cube(x.Period)), x.From.UnixMilli(), x.Until.UnixMilli()}
	}
	text, err := json.Marshal(ranges)
	if err != nil {
		return nil, err
	}
	o := q.Only
	return list(ctx, s.read, func(r *sql.Rows, v *StatSum) error {
		return r.Scan(append([]any{&v.Slot}, v.fields()...)...)
	}, query, string(text), int64(q.By), o.UserID, o.AppID, o.KeyID, o.Provider, o.Model, string(o.Type), string(o.Status), o.Category)
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
func (q StatQuery) cube(p Period) Cube {
	who := q.By&(ByUser|ByApp|ByKey) != 0 || q.Only.UserID != "" || q.Only.AppID != "" || q.Only.KeyID != ""
	what := q.By&(ByProvider|ByModel|ByType|ByCategory) != 0 || q.Only.Provider != "" || q.Only.Model != "" || q.Only.Type != "" || q.Only.Category != ""
	switch {
	case !who:
		return Whole
	case !what && p >= Day:
		return Who
	}
	return Full
}
