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

// Who registered an OAuth client.
const (
	ClientOperator = "operator" // an operator
	ClientDynamic  = "dynamic"  // it did so itself (RFC 7591)
)

// OAuthClient is a row of oauth_clients: an application that users sign in to
// with this hub.
type OAuthClient struct {
	ID         string
	Name       string
	URL        string
	SecretHash string      // hex SHA-256; "": a public client
	Redirects  []string    // where browsers may be sent back to
	Scopes     []hub.Scope // what it may ask for
	Device     bool        // may use the device flow
	Source     string
	Actor      string // who registered it; "": itself
	CreatedAt  time.Time
	UsedAt     *time.Time // when somebody first agreed; nil: nobody has
	RemovedAt  *time.Time
}

const clientColumns = "id, name, url, secret_hash, redirects_json, scopes_json, device, source, actor, created_at, used_at, removed_at FROM oauth_clients"

func scanClient(scan func(...any) error, c *OAuthClient) error {
	var redirects, scopes string
	var created int64
	var used, removed sql.NullInt64
	if err := scan(&c.ID, &c.Name, &c.URL, &c.SecretHash, &redirects, &scopes, &c.Device, &c.Source, &c.Actor, &created, &used, &removed); err != nil {
		return err
	}
	c.CreatedAt, c.UsedAt, c.RemovedAt = time.UnixMilli(created).UTC(), nullMillis(used), nullMillis(removed)
	if err := errors.Join(json.Unmarshal([]byte(redirects), &c.Redirects), json.Unmarshal([]byte(scopes), &c.Scopes)); err != nil {
		return fmt.Errorf("OAuth client %s: %w", c.ID, err)
	}
	return nil
}

// unusedClient is how long a client that registered itself stays while nobody
// agrees to anything.
const unusedClient = 30 * 24 * time.Hour

// CreateOAuthClient stores a client.
func (s *Store) CreateOAuthClient(ctx context.Context, c OAuthClient) (OAuthClient, error) {
	c.ID, c.CreatedAt = s.NewID(), s.now().UTC()
	if c.Redirects == nil {
		c.Redirects = []string{}
	}
	redirects, err := json.Marshal(c.Redirects)
	if err != nil {
		return c, err
	}
	scopes, err := json.Marshal(c.Scopes)
	if err != nil {
		return c, err
	}
	u := &Unit{Priority: Background}
	u.Add(`DELETE FROM oauth_clients WHERE id IN (SELECT o.id FROM oauth_clients o WHERE o.source = 'dynamic' AND o.used_at IS NULL AND o.created_at <= ?1
  ORDER BY o.created_at LIMIT ?2) AND removed_at IS NULL`, c.CreatedAt.Add(-unusedClient).UnixMilli(), swept)
	u.Add(`INSERT INTO oauth_clients (id, name, url, secret_hash, redirects_json, scopes_json, device, source, actor, created_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)`,
		c.ID, c.Name, c.URL, c.SecretHash, string(redirects), string(scopes), boolInt(c.Device), c.Source, c.Actor, c.CreatedAt.UnixMilli())
	return c, s.Do(ctx, u)
}

// OAuthClientByID finds a client, a removed one too.
func (s *Store) OAuthClientByID(ctx context.Context, id string) (OAuthClient, error) {
	var c OAuthClient
	err := scanClient(s.read.QueryRowContext(ctx, "SELECT "+clientColumns+" WHERE id = ?", id).Scan, &c)
	if errors.Is(err, sql.ErrNoRows) {
		return c, ErrNotFound
	}
	return c, err
}

// OAuthClients lists up to limit clients after the one with id after, removed
// ones included.
func (s *Store) OAuthClients(ctx context.Context, after string, limit int) ([]OAuthClient, error) {
	return list(ctx, s.read, func(r *sql.Rows, c *OAuthClient) error { return scanClient(r.Scan, c) },
		"SELECT "+clientColumns+" WHERE id > ?1 ORDER BY id LIMIT ?2", after, limit)
}

// ChangeOAuthClient stores a client's name, URL, secret, redirects, scopes and
// whether it may use the device flow. ErrNotFound: there is none with that id, or
// it is removed.
func (s *Store) ChangeOAuthClient(ctx context.Context, c OAuthClient) error {
	redirects, err := json.Marshal(append([]string{}, c.Redirects...))
	if err != nil {
		return err
	}
	scopes, err := json.Marshal(c.Scopes)
	if err != nil {
		return err
	}
	return s.Exec(ctx, `UPDATE oauth_clients SET name = ?2, url = ?3, secret_hash = ?4, redirects_json = ?5, scopes_json = ?6, device = ?7
WHERE id = ?1 AND removed_at IS NULL`, c.ID, c.Name, c.URL, c.SecretHash, string(redirects), string(scopes), boolInt(c.Device))
}

// RemoveOAuthClient ends a client, its codes and all its connections: from the
// commit on their keys admit nothing. ErrNotFound: there is none with that id, or
// it is removed.
func (s *Store) RemoveOAuthClient(ctx context.Context, id string) error {
	at := s.millis()
	return s.Tx(ctx, func(ctx context.Context, tx *Tx) error {
		if err := tx.one(ctx, "UPDATE oauth_clients SET removed_at = ?2 WHERE id = ?1 AND removed_at IS NULL", id, at); err != nil {
			return err
		}
		u := &Unit{}
		u.Add(`UPDATE api_keys SET revoked_at = ?2 WHERE revoked_at IS NULL AND id IN
  (SELECT n.key_id FROM oauth_connections n WHERE n.client_id = ?1 AND n.revoked_at IS NULL)`, id, at)
		u.Add("UPDATE oauth_connections SET revoked_at = ?2 WHERE client_id = ?1 AND revoked_at IS NULL", id, at)
		if err := tx.run(ctx, u); err != nil {
			return err
		}
		return tx.Bump(ctx)
	})
}
