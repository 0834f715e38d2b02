package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/aigne-hub/aigne-hub/shared/money"
)

// BillDay is a day of a provider that an export speaks of.
type BillDay struct {
	Provider string
	From     time.Time
	Until    time.Time
}

// BillDays lists the days between two times that imports speak of, up to limit,
// by provider and day. provider "" means all.
func (s *Store) BillDays(ctx context.Context, provider string, from, until time.Time, limit int) ([]BillDay, error) {
	scan := func(r *sql.Rows, d *BillDay) error {
		var first, last int64
		err := r.Scan(&d.Provider, &first, &last)
		d.From, d.Until = time.UnixMilli(first).UTC(), time.UnixMilli(last).UTC()
		return err
	}
	providers := []string{provider}
	if provider == "" {
		var err error
		if providers, err = s.billedProviders(ctx); err != nil {
			return nil, err
		}
	}
	var out []BillDay
	for _, p := range providers {
		days, err := list(ctx, s.read, scan, `SELECT b.provider, b.day_ms, max(b.until_ms) FROM bill_rows b JOIN bill_imports i ON i.id = b.import_id AND i.state = 'done'
WHERE b.provider = ? AND b.day_ms >= ? AND b.day_ms < ? GROUP BY b.provider, b.day_ms ORDER BY b.day_ms LIMIT ?`,
			p, from.UnixMilli(), until.UnixMilli(), limit-len(out))
		if err != nil {
			return nil, err
		}
		if out = append(out, days...); len(out) >= limit {
			break
		}
	}
	return out, nil
}

// billedProviders steps from one provider to the next, so that it reads as many
// rows as there are providers.
func (s *Store) billedProviders(ctx context.Context) ([]string, error) {
	var out []string
	for last := ""; ; {
		var next sql.NullString
		if err := s.read.QueryRowContext(ctx, "SELECT min(provider) FROM bill_rows WHERE provider > ?", last).Scan(&next); err != nil {
			return nil, err
		}
		if !next.Valid {
			return out, nil
		}
		last = next.String
		out = append(out, last)
	}
}

// BillRows lists what finished imports say of a day, the later import first where
// one was corrected.
func (s *Store) BillRows(ctx context.Context, d BillDay) ([]BillRow, error) {
	return list(ctx, s.read, func(r *sql.Rows, b *BillRow) error {
		return r.Scan(&b.Day, &b.Until, &b.Facet, &b.Model, &b.Key, &b.Requests, &b.Input, &b.CacheRead, &b.CacheWrite, &b.Output, &b.Cost)
	}, `SELECT b.day_ms, b.until_ms, b.facet, b.model, b.key, b.requests, b.input, b.cache_read, b.cache_write, b.output, b.cost_nano
FROM bill_rows b JOIN bill_imports i ON i.id = b.import_id AND i.state = 'done'
WHERE b.provider = ?1 AND b.day_ms = ?2 AND NOT EXISTS (SELECT 1 FROM bill_rows n JOIN bill_imports j ON j.id = n.import_id AND j.state = 'done'
  WHERE n.provider = b.provider AND n.day_ms = b.day_ms AND n.facet = b.facet AND n.model = b.model AND n.key = b.key AND n.import_id > b.import_id)
ORDER BY b.facet, b.model, b.key`, d.Provider, d.From.UnixMilli())
}

// Recorded is what this hub recorded of a provider's model and credential.
type Recorded struct {
	Model      string
	Credential string
	Calls      int64
	Failed     int64 // tries that failed; providers may bill them too
	Input      int64 // neither read from nor written to a cache, modalities included
	CacheRead  int64
	CacheWrite int64
	Output     int64 // thinking and modalities included
	Cost       money.Credits
	Unknown    int64 // calls whose cost is not known
}

// Add adds what was recorded elsewhere of the same model and credential.
func (r *Recorded) Add(o Recorded) {
	r.Calls, r.Failed, r.Unknown = r.Calls+o.Calls, r.Failed+o.Failed, r.Unknown+o.Unknown
	r.Input, r.CacheRead, r.CacheWrite, r.Output = r.Input+o.Input, r.CacheRead+o.CacheRead, r.CacheWrite+o.CacheWrite, r.Output+o.Output
	r.Cost += o.Cost
}

// firstID is the smallest id of calls made at a time or later: ids begin with the
// time, so that a range of time is a range of the primary key.
func firstID(t time.Time) string {
	var id ulid.ULID
	_ = id.SetTime(ulid.Timestamp(t)) // fails beyond the year 10889
	return id.String()
}

// Recorded sums what was recorded of calls admitted at a provider between two
// times. Answers from the cache are not among it: no provider was asked.
func (s *Store) Recorded(ctx context.Context, provider string, from, until time.Time) ([]Recorded, error) {
	calls, err := list(ctx, s.read, func(r *sql.Rows, v *Recorded) error {
		return r.Scan(&v.Model, &v.Credential, &v.Calls, &v.Input, &v.CacheRead, &v.CacheWrite, &v.Output, &v.Cost, &v.Unknown)
	}, `SELECT model, credential, count(*),
  sum(input + CASE other_units_json WHEN '' THEN 0 ELSE coalesce(other_units_json ->> 'input_audio', 0) + coalesce(other_units_json ->> 'input_image', 0) END),
  sum(cache_read), sum(cache_write_5m + cache_write_1h),
  sum(output + reasoning + CASE other_units_json WHEN '' THEN 0 ELSE coalesce(other_units_json ->> 'output_audio', 0) + coalesce(other_units_json ->> 'output_image', 0) END),
  coalesce(sum(cost_nano), 0), sum(cost_nano IS NULL)
FROM model_calls WHERE id >= ?1 AND id < ?2 AND provider = ?3 AND status <> 'processing' AND (attempts > 0 OR status = 'interrupted') GROUP BY model, credential`,
		firstID(from), firstID(until), provider)
	if err != nil {
		return nil, err
	}
	tries, err := list(ctx, s.read, func(r *sql.Rows, v *Recorded) error { return r.Scan(&v.Model, &v.Credential, &v.Failed, &v.Cost) },
		`SELECT model, credential, count(*), coalesce(sum(cost_nano), 0) FROM model_call_attempts
WHERE call_id >= ?1 AND call_id < ?2 AND provider = ?3 GROUP BY model, credential`, firstID(from), firstID(until), provider)
	if err != nil {
		return nil, err
	}
	for _, t := range tries {
		i := 0
		for i < len(calls) && (calls[i].Model != t.Model || calls[i].Credential != t.Credential) {
			i++
		}
		if i == len(calls) {
			calls = append(calls, Recorded{Model: t.Model, Credential: t.Credential})
		}
		calls[i].Failed, calls[i].Cost = t.Failed, calls[i].Cost+t.Cost
	}
	return calls, nil
}

// Interrupted counts the calls between two times that a dead process left: what
// their providers bill is not on record.
func (s *Store) Interrupted(ctx context.Context, from, until time.Time) (n int64, err error) {
	err = s.read.QueryRowContext(ctx, "SELECT count(*) FROM model_calls WHERE id >= ? AND id < ? AND status = 'interrupted'",
		firstID(from), firstID(until)).Scan(&n)
	return n, err
}

// BilledFilter selects the calls behind a figure of a report. Model and
// Credential are left out when empty.
type BilledFilter struct {
	Provider   string
	From       time.Time
	Until      time.Time
	Model      string
	Credential string
	After      string // calls with a greater id only: the cursor
	Limit      int
}

// BilledCalls lists the calls behind a figure, oldest first.
func (s *Store) BilledCalls(ctx context.Context, f BilledFilter) ([]Call, error) {
	after := f.After
	if after == "" {
		after = firstID(f.From)
	}
	return list(ctx, s.read, func(r *sql.Rows, c *Call) error { return scanCall(r.Scan, c) }, "SELECT "+callColumns+" FROM model_calls"+
		` WHERE id > ?1 AND id < ?2 AND provider = ?3 AND status <> 'processing' AND (attempts > 0 OR status = 'interrupted')
  AND (?4 = '' OR model = ?4) AND (?5 = '' OR credential = ?5) ORDER BY id LIMIT ?6`,
		after, firstID(f.Until), f.Provider, f.Model, f.Credential, f.Limit)
}

// CallsOfRequests finds the calls of a provider, admitted between two times, that
// answered requests with these ids. A request that made several calls names none
// of them.
func (s *Store) CallsOfRequests(ctx context.Context, provider string, from, until time.Time, requests []string) (map[string]string, error) {
	text, err := json.Marshal(requests)
	if err != nil {
		return nil, err
	}
	type pair struct{ request, call string }
	all, err := list(ctx, s.read, func(r *sql.Rows, p *pair) error { return r.Scan(&p.request, &p.call) },
		`SELECT request_id, min(id) FROM model_calls WHERE id >= ?1 AND id < ?2 AND provider = ?3
  AND request_id IN (SELECT value FROM json_each(?4)) GROUP BY request_id HAVING count(*) = 1`, firstID(from), firstID(until), provider, string(text))
	out := make(map[string]string, len(all))
	for _, p := range all {
		out[p.request] = p.call
	}
	return out, err
}

// BilledCall is a call whose cost a bill corrected.
type BilledCall struct {
	ImportID     string         `json:"import_id"`
	CallID       string         `json:"call_id"`
	Cost         money.Credits  `json:"cost_usd"`
	State        string         `json:"state"` // applied, same, unknown or pending
	CostBefore   *money.Credits `json:"cost_before_usd"`
	SourceBefore string         `json:"usage_source_before"`
}

// BilledDiffer counts the calls of an import whose cost or source CorrectBilled
// would change, and those that are not known here.
func (s *Store) BilledDiffer(ctx context.Context, b BillImport) (differ, unknown int64, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT coalesce(sum(c.id IS NOT NULL AND NOT (c.cost_nano IS b.cost_nano AND c.usage_source <> 'estimated')), 0),
  coalesce(sum(c.id IS NULL), 0)
FROM bill_calls b LEFT JOIN model_calls c ON c.id = b.call_id AND c.status <> 'processing' AND c.provider = ?2 WHERE b.import_id = ?1`,
		b.ID, b.Provider).Scan(&differ, &unknown)
	return differ, unknown, err
}

const correctCalls = `SELECT call_id FROM bill_calls WHERE import_id = ?1 AND state = 'pending' ORDER BY call_id LIMIT ?2`

// CorrectBilled gives the calls of an import the costs that the bill says, a
// batch at a time: it may be interrupted and repeated. What their users were
// charged stays.
func (s *Store) CorrectBilled(ctx context.Context, b BillImport) error {
	for {
		ids, err := list(ctx, s.read, func(r *sql.Rows, id *string) error { return r.Scan(id) }, correctCalls, b.ID, billBatch)
		if err != nil || len(ids) == 0 {
			return err
		}
		last := ids[len(ids)-1]
		u := &Unit{Priority: Background}
		u.Add(`UPDATE bill_calls SET (state, cost_before_nano, source_before) = (SELECT
  CASE WHEN c.cost_nano IS bill_calls.cost_nano AND c.usage_source <> 'estimated' THEN 'same' ELSE 'applied' END, c.cost_nano, c.usage_source
  FROM model_calls c WHERE c.id = bill_calls.call_id)
WHERE import_id = ?1 AND state = 'pending' AND call_id <= ?2
  AND EXISTS (SELECT 1 FROM model_calls c WHERE c.id = bill_calls.call_id AND c.status <> 'processing' AND c.provider = ?3)`, b.ID, last, b.Provider)
		u.Add("UPDATE bill_calls SET state = 'unknown' WHERE import_id = ?1 AND state = 'pending' AND call_id <= ?2", b.ID, last)
		for _, q := range []string{
			`UPDATE model_calls SET usage_source = 'reconciled', cost_nano = (SELECT cost_nano FROM bill_calls WHERE import_id = ?1 AND call_id = model_calls.id)
WHERE id IN (SELECT call_id FROM bill_calls WHERE import_id = ?1 AND state = 'applied' AND call_id >= ?2 AND call_id <= ?3)`,
			`UPDATE usage SET usage_source = 'reconciled', cost_nano = (SELECT cost_nano FROM bill_calls WHERE import_id = ?1 AND call_id = usage.call_id)
WHERE call_id IN (SELECT call_id FROM bill_calls WHERE import_id = ?1 AND state = 'applied' AND call_id >= ?2 AND call_id <= ?3)`,
		} {
			u.Add(q, b.ID, ids[0], last)
		}
		if err := s.Do(ctx, u); err != nil {
			return err
		}
	}
}

// BillsOfCall lists what bills said of a call, the newest first.
func (s *Store) BillsOfCall(ctx context.Context, callID string) ([]BilledCall, error) {
	return list(ctx, s.read, func(r *sql.Rows, b *BilledCall) error {
		var before sql.NullInt64
		err := r.Scan(&b.ImportID, &b.CallID, &b.Cost, &b.State, &before, &b.SourceBefore)
		b.CostBefore = billed(before)
		return err
	}, `SELECT import_id, call_id, cost_nano, state, cost_before_nano, source_before FROM bill_calls WHERE call_id = ? ORDER BY import_id DESC LIMIT 20`, callID)
}
