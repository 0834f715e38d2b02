package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Try is a count of tries against somebody.
type Try struct {
	Subject string // whom it counts against; not shown to anybody
	Window  time.Duration
	Most    int64 // tries within the window
}

// Take counts one try against each of the subjects, in whatever process, or none
// at all with ErrTries when one of them has no try left.
func (s *Store) Take(ctx context.Context, tries ...Try) error {
	u := &Unit{Priority: Background}
	s.take(u, tries)
	return s.Do(ctx, u)
}

func (s *Store) take(u *Unit, tries []Try) {
	at := s.millis()
	u.Add("DELETE FROM sign_in_tries WHERE subject IN (SELECT subject FROM sign_in_tries WHERE until <= ?1 ORDER BY until LIMIT ?2)", at, swept)
	for _, t := range tries {
		u.Add(`INSERT INTO sign_in_tries (subject, until, tries, most) VALUES (?1, ?2 + ?3, 1, ?4) ON CONFLICT (subject) DO UPDATE SET most = ?4,
  tries = CASE WHEN until <= ?2 THEN 1 ELSE tries + 1 END, until = CASE WHEN until <= ?2 THEN ?2 + ?3 ELSE until END`,
			t.Subject, at, t.Window.Milliseconds(), t.Most)
	}
}

// TriesEnd is how long subjects have to wait whose tries are used up, 0 if none
// of them has to.
func (s *Store) TriesEnd(ctx context.Context, tries ...Try) (wait time.Duration, err error) {
	at := s.millis()
	for _, t := range tries {
		var until int64
		err := s.read.QueryRowContext(ctx, "SELECT until FROM sign_in_tries WHERE subject = ?1 AND until > ?2 AND tries >= ?3", t.Subject, at, t.Most).Scan(&until)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return 0, err
		}
		if err == nil {
			wait = max(wait, time.Duration(until-at)*time.Millisecond)
		}
	}
	return wait, nil
}

// GiveBack undoes a Take that turned out to be no failure.
func (s *Store) GiveBack(ctx context.Context, tries ...Try) error {
	u := &Unit{Priority: Background}
	for _, t := range tries {
		u.Add("UPDATE sign_in_tries SET tries = tries - 1 WHERE subject = ?1 AND tries > 0", t.Subject)
	}
	return s.Do(ctx, u)
}

// ForgetTry makes a subject's count start over.
func (s *Store) ForgetTry(ctx context.Context, subject string) error {
	u := &Unit{Priority: Background}
	u.Add("DELETE FROM sign_in_tries WHERE subject = ?1", subject)
	return s.Do(ctx, u)
}

// TOTP is a row of user_totp: a second factor (RFC 6238).
type TOTP struct {
	UserID      string
	Sealed      string // the secret
	KeyID       string
	LastStep    int64
	ConfirmedAt *time.Time // nil: being set up, and not asked for
}

// UserTOTP finds a user's second factor.
func (s *Store) UserTOTP(ctx context.Context, userID string) (TOTP, error) {
	t := TOTP{UserID: userID}
	var confirmed sql.NullInt64
	err := s.read.QueryRowContext(ctx, "SELECT sealed, key_id, last_step, confirmed_at FROM user_totp WHERE user_id = ?", userID).
		Scan(&t.Sealed, &t.KeyID, &t.LastStep, &confirmed)
	if errors.Is(err, sql.ErrNoRows) {
		return t, ErrNotFound
	}
	t.ConfirmedAt = nullMillis(confirmed)
	return t, err
}

// BeginTOTP stores a second factor that is not yet confirmed, in the place of
// such a one. ErrNotFound: the user has a confirmed one.
func (s *Store) BeginTOTP(ctx context.Context, t TOTP) error {
	return s.Exec(ctx, `INSERT INTO user_totp (user_id, sealed, key_id, created_at) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (user_id) DO UPDATE SET sealed = ?2, key_id = ?3, created_at = ?4, last_step = 0 WHERE confirmed_at IS NULL`,
		t.UserID, t.Sealed, t.KeyID, s.millis())
}

// ConfirmTOTP puts a second factor into force, with recovery codes by their
// hashes. sealed is the one that was confirmed: ErrNotFound when another has
// taken its place, or it is in force already.
func (s *Store) ConfirmTOTP(ctx context.Context, userID, sealed string, step int64, recovery []string) error {
	return s.Tx(ctx, func(ctx context.Context, tx *Tx) error {
		if err := tx.one(ctx, "UPDATE user_totp SET confirmed_at = ?3, last_step = ?4 WHERE user_id = ?1 AND sealed = ?2 AND confirmed_at IS NULL",
			userID, sealed, s.millis(), step); err != nil {
			return err
		}
		u := &Unit{}
		addRecovery(u, userID, recovery)
		return tx.run(ctx, u)
	})
}

func addRecovery(u *Unit, userID string, hashes []string) {
	u.Add("DELETE FROM totp_recovery WHERE user_id = ?1", userID)
	for _, h := range hashes {
		u.Add("INSERT INTO totp_recovery (user_id, hash) VALUES (?1, ?2)", userID, h)
	}
}

// UseTOTPStep spends a time step's code. ErrNotFound: it, or a newer one, was
// used before.
func (s *Store) UseTOTPStep(ctx context.Context, userID string, step int64) error {
	return s.Exec(ctx, "UPDATE user_totp SET last_step = ?2 WHERE user_id = ?1 AND confirmed_at IS NOT NULL AND last_step < ?2", userID, step)
}

// UseRecovery spends a recovery code. ErrNotFound: the user has none such.
func (s *Store) UseRecovery(ctx context.Context, userID, hash string) error {
	return s.Exec(ctx, "DELETE FROM totp_recovery WHERE user_id = ?1 AND hash = ?2", userID, hash)
}

// RecoveryLeft counts a user's unused recovery codes.
func (s *Store) RecoveryLeft(ctx context.Context, userID string) (n int, err error) {
	err = s.read.QueryRowContext(ctx, "SELECT count(*) FROM totp_recovery WHERE user_id = ?", userID).Scan(&n)
	return n, err
}

// RemoveTOTP removes a user's second factor. ErrNotFound: there is none.
func (s *Store) RemoveTOTP(ctx context.Context, userID string) error {
	return s.Tx(ctx, func(ctx context.Context, tx *Tx) error {
		if err := tx.one(ctx, "DELETE FROM user_totp WHERE user_id = ?1", userID); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "DELETE FROM totp_recovery WHERE user_id = ?1", userID)
		return err
	})
}
