package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// Identity is a row of identities: what an outside provider calls a user.
type Identity struct {
	ID        string
	Issuer    string
	Subject   string
	UserID    string
	Email     string // as the provider said it last
	CreatedAt time.Time
	UsedAt    time.Time
}

const identityColumns = "id, issuer, subject, user_id, email, created_at, used_at FROM identities"

func scanIdentity(scan func(...any) error, n *Identity) error {
	var created, used int64
	if err := scan(&n.ID, &n.Issuer, &n.Subject, &n.UserID, &n.Email, &created, &used); err != nil {
		return err
	}
	n.CreatedAt, n.UsedAt = time.UnixMilli(created).UTC(), time.UnixMilli(used).UTC()
	return nil
}

// Identity finds whom a provider means.
func (s *Store) Identity(ctx context.Context, issuer, subject string) (Identity, error) {
	var n Identity
	err := scanIdentity(s.read.QueryRowContext(ctx, "SELECT "+identityColumns+" WHERE issuer = ?1 AND subject = ?2", issuer, subject).Scan, &n)
	if errors.Is(err, sql.ErrNoRows) {
		return n, ErrNotFound
	}
	return n, err
}

// Identities lists a user's identities, oldest first.
func (s *Store) Identities(ctx context.Context, userID string) ([]Identity, error) {
	return list(ctx, s.read, func(r *sql.Rows, n *Identity) error { return scanIdentity(r.Scan, n) },
		"SELECT "+identityColumns+" WHERE user_id = ? ORDER BY id LIMIT 100", userID)
}

// AddIdentity links an identity to a user. ErrConflict: it belongs to one.
func (s *Store) AddIdentity(ctx context.Context, n Identity) error {
	u := &Unit{Priority: Background}
	s.addIdentity(u, n)
	return s.Do(ctx, u)
}

func (s *Store) addIdentity(u *Unit, n Identity) {
	u.Add("INSERT INTO identities (issuer, subject, id, user_id, email, created_at, used_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)",
		n.Issuer, n.Subject, s.NewID(), n.UserID, n.Email, s.millis())
}

// UseIdentity notes that a user signed in with an identity.
func (s *Store) UseIdentity(ctx context.Context, n Identity) error {
	u := &Unit{Priority: Background}
	u.Add("UPDATE identities SET used_at = ?3, email = ?4 WHERE issuer = ?1 AND subject = ?2", n.Issuer, n.Subject, s.millis(), n.Email)
	return s.Do(ctx, u)
}

// RemoveIdentity takes an identity from a user. ErrNotFound: the user has none
// with that id, or could not sign in without it.
func (s *Store) RemoveIdentity(ctx context.Context, userID, id string) error {
	return s.Exec(ctx, `DELETE FROM identities WHERE id = ?2 AND user_id = ?1 AND (EXISTS (SELECT 1 FROM users WHERE id = ?1 AND password_hash <> '')
  OR EXISTS (SELECT 1 FROM identities WHERE user_id = ?1 AND id <> ?2))`, userID, id)
}

// CreateUserWith makes a user, the wallet, and what an outside provider calls
// the user. ErrConflict: the address or the identity belongs to a user.
func (s *Store) CreateUserWith(ctx context.Context, u User, id Identity) (User, error) {
	u.ID, u.AccountID, u.CreatedAt = s.NewID(), s.NewID(), s.now().UTC()
	id.UserID = u.ID
	unit := &Unit{Priority: Background}
	addUser(unit, u)
	s.addIdentity(unit, id)
	return u, s.Do(ctx, unit)
}

// SetRoleByProvider gives a user the role that a provider's groups say. The last
// owner stays one: then changed is false.
func (s *Store) SetRoleByProvider(ctx context.Context, userID string, role hub.Role) (changed bool, err error) {
	err = s.SetUserRole(ctx, userID, role)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
