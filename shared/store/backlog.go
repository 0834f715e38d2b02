package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/aigne-hub/aigne-hub/shared/money"
)

// Backlog is work that waits in the database at a moment. Ages are 0 where nothing
// waits. Counts of usage stop at maxCounted.
type Backlog struct {
	OpenCalls  int64         // billed calls that hold money, jobs at providers included, and unbilled ones
	Held       money.Credits // by them
	OldestCall time.Duration
	// SweeperLag is how long the oldest process that died, or fell silent for more
	// than a minute, has left its open calls to the sweeper.
	SweeperLag time.Duration

	UsagePending, UsageDead int64 // calls whose usage is to be confirmed outside, and was refused there
	OldestUsage             time.Duration
	Notices                 int64 // deliveries of notices that are due
	OldestNotice            time.Duration
	DisabledCredentials     int64
}

const (
	maxCounted = 100_000
	silent     = time.Minute
)

// Backlog looks at what waits.
func (s *Store) Backlog(ctx context.Context) (Backlog, error) {
	var b Backlog
	var unbilled, lag, notice, sent int64
	var call, free, usage, batch string
	now := s.now()
	for _, q := range []struct {
		query string
		args  []any
		into  []any
	}{
		{"SELECT count(*), coalesce(sum(amount_nano), 0), coalesce(min(call_id), '') FROM credit_holds", nil, []any{&b.OpenCalls, &b.Held, &call}},
		{`SELECT count(*), coalesce(min(c.id), '') FROM leases l CROSS JOIN model_calls c
WHERE c.owner = l.id AND c.status = 'processing' AND c.billing = 0`, nil, []any{&unbilled, &free}},
		{"SELECT coalesce(max(" + dbNow + " - l.renewed_at), 0) FROM leases l WHERE l.renewed_at < " + dbNow + ` - ?1 AND (
  EXISTS (SELECT 1 FROM model_calls c WHERE c.owner = l.id AND c.status = 'processing' AND c.billing = 0)
  OR EXISTS (SELECT 1 FROM credit_holds h CROSS JOIN model_calls c WHERE c.id = h.call_id AND c.owner = l.id))`, []any{silent.Milliseconds()}, []any{&lag}},
		{"SELECT count(*), coalesce(min(call_id), '') FROM (SELECT call_id FROM usage WHERE report_state = 'pending' LIMIT ?)", []any{maxCounted}, []any{&b.UsagePending, &usage}},
		{"SELECT coalesce(sum(calls), 0), coalesce(min(id), '') FROM outbox_batches WHERE state IN ('pending','sent')", nil, []any{&sent, &batch}},
		{"SELECT coalesce(sum(calls), 0) FROM outbox_batches WHERE state = 'dead'", nil, []any{&b.UsageDead}},
		{"SELECT count(*), coalesce(max(" + dbNow + " - next_at), 0) FROM notification_deliveries WHERE state = 'pending' AND next_at > 0 AND next_at <= " + dbNow, nil, []any{&b.Notices, &notice}},
		{"SELECT count(*) FROM ai_credentials WHERE active = 0", nil, []any{&b.DisabledCredentials}},
	} {
		if err := s.read.QueryRowContext(ctx, q.query, q.args...).Scan(q.into...); err != nil {
			return Backlog{}, err
		}
	}
	b.OpenCalls += unbilled
	b.OldestCall = max(age(call, now), age(free, now))
	b.UsagePending += sent
	b.OldestUsage = max(age(usage, now), age(batch, now))
	b.SweeperLag, b.OldestNotice = time.Duration(lag)*time.Millisecond, time.Duration(notice)*time.Millisecond
	return b, nil
}

// age is how long ago an id was made; 0 for none.
func age(id string, now time.Time) time.Duration {
	u, err := ulid.Parse(id)
	if err != nil {
		return 0
	}
	return max(0, now.Sub(ulid.Time(u.Time())))
}

// DisabledCredential is a stored credential that its provider does not take.
type DisabledCredential struct {
	ID, Provider, Name string
	Reason             string // in the hub's words
	Left               int64  // credentials of the same provider that are still used
}

// DisabledCredentials lists the credentials that were disabled for their providers'
// refusal, of enabled providers.
func (s *Store) DisabledCredentials(ctx context.Context) ([]DisabledCredential, error) {
	return list(ctx, s.read, func(r *sql.Rows, d *DisabledCredential) error {
		return r.Scan(&d.ID, &d.Provider, &d.Name, &d.Reason, &d.Left)
	}, `SELECT x.id, pr.name, x.name, x.error, (SELECT count(*) FROM ai_credentials y WHERE y.provider_id = x.provider_id AND y.active = 1)
FROM ai_credentials x JOIN ai_providers pr ON pr.id = x.provider_id WHERE x.active = 0 AND x.error <> '' AND pr.enabled = 1 ORDER BY pr.name, x.name`)
}
