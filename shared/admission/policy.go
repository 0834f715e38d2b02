package admission

import "github.com/aigne-hub/aigne-hub/shared/hub"

// The words of the policies.
const (
	reported  = "reported"
	delivered = "delivered"
	free      = "free"
)

// policies are the operator's rules under which a call was admitted. They are on
// record with it, and nothing else decides what it costs. An empty word, of calls
// admitted before there was one, is the rule that charges.
type policies struct {
	OnAbort   string `json:"on_abort,omitempty"`
	OnFailure string `json:"on_failure,omitempty"`
	OnEmpty   string `json:"on_empty,omitempty"`
}

// ReadsOn reports whether the provider of a client that left is read on, for its
// figures.
func (t *Ticket) ReadsOn() bool { return t.policies.OnAbort == reported || t.policies.OnAbort == "" }

// decide says which rule decides what an outcome costs, "" where none has to, and
// whether by it the call is free. Of an answer that never began there is nothing
// to decide.
func (p *policies) decide(o *Outcome) (rule hub.ChargePolicy, gratis bool) {
	if o.Usage.IsZero() {
		return "", false
	}
	insured := p.OnEmpty == free
	switch {
	case o.Status == hub.StatusAborted && p.OnAbort == free:
		return hub.FreeOnAbort, true
	case o.Status == hub.StatusAborted && (p.OnAbort == delivered || o.Cut):
		return hub.DeliveredOnAbort, false
	case o.Status == hub.StatusAborted:
		return hub.ReportedOnAbort, false
	case o.Status == hub.StatusFailed && p.OnFailure == free:
		return hub.FreeOnFailure, true
	case o.Status == hub.StatusFailed && insured:
		return hub.InsuredFailed, true
	case o.Status == hub.StatusFailed:
		return hub.DeliveredOnFailure, false
	case o.Empty && insured:
		return hub.InsuredEmpty, true
	case o.Ended != "":
		return o.Ended, false
	}
	return "", false
}
