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
	Spans     []StatSpan
	By        Dim // 0: one sum for each slot
	Only      StatKey
	Latencies bool // the histograms too
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
  sum(calls), sum(uncosted), sum(attempts), sum(credits_nano), sum(costed_credits_nano), sum(shortfall_nano), sum(cost_nano),
  sum(input), sum(cache_read), sum(cache_write_5m), sum(cache_write_1h), sum(output), sum(reasoning), sum(input_audio), sum(output_audio),
  sum(input_image), sum(output_image), sum(images), sum(seconds), sum(characters), sum(web_searches), sum(requests),
  sum(timed), sum(duration_ms), sum(begun), sum(ttfb_ms), max(last_at),
  coalesce(group_concat(CASE WHEN ?3 THEN durations END, ''), ''), coalesce(group_concat(CASE WHEN ?3 THEN ttfbs END, ''), '')
FROM json_each(?1) j CROSS JOIN model_call_stats s `

const statOnly = ` AND s.period = j.value ->> 1 AND s.started_at >= j.value ->> 3 AND s.started_at < j.value ->> 4
  AND (?4 = '' OR s.user_id = ?4) AND (?5 = '' OR s.app_id = ?5) AND (?6 = '' OR s.api_key_id = ?6) AND (?7 = '' OR s.provider = ?7)
  AND (?8 = '' OR s.model = ?8) AND (?9 = '' OR s.type = ?9) AND (?10 = '' OR s.status = ?10) AND (?11 = '' OR s.category = ?11)
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9`

// The ways to the rows: by the cube, by a user's index, by an application's.
const (
	sumByCube = "SELECT " + sumStats + "WHERE s.cube = j.value ->> 2" + statOnly
	sumOfUser = "SELECT " + sumStats + "INDEXED BY model_call_stats_user WHERE s.cube = 0 AND s.user_id = ?4" + statOnly
	sumOfApp  = "SELECT " + sumStats + "INDEXED BY model_call_stats_app WHERE s.cube = 0 AND s.app_id <> '' AND s.app_id = ?5" + statOnly
)

// SumStats sums rows, in no order.
func (s *Store) SumStats(ctx context.Context, q StatQuery) ([]StatSum, error) {
	spans := make([][5]int64, len(q.Spans))
	for i, x := range q.Spans {
		spans[i] = [5]int64{int64(x.Slot), int64(x.Period), int64(q.cube(x.Period)), x.From.UnixMilli(), x.Until.UnixMilli()}
	}
	text, err := json.Marshal(spans)
	if err != nil {
		return nil, err
	}
	query := sumByCube
	switch {
	case q.Only.UserID != "":
		query = sumOfUser
	case q.Only.AppID != "":
		query = sumOfApp
	}
	o := q.Only
	return list(ctx, s.read, func(r *sql.Rows, v *StatSum) error {
		return r.Scan(append(append([]any{&v.Slot}, v.keys()...), v.sums()...)...)
	}, query, string(text), int64(q.By), boolInt(q.Latencies), o.UserID, o.AppID, o.KeyID, o.Provider, o.Model, string(o.Type), string(o.Status), o.Category)
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
