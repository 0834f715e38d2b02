package reconcile

import (
	"slices"
	"strings"
	"unicode"
)

// plain is a model's name without what differs between a request, a bill and the
// way that people write it: dates and "latest" behind it, capitals, separators and
// the order of its words ("Claude Sonnet 3.5", claude-3-5-sonnet-20241022).
func plain(model string) string {
	if i := strings.LastIndexByte(model, '/'); i >= 0 {
		model = model[i+1:]
	}
	words := strings.FieldsFunc(strings.ToLower(model), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	kept := make([]string, 0, len(words))
	for i := 0; i < len(words); i++ {
		switch w := words[i]; {
		case w == "latest", len(w) == 8 && digits(w): // 20241022
		case len(w) == 4 && digits(w) && i+2 < len(words) && len(words[i+1]) == 2 && digits(words[i+1]) && len(words[i+2]) == 2 && digits(words[i+2]):
			i += 2 // 2024-08-06
		default:
			kept = append(kept, w)
		}
	}
	slices.Sort(kept)
	return strings.Join(kept, " ")
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// modelOf finds the hub's name of a billed model among those that were called:
// the same name, else the only one that is plainly the same. "" is none.
func modelOf(billed string, called []string) string {
	if slices.Contains(called, billed) {
		return billed
	}
	want, found := plain(billed), ""
	for _, m := range called {
		if plain(m) != want {
			continue
		}
		if found != "" {
			return "" // two of the hub's names may be meant
		}
		found = m
	}
	return found
}
