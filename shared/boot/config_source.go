package boot

import (
	"net/url"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// sources are the places where settings are given: flags win over the environment,
// the environment over the preferences of a Blocklet, these over the file.
type sources struct {
	env       Env
	overrides map[string]string // of flags, by the variables' names
	inside    bool              // of a Blocklet Server, which hands preferences over
	file      configFile
}

func newSources(env Env, settings []Setting, overrides map[string]string) (sources, []error) {
	s := sources{env: env, overrides: overrides, inside: env.get("BLOCKLET_COMPONENT_DID") != ""}
	path, given := overrides[settingConfig]
	if !given {
		path = env.get(settingConfig)
	}
	if path = strings.TrimSpace(path); path == "" {
		return s, nil
	}
	var faults []error
	s.file, faults = readConfigFile(path, settings)
	return s, faults
}

// Where a value comes from.
const (
	fromFlag       = "flag"
	fromEnv        = "environment"
	fromPreference = "Blocklet preference"
	fromDefault    = "default"
)

// given is the value that somebody gave a setting, and where; "" for none. A flag
// that is given without a value takes the others' away.
func (s sources) given(set Setting) (value, from string) {
	if v, ok := s.overrides[set.Name]; ok {
		return strings.TrimSpace(v), fromFlag
	}
	if v := s.env.get(set.Name); v != "" {
		return v, fromEnv
	}
	if s.inside {
		if v := s.env.get("prefs." + set.Key()); v != "" {
			return v, fromPreference
		}
	}
	if v := s.file.values[set.Name]; v.text != "" {
		return v.text, s.file.at(v.line)
	}
	return "", ""
}

// has reports whether somebody gave the setting of that variable a value.
func (s sources) has(name string) bool {
	v, _ := s.given(Setting{Name: name})
	return v != ""
}

// value is given, or else what the setting is without anybody's word.
func (s sources) value(set Setting) (value, from string) {
	if value, from = s.given(set); value == "" {
		value, from = set.fallback(s.env), fromDefault
	}
	return value, from
}

// fault says what is wrong with a value, in the words of whoever gave it.
func (s sources) fault(set Setting, from string, err error) error {
	if v, ok := s.file.values[set.Name]; ok && from == s.file.at(v.line) {
		return hub.Invalid(set.Key(), "%s: %s %v", from, set.Key(), err)
	}
	if from == fromPreference {
		return hub.Invalid(set.Key(), "the preference %s %v", set.Key(), err)
	}
	return hub.Invalid(set.Name, "%s %v", set.Name, err)
}

// Effective is a setting as it is in force, as those who administer the hub may
// see it.
type Effective struct {
	Setting
	Value  string // "" when unset, and for what is Secret; of a URL without user, query and fragment
	Secret bool   // its value is shown to nobody
	From   string // flag, environment, Blocklet preference, file:line or default
	IsSet  bool   // it has a value, which may be its default
}

// Given reports whether somebody set it.
func (e Effective) Given() bool { return e.From != fromDefault }

// effective is what may be shown of a setting. What holds a secret has no flag.
func effective(s Setting, value, from string) Effective {
	e := Effective{Setting: s, Secret: s.Flag == "", From: from, IsSet: value != ""}
	if !e.Secret {
		e.Value = withoutUser(value)
	}
	return e
}

// withoutUser takes user, query and fragment out of a URL, where tokens stand;
// other texts stay.
func withoutUser(v string) string {
	if !strings.Contains(v, "://") {
		return v
	}
	u, err := url.Parse(v)
	if err != nil {
		return ""
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}
