package generate

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
)

// schema is a JSON Schema of draft 2020-12, the dialect of OpenAPI 3.1.
type schema map[string]any

// direction is where a type stands: what a body must have and what an answer
// always has are different things.
type direction int

const (
	request direction = iota
	response
)

// decimal is how money and rates are written, never as JSON numbers.
const decimal = `^-?[0-9]+(\.[0-9]+)?$`

var known = map[reflect.Type]schema{
	reflect.TypeFor[time.Time]():       {"type": "string", "format": "date-time"},
	reflect.TypeFor[money.Credits]():   {"type": "string", "pattern": decimal, "description": "a decimal"},
	reflect.TypeFor[money.Rate]():      {"type": "string", "pattern": decimal, "description": "a decimal per unit"},
	reflect.TypeFor[money.Sum]():       {"type": "string", "pattern": decimal, "description": "a decimal"},
	reflect.TypeFor[hub.Secret]():      {"type": "string", "format": "password"},
	reflect.TypeFor[json.RawMessage](): {},
	reflect.TypeFor[json.Number]():     {"type": "number"},
	reflect.TypeFor[hub.Role]():        words(hub.RoleOwner, hub.RoleAdmin, hub.RoleMember, hub.RoleGuest),
	reflect.TypeFor[hub.CallType]():    words(hub.CallTypes()...),
	reflect.TypeFor[hub.Scope]():       words(hub.ScopeInference, hub.ScopeUsage, hub.ScopeBilling, hub.ScopeAdmin),
	reflect.TypeFor[hub.CallStatus]():  words(hub.StatusProcessing, hub.StatusSuccess, hub.StatusFailed, hub.StatusAborted, hub.StatusInterrupted),
	reflect.TypeFor[hub.UsageSource](): words("", hub.UsageReported, hub.UsageEstimated, hub.UsageReconciled, hub.UsageImported),
}

func words[T ~string](values ...T) schema {
	list := make([]any, len(values))
	for i, v := range values {
		list[i] = string(v)
	}
	return schema{"type": "string", "enum": list}
}

// schemas makes schemas of values and collects those of named types.
type schemas struct {
	named map[string]any
	types map[string]reflect.Type // by name and direction, which one it is
}

// of is the schema of a value as httpkit.Doc understands it.
func (s *schemas) of(v any, d direction) schema {
	switch v := v.(type) {
	case httpkit.Object:
		out := schema{"type": "object"}
		properties, required := schema{}, []string{}
		for name, part := range v {
			required = append(required, name)
			properties[name] = s.of(part, d)
		}
		slices.Sort(required)
		out["properties"], out["required"] = properties, required
		return out
	case httpkit.OneOf:
		forms := make([]schema, len(v))
		for i, form := range v {
			forms[i] = s.of(form, d)
		}
		return schema{"anyOf": forms}
	}
	return s.typed(reflect.TypeOf(v), d)
}

func nullable(of schema) schema {
	if kind, ok := of["type"].(string); ok && of["enum"] == nil {
		out := schema{}
		for k, v := range of {
			out[k] = v
		}
		out["type"] = []string{kind, "null"}
		return out
	}
	if len(of) == 0 {
		return of
	}
	return schema{"anyOf": []schema{of, {"type": "null"}}}
}

var (
	text      = reflect.TypeFor[encoding.TextMarshaler]()
	marshaler = reflect.TypeFor[json.Marshaler]()
	readsJSON = reflect.TypeFor[json.Unmarshaler]()
)

func (s *schemas) typed(t reflect.Type, d direction) schema {
	if t == nil {
		return schema{}
	}
	if k, ok := known[t]; ok {
		return k
	}
	switch {
	case t.Kind() == reflect.Pointer:
		return nullable(s.typed(t.Elem(), d))
	case t.Implements(text):
		return schema{"type": "string"}
	case t.Implements(marshaler), d == request && reflect.PointerTo(t).Implements(readsJSON):
		return schema{} // it has a form of its own
	}
	switch t.Kind() {
	case reflect.Bool:
		return schema{"type": "boolean"}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return schema{"type": "integer"}
	case reflect.Float32, reflect.Float64:
		return schema{"type": "number"}
	case reflect.String:
		return schema{"type": "string"}
	case reflect.Slice, reflect.Array:
		return schema{"type": "array", "items": s.typed(t.Elem(), d)}
	case reflect.Map:
		return schema{"type": "object", "additionalProperties": s.typed(t.Elem(), d)}
	case reflect.Struct:
		return s.structure(t, d)
	}
	return schema{}
}

// structure is the schema of a struct: a reference where the type has a name.
func (s *schemas) structure(t reflect.Type, d direction) schema {
	name := nameOf(t)
	if name == "" {
		return s.object(t, d)
	}
	if d == request {
		name += "Input"
	}
	for n := 2; s.types[name] != nil && s.types[name] != t; n++ {
		name = strings.TrimRight(name, "0123456789") + strconv.Itoa(n)
	}
	if s.types[name] == nil {
		s.types[name] = t // first, so that a type may hold itself
		s.named[name] = s.object(t, d)
	}
	return schema{"$ref": "#/components/schemas/" + name}
}

// nameOf is a type's name with its package's before it, "" for what has none or is
// made of other types.
func nameOf(t reflect.Type) string {
	if t.Name() == "" || strings.Contains(t.Name(), "[") {
		return ""
	}
	path := t.PkgPath()
	return upper(path[strings.LastIndex(path, "/")+1:]) + upper(t.Name())
}

func upper(s string) string { return string(unicode.ToUpper(rune(s[0]))) + s[1:] }

func (s *schemas) object(t reflect.Type, d direction) schema {
	properties, required := schema{}, []string{}
	s.fields(t, d, false, properties, &required)
	out := schema{"type": "object", "properties": properties}
	if len(required) > 0 {
		slices.Sort(required)
		out["required"] = required
	}
	if d == request {
		out["additionalProperties"] = false // httpkit.Decode refuses what it does not know
	}
	return out
}

// fields adds a struct's fields, those of embedded ones among them. Those of an
// embedded pointer may be missing all together.
func (s *schemas) fields(t reflect.Type, d direction, may bool, properties schema, required *[]string) {
	for i := range t.NumField() {
		f := t.Field(i)
		tag := f.Tag.Get("json")
		name, options, _ := strings.Cut(tag, ",")
		if f.Anonymous && name == "" {
			inner, pointer := f.Type, f.Type.Kind() == reflect.Pointer
			if pointer {
				inner = inner.Elem()
			}
			s.fields(inner, d, may || pointer, properties, required)
			continue
		}
		if tag == "-" || !f.IsExported() {
			continue
		}
		if name == "" {
			name = f.Name
		}
		of, must := s.ruled(s.typed(f.Type, d), f, d)
		if f.Tag.Get("openapi") == "null" { // a map or list that the program leaves nil on purpose
			of = nullable(of)
		}
		if d == response {
			must = !may && !strings.Contains(options, "omitempty") && !strings.Contains(options, "omitzero")
		}
		if must {
			*required = append(*required, name)
		}
		properties[name] = of
	}
}

// ruled adds what the validate tag of a field asks for.
func (s *schemas) ruled(of schema, f reflect.StructField, d direction) (ruled schema, required bool) {
	rules := f.Tag.Get("validate")
	if d != request || rules == "" {
		return of, false
	}
	kind := f.Type.Kind()
	if kind == reflect.Pointer {
		kind = f.Type.Elem().Kind()
		if slices.Contains(strings.Split(rules, ","), "required") { // null is not taken
			of = s.typed(f.Type.Elem(), d)
		}
	}
	out := schema{}
	for k, v := range of {
		out[k] = v
	}
	for rule := range strings.SplitSeq(rules, ",") {
		name, value, _ := strings.Cut(rule, "=")
		switch name {
		case "dive":
			return out, required
		case "required":
			required = true
			if kind == reflect.String && out["minLength"] == nil && out["enum"] == nil && out["$ref"] == nil {
				out["minLength"] = 1
			}
		case "min", "gte":
			out[lower[sizeOf(kind)]] = number(value)
		case "max", "lte":
			out[higher[sizeOf(kind)]] = number(value)
		case "oneof":
			out = words(strings.Fields(value)...)
		case "email":
			out["format"] = "email"
		case "url", "http_url":
			out["format"] = "uri"
		case "omitempty", "omitnil":
		default:
			panic(fmt.Sprintf("openapi: no words for the rule %q of %s", rule, f.Name))
		}
	}
	return out, required
}

var (
	lower  = map[string]string{"string": "minLength", "list": "minItems", "map": "minProperties", "number": "minimum"}
	higher = map[string]string{"string": "maxLength", "list": "maxItems", "map": "maxProperties", "number": "maximum"}
)

func sizeOf(k reflect.Kind) string {
	switch k {
	case reflect.String:
		return "string"
	case reflect.Slice, reflect.Array:
		return "list"
	case reflect.Map:
		return "map"
	}
	return "number"
}

func number(text string) any {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		panic(fmt.Sprintf("openapi: %q is no whole number", text))
	}
	return n
}
