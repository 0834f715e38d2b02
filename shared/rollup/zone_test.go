package rollup

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func utc(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

// TestSlotsAreThoseOfTheZone is a table of zones: where a trend's points begin, in
// UTC, the end of the last one included.
func TestSlotsAreThoseOfTheZone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, zone string
		step       Step
		from, to   string
		want       []string
	}{
		{"half-hour zones have days that begin at half past", "Asia/Kolkata", ByDay, "2026-06-01T00:00:00Z", "2026-06-02T00:00:00Z",
			[]string{"2026-05-31T18:30:00Z", "2026-06-01T18:30:00Z", "2026-06-02T18:30:00Z"}},
		{"and hours", "Asia/Kolkata", ByHour, "2026-06-01T00:00:00Z", "2026-06-01T01:00:00Z",
			[]string{"2026-05-31T23:30:00Z", "2026-06-01T00:30:00Z", "2026-06-01T01:30:00Z"}},
		{"zones of three quarters too", "Asia/Kathmandu", ByHour, "2026-06-01T00:00:00Z", "2026-06-01T00:30:00Z",
			[]string{"2026-05-31T23:15:00Z", "2026-06-01T00:15:00Z", "2026-06-01T01:15:00Z"}},
		{"New York's day of 23 hours", "America/New_York", ByDay, "2026-03-07T12:00:00Z", "2026-03-09T12:00:00Z",
			[]string{"2026-03-07T05:00:00Z", "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z", "2026-03-10T04:00:00Z"}},
		{"and its hours: two o'clock is not there", "America/New_York", ByHour, "2026-03-08T06:00:00Z", "2026-03-08T08:00:00Z",
			[]string{"2026-03-08T06:00:00Z", "2026-03-08T07:00:00Z", "2026-03-08T08:00:00Z"}},
		{"New York's day of 25 hours", "America/New_York", ByDay, "2026-10-31T12:00:00Z", "2026-11-02T12:00:00Z",
			[]string{"2026-10-31T04:00:00Z", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z", "2026-11-03T05:00:00Z"}},
		{"and its hours: one o'clock is there twice", "America/New_York", ByHour, "2026-11-01T05:00:00Z", "2026-11-01T08:00:00Z",
			[]string{"2026-11-01T05:00:00Z", "2026-11-01T06:00:00Z", "2026-11-01T07:00:00Z", "2026-11-01T08:00:00Z"}},
		{"weeks begin on Monday, over a change of clocks", "America/New_York", ByWeek, "2026-03-05T00:00:00Z", "2026-03-12T00:00:00Z",
			[]string{"2026-03-02T05:00:00Z", "2026-03-09T04:00:00Z", "2026-03-16T04:00:00Z"}},
		{"Tokyo knows no change", "Asia/Tokyo", ByDay, "2026-03-08T00:00:00Z", "2026-03-09T15:00:00Z",
			[]string{"2026-03-07T15:00:00Z", "2026-03-08T15:00:00Z", "2026-03-09T15:00:00Z"}},
		{"Tokyo's months", "Asia/Tokyo", ByMonth, "2026-01-31T16:00:00Z", "2026-03-31T15:00:00Z",
			[]string{"2026-01-31T15:00:00Z", "2026-02-28T15:00:00Z", "2026-03-31T15:00:00Z"}},
		{"fourteen hours ahead", "Pacific/Kiritimati", ByDay, "2026-12-31T09:00:00Z", "2026-12-31T11:00:00Z",
			[]string{"2026-12-30T10:00:00Z", "2026-12-31T10:00:00Z", "2027-01-01T10:00:00Z"}},
		{"fourteen hours ahead the year is another one", "Pacific/Kiritimati", ByMonth, "2026-12-31T10:00:00Z", "2026-12-31T11:00:00Z",
			[]string{"2026-12-31T10:00:00Z", "2027-01-31T10:00:00Z"}},
		{"clocks put forward at midnight: the day begins at one", "America/Santiago", ByDay, "2026-09-06T12:00:00Z", "2026-09-06T13:00:00Z",
			[]string{"2026-09-06T04:00:00Z", "2026-09-07T03:00:00Z"}},
		{"clocks put back at midnight: eleven o'clock is there twice, the day before", "America/Santiago", ByDay, "2026-04-04T12:00:00Z", "2026-04-05T12:00:00Z",
			[]string{"2026-04-04T03:00:00Z", "2026-04-05T04:00:00Z", "2026-04-06T04:00:00Z"}},
		{"clocks put back to midnight: the day begins with the first", "America/Havana", ByDay, "2026-11-01T12:00:00Z", "2026-11-01T13:00:00Z",
			[]string{"2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"}},
		{"a change of half an hour", "Australia/Lord_Howe", ByHour, "2026-04-04T14:00:00Z", "2026-04-04T16:00:00Z",
			[]string{"2026-04-04T14:00:00Z", "2026-04-04T14:30:00Z", "2026-04-04T15:30:00Z", "2026-04-04T16:30:00Z"}},
	} {
		zone, err := Zone(c.zone)
		require.NoError(t, err)
		all := slots(c.step, span{utc(c.from), utc(c.to)}, zone)
		var got []string
		for i, s := range all {
			got = append(got, s.from.UTC().Format(time.RFC3339))
			if i+1 < len(all) {
				assert.Equal(t, s.until.UTC(), all[i+1].from.UTC(), c.name)
			} else {
				got = append(got, s.until.UTC().Format(time.RFC3339))
			}
		}
		assert.Equal(t, c.want, got, c.name)
	}
}

// TestEveryMomentOfEveryZoneIsInOneSlot goes through the zones with the strangest
// clocks, a year of them.
func TestEveryMomentOfEveryZoneIsInOneSlot(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"UTC", "Asia/Kolkata", "America/New_York", "Asia/Tokyo", "Pacific/Kiritimati", "Pacific/Apia", "America/Havana", "America/Santiago",
		"Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca", "Pacific/Chatham"} {
		zone, err := Zone(name)
		require.NoError(t, err)
		for _, step := range Steps() {
			year := utc("2026-01-01T00:00:00Z")
			if name == "Pacific/Apia" {
				year = utc("2011-06-01T00:00:00Z") // a day was left out
			}
			all := slots(step, span{year, year.AddDate(1, 0, 0)}, zone)
			require.False(t, all[0].from.After(year), name)
			for i, s := range all {
				require.True(t, s.from.Before(s.until), "%s %s %s", name, step, s.from)
				require.Equal(t, s.from, s.from.Truncate(15*time.Minute), name)
				if i > 0 {
					require.Equal(t, all[i-1].until.UTC(), s.from.UTC(), name)
				}
				middle := s.from.Add(s.until.Sub(s.from) / 2)
				if step != ByHour {
					require.Equal(t, s.from.UTC(), step.begin(middle, zone).UTC(), "%s %s", name, step)
				}
			}
		}
	}
}

func TestZonesThatThereAreNot(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Local", "Mars/Olympus", "../etc/passwd"} {
		_, err := Zone(name)
		var e *hub.Error
		require.ErrorAs(t, err, &e, name)
		assert.Equal(t, "timezone", e.Param)
	}
}

func TestASpanIsCoveredOnceAndByLargeBuckets(t *testing.T) {
	t.Parallel()
	now := utc("2026-05-20T10:20:00Z")
	var states [store.NumPeriods]store.StatState
	for p := range store.NumPeriods {
		states[p].Horizon = p.Floor(now)
	}
	for _, c := range []struct {
		from, to string
		rows     int // buckets that are read
	}{
		{"2026-01-01T00:00:00Z", "2026-05-20T10:30:00Z", 4 + 19 + 10 + 1},
		{"2026-01-31T18:30:00Z", "2026-02-28T18:30:00Z", 2 + 5 + 27 + 18 + 2},
		{"2026-05-20T10:00:00Z", "2026-05-20T10:45:00Z", 1},
		{"2026-05-20T10:15:00Z", "2026-05-20T10:30:00Z", 0},
		{"2026-05-19T23:45:00Z", "2026-05-20T00:15:00Z", 2},
	} {
		x := span{utc(c.from), utc(c.to)}
		all, tail := cover(7, x, &states)
		at, rows := x.from, 0
		for _, s := range all {
			require.Equal(t, at, s.From, "no gap, nothing twice")
			require.Equal(t, 7, s.Slot)
			rows += len(s.Period.Buckets(s.From, s.Until))
			at = s.Until
		}
		assert.Equal(t, earlier(x.until, later(x.from, states[store.Quarter].Horizon)), at, c.from)
		assert.Equal(t, later(x.from, states[store.Quarter].Horizon), tail)
		assert.Equal(t, c.rows, rows, c.from)
	}
}
