package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// HostUser is a user who is a Blocklet Server's too, and what that says.
type HostUser struct {
	User
	Roles     []string // as the server calls them
	Avatar    string   // URL
	BlockedAt *time.Time
	ReadAt    time.Time // when the server was asked; zero: never
	Spent     bool      // the proof asked for is worth nothing any more
}

const hostUserColumns = "coalesce(hu.roles_json, '[]'), coalesce(hu.avatar, ''), hu.blocked_at, coalesce(hu.read_at, 0), "

const hostUserJoin = " LEFT JOIN host_users hu ON hu.user_id = u.id"

func scanHostUser(scan func(...any) error, h *HostUser) error {
	var roles string
	var blocked sql.NullInt64
	var read int64
	err := scanUser(func(to ...any) error {
		return scan(append([]any{&roles, &h.Avatar, &blocked, &read, &h.Spent}, to...)...)
	}, &h.User)
	if err != nil {
		return err
	}
	h.BlockedAt = nullMillis(blocked)
	if read > 0 {
		h.ReadAt = time.UnixMilli(read).UTC()
	}
	if err := json.Unmarshal([]byte(roles), &h.Roles); err != nil {
		return fmt.Errorf("roles of user %s: %w", h.ID, err)
	}
	return nil
}

// HostUser finds a user by DID. proof is the hash of what was shown, "" for none.
func (s *Store) HostUser(ctx context.Context, did, proof string) (HostUser, error) {
	return s.oneHostUser(ctx, "WHERE u.did = ?1", did, proof)
}

// HostUserByID finds a user, who need not be a Blocklet Server's.
func (s *Store) HostUserByID(ctx context.Context, id string) (HostUser, error) {
	return s.oneHostUser(ctx, "WHERE u.id = ?1", id, "")
}

func (s *Store) oneHostUser(ctx context.Context, where, arg, proof string) (HostUser, error) {
	var h HostUser
	err := scanHostUser(s.read.QueryRowContext(ctx, "SELECT "+hostUserColumns+"EXISTS (SELECT 1 FROM spent_proofs p WHERE p.hash = ?2), "+
		userColumns+hostUserJoin+" "+where, arg, proof).Scan, &h)
	if errors.Is(err, sql.ErrNoRows) {
		return h, ErrNotFound
	}
	return h, err
}

// HostUsers lists up to limit users of the server after the one with id after, by
// id.
func (s *Store) HostUsers(ctx context.Context, after string, limit int) ([]HostUser, error) {
	return list(ctx, s.read, func(r *sql.Rows, h *HostUser) error { return scanHostUser(r.Scan, h) },
		"SELECT "+hostUserColumns+"0, "+userColumns+" JOIN host_users hu ON hu.user_id = u.id WHERE hu.user_id > ?1 ORDER BY hu.user_id LIMIT ?2", after, limit)
}

// CreateHostUser makes a user of the server, and the wallet. ErrConflict: the DID
// or the e-mail address belongs to a user.
func (s *Store) CreateHostUser(ctx context.Context, h HostUser) (HostUser, error) {
	h.ID, h.AccountID, h.CreatedAt = s.NewID(), s.NewID(), s.now().UTC()
	roles, err := json.Marshal(h.Roles)
	if err != nil {
		return h, err
	}
	u := &Unit{Priority: Background}
	addUser(u, h.User)
	u.Add("UPDATE users SET did = ?2 WHERE id = ?1", h.ID, h.DID)
	u.Add("INSERT INTO payment_customers (user_id) VALUES (?1) ON CONFLICT (user_id) DO NOTHING", h.ID)
	u.Add("INSERT INTO host_users (user_id, roles_json, avatar, read_at) VALUES (?1, ?2, ?3, ?4)", h.ID, string(roles), h.Avatar, h.ReadAt.UnixMilli())
	return h, s.Do(ctx, u)
}

// SetHostUser stores what the server says of a user at h.ReadAt: role, name,
// language, avatar and whether it lets the user in. h.BlockedAt nil means that it
// does. A user whom it does not let in is disabled from the commit on, and enabled
// again when it does unless an operator disabled the user as well. done is false,
// and nothing is stored, when something newer is known.
func (s *Store) SetHostUser(ctx context.Context, h HostUser) (done bool, err error) {
	roles, err := json.Marshal(h.Roles)
	if err != nil {
		return false, err
	}
	err = s.Tx(ctx, func(ctx context.Context, tx *Tx) error {
		res, err := tx.ExecContext(ctx, `INSERT INTO host_users (user_id, roles_json, avatar, blocked_at, read_at) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (user_id) DO UPDATE SET roles_json = ?2, avatar = ?3, read_at = ?5,
  blocked_at = CASE WHEN ?4 IS NULL THEN NULL ELSE coalesce(blocked_at, ?4) END WHERE read_at <= ?5`,
			h.ID, string(roles), h.Avatar, millisOrNil(h.BlockedAt), h.ReadAt.UnixMilli())
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err != nil || n == 0 {
			return err
		}
		done = true
		unit := &Unit{}
		unit.Add("UPDATE users SET role = ?2, name = ?3, language = CASE WHEN language = '' THEN ?4 ELSE language END WHERE id = ?1", h.ID, string(h.Role), h.Name, h.Language)
		if h.BlockedAt != nil {
			unit.Add("UPDATE host_users SET disabled = 1 WHERE user_id = ?1 AND EXISTS (SELECT 1 FROM users WHERE id = ?1 AND disabled_at IS NULL)", h.ID)
			unit.Add("UPDATE users SET disabled_at = coalesce(disabled_at, ?2) WHERE id = ?1", h.ID, h.BlockedAt.UnixMilli())
			unit.Add("DELETE FROM sessions WHERE user_id = ?1", h.ID)
		} else {
			unit.Add("UPDATE users SET disabled_at = NULL WHERE id = ?1 AND EXISTS (SELECT 1 FROM host_users WHERE user_id = ?1 AND disabled = 1)", h.ID)
			unit.Add("UPDATE host_users SET disabled = 0 WHERE user_id = ?1", h.ID)
		}
		if err := tx.run(ctx, unit); err != nil {
			return err
		}
		return tx.Bump(ctx)
	})
	return done && err == nil, err
}

// SetUserEmail gives a user another e-mail address. ErrConflict: it is another
// user's.
func (s *Store) SetUserEmail(ctx context.Context, userID, email string) error {
	return s.changed(ctx, "UPDATE users SET email = ?2 WHERE id = ?1", userID, email)
}

// Spend makes a proof worth nothing from now on; hash is what is kept of it, and
// until is when it would have been worth nothing anyway. ErrConflict: it is spent.
func (s *Store) Spend(ctx context.Context, hash string, until time.Time) error {
	u := &Unit{Priority: Background}
	u.Add("DELETE FROM spent_proofs WHERE hash IN (SELECT hash FROM spent_proofs WHERE until <= ?1 ORDER BY until LIMIT ?2)", s.millis(), swept)
	u.Add("INSERT INTO spent_proofs (hash, until) VALUES (?1, ?2)", hash, until.UnixMilli())
	return s.Do(ctx, u)
}

// Same reports whether what the server says of a user now is what is stored.
func (h HostUser) Same(now HostUser) bool {
	return !h.ReadAt.IsZero() && h.Role == now.Role && (h.Name == now.Name || now.Name == "") && h.Avatar == now.Avatar && slices.Equal(h.Roles, now.Roles) &&
		(h.BlockedAt == nil) == (now.BlockedAt == nil) && (h.BlockedAt == nil || h.DisabledAt != nil)
}
