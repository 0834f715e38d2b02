package routing

import (
	"slices"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// Allow lists the models that a caller may use; nil allows all. A pattern is the
// name of a model or an alias, in which * stands for any number of characters and
// upper and lower case are the same: openai/*, claude-*, fast. One without a slash
// is compared with names of aliases and with names of models without their
// provider, one with a slash with provider/model too. A model that is not allowed
// is to its caller as if it were not there.
type Allow []string

// The bounds of a list.
const (
	maxAllowed = 100
	maxPattern = 200
)

// Check reports what makes a list unusable; the error's Param is models.
func (a Allow) Check() error {
	if len(a) > maxAllowed {
		return hub.Invalid("models", "At most %d patterns of models can be listed.", maxAllowed)
	}
	for i, p := range a {
		switch {
		case p == "" || len(p) > maxPattern || strings.ContainsAny(p, "\r\n\t "):
			return hub.Invalid("models", "%.60q is no pattern of models: 1 to %d characters without blanks, such as openai/* or fast.", p, maxPattern)
		case slices.Contains(a[:i], p):
			return hub.Invalid("models", "The pattern %s is listed twice.", p)
		}
	}
	return nil
}

// Named reports whether the name of an alias is allowed as such: then all that the
// operator put behind it is.
func (a Allow) Named(alias string) bool {
	return a == nil || slices.ContainsFunc(a, func(p string) bool { return matches(p, alias) })
}

// Target reports whether a provider's model is allowed.
func (a Allow) Target(t *Target) bool {
	if a == nil {
		return true
	}
	name := strings.TrimSpace(t.Model)
	last := name[strings.LastIndexByte(name, '/')+1:]
	full := t.Provider.Name + "/" + name
	return slices.ContainsFunc(a, func(p string) bool {
		if strings.Contains(p, "/") {
			return matches(p, full) || matches(p, name)
		}
		return matches(p, name) || matches(p, last)
	})
}

// key makes equal lists equal keys of plans that were made before.
func (a Allow) key() string {
	if a == nil {
		return ""
	}
	return "\n" + strings.Join(a, "\n")
}

// matches reports whether a name fits a pattern. It takes time in proportion to
// the product of their lengths at most.
func matches(pattern, name string) bool {
	pattern, name = strings.ToLower(pattern), strings.ToLower(name)
	p, n, star, mark := 0, 0, -1, 0
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, n
			p++
		case p < len(pattern) && pattern[p] == name[n]:
			p++
			n++
		case star >= 0:
			mark++
			p, n = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
