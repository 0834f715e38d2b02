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

// Call is a row of model_calls.
type Call struct {
	ID             string
	CreatedAt      time.Time
	FinishedAt     *time.Time
	UserID         string
	APIKeyID       string
	AppID          string
	Type           hub.CallType
	Dialect        string
	RequestedModel string
	Stream         bool
	Status         hub.CallStatus
	RequestID      string
	Billing        bool
	Plan           json.RawMessage
	Hold           money.Credits
	Provider       string
	Model          string
	Credential     string
	RateID         string
	RateVersion    int64
	Usage          hub.Usage
	Source         hub.UsageSource
	Credits        money.Credits
	Shortfall      money.Credits
	Cost           *money.Credits // nano-dollars; nil: unknown
	HTTPStatus     int
	ErrorCategory  string
	Error          string
	Attempts       int
	DurationMS     *int64
	TTFBMS         *int64
	ProviderTTFBMS *int64
	Variant        string // quality/size
	AccountID      string // the wallet that it was held and charged on
	TraceID        string
	// OnAbort, OnFailure and OnEmpty are the policies that the call was admitted under.
	OnAbort, OnFailure, OnEmpty string
	ChargePolicy                hub.ChargePolicy // which of them decided what it costs
}

// Why says how an alias, a wish or the cache led to the call's target, "" for a
// plain name: it is part of the plan.
func (c *Call) Why() string {
	var plan struct {
		Why string `json:"why"`
	}
	_ = json.Unmarshal(c.Plan, &plan) // what is no plan gives no reason
	return plan.Why
}

const callColumns = `id, created_at, finished_at, user_id, api_key_id, app_id, type, dialect, requested_model, stream, status, request_id,
billing, plan_json, hold_nano, provider, model, credential, rate_id, rate_version, input, cache_read, cache_write_5m, cache_write_1h, output,
reasoning, other_units_json, usage_source, credits_nano, shortfall_nano, cost_nano, http_status, error_category, error_text, attempts,
duration_ms, ttfb_ms, provider_ttfb_ms, variant, account_id, trace_id, on_abort, on_failure, on_empty, charge_policy`

func scanCall(scan func(...any) error, c *Call) error {
	var created int64
	var finished, cost sql.NullInt64
	var plan, other string
	u := &c.Usage
	err := scan(&c.ID, &created, &finished, &c.UserID, &c.APIKeyID, &c.AppID, &c.Type, &c.Dialect, &c.RequestedModel, &c.Stream, &c.Status,
		&c.RequestID, &c.Billing, &plan, &c.Hold, &c.Provider, &c.Model, &c.Credential, &c.RateID, &c.RateVersion,
		&u[hub.Input], &u[hub.CacheRead], &u[hub.CacheWrite5m], &u[hub.CacheWrite1h], &u[hub.Output], &u[hub.Reasoning], &other,
		&c.Source, &c.Credits, &c.Shortfall, &cost, &c.HTTPStatus, &c.ErrorCategory, &c.Error, &c.Attempts,
		&c.DurationMS, &c.TTFBMS, &c.ProviderTTFBMS, &c.Variant, &c.AccountID, &c.TraceID, &c.OnAbort, &c.OnFailure, &c.OnEmpty, &c.ChargePolicy)
	if err != nil {
		return err
	}
	c.CreatedAt, c.FinishedAt, c.Plan = time.UnixMilli(created).UTC(), nullMillis(finished), json.RawMessage(plan)
	if cost.Valid {
		v := money.Credits(cost.Int64)
		c.Cost = &v
	}
	return readUnits(u, other)
}

// Calls lists calls, newest first, however far it has to look for them.
func (s *Store) Calls(ctx context.Context, f CallFilter) ([]Call, error) {
	limit := f.limit()
	var out []Call
	for {
		f.Limit = limit - len(out)
		p, err := s.CallPage(ctx, f)
		if err != nil {
			return nil, err
		}
		out = append(out, p.Calls...)
		if p.Floor == "" || len(out) >= limit {
			return out, nil
		}
		f.Before = p.Floor
	}
}

// CallByID finds a call.
func (s *Store) CallByID(ctx context.Context, id string) (Call, error) {
	var c Call
	err := scanCall(s.read.QueryRowContext(ctx, "SELECT "+callColumns+" FROM model_calls WHERE id = ?", id).Scan, &c)
	if errors.Is(err, sql.ErrNoRows) {
		return c, ErrNotFound
	}
	return c, err
}

// CallAttempts lists the failed and extra tries of a call.
func (s *Store) CallAttempts(ctx context.Context, callID string) ([]Attempt, error) {
	return list(ctx, s.read, func(r *sql.Rows, a *Attempt) error {
		var ms int64
		var cost sql.NullInt64
		if err := r.Scan(&a.Provider, &a.Model, &a.Credential, &a.HTTPStatus, &a.Category, &a.Error, &ms, &cost); err != nil {
			return err
		}
		a.Duration = time.Duration(ms) * time.Millisecond
		if cost.Valid {
			v := money.Credits(cost.Int64)
			a.Cost = &v
		}
		return nil
	}, "SELECT provider, model, credential, http_status, category, error_text, duration_ms, cost_nano FROM model_call_attempts WHERE call_id = ? ORDER BY number", callID)
}

// CallByIdempotencyKey finds the caller's call that took a key.
func (s *Store) CallByIdempotencyKey(ctx context.Context, c hub.Caller, key string) (Call, error) {
	var id string
	err := s.read.QueryRowContext(ctx, "SELECT call_id FROM idempotency_keys WHERE api_key_id = ? AND key = ?", repeater(c), key).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return Call{}, ErrNotFound
	}
	if err != nil {
		return Call{}, err
	}
	return s.CallByID(ctx, id)
}
