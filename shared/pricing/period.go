package pricing

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// A period is one of an entry's prices and when it applies, in UTC: from a day
// on, or between two times of every day, or always.
type period struct {
	cost   Prices
	from   time.Time // zero: not bound to a day
	hourly bool
	start  time.Duration // since midnight; end < start runs past midnight
	end    time.Duration
}

// UnmarshalJSON reads a period as the catalogue's generator writes it.
func (p *period) UnmarshalJSON(data []byte) error {
	var raw struct {
		Cost  Prices `json:"cost"`
		From  string `json:"from"`
		Start string `json:"start"`
		End   string `json:"end"`
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	*p = period{cost: raw.Cost, hourly: raw.Start != "" || raw.End != ""}
	if p.hourly && (raw.From != "" || len(raw.Cost.Tiers) > 0) {
		return fmt.Errorf("period from %q: an hourly price has neither a date nor tiers", raw.From)
	}
	var err error
	if raw.From != "" {
		if p.from, err = time.Parse(time.DateOnly, raw.From); err != nil {
			return fmt.Errorf("period: %w", err)
		}
	}
	if p.hourly {
		if p.start, err = clock(raw.Start); err != nil {
			return err
		}
		p.end, err = clock(raw.End)
	}
	return err
}

func clock(s string) (time.Duration, error) {
	t, err := time.Parse(time.TimeOnly, s)
	if err != nil {
		return 0, fmt.Errorf("period: %w", err)
	}
	return t.Sub(t.Truncate(24 * time.Hour)), nil
}

// applies reports whether the price is in force at t.
func (p *period) applies(t time.Time) bool {
	if !p.hourly {
		return !t.Before(p.from)
	}
	u := t.UTC()
	of := u.Sub(time.Date(u.Year(), u.Month(), u.Day(), 0, 0, 0, 0, time.UTC))
	if p.end < p.start {
		return of >= p.start || of < p.end
	}
	return of >= p.start && of < p.end
}

// costAt is the price in force at t: the last period that applies, else the first.
func costAt(periods []period, t time.Time) Prices {
	for i := len(periods) - 1; i >= 0; i-- {
		if periods[i].applies(t) {
			return periods[i].cost
		}
	}
	if len(periods) == 0 {
		return Prices{}
	}
	return periods[0].cost
}

// peakAt is the dearest price of the day of t, bucket by bucket, where the price
// depends on the hour.
func peakAt(periods []period, t time.Time) (Prices, bool) {
	var peak Prices
	hourly := false
	for i := len(periods) - 1; i >= 0; i-- {
		p := &periods[i]
		if !p.hourly && !p.applies(t) && i > 0 {
			continue
		}
		peak = dearer(peak, p.cost)
		if !p.hourly {
			break
		}
		hourly = true
	}
	return peak, hourly
}

// dearer takes the higher rate of each bucket, as each side prices it. Buckets
// that neither names stay unset.
func dearer(a, b Prices) Prices {
	out := Prices{Tiers: b.Tiers}
	for i := range out.Buckets {
		if !a.Buckets[i].Set && !b.Buckets[i].Set {
			continue
		}
		x, _, _ := a.rate(hub.Bucket(i), nil)
		y, _, _ := b.rate(hub.Bucket(i), nil)
		out.Buckets[i] = Price{Rate: max(x, y), Set: true}
	}
	return out
}
