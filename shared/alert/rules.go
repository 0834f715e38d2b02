package alert

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Rules are all rules with their settings.
type Rules struct {
	// ErrorRate: too many calls fail by the hub's fault or a provider's.
	ErrorRate ErrorRate `json:"error_rate"`
	// Spend: an hour cost a multiple of what hours cost on average.
	Spend Spend `json:"spend"`
	// Credential: a provider does not take a stored credential any more.
	Credential Switch `json:"credential"`
	// Outbox: usage does not reach the outside system that bills it.
	Outbox After `json:"outbox"`
	// Notices: webhooks and e-mails do not arrive.
	Notices After `json:"notices"`
	// Ledger: the scheduled verification found the books wrong.
	Ledger Switch `json:"ledger"`
	// Sweeper: the open calls of a process that died are not closed.
	Sweeper After `json:"sweeper"`
	// Disk: little room is left where the database lies.
	Disk Disk `json:"disk"`
	// CalmMinutes is how long a thing must have been right again before its alert is
	// resolved.
	CalmMinutes int64 `json:"calm_minutes"`
}

// Switch is a rule that has no figures.
type Switch struct {
	On bool `json:"on"`
}

// After is a rule about something that waits too long.
type After struct {
	On      bool  `json:"on"`
	Minutes int64 `json:"minutes"`
}

// ErrorRate is the rule about calls that fail.
type ErrorRate struct {
	On       bool  `json:"on"`
	Percent  int64 `json:"percent"`   // of the calls of the window; it is over at half of it
	Minutes  int64 `json:"minutes"`   // the window
	MinCalls int64 `json:"min_calls"` // fewer say nothing
}

// Spend is the rule about what calls cost.
type Spend struct {
	On      bool          `json:"on"`
	Percent int64         `json:"percent"` // of the average hour; it is over at three quarters of it
	Hours   int64         `json:"hours"`   // that the average is of
	Least   money.Credits `json:"least"`   // an hour below it is no spike: dollars, or credits where costs are unknown
}

// Disk is the rule about room.
type Disk struct {
	On      bool  `json:"on"`
	Percent int64 `json:"percent"` // of the disk that must be free
}

// Defaults are the rules of a hub whose operator chose nothing.
func Defaults() Rules {
	return Rules{
		ErrorRate: ErrorRate{On: true, Percent: 20, Minutes: 10, MinCalls: 20}, Spend: Spend{On: true, Percent: 300, Hours: 24, Least: money.Credit},
		Credential: Switch{true}, Outbox: After{true, 15}, Notices: After{true, 60}, Ledger: Switch{true}, Sweeper: After{true, 5}, Disk: Disk{true, 10}, CalmMinutes: 5,
	}
}

// setting is the stored setting that holds what differs from the defaults.
const setting = "alert.rules"

// Load reads the rules.
func Load(ctx context.Context, s *store.Store) (Rules, error) {
	r := Defaults()
	text, err := s.Setting(ctx, setting)
	if errors.Is(err, store.ErrNotFound) {
		return r, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(text), &r)
	}
	return r, err
}

// Save keeps rules that Check found good.
func Save(ctx context.Context, s *store.Store, r Rules) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return s.SetSetting(ctx, setting, string(text))
}

// Change returns the rules with what a JSON object says of them; what it leaves out
// stays.
func (r Rules) Change(object []byte) (Rules, error) {
	d := json.NewDecoder(bytes.NewReader(object))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return r, hub.Invalid("rules", "The rules cannot be read: %v.", err)
	}
	return r, r.Check()
}

// Check finds figures that make no sense.
func (r Rules) Check() error {
	const (
		day  = 24 * 60
		week = 7 * 24
	)
	for _, f := range []struct {
		name               string
		value, least, most int64
	}{
		{"error_rate.percent", r.ErrorRate.Percent, 1, 100}, {"error_rate.minutes", r.ErrorRate.Minutes, 1, 60}, {"error_rate.min_calls", r.ErrorRate.MinCalls, 1, 1_000_000},
		{"spend.percent", r.Spend.Percent, 110, 100_000}, {"spend.hours", r.Spend.Hours, 6, week},
		{"outbox.minutes", r.Outbox.Minutes, 1, week * 60}, {"notices.minutes", r.Notices.Minutes, 1, week * 60}, {"sweeper.minutes", r.Sweeper.Minutes, 2, day},
		{"disk.percent", r.Disk.Percent, 1, 90}, {"calm_minutes", r.CalmMinutes, 0, day},
	} {
		if f.value < f.least || f.value > f.most {
			return hub.Invalid(f.name, "%s must be %d to %d.", f.name, f.least, f.most)
		}
	}
	if r.Spend.Least < 0 {
		return hub.Invalid("spend.least", "spend.least must not be negative.")
	}
	return nil
}

// percent writes a share without floats: 12.5.
func percent(part, whole int64) string {
	if whole == 0 {
		return "0"
	}
	tenths := part * 1000 / whole
	if tenths%10 == 0 {
		return fmt.Sprint(tenths / 10)
	}
	return fmt.Sprintf("%d.%d", tenths/10, tenths%10)
}
