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

// Admission is what the admitting unit writes.
type Admission struct {
	CallID         string
	Caller         hub.Caller
	Type           hub.CallType
	Dialect        string
	RequestedModel string
	Stream         bool
	Owner          string // lease id of the process
	Sign           LeaseSign
	ConfigVersion  int64
	RequestID      string
	TraceID        string
	Billing        bool
	OnAbort        string
	OnFailure      string
	OnEmpty        string
	PlanJSON       string
	Hold           money.Credits
	IdempotencyKey string
	Limits         []LimitHold
}

// insertCall fails by its NOT NULL columns when the configuration has changed,
// the key is revoked, expired or replaced, the user is disabled or the lease is
// dead.
const insertCall = "INSERT " + callHead + "?6" + callTail

// insertSharedCall fails by account_id too, when the key may no longer spend
// from the shared wallet.
const insertSharedCall = "INSERT " + callHead + sharedPays + callTail

const callHead = `INTO model_calls (id, created_at, user_id, api_key_id, app_id, account_id, type, dialect,
  requested_model, stream, status, owner, config_version, request_id, trace_id, billing, on_abort, on_failure, plan_json, hold_nano, on_empty)
VALUES (?1, ?2,
  (SELECT id FROM users WHERE id = ?3 AND disabled_at IS NULL),
  CASE WHEN ?4 = '' THEN '' ELSE (SELECT id FROM api_keys WHERE id = ?4 AND revoked_at IS NULL
    AND (expires_at IS NULL OR expires_at > ` + dbNow + `) AND (serial = ?21 OR (serial = ?21 + 1 AND old_until > ` + dbNow + `))) END,
  ?5, `

const callTail = `, ?7, ?8, ?9, ?10, 'processing',
  (SELECT id FROM leases WHERE id = ?11 AND dead = 0),
  (SELECT version FROM config_version WHERE id = 1 AND version = ?12),
  ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)`

const idempotencyLife = 24 * time.Hour

// repeater is whose idempotency keys are one's own: an API key's or, of a caller
// without one, the user's.
func repeater(c hub.Caller) string {
	if c.KeyID == "" {
		return "user/" + c.UserID
	}
	return c.KeyID
}

// AdmitUnit records a call as processing and, with billing on, opens its hold.
// Conditions: ErrLimit, ErrInsufficient, ErrDebt, ErrGrantsDue, ErrStaleConfig,
// ErrKeyGone, ErrUserGone, ErrWalletGone, ErrLeaseLost, ErrRepeated; ErrExists means it is done.
func (s *Store) AdmitUnit(a Admission) *Unit {
	u := &Unit{Priority: Admitting, Stmts: make([]Stmt, 0, 4)}
	now := s.millis()
	u.sign(a.Owner, a.Sign)
	if a.IdempotencyKey != "" {
		u.Add("DELETE FROM idempotency_keys WHERE api_key_id = ?1 AND key = ?2 AND created_at < "+dbNow+" - ?3",
			repeater(a.Caller), a.IdempotencyKey, idempotencyLife.Milliseconds())
	}
	insert := insertCall
	if a.Caller.SharedWallet {
		insert = insertSharedCall
	}
	u.Add(insert, a.CallID, now, a.Caller.UserID, a.Caller.KeyID, a.Caller.AppID, a.Caller.AccountID, string(a.Type), a.Dialect,
		a.RequestedModel, boolInt(a.Stream), a.Owner, a.ConfigVersion, a.RequestID, a.TraceID, boolInt(a.Billing),
		a.OnAbort, a.OnFailure, a.PlanJSON, int64(a.Hold), a.OnEmpty, a.Caller.KeySerial)
	if a.IdempotencyKey != "" {
		u.Add("INSERT INTO idempotency_keys (api_key_id, key, call_id, created_at) VALUES (?1, ?2, ?3, "+dbNow+")",
			repeater(a.Caller), a.IdempotencyKey, a.CallID)
	}
	u.reserve(a.CallID, a.Limits)
	if a.Billing {
		u.Add("INSERT INTO credit_holds (call_id, account_id, amount_nano, created_at) VALUES (?1, ?2, ?3, ?4)",
			a.CallID, a.Caller.AccountID, int64(a.Hold), now)
	}
	return u
}

// ForgetIdempotencyKeys deletes keys whose time is over.
func (s *Store) ForgetIdempotencyKeys(ctx context.Context) error {
	const batch = 5000
	return s.sweep(ctx, "DELETE FROM idempotency_keys WHERE (api_key_id, key) IN (SELECT api_key_id, key FROM idempotency_keys WHERE created_at < "+
		dbNow+" - ?1 ORDER BY created_at LIMIT ?2)", idempotencyLife.Milliseconds(), batch)
}

// Attempt is one failed or extra try of a call.
type Attempt struct {
	Provider   string
	Model      string
	Credential string
	HTTPStatus int
	Category   string
	Error      string
	Duration   time.Duration
	Cost       *money.Credits
}

// Settlement is what the settling unit writes.
type Settlement struct {
	CallID       string
	Owner        string
	UserID       string
	AccountID    string
	AppID        string
	Type         hub.CallType
	Billing      bool
	SplitGrants  bool // the first grant does not cover the amount (ErrGrantSplit)
	Status       hub.CallStatus
	Usage        hub.Usage
	Source       hub.UsageSource
	Amount       money.Credits  // what the usage is worth; the wallet may cover less
	Cost         *money.Credits // nano-dollars; nil: unknown
	Provider     string
	Model        string
	CredentialID string
	Credential   string
	RateID       string
	RateVersion  int64
	HTTPStatus   int
	Category     string
	Error        string
	Attempts     []Attempt
	Tries        int
	Duration     time.Duration
	TTFB         *time.Duration
	ProviderTTFB *time.Duration
	Variant      string           // quality/size of what was made; "" where there is none
	Policy       hub.ChargePolicy // which policy decided the amount
	Job          *JobEnd          // the job that ends with the call
	// Also is what must become durable together with the settlement.
	Also []Stmt
}

// insertUsage fails by open_owner when the call is not open or not this
// process's own.
const insertUsage = `INSERT INTO usage (call_id, created_at, user_id, app_id, provider, model, type, units_json, cost_nano, usage_source, open_owner, credits_nano, report_state)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,
  (SELECT owner FROM model_calls WHERE id = ?1 AND status = 'processing' AND owner = ?11),
  coalesce((SELECT amount_nano FROM ledger_operations WHERE id = ?1 || '/settle'), 0), ` + reportState + `)`

// insertCharge computes the charge: never more than the call's own hold and
// what else is free on the account.
const insertCharge = `INSERT INTO ledger_operations (id, kind, call_id, account_id, amount_nano, created_at)
VALUES (?1 || '/settle', 'charge', ?1, ?2,
  (SELECT min(?3, h.amount_nano + max(0, a.balance_nano - a.held_nano))
   FROM credit_holds h JOIN accounts a ON a.id = h.account_id WHERE h.call_id = ?1), ?4)`

// payCharge and earnCharge are the two entries of an operation. They are two
// statements because one with two rows makes SQLite build a table first.
const (
	payCharge = `INSERT INTO ledger_entries (operation_id, account_id, amount_nano)
VALUES (?1, ?2, -(SELECT amount_nano FROM ledger_operations WHERE id = ?1))`
	earnCharge = `INSERT INTO ledger_entries (operation_id, account_id, amount_nano)
VALUES (?1, 'revenue', (SELECT amount_nano FROM ledger_operations WHERE id = ?1))`
)

// spendGrant takes an operation's amount from the grant that is spent first; by
// ck_grant_covers it fails (ErrGrantSplit) when that one does not cover it.
const spendGrant = `UPDATE credit_grants SET remaining_nano = remaining_nano - (SELECT amount_nano FROM ledger_operations WHERE id = ?1)
WHERE id = (SELECT id FROM credit_grants WHERE account_id = ?2 AND open = 1 ORDER BY priority, spend_by, id LIMIT 1)`

// spendGrants takes it from as many grants as it needs, by priority, then
// nearest expiry, then age; closeGrants closes those that are spent.
const spendGrants = `UPDATE credit_grants SET remaining_nano = remaining_nano - t.take
FROM (SELECT id, max(0, min(remaining_nano, (SELECT amount_nano FROM ledger_operations WHERE id = ?1) - before)) AS take
  FROM (SELECT id, remaining_nano, coalesce(sum(remaining_nano) OVER (
      ORDER BY priority, spend_by, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
    FROM credit_grants WHERE account_id = ?2 AND open = 1)) t
WHERE credit_grants.id = t.id AND t.take > 0`

const closeGrants = `UPDATE credit_grants SET open = 0 WHERE account_id = ?1 AND open = 1 AND remaining_nano = 0`

// spend adds the statements that take an operation's amount from grants. The
// first grant nearly always covers it; with split, any number may be needed.
func (u *Unit) spend(op, accountID string, split bool) {
	if !split {
		u.Add(spendGrant, op, accountID)
		return
	}
	u.Add(spendGrants, op, accountID)
	u.Add(closeGrants, accountID)
}

const finishCall = `UPDATE model_calls SET finished_at = ?2, status = ?3, provider = ?4, model = ?5, credential_id = ?6, credential = ?7,
  rate_id = ?8, rate_version = ?9, input = ?10, cache_read = ?11, cache_write_5m = ?12, cache_write_1h = ?13, output = ?14,
  reasoning = ?15, other_units_json = ?16, usage_source = ?17,
  credits_nano = coalesce((SELECT amount_nano FROM ledger_operations WHERE id = ?1 || '/settle'), 0),
  shortfall_nano = CASE WHEN billing = 0 THEN 0 ELSE ?18 - coalesce((SELECT amount_nano FROM ledger_operations WHERE id = ?1 || '/settle'), 0) END,
  cost_nano = ?19, http_status = ?20, error_category = ?21, error_text = ?22, attempts = ?23,
  duration_ms = ?24, ttfb_ms = ?25, provider_ttfb_ms = ?26, variant = ?27, charge_policy = ?28
WHERE id = ?1`

const insertAttempt = `INSERT INTO model_call_attempts (call_id, number, provider, model, credential, http_status, category, error_text, duration_ms, cost_nano)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)`

// SettleUnit finishes a call: usage, charge, hold and record in one unit.
// ErrNotOpen: the call was swept; ErrExists: it is done; ErrGrantSplit: make the
// unit again with SplitGrants.
func (s *Store) SettleUnit(x Settlement) *Unit {
	u := &Unit{Priority: Settling, Stmts: make([]Stmt, 0, 8)}
	now := s.millis()
	if x.Billing {
		u.Add(insertCharge, x.CallID, x.AccountID, int64(x.Amount), now)
		u.Add("DELETE FROM credit_holds WHERE call_id = ?1", x.CallID)
		if x.Amount != 0 {
			u.Add(payCharge, x.CallID+"/settle", x.AccountID)
			u.Add(earnCharge, x.CallID+"/settle")
			u.spend(x.CallID+"/settle", x.AccountID, x.SplitGrants)
		}
	}
	u.Add(insertUsage, x.CallID, now, x.UserID, x.AppID, x.Provider, x.Model, string(x.Type), unitsJSON(x.Usage, true),
		costOrNil(x.Cost), string(x.Source), x.Owner, boolInt(x.Billing && s.reports.Load()), x.AccountID)
	u.Add(finishCall, x.CallID, now, string(x.Status), x.Provider, x.Model, x.CredentialID, x.Credential, x.RateID, x.RateVersion,
		x.Usage[hub.Input], x.Usage[hub.CacheRead], x.Usage[hub.CacheWrite5m], x.Usage[hub.CacheWrite1h], x.Usage[hub.Output],
		x.Usage[hub.Reasoning], unitsJSON(x.Usage, false), string(x.Source), int64(x.Amount), costOrNil(x.Cost), x.HTTPStatus,
		x.Category, x.Error, x.Tries, x.Duration.Milliseconds(), durationOrNil(x.TTFB), durationOrNil(x.ProviderTTFB), x.Variant, string(x.Policy))
	if x.Job != nil {
		u.Add(endJob, x.Job.ID, string(x.Job.State), x.Job.ErrorCode, x.Job.Error, now)
	}
	for i, a := range x.Attempts {
		u.Add(insertAttempt, x.CallID, i+1, a.Provider, a.Model, a.Credential, a.HTTPStatus, a.Category, a.Error,
			a.Duration.Milliseconds(), costOrNil(a.Cost))
	}
	u.Stmts = append(u.Stmts, x.Also...)
	return u
}

// CorrectUnit charges a call that was swept while its owner was still at work:
// what the real amount is beyond its checkpoint, limited to what is free on the
// account. What was charged by the checkpoint had been delivered, and stays.
// ErrExists: done.
func (s *Store) CorrectUnit(x Settlement) *Unit {
	u := &Unit{Priority: Settling}
	op := x.CallID + "/correct"
	now := s.millis()
	u.Add(`INSERT INTO ledger_operations (id, kind, call_id, account_id, amount_nano, created_at)
VALUES (?1 || '/correct', 'correct', ?1, ?2,
  (SELECT CASE WHEN ?5 = 0 THEN 0 ELSE max(0, min(?3 - c.credits_nano, max(0, a.balance_nano - a.held_nano))) END
   FROM model_calls c JOIN accounts a ON a.id = ?2 WHERE c.id = ?1), ?4)`, x.CallID, x.AccountID, int64(x.Amount), now, boolInt(x.Billing))
	u.Add(payCharge, op, x.AccountID)
	u.Add(earnCharge, op)
	u.spend(op, x.AccountID, true)
	u.Add(`UPDATE usage SET units_json = ?2, usage_source = ?3, provider = ?4, model = ?5, cost_nano = ?6, `+reportAgain+`,
  credits_nano = credits_nano + (SELECT amount_nano FROM ledger_operations WHERE id = ?1 || '/correct') WHERE call_id = ?1`,
		x.CallID, unitsJSON(x.Usage, true), string(x.Source), x.Provider, x.Model, costOrNil(x.Cost))
	u.Add(`UPDATE model_calls SET status = ?2, finished_at = ?3, provider = ?4, model = ?5, credential = ?6, rate_id = ?7, rate_version = ?8,
  input = ?9, cache_read = ?10, cache_write_5m = ?11, cache_write_1h = ?12, output = ?13, reasoning = ?14, other_units_json = ?15,
  usage_source = ?16, credits_nano = credits_nano + (SELECT amount_nano FROM ledger_operations WHERE id = ?1 || '/correct'),
  shortfall_nano = CASE WHEN billing = 0 THEN 0 ELSE max(0, ?17 - credits_nano - (SELECT amount_nano FROM ledger_operations WHERE id = ?1 || '/correct')) END,
  cost_nano = ?18, http_status = ?19, error_category = ?20, error_text = ?21, attempts = ?22, duration_ms = ?23, variant = ?24,
  charge_policy = CASE WHEN ?17 < credits_nano THEN charge_policy ELSE ?25 END
WHERE id = ?1`, x.CallID, string(x.Status), now, x.Provider, x.Model, x.Credential, x.RateID, x.RateVersion,
		x.Usage[hub.Input], x.Usage[hub.CacheRead], x.Usage[hub.CacheWrite5m], x.Usage[hub.CacheWrite1h], x.Usage[hub.Output],
		x.Usage[hub.Reasoning], unitsJSON(x.Usage, false), string(x.Source), int64(x.Amount), costOrNil(x.Cost), x.HTTPStatus,
		x.Category, x.Error, x.Tries, x.Duration.Milliseconds(), x.Variant, string(x.Policy))
	u.Stmts = append(u.Stmts, x.Also...)
	return u
}

// CancelUnit makes sure that an admission whose outcome is unknown stays
// without effect, whether it arrived, never arrives or arrives later: the call
// is recorded as failed under its id, and what it took of limits goes back.
func (s *Store) CancelUnit(a Admission) *Unit {
	u := &Unit{Priority: Settling}
	now := s.millis()
	u.Add(returnRequests, a.CallID)
	u.Add(`INSERT INTO model_calls (id, created_at, finished_at, user_id, api_key_id, app_id, account_id, type, dialect, requested_model, stream,
  status, owner, config_version, request_id, billing, on_abort, on_failure, plan_json, http_status, error_category, error_text)
VALUES (?1, ?2, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 'failed', ?11, ?12, ?13, ?14, ?15, ?16, ?17, 503, 'unavailable', 'admission was not confirmed in time')
ON CONFLICT (id) DO UPDATE SET status = 'failed', finished_at = ?2, http_status = 503, error_category = 'unavailable',
  error_text = 'admission was not confirmed in time' WHERE status = 'processing'`,
		a.CallID, now, a.Caller.UserID, a.Caller.KeyID, a.Caller.AppID, a.Caller.AccountID, string(a.Type), a.Dialect, a.RequestedModel,
		boolInt(a.Stream), a.Owner, a.ConfigVersion, a.RequestID, boolInt(a.Billing), a.OnAbort, a.OnFailure, a.PlanJSON)
	u.Add("INSERT INTO model_call_changes (stretch) VALUES (substr(?1, 1, 7)) ON CONFLICT (stretch) DO NOTHING", a.CallID) // no trigger sees an INSERT
	u.Add("DELETE FROM credit_holds WHERE call_id = ?1", a.CallID)
	u.Add("DELETE FROM idempotency_keys WHERE api_key_id = ?1 AND call_id = ?2", repeater(a.Caller), a.CallID)
	u.Add(`INSERT INTO usage (call_id, created_at, user_id, app_id, provider, model, type, units_json, usage_source, open_owner)
VALUES (?1, ?2, ?3, ?4, '', '', ?5, '{}', '', '') ON CONFLICT (call_id) DO NOTHING`,
		a.CallID, now, a.Caller.UserID, a.Caller.AppID, string(a.Type))
	if a.Billing {
		u.Add(`INSERT INTO ledger_operations (id, kind, call_id, account_id, amount_nano, created_at)
VALUES (?1 || '/settle', 'charge', ?1, ?2, 0, ?3) ON CONFLICT (id) DO NOTHING`, a.CallID, a.Caller.AccountID, now)
	}
	return u
}

// unitsJSON lists the buckets that are not zero. Without all, those that have a
// column of their own are left out.
func unitsJSON(u hub.Usage, all bool) string {
	var out []byte
	for b := range hub.NumBuckets {
		if u[b] == 0 || (!all && b <= hub.Reasoning) {
			continue
		}
		out = append(out, `,"`...)
		out = append(append(out, b.String()...), `":`...)
		n, _ := json.Marshal(u[b])
		out = append(out, n...)
	}
	if out == nil {
		if all {
			return "{}"
		}
		return ""
	}
	out[0] = '{'
	return string(append(out, '}'))
}

func costOrNil(c *money.Credits) any {
	if c == nil {
		return nil
	}
	return int64(*c)
}

func durationOrNil(d *time.Duration) any {
	if d == nil {
		return nil
	}
	return d.Milliseconds()
}

// Charged returns what a finished call was charged.
func (s *Store) Charged(ctx context.Context, callID string) (money.Credits, error) {
	var n int64
	err := s.read.QueryRowContext(ctx, "SELECT credits_nano FROM model_calls WHERE id = ?", callID).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, ErrNotFound
	}
	return money.Credits(n), err
}
