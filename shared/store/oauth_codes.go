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

// OAuthCode is a row of oauth_codes. The code itself is not stored, only its hash.
type OAuthCode struct {
	Hash         string
	ClientID     string
	UserID       string
	RedirectURI  string // as the request gave it; "" when it gave none
	Challenge    string
	Terms        string // JSON: what the user agreed to
	ExpiresAt    time.Time
	ConnectionID string // that it becomes
	Used         bool
}

// codeMemory is how long a code is remembered that came too late or once more.
const codeMemory = time.Hour

// CreateOAuthCode stores a code.
func (s *Store) CreateOAuthCode(ctx context.Context, c OAuthCode) error {
	u := &Unit{Priority: Background}
	u.Add("DELETE FROM oauth_codes WHERE hash IN (SELECT o.hash FROM oauth_codes o WHERE o.expires_at <= ?1 ORDER BY o.expires_at LIMIT ?2)",
		s.now().Add(-codeMemory).UnixMilli(), swept)
	u.Add("INSERT INTO oauth_codes (hash, client_id, user_id, redirect_uri, challenge, terms_json, expires_at, connection_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
		c.Hash, c.ClientID, c.UserID, c.RedirectURI, c.Challenge, c.Terms, c.ExpiresAt.UnixMilli(), c.ConnectionID)
	return s.Do(ctx, u)
}

// OAuthCodeByHash finds a code, used or not.
func (s *Store) OAuthCodeByHash(ctx context.Context, hash string) (OAuthCode, error) {
	var c OAuthCode
	var expires int64
	err := s.read.QueryRowContext(ctx, `SELECT hash, client_id, user_id, redirect_uri, challenge, terms_json, expires_at, connection_id, used_at IS NOT NULL
FROM oauth_codes WHERE hash = ?`, hash).Scan(&c.Hash, &c.ClientID, &c.UserID, &c.RedirectURI, &c.Challenge, &c.Terms, &expires, &c.ConnectionID, &c.Used)
	if errors.Is(err, sql.ErrNoRows) {
		return c, ErrNotFound
	}
	c.ExpiresAt = time.UnixMilli(expires).UTC()
	return c, err
}

// UseOAuthCode spends a code. ErrNotFound: it was spent, or its time is over.
func (s *Store) UseOAuthCode(ctx context.Context, hash string) error {
	return s.Exec(ctx, "UPDATE oauth_codes SET used_at = ?2 WHERE hash = ?1 AND used_at IS NULL AND expires_at > ?2", hash, s.millis())
}

// ReplayOAuthCode notes that a spent code came once more: no connection can be
// made of it from then on.
func (s *Store) ReplayOAuthCode(ctx context.Context, hash string) error {
	return s.Exec(ctx, "UPDATE oauth_codes SET replayed_at = coalesce(replayed_at, ?2) WHERE hash = ?1 AND used_at IS NOT NULL", hash, s.millis())
}

// The states of a device that waits.
const (
	DevicePending  = "pending"
	DeviceApproved = "approved"
	DeviceDenied   = "denied"
	DeviceDone     = "done" // it has its tokens
)

// Device is a row of oauth_devices. The codes themselves are not stored, only
// their hashes.
type Device struct {
	Hash      string // of the device code
	UserCode  string // hash
	ClientID  string
	Scopes    []hub.Scope
	Address   string // of the device
	Agent     string
	CreatedAt time.Time
	ExpiresAt time.Time
	State     string
	UserID    string // "" while pending
	Terms     string // JSON: what the user agreed to
}

const deviceColumns = "hash, user_code, client_id, scopes_json, address, agent, created_at, expires_at, state, coalesce(user_id, ''), terms_json FROM oauth_devices"

func scanDevice(scan func(...any) error, d *Device) error {
	var scopes string
	var created, expires int64
	if err := scan(&d.Hash, &d.UserCode, &d.ClientID, &scopes, &d.Address, &d.Agent, &created, &expires, &d.State, &d.UserID, &d.Terms); err != nil {
		return err
	}
	d.CreatedAt, d.ExpiresAt = time.UnixMilli(created).UTC(), time.UnixMilli(expires).UTC()
	if err := json.Unmarshal([]byte(scopes), &d.Scopes); err != nil {
		return fmt.Errorf("scopes of a device: %w", err)
	}
	return nil
}

// CreateDevice stores a device that waits, asking at most once every wait.
func (s *Store) CreateDevice(ctx context.Context, d Device, wait time.Duration) error {
	scopes, err := json.Marshal(d.Scopes)
	if err != nil {
		return err
	}
	at := s.millis()
	u := &Unit{Priority: Background}
	u.Add("DELETE FROM oauth_devices WHERE hash IN (SELECT o.hash FROM oauth_devices o WHERE o.expires_at <= ?1 ORDER BY o.expires_at LIMIT ?2)", at-codeMemory.Milliseconds(), swept)
	u.Add(`INSERT INTO oauth_devices (hash, user_code, client_id, scopes_json, address, agent, created_at, expires_at, wait_ms, state)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'pending')`, d.Hash, d.UserCode, d.ClientID, string(scopes), d.Address, d.Agent, at, d.ExpiresAt.UnixMilli(), wait.Milliseconds())
	return s.Do(ctx, u)
}

// PollDevice finds a device by its code and notes that it asks. fast: it asked
// again before its time, and has to wait slower longer from now on.
func (s *Store) PollDevice(ctx context.Context, hash string, slower time.Duration) (d Device, fast bool, err error) {
	at := s.millis()
	err = s.Tx(ctx, func(ctx context.Context, tx *Tx) error {
		var wait, polled int64
		err := tx.QueryRowContext(ctx, "SELECT wait_ms, polled_at FROM oauth_devices WHERE hash = ?1", hash).Scan(&wait, &polled)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrNotFound
		}
		if err != nil {
			return err
		}
		if fast = at-polled < wait; fast {
			wait += slower.Milliseconds()
		}
		if _, err := tx.ExecContext(ctx, "UPDATE oauth_devices SET wait_ms = ?2, polled_at = ?3 WHERE hash = ?1", hash, wait, at); err != nil {
			return err
		}
		return scanDevice(tx.QueryRowContext(ctx, "SELECT "+deviceColumns+" WHERE hash = ?1", hash).Scan, &d)
	})
	return d, fast, err
}

// DeviceByUserCode finds a device that waits for somebody to say yes or no.
func (s *Store) DeviceByUserCode(ctx context.Context, hash string) (Device, error) {
	var d Device
	err := scanDevice(s.read.QueryRowContext(ctx, "SELECT "+deviceColumns+" WHERE user_code = ?1 AND state = 'pending' AND expires_at > ?2", hash, s.millis()).Scan, &d)
	if errors.Is(err, sql.ErrNoRows) {
		return d, ErrNotFound
	}
	return d, err
}

// DecideDevice stores what a user said to a device that waits. ErrNotFound:
// somebody said it before, or its time is over.
func (s *Store) DecideDevice(ctx context.Context, hash, state, userID, terms string) error {
	return s.Exec(ctx, "UPDATE oauth_devices SET state = ?2, user_id = ?3, terms_json = ?4 WHERE hash = ?1 AND state = 'pending' AND expires_at > ?5",
		hash, state, userID, terms, s.millis())
}

// FinishDevice marks that a device gets its tokens, once. ErrNotFound: it had
// them, or nobody said yes.
func (s *Store) FinishDevice(ctx context.Context, hash string) error {
	return s.Exec(ctx, "UPDATE oauth_devices SET state = 'done' WHERE hash = ?1 AND state = 'approved' AND expires_at > ?2", hash, s.millis())
}
