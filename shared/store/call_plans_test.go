package store

import (
	"context"
	"database/sql"
)

// CallPlans are the plans of the statements behind a list of calls.
func (s *Store) CallPlans(ctx context.Context, f CallFilter) (plans [][]string) {
	for _, make := range []func() (string, []any){
		func() (string, []any) { return f.query(callColumns) }, func() (string, []any) { return f.query("model_calls.id") }, f.reach,
	} {
		text, args := make()
		steps, err := list(ctx, s.read, func(r *sql.Rows, detail *string) error {
			var id, parent, unused int
			return r.Scan(&id, &parent, &unused, detail)
		}, "EXPLAIN QUERY PLAN "+text, args...)
		if err != nil {
			panic(err)
		}
		plans = append(plans, steps)
	}
	return plans
}
