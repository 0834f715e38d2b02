package pricing

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// A matcher is one clause of the catalogue's name patterns: exactly one of its
// fields is set. Names are compared without regard to case, except by regular
// expressions.
type matcher struct {
	Equals     *string   `json:"equals"`
	StartsWith *string   `json:"starts_with"`
	EndsWith   *string   `json:"ends_with"`
	Contains   *string   `json:"contains"`
	Regex      *string   `json:"regex"`
	Or         []matcher `json:"or"`
	And        []matcher `json:"and"`
	Not        *matcher  `json:"not"`

	expression *regexp.Regexp
}

// UnmarshalJSON reads a clause, prepares it and refuses one that says nothing or
// more than one thing.
func (m *matcher) UnmarshalJSON(data []byte) error {
	type plain matcher
	if err := json.Unmarshal(data, (*plain)(m)); err != nil {
		return err
	}
	set := 0
	for _, text := range []*string{m.Equals, m.StartsWith, m.EndsWith, m.Contains} {
		if text != nil {
			*text = strings.ToLower(*text)
			set++
		}
	}
	if m.Regex != nil {
		expression, err := regexp.Compile(*m.Regex)
		if err != nil {
			return fmt.Errorf("match: %w", err)
		}
		m.expression = expression
		set++
	}
	for _, given := range []bool{len(m.Or) > 0, len(m.And) > 0, m.Not != nil} {
		if given {
			set++
		}
	}
	if set != 1 {
		return fmt.Errorf("match: %d clauses where one belongs: %.100s", set, data)
	}
	return nil
}

// matches reports whether the clause holds for a name; lower is that name in
// lower case.
func (m *matcher) matches(name, lower string) bool {
	switch {
	case m.Equals != nil:
		return lower == *m.Equals
	case m.StartsWith != nil:
		return strings.HasPrefix(lower, *m.StartsWith)
	case m.EndsWith != nil:
		return strings.HasSuffix(lower, *m.EndsWith)
	case m.Contains != nil:
		return strings.Contains(lower, *m.Contains)
	case m.expression != nil:
		return m.expression.MatchString(name)
	case m.Not != nil:
		return !m.Not.matches(name, lower)
	case len(m.And) > 0:
		for i := range m.And {
			if !m.And[i].matches(name, lower) {
				return false
			}
		}
		return true
	}
	for i := range m.Or {
		if m.Or[i].matches(name, lower) {
			return true
		}
	}
	return false
}

// means reports whether the clause means this very name: it spells it out, or
// spells out its beginning and only a date or version is left.
func (m *matcher) means(lower string) bool {
	if m.Equals != nil {
		return lower == *m.Equals
	}
	if m.StartsWith != nil {
		rest, ok := strings.CutPrefix(lower, *m.StartsWith)
		return ok && versionSuffix.MatchString(rest)
	}
	for i := range m.Or {
		if m.Or[i].means(lower) {
			return true
		}
	}
	return false
}

// versionSuffix is what vendors append to a model's name for one release of it,
// Amazon Bedrock's "-v1:0" included.
var versionSuffix = regexp.MustCompile(`^(?:-20\d{6}|-20\d\d-\d\d-\d\d)?(?:-v\d+)?(?::\d+)?$`)

// spelled appends the names that the clause spells out, and tells whether it
// holds for no others.
func (m *matcher) spelled(names []string) (_ []string, all bool) {
	if m.Equals != nil {
		return append(names, *m.Equals), true
	}
	all = len(m.Or) > 0
	for i := range m.Or {
		var one bool
		names, one = m.Or[i].spelled(names)
		all = all && one
	}
	return names, all
}
