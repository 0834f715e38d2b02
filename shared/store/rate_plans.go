package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// RatePlan is prices that hold from a time to come.
type RatePlan struct {
	ID string
	Rate
	From          time.Time
	Actor, Reason string
}

const ratePlanColumns = `SELECT id, provider, model, type, prices_json, coalesce(costs_json, ''), metadata_json, margin, credit_price, effective_from, actor, reason
  FROM ai_model_rate_plans `

func scanRatePlan(r *sql.Rows, v *RatePlan) error {
	var from int64
	var kind string
	err := r.Scan(&v.ID, &v.Provider, &v.Model, &kind, &v.Prices, &v.Costs, &v.Metadata, &v.Margin, &v.CreditPrice, &from, &v.Actor, &v.Reason)
	v.Type, v.From = hub.CallType(kind), time.UnixMilli(from).UTC()
	return err
}

// PlanRate keeps prices for later, in place of others of the same rate and time.
func (s *Store) PlanRate(ctx context.Context, p RatePlan) (RatePlan, error) {
	p.ID = s.NewID()
	var costs any
	if p.Costs != "" {
		costs = p.Costs
	}
	u := &Unit{Priority: Background}
	u.Add("DELETE FROM ai_model_rate_plans WHERE provider = ?1 AND model = ?2 AND type = ?3 AND effective_from = ?4", p.Provider, p.Model, string(p.Type), p.From.UnixMilli())
	u.Add(`INSERT INTO ai_model_rate_plans (id, provider, model, type, prices_json, costs_json, metadata_json, margin, credit_price, effective_from, actor, reason, created_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)`, p.ID, p.Provider, p.Model, string(p.Type), p.Prices, costs, p.Metadata, p.Margin, p.CreditPrice,
		p.From.UnixMilli(), p.Actor, p.Reason, s.millis())
	return p, s.Do(ctx, u)
}

// RatePlans lists what is planned, the next first, after the plan with id after
// (and its time from), at most limit.
func (s *Store) RatePlans(ctx context.Context, from time.Time, after string, limit int) ([]RatePlan, error) {
	return list(ctx, s.read, scanRatePlan, ratePlanColumns+"WHERE (effective_from, id) > (?1, ?2) ORDER BY effective_from, id LIMIT ?3", from.UnixMilli(), after, limit)
}

// DropRatePlan forgets what was planned. ErrNotFound: there is no such plan.
func (s *Store) DropRatePlan(ctx context.Context, id string) error {
	u := &Unit{Priority: Background, Verify: true}
	u.Add("DELETE FROM ai_model_rate_plans WHERE id = ?1", id)
	return s.Do(ctx, u)
}

// ApplyRatePlans puts what is due in force, in the order of the times.
func (s *Store) ApplyRatePlans(ctx context.Context) (applied []Rate, err error) {
	var due bool // nobody waits for a lock because nothing is due
	if err := s.read.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM ai_model_rate_plans WHERE effective_from <= ?1)", s.millis()).Scan(&due); err != nil || !due {
		return nil, err
	}
	err = s.Tx(ctx, func(ctx context.Context, tx *Tx) error {
		due, err := list(ctx, tx, scanRatePlan, ratePlanColumns+"WHERE effective_from <= ?1 ORDER BY effective_from, id LIMIT 200", s.millis())
		if err != nil || len(due) == 0 {
			return err
		}
		last := map[string]int{}
		ids := make([]string, 0, len(due))
		var changes []RateChange
		for _, p := range due {
			ids = append(ids, p.ID)
			c := RateChange{Rate: p.Rate, Change: RatePlanned, Actor: p.Actor, Reason: p.Reason}
			if i, twice := last[rateName(p.Rate)]; twice {
				changes[i] = c // a later time of the same rate has come too
				continue
			}
			last[rateName(p.Rate)] = len(changes)
			changes = append(changes, c)
		}
		if applied, err = s.changeRates(ctx, tx, changes); err != nil {
			return err
		}
		text, err := json.Marshal(ids)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "DELETE FROM ai_model_rate_plans WHERE id IN (SELECT value FROM json_each(?1))", string(text))
		return err
	})
	return applied, err
}
