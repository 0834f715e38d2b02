package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// CachedAnswer is an answer kept for equal requests of the same user.
type CachedAnswer struct {
	UserID string
	Key    string // a keyed hash of the request
	CallID string // the call that a provider answered
	Sealed string
	KeyID  string // of the data key that sealed it
}

// KeepAnswer stores an answer for life, in place of one of the same user and
// key. ErrNotFound: all answers together would take more than room bytes.
func (s *Store) KeepAnswer(ctx context.Context, a CachedAnswer, life time.Duration, room int64) error {
	return s.Exec(ctx, `INSERT INTO answer_cache (user_id, key, call_id, sealed, key_id, bytes, created_at, expires_at)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, `+dbNow+`, `+dbNow+` + ?7 WHERE (SELECT bytes FROM answer_cache_size WHERE id = 1) + ?6 <= ?8
ON CONFLICT (user_id, key) DO UPDATE SET call_id = ?3, sealed = ?4, key_id = ?5, bytes = ?6, created_at = `+dbNow+`, expires_at = `+dbNow+` + ?7`,
		a.UserID, a.Key, a.CallID, a.Sealed, a.KeyID, int64(len(a.Sealed)), life.Milliseconds(), room)
}

// KeptAnswer finds a user's answer. ErrNotFound: there is none, or its time is
// over.
func (s *Store) KeptAnswer(ctx context.Context, userID, key string) (CachedAnswer, error) {
	a := CachedAnswer{UserID: userID, Key: key}
	err := s.read.QueryRowContext(ctx, "SELECT call_id, sealed, key_id FROM answer_cache WHERE user_id = ?1 AND key = ?2 AND expires_at > "+dbNow,
		userID, key).Scan(&a.CallID, &a.Sealed, &a.KeyID)
	if errors.Is(err, sql.ErrNoRows) {
		return a, ErrNotFound
	}
	return a, err
}

// KeptBytes is what all kept answers take together.
func (s *Store) KeptBytes(ctx context.Context) (n int64, err error) {
	err = s.read.QueryRowContext(ctx, "SELECT bytes FROM answer_cache_size WHERE id = 1").Scan(&n)
	return n, err
}

// ForgetAnswers deletes answers whose time is over and, while all together take
// more than room bytes, those that end next. Batches are small: an answer can be
// a megabyte.
func (s *Store) ForgetAnswers(ctx context.Context, room int64) error {
	const batch, most = 20, 1000
	for range most {
		err := s.Exec(ctx, `DELETE FROM answer_cache WHERE rowid IN (SELECT rowid FROM answer_cache
WHERE expires_at <= CASE WHEN (SELECT bytes FROM answer_cache_size WHERE id = 1) > ?1 THEN 9223372036854775807 ELSE `+dbNow+` END ORDER BY expires_at LIMIT ?2)`, room, batch)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// AddSetting writes a stored setting unless there is one; of two writers one
// wins. It returns the value that is there afterwards.
func (s *Store) AddSetting(ctx context.Context, name, value string) (string, error) {
	u := &Unit{Priority: Background}
	u.Add("INSERT INTO settings (name, value, updated_at) VALUES (?1, ?2, ?3) ON CONFLICT (name) DO NOTHING", name, value, s.millis())
	if err := s.Do(ctx, u); err != nil {
		return "", err
	}
	return s.Setting(ctx, name)
}
