package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// AskReset counts the tries and, unless one of them has none left (ErrTries),
// notes that the user with an e-mail address wants a link for a new password. It
// takes one unit whether there is such a user or not, so that nobody learns it
// from the time; life is how long the link works from now.
func (s *Store) AskReset(ctx context.Context, email string, life time.Duration, tries ...Try) error {
	at := s.millis()
	u := &Unit{Priority: Background}
	s.take(u, tries)
	u.Add(`INSERT INTO password_resets (user_id, requested_at, expires_at) SELECT id, ?2, ?2 + ?3 FROM users WHERE email = ?1 AND disabled_at IS NULL
ON CONFLICT (user_id) DO UPDATE SET hash = NULL, requested_at = ?2, expires_at = ?2 + ?3`, email, at, life.Milliseconds())
	return s.Do(ctx, u)
}

// DueReset is a link that is to be made and sent.
type DueReset struct {
	UserID, Email, Name, Language string
	RequestedAt, ExpiresAt        time.Time
}

// DueResets lists links that were asked for and not made, oldest first.
func (s *Store) DueResets(ctx context.Context, limit int) ([]DueReset, error) {
	return list(ctx, s.read, func(rows *sql.Rows, d *DueReset) error {
		var requested, expires int64
		err := rows.Scan(&d.UserID, &d.Email, &d.Name, &d.Language, &requested, &expires)
		d.RequestedAt, d.ExpiresAt = time.UnixMilli(requested).UTC(), time.UnixMilli(expires).UTC()
		return err
	}, `SELECT r.user_id, u.email, u.name, u.language, r.requested_at, r.expires_at FROM password_resets r JOIN users u ON u.id = r.user_id
WHERE r.hash IS NULL AND r.requested_at > 0 ORDER BY r.requested_at LIMIT ?1`, limit)
}

// SetReset makes a link: from now on the token with this hash works, and no
// earlier one.
func (s *Store) SetReset(ctx context.Context, userID, hash string, expires time.Time) error {
	u := &Unit{Priority: Background}
	u.Add(`INSERT INTO password_resets (user_id, hash, requested_at, expires_at) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (user_id) DO UPDATE SET hash = ?2, expires_at = ?4`, userID, hash, s.millis(), expires.UnixMilli())
	return s.Do(ctx, u)
}

// DropReset forgets a link that was asked for and not made.
func (s *Store) DropReset(ctx context.Context, userID string) error {
	u := &Unit{Priority: Background}
	u.Add("DELETE FROM password_resets WHERE user_id = ?1 AND hash IS NULL", userID)
	return s.Do(ctx, u)
}

// ResetUser finds whose password the token with this hash may replace now.
func (s *Store) ResetUser(ctx context.Context, hash string) (User, error) {
	var id string
	err := s.read.QueryRowContext(ctx, "SELECT user_id FROM password_resets WHERE hash = ?1 AND expires_at > ?2", hash, s.millis()).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return User{}, ErrNotFound
	}
	if err != nil {
		return User{}, err
	}
	u, err := s.UserByID(ctx, id)
	if err == nil && u.DisabledAt != nil {
		return u, ErrNotFound
	}
	return u, err
}

// UseReset replaces a password by the token with this hash, once, and ends the
// user's sessions. ErrNotFound: the token does not work any more.
func (s *Store) UseReset(ctx context.Context, userID, hash, passwordHash string) error {
	return s.Tx(ctx, func(ctx context.Context, tx *Tx) error {
		if err := tx.one(ctx, "DELETE FROM password_resets WHERE user_id = ?1 AND hash = ?2 AND expires_at > ?3", userID, hash, s.millis()); err != nil {
			return err
		}
		u := &Unit{}
		setPassword(u, userID, passwordHash, "")
		return tx.run(ctx, u)
	})
}
