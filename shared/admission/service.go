package admission

import "github.com/aigne-hub/aigne-hub/shared/hub"

// priced refuses a tier of service that costs more than the usual one and has no
// price at a target: it would be sold for less than it costs.
func (g *Gate) priced(r *Request) error {
	if !g.Settings.Billing || r.Replay != nil {
		return nil
	}
	for i := range r.Plan.Targets {
		t := &r.Plan.Targets[i]
		if t.Prices != nil && !t.Prices.Serves(r.Variant.Quality, t.Cost) {
			return hub.Invalid("service_tier", "%s has no price for the service tier %s. The operator sets one with `aigne-hub rate set --price input:%s=P --price output:%s=P`.",
				t.Name(), r.Variant.Quality, r.Variant.Quality, r.Variant.Quality)
		}
	}
	return nil
}
