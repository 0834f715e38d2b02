package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"
)

// Roster is who called in a bucket, in the forms of package rollup.
type Roster struct {
	Apps   []byte
	People []byte
}

const putRoster = "INSERT OR REPLACE INTO model_call_rosters (period, started_at, apps, people) VALUES (?1, ?2, ?3, ?4)"

// addRoster is for buckets whose sums were found to be right.
const addRoster = "INSERT INTO model_call_rosters (period, started_at, apps, people) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (period, started_at) DO NOTHING"

// The two forms that a roster is read in: one column, so that the pages of the other
// are not touched.
const (
	rostersOfApps   = "r.apps"
	rostersOfPeople = "r.people"
)

const rosters = ` FROM j CROSS JOIN model_call_rosters r WHERE r.period = j.period AND r.started_at >= j.since AND r.started_at < j.until`

func rosterStatement(column string) string {
	return statSpans + "SELECT j.slot, r.period, r.started_at, " + column + rosters
}

// RosterApps hands over the applications of the buckets in spans that have a roster,
// in no order. The text is only good until each returns.
func (s *Store) RosterApps(ctx context.Context, spans []StatSpan, each func(slot int, b StatBucket, text []byte) error) error {
	return s.rosters(ctx, rosterStatement(rostersOfApps), spans, each)
}

// RosterPeople is RosterApps of users and keys.
func (s *Store) RosterPeople(ctx context.Context, spans []StatSpan, each func(slot int, b StatBucket, text []byte) error) error {
	return s.rosters(ctx, rosterStatement(rostersOfPeople), spans, each)
}

func (s *Store) rosters(ctx context.Context, query string, spans []StatSpan, each func(int, StatBucket, []byte) error) error {
	text, err := spansText(spans, func(Period) Cube { return Full })
	if err != nil {
		return err
	}
	rows, err := s.read.QueryContext(ctx, query, text)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var slot int
		var period, at int64
		var raw sql.RawBytes
		if err := rows.Scan(&slot, &period, &at, &raw); err != nil {
			return err
		}
		if err := each(slot, StatBucket{Period: Period(period), Start: time.UnixMilli(at).UTC()}, raw); err != nil {
			return err
		}
	}
	return rows.Err()
}

// spansText is what statSpans takes.
func spansText(spans []StatSpan, cube func(Period) Cube) (string, error) {
	ranges := make([][5]int64, len(spans))
	for i, x := range spans {
		ranges[i] = [5]int64{int64(x.Slot), int64(x.Period), int64(cube(x.Period)), x.From.UnixMilli(), x.Until.UnixMilli()}
	}
	text, err := json.Marshal(ranges)
	return string(text), err
}
