package store

import (
	"context"
	"database/sql"
)

// LimitFilter narrows a list of limits. Empty fields do not.
type LimitFilter struct {
	Scope, Subject, Metric string
}

// LimitRow is a limit with the name of whom it binds.
type LimitRow struct {
	Limit
	Name  string // of a key or an application; an e-mail address of a user; "" otherwise
	Owner string // e-mail address of a key's user
}

// LimitsPage lists limits, the newest first; before is the id to go on behind.
func (s *Store) LimitsPage(ctx context.Context, f LimitFilter, before string, limit int) ([]LimitRow, error) {
	if before == "" {
		before = "~" // sorts after every ULID
	}
	return list(ctx, s.read, func(r *sql.Rows, l *LimitRow) error {
		return r.Scan(&l.ID, &l.Scope, &l.Subject, &l.Metric, &l.Period, &l.Amount, &l.Managed, &l.Name, &l.Owner)
	}, `SELECT l.id, l.scope, l.subject, l.metric, l.period, l.amount, l.managed,
  CASE l.scope WHEN 'key' THEN coalesce((SELECT name FROM api_keys WHERE id = l.subject), '')
    WHEN 'user' THEN coalesce((SELECT email FROM users WHERE id = l.subject), '')
    WHEN 'app' THEN coalesce((SELECT name FROM apps WHERE id = l.subject), '') ELSE '' END,
  CASE l.scope WHEN 'key' THEN coalesce((SELECT u.email FROM api_keys k JOIN users u ON u.id = k.user_id WHERE k.id = l.subject), '') ELSE '' END
FROM limits l WHERE l.id < ?1 AND (?2 = '' OR l.scope = ?2) AND (?3 = '' OR l.subject = ?3) AND (?4 = '' OR l.metric = ?4) ORDER BY l.id DESC LIMIT ?5`,
		before, f.Scope, f.Subject, f.Metric, limit)
}

// LimitUse is how much of a limit is used now by who uses most of it.
type LimitUse struct {
	Most    int64  // calls, tokens or nano-credits
	Counts  string // who that is; "" when nobody uses any
	Counted int64  // how many are counted by themselves
	Ends    int64  // milliseconds until the window ends; 0 for concurrency
}

// LimitUse reads how much of a limit is used.
func (s *Store) LimitUse(ctx context.Context, l Limit) (u LimitUse, err error) {
	scan := func(query string, args ...any) error {
		return s.read.QueryRowContext(ctx, query, args...).Scan(&u.Most, &u.Counts, &u.Counted, &u.Ends)
	}
	if l.Period == "now" {
		return u, scan(`SELECT coalesce(max(n), 0), coalesce(counts, ''), count(*), 0 FROM
(SELECT counts, count(*) AS n FROM limits_holds WHERE limit_id = ?1 AND metric = 'concurrency' GROUP BY counts)`, l.ID)
	}
	return u, scan("SELECT coalesce(max(used), 0), coalesce(counts, ''), count(*), "+windowEnds[l.Period]+
		" FROM limits_windows WHERE limit_id = ?1 AND started_at = "+windowStarts[l.Period], l.ID)
}
