package rollup

import (
	"time"
	_ "time/tzdata" // a scratch image and a Lambda have none of their own

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// Step is how long the slots of a trend are.
type Step string

// The steps. A week begins on Monday.
const (
	ByHour  Step = "hour"
	ByDay   Step = "day"
	ByWeek  Step = "week"
	ByMonth Step = "month"
)

// Steps lists all steps.
func Steps() []Step { return []Step{ByHour, ByDay, ByWeek, ByMonth} }

// Zone finds a time zone by its IANA name; "" is UTC.
func Zone(name string) (*time.Location, error) {
	if name == "" || name == "UTC" {
		return time.UTC, nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return nil, hub.Invalid("timezone", "%q is no time zone; send a name such as Asia/Kolkata.", name)
	}
	return zone, nil
}

// begin is when the slot begins that a time is in, in the zone's own time.
func (s Step) begin(t time.Time, zone *time.Location) time.Time {
	t = t.In(zone)
	if s == ByHour {
		// By the clock on the wall, so that half-hour zones have their own hours, and
		// without going through the date, which may have this hour twice.
		into := time.Duration(t.Minute())*time.Minute + time.Duration(t.Second())*time.Second + time.Duration(t.Nanosecond())
		return t.Add(-into)
	}
	y, m, d := t.Date()
	switch s {
	case ByWeek:
		d -= (int(t.Weekday()) + 6) % 7
	case ByMonth:
		d = 1
	}
	return midnight(y, m, d, zone)
}

// next is when the slot after the one that begins at a time begins.
func (s Step) next(start time.Time, zone *time.Location) time.Time {
	if s == ByHour {
		return s.begin(start.Add(time.Hour), zone)
	}
	y, m, d := start.In(zone).Date()
	switch s {
	case ByWeek:
		d += 7
	case ByMonth:
		m, d = m+1, 1
	default:
		d++
	}
	return midnight(y, m, d, zone)
}

// midnight is when a day begins: its first moment, where clocks that are put
// forward at midnight skip the hour.
func midnight(y int, m time.Month, d int, zone *time.Location) time.Time {
	t := time.Date(y, m, d, 0, 0, 0, 0, zone)
	wanted := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	if got := t.Day(); got != wanted.Day() { // the time before the gap, on the day before
		_, end := t.ZoneBounds()
		return end
	}
	// Where clocks are put back over midnight the day begins when it is midnight
	// for the first time.
	if first := t.Add(-time.Hour); first.In(zone).Day() == wanted.Day() {
		return first
	}
	return t
}

// slots are a zone's slots of a span. The first and the last one may reach beyond
// it.
func slots(s Step, x span, zone *time.Location) []span {
	var out []span
	for at := s.begin(x.from, zone); at.Before(x.until); {
		end := s.next(at, zone)
		out = append(out, span{at, end})
		at = end
	}
	return out
}
