package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
)

// Rows are rows of one table as they lie there. Values are int64, string or nil.
type Rows struct {
	Table   string
	Columns []string
	Values  [][]any
}

// Column is where a column stands in each row, -1 for one that is not there.
func (r *Rows) Column(name string) int {
	for i, c := range r.Columns {
		if c == name {
			return i
		}
	}
	return -1
}

// Sum adds up a column of integers. What is NULL adds nothing.
func (r *Rows) Sum(column string) (sum int64) {
	i := r.Column(column)
	for _, v := range r.Values {
		n, _ := v[i].(int64)
		sum += n
	}
	return sum
}

// CallRows is everything that is on record of some calls and moves with them.
type CallRows struct {
	Calls, Usage, Attempts, Slices Rows
}

// Tables lists the tables, the one that the others refer to first.
func (r *CallRows) Tables() []*Rows { return []*Rows{&r.Calls, &r.Usage, &r.Attempts, &r.Slices} }

// IDs are those of the calls, in the order of the rows.
func (r *CallRows) IDs() []string {
	ids := make([]string, len(r.Calls.Values))
	at := r.Calls.Column("id")
	for i, v := range r.Calls.Values {
		ids[i], _ = v[at].(string)
	}
	return ids
}

// callTables are the tables that move, each with what reads and what clears the
// rows of some calls, whose ids are a JSON list.
var callTables = []struct{ name, read, clear string }{
	{"model_calls", "SELECT * FROM model_calls WHERE id IN (SELECT value FROM json_each(?1)) ORDER BY id",
		"DELETE FROM model_calls WHERE id IN (SELECT value FROM json_each(?1))"},
	{"usage", "SELECT * FROM usage WHERE call_id IN (SELECT value FROM json_each(?1)) ORDER BY call_id",
		"DELETE FROM usage WHERE call_id IN (SELECT value FROM json_each(?1))"},
	{"model_call_attempts", "SELECT * FROM model_call_attempts WHERE call_id IN (SELECT value FROM json_each(?1)) ORDER BY call_id, number",
		"DELETE FROM model_call_attempts WHERE call_id IN (SELECT value FROM json_each(?1))"},
	{"call_slices", "SELECT * FROM call_slices WHERE call_id IN (SELECT value FROM json_each(?1)) ORDER BY call_id, number",
		"DELETE FROM call_slices WHERE call_id IN (SELECT value FROM json_each(?1))"},
}

// CallRows reads everything of some calls, in one snapshot. Ids without a call
// bring nothing.
func (s *Store) CallRows(ctx context.Context, ids []string) (out CallRows, err error) {
	list, err := json.Marshal(ids)
	if err != nil {
		return out, err
	}
	err = s.snapshot(ctx, func(q queryer) error {
		for i, into := range out.Tables() {
			if *into, err = rowsOf(ctx, q, callTables[i].name, callTables[i].read, string(list)); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

func rowsOf(ctx context.Context, q queryer, table, query string, args ...any) (Rows, error) {
	out := Rows{Table: table}
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return out, err
	}
	defer rows.Close()
	if out.Columns, err = rows.Columns(); err != nil {
		return out, err
	}
	for rows.Next() {
		values := make([]any, len(out.Columns))
		into := make([]any, len(values))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return out, err
		}
		for i, v := range values {
			if text, ok := v.([]byte); ok {
				values[i] = string(text)
			}
			switch values[i].(type) {
			case nil, int64, string:
			default:
				return out, fmt.Errorf("column %s of %s is neither a number nor text", out.Columns[i], table)
			}
		}
		out.Values = append(out.Values, values)
	}
	return out, rows.Err()
}

// TakeCallRows puts rows into an archive in one transaction. They are read inside
// it, from where they come: of several processes that take the same calls at once
// the last to write is also the last to have read. What an earlier attempt left of
// the same calls is replaced.
func (s *Store) TakeCallRows(ctx context.Context, read func(context.Context) (CallRows, error)) (taken CallRows, err error) {
	err = s.Tx(ctx, func(ctx context.Context, tx *Tx) error {
		if taken, err = read(ctx); err != nil {
			return err
		}
		list, err := json.Marshal(taken.IDs())
		if err != nil {
			return err
		}
		for i := len(callTables) - 1; i >= 0; i-- {
			if _, err := tx.ExecContext(ctx, callTables[i].clear, string(list)); err != nil {
				return err
			}
		}
		for _, r := range taken.Tables() {
			if err := insertRows(ctx, tx, r); err != nil {
				return err
			}
		}
		return nil
	})
	return taken, err
}

// DropCallRows removes everything of some calls from an archive.
func (s *Store) DropCallRows(ctx context.Context, ids []string) error {
	list, err := json.Marshal(ids)
	if err != nil {
		return err
	}
	u := &Unit{Priority: Background}
	for i := len(callTables) - 1; i >= 0; i-- {
		u.Add(callTables[i].clear, string(list))
	}
	return s.Do(ctx, u)
}

// insertRows names the columns, since tables need not have them in the same order.
func insertRows(ctx context.Context, tx *Tx, r *Rows) error {
	if len(r.Values) == 0 {
		return nil
	}
	var text strings.Builder
	text.WriteString("INSERT " + "INTO " + r.Table + " (")
	text.WriteString(strings.Join(r.Columns, ", "))
	text.WriteString(") VALUES (?" + strings.Repeat(", ?", len(r.Columns)-1) + ")")
	stmt, err := tx.PrepareContext(ctx, text.String())
	if err != nil {
		return err
	}
	defer stmt.Close()
	for _, v := range r.Values {
		if _, err := stmt.ExecContext(ctx, v...); err != nil {
			return err
		}
	}
	return nil
}

// CallsBetween lists ids of calls above after and below before, in their order.
func (s *Store) CallsBetween(ctx context.Context, after, before string, limit int) ([]string, error) {
	return list(ctx, s.read, func(r *sql.Rows, id *string) error { return r.Scan(id) },
		"SELECT id FROM model_calls WHERE id > ?1 AND id < ?2 ORDER BY id LIMIT ?3", after, before, limit)
}

// CallsThere says which of some calls there are.
func (s *Store) CallsThere(ctx context.Context, ids []string) (map[string]bool, error) {
	text, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	found, err := list(ctx, s.read, func(r *sql.Rows, id *string) error { return r.Scan(id) },
		"SELECT id FROM model_calls WHERE id IN (SELECT value FROM json_each(?1))", string(text))
	out := make(map[string]bool, len(found))
	for _, id := range found {
		out[id] = true
	}
	return out, err
}

// Integrity returns what SQLite finds wrong with an embedded file, "" for nothing.
func (s *Store) Integrity(ctx context.Context) (string, error) {
	var found string
	if err := s.read.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&found); err != nil {
		return "", err
	}
	if found == "ok" {
		return "", nil
	}
	return found, nil
}
