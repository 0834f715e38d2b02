package operator

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Dependants are what uses a rate.
type Dependants struct {
	// Aliases lead to the model. Without the rate they lose that target, or it is
	// sold at the catalogue's price.
	Aliases []string `json:"aliases"`
	// OpenCalls were admitted with it, at most 1000 are counted. They are charged as
	// they were admitted, whatever becomes of the rate.
	OpenCalls int64 `json:"open_calls"`
}

// RateDependants finds what uses a rate.
func (d *Desk) RateDependants(ctx context.Context, row store.Rate) (Dependants, error) {
	deps := Dependants{Aliases: []string{}}
	all, err := d.Store.Rates(ctx)
	if err != nil {
		return deps, err
	}
	stored, err := d.Store.Aliases(ctx)
	if err != nil {
		return deps, err
	}
	aliases := make([]routing.Alias, 0, len(stored))
	for _, row := range stored {
		a, err := ReadAlias(row)
		if err != nil {
			return deps, err
		}
		aliases = append(aliases, *a)
	}
	deps.Aliases = AliasesTo(row, all, aliases)
	deps.OpenCalls, err = d.Store.OpenCallsWith(ctx, row.ID)
	return deps, err
}

// AliasesTo lists the rules of aliases that lead to a rate's model. rates are all
// that there are, with the rate or without it.
func AliasesTo(row store.Rate, rates []store.Rate, aliases []routing.Alias) []string {
	out := []string{}
	elsewhere := slices.ContainsFunc(rates, func(r store.Rate) bool {
		return r.Model == row.Model && r.Type == row.Type && r.Provider != row.Provider && !r.Retired
	})
	for _, a := range aliases {
		for i, rule := range a.Rules {
			if leads(rule, row, elsewhere) {
				out = append(out, fmt.Sprintf("%s, rule %d", a.Name, i+1))
			}
		}
	}
	return out
}

// leads reports whether a rule sends calls to a rate's model: by its full name, or
// by the bare one where no other provider has a rate for it.
func leads(rule routing.Rule, row store.Rate, elsewhere bool) bool {
	for _, step := range rule.Steps {
		for _, t := range step.Targets {
			if strings.EqualFold(t.Model, row.Provider+"/"+row.Model) || (!elsewhere && strings.EqualFold(t.Model, row.Model)) {
				return true
			}
		}
	}
	return false
}
