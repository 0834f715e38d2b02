package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/money"
)

// BillImport is a row of bill_imports: an export of a provider that was read.
type BillImport struct {
	ID        string    `json:"id"` // "" for one that changed nothing and left no trace
	Provider  string    `json:"provider"`
	Format    string    `json:"format"`
	Zone      string    `json:"zone"`
	Lines     int64     `json:"lines"`
	Added     int64     `json:"added"`     // days, models and keys that were not there
	Replaced  int64     `json:"replaced"`  // that were there with other figures
	Unchanged int64     `json:"unchanged"` // that were there as they are
	First     time.Time `json:"first_day"`
	Last      time.Time `json:"last_day"` // its beginning
	Actor     string    `json:"actor"`
	CreatedAt time.Time `json:"created_at"`
}

// BillRow is what an export says of a day, a model and a key. Figures that it
// does not have are nil.
type BillRow struct {
	Day        int64  `json:"day"` // Unix milliseconds
	Until      int64  `json:"until"`
	Facet      string `json:"facet"` // usage or cost
	Model      string `json:"model"`
	Key        string `json:"key"`
	Requests   *int64 `json:"requests"`
	Input      *int64 `json:"input"`
	CacheRead  *int64 `json:"cache_read"`
	CacheWrite *int64 `json:"cache_write"`
	Output     *int64 `json:"output"`
	Cost       *int64 `json:"cost"` // nano-dollars
}

// BillCall is what an export says of one call.
type BillCall struct {
	CallID string `json:"call"`
	Cost   int64  `json:"cost"` // nano-dollars
}

// BeginBill opens an import. Its rows count only when FinishBill has closed it.
func (s *Store) BeginBill(ctx context.Context, b BillImport) error {
	u := &Unit{Priority: Background}
	u.Add("INSERT INTO bill_imports (id, provider, format, zone, actor, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
		b.ID, b.Provider, b.Format, b.Zone, b.Actor, s.millis())
	return s.Do(ctx, u)
}

const addBillRows = `INSERT INTO bill_rows (provider, import_id, day_ms, until_ms, facet, model, key, requests, input, cache_read, cache_write, output, cost_nano)
SELECT ?1, ?2, value ->> 'day', value ->> 'until', value ->> 'facet', value ->> 'model', value ->> 'key', value ->> 'requests',
  value ->> 'input', value ->> 'cache_read', value ->> 'cache_write', value ->> 'output', value ->> 'cost' FROM json_each(?3) WHERE true
ON CONFLICT DO UPDATE SET requests = coalesce(requests + excluded.requests, requests, excluded.requests), input = coalesce(input + excluded.input, input, excluded.input), cache_read = coalesce(cache_read + excluded.cache_read, cache_read, excluded.cache_read),
  cache_write = coalesce(cache_write + excluded.cache_write, cache_write, excluded.cache_write), output = coalesce(output + excluded.output, output, excluded.output), cost_nano = coalesce(cost_nano + excluded.cost_nano, cost_nano, excluded.cost_nano)`

const addBillCalls = `INSERT INTO bill_calls (import_id, call_id, cost_nano) SELECT ?1, value ->> 'call', value ->> 'cost' FROM json_each(?2) WHERE true
ON CONFLICT DO UPDATE SET cost_nano = cost_nano + excluded.cost_nano`

// AddBill adds rows to an open import; those of the same day, model and key are
// summed. When its outcome is unknown the import is to be dropped: a repeat would
// count twice.
func (s *Store) AddBill(ctx context.Context, b BillImport, rows []BillRow, calls []BillCall) error {
	r, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	c, err := json.Marshal(calls)
	if err != nil {
		return err
	}
	u := &Unit{Priority: Background}
	if len(rows) > 0 {
		u.Add(addBillRows, b.Provider, b.ID, string(r))
	}
	if len(calls) > 0 {
		u.Add(addBillCalls, b.ID, string(c))
	}
	return s.Do(ctx, u)
}

// counted finds what an import's rows are against those that count so far.
const countBill = `SELECT count(*), coalesce(sum(o.import_id IS NULL), 0),
  coalesce(sum(n.requests IS o.requests AND n.input IS o.input AND n.cache_read IS o.cache_read AND n.cache_write IS o.cache_write
    AND n.output IS o.output AND n.cost_nano IS o.cost_nano AND n.until_ms = o.until_ms AND o.import_id IS NOT NULL), 0),
  coalesce(min(n.day_ms), 0), coalesce(max(n.day_ms), 0)
FROM bill_rows n LEFT JOIN bill_rows o ON o.provider = n.provider AND o.day_ms = n.day_ms AND o.facet = n.facet AND o.model = n.model AND o.key = n.key
  AND o.import_id = (SELECT max(p.import_id) FROM bill_rows p JOIN bill_imports i ON i.id = p.import_id AND i.state = 'done'
    WHERE p.provider = n.provider AND p.day_ms = n.day_ms AND p.facet = n.facet AND p.model = n.model AND p.key = n.key)
WHERE n.import_id = ?1`

// FinishBill makes an import count, in one step, and returns it with what it
// changed. One that changes nothing is dropped unless keep says that it is needed
// for other reasons.
func (s *Store) FinishBill(ctx context.Context, b BillImport, keep bool) (BillImport, error) {
	var all, first, last int64
	err := s.read.QueryRowContext(ctx, countBill, b.ID).Scan(&all, &b.Added, &b.Unchanged, &first, &last)
	if err != nil {
		return b, err
	}
	b.Replaced = all - b.Added - b.Unchanged
	b.First, b.Last = time.UnixMilli(first).UTC(), time.UnixMilli(last).UTC()
	if b.Added+b.Replaced == 0 && !keep {
		if err := s.DropBill(ctx, b.ID); err != nil {
			return b, err
		}
		b.ID = ""
		return b, nil
	}
	u := &Unit{Priority: Background}
	u.Add(`UPDATE bill_imports SET state = 'done', lines = ?2, added = ?3, replaced = ?4, unchanged = ?5, first_ms = ?6, last_ms = ?7 WHERE id = ?1`,
		b.ID, b.Lines, b.Added, b.Replaced, b.Unchanged, first, last)
	if err := s.Do(ctx, u); err != nil {
		return b, err
	}
	return b, s.forgetReplaced(ctx, b.ID)
}

const billBatch = 1000

// forgetReplaced deletes the rows that a finished import replaced.
func (s *Store) forgetReplaced(ctx context.Context, id string) error {
	const replaced = ` FROM bill_rows n JOIN bill_rows o ON o.provider = n.provider AND o.day_ms = n.day_ms AND o.facet = n.facet AND o.model = n.model
  AND o.key = n.key AND o.import_id < n.import_id WHERE n.import_id = ?1`
	for {
		var left int64
		if err := s.read.QueryRowContext(ctx, "SELECT count(*)"+replaced, id).Scan(&left); err != nil || left == 0 {
			return err
		}
		u := &Unit{Priority: Background}
		u.Add("DELETE FROM bill_rows WHERE (provider, day_ms, facet, model, key, import_id) IN (SELECT o.provider, o.day_ms, o.facet, o.model, o.key, o.import_id"+
			replaced+" LIMIT ?2)", id, billBatch)
		if err := s.Do(ctx, u); err != nil {
			return err
		}
	}
}

// DropBill deletes an import and what it brought, a batch at a time.
func (s *Store) DropBill(ctx context.Context, id string) error {
	for {
		var left int64
		if err := s.read.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM bill_rows WHERE import_id = ?1)
  + (SELECT count(*) FROM bill_calls WHERE import_id = ?1)`, id).Scan(&left); err != nil {
			return err
		}
		u := &Unit{Priority: Background}
		if left == 0 {
			u.Add("DELETE FROM bill_imports WHERE id = ?1", id)
			return s.Do(ctx, u)
		}
		u.Add(`DELETE FROM bill_rows WHERE (provider, day_ms, facet, model, key, import_id) IN (SELECT provider, day_ms, facet, model, key, import_id
  FROM bill_rows WHERE import_id = ?1 LIMIT ?2)`, id, billBatch)
		u.Add("DELETE FROM bill_calls WHERE import_id = ?1 AND call_id IN (SELECT call_id FROM bill_calls WHERE import_id = ?1 LIMIT ?2)", id, billBatch)
		if err := s.Do(ctx, u); err != nil {
			return err
		}
	}
}

// ForgetBills drops imports that were never finished: their process died.
func (s *Store) ForgetBills(ctx context.Context, age time.Duration) error {
	old, err := list(ctx, s.read, func(r *sql.Rows, id *string) error { return r.Scan(id) },
		"SELECT id FROM bill_imports WHERE state = 'running' AND created_at < ? LIMIT 100", s.millis()-age.Milliseconds())
	if err != nil {
		return err
	}
	for _, id := range old {
		if err := s.DropBill(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// BillImports lists the finished imports older than the one with id before ("":
// from the newest), newest first.
func (s *Store) BillImports(ctx context.Context, before string, limit int) ([]BillImport, error) {
	if before == "" {
		before = "~"
	}
	return list(ctx, s.read, func(r *sql.Rows, b *BillImport) error {
		var first, last, created int64
		err := r.Scan(&b.ID, &b.Provider, &b.Format, &b.Zone, &b.Lines, &b.Added, &b.Replaced, &b.Unchanged, &first, &last, &b.Actor, &created)
		b.First, b.Last, b.CreatedAt = time.UnixMilli(first).UTC(), time.UnixMilli(last).UTC(), time.UnixMilli(created).UTC()
		return err
	}, `SELECT id, provider, format, zone, lines, added, replaced, unchanged, first_ms, last_ms, actor, created_at
FROM bill_imports WHERE id < ? AND state = 'done' ORDER BY id DESC LIMIT ?`, before, limit)
}

// MapBillKey says which credential a key of a provider's exports is; "" takes
// that back.
func (s *Store) MapBillKey(ctx context.Context, provider, key, credential, actor string) error {
	u := &Unit{Priority: Background}
	if credential == "" {
		u.Add("DELETE FROM bill_keys WHERE provider = ?1 AND key = ?2", provider, key)
		return s.Do(ctx, u)
	}
	u.Add(`INSERT INTO bill_keys (provider, key, credential, actor, created_at) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT DO UPDATE SET credential = excluded.credential, actor = excluded.actor, created_at = excluded.created_at`,
		provider, key, credential, actor, s.millis())
	return s.Do(ctx, u)
}

// BillKeys returns the credentials of a provider's keys, as they were mapped.
func (s *Store) BillKeys(ctx context.Context, provider string) (map[string]string, error) {
	type pair struct{ key, credential string }
	all, err := list(ctx, s.read, func(r *sql.Rows, p *pair) error { return r.Scan(&p.key, &p.credential) },
		"SELECT key, credential FROM bill_keys WHERE provider = ? LIMIT 10000", provider)
	out := make(map[string]string, len(all))
	for _, p := range all {
		out[p.key] = p.credential
	}
	return out, err
}

// billed converts a nullable amount.
func billed(v sql.NullInt64) *money.Credits {
	if !v.Valid {
		return nil
	}
	return new(money.Credits(v.Int64))
}
