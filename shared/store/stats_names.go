package store

import (
	"context"
	"database/sql"
	"encoding/json"
)

// Named is what an id is called.
type Named struct{ ID, Name, Email, Logo, URL string }

// UserNames names users.
func (s *Store) UserNames(ctx context.Context, ids []string) (map[string]Named, error) {
	return s.names(ctx, "SELECT id, name, email, '', '' FROM users WHERE id IN (SELECT value FROM json_each(?1))", ids)
}

// KeyNames names API keys.
func (s *Store) KeyNames(ctx context.Context, ids []string) (map[string]Named, error) {
	return s.names(ctx, "SELECT id, name, '', '', '' FROM api_keys WHERE id IN (SELECT value FROM json_each(?1))", ids)
}

// AppNames names applications.
func (s *Store) AppNames(ctx context.Context, ids []string) (map[string]Named, error) {
	return s.names(ctx, "SELECT id, name, '', logo, url FROM apps WHERE id IN (SELECT value FROM json_each(?1))", ids)
}

func (s *Store) names(ctx context.Context, query string, ids []string) (map[string]Named, error) {
	out := map[string]Named{}
	if len(ids) == 0 {
		return out, nil
	}
	text, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	rows, err := list(ctx, s.read, func(r *sql.Rows, n *Named) error { return r.Scan(&n.ID, &n.Name, &n.Email, &n.Logo, &n.URL) }, query, string(text))
	for _, n := range rows {
		out[n.ID] = n
	}
	return out, err
}

// GroupsOfUsers are the groups of all users who are in one, by user.
func (s *Store) GroupsOfUsers(ctx context.Context) (map[string][]string, error) {
	type row struct{ id, groups string }
	rows, err := list(ctx, s.read, func(r *sql.Rows, v *row) error { return r.Scan(&v.id, &v.groups) },
		"SELECT id, groups_json FROM users WHERE groups_json <> '[]'")
	if err != nil {
		return nil, err
	}
	out := make(map[string][]string, len(rows))
	for _, v := range rows {
		var groups []string
		if err := json.Unmarshal([]byte(v.groups), &groups); err != nil {
			return nil, err
		}
		out[v.id] = groups
	}
	return out, nil
}
