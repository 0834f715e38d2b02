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

// APIKey is a row of api_keys. The key itself is not stored, only its hash.
type APIKey struct {
	ID         string
	UserID     string
	Name       string
	Hash       string // hex SHA-256 of the whole key
	Hint       string // the last characters, to tell keys apart
	ExpiresAt  *time.Time
	RevokedAt  *time.Time
	LastUsedAt *time.Time // to within a few minutes
	CreatedAt  time.Time
	WalletID   string      // the shared wallet that pays; "": the user's own
	Models     []string    // patterns of the models that it may use; nil: all
	IPs        []string    // networks that it may come from, as CIDRs; nil: all
	Scopes     []hub.Scope // nil: whatever its user may do
	AppID      string      // the application that it belongs to; "": its user
	Managed    string      // see Provider

	Serial    int64 // of the secret: 1, and one more with each rotation
	RotatedAt *time.Time
	OldHash   string     // of the secret before the last rotation; "": there is none
	OldHint   string     // its last characters
	OldUntil  *time.Time // until when it is good
	OldUsedAt *time.Time // to within a few minutes; nil: not since the rotation
}

// Old reports whether a hash is of the secret before the last rotation.
func (k *APIKey) Old(hash string) bool { return k.OldHash != "" && hash == k.OldHash }

const keyColumns = `k.id, k.user_id, k.name, k.hash, k.hint, k.expires_at, k.revoked_at, k.last_used_at, k.created_at, coalesce(k.wallet_id, ''),
  k.models_json, k.ips_json, k.scopes_json, coalesce(k.app_id, ''), k.serial, k.rotated_at, coalesce(k.old_hash, ''), k.old_hint, k.old_until, k.old_used_at, k.managed`

func scanKey(scan func(...any) error, k *APIKey, more ...any) error {
	var expires, revoked, used, rotated, until, oldUsed sql.NullInt64
	var models, ips, scopes sql.NullString
	var created int64
	if err := scan(append([]any{&k.ID, &k.UserID, &k.Name, &k.Hash, &k.Hint, &expires, &revoked, &used, &created, &k.WalletID,
		&models, &ips, &scopes, &k.AppID, &k.Serial, &rotated, &k.OldHash, &k.OldHint, &until, &oldUsed, &k.Managed}, more...)...); err != nil {
		return err
	}
	k.ExpiresAt, k.RevokedAt, k.LastUsedAt = nullMillis(expires), nullMillis(revoked), nullMillis(used)
	k.RotatedAt, k.OldUntil, k.OldUsedAt = nullMillis(rotated), nullMillis(until), nullMillis(oldUsed)
	k.CreatedAt = time.UnixMilli(created).UTC()
	if !models.Valid && !ips.Valid && !scopes.Valid {
		return nil // nearly every key
	}
	for _, l := range []struct {
		text sql.NullString
		into any
	}{{models, &k.Models}, {ips, &k.IPs}, {scopes, &k.Scopes}} {
		if l.text.Valid {
			// A restriction that cannot be read must not turn into none.
			if err := json.Unmarshal([]byte(l.text.String), l.into); err != nil {
				return fmt.Errorf("restrictions of key %s: %w", k.ID, err)
			}
		}
	}
	return nil
}

// listOrNil is a restriction as it is stored.
func listOrNil[T ~string](list []T) any {
	if len(list) == 0 {
		return nil
	}
	text, _ := json.Marshal(list) // strings always encode
	return string(text)
}

func textOrNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

const insertKey = `INSERT INTO api_keys (id, user_id, name, hash, hint, expires_at, created_at, models_json, ips_json, scopes_json, app_id)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)`

// CreateKey stores a key. ErrConflict: there is no such application.
func (s *Store) CreateKey(ctx context.Context, k APIKey) (APIKey, error) {
	k.ID, k.CreatedAt, k.Serial = s.NewID(), s.now().UTC(), 1
	u := &Unit{Priority: Background}
	u.Add(insertKey,
		k.ID, k.UserID, k.Name, k.Hash, k.Hint, millisOrNil(k.ExpiresAt), k.CreatedAt.UnixMilli(),
		listOrNil(k.Models), listOrNil(k.IPs), listOrNil(k.Scopes), textOrNil(k.AppID))
	return k, s.Do(ctx, u)
}

// ChangeKey stores a key's name, expiry and restrictions: all of them, as they
// are in k. ErrNotFound: there is no such key, it is revoked, or somebody changed
// it since it was read as old, whose restriction must not be lost.
func (s *Store) ChangeKey(ctx context.Context, old, k APIKey) error {
	return s.changed(ctx, `UPDATE api_keys SET name = ?2, expires_at = ?3, models_json = ?4, ips_json = ?5, scopes_json = ?6
WHERE id = ?1 AND revoked_at IS NULL AND name = ?7 AND expires_at IS ?8 AND models_json IS ?9 AND ips_json IS ?10 AND scopes_json IS ?11`,
		k.ID, k.Name, millisOrNil(k.ExpiresAt), listOrNil(k.Models), listOrNil(k.IPs), listOrNil(k.Scopes),
		old.Name, millisOrNil(old.ExpiresAt), listOrNil(old.Models), listOrNil(old.IPs), listOrNil(old.Scopes))
}

// RotateKey gives a key another secret. The one before stays good until the time
// given, an earlier one ends with the commit. ErrNotFound: there is no such key,
// it is revoked, or it was rotated meanwhile: k is the key as it was read.
func (s *Store) RotateKey(ctx context.Context, k APIKey, hash, hint string, until time.Time) error {
	return s.changed(ctx, `UPDATE api_keys SET old_hash = hash, old_hint = hint, old_until = ?5, old_used_at = NULL,
  hash = ?3, hint = ?4, serial = serial + 1, rotated_at = ?6 WHERE id = ?1 AND serial = ?2 AND revoked_at IS NULL`,
		k.ID, k.Serial, hash, hint, until.UnixMilli(), s.millis())
}

// KeyByHash finds the key and its user by the hash of a secret: the key's own or
// the one before its last rotation, however long ago that ended. Where a shared
// wallet pays the user's AccountID is that wallet, or "" when the key may not
// spend from it.
func (s *Store) KeyByHash(ctx context.Context, hash string) (APIKey, User, error) {
	k, u, _, err := s.KeyAndVersion(ctx, hash)
	return k, u, err
}

// KeyAndVersion is KeyByHash, and the version that the configuration had at the same
// moment.
func (s *Store) KeyAndVersion(ctx context.Context, hash string) (APIKey, User, int64, error) {
	var version int64
	var k APIKey
	var u User
	var disabled sql.NullInt64
	var groups string
	row := s.read.QueryRowContext(ctx, "SELECT "+keyColumns+`, u.email, u.name, u.role, u.groups_json, u.disabled_at,
  CASE WHEN k.wallet_id IS NULL THEN coalesce(a.id, '') ELSE coalesce((SELECT w.account_id FROM shared_wallets w
    JOIN wallet_members m ON m.account_id = w.account_id AND m.user_id = k.user_id WHERE w.account_id = k.wallet_id AND w.closed_at IS NULL), '') END,
  (SELECT version FROM config_version WHERE id = 1)
FROM api_keys k JOIN users u ON u.id = k.user_id LEFT JOIN accounts a ON a.user_id = u.id WHERE k.hash = ?1 OR k.old_hash = ?1`, hash)
	err := scanKey(row.Scan, &k, &u.Email, &u.Name, &u.Role, &groups, &disabled, &u.AccountID, &version)
	if errors.Is(err, sql.ErrNoRows) {
		return k, u, 0, ErrNotFound
	}
	if err != nil {
		return k, u, 0, err
	}
	u.ID, u.DisabledAt = k.UserID, nullMillis(disabled)
	return k, u, version, u.readGroups(groups)
}

// Keys lists up to limit keys of a user after the one with id after.
func (s *Store) Keys(ctx context.Context, userID, after string, limit int) ([]APIKey, error) {
	return list(ctx, s.read, func(r *sql.Rows, k *APIKey) error { return scanKey(r.Scan, k) },
		"SELECT "+keyColumns+" FROM api_keys k WHERE k.user_id = ? AND k.id > ? ORDER BY k.id LIMIT ?", userID, after, limit)
}

// AllKeys lists up to limit keys of everybody after the one with id after.
func (s *Store) AllKeys(ctx context.Context, after string, limit int) ([]APIKey, error) {
	return list(ctx, s.read, func(r *sql.Rows, k *APIKey) error { return scanKey(r.Scan, k) },
		"SELECT "+keyColumns+" FROM api_keys k WHERE k.id > ? ORDER BY k.id LIMIT ?", after, limit)
}

// OwnKeys lists up to limit keys of everybody after the one with id after, but for
// those that stand for what a user allowed an application: they are not set up by
// anybody, and end with that.
func (s *Store) OwnKeys(ctx context.Context, after string, limit int) ([]APIKey, error) {
	return list(ctx, s.read, func(r *sql.Rows, k *APIKey) error { return scanKey(r.Scan, k) },
		"SELECT "+keyColumns+` FROM api_keys k WHERE k.id > ? AND NOT EXISTS (SELECT 1 FROM oauth_connections n WHERE n.key_id = k.id)
  ORDER BY k.id LIMIT ?`, after, limit)
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

// TouchKey notes that a key was used, by the secret with that serial; callers do
// it rarely.
func (s *Store) TouchKey(ctx context.Context, id string, serial int64) error {
	u := &Unit{Priority: Background}
	u.Add("UPDATE api_keys SET last_used_at = ?2, old_used_at = CASE WHEN serial = ?3 + 1 THEN ?2 ELSE old_used_at END WHERE id = ?1",
		id, s.millis(), serial)
	return s.Do(ctx, u)
}

// ids are the bounds of the ids of what was made in a span: from the first, below
// the second.
func (s Span) ids() (since, before string) {
	before = "~" // sorts after every ULID
	if !s.From.IsZero() {
		since = firstID(s.From)
	}
	if !s.Until.IsZero() {
		before = firstID(s.Until)
	}
	return since, before
}
