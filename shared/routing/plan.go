// Package routing turns a model name into a Plan: the ordered targets that can
// serve it, with their credentials, prices and limits. It is pure: it works on
// an immutable Snapshot of the configuration and touches neither the network
// nor the database.
package routing

import (
	"encoding/json"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
	"github.com/aigne-hub/aigne-hub/shared/provider"
)

// Provider is a configured provider.
type Provider struct {
	ID          string // "" for one from the environment
	Name        string
	Kind        provider.Kind
	BaseURL     string
	Region      string
	Source      string // "stored" or "env"
	Credentials []Credential
	Timeouts    Timeouts
}

// Credential is a key at a provider.
type Credential struct {
	ID     string
	Name   string
	Weight int64
	Secret hub.Secret
	// MaxConcurrent is how many calls a process makes with it at once; 0: any number.
	MaxConcurrent int64
}

// Rate is what a model of a provider costs the user and the operator.
type Rate struct {
	ID        string
	Version   int64
	Provider  string
	Model     string
	Type      hub.CallType
	Prices    pricing.Prices
	Cost      *pricing.Prices // nil: the catalogue's, else unknown
	Context   int64           // 0: not set
	MaxOutput int64           // 0: not set
	Timeouts  Timeouts
	Retired   bool // calls are refused, whatever the catalogue knows
}

// Target is one place where a call can be served.
type Target struct {
	Provider    *Provider
	Model       string          // the provider's own name
	Type        hub.CallType    // "" where it is not asked for answers: how it fares is not noted
	Prices      *pricing.Prices // what the user pays; nil with billing off
	Cost        *pricing.Prices // what the operator pays, dollars; nil: unknown
	RateID      string          // "" when priced from the catalogue
	RateVersion int64
	Context     int64 // tokens; 0: unknown
	MaxOutput   int64 // tokens, from rate, catalogue or setting; always > 0
	LimitKnown  bool  // MaxOutput is the model's own limit, not the setting
	Timeouts    Timeouts

	// What the catalogue says of the model.
	Sees, Hears, Reads, Tools, Reasoning known
	TextOnly                             known // its answers hold nothing but text
}

// known is what is known of a capability.
type known int8

const (
	unknown known = iota
	yes
	no
)

func knownIf(b *bool) known {
	switch {
	case b == nil:
		return unknown
	case *b:
		return yes
	}
	return no
}

// Shows reports whether every token that the model bills of an answer is known to
// be seen in its stream: it has no hidden reasoning and gives nothing but text.
func (t *Target) Shows() bool { return t.Reasoning == no && t.TextOnly == yes }

// lacks returns the first of some needs that the model is known not to meet, "".
func (t *Target) lacks(needs []Need) Need {
	for _, n := range needs {
		k := unknown
		switch n {
		case NeedTools:
			k = t.Tools
		case NeedVision:
			k = t.Sees
		case NeedAudio:
			k = t.Hears
		case NeedFiles:
			k = t.Reads
		case NeedThinking:
			k = t.Reasoning
		}
		if k == no {
			return n
		}
	}
	return ""
}

// Meets lists the needs that the model is known to meet.
func (t *Target) Meets() []Need {
	out := []Need{}
	for _, x := range []struct {
		need Need
		know known
	}{{NeedTools, t.Tools}, {NeedVision, t.Sees}, {NeedAudio, t.Hears}, {NeedFiles, t.Reads}, {NeedThinking, t.Reasoning}} {
		if x.know == yes {
			out = append(out, x.need)
		}
	}
	return out
}

// Name is provider/model.
func (t *Target) Name() string { return t.Provider.Name + "/" + t.Model }

// Plan says where a call may go, best first.
type Plan struct {
	Version   int64 // of the configuration it was made from
	Requested string
	Why       string // how an alias or a wish led here, "" for a plain name
	Targets   []Target
	Refused   []Refusal
	record    string // JSON, made once for all calls that share the plan
}

// Refusal is a candidate that was not taken, and why.
type Refusal struct {
	Target string `json:"target"`
	Reason string `json:"reason"`
}

// Record is what is kept of a plan with the call: names and rate versions.
type Record struct {
	Why     string         `json:"why,omitempty"`
	Targets []TargetRecord `json:"targets"`
	Refused []Refusal      `json:"refused,omitempty"`
	Hold    *HoldRecord    `json:"hold,omitempty"` // of this call alone
}

// TargetRecord is one target of a Record.
type TargetRecord struct {
	Target      string          `json:"target"`
	RateID      string          `json:"rate_id,omitempty"`
	RateVersion int64           `json:"rate_version,omitempty"`
	Prices      *pricing.Prices `json:"prices,omitempty"` // only when no stored rate has them
}

// Record returns the part of the plan that is stored.
func (p *Plan) Record() Record {
	r := Record{Why: p.Why, Refused: p.Refused, Targets: make([]TargetRecord, len(p.Targets))}
	for i := range p.Targets {
		t := &p.Targets[i]
		r.Targets[i] = TargetRecord{Target: t.Name(), RateID: t.RateID, RateVersion: t.RateVersion}
		if t.RateID == "" {
			r.Targets[i].Prices = t.Prices
		}
	}
	return r
}

// JSON returns the record as stored.
func (p *Plan) JSON() (string, error) {
	if p.record != "" {
		return p.record, nil
	}
	b, err := json.Marshal(p.Record())
	return string(b), err
}

// Because returns the plan with one more reason on record.
func (p Plan) Because(why string) Plan {
	p.Why, p.record = joined(p.Why, why), ""
	return p
}

// RateMetadata is what a rate row says of its model beside prices.
type RateMetadata struct {
	Context   int64    `json:"context,omitempty"`
	MaxOutput int64    `json:"max_output,omitempty"`
	Timeouts  Timeouts `json:"timeouts,omitzero"`
	// What people read, and what AIGNE's clients keep with a rate; the hub itself
	// does not act on them.
	Display     string          `json:"display,omitempty"`
	Description string          `json:"description,omitempty"`
	Client      json.RawMessage `json:"client,omitempty"` // modelMetadata as a client sent it
}
