package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
)

// PastCall is a call that another system served and charged before its users came
// here. It belongs to the history, with what it cost there; no wallet here pays for
// it and the ledger does not know it.
type PastCall struct {
	ID             string         `json:"id"` // begins with the call's time
	CreatedAt      int64          `json:"created_at"`
	FinishedAt     int64          `json:"finished_at"`
	User           string         `json:"-"` // as the other system names it
	UserID         string         `json:"user_id"`
	App            string         `json:"app"`
	Type           hub.CallType   `json:"type"`
	Provider       string         `json:"provider"`
	Model          string         `json:"model"`
	Requested      string         `json:"requested"`
	Status         hub.CallStatus `json:"status"`
	Error          string         `json:"error"`
	RequestID      string         `json:"request_id"`
	TraceID        string         `json:"trace_id"`
	Usage          hub.Usage      `json:"-"`
	Credits        money.Credits  `json:"-"` // charged there
	DurationMS     *int64         `json:"duration_ms"`
	TTFBMS         *int64         `json:"ttfb_ms"`
	ProviderTTFBMS *int64         `json:"provider_ttfb_ms"`
	// Reported is what the outbox is to report of it, where Pending.
	Reported struct {
		Pending bool
		Credits money.Credits
		Tokens  map[string]int64 // units by bucket
	} `json:"-"`
}

// pastRow is a PastCall as the statements below read it.
type pastRow struct {
	*PastCall
	Units   [6]int64 `json:"units"`
	Other   string   `json:"other"`
	All     string   `json:"all"`
	Credits int64    `json:"credits"`
	Due     int64    `json:"due"`
	State   string   `json:"state"`
}

// pastRows are the rows of a document. Without the word they would be written out
// anew for each of their fields.
const pastRows = "WITH r(v) AS MATERIALIZED (SELECT value FROM json_each(?1)) "

const insertPastCalls = pastRows + `INSERT INTO model_calls (id, created_at, finished_at, user_id, api_key_id, app_id, account_id, type, dialect, requested_model, stream,
  status, owner, config_version, request_id, trace_id, billing, on_abort, on_failure, plan_json, provider, model, input, cache_read, cache_write_5m, cache_write_1h,
  output, reasoning, other_units_json, usage_source, credits_nano, error_text, duration_ms, ttfb_ms, provider_ttfb_ms)
SELECT r.v->>'id', r.v->>'created_at', r.v->>'finished_at', a.user_id, '', r.v->>'app', a.id, r.v->>'type', 'imported', r.v->>'requested', 0,
  r.v->>'status', 'imported', 0, r.v->>'request_id', r.v->>'trace_id', 0, '', '', '{}', r.v->>'provider', r.v->>'model',
  r.v->>'$.units[0]', r.v->>'$.units[1]', r.v->>'$.units[2]', r.v->>'$.units[3]', r.v->>'$.units[4]', r.v->>'$.units[5]',
  r.v->>'other', 'imported', r.v->>'credits', r.v->>'error', r.v->>'duration_ms', r.v->>'ttfb_ms', r.v->>'provider_ttfb_ms'
FROM r JOIN accounts a ON a.user_id = r.v->>'user_id' WHERE true ON CONFLICT (id) DO NOTHING`

// What is reported is due although the call itself was charged elsewhere.
const insertPastUsage = pastRows + `INSERT INTO usage (call_id, created_at, user_id, app_id, provider, model, type, units_json, credits_nano, usage_source, open_owner, report_state)
SELECT r.v->>'id', r.v->>'created_at', r.v->>'user_id', r.v->>'app', r.v->>'provider', r.v->>'model', r.v->>'type', r.v->>'all',
  r.v->>'due', 'imported', 'imported', r.v->>'state'
FROM r WHERE EXISTS (SELECT 1 FROM model_calls c WHERE c.id = r.v->>'id') ON CONFLICT (call_id) DO NOTHING`

// touchPastCalls is an update that changes nothing, for triggers that keep sums of
// calls by what is updated.
const touchPastCalls = "UPDATE model_calls SET cost_nano = cost_nano WHERE id IN (SELECT value->>'id' FROM json_each(?1))"

// AddPastCalls stores calls of the past, at most a few hundred at once, together
// with the mark of how far the import has come, a setting. It returns how many of
// them were not there yet. UserID must be set.
func (s *Store) AddPastCalls(ctx context.Context, calls []PastCall, setting, mark string) (added int64, err error) {
	rows := make([]pastRow, len(calls))
	for i := range calls {
		c := &calls[i]
		u := &c.Usage
		r := pastRow{PastCall: c, Units: [6]int64{u[hub.Input], u[hub.CacheRead], u[hub.CacheWrite5m], u[hub.CacheWrite1h], u[hub.Output], u[hub.Reasoning]},
			Other: unitsJSON(*u, false), All: unitsJSON(*u, true), Credits: int64(c.Credits), Due: int64(c.Credits), State: "none"}
		if c.Reported.Pending {
			units, err := json.Marshal(c.Reported.Tokens)
			if err != nil {
				return 0, err
			}
			r.All, r.Due, r.State = string(units), int64(c.Reported.Credits), string(BatchPending)
		}
		rows[i] = r
	}
	text, err := json.Marshal(rows)
	if err != nil {
		return 0, err
	}
	return added, s.Tx(ctx, func(ctx context.Context, tx *Tx) error {
		res, err := tx.ExecContext(ctx, insertPastCalls, string(text))
		if err != nil {
			return fmt.Errorf("store past calls: %w", err)
		}
		if added, err = res.RowsAffected(); err != nil {
			return err
		}
		for _, query := range []string{insertPastUsage, touchPastCalls} {
			if _, err := tx.ExecContext(ctx, query, string(text)); err != nil {
				return fmt.Errorf("store past usage: %w", err)
			}
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO settings (name, value, updated_at) VALUES (?1, ?2, ?3) ON CONFLICT (name) DO UPDATE SET value = ?2, updated_at = ?3",
			setting, mark, s.millis())
		return err
	})
}

// HasCalls counts which of some ids are calls here.
func (s *Store) HasCalls(ctx context.Context, ids []string) (n int64, err error) {
	text, err := json.Marshal(ids)
	if err != nil {
		return 0, err
	}
	err = s.read.QueryRowContext(ctx, "SELECT count(*) FROM model_calls WHERE id IN (SELECT value FROM json_each(?1))", string(text)).Scan(&n)
	return n, err
}
