package boot

import (
	"encoding/json"
	"errors"
	"fmt"
)

// form is what a setting takes, as far as JSON Schema can say it.
type form struct {
	enum        []string
	boolean     bool // true and false as well
	pattern     string
	integer     bool
	least, most int64 // of an integer
	number      bool  // a plain number as well
}

// refusal is why a parser did not take a value, with what it takes.
type refusal struct {
	text string
	form form
}

func (r *refusal) Error() string { return r.text }

func refuse(f form, format string, args ...any) error {
	return &refusal{fmt.Sprintf(format, args...), f}
}

// durationPattern is what time.ParseDuration reads, without signs.
const durationPattern = `^([0-9]+(\.[0-9]*)?(ns|us|µs|ms|s|m|h))+$|^0$`

// form asks the setting's parser: it says what it takes when it refuses. Those that
// say nothing take text.
func (s Setting) form() form {
	const nonsense = "\x00"
	var r *refusal
	if errors.As(s.parse(new(Config), nonsense), &r) {
		return r.form
	}
	return form{}
}

// schema is the form as JSON Schema.
func (f form) schema() map[string]any {
	switch {
	case f.boolean:
		return map[string]any{"enum": []any{f.enum[0], f.enum[1], true, false}}
	case len(f.enum) > 0:
		return map[string]any{"enum": f.enum}
	case f.integer:
		return map[string]any{"type": "integer", "minimum": f.least, "maximum": f.most}
	case f.number && f.pattern != "":
		return map[string]any{"type": []string{"string", "number"}, "pattern": f.pattern}
	case f.pattern != "":
		return map[string]any{"type": "string", "pattern": f.pattern}
	}
	return map[string]any{"type": []string{"string", "number", "boolean"}}
}

// Schema is the JSON Schema (draft 2020-12) of configuration files, for editors.
func Schema() ([]byte, error) {
	properties := map[string]any{}
	for _, s := range Settings() {
		if s.Name == settingConfig {
			continue
		}
		p := s.form().schema()
		switch s.List {
		case "":
		case asJSON:
			p = map[string]any{"type": []string{"string", "array"}}
		default:
			p = map[string]any{"type": []string{"string", "number", "boolean", "array"}, "items": map[string]any{"type": []string{"string", "number", "boolean"}}}
		}
		p["description"] = s.Doc
		if s.Default != "" && s.derive == nil {
			p["default"] = s.Default
		}
		if s.Flag == "" {
			p["writeOnly"] = true // a secret
		}
		properties[s.Key()] = p
	}
	return json.MarshalIndent(map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Settings of AIGNE Hub",
		"type": "object", "additionalProperties": false, "properties": properties,
	}, "", "  ")
}
