package movein

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// foreign is a SQLite database of another system, open for reading only.
type foreign struct {
	db   *sql.DB
	path string
}

func openForeign(ctx context.Context, path string) (*foreign, error) {
	full, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(full); err != nil || info.IsDir() {
		return nil, hub.Invalid("from", "%s is no file that can be read.", path)
	}
	db, err := sql.Open("sqlite", fileURL(full, "mode=ro&_pragma=busy_timeout(5000)&_pragma=query_only(1)"))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(2) // a list and what it looks up
	var tables int
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&tables); err != nil {
		return nil, errors.Join(hub.Invalid("from", "%s is no SQLite database that can be read.", path), db.Close())
	}
	return &foreign{db: db, path: path}, nil
}

// fileURL names a file to SQLite, whatever signs its path has.
func fileURL(path, query string) string {
	return (&url.URL{Scheme: "file", Path: path, RawQuery: query}).String()
}

func (f *foreign) Close() error { return f.db.Close() }

// columns lists a table's columns; none: there is no such table.
func (f *foreign) columns(ctx context.Context, table string) ([]string, error) {
	rows, err := f.db.QueryContext(ctx, "SELECT name FROM pragma_table_info(?1)", table)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		all = append(all, name)
	}
	return all, rows.Err()
}

// has reports whether a table has all of some columns.
func (f *foreign) has(ctx context.Context, table string, columns ...string) (bool, error) {
	have, err := f.columns(ctx, table)
	for _, c := range columns {
		if !slices.Contains(have, c) {
			return false, err
		}
	}
	return len(have) > 0, err
}

// each calls do for every row of a table that tail selects, in its order. Columns
// that the table does not have, as in older versions, are empty. The names of
// table and columns are constants of this package.
func (f *foreign) each(ctx context.Context, table string, columns []string, tail string, args []any, do func(record) error) error {
	have, err := f.columns(ctx, table)
	if err != nil || len(have) == 0 {
		return err
	}
	var list []string
	for _, c := range columns {
		if slices.Contains(have, c) {
			list = append(list, `"`+c+`"`)
		} else {
			list = append(list, "NULL")
		}
	}
	rows, err := f.db.QueryContext(ctx, "SELECT "+strings.Join(list, ", ")+` FROM "`+table+`" `+tail, args...)
	if err != nil {
		return fmt.Errorf("read %s of %s: %w", table, f.path, err)
	}
	defer rows.Close()
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return fmt.Errorf("read %s of %s: %w", table, f.path, err)
		}
		r := record{}
		for i, c := range columns {
			r[c] = values[i]
		}
		if err := do(r); err != nil {
			return err
		}
	}
	return rows.Err()
}

// record is a row by column.
type record map[string]any

func (r record) text(column string) string {
	switch v := r[column].(type) {
	case string:
		return v
	case []byte:
		return string(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		// The shortest text that is this number: what was stored as a decimal of up to
		// fifteen digits is that decimal.
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		if v {
			return "1"
		}
		return "0"
	}
	return ""
}

func (r record) null(column string) bool { return r[column] == nil }

func (r record) integer(column string) int64 {
	if d, ok := r.decimal(column, 0); ok && d.Num().IsInt64() {
		return d.Num().Int64()
	}
	return 0
}

func (r record) truth(column string) bool {
	t := r.text(column)
	return t != "" && t != "0" && !strings.EqualFold(t, "false")
}

// decimal is a number rounded to the scale of its column; false: it is none.
func (r record) decimal(column string, digits int) (*big.Rat, bool) {
	d, ok := decimal(r.text(column))
	if !ok {
		return nil, false
	}
	return rounded(d, digits), true
}

// moment reads a time as other systems store it; the zero time: it is none.
func (r record) moment(column string) time.Time {
	if at, ok := r[column].(time.Time); ok {
		return at.UTC()
	}
	for _, layout := range []string{"2006-01-02 15:04:05.999 -07:00", time.RFC3339Nano, "2006-01-02 15:04:05"} {
		if at, err := time.Parse(layout, r.text(column)); err == nil {
			return at.UTC()
		}
	}
	return time.Time{}
}
