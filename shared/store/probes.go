package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
)

// Probe is a call that the hub made by itself to see whether a target answers.
type Probe struct {
	ID         string
	Provider   string
	Model      string
	Credential string
	OK         bool
	TTFB       time.Duration
	HTTPStatus int
	Category   string
	Error      string
	Usage      hub.Usage      // only written
	Cost       *money.Credits // nano-dollars; nil: unknown
	At         time.Time
}

// AddProbe records a probe.
func (s *Store) AddProbe(ctx context.Context, p Probe) error {
	u := &Unit{Priority: Background}
	u.Add(`INSERT INTO model_probes (id, provider, model, credential, ok, ttfb_ms, http_status, error_category, error_text, units_json, cost_nano, created_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, `+dbNow+`)`,
		s.NewID(), p.Provider, p.Model, p.Credential, boolInt(p.OK), p.TTFB.Milliseconds(), p.HTTPStatus, p.Category, p.Error,
		unitsJSON(p.Usage, true), costOrNil(p.Cost))
	return s.Do(ctx, u)
}

// Probes lists up to limit probes before the one with id before ("": from the
// newest), newest first.
func (s *Store) Probes(ctx context.Context, before string, limit int) ([]Probe, error) {
	if before == "" {
		before = "~" // sorts after every ULID
	}
	return list(ctx, s.read, func(r *sql.Rows, p *Probe) error {
		var ttfb, at int64
		var cost sql.NullInt64
		err := r.Scan(&p.ID, &p.Provider, &p.Model, &p.Credential, &p.OK, &ttfb, &p.HTTPStatus, &p.Category, &p.Error, &cost, &at)
		p.TTFB, p.At = time.Duration(ttfb)*time.Millisecond, time.UnixMilli(at).UTC()
		if cost.Valid {
			p.Cost = new(money.Credits(cost.Int64))
		}
		return err
	}, `SELECT id, provider, model, credential, ok, ttfb_ms, http_status, error_category, error_text, cost_nano, created_at
FROM model_probes WHERE id < ? ORDER BY id DESC LIMIT ?`, before, limit)
}

// LatelyCalled lists, as provider/model, the targets of a type of call that saw an
// attempt or a probe within a time.
func (s *Store) LatelyCalled(ctx context.Context, kind hub.CallType, within time.Duration) ([]string, error) {
	return list(ctx, s.read, func(r *sql.Rows, name *string) error { return r.Scan(name) },
		`SELECT provider || '/' || model FROM ai_model_statuses WHERE type = ?1 AND checked_at > `+dbNow+` - ?2
UNION SELECT provider || '/' || model FROM model_probes WHERE created_at > `+dbNow+` - ?2`, string(kind), within.Milliseconds())
}
