package provider

import (
	"maps"
	"slices"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

// PathSwap leads from a base URL to that of another dialect of the same vendor:
// the ending From of its path is replaced by To.
type PathSwap struct{ From, To string }

// BaseFor gives the URL that requests in a dialect go below, from the one that
// the operator configured. ok is false where no way leads there, as from a proxy
// whose paths are its own.
func (k Kind) BaseFor(name dialect.Name, base string) (url string, ok bool) {
	swap, moved := k.Paths[name]
	if !moved {
		return base, true
	}
	root, ok := strings.CutSuffix(base, swap.From)
	if !ok {
		return base, false
	}
	return root + swap.To, true
}

// WithQuery is a path below the base URL with the query that the kind wants there.
func (k Kind) WithQuery(path string) string {
	for beginning, query := range k.Queries {
		if !strings.HasPrefix(path, beginning) {
			continue
		}
		if strings.Contains(path, "?") {
			return path + "&" + query
		}
		return path + "?" + query
	}
	return path
}

// At is the kind without the dialects that cannot be reached from a base URL.
func (k Kind) At(base string) Kind {
	if len(k.Paths) == 0 {
		return k
	}
	lost := func(name dialect.Name) bool {
		_, ok := k.BaseFor(name, base)
		return !ok
	}
	k.Dialects = slices.DeleteFunc(slices.Clone(k.Dialects), lost)
	k.ModelDialects = slices.Clone(k.ModelDialects)
	for i, m := range k.ModelDialects {
		k.ModelDialects[i].Dialects = slices.DeleteFunc(slices.Clone(m.Dialects), lost)
	}
	k.Tasks = maps.Clone(k.Tasks)
	maps.DeleteFunc(k.Tasks, func(_ task.Kind, name dialect.Name) bool { return lost(name) })
	return k
}
