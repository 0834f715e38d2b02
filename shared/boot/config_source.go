package boot

import (
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

// Effective is a setting as it is in force.
type Effective struct {
	Setting
	Value  string // "" when unset, and for what is Hidden
	Hidden bool   // it holds a secret, or may
	From   string // flag, environment, Blocklet preference, file:line or default
}

// Given reports whether somebody set it.
func (e Effective) Given() bool { return e.From != fromDefault }

// Explain is every setting with where its value comes from. It shows no secret, and
// has the faults that Load has.
func Explain(env func(string) (string, bool), environ []string, overrides map[string]string) ([]Effective, error) {
	if _, err := Load(env, environ, overrides); err != nil {
		return nil, err
	}
	settings := Settings()
	src, _ := newSources(env, settings, overrides) // Load found no fault in them
	out := make([]Effective, 0, len(settings))
	for _, s := range settings {
		e := Effective{Setting: s}
		e.Value, e.From = src.value(s)
		// What holds a secret has no flag.
		if s.Flag == "" && e.Value != "" {
			e.Value, e.Hidden = "", true
		}
		out = append(out, e)
	}
	return out, nil
}
