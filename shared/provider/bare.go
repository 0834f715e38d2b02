package provider

import (
	"regexp"
	"strings"
)

// ForBare returns the kinds that serve a model named without a provider, best
// rank first: those whose pattern matches the most of the name, so that gpt-oss
// does not count as OpenAI's gpt. A name with a slash is taken for OpenRouter's
// vendor/model; whether it begins with a kind of ours must be asked before.
func ForBare(model string) []Kind {
	if strings.Contains(model, "/") {
		return []Kind{openRouter()}
	}
	var found []Kind
	best := 0
	for _, k := range All() {
		n := k.match(model)
		if n > best {
			best, found = n, nil
		}
		if n == best && n > 0 {
			found = append(found, k)
		}
	}
	return found
}

// NameFor turns a bare model name into the kind's own. ok is false where no
// pattern of the kind matches. Names that are the kind's own already stay.
func (k Kind) NameFor(model string) (name string, ok bool) {
	if strings.Contains(model, "/") {
		return model, k.ID == OpenRouter
	}
	for _, p := range k.ModelPrefixes {
		if strings.HasPrefix(strings.ToLower(model), p.Prefix) {
			return model, true
		}
	}
	longest := k.match(model)
	if longest == 0 {
		return "", false
	}
	for _, p := range k.ModelPrefixes {
		if len(p.Pattern) != longest || !matches(p.Pattern, strings.ToLower(model)) {
			continue
		}
		if p.DotVersion {
			model = dashVersion.ReplaceAllString(model, "-$1.$2$3")
		}
		return p.Prefix + model, true
	}
	return model, true
}

// dashVersion is a version written with a dash, as Anthropic does: -4-5.
var dashVersion = regexp.MustCompile(`-(\d)-(\d)(-|$)`)

// match is the length of the longest of the kind's patterns that holds for a
// name, 0 for none.
func (k Kind) match(model string) int {
	lower := strings.ToLower(model)
	longest := 0
	for _, p := range k.BarePatterns {
		if len(p) > longest && matches(p, lower) {
			longest = len(p)
		}
	}
	return longest
}

// matches reports whether a lower-case name begins with a pattern. One that ends
// in "-" also holds for the bare word and for the word with a tag ("gpt-oss:20b").
func matches(pattern, lower string) bool {
	word, dashed := strings.CutSuffix(pattern, "-")
	rest, ok := strings.CutPrefix(lower, word)
	if !ok {
		return false
	}
	return !dashed || rest == "" || rest[0] == '-' || rest[0] == ':'
}
