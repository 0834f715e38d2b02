package scale

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/routing"
)

// settle makes users with their wallets and keys, providers and rates.
func (f *filler) settle(ctx context.Context) error {
	f.people = newPeople(f.rand, f.Users, f.from.Add(-time.Hour))
	at := f.people.created.UnixMilli()
	for i := range f.people.users {
		u := &f.people.users[i]
		err := f.insert(ctx, "users", "id email role created_at", u.id, u.email, "member", at)
		if err == nil {
			err = f.insert(ctx, "accounts", "id kind user_id created_at", u.account, "wallet", u.id, at)
		}
		for n, key := range u.keys {
			if err == nil {
				err = f.insert(ctx, "api_keys", "id user_id name hash hint created_at", key, u.id, fmt.Sprintf("key %d", n+1), "made up "+key, "....", at)
			}
		}
		if err != nil {
			return err
		}
	}
	for i := range apps {
		name := fmt.Sprintf("app-%02d", i)
		if err := f.insert(ctx, "apps", "id name source first_seen_at created_at", name, "Application "+name[4:], "operator", at, at); err != nil {
			return err
		}
	}
	seen := map[string]bool{}
	for i := range catalogue {
		m := &catalogue[i]
		if !seen[m.provider] {
			seen[m.provider] = true
			kind := m.provider
			if kind == "azure" {
				kind = "openai"
			}
			if err := f.insert(ctx, "ai_providers", "id kind name base_url created_at updated_at", id(f.rand, f.from), kind, m.provider, "https://"+m.provider+".example.com/v1", at, at); err != nil {
				return err
			}
		}
		if err := f.rate(ctx, m, at); err != nil {
			return err
		}
	}
	return nil
}

// rate makes a model's rate, and the plan that its calls record.
func (f *filler) rate(ctx context.Context, m *model, at int64) error {
	m.rate = id(f.rand, f.from)
	prices := fmt.Sprintf(`{"input":"%s","output":"%s"}`, perToken(m.input), perToken(m.output))
	costs := fmt.Sprintf(`{"input":"%s","output":"%s"}`, perToken(m.costIn), perToken(m.costOut))
	err := f.insert(ctx, "ai_model_rates", "id provider model type prices_json costs_json effective_from created_at updated_at",
		m.rate, m.provider, m.name, m.kind, prices, costs, at, at, at)
	if err == nil {
		err = f.insert(ctx, "ai_model_rates_history", "rate_id version provider model type prices_json costs_json metadata_json actor created_at",
			m.rate, 1, m.provider, m.name, m.kind, prices, costs, "{}", "system", at)
	}
	if err != nil {
		return err
	}
	plan, err := json.Marshal(routing.Record{Targets: []routing.TargetRecord{{Target: m.provider + "/" + m.name, RateID: m.rate, RateVersion: 1}},
		Hold: &routing.HoldRecord{Amount: 1_000_000, Target: m.provider + "/" + m.name, Counted: true, Slice: true}})
	m.plan = string(plan)
	return err
}

// perToken writes nano-credits per token as a decimal of credits.
func perToken(nano int64) string { return fmt.Sprintf("0.%09d", nano) }

const callColumns = `id created_at finished_at user_id api_key_id app_id account_id type dialect requested_model stream status owner config_version
request_id trace_id billing on_abort on_failure plan_json hold_nano provider model credential_id credential rate_id rate_version input cache_read output
usage_source credits_nano cost_nano http_status error_category error_text attempts duration_ms ttfb_ms provider_ttfb_ms`

// fate is how a call ended.
type fate struct {
	status, category, text string
	http                   int
	share                  float64
}

var fates = []fate{ //nolint:gochecknoglobals // a table
	{"success", "", "", 200, 96.2},
	{"failed", "upstream_error", "The provider answered with status 503 (Service Unavailable) and no message.", 502, 1.1},
	{"failed", "rate_limited", "Rate limit reached for requests per minute. Please try again in 2s.", 429, 0.8},
	{"aborted", "client_closed", "The client closed the connection.", 499, 0.9},
	{"failed", "invalid_request", "This model's maximum context length was exceeded.", 400, 0.6},
	{"failed", "timeout", "The provider did not answer in time.", 504, 0.3},
	{"interrupted", "interrupted", "The process ended while the call ran.", 0, 0.1},
}

var fateShares = func() (out []float64) { //nolint:gochecknoglobals // of the table
	sum := 0.0
	for _, x := range fates {
		sum += x.share
		out = append(out, sum)
	}
	return out
}()

// call makes one call with all its rows.
func (f *filler) call(ctx context.Context, at time.Time) error {
	r := f.rand
	u := &f.people.users[choose(r, f.people.pick)]
	m := &catalogue[choose(r, f.people.models)]
	end := fates[choose(r, fateShares)]
	call, ms := id(r, at), at.UnixMilli()
	in, out := around(r, m.tokensIn, 1), around(r, m.tokensOut, 0.8)
	cached := int64(0)
	if m.kind == "chatCompletion" && r.IntN(4) == 0 {
		cached = in / 2
		in -= cached
	}
	switch end.status {
	case "failed", "interrupted":
		in, cached, out = 0, 0, 0
	case "aborted":
		out /= 2
	}
	ttfb := around(r, 380, 0.6)
	duration := ttfb + int64(float64(out)*m.perToken*(0.7+0.6*r.Float64()))
	credits := in*m.input + cached*m.input/10 + out*m.output
	cost := in*m.costIn + cached*m.costIn/10 + out*m.costOut
	billing, hold := 0, int64(0)
	if f.Ledger {
		billing, hold = 1, credits+credits/2
	} else {
		credits = 0
	}
	stream := 0
	if m.kind == "chatCompletion" && r.IntN(10) < 6 {
		stream = 1
	}
	app := u.apps[r.IntN(len(u.apps))]
	attempts := 1
	if r.IntN(30) == 0 {
		attempts = 2
	}
	credential := m.provider + "-main"
	finished := ms + duration
	err := f.insert(ctx, "model_calls", callColumns, call, ms, finished, u.id, u.keys[r.IntN(len(u.keys))], app, u.account, m.kind, "openai", m.name,
		stream, end.status, "01ARZ3NDEKTSV4RRFFQ69G5FAV", 1, call, "", billing, "reported", "delivered", m.plan, hold, m.provider, m.name, credential, credential,
		m.rate, 1, in, cached, out, "reported", credits, cost, end.http, end.category, end.text, attempts, duration, ttfb, ttfb-2)
	if err != nil {
		return err
	}
	units := fmt.Sprintf(`{"input":%d,"cache_read":%d,"output":%d}`, in, cached, out)
	err = f.insert(ctx, "usage", "call_id created_at user_id app_id provider model type units_json credits_nano cost_nano usage_source open_owner",
		call, finished, u.id, app, m.provider, m.name, m.kind, units, credits, cost, "reported", "01ARZ3NDEKTSV4RRFFQ69G5FAV")
	if err == nil && attempts > 1 {
		err = f.insert(ctx, "model_call_attempts", "call_id number provider model credential http_status category error_text duration_ms",
			call, 1, m.provider, m.name, credential, 503, "upstream_error", "The provider answered with status 503.", around(r, 200, 0.5))
	}
	if err != nil || !f.Ledger {
		return err
	}
	return f.charge(ctx, u, call, credits, finished)
}

const operationColumns = "id kind call_id account_id amount_nano created_at"

func (f *filler) charge(ctx context.Context, u *person, call string, credits, at int64) error {
	op := call + "/settle"
	u.spent += credits
	err := f.insert(ctx, "ledger_operations", operationColumns, op, "charge", call, u.account, credits, at)
	if err == nil && credits > 0 {
		err = f.insert(ctx, "ledger_entries", "operation_id account_id amount_nano", op, u.account, -credits)
		if err == nil {
			err = f.insert(ctx, "ledger_entries", "operation_id account_id amount_nano", op, "revenue", credits)
		}
	}
	return err
}

// pay gives each user what was spent and 1,000 credits more, at the beginning.
func (f *filler) pay(ctx context.Context) error {
	if !f.Ledger {
		return nil
	}
	const left = 1_000_000_000_000
	at := f.people.created.UnixMilli()
	var granted, earned int64
	for i := range f.people.users {
		u := &f.people.users[i]
		grant, amount := id(f.rand, f.people.created), u.spent+left
		granted, earned = granted+amount, earned+u.spent
		err := f.insert(ctx, "credit_grants", "id account_id kind amount_nano remaining_nano spend_by created_at", grant, u.account, "promotional", amount, left, int64(1)<<62, at)
		if err == nil {
			err = f.insert(ctx, "ledger_operations", operationColumns, "grant/"+grant, "grant", nil, u.account, amount, at)
		}
		if err == nil {
			err = f.insert(ctx, "ledger_entries", "operation_id account_id amount_nano", "grant/"+grant, u.account, amount)
		}
		if err == nil {
			err = f.insert(ctx, "ledger_entries", "operation_id account_id amount_nano", "grant/"+grant, "grants", -amount)
		}
		if err == nil {
			_, err = f.conn.ExecContext(ctx, "UPDATE accounts SET balance_nano = ?1 WHERE id = ?2", left, u.account)
		}
		if err != nil {
			return err
		}
	}
	_, err := f.conn.ExecContext(ctx, "UPDATE accounts SET balance_nano = CASE id WHEN 'grants' THEN ?1 ELSE ?2 END WHERE id IN ('grants','revenue')", -granted, earned)
	return err
}
