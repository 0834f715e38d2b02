package gemini

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// maxSchemaDepth bounds schemas: real ones nest a few levels.
const maxSchemaDepth = 64

// jsonSchema translates the API's Schema message, a part of OpenAPI 3.0
// (ai.google.dev/api/caching, Schema), into JSON Schema: upper-case types become
// lower-case, nullable becomes a second type, counts written as strings become
// numbers, and propertyOrdering becomes the order of the properties. What is
// JSON Schema already passes.
func jsonSchema(path string, raw json.RawMessage, depth int) (json.RawMessage, error) {
	if len(raw) > 0 && (raw[0] == 't' || raw[0] == 'f') {
		return raw, nil // true and false are schemas too
	}
	if depth > maxSchemaDepth {
		return nil, hub.Invalid(path, "%s is nested too deeply.", path)
	}
	f, err := readFields(path, raw)
	if err != nil {
		return nil, err
	}
	out := schemaOut{nullable: string(f.raw("nullable")) == "true"}
	for _, name := range f.names {
		if err := out.member(f, name, depth); err != nil {
			return nil, err
		}
	}
	return append(out.Bytes(), closing(out.Len())...), nil
}

func closing(n int) string {
	if n == 0 {
		return "{}"
	}
	return "}"
}

type schemaOut struct {
	bytes.Buffer
	nullable bool
}

func (s *schemaOut) set(name string, value []byte) {
	if s.Len() == 0 {
		s.WriteByte('{')
	} else {
		s.WriteByte(',')
	}
	s.Write(quoted(name))
	s.WriteByte(':')
	s.Write(value)
}

// quoted is a string as JSON, signs of HTML as they are.
func quoted(s string) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string always has a JSON form
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// widths are formats that name the width of a number or repeat that there is an
// enum; JSON Schema has no such formats.
var widths = map[string]bool{`"int32"`: true, `"int64"`: true, `"float"`: true, `"double"`: true, `"enum"`: true}

func (s *schemaOut) member(f fields, name string, depth int) error {
	raw := f.raw(name)
	switch name {
	case "nullable", "propertyOrdering":
		return nil
	case "type":
		s.kind(raw)
		return nil
	case "format":
		if !widths[strings.ToLower(string(raw))] {
			s.set(name, raw)
		}
		return nil
	case "enum":
		if s.nullable && bytes.HasSuffix(raw, []byte("]")) {
			raw = append(bytes.TrimSuffix(bytes.Clone(raw), []byte("]")), `,null]`...)
			raw = bytes.Replace(raw, []byte("[,"), []byte("["), 1)
		}
		s.set(name, raw)
		return nil
	case "example":
		s.set("examples", append(append([]byte("["), raw...), ']'))
		return nil
	case "minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties":
		n, err := f.integer(name)
		if err != nil {
			return err
		}
		s.set(name, strconv.AppendInt(nil, *n, 10))
		return nil
	case "items", "not", "additionalProperties":
		return s.one(f, name, depth)
	case "anyOf", "oneOf", "allOf", "prefixItems":
		return s.several(f, name, depth)
	case "properties", "$defs", "definitions":
		return s.named(f, name, depth)
	}
	s.set(f.values[name].name, raw)
	return nil
}

// kind writes a type. TYPE_UNSPECIFIED says nothing.
func (s *schemaOut) kind(raw json.RawMessage) {
	var word string
	if json.Unmarshal(raw, &word) != nil {
		s.set("type", raw) // a list of types is JSON Schema's own
		return
	}
	word = strings.ToLower(word)
	switch {
	case word == "type_unspecified":
	case s.nullable && word != "null":
		s.set("type", append(append([]byte("["), quoted(word)...), `,"null"]`...))
	default:
		s.set("type", quoted(word))
	}
}

func (s *schemaOut) one(f fields, name string, depth int) error {
	sub, err := jsonSchema(f.where(name), f.raw(name), depth+1)
	if err != nil {
		return err
	}
	s.set(name, sub)
	return nil
}

func (s *schemaOut) several(f fields, name string, depth int) error {
	all, err := f.list(name)
	if err != nil {
		return err
	}
	list := []byte("[")
	for i, raw := range all {
		sub, err := jsonSchema(element(f.where(name), i), raw, depth+1)
		if err != nil {
			return err
		}
		if i > 0 {
			list = append(list, ',')
		}
		list = append(list, sub...)
	}
	if s.nullable && name == "anyOf" && !f.has("type") {
		list = append(append(list, ','), `{"type":"null"}`...)
	}
	s.set(name, append(list, ']'))
	return nil
}

// named translates schemas under the caller's own names, which stay as they are.
func (s *schemaOut) named(f fields, member string, depth int) error {
	o, err := parse(f.where(member), f.raw(member))
	if err != nil {
		return err
	}
	var order []string
	if member == "properties" {
		if err := f.read("propertyOrdering", &order, "an array of strings"); err != nil {
			return err
		}
	}
	for _, name := range o.Keys() {
		if !slices.Contains(order, name) {
			order = append(order, name)
		}
	}
	out := []byte("{")
	for _, name := range order {
		raw, ok := o.Get(name)
		if !ok || string(raw) == "null" {
			continue
		}
		sub, err := jsonSchema(f.where(member)+"."+name, raw, depth+1)
		if err != nil {
			return err
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(append(out, quoted(name)...), ':'), sub...)
	}
	s.set(member, append(out, '}'))
	return nil
}
