package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// The states of a command line that waits for a key.
const (
	ConnectPending  = "pending"
	ConnectTaken    = "taken" // somebody said yes, the key is being made
	ConnectApproved = "approved"
	ConnectDenied   = "denied"
)

// ConnectSession is a row of connect_sessions. Its id is not stored, only the
// hash.
type ConnectSession struct {
	Hash      string
	Address   string // of the command line
	Agent     string
	CreatedAt time.Time
	ExpiresAt time.Time
	State     string
	KeyID     string
	Sealed    string // the key, as only the command line can read it
}

// CreateConnectSession stores a command line that waits.
func (s *Store) CreateConnectSession(ctx context.Context, n ConnectSession) error {
	at := s.millis()
	u := &Unit{Priority: Background}
	u.Add("DELETE FROM connect_sessions WHERE hash IN (SELECT o.hash FROM connect_sessions o WHERE o.expires_at <= ?1 ORDER BY o.expires_at LIMIT ?2)", at, swept)
	u.Add("INSERT INTO connect_sessions (hash, address, agent, created_at, expires_at, state) VALUES (?1, ?2, ?3, ?4, ?5, 'pending')",
		n.Hash, n.Address, n.Agent, at, n.ExpiresAt.UnixMilli())
	return s.Do(ctx, u)
}

// ConnectSessionByHash finds a command line that waits, or has not yet taken its
// key.
func (s *Store) ConnectSessionByHash(ctx context.Context, hash string) (ConnectSession, error) {
	n := ConnectSession{Hash: hash}
	var created, expires int64
	err := s.read.QueryRowContext(ctx, "SELECT address, agent, created_at, expires_at, state, key_id, sealed FROM connect_sessions WHERE hash = ?1 AND expires_at > ?2", hash, s.millis()).
		Scan(&n.Address, &n.Agent, &created, &expires, &n.State, &n.KeyID, &n.Sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return n, ErrNotFound
	}
	n.CreatedAt, n.ExpiresAt = time.UnixMilli(created).UTC(), time.UnixMilli(expires).UTC()
	return n, err
}

// DecideConnectSession stores that a user said yes (ConnectTaken) or no, once.
// ErrNotFound: somebody said it before, or its time is over.
func (s *Store) DecideConnectSession(ctx context.Context, hash, state string) error {
	return s.Exec(ctx, "UPDATE connect_sessions SET state = ?2 WHERE hash = ?1 AND state = 'pending' AND expires_at > ?3", hash, state, s.millis())
}

// HandConnectSession puts the key down for a command line to take until a time.
// ErrNotFound: it has gone.
func (s *Store) HandConnectSession(ctx context.Context, n ConnectSession) error {
	return s.Exec(ctx, "UPDATE connect_sessions SET state = 'approved', key_id = ?2, sealed = ?3, expires_at = ?4 WHERE hash = ?1 AND state = 'taken'",
		n.Hash, n.KeyID, n.Sealed, n.ExpiresAt.UnixMilli())
}

// EndConnectSession forgets a command line. ErrNotFound: there is none.
func (s *Store) EndConnectSession(ctx context.Context, hash string) error {
	return s.Exec(ctx, "DELETE FROM connect_sessions WHERE hash = ?1", hash)
}
