package routing

import (
	"sort"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// unknown is the error for a name nobody serves, with names that are close.
func (n *Snapshot) unknown(model string, r *Request) error {
	e := hub.Errorf(hub.CodeModelNotFound, "The model %s is not known here.", model)
	e.Param = "model"
	if near := n.near(model, r); len(near) > 0 {
		e.Message += " Did you mean " + strings.Join(near, ", ") + "?"
	}
	e.Message += " GET /v1/models lists what can be called."
	return e
}

func (n *Snapshot) near(model string, r *Request) []string {
	const most = 3
	type scored struct {
		name string
		d    int
	}
	bare := strings.ToLower(model[strings.LastIndexByte(model, '/')+1:])
	var near []scored
	for k := range n.rates {
		p := n.byName[strings.ToLower(k.provider)]
		if k.kind != r.Type || p == nil || !r.Allow.Target(&Target{Provider: p, Model: k.model}) {
			continue
		}
		name := strings.ToLower(k.model[strings.LastIndexByte(k.model, '/')+1:])
		if d := distance(bare, name); d <= 2+len(bare)/4 || (len(bare) > 2 && strings.Contains(name, bare)) {
			near = append(near, scored{k.provider + "/" + k.model, d})
		}
	}
	for _, a := range n.aliases {
		if d := distance(bare, strings.ToLower(a.Name)); d <= 2+len(bare)/4 && n.serves(a, r.Allow, r.Type) {
			near = append(near, scored{a.Name, d})
		}
	}
	sort.Slice(near, func(i, j int) bool {
		return near[i].d < near[j].d || (near[i].d == near[j].d && near[i].name < near[j].name)
	})
	var out []string
	for _, s := range near[:min(most, len(near))] {
		out = append(out, s.name)
	}
	return out
}

// distance is the Levenshtein distance of two short names.
func distance(a, b string) int {
	const longest = 64
	if len(a) > longest || len(b) > longest {
		return len(a) + len(b) // far, whatever they are
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diag := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			diag, row[j] = row[j], min(row[j]+1, row[j-1]+1, diag+cost)
		}
	}
	return row[len(b)]
}
