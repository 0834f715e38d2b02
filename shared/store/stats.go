package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// Period is how long a bucket of sums is, in UTC.
type Period int

// The periods.
const (
	Quarter Period = iota // 15 minutes
	Hour
	Day
	Month
	NumPeriods
)

const (
	quarterHour = 15 * time.Minute
	wholeDay    = 24 * time.Hour
)

// Floor is when the bucket begins that a time is in.
func (p Period) Floor(t time.Time) time.Time {
	t = t.UTC()
	switch p {
	case Quarter:
		return t.Truncate(quarterHour)
	case Hour:
		return t.Truncate(time.Hour)
	case Day:
		return t.Truncate(wholeDay)
	}
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
}

// Ceil is the first begin of a bucket that is not before a time.
func (p Period) Ceil(t time.Time) time.Time {
	f := p.Floor(t)
	if f.Before(t) {
		return p.Next(f)
	}
	return f
}

// Next is when the bucket ends that begins at a time.
func (p Period) Next(start time.Time) time.Time {
	switch p {
	case Quarter:
		return start.Add(quarterHour)
	case Hour:
		return start.Add(time.Hour)
	case Day:
		return start.Add(wholeDay)
	}
	return start.UTC().AddDate(0, 1, 0)
}

// Buckets are the buckets that begin in a span.
func (p Period) Buckets(from, until time.Time) []StatBucket {
	var out []StatBucket
	for at := p.Ceil(from); at.Before(until); at = p.Next(at) {
		out = append(out, StatBucket{Period: p, Start: at})
	}
	return out
}

// Cube says which columns of the key the rows of a bucket tell apart.
type Cube int

// The cubes. Each holds all calls.
const (
	Full  Cube = iota // all columns
	Whole             // provider, model, type, status, category: for sums of the whole hub
	Who               // user, application, key, status: of days and months only
	Ends              // the status alone
	NumCubes
)

// StatKey is what the calls of a row have in common.
type StatKey struct {
	UserID, AppID, KeyID, Provider, Model string
	Type                                  hub.CallType
	Status                                hub.CallStatus
	Category                              string // of the error
}

// StatSums is what the calls of a row come to. Money is nano-credits and
// nano-dollars.
type StatSums struct {
	Calls         int64
	Uncosted      int64 // calls whose cost is unknown
	Credits       int64
	CostedCredits int64 // of calls whose cost is known
	Cost          int64
	More          string // whatever else, in a form whose concatenation is the sum
}

// StatRow is a row of a bucket.
type StatRow struct {
	StatKey
	StatSums
}

const statKeyColumns = "user_id, app_id, api_key_id, provider, model, type, status, category"

const statSumColumns = "calls, uncosted, credits_nano, costed_credits_nano, cost_nano, more"

// fields are where to scan both lists of columns to.
func (r *StatRow) fields() []any {
	return []any{&r.UserID, &r.AppID, &r.KeyID, &r.Provider, &r.Model, &r.Type, &r.Status, &r.Category,
		&r.Calls, &r.Uncosted, &r.Credits, &r.CostedCredits, &r.Cost, &r.More}
}

// StatBucket names a bucket.
type StatBucket struct {
	Period Period
	Start  time.Time
}

// BucketRow is a row and where it belongs.
type BucketRow struct {
	Cube  Cube
	Start int64 // of the bucket, Unix milliseconds
	StatRow
}

// FullRows reads the full cubes of the buckets of a period that begin in a span,
// in no order.
func (s *Store) FullRows(ctx context.Context, p Period, from, until time.Time) ([]BucketRow, error) {
	return s.bucketRows(ctx, "AND cube = 0 AND started_at >= ?2 AND started_at < ?3", p, from, until)
}

// AllRows reads all cubes of the buckets of a period that begin in a span, in no
// order.
func (s *Store) AllRows(ctx context.Context, p Period, from, until time.Time) ([]BucketRow, error) {
	return s.bucketRows(ctx, "AND cube IN (0, 1, 2, 3) AND started_at >= ?2 AND started_at < ?3", p, from, until)
}

func (s *Store) bucketRows(ctx context.Context, which string, p Period, from, until time.Time) ([]BucketRow, error) {
	return list(ctx, s.read, func(r *sql.Rows, v *BucketRow) error {
		return r.Scan(append([]any{&v.Cube, &v.Start}, v.fields()...)...)
	}, "SELECT cube, started_at, "+statKeyColumns+", "+statSumColumns+" FROM model_call_stats WHERE period = ?1 "+which,
		int(p), from.UnixMilli(), until.UnixMilli())
}

// StatChange is what has become of the rows of one cube of a bucket.
type StatChange struct {
	Cube Cube
	Put  []StatRow
	Drop []StatKey
}

const putStat = "INSERT OR REPLACE INTO model_call_stats (period, cube, started_at, " + statKeyColumns + ", " + statSumColumns + `)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)`

const dropStat = `DELETE FROM model_call_stats WHERE period = ?1 AND cube = ?2 AND started_at = ?3 AND user_id = ?4 AND app_id = ?5
  AND api_key_id = ?6 AND provider = ?7 AND model = ?8 AND type = ?9 AND status = ?10 AND category = ?11`

// MadeStat is a bucket that was made: what changed in it, and the bucket above that
// is due for it, if any.
type MadeStat struct {
	DueStat
	Changes []StatChange
	Roster  *Roster // nil: none is kept of the bucket
	Next    *StatBucket
}

// Size is how many rows are to be written.
func (m *MadeStat) Size() (n int) {
	for _, c := range m.Changes {
		n += len(c.Put) + len(c.Drop)
	}
	return n
}

// PutStats writes down what changed in buckets of one period whose turns were read
// before their calls were, and takes them off the list of what is due. ErrNotOpen:
// the turn of one is over; nothing happens.
func (s *Store) PutStats(ctx context.Context, made []MadeStat) error {
	u := &Unit{Priority: Background}
	for i := range made {
		m := &made[i]
		p, at := int(m.Period), m.Start.UnixMilli()
		u.Add(`UPDATE model_call_stats_state SET turn = (SELECT turn FROM model_call_stats_due WHERE period = ?1 AND started_at = ?2 AND turn = ?3)
WHERE period = ?1`, p, at, m.Turn)
		for _, c := range m.Changes {
			for _, k := range c.Drop {
				u.Add(dropStat, p, int(c.Cube), at, k.UserID, k.AppID, k.KeyID, k.Provider, k.Model, string(k.Type), string(k.Status), k.Category)
			}
			for i := range c.Put {
				r := &c.Put[i]
				u.Add(putStat, p, int(c.Cube), at, r.UserID, r.AppID, r.KeyID, r.Provider, r.Model, string(r.Type), string(r.Status), r.Category,
					r.Calls, r.Uncosted, r.Credits, r.CostedCredits, r.Cost, r.More)
			}
		}
		if m.Roster != nil {
			roster := putRoster
			if len(m.Changes) == 0 {
				roster = addRoster
			}
			u.Add(roster, p, at, m.Roster.Apps, m.Roster.People)
		}
		u.Add("DELETE FROM model_call_stats_due WHERE period = ?1 AND started_at = ?2", p, at)
		if m.Next != nil {
			if err := u.queue(s.NewID(), []StatBucket{*m.Next}, m.Forced); err != nil {
				return err
			}
		}
	}
	return s.Do(ctx, u)
}

// queue adds buckets to what is due, under a new turn.
func (u *Unit) queue(turn string, buckets []StatBucket, forced bool) error {
	if len(buckets) == 0 {
		return nil
	}
	rows := make([][2]int64, len(buckets))
	for i, b := range buckets {
		rows[i] = [2]int64{int64(b.Period), b.Start.UnixMilli()}
	}
	text, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	u.Add(`INSERT INTO model_call_stats_due (period, started_at, turn, forced)
SELECT value ->> 0, value ->> 1, ?2, ?3 FROM json_each(?1) WHERE true
ON CONFLICT (period, started_at) DO UPDATE SET turn = excluded.turn, forced = max(forced, excluded.forced)`, string(text), turn, boolInt(forced))
	return nil
}

// ForgetStats deletes quarter-hours and rosters of hours before a time, a batch at a time, after noting
// that they are no longer kept; more reports that there are others.
func (s *Store) ForgetStats(ctx context.Context, before time.Time) (more bool, err error) {
	const batch = 5000
	u := &Unit{Priority: Background}
	u.Add("UPDATE model_call_stats_state SET kept_from = max(kept_from, ?1) WHERE period = 0", before.UnixMilli())
	u.Add("DELETE FROM model_call_rosters WHERE period = 1 AND started_at < ?1", before.UnixMilli())
	if err := s.Do(ctx, u); err != nil {
		return false, err
	}
	err = s.Exec(ctx, "DELETE FROM model_call_stats WHERE (period, cube, started_at, "+statKeyColumns+") IN (SELECT period, cube, started_at, "+
		statKeyColumns+" FROM model_call_stats WHERE period = 0 AND cube IN (0, 1, 3) AND started_at < ?1 LIMIT ?2)", before.UnixMilli(), batch)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
