package reconcile

import (
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
)

const (
	// defaultTolerance is one percent, in hundredths of a percent: what rounding
	// and calls around midnight come to.
	defaultTolerance = 100
	defaultDays      = 31
	// defaultMinCost is a cent: differences up to it are none.
	defaultMinCost = money.Credit / 100
)

// ParseZone reads the name of a time zone; "" is UTC.
func ParseZone(name string) (*time.Location, error) {
	if name == "" || name == "UTC" {
		return time.UTC, nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return nil, hub.Invalid("zone", "There is no time zone %.60q; write it like Asia/Tokyo.", name)
	}
	return zone, nil
}

// ParseQuery reads what people write: days from and to, both included (the last
// 31 days when neither is given), a tolerance in percent ("" is 1) and the least
// difference of cost in dollars ("" is 0.01).
func ParseQuery(provider, from, to, tolerance, minCost string, now time.Time) (Query, error) {
	q := Query{Provider: provider, Tolerance: defaultTolerance, MinCost: defaultMinCost}
	today := now.UTC().Truncate(24 * time.Hour)
	q.Until = today.AddDate(0, 0, 1)
	if to != "" {
		day, err := time.Parse(time.DateOnly, to)
		if err != nil {
			return q, hub.Invalid("to", "to must be a day such as 2026-01-31.")
		}
		q.Until = day.AddDate(0, 0, 1)
	}
	q.From = q.Until.AddDate(0, 0, -defaultDays)
	if from != "" {
		day, err := time.Parse(time.DateOnly, from)
		if err != nil {
			return q, hub.Invalid("from", "from must be a day such as 2026-01-01.")
		}
		q.From = day
	}
	if tolerance != "" {
		t, err := money.ParseCredits(tolerance)
		const most = 100
		if err != nil || t < 0 || t > most*money.Credit || t%(money.Credit/100) != 0 {
			return q, hub.Invalid("tolerance", "tolerance must be a percentage of 0 to 100 with at most two decimals.")
		}
		q.Tolerance = int64(t / (money.Credit / 100))
	}
	if minCost != "" {
		c, err := money.ParseCredits(minCost)
		if err != nil || c < 0 {
			return q, hub.Invalid("min_cost", "min_cost must be dollars, such as 0.01.")
		}
		q.MinCost = c
	}
	return q, nil
}

// ParseDay reads a day of a report: its beginning and, unless it is a day of UTC,
// its end.
func ParseDay(day, until string) (from, end time.Time, err error) {
	if from, err = time.Parse(time.DateOnly, day); err != nil {
		if from, err = time.Parse(time.RFC3339, day); err != nil {
			return from, end, hub.Invalid("day", "day must be a day such as 2026-01-31, or the beginning of one as the report has it.")
		}
	}
	if until == "" {
		return from, from.AddDate(0, 0, 1), nil
	}
	end, err = time.Parse(time.RFC3339, until)
	const most = 32 * 24 * time.Hour
	if err != nil || !end.After(from) || end.Sub(from) > most {
		return from, end, hub.Invalid("until", "until must be the end of the day as the report has it.")
	}
	return from, end, nil
}
