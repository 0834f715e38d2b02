package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// StoredResponse is an answer of the Responses API that its user may come back
// to until it expires.
type StoredResponse struct {
	UserID       string
	ID           string
	CallID       string
	Provider     string // the configured provider that answered, and stores it where Sealed is ""
	Model        string
	CredentialID string // of the key it is stored under; "" for one from the environment
	Credential   string
	Sealed       string // the answer and its conversation, sealed; "" where the provider stores them
	KeyID        string // of the data key that sealed it
}

// PutResponse is the statement that stores an answer for life. It belongs into
// the unit that settles the answer's call: either both are durable or neither.
// An answer of the same user and id is replaced, so the unit can be sent twice.
func (s *Store) PutResponse(r StoredResponse, life time.Duration) Stmt {
	var sealed any
	if r.Sealed != "" {
		sealed = r.Sealed
	}
	return Stmt{`INSERT INTO responses (user_id, id, call_id, provider, model, credential_id, credential, sealed, key_id, created_at, expires_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ` + dbNow + `, ` + dbNow + ` + ?10)
ON CONFLICT (user_id, id) DO UPDATE SET call_id = ?3, provider = ?4, model = ?5, credential_id = ?6, credential = ?7,
  sealed = ?8, key_id = ?9, expires_at = ` + dbNow + ` + ?10`,
		[]any{r.UserID, r.ID, r.CallID, r.Provider, r.Model, r.CredentialID, r.Credential, sealed, r.KeyID, life.Milliseconds()}}
}

// Response finds a user's answer. ErrNotFound: there is none, it is another
// user's, or its time is over.
func (s *Store) Response(ctx context.Context, userID, id string) (StoredResponse, error) {
	r := StoredResponse{UserID: userID, ID: id}
	err := s.read.QueryRowContext(ctx, `SELECT call_id, provider, model, credential_id, credential, coalesce(sealed, ''), key_id
FROM responses WHERE user_id = ?1 AND id = ?2 AND expires_at > `+dbNow, userID, id).
		Scan(&r.CallID, &r.Provider, &r.Model, &r.CredentialID, &r.Credential, &r.Sealed, &r.KeyID)
	if errors.Is(err, sql.ErrNoRows) {
		return r, ErrNotFound
	}
	return r, err
}

// DeleteResponse forgets a user's answer. ErrNotFound: there is none.
func (s *Store) DeleteResponse(ctx context.Context, userID, id string) error {
	return s.Exec(ctx, "DELETE FROM responses WHERE user_id = ?1 AND id = ?2", userID, id)
}

// ForgetResponses deletes answers whose time is over, a batch at a time: they
// can be megabytes each.
func (s *Store) ForgetResponses(ctx context.Context) error {
	const batch = 500
	u := &Unit{Priority: Background}
	u.Add("DELETE FROM responses WHERE (user_id, id) IN (SELECT user_id, id FROM responses WHERE expires_at <= "+
		dbNow+" ORDER BY expires_at LIMIT ?1)", batch)
	return s.Do(ctx, u)
}
