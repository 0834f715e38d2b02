package routing

import (
	"cmp"
	"fmt"
	"time"
)

// Span is a time-out as configuration holds it: text such as "30s" or "2m".
type Span time.Duration

// MostSpan is the longest time-out that can be set.
const MostSpan = Span(24 * time.Hour)

// MarshalText writes the duration as Go does.
func (s Span) MarshalText() ([]byte, error) { return []byte(time.Duration(s).String()), nil }

// UnmarshalText reads a duration from a millisecond to a day; "" and "0" leave
// it to the next wider setting.
func (s *Span) UnmarshalText(text []byte) error {
	if len(text) == 0 || string(text) == "0" {
		*s = 0
		return nil
	}
	d, err := time.ParseDuration(string(text))
	if err != nil || (d != 0 && d < time.Millisecond) || d > time.Duration(MostSpan) {
		return fmt.Errorf("must be a duration such as 30s or 5m, from 1ms to 24h, not %q", text)
	}
	*s = Span(d)
	return nil
}

// Timeouts bound attempts at a provider or a model of it; 0 leaves a bound to
// the next wider setting: the model's goes before the provider's, and that
// before the hub's.
type Timeouts struct {
	Connect   Span `json:"connect,omitempty" yaml:"connect,omitempty"`
	FirstByte Span `json:"first_byte,omitempty" yaml:"first_byte,omitempty"`
	Idle      Span `json:"idle,omitempty" yaml:"idle,omitempty"`
	Total     Span `json:"total,omitempty" yaml:"total,omitempty"` // of one attempt
}

// Over returns t with what it leaves open taken from wider.
func (t Timeouts) Over(wider Timeouts) Timeouts {
	return Timeouts{Connect: cmp.Or(t.Connect, wider.Connect), FirstByte: cmp.Or(t.FirstByte, wider.FirstByte),
		Idle: cmp.Or(t.Idle, wider.Idle), Total: cmp.Or(t.Total, wider.Total)}
}

// ProviderSettings is what a provider's row holds beside its columns.
type ProviderSettings struct {
	Timeouts Timeouts `json:"timeouts,omitzero"`
}
