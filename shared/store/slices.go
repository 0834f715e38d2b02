package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
)

// Slice is one extension of a stream's hold, and what had been delivered by then.
// All its figures are of the whole call.
type Slice struct {
	CallID       string
	Number       int64 // from 1
	AccountID    string
	Owner        string // lease id of the process
	CreatedAt    time.Time
	Hold         money.Credits
	Tokens       int64 // of output that the hold covers
	Usage        hub.Usage
	Source       hub.UsageSource
	Amount       money.Credits  // what the usage is worth
	Cost         *money.Credits // nano-dollars; nil: unknown
	Provider     string
	Model        string
	CredentialID string
	Credential   string
	RateID       string
	RateVersion  int64
	Limits       []LimitHold // what the call reserves of its limits from then on
}

// insertSlice fails by owner when the call is not open or not this process's own.
const insertSlice = `INSERT INTO call_slices (call_id, number, account_id, owner, created_at, hold_nano, tokens, units_json, usage_source,
  amount_nano, cost_nano, provider, model, credential_id, credential, rate_id, rate_version)
VALUES (?1, ?2, ?3, (SELECT owner FROM model_calls WHERE id = ?1 AND status = 'processing' AND owner = ?4),
  ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)`

// SliceUnit extends the hold of a call and notes what has been delivered. Call and
// number are the unit's id (<call>/slice/<n>): ErrExists means it is done. Other
// conditions: ErrNotOpen (the call was swept or settled), ErrInsufficient,
// ErrLimit, ErrGrantsDue.
func (s *Store) SliceUnit(x Slice) *Unit {
	u := &Unit{Priority: Settling, Stmts: make([]Stmt, 0, 3+len(x.Limits))}
	u.Add(insertSlice, x.CallID, x.Number, x.AccountID, x.Owner, s.millis(), int64(x.Hold), x.Tokens, unitsJSON(x.Usage, true), string(x.Source),
		int64(x.Amount), costOrNil(x.Cost), x.Provider, x.Model, x.CredentialID, x.Credential, x.RateID, x.RateVersion)
	u.Add("UPDATE credit_holds SET amount_nano = ?2 WHERE call_id = ?1", x.CallID, int64(x.Hold))
	u.Add("UPDATE model_calls SET hold_nano = ?2 WHERE id = ?1", x.CallID, int64(x.Hold))
	for _, h := range x.Limits {
		u.Add("UPDATE limits_holds SET amount = ?3 WHERE call_id = ?1 AND limit_id = ?2", x.CallID, h.LimitID, h.Amount)
	}
	return u
}

const sliceColumns = `call_id, number, account_id, owner, created_at, hold_nano, tokens, units_json, usage_source, amount_nano, cost_nano,
provider, model, credential_id, credential, rate_id, rate_version FROM call_slices WHERE call_id = ?`

func scanSlice(scan func(...any) error, x *Slice) error {
	var created int64
	var cost sql.NullInt64
	var units string
	err := scan(&x.CallID, &x.Number, &x.AccountID, &x.Owner, &created, &x.Hold, &x.Tokens, &units, &x.Source, &x.Amount, &cost,
		&x.Provider, &x.Model, &x.CredentialID, &x.Credential, &x.RateID, &x.RateVersion)
	if err != nil {
		return err
	}
	x.CreatedAt = time.UnixMilli(created).UTC()
	if cost.Valid {
		x.Cost = new(money.Credits(cost.Int64))
	}
	return readUnits(&x.Usage, units)
}

// readUnits reads what unitsJSON wrote; "" is nothing.
func readUnits(u *hub.Usage, text string) error {
	if text == "" {
		return nil
	}
	var m map[string]int64
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		return err
	}
	for name, n := range m {
		if b, ok := hub.ParseBucket(name); ok {
			u[b] = n
		}
	}
	return nil
}

// Slices lists the extensions of a call's hold, oldest first, at most 1,000.
func (s *Store) Slices(ctx context.Context, callID string) ([]Slice, error) {
	return list(ctx, s.read, func(r *sql.Rows, x *Slice) error { return scanSlice(r.Scan, x) },
		"SELECT "+sliceColumns+" ORDER BY number LIMIT 1000", callID)
}

// LastSlice is the last durable checkpoint of a call. ErrNotFound: there is none
// but its admission, by which nothing had been delivered.
func (s *Store) LastSlice(ctx context.Context, callID string) (x Slice, err error) {
	err = scanSlice(s.read.QueryRowContext(ctx, "SELECT "+sliceColumns+" ORDER BY number DESC LIMIT 1", callID).Scan, &x)
	if errors.Is(err, sql.ErrNoRows) {
		return x, ErrNotFound
	}
	return x, err
}
