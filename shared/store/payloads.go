package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"
)

// CaptureRule is a row of capture_rules: whose bodies are kept.
type CaptureRule struct {
	ID        string
	CreatedAt time.Time
	CreatedBy string
	UserID    string // "": anybody's
	KeyID     string
	AppID     string
	Permille  int64    // of the calls
	Parts     string   // both, request or response
	PII       []string // what is taken out beside secrets
	UsersSee  bool     // users see what was kept of their own calls
}

// CaptureRules lists all rules, oldest first.
func (s *Store) CaptureRules(ctx context.Context) ([]CaptureRule, error) {
	return alone(ctx, s.read, askCaptureRules)
}

func askCaptureRules(into *[]CaptureRule) question {
	return asks(into, func(r *sql.Rows, c *CaptureRule) error {
		var created int64
		var pii string
		if err := r.Scan(&c.ID, &created, &c.CreatedBy, &c.UserID, &c.KeyID, &c.AppID, &c.Permille, &c.Parts, &pii, &c.UsersSee); err != nil {
			return err
		}
		c.CreatedAt = time.UnixMilli(created).UTC()
		return json.Unmarshal([]byte(pii), &c.PII)
	}, "SELECT id, created_at, created_by, user_id, api_key_id, app_id, permille, parts, pii_json, users_see FROM capture_rules ORDER BY id")
}

// AddCaptureRule stores a rule. Every process follows it as soon as it looks at the
// configuration.
func (s *Store) AddCaptureRule(ctx context.Context, c CaptureRule) error {
	pii, err := json.Marshal(c.PII)
	if err != nil {
		return err
	}
	u := &Unit{Priority: Background}
	u.Add(`INSERT INTO capture_rules (id, created_at, created_by, user_id, api_key_id, app_id, permille, parts, pii_json, users_see)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)`,
		c.ID, c.CreatedAt.UnixMilli(), c.CreatedBy, c.UserID, c.KeyID, c.AppID, c.Permille, c.Parts, string(pii), boolInt(c.UsersSee))
	u.Add(bumpConfig)
	return s.Do(ctx, u)
}

// RemoveCaptureRule deletes a rule. ErrNotFound: there is none.
func (s *Store) RemoveCaptureRule(ctx context.Context, id string) error {
	return s.changed(ctx, "DELETE FROM capture_rules WHERE id = ?1", id)
}

// Payload is a row of payloads: what was kept of a call, sealed.
type Payload struct {
	CallID    string
	UserID    string
	CreatedAt time.Time
	ExpiresAt time.Time
	UsersSee  bool
	Sealed    string
	KeyID     string
}

// PutPayloads stores what was kept of calls, after everything else that waits to
// be written. What is there already stays.
func (s *Store) PutPayloads(ctx context.Context, all []Payload) error {
	if len(all) == 0 {
		return nil
	}
	u := &Unit{Priority: Background}
	for _, p := range all {
		u.Add(`INSERT INTO payloads (call_id, user_id, created_at, expires_at, users_see, sealed, key_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT (call_id) DO NOTHING`, p.CallID, p.UserID, p.CreatedAt.UnixMilli(), p.ExpiresAt.UnixMilli(), boolInt(p.UsersSee), p.Sealed, p.KeyID)
	}
	return s.Do(ctx, u)
}

// Payload finds what was kept of a call. ErrNotFound: nothing was, or its time is
// over.
func (s *Store) Payload(ctx context.Context, callID string) (Payload, error) {
	var p Payload
	var created, expires int64
	err := s.read.QueryRowContext(ctx, "SELECT call_id, user_id, created_at, expires_at, users_see, sealed, key_id FROM payloads WHERE call_id = ?1 AND expires_at > ?2",
		callID, s.millis()).Scan(&p.CallID, &p.UserID, &created, &expires, &p.UsersSee, &p.Sealed, &p.KeyID)
	p.CreatedAt, p.ExpiresAt = time.UnixMilli(created).UTC(), time.UnixMilli(expires).UTC()
	if errors.Is(err, sql.ErrNoRows) {
		return p, ErrNotFound
	}
	return p, err
}

// DeletePayload forgets what was kept of a call. ErrNotFound: nothing was.
func (s *Store) DeletePayload(ctx context.Context, callID string) error {
	return s.Exec(ctx, "DELETE FROM payloads WHERE call_id = ?1", callID)
}

// ForgetPayloads deletes what was kept until now, a batch at a time: each can be a
// hundred kilobytes. It reports whether there may be more.
func (s *Store) ForgetPayloads(ctx context.Context) (more bool, err error) {
	const batch = 500
	err = s.Exec(ctx, "DELETE FROM payloads WHERE call_id IN (SELECT call_id FROM payloads WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)", s.millis(), batch)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
