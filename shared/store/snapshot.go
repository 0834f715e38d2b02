package store

import (
	"context"
	"database/sql"
	"strings"
)

// question is a query of a snapshot and what its rows are read by.
type question struct {
	query string
	args  []any
	read  func(*sql.Rows) error
}

// asks makes a question whose rows are put into a list.
func asks[T any](into *[]T, scan func(*sql.Rows, *T) error, query string, args ...any) question {
	return question{query, args, func(rows *sql.Rows) (err error) {
		*into, err = scanned(rows, scan)
		return err
	}}
}

// alone answers a question by itself.
func alone[T any](ctx context.Context, q queryer, of func(into *[]T) question) (all []T, err error) {
	err = ask(ctx, q, of(&all))
	return all, err
}

// ask answers one question.
func ask(ctx context.Context, q queryer, one question) error {
	rows, err := q.QueryContext(ctx, one.query, one.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	if err := one.read(rows); err != nil {
		return err
	}
	return rows.Err()
}

// together answers questions about one moment: of a file in a read transaction, of
// a server in one round trip.
func (s *Store) together(ctx context.Context, all ...question) error {
	if s.remote {
		return s.batched(ctx, all)
	}
	return s.snapshot(ctx, func(conn queryer) error {
		for _, q := range all {
			if err := ask(ctx, conn, q); err != nil {
				return err
			}
		}
		return nil
	})
}

// batched sends the questions as one transaction. Each statement of a batch has a
// set of rows, BEGIN and COMMIT as well; the set of a statement that failed is an
// error.
func (s *Store) batched(ctx context.Context, all []question) error {
	var text strings.Builder
	var args []any
	text.WriteString("BEGIN")
	for _, q := range all {
		text.WriteString(";\n")
		text.WriteString(q.query)
		args = append(args, q.args...)
	}
	text.WriteString(";\nCOMMIT")
	rows, err := s.read.QueryContext(ctx, text.String(), args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for _, q := range all {
		if err := nextSet(rows); err != nil {
			return err
		}
		if err := q.read(rows); err != nil {
			return err
		}
	}
	return nextSet(rows)
}

func nextSet(rows *sql.Rows) error {
	if rows.NextResultSet() {
		return nil
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return sql.ErrNoRows
}
