package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// Connection is a row of oauth_connections: what a user agreed that an
// application may do, by an API key of the user's.
type Connection struct {
	ID           string
	UserID       string
	ClientID     string // "": a command line, by the connect flow
	Name         string // of the application, as it was agreed to
	KeyID        string
	Scopes       []hub.Scope
	Limited      bool       // the user set limits
	Family       string     // hex SHA-256 of the half of its refresh tokens that stays; "": it has none
	Turn         string     // of the half that changes with each use
	RefreshUntil *time.Time // when an unused refresh token ends
	EndsAt       *time.Time // whatever happens; nil: never
	CreatedAt    time.Time
	RefreshedAt  *time.Time
	RevokedAt    *time.Time // also when its key was revoked by itself

	Email string // of the user
}

const connectionColumns = `n.id, n.user_id, coalesce(n.client_id, ''), n.name, n.key_id, n.scopes_json, n.limited, coalesce(n.family, ''), n.turn, n.refresh_until, n.ends_at,
  n.created_at, n.refreshed_at, coalesce(n.revoked_at, (SELECT k.revoked_at FROM api_keys k WHERE k.id = n.key_id)), (SELECT u.email FROM users u WHERE u.id = n.user_id)
FROM oauth_connections n`

func scanConnection(scan func(...any) error, n *Connection) error {
	var scopes string
	var created int64
	var refresh, ends, refreshed, revoked sql.NullInt64
	if err := scan(&n.ID, &n.UserID, &n.ClientID, &n.Name, &n.KeyID, &scopes, &n.Limited, &n.Family, &n.Turn, &refresh, &ends, &created, &refreshed, &revoked, &n.Email); err != nil {
		return err
	}
	n.RefreshUntil, n.EndsAt, n.RefreshedAt, n.RevokedAt = nullMillis(refresh), nullMillis(ends), nullMillis(refreshed), nullMillis(revoked)
	n.CreatedAt = time.UnixMilli(created).UTC()
	if err := json.Unmarshal([]byte(scopes), &n.Scopes); err != nil {
		return fmt.Errorf("scopes of connection %s: %w", n.ID, err)
	}
	return nil
}

// mostConnections is how many connections of a user to one client are in force; a
// further one ends the oldest.
const mostConnections = 50

// CreateConnection stores a connection to a key that is there. code is the hash of
// the authorization code that it is for ("": none): ErrNotFound when that came
// twice meanwhile, and nothing is stored.
func (s *Store) CreateConnection(ctx context.Context, n Connection, code string) (Connection, error) {
	n.CreatedAt = s.now().UTC()
	scopes, err := json.Marshal(n.Scopes)
	if err != nil {
		return n, err
	}
	return n, s.Tx(ctx, func(ctx context.Context, tx *Tx) error {
		res, err := tx.ExecContext(ctx, `INSERT INTO oauth_connections (id, user_id, client_id, name, key_id, scopes_json, limited, family, turn, refresh_until, ends_at, created_at)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12 WHERE ?13 = '' OR EXISTS (SELECT 1 FROM oauth_codes WHERE hash = ?13 AND replayed_at IS NULL)`,
			n.ID, n.UserID, textOrNil(n.ClientID), n.Name, n.KeyID, string(scopes), boolInt(n.Limited), textOrNil(n.Family), n.Turn, millisOrNil(n.RefreshUntil), millisOrNil(n.EndsAt),
			n.CreatedAt.UnixMilli(), code)
		if err != nil {
			return err
		}
		if rows, err := res.RowsAffected(); err != nil || rows == 0 {
			return errors.Join(err, ErrNotFound)
		}
		u := &Unit{}
		at := n.CreatedAt.UnixMilli()
		u.Add("UPDATE oauth_clients SET used_at = coalesce(used_at, ?2) WHERE id = ?1", n.ClientID, at)
		const oldest = "SELECT n.id FROM oauth_connections n WHERE n.user_id = ?1 AND n.client_id = ?2 AND n.revoked_at IS NULL ORDER BY n.id DESC LIMIT -1 OFFSET ?4"
		u.Add("UPDATE api_keys SET revoked_at = coalesce(revoked_at, ?3) WHERE id IN (SELECT o.key_id FROM oauth_connections o WHERE o.id IN ("+oldest+"))",
			n.UserID, n.ClientID, at, mostConnections)
		u.Add("UPDATE oauth_connections SET revoked_at = ?3 WHERE id IN ("+oldest+")", n.UserID, n.ClientID, at, mostConnections)
		return tx.run(ctx, u)
	})
}

// ConnectionByID finds a connection.
func (s *Store) ConnectionByID(ctx context.Context, id string) (Connection, error) {
	return s.oneConnection(ctx, "SELECT "+connectionColumns+" WHERE n.id = ?1", id)
}

// ConnectionByFamily finds a connection by its refresh tokens.
func (s *Store) ConnectionByFamily(ctx context.Context, family string) (Connection, error) {
	return s.oneConnection(ctx, "SELECT "+connectionColumns+" WHERE n.family = ?1", family)
}

// ConnectionOfKey finds the connection that a key belongs to.
func (s *Store) ConnectionOfKey(ctx context.Context, keyID string) (Connection, error) {
	return s.oneConnection(ctx, "SELECT "+connectionColumns+" WHERE n.key_id = ?1", keyID)
}

// LastConnection finds the newest of a user to a client that is not revoked.
func (s *Store) LastConnection(ctx context.Context, userID, clientID string) (Connection, error) {
	return s.oneConnection(ctx, "SELECT "+connectionColumns+" WHERE n.user_id = ?1 AND n.client_id = ?2 AND n.revoked_at IS NULL ORDER BY n.id DESC LIMIT 1", userID, clientID)
}

func (s *Store) oneConnection(ctx context.Context, query string, args ...any) (Connection, error) {
	var n Connection
	err := scanConnection(s.read.QueryRowContext(ctx, query, args...).Scan, &n)
	if errors.Is(err, sql.ErrNoRows) {
		return n, ErrNotFound
	}
	return n, err
}

// Connections lists up to limit connections of a user after the one with id after.
func (s *Store) Connections(ctx context.Context, userID, after string, limit int) ([]Connection, error) {
	return list(ctx, s.read, func(r *sql.Rows, n *Connection) error { return scanConnection(r.Scan, n) },
		"SELECT "+connectionColumns+" WHERE n.user_id = ?1 AND n.id > ?2 ORDER BY n.id LIMIT ?3", userID, after, limit)
}

// AllConnections lists up to limit connections of everybody after the one with id
// after.
func (s *Store) AllConnections(ctx context.Context, after string, limit int) ([]Connection, error) {
	return list(ctx, s.read, func(r *sql.Rows, n *Connection) error { return scanConnection(r.Scan, n) },
		"SELECT "+connectionColumns+" WHERE n.id > ?1 ORDER BY n.id LIMIT ?2", after, limit)
}

// RevokeConnection ends a connection and its key: from the commit on it admits
// nothing. ErrNotFound: there is none with that id.
func (s *Store) RevokeConnection(ctx context.Context, id string) error {
	at := s.millis()
	return s.Tx(ctx, func(ctx context.Context, tx *Tx) error {
		if err := tx.one(ctx, "UPDATE oauth_connections SET revoked_at = coalesce(revoked_at, ?2) WHERE id = ?1", id, at); err != nil {
			return err
		}
		u := &Unit{}
		u.Add("UPDATE api_keys SET revoked_at = coalesce(revoked_at, ?2) WHERE id = (SELECT n.key_id FROM oauth_connections n WHERE n.id = ?1)", id, at)
		if err := tx.run(ctx, u); err != nil {
			return err
		}
		return tx.Bump(ctx)
	})
}

// Refreshed is what a refresh token becomes.
type Refreshed struct {
	Turn       string    // hash of the new token's changing half
	Until      time.Time // when it ends unused
	KeyHash    string    // of the new access token
	KeyHint    string
	KeyExpires time.Time
	Grace      time.Time // until when the access token before stays good
}

// RefreshConnection gives a connection another refresh token and its key another
// secret. ErrNotFound: n's refresh token was used before, or the connection, its
// key or its user has ended; nothing has changed.
func (s *Store) RefreshConnection(ctx context.Context, n Connection, r Refreshed) error {
	at := s.millis()
	return s.Tx(ctx, func(ctx context.Context, tx *Tx) error {
		for _, c := range []struct {
			query string
			args  []any
		}{
			{`UPDATE oauth_connections SET turn = ?3, refresh_until = ?4, refreshed_at = ?5 WHERE id = ?1 AND turn = ?2 AND revoked_at IS NULL AND refresh_until > ?5
  AND EXISTS (SELECT 1 FROM users u WHERE u.id = user_id AND u.disabled_at IS NULL)`, []any{n.ID, n.Turn, r.Turn, r.Until.UnixMilli(), at}},
			{`UPDATE api_keys SET old_hash = hash, old_hint = hint, old_until = ?6, old_used_at = NULL,
  hash = ?2, hint = ?3, serial = serial + 1, rotated_at = ?4, expires_at = ?5 WHERE id = ?1 AND revoked_at IS NULL`,
				[]any{n.KeyID, r.KeyHash, r.KeyHint, at, r.KeyExpires.UnixMilli(), r.Grace.UnixMilli()}},
		} {
			res, err := tx.ExecContext(ctx, c.query, c.args...)
			if err != nil {
				return err
			}
			if rows, err := res.RowsAffected(); err != nil || rows == 0 {
				return errors.Join(err, ErrNotFound)
			}
		}
		return tx.Bump(ctx)
	})
}
