package store

import "context"

// Managed is a kind of object that a file may manage.
type Managed string

// The kinds, as they are called in the audit log.
const (
	ManagedProvider Managed = "provider"
	ManagedRate     Managed = "rate"
	ManagedAlias    Managed = "alias"
	ManagedLimit    Managed = "limit"
	ManagedKey      Managed = "key"
)

var setManaged = map[Managed]string{
	ManagedProvider: "UPDATE ai_providers SET managed = ?2 WHERE id = ?1",
	ManagedRate:     "UPDATE ai_model_rates SET managed = ?2 WHERE id = ?1",
	ManagedAlias:    "UPDATE model_aliases SET managed = ?2 WHERE name = ?1",
	ManagedLimit:    "UPDATE limits SET managed = ?2 WHERE id = ?1",
	ManagedKey:      "UPDATE api_keys SET managed = ?2 WHERE id = ?1",
}

// SetManaged sets who manages an object, "" for nobody in particular; an alias is
// found by its name, others by their ids. ErrNotFound: there is no such object.
func (s *Store) SetManaged(ctx context.Context, kind Managed, id, managed string) error {
	return s.changed(ctx, setManaged[kind], id, managed)
}
