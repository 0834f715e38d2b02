package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// ModelStatus is how a target fares: a row of ai_model_statuses.
type ModelStatus struct {
	Provider  string
	Model     string
	Type      hub.CallType
	Available bool
	Category  string // of the newest failure while not available
	Error     string
	Calls     int64 // in the window of the process that wrote last
	Success   float64
	Response  time.Duration // median time to the first byte; 0: unknown
	P95       time.Duration
	CheckedAt time.Time // the newest attempt
	ChangedAt time.Time // since when Available is what it is
	Answered  bool      // it was seen to answer, ever: it is no name that a caller made up
	Told      bool      // what operators were told of Available
}

// StatusReport is what one process saw of a target.
type StatusReport struct {
	ModelStatus
	Age        time.Duration // of the newest attempt; CheckedAt and ChangedAt are made from it by the database's clock
	OK, Failed int64         // attempts since the last report
}

const putStatus = `INSERT INTO ai_model_statuses (provider, model, type, available, error_category, error_text, calls, success_rate, response_ms, p95_ms, checked_at, changed_at, answered)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ` + dbNow + ` - ?11, ` + dbNow + ` - ?11, ?12)
ON CONFLICT (provider, model, type) DO UPDATE SET
  changed_at = CASE WHEN available = excluded.available THEN changed_at ELSE excluded.checked_at END,
  available = excluded.available, error_category = excluded.error_category, error_text = excluded.error_text, calls = excluded.calls,
  success_rate = excluded.success_rate, response_ms = excluded.response_ms, p95_ms = excluded.p95_ms, checked_at = excluded.checked_at,
  answered = max(answered, excluded.answered)
WHERE excluded.checked_at >= checked_at`

const countStatus = `INSERT INTO ai_model_status_hours (hour, provider, model, type, ok, failed) VALUES (` + dbNow + ` / 3600000 * 3600000, ?1, ?2, ?3, ?4, ?5)
ON CONFLICT (hour, provider, model, type) DO UPDATE SET ok = ok + excluded.ok, failed = failed + excluded.failed`

// ReportStatuses brings what a process saw to the database. Of two processes the
// one with the newer attempt is believed; attempts are summed.
func (s *Store) ReportStatuses(ctx context.Context, all []StatusReport) error {
	u := &Unit{Priority: Background}
	for _, r := range all {
		u.Add(putStatus, r.Provider, r.Model, string(r.Type), boolInt(r.Available), r.Category, r.Error, r.Calls, r.Success,
			r.Response.Milliseconds(), r.P95.Milliseconds(), max(0, r.Age.Milliseconds()), boolInt(r.OK > 0))
		if r.OK+r.Failed > 0 {
			u.Add(countStatus, r.Provider, r.Model, string(r.Type), r.OK, r.Failed)
		}
	}
	return s.Do(ctx, u)
}

const statusColumns = `provider, model, type, available, error_category, error_text, calls, success_rate, response_ms, p95_ms, checked_at, changed_at, answered, told
FROM ai_model_statuses`

func scanStatus(r *sql.Rows, m *ModelStatus) error {
	var response, p95, checked, changed int64
	err := r.Scan(&m.Provider, &m.Model, &m.Type, &m.Available, &m.Category, &m.Error, &m.Calls, &m.Success, &response, &p95, &checked, &changed, &m.Answered, &m.Told)
	m.Response, m.P95 = time.Duration(response)*time.Millisecond, time.Duration(p95)*time.Millisecond
	m.CheckedAt, m.ChangedAt = time.UnixMilli(checked).UTC(), time.UnixMilli(changed).UTC()
	return err
}

// ModelStatuses lists how targets fare, by provider, model and type.
func (s *Store) ModelStatuses(ctx context.Context) ([]ModelStatus, error) {
	return list(ctx, s.read, scanStatus, "SELECT "+statusColumns+" ORDER BY provider, model, type LIMIT 10000")
}

// UntoldStatuses lists targets whose availability is not what operators were told
// and has been as it is for a while.
func (s *Store) UntoldStatuses(ctx context.Context, lasting time.Duration, limit int) ([]ModelStatus, error) {
	return list(ctx, s.read, scanStatus, "SELECT "+statusColumns+" WHERE told <> available AND changed_at <= "+dbNow+" - ? ORDER BY changed_at LIMIT ?",
		lasting.Milliseconds(), limit)
}

// TellStatus notes that operators were told of a status.
func (s *Store) TellStatus(ctx context.Context, m ModelStatus) error {
	u := &Unit{Priority: Background}
	u.Add("UPDATE ai_model_statuses SET told = ?4 WHERE provider = ?1 AND model = ?2 AND type = ?3", m.Provider, m.Model, string(m.Type), boolInt(m.Available))
	return s.Do(ctx, u)
}

// StatusHour is how many attempts a target saw in an hour, over all processes.
type StatusHour struct {
	Hour       time.Time
	Provider   string
	Model      string
	Type       hub.CallType
	OK, Failed int64
}

// StatusHours lists attempts by the hour, of the hours that begin at or after
// from, oldest first.
func (s *Store) StatusHours(ctx context.Context, from time.Time) ([]StatusHour, error) {
	return list(ctx, s.read, func(r *sql.Rows, h *StatusHour) error {
		var hour int64
		err := r.Scan(&hour, &h.Provider, &h.Model, &h.Type, &h.OK, &h.Failed)
		h.Hour = time.UnixMilli(hour).UTC()
		return err
	}, "SELECT hour, provider, model, type, ok, failed FROM ai_model_status_hours WHERE hour >= ? ORDER BY hour LIMIT 100000", from.UnixMilli())
}

// BadHours lists hours of models in which at least so many attempts failed, over all
// providers, of the hours that begin at or after from; the newest first, 2,000.
func (s *Store) BadHours(ctx context.Context, from time.Time, failed int64) ([]StatusHour, error) {
	return list(ctx, s.read, func(r *sql.Rows, h *StatusHour) error {
		var hour int64
		err := r.Scan(&hour, &h.Model, &h.Type, &h.OK, &h.Failed)
		h.Hour = time.UnixMilli(hour).UTC()
		return err
	}, `SELECT hour, model, type, SUM(ok), SUM(failed) FROM ai_model_status_hours WHERE hour >= ?
GROUP BY hour, model, type HAVING SUM(failed) >= ? ORDER BY hour DESC LIMIT 2000`, from.UnixMilli(), failed)
}

// How long statuses, hours, events and probes are kept.
const (
	keepStatuses = 30 * 24 * time.Hour
	keepHours    = 8 * 24 * time.Hour
	keepEvents   = 24 * time.Hour
	keepProbes   = 90 * 24 * time.Hour
)

// ForgetStatuses deletes statuses, hours, events and probes that are old, a
// batch of each at a time.
func (s *Store) ForgetStatuses(ctx context.Context) error {
	const batch = 1000
	for _, u := range []*Unit{
		stale("DELETE FROM ai_model_statuses WHERE (provider, model, type) IN (SELECT provider, model, type FROM ai_model_statuses WHERE checked_at < "+dbNow+" - ?1 ORDER BY checked_at LIMIT ?2)", keepStatuses, batch),
		stale("DELETE FROM ai_model_status_hours WHERE (hour, provider, model, type) IN (SELECT hour, provider, model, type FROM ai_model_status_hours WHERE hour < "+dbNow+" - ?1 ORDER BY hour LIMIT ?2)", keepHours, batch),
		stale("DELETE FROM admin_events WHERE id IN (SELECT id FROM admin_events WHERE created_at < "+dbNow+" - ?1 ORDER BY created_at LIMIT ?2)", keepEvents, batch),
		stale("DELETE FROM model_probes WHERE id IN (SELECT id FROM model_probes WHERE created_at < "+dbNow+" - ?1 ORDER BY created_at LIMIT ?2)", keepProbes, batch),
	} {
		if err := s.Do(ctx, u); err != nil {
			return err
		}
	}
	return nil
}

func stale(statement string, age time.Duration, batch int) *Unit {
	u := &Unit{Priority: Background}
	u.Add(statement, age.Milliseconds(), batch)
	return u
}

// Event is something that happened, for consoles.
type Event struct {
	ID   int64
	Kind string // status, credential or notification
	Body json.RawMessage
	At   time.Time
}

// NewestEvent is the id of the newest event; 0: there is none.
func (s *Store) NewestEvent(ctx context.Context) (id int64, err error) {
	err = s.read.QueryRowContext(ctx, "SELECT coalesce(max(id), 0) FROM admin_events").Scan(&id)
	return id, err
}

// EventsAfter lists up to limit events with ids above after, oldest first.
func (s *Store) EventsAfter(ctx context.Context, after int64, limit int) ([]Event, error) {
	return list(ctx, s.read, func(r *sql.Rows, e *Event) error {
		var body string
		var at int64
		err := r.Scan(&e.ID, &e.Kind, &body, &at)
		e.Body, e.At = json.RawMessage(body), time.UnixMilli(at).UTC()
		return err
	}, "SELECT id, kind, body_json, created_at FROM admin_events WHERE id > ? ORDER BY id LIMIT ?", after, limit)
}
