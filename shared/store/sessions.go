package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Session is a row of sessions. The token itself is not stored, only its hash.
type Session struct {
	ID        string
	Hash      string // hex SHA-256 of the token
	UserID    string
	Method    string // how the user signed in
	Address   string // of the client at sign-in
	Agent     string // the client's User-Agent at sign-in
	CreatedAt time.Time
	SeenAt    time.Time // some minutes behind
	ExpiresAt time.Time // whatever happens
}

const sessionColumns = "s.id, s.hash, s.user_id, s.method, s.address, s.agent, s.created_at, s.seen_at, s.expires_at"

func scanSession(scan func(...any) error, s *Session, more ...any) error {
	var created, seen, expires int64
	if err := scan(append([]any{&s.ID, &s.Hash, &s.UserID, &s.Method, &s.Address, &s.Agent, &created, &seen, &expires}, more...)...); err != nil {
		return err
	}
	s.CreatedAt, s.SeenAt, s.ExpiresAt = time.UnixMilli(created).UTC(), time.UnixMilli(seen).UTC(), time.UnixMilli(expires).UTC()
	return nil
}

// A user has so many sessions at most; a further one ends the oldest.
const mostSessions = 50

// swept is how many rows that are over are deleted whenever one is added: a
// table then shrinks as fast as it grows, without a job.
const swept = 10

// CreateSession stores a session, in the place of the one with the hash
// replaces, if there is one ("": none).
func (s *Store) CreateSession(ctx context.Context, n Session, replaces string) (Session, error) {
	n.ID, n.CreatedAt = s.NewID(), s.now().UTC()
	n.SeenAt = n.CreatedAt
	at := n.CreatedAt.UnixMilli()
	u := &Unit{Priority: Background}
	if replaces != "" {
		u.Add("DELETE FROM sessions WHERE hash = ?1", replaces)
	}
	u.Add("DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)", at, swept)
	u.Add("DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE user_id = ?1 ORDER BY id DESC LIMIT ?2 OFFSET ?3)", n.UserID, mostSessions, mostSessions-1)
	u.Add("INSERT INTO sessions (id, hash, user_id, method, address, agent, created_at, seen_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8)",
		n.ID, n.Hash, n.UserID, n.Method, n.Address, n.Agent, at, n.ExpiresAt.UnixMilli())
	return n, s.Do(ctx, u)
}

// SessionByHash finds a session and its user.
func (s *Store) SessionByHash(ctx context.Context, hash string) (Session, User, error) {
	var n Session
	var u User
	var disabled sql.NullInt64
	var groups string
	row := s.read.QueryRowContext(ctx, "SELECT "+sessionColumns+`, u.email, u.name, u.role, u.groups_json, u.disabled_at, coalesce(a.id, '')
FROM sessions s JOIN users u ON u.id = s.user_id LEFT JOIN accounts a ON a.user_id = u.id WHERE s.hash = ?`, hash)
	err := scanSession(row.Scan, &n, &u.Email, &u.Name, &u.Role, &groups, &disabled, &u.AccountID)
	if errors.Is(err, sql.ErrNoRows) {
		return n, u, ErrNotFound
	}
	if err != nil {
		return n, u, err
	}
	u.ID, u.DisabledAt = n.UserID, nullMillis(disabled)
	return n, u, u.readGroups(groups)
}

// SessionByID finds a session.
func (s *Store) SessionByID(ctx context.Context, id string) (Session, error) {
	var n Session
	err := scanSession(s.read.QueryRowContext(ctx, "SELECT "+sessionColumns+" FROM sessions s WHERE s.id = ?", id).Scan, &n)
	if errors.Is(err, sql.ErrNoRows) {
		return n, ErrNotFound
	}
	return n, err
}

// Sessions lists a user's sessions, newest first. There are at most 50; the ones
// that are over may be among them.
func (s *Store) Sessions(ctx context.Context, userID string) ([]Session, error) {
	return list(ctx, s.read, func(r *sql.Rows, n *Session) error { return scanSession(r.Scan, n) },
		"SELECT "+sessionColumns+" FROM sessions s WHERE s.user_id = ?1 ORDER BY s.id DESC LIMIT ?2", userID, mostSessions)
}

// TouchSession notes that a session is in use; callers do it rarely.
func (s *Store) TouchSession(ctx context.Context, id string) error {
	u := &Unit{Priority: Background}
	u.Add("UPDATE sessions SET seen_at = max(seen_at, ?2) WHERE id = ?1", id, s.millis())
	return s.Do(ctx, u)
}

// EndSession ends a session. ErrNotFound: there is none with that id.
func (s *Store) EndSession(ctx context.Context, id string) error {
	return s.Exec(ctx, "DELETE FROM sessions WHERE id = ?1", id)
}

// EndSessions ends a user's sessions except the one with id keep ("": all).
func (s *Store) EndSessions(ctx context.Context, userID, keep string) error {
	u := &Unit{Priority: Background}
	u.Add("DELETE FROM sessions WHERE user_id = ?1 AND id <> ?2", userID, keep)
	return s.Do(ctx, u)
}
