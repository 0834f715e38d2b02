package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// APIKey is a row of api_keys. The key itself is not stored, only its hash.
type APIKey struct {
	ID         string
	UserID     string
	Name       string
	Hash       string // hex SHA-256 of the whole key
	Hint       string // the last characters, to tell keys apart
	ExpiresAt  *time.Time
	RevokedAt  *time.Time
	LastUsedAt *time.Time
	CreatedAt  time.Time
	WalletID   string // the shared wallet that pays; "": the user's own
}

const keyColumns = "k.id, k.user_id, k.name, k.hash, k.hint, k.expires_at, k.revoked_at, k.last_used_at, k.created_at, coalesce(k.wallet_id, '')"

func scanKey(scan func(...any) error, k *APIKey, more ...any) error {
	var expires, revoked, used sql.NullInt64
	var created int64
	if err := scan(append([]any{&k.ID, &k.UserID, &k.Name, &k.Hash, &k.Hint, &expires, &revoked, &used, &created, &k.WalletID}, more...)...); err != nil {
		return err
	}
	k.ExpiresAt, k.RevokedAt, k.LastUsedAt = nullMillis(expires), nullMillis(revoked), nullMillis(used)
	k.CreatedAt = time.UnixMilli(created).UTC()
	return nil
}

// CreateKey stores a key.
func (s *Store) CreateKey(ctx context.Context, k APIKey) (APIKey, error) {
	k.ID, k.CreatedAt = s.NewID(), s.now().UTC()
	u := &Unit{Priority: Background}
	u.Add("INSERT INTO api_keys (id, user_id, name, hash, hint, expires_at, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
		k.ID, k.UserID, k.Name, k.Hash, k.Hint, millisOrNil(k.ExpiresAt), k.CreatedAt.UnixMilli())
	return k, s.Do(ctx, u)
}

// KeyByHash finds a key and its user. Where a shared wallet pays the user's
// AccountID is that wallet, or "" when the key may not spend from it.
func (s *Store) KeyByHash(ctx context.Context, hash string) (APIKey, User, error) {
	var k APIKey
	var u User
	var disabled sql.NullInt64
	var groups string
	row := s.read.QueryRowContext(ctx, "SELECT "+keyColumns+`, u.email, u.name, u.role, u.groups_json, u.disabled_at,
  CASE WHEN k.wallet_id IS NULL THEN coalesce(a.id, '') ELSE coalesce((SELECT w.account_id FROM shared_wallets w
    JOIN wallet_members m ON m.account_id = w.account_id AND m.user_id = k.user_id WHERE w.account_id = k.wallet_id AND w.closed_at IS NULL), '') END
FROM api_keys k JOIN users u ON u.id = k.user_id LEFT JOIN accounts a ON a.user_id = u.id WHERE k.hash = ?`, hash)
	err := scanKey(row.Scan, &k, &u.Email, &u.Name, &u.Role, &groups, &disabled, &u.AccountID)
	if errors.Is(err, sql.ErrNoRows) {
		return k, u, ErrNotFound
	}
	if err != nil {
		return k, u, err
	}
	u.ID, u.DisabledAt = k.UserID, nullMillis(disabled)
	return k, u, u.readGroups(groups)
}

// Keys lists a user's keys, by id.
func (s *Store) Keys(ctx context.Context, userID string) ([]APIKey, error) {
	return list(ctx, s.read, func(r *sql.Rows, k *APIKey) error { return scanKey(r.Scan, k) },
		"SELECT "+keyColumns+" FROM api_keys k WHERE k.user_id = ? ORDER BY k.id LIMIT 1000", userID)
}

// AllKeys lists up to limit keys of everybody after the one with id after.
func (s *Store) AllKeys(ctx context.Context, after string, limit int) ([]APIKey, error) {
	return list(ctx, s.read, func(r *sql.Rows, k *APIKey) error { return scanKey(r.Scan, k) },
		"SELECT "+keyColumns+" FROM api_keys k WHERE k.id > ? ORDER BY k.id LIMIT ?", after, limit)
}

// KeyByID finds a key.
func (s *Store) KeyByID(ctx context.Context, id string) (APIKey, error) {
	var k APIKey
	err := scanKey(s.read.QueryRowContext(ctx, "SELECT "+keyColumns+" FROM api_keys k WHERE k.id = ?", id).Scan, &k)
	if errors.Is(err, sql.ErrNoRows) {
		return k, ErrNotFound
	}
	return k, err
}

// RevokeKey ends a key: from the commit on it admits nothing.
func (s *Store) RevokeKey(ctx context.Context, id string) error {
	return s.changed(ctx, "UPDATE api_keys SET revoked_at = coalesce(revoked_at, ?2) WHERE id = ?1", id, s.millis())
}

// TouchKey notes that a key was used; callers do it rarely.
func (s *Store) TouchKey(ctx context.Context, id string) error {
	u := &Unit{Priority: Background}
	u.Add("UPDATE api_keys SET last_used_at = ?2 WHERE id = ?1", id, s.millis())
	return s.Do(ctx, u)
}
