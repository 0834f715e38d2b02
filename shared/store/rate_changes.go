package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// What a change of a rate is called in its history.
const (
	RateSet       = "set"       // written by hand, whether it was there or not
	RateCreate    = "create"    // must not be there
	RateReprice   = "reprice"   // prices computed from costs and a margin
	RateSync      = "sync"      // costs taken from a catalogue
	RateDeprecate = "deprecate" // users are told to leave
	RateRestore   = "restore"   // no longer deprecated
	RateRetire    = "retire"    // calls are refused
	RateRemove    = "remove"    // deleted; its history stays
	RatePlanned   = "planned"   // planned before, and its time has come
)

// RateChange is one change of a rate. The row becomes what Rate says, but for its
// version, which the store counts; a rate is found by provider, model and type.
type RateChange struct {
	Rate
	Change string
	// Expect, when above 0, is the version that the rate must still have.
	Expect int64
	Actor  string
	Reason string
}

// RateConflictError says which rates a set of changes could not be made to. Nothing of
// the set was.
type RateConflictError struct {
	There   []string // provider/model of those that are there and must not be
	Missing []string // of those that are not there
	Changed []string // of those that somebody else has changed meanwhile
}

// Error names the rates.
func (e *RateConflictError) Error() string {
	return fmt.Sprintf("rates conflict: there already %v, missing %v, changed meanwhile %v", e.There, e.Missing, e.Changed)
}

// Unwrap makes it an ErrConflict.
func (e *RateConflictError) Unwrap() error { return ErrConflict }

// rateRow is a change on its way into the database: all rows of a set travel in
// one parameter, because a server takes a round trip for each statement.
type rateRow struct {
	ID          string  `json:"id"`
	Provider    string  `json:"provider"`
	Model       string  `json:"model"`
	Type        string  `json:"type"`
	Version     int64   `json:"version"`
	Prices      string  `json:"prices"`
	Costs       *string `json:"costs"`
	Metadata    string  `json:"metadata"`
	Effective   int64   `json:"effective"`
	Margin      string  `json:"margin"`
	CreditPrice string  `json:"credit_price"`
	Deprecated  any     `json:"deprecated"`
	Because     string  `json:"because"`
	RefusedFrom any     `json:"refused_from"`
	Retired     int64   `json:"retired"`
	Actor       string  `json:"actor"`
	Change      string  `json:"change"`
	Reason      string  `json:"reason"`
}

// ChangeRates makes all changes or, with a *RateConflictError, none, writes their
// history and makes every process reload. It returns the rates as they are then.
// Calls already admitted keep the version that they were admitted with.
func (s *Store) ChangeRates(ctx context.Context, changes []RateChange, also ...Stmt) (out []Rate, err error) {
	err = s.Tx(ctx, func(ctx context.Context, tx *Tx) error {
		if out, err = s.changeRates(ctx, tx, changes); err != nil {
			return err
		}
		return tx.run(ctx, &Unit{Stmts: also})
	})
	return out, err
}

func (s *Store) changeRates(ctx context.Context, tx *Tx, changes []RateChange) ([]Rate, error) {
	old, err := ratesOf(ctx, tx, changes)
	if err != nil {
		return nil, err
	}
	now := time.UnixMilli(s.millis()).UTC()
	var conflict RateConflictError
	var made, changed, removed, history []rateRow
	out := make([]Rate, 0, len(changes))
	for _, c := range changes {
		have, there := old[rateName(c.Rate)]
		label := c.Provider + "/" + c.Model
		switch {
		case c.Change == RateCreate && there:
			conflict.There = append(conflict.There, label)
		case !there && (c.Expect > 0 || c.Change == RateRemove):
			conflict.Missing = append(conflict.Missing, label)
		case there && c.Expect > 0 && have.Version != c.Expect:
			conflict.Changed = append(conflict.Changed, label)
		}
		v := c.Rate
		v.ID, v.Version, v.Effective = have.ID, have.Version+1, now
		if !there {
			v.ID = s.NewID()
		}
		row := v.row(c)
		switch {
		case c.Change == RateRemove:
			removed = append(removed, row)
		case there:
			changed = append(changed, row)
		default:
			made = append(made, row)
		}
		old[rateName(v)] = v
		history = append(history, row)
		out = append(out, v)
	}
	if len(conflict.There)+len(conflict.Missing)+len(conflict.Changed) > 0 {
		return nil, &conflict
	}
	return out, tx.writeRates(ctx, made, changed, removed, history, now.UnixMilli())
}

func (v Rate) row(c RateChange) rateRow {
	r := rateRow{ID: v.ID, Provider: v.Provider, Model: v.Model, Type: string(v.Type), Version: v.Version, Prices: v.Prices, Metadata: v.Metadata,
		Effective: v.Effective.UnixMilli(), Margin: v.Margin, CreditPrice: v.CreditPrice, Deprecated: millisOrNil(v.Deprecated), Because: v.DeprecatedReason,
		RefusedFrom: millisOrNil(v.RefusedFrom), Retired: boolInt(v.Retired), Actor: c.Actor, Change: c.Change, Reason: c.Reason}
	if v.Costs != "" {
		r.Costs = &v.Costs
	}
	return r
}

func rateName(v Rate) string { return v.Provider + "\x00" + v.Model + "\x00" + string(v.Type) }

// ratesOf reads the rates that changes are about.
func ratesOf(ctx context.Context, tx *Tx, changes []RateChange) (map[string]Rate, error) {
	names := make([]map[string]string, len(changes))
	for i, c := range changes {
		names[i] = map[string]string{"p": c.Provider, "m": c.Model, "t": string(c.Type)}
	}
	text, err := json.Marshal(names)
	if err != nil {
		return nil, err
	}
	rows, err := list(ctx, tx, func(r *sql.Rows, v *Rate) error { return scanRate(r.Scan, v) }, "SELECT "+rateColumns+
		" WHERE (provider, model, type) IN (SELECT value->>'p', value->>'m', value->>'t' FROM json_each(?1))", string(text))
	if err != nil {
		return nil, err
	}
	old := make(map[string]Rate, len(rows))
	for _, v := range rows {
		old[rateName(v)] = v
	}
	return old, nil
}

// eachRate names the members of the rows in a statement's first parameter.
const eachRate = ` FROM (SELECT value->>'id' AS id, value->>'provider' AS provider, value->>'model' AS model, value->>'type' AS type, value->>'version' AS version,
  value->>'prices' AS prices, value->>'costs' AS costs, value->>'metadata' AS metadata, value->>'effective' AS effective, value->>'margin' AS margin,
  value->>'credit_price' AS credit_price, value->>'deprecated' AS deprecated, value->>'because' AS because, value->>'refused_from' AS refused_from,
  value->>'retired' AS retired, value->>'actor' AS actor, value->>'change' AS change, value->>'reason' AS reason FROM json_each(?1)) AS n`

func (tx *Tx) writeRates(ctx context.Context, made, changed, removed, history []rateRow, now int64) error {
	u := &Unit{}
	add := func(query string, rows []rateRow, args ...any) error {
		if len(rows) == 0 {
			return nil
		}
		text, err := json.Marshal(rows)
		u.Add(query, append([]any{string(text)}, args...)...)
		return err
	}
	steps := []error{
		add(`INSERT INTO ai_model_rates (id, provider, model, type, version, prices_json, costs_json, metadata_json, effective_from, margin, credit_price,
  deprecated_at, deprecated_reason, refused_from, retired, created_at, updated_at)
SELECT n.id, n.provider, n.model, n.type, n.version, n.prices, n.costs, n.metadata, n.effective, n.margin, n.credit_price,
  n.deprecated, n.because, n.refused_from, n.retired, ?2, ?2`+eachRate, made, now),
		add(`UPDATE ai_model_rates SET version = n.version, prices_json = n.prices, costs_json = n.costs, metadata_json = n.metadata,
  effective_from = n.effective, margin = n.margin, credit_price = n.credit_price, deprecated_at = n.deprecated, deprecated_reason = n.because,
  refused_from = n.refused_from, retired = n.retired, updated_at = ?2`+eachRate+` WHERE ai_model_rates.id = n.id`, changed, now),
		add("DELETE FROM ai_model_rates WHERE id IN (SELECT value->>'id' FROM json_each(?1))", removed),
		add(`INSERT INTO ai_model_rates_history (rate_id, version, provider, model, type, prices_json, costs_json, metadata_json, actor, created_at, change, reason, margin)
SELECT n.id, n.version, n.provider, n.model, n.type, n.prices, n.costs, n.metadata, n.actor, ?2, n.change, n.reason, n.margin`+eachRate, history, now),
	}
	for _, err := range steps {
		if err != nil {
			return err
		}
	}
	u.Add(bumpConfig)
	return tx.run(ctx, u)
}

// RetireRates makes the rates whose time is over refuse calls.
func (s *Store) RetireRates(ctx context.Context, actor string) (retired []Rate, err error) {
	var due bool
	if err := s.read.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM ai_model_rates WHERE refused_from <= ?1 AND retired = 0)", s.millis()).Scan(&due); err != nil || !due {
		return nil, err
	}
	err = s.Tx(ctx, func(ctx context.Context, tx *Tx) error {
		due, err := list(ctx, tx, func(r *sql.Rows, v *Rate) error { return scanRate(r.Scan, v) },
			"SELECT "+rateColumns+" WHERE refused_from <= ?1 AND retired = 0 LIMIT 500", s.millis())
		if err != nil || len(due) == 0 {
			return err
		}
		changes := make([]RateChange, len(due))
		for i, v := range due {
			v.Retired = true
			changes[i] = RateChange{Rate: v, Change: RateRetire, Actor: actor, Reason: v.DeprecatedReason}
		}
		retired, err = s.changeRates(ctx, tx, changes)
		return err
	})
	return retired, err
}

// RateVersion is a row of the history: what a rate became, through whom and why.
type RateVersion struct {
	Rate
	Change, Actor, Reason string
	At                    time.Time
}

// RateHistoryQuery selects from the history. A cursor is the At, ID and Version of
// the last row seen.
type RateHistoryQuery struct {
	Provider, Model string // both or none
	Before          *RateVersion
	Limit           int
}

const rateVersionColumns = `SELECT rate_id, version, provider, model, type, prices_json, coalesce(costs_json, ''), metadata_json, margin, change, actor, reason, created_at
  FROM ai_model_rates_history `

func scanRateVersion(scan func(...any) error, v *RateVersion) error {
	var at int64
	var kind string
	err := scan(&v.ID, &v.Version, &v.Provider, &v.Model, &kind, &v.Prices, &v.Costs, &v.Metadata, &v.Margin, &v.Change, &v.Actor, &v.Reason, &at)
	v.Type, v.At = hub.CallType(kind), time.UnixMilli(at).UTC()
	return err
}

// RateHistory lists changes of rates, newest first.
func (s *Store) RateHistory(ctx context.Context, q RateHistoryQuery) ([]RateVersion, error) {
	at, id, version := int64(1)<<62, "", int64(0)
	if q.Before != nil {
		at, id, version = q.Before.At.UnixMilli(), q.Before.ID, q.Before.Version
	}
	scan := func(r *sql.Rows, v *RateVersion) error { return scanRateVersion(r.Scan, v) }
	if q.Provider == "" {
		return list(ctx, s.read, scan, rateVersionColumns+"WHERE (created_at, rate_id, version) < (?1, ?2, ?3) ORDER BY created_at DESC, rate_id DESC, version DESC LIMIT ?4",
			at, id, version, q.Limit)
	}
	return list(ctx, s.read, scan, rateVersionColumns+`WHERE provider = ?1 AND model = ?2 AND (created_at, rate_id, version) < (?3, ?4, ?5)
  ORDER BY created_at DESC, rate_id DESC, version DESC LIMIT ?6`, q.Provider, q.Model, at, id, version, q.Limit)
}

// OpenCallsWith counts up to a thousand open, billed calls that were admitted with
// a version of a rate.
func (s *Store) OpenCallsWith(ctx context.Context, rateID string) (n int64, err error) {
	if strings.ContainsAny(rateID, `"\`) {
		return 0, nil
	}
	err = s.read.QueryRowContext(ctx, `SELECT count(*) FROM (SELECT 1 FROM credit_holds h CROSS JOIN model_calls mc ON mc.id = h.call_id
  WHERE instr(mc.plan_json, ?1) > 0 LIMIT 1000)`, `"rate_id":"`+rateID+`"`).Scan(&n)
	return n, err
}
