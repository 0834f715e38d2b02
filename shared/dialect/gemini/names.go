package gemini

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// fields are the members of a message by their camelCase names. The API takes
// each name in camelCase and in snake_case, as protobuf's JSON mapping has it;
// both at once would leave open which one counts, so that is refused.
type fields struct {
	path   string
	names  []string // as they came, in order
	values map[string]field
}

type field struct {
	name string // as the caller spelled it
	raw  json.RawMessage
}

// readFields reads an object; path names it in errors, "" for the body.
func readFields(path string, raw json.RawMessage) (fields, error) {
	o, err := wire.Parse(raw)
	if err != nil {
		return fields{}, hub.Invalid(path, "%s must be an object: %v.", orBody(path), err)
	}
	return fieldsOf(path, o)
}

func fieldsOf(path string, o *wire.Object) (fields, error) {
	f := fields{path: path, values: make(map[string]field, 8)}
	for _, name := range o.Keys() {
		if !o.Has(name) {
			continue // null says nothing
		}
		raw, _ := o.Get(name)
		key := camelName(name)
		if other, twice := f.values[key]; twice {
			return f, hub.Invalid(f.at(name), "%s and %s are the same field; send one of them.", f.at(other.name), f.at(name))
		}
		f.names = append(f.names, key)
		f.values[key] = field{name, raw}
	}
	return f, nil
}

func orBody(path string) string {
	if path == "" {
		return "The body"
	}
	return path
}

// at is the path of a member.
func (f fields) at(name string) string {
	if f.path == "" {
		return name
	}
	return f.path + "." + name
}

// where is the path of a member as the caller spelled it.
func (f fields) where(key string) string {
	if v, ok := f.values[key]; ok {
		return f.at(v.name)
	}
	return f.at(key)
}

func (f fields) has(key string) bool { _, ok := f.values[key]; return ok }

func (f fields) raw(key string) json.RawMessage { return f.values[key].raw }

// object reads a member that is an object; without it there is nothing in it.
func (f fields) object(key string) (fields, error) {
	if !f.has(key) {
		return fields{path: f.at(key)}, nil
	}
	return readFields(f.where(key), f.raw(key))
}

// list reads a member that is an array. A single value stands for an array of
// one, as the API has it.
func (f fields) list(key string) ([]json.RawMessage, error) {
	raw := f.raw(key)
	if len(raw) == 0 {
		return nil, nil
	}
	if raw[0] != '[' {
		return []json.RawMessage{raw}, nil
	}
	var all []json.RawMessage
	return all, f.read(key, &all, "an array")
}

// read decodes a member into v; without it v keeps its value.
func (f fields) read(key string, v any, what string) error {
	if !f.has(key) {
		return nil
	}
	if json.Unmarshal(f.raw(key), v) != nil {
		return hub.Invalid(f.where(key), "%s must be %s.", f.where(key), what)
	}
	return nil
}

func (f fields) text(key string) (s string, err error) {
	return s, f.read(key, &s, "a string")
}

// integer reads a whole number. Protobuf's JSON mapping also takes it as a
// string and with a fraction of zero.
func (f fields) integer(key string) (*int64, error) {
	if !f.has(key) {
		return nil, nil
	}
	text := strings.Trim(string(f.raw(key)), `"`)
	var n int64
	if json.Unmarshal([]byte(text), &n) == nil {
		return &n, nil
	}
	var x float64
	const exact = 1 << 53
	if json.Unmarshal([]byte(text), &x) == nil && x == float64(int64(x)) && x > -exact && x < exact {
		return new(int64(x)), nil
	}
	return nil, hub.Invalid(f.where(key), "%s must be a whole number.", f.where(key))
}

func (f fields) number(key string) (*float64, error) {
	if !f.has(key) {
		return nil, nil
	}
	var x float64
	if json.Unmarshal([]byte(strings.Trim(string(f.raw(key)), `"`)), &x) != nil {
		return nil, hub.Invalid(f.where(key), "%s must be a number.", f.where(key))
	}
	return &x, nil
}

func (f fields) truth(key string) (b bool, err error) {
	return b, f.read(key, &b, "true or false")
}

// camelName turns a snake_case name into camelCase and drops the underscore
// that marks _responseJsonSchema as new.
func camelName(name string) string {
	name = strings.TrimPrefix(name, "_")
	if !strings.Contains(name, "_") {
		return name
	}
	var b strings.Builder
	for i, piece := range strings.Split(name, "_") {
		if i > 0 && piece != "" {
			piece = strings.ToUpper(piece[:1]) + piece[1:]
		}
		b.WriteString(piece)
	}
	return b.String()
}

func element(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }
