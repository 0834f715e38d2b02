package store

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// CountedCall is what sums need of a finished call.
type CountedCall struct {
	ID string
	StatKey
	Usage      hub.Usage
	Credits    int64 // nano-credits
	Shortfall  int64
	Cost       sql.NullInt64 // nano-dollars
	Attempts   int64
	DurationMS sql.NullInt64
	TTFBMS     sql.NullInt64
	other      string
}

// CountedCalls hands over the finished calls that were admitted in a span, by
// their ids, oldest first. The call is only good until each returns.
func (s *Store) CountedCalls(ctx context.Context, from, until time.Time, each func(*CountedCall) error) error {
	since, before := Span{from, until}.ids()
	rows, err := s.read.QueryContext(ctx, `SELECT id, user_id, app_id, api_key_id, provider, model, type, status, error_category,
  input, cache_read, cache_write_5m, cache_write_1h, output, reasoning, other_units_json, credits_nano, shortfall_nano, cost_nano, attempts,
  duration_ms, ttfb_ms FROM model_calls WHERE id >= ?1 AND id < ?2 AND status <> 'processing' ORDER BY id`, since, before)
	if err != nil {
		return err
	}
	defer rows.Close()
	var c CountedCall
	u := &c.Usage
	into := []any{&c.ID, &c.UserID, &c.AppID, &c.KeyID, &c.Provider, &c.Model, &c.Type, &c.Status, &c.Category,
		&u[hub.Input], &u[hub.CacheRead], &u[hub.CacheWrite5m], &u[hub.CacheWrite1h], &u[hub.Output], &u[hub.Reasoning], &c.other,
		&c.Credits, &c.Shortfall, &c.Cost, &c.Attempts, &c.DurationMS, &c.TTFBMS}
	for rows.Next() {
		c.Usage = hub.Usage{}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		if c.other != "" {
			if err := readUnits(u, c.other); err != nil {
				return err
			}
		}
		if err := each(&c); err != nil {
			return err
		}
	}
	return rows.Err()
}

// stretchLength is how many characters of an id a stretch is.
const stretchLength = 7

// Stretch is the span of admission that a stretch stands for; ok is false for what
// is not the beginning of a ULID.
func Stretch(text string) (from, until time.Time, ok bool) {
	if len(text) != stretchLength {
		return from, until, false
	}
	from, ok = AdmittedAt(text + strings.Repeat("0", ulid.EncodedSize-stretchLength))
	if !ok {
		return from, until, false
	}
	until, _ = AdmittedAt(text + strings.Repeat("Z", ulid.EncodedSize-stretchLength))
	return from, until.Add(time.Millisecond), true
}

// AdmittedAt is when the call with an id was admitted, to the millisecond; ok is
// false for what is no ULID.
func AdmittedAt(id string) (at time.Time, ok bool) {
	v, err := ulid.ParseStrict(id)
	if err != nil {
		return at, false
	}
	return ulid.Time(v.Time()).UTC(), true
}
