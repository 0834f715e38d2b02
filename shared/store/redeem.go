package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/money"
)

// RedeemCode is a row of redeem_codes.
type RedeemCode struct {
	ID         string
	Hash       string // hex SHA-256 of the code
	Hint       string // its last characters
	Sealed     string
	KeyID      string
	Batch      string
	Amount     money.Credits
	Kind       string // of the grant: promotional or purchased
	Priority   int64
	Life       time.Duration // of the credits once redeemed; 0: for ever
	MaxUses    int64
	Uses       int64
	ExpiresAt  *time.Time // of the code
	DisabledAt *time.Time
	Actor      string
	CreatedAt  time.Time
}

// codesAtOnce keeps the writer's lock short while thousands of codes are made.
const codesAtOnce = 500

// AddRedeemCodes stores codes, some hundred at a time. ErrConflict: a code is
// there already, and none of its lot was stored.
func (s *Store) AddRedeemCodes(ctx context.Context, codes []RedeemCode) error {
	for len(codes) > 0 {
		n := min(len(codes), codesAtOnce)
		if err := s.addCodes(ctx, codes[:n]); err != nil {
			return err
		}
		codes = codes[n:]
	}
	return nil
}

func (s *Store) addCodes(ctx context.Context, codes []RedeemCode) error {
	rows := make([][]any, len(codes))
	for i, c := range codes {
		rows[i] = []any{c.ID, c.Hash, c.Hint, c.Sealed, c.KeyID, c.Batch, int64(c.Amount), c.Kind, c.Priority, c.Life.Milliseconds(), c.MaxUses,
			millisOrNil(c.ExpiresAt), c.Actor}
	}
	list, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	u := &Unit{Priority: Background}
	u.Add(`INSERT INTO redeem_codes (id, hash, hint, sealed, key_id, batch, amount_nano, kind, priority, life_ms, max_uses, expires_at, actor, created_at)
SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'), json_extract(value, '$[3]'), json_extract(value, '$[4]'),
  json_extract(value, '$[5]'), json_extract(value, '$[6]'), json_extract(value, '$[7]'), json_extract(value, '$[8]'), json_extract(value, '$[9]'),
  json_extract(value, '$[10]'), json_extract(value, '$[11]'), json_extract(value, '$[12]'), ?2 FROM json_each(?1)`, string(list), s.millis())
	return s.Do(ctx, u)
}

const codeColumns = `id, hash, hint, sealed, key_id, batch, amount_nano, kind, priority, life_ms, max_uses, uses, expires_at, disabled_at, actor, created_at
FROM redeem_codes `

func scanCode(scan func(...any) error, c *RedeemCode) error {
	var expires, disabled sql.NullInt64
	var life, created int64
	err := scan(&c.ID, &c.Hash, &c.Hint, &c.Sealed, &c.KeyID, &c.Batch, &c.Amount, &c.Kind, &c.Priority, &life, &c.MaxUses, &c.Uses, &expires, &disabled,
		&c.Actor, &created)
	c.ExpiresAt, c.DisabledAt = nullMillis(expires), nullMillis(disabled)
	c.Life, c.CreatedAt = time.Duration(life)*time.Millisecond, time.UnixMilli(created).UTC()
	return err
}

// The states of a code, for lists.
const (
	codeStates = ` AND (?2 = '' OR ?2 = CASE WHEN disabled_at IS NOT NULL THEN 'disabled' WHEN uses >= max_uses THEN 'used'
  WHEN expires_at <= ` + dbNow + ` THEN 'expired' ELSE 'active' END) ORDER BY id LIMIT ?3`
	codesByID    = "SELECT " + codeColumns + "WHERE id > ?1" + codeStates
	codesByBatch = "SELECT " + codeColumns + "WHERE id > ?1 AND batch = ?4" + codeStates
)

// RedeemCodes lists up to limit codes after the one with id after, oldest first:
// of one batch and in one state (active, used, expired or disabled), "" meaning
// all.
func (s *Store) RedeemCodes(ctx context.Context, batch, state, after string, limit int) ([]RedeemCode, error) {
	scan := func(r *sql.Rows, c *RedeemCode) error { return scanCode(r.Scan, c) }
	if batch == "" {
		return list(ctx, s.read, scan, codesByID, after, state, limit)
	}
	return list(ctx, s.read, scan, codesByBatch, after, state, limit, batch)
}

// HasBatch reports whether there are codes of a batch.
func (s *Store) HasBatch(ctx context.Context, batch string) (bool, error) {
	var n int
	err := s.read.QueryRowContext(ctx, "SELECT count(*) FROM (SELECT 1 FROM redeem_codes WHERE batch = ? LIMIT 1)", batch).Scan(&n)
	return n > 0, err
}

// RedeemCodeByID finds a code.
func (s *Store) RedeemCodeByID(ctx context.Context, id string) (RedeemCode, error) {
	var c RedeemCode
	err := scanCode(s.read.QueryRowContext(ctx, "SELECT "+codeColumns+"WHERE id = ?", id).Scan, &c)
	if errors.Is(err, sql.ErrNoRows) {
		return c, ErrNotFound
	}
	return c, err
}

// DisableRedeemCode ends a code; credits that it gave stay. ErrNotFound: there
// is none with that id that works.
func (s *Store) DisableRedeemCode(ctx context.Context, id string) error {
	return s.Exec(ctx, "UPDATE redeem_codes SET disabled_at = ?2 WHERE id = ?1 AND disabled_at IS NULL", id, s.millis())
}

// DisableBatch ends every code of a batch that works, and says how many.
func (s *Store) DisableBatch(ctx context.Context, batch string) (n int64, err error) {
	for {
		var some int64
		err = s.Tx(ctx, func(ctx context.Context, tx *Tx) error {
			res, err := tx.ExecContext(ctx, `UPDATE redeem_codes SET disabled_at = ?2 WHERE id IN
  (SELECT id FROM redeem_codes WHERE batch = ?1 AND disabled_at IS NULL ORDER BY id LIMIT ?3)`, batch, s.millis(), codesAtOnce)
			if err != nil {
				return err
			}
			some, err = res.RowsAffected()
			return err
		})
		n += some
		if err != nil || some < codesAtOnce {
			return n, err
		}
	}
}

// The ways in which redeeming fails.
var (
	ErrNoCode      = errors.New("no such code")
	ErrCodeExpired = errors.New("code has expired")
	ErrCodeUsed    = errors.New("code is used up")
	ErrCodeYours   = errors.New("user has redeemed this code")
)

// TriesError says that a user tried too many wrong codes.
type TriesError struct{ Wait time.Duration }

// Error names the reason.
func (e *TriesError) Error() string { return "too many wrong codes" }

// Redeem gives a user the credits of the code with a hash, once per user and as
// often as the code allows, whatever other processes do. A code that does not
// work counts as a wrong try; with so many of them in the hour, nothing is looked
// up any more. It fails with ErrNoCode (also for a disabled one), ErrCodeExpired,
// ErrCodeUsed, ErrCodeYours or *TriesError.
func (s *Store) Redeem(ctx context.Context, hash, userID, accountID string, tries int64) (Grant, error) {
	var g Grant
	var refused error
	// Asked before the writer is: whoever goes on trying keeps nobody waiting.
	failed, now, err := wrongTries(ctx, s.read, userID)
	if err != nil {
		return g, err
	}
	if failed >= tries {
		return g, tooMany(now)
	}
	err = s.Tx(ctx, func(ctx context.Context, tx *Tx) (err error) {
		g, refused, err = s.redeem(ctx, tx, hash, userID, accountID, tries)
		return err
	})
	return g, errors.Join(err, refused)
}

func (s *Store) redeem(ctx context.Context, tx *Tx, hash, userID, accountID string, tries int64) (g Grant, refused, err error) {
	failed, now, err := wrongTries(ctx, tx, userID)
	if err != nil {
		return g, nil, err
	}
	if failed >= tries {
		return g, tooMany(now), nil
	}
	var c RedeemCode
	err = scanCode(tx.QueryRowContext(ctx, "SELECT "+codeColumns+"WHERE hash = ?", hash).Scan, &c)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return g, nil, err
	}
	if refused, err = tx.unredeemable(ctx, &c, userID, now); err != nil || errors.Is(refused, ErrCodeYours) {
		return g, refused, err
	}
	u := &Unit{}
	if refused != nil {
		u.Add("INSERT INTO redeem_tries (user_id, started_at, failed) VALUES (?1, "+thisHour+", 1) ON CONFLICT DO UPDATE SET failed = failed + 1", userID)
		return g, refused, tx.run(ctx, u)
	}
	g = Grant{ID: "redeem/" + c.ID + "/" + userID, AccountID: accountID, Kind: c.Kind, Name: c.Batch, Amount: c.Amount, Remaining: c.Amount, Priority: c.Priority,
		State: "active", Cause: "redeem", Actor: "redeem", Reason: "redeem code …" + c.Hint, CreatedAt: time.UnixMilli(now).UTC()}
	if c.Life > 0 {
		at := g.CreatedAt.Add(c.Life)
		g.ExpiresAt = &at
	}
	if err := s.GrantIn(ctx, tx, g); err != nil {
		return g, nil, err
	}
	u.Add("UPDATE redeem_codes SET uses = uses + 1 WHERE id = ?1", c.ID) // ck_redeem_uses holds, whatever was read above
	u.Add("INSERT INTO redeem_uses (code_id, user_id, grant_id, created_at) VALUES (?1, ?2, ?3, ?4)", c.ID, userID, g.ID, now)
	return g, nil, tx.run(ctx, u)
}

// wrongTries is how many wrong codes a user tried in this hour, and the time.
func wrongTries(ctx context.Context, q queryer, userID string) (failed, now int64, err error) {
	err = q.QueryRowContext(ctx, "SELECT coalesce((SELECT failed FROM redeem_tries WHERE user_id = ?1 AND started_at = "+thisHour+"), 0), "+dbNow, userID).
		Scan(&failed, &now)
	return failed, now, err
}

func tooMany(now int64) error {
	const hour = int64(time.Hour / time.Millisecond)
	return &TriesError{Wait: time.Duration(hour-now%hour) * time.Millisecond}
}

// thisHour begins the hour of the database's clock.
const thisHour = dbNow + " / 3600000 * 3600000"

// unredeemable says why a code does not work for a user, nil if it does.
func (tx *Tx) unredeemable(ctx context.Context, c *RedeemCode, userID string, now int64) (refused, err error) {
	var yours int
	err = tx.QueryRowContext(ctx, "SELECT count(*) FROM redeem_uses WHERE code_id = ?1 AND user_id = ?2", c.ID, userID).Scan(&yours)
	switch {
	case err != nil:
		return nil, err
	case yours > 0:
		return ErrCodeYours, nil
	case c.ID == "", c.DisabledAt != nil:
		return ErrNoCode, nil
	case c.ExpiresAt != nil && c.ExpiresAt.UnixMilli() <= now:
		return ErrCodeExpired, nil
	case c.Uses >= c.MaxUses:
		return ErrCodeUsed, nil
	}
	return nil, nil
}

// ForgetTries deletes counts of wrong codes that are over, a batch at a time.
func (s *Store) ForgetTries(ctx context.Context) error {
	const batch = 1000
	u := &Unit{Priority: Background}
	u.Add("DELETE FROM redeem_tries WHERE (user_id, started_at) IN (SELECT user_id, started_at FROM redeem_tries WHERE started_at < "+thisHour+
		" ORDER BY started_at LIMIT ?1)", batch)
	return s.Do(ctx, u)
}
