package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// User is a row of users.
type User struct {
	ID           string
	Email        string
	Name         string
	Role         hub.Role
	Groups       []string // for the conditions of routes; nil: none
	PasswordHash string   `json:"-"`
	DisabledAt   *time.Time
	CreatedAt    time.Time
	AccountID    string
	DID          string // the user's name outside; "" where there is none
	Language     string // of the console and of mails; "" when the user did not choose
	TimeZone     string // IANA name; "" when the user did not choose
}

// Format names the user, whatever the verb: the hash of a password is no sight
// for logs.
func (u User) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "user %s", u.ID) }

// LogValue names the user in logs.
func (u User) LogValue() slog.Value { return slog.StringValue("user " + u.ID) }

// Mail is where the user reads mail: the e-mail address, or "" for a stand-in that
// nobody reads, as users of a Blocklet Server without an address have it (RFC 2606).
func (u User) Mail() string {
	if strings.HasSuffix(u.Email, ".invalid") {
		return ""
	}
	return u.Email
}

const userColumns = `u.id, u.email, u.name, u.role, u.groups_json, u.password_hash, u.disabled_at, u.created_at, coalesce(a.id, ''), coalesce(u.did, ''), u.language, u.time_zone
FROM users u LEFT JOIN accounts a ON a.user_id = u.id`

func scanUser(scan func(...any) error, u *User) error {
	var disabled sql.NullInt64
	var created int64
	var groups string
	if err := scan(&u.ID, &u.Email, &u.Name, &u.Role, &groups, &u.PasswordHash, &disabled, &created, &u.AccountID, &u.DID, &u.Language, &u.TimeZone); err != nil {
		return err
	}
	u.DisabledAt, u.CreatedAt = nullMillis(disabled), time.UnixMilli(created).UTC()
	return u.readGroups(groups)
}

func (u *User) readGroups(list string) error {
	if list == "[]" {
		return nil // nearly everybody
	}
	if err := json.Unmarshal([]byte(list), &u.Groups); err != nil {
		return fmt.Errorf("groups of user %s: %w", u.ID, err)
	}
	return nil
}

// SetUserGroups puts a user into groups, and out of all others.
func (s *Store) SetUserGroups(ctx context.Context, userID string, groups []string) error {
	if groups == nil {
		groups = []string{}
	}
	list, err := json.Marshal(groups)
	if err != nil {
		return err
	}
	return s.changed(ctx, "UPDATE users SET groups_json = ?2 WHERE id = ?1", userID, string(list))
}

// CreateUser makes a user and the wallet that pays for the user's calls.
// ErrConflict: the e-mail address is taken.
func (s *Store) CreateUser(ctx context.Context, u User) (User, error) {
	u.ID, u.AccountID, u.CreatedAt = s.NewID(), s.NewID(), s.now().UTC()
	unit := &Unit{Priority: Background}
	addUser(unit, u)
	return u, s.Do(ctx, unit)
}

func addUser(unit *Unit, u User) {
	unit.Add("INSERT INTO users (id, email, name, role, password_hash, language, time_zone, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
		u.ID, u.Email, u.Name, string(u.Role), u.PasswordHash, u.Language, u.TimeZone, u.CreatedAt.UnixMilli())
	unit.Add("INSERT INTO accounts (id, kind, user_id, created_at) VALUES (?1, 'wallet', ?2, ?3)",
		u.AccountID, u.ID, u.CreatedAt.UnixMilli())
}

// CreateOwner makes the first owner. ErrConflict: there is one already.
func (s *Store) CreateOwner(ctx context.Context, u User) (User, error) {
	u.ID, u.AccountID, u.CreatedAt, u.Role = s.NewID(), s.NewID(), s.now().UTC(), hub.RoleOwner
	return u, s.Tx(ctx, func(ctx context.Context, tx *Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM users WHERE role = 'owner'").Scan(&n); err != nil {
			return err
		}
		if n > 0 {
			return ErrConflict
		}
		unit := &Unit{}
		addUser(unit, u)
		unit.Add("DELETE FROM settings WHERE name = 'setup_token_hash'")
		return tx.run(ctx, unit)
	})
}

func (tx *Tx) run(ctx context.Context, u *Unit) error {
	for _, st := range u.Stmts {
		if _, err := tx.ExecContext(ctx, st.SQL, st.Args...); err != nil {
			return err
		}
	}
	return nil
}

// UserByEmail finds a user, regardless of the letters' case.
func (s *Store) UserByEmail(ctx context.Context, email string) (User, error) {
	return s.oneUser(ctx, "WHERE u.email = ?", email)
}

// UserByID finds a user.
func (s *Store) UserByID(ctx context.Context, id string) (User, error) {
	return s.oneUser(ctx, "WHERE u.id = ?", id)
}

func (s *Store) oneUser(ctx context.Context, where string, arg any) (User, error) {
	var u User
	err := scanUser(s.read.QueryRowContext(ctx, "SELECT "+userColumns+" "+where, arg).Scan, &u)
	if errors.Is(err, sql.ErrNoRows) {
		return u, ErrNotFound
	}
	return u, err
}

// Users lists up to limit users after the one with id after, by id.
func (s *Store) Users(ctx context.Context, after string, limit int) ([]User, error) {
	return list(ctx, s.read, func(r *sql.Rows, u *User) error { return scanUser(r.Scan, u) },
		"SELECT "+userColumns+" WHERE u.id > ? ORDER BY u.id LIMIT ?", after, limit)
}

// HasOwner reports whether an owner exists.
func (s *Store) HasOwner(ctx context.Context) (bool, error) {
	var n int
	err := s.read.QueryRowContext(ctx, "SELECT count(*) FROM users WHERE role = 'owner'").Scan(&n)
	return n > 0, err
}

// SetPassword replaces a user's password hash, ends the user's sessions except
// the one with id keep ("": all), and makes a link for a new password void.
func (s *Store) SetPassword(ctx context.Context, userID, hash, keep string) error {
	u := &Unit{Priority: Background}
	setPassword(u, userID, hash, keep)
	return s.Do(ctx, u)
}

func setPassword(u *Unit, userID, hash, keep string) {
	u.Add("UPDATE users SET password_hash = ?2 WHERE id = ?1", userID, hash)
	u.Add("DELETE FROM sessions WHERE user_id = ?1 AND id <> ?2", userID, keep)
	u.Add("DELETE FROM password_resets WHERE user_id = ?1", userID)
}

// SetProfile writes what users say about themselves.
func (s *Store) SetProfile(ctx context.Context, u User) error {
	return s.Exec(ctx, "UPDATE users SET name = ?2, language = ?3, time_zone = ?4 WHERE id = ?1", u.ID, u.Name, u.Language, u.TimeZone)
}

// otherOwner asks for an owner beside the user ?1 who can sign in.
const otherOwner = "EXISTS (SELECT 1 FROM users other WHERE other.role = 'owner' AND other.disabled_at IS NULL AND other.id <> ?1)"

// SetUserDisabled disables or enables a user. From the commit on a disabled
// user's keys admit nothing and the sessions are gone. ErrNotFound: there is no
// such user, or it is the last owner, of whom one must remain, or it is one whom a
// Blocklet Server does not let in, who cannot be enabled here.
func (s *Store) SetUserDisabled(ctx context.Context, userID string, disabled bool) error {
	if !disabled {
		return s.changed(ctx, `UPDATE users SET disabled_at = NULL WHERE id = ?1
  AND NOT EXISTS (SELECT 1 FROM host_users WHERE user_id = ?1 AND blocked_at IS NOT NULL)`, userID)
	}
	return s.Tx(ctx, func(ctx context.Context, tx *Tx) error {
		if err := tx.one(ctx, "UPDATE users SET disabled_at = coalesce(disabled_at, ?2) WHERE id = ?1 AND (role <> 'owner' OR "+otherOwner+")", userID, s.millis()); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM sessions WHERE user_id = ?1", userID); err != nil {
			return err
		}
		return tx.Bump(ctx)
	})
}

// changed runs one statement that alters configuration: every process reloads.
func (s *Store) changed(ctx context.Context, query string, args ...any) error {
	return s.Tx(ctx, func(ctx context.Context, tx *Tx) error {
		if err := tx.one(ctx, query, args...); err != nil {
			return err
		}
		return tx.Bump(ctx)
	})
}

// one carries out a statement that is to change rows, and returns ErrNotFound where it
// changes none.
func (tx *Tx) one(ctx context.Context, query string, args ...any) error {
	res, err := tx.ExecContext(ctx, query, args...)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, ErrNotFound)
	}
	return nil
}
