package store

import (
	"context"
	"database/sql"
	"encoding/json"
)

// names reads id and name of rows whose ids are given as a JSON list.
func (s *Store) names(ctx context.Context, query string, ids []string) (map[string]string, error) {
	out := make(map[string]string, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	wanted, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	rows, err := list(ctx, s.read, func(r *sql.Rows, v *[2]string) error { return r.Scan(&v[0], &v[1]) }, query, string(wanted))
	for _, r := range rows {
		out[r[0]] = r[1]
	}
	return out, err
}

// UserEmails finds the e-mail addresses of users, by id. Unknown ones are left out.
func (s *Store) UserEmails(ctx context.Context, ids []string) (map[string]string, error) {
	return s.names(ctx, "SELECT id, email FROM users WHERE id IN (SELECT value FROM json_each(?1))", ids)
}

// KeyNames finds the names of API keys, by id.
func (s *Store) KeyNames(ctx context.Context, ids []string) (map[string]string, error) {
	return s.names(ctx, "SELECT id, name FROM api_keys WHERE id IN (SELECT value FROM json_each(?1))", ids)
}

// AppNames finds what applications are called, by id.
func (s *Store) AppNames(ctx context.Context, ids []string) (map[string]string, error) {
	return s.names(ctx, "SELECT id, name FROM apps WHERE id IN (SELECT value FROM json_each(?1))", ids)
}
