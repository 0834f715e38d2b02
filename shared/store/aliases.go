package store

import (
	"context"
	"database/sql"
	"errors"
)

// Alias is a model name that the operator defined. Rules are JSON of
// routing.Rule, in their order.
type Alias struct {
	ID    string
	Name  string
	Rules []string

	Managed string // see Provider; SetAlias leaves it as it is
}

// SetAlias stores an alias, in place of one of the same name.
func (s *Store) SetAlias(ctx context.Context, a Alias) error {
	return s.Tx(ctx, func(ctx context.Context, tx *Tx) error {
		now := s.millis()
		err := tx.QueryRowContext(ctx, "SELECT id FROM model_aliases WHERE name = ?", a.Name).Scan(&a.ID)
		u := &Unit{}
		switch {
		case errors.Is(err, sql.ErrNoRows):
			a.ID = s.NewID()
			u.Add("INSERT INTO model_aliases (id, name, created_at, updated_at) VALUES (?1, ?2, ?3, ?3)", a.ID, a.Name, now)
		case err != nil:
			return err
		default:
			u.Add("UPDATE model_aliases SET name = ?2, updated_at = ?3 WHERE id = ?1", a.ID, a.Name, now)
			u.Add("DELETE FROM route_rules WHERE alias_id = ?1", a.ID)
		}
		for i, rule := range a.Rules {
			u.Add("INSERT INTO route_rules (alias_id, position, rule_json) VALUES (?1, ?2, ?3)", a.ID, i, rule)
		}
		u.Add(bumpConfig)
		return tx.run(ctx, u)
	})
}

// RemoveAlias deletes an alias. ErrNotFound: there is none of that name.
func (s *Store) RemoveAlias(ctx context.Context, name string) error {
	return s.changed(ctx, "DELETE FROM model_aliases WHERE name = ?1", name)
}

// AliasByName finds an alias, without its rules. ErrNotFound: there is none.
func (s *Store) AliasByName(ctx context.Context, name string) (a Alias, err error) {
	err = s.read.QueryRowContext(ctx, "SELECT id, name, managed FROM model_aliases WHERE name = ?1", name).Scan(&a.ID, &a.Name, &a.Managed)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	return a, err
}

// Aliases lists all aliases, by name.
func (s *Store) Aliases(ctx context.Context) ([]Alias, error) { return alone(ctx, s.read, askAliases) }

func askAliases(into *[]Alias) question {
	type row struct {
		Alias
		rule sql.NullString
	}
	const query = "SELECT a.id, a.name, a.managed, r.rule_json FROM model_aliases a LEFT JOIN route_rules r ON r.alias_id = a.id ORDER BY a.name, r.position"
	return question{query, nil, func(of *sql.Rows) error {
		rows, err := scanned(of, func(r *sql.Rows, v *row) error { return r.Scan(&v.ID, &v.Name, &v.Managed, &v.rule) })
		if err != nil {
			return err
		}
		var out []Alias
		for _, r := range rows {
			if len(out) == 0 || out[len(out)-1].ID != r.ID {
				out = append(out, r.Alias)
			}
			if last := &out[len(out)-1]; r.rule.Valid {
				last.Rules = append(last.Rules, r.rule.String)
			}
		}
		*into = out
		return nil
	}}
}
