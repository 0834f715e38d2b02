package aigne

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// reader reads one request. It keeps the first fault; what is read after it
// means nothing.
type reader struct {
	snake bool // members may also be spelled in snake_case
	fault error
}

func (r *reader) fail(param, format string, args ...any) {
	if r.fault == nil {
		r.fault = hub.Invalid(param, "%s.", strings.TrimSuffix(strings.TrimSpace(param+" "+fmt.Sprintf(format, args...)), "."))
	}
}

// fields is one JSON object of a request, its members named in camelCase. null
// means absent everywhere.
type fields struct {
	r    *reader
	obj  *wire.Object
	path string // "" for the body itself
	seen map[string]bool
}

// parse reads an object; after a fault it is an empty one.
func (r *reader) parse(path string, raw []byte) *fields {
	o, err := wire.Parse(raw)
	if err != nil {
		var syntax *wire.SyntaxError
		switch {
		case errors.As(err, &syntax) && syntax.Key != "":
			r.fail(join(path, syntax.Key), "appears twice")
		case path == "":
			r.fail("", "The body must be a JSON object: %v", err)
		default:
			r.fail(path, "must be an object: %v", err)
		}
		o, _ = wire.Parse([]byte("{}"))
	}
	return &fields{r: r, obj: o, path: path, seen: map[string]bool{}}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func item(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// snakeCase spells topP as top_p.
func snakeCase(camel string) string {
	var b strings.Builder
	for _, c := range camel {
		if unicode.IsUpper(c) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(c))
	}
	return b.String()
}

// raw returns a member's value, nil when absent, and its path as the caller
// spelled it. Both spellings with different values are a fault: one of them
// could be priced and the other served.
func (f *fields) raw(name string) (json.RawMessage, string) {
	f.seen[name] = true
	value, at := f.member(name), join(f.path, name)
	if !f.r.snake {
		return value, at
	}
	other := snakeCase(name)
	if other == name {
		return value, at
	}
	f.seen[other] = true
	second := f.member(other)
	switch {
	case second == nil:
		return value, at
	case value == nil:
		return second, join(f.path, other)
	case !sameJSON(value, second):
		f.r.fail(at, "and %s are the same field with different values; send one of them", join(f.path, other))
	}
	return value, at
}

func (f *fields) member(name string) json.RawMessage {
	if v, ok := f.obj.Get(name); ok && string(v) != "null" {
		return v
	}
	return nil
}

func sameJSON(a, b []byte) bool {
	var x, y bytes.Buffer
	return json.Compact(&x, a) == nil && json.Compact(&y, b) == nil && bytes.Equal(x.Bytes(), y.Bytes())
}

// at is the path of a member as the caller spelled it.
func (f *fields) at(name string) string {
	_, at := f.raw(name)
	return at
}

func (f *fields) has(name string) bool {
	v, _ := f.raw(name)
	return v != nil
}

// str reads a string, "" when absent.
func (f *fields) str(name string) string {
	raw, at := f.raw(name)
	if raw == nil {
		return ""
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		f.r.fail(at, "must be a string")
	}
	return s
}

// boolean reads true or false. An empty string counts as absent: the original's
// clients send one.
func (f *fields) boolean(name string) *bool {
	raw, at := f.raw(name)
	switch string(raw) {
	case "", `""`:
		return nil
	case "true":
		return new(true)
	case "false":
		return new(false)
	}
	f.r.fail(at, "must be true or false")
	return nil
}

// number reads a number between lo and hi.
func (f *fields) number(name string, lo, hi float64) *float64 {
	raw, at := f.raw(name)
	if raw == nil {
		return nil
	}
	n, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || n < lo || n > hi {
		f.r.fail(at, "must be a number from %v to %v", lo, hi)
		return nil
	}
	return &n
}

// integer reads a whole number between lo and hi.
func (f *fields) integer(name string, lo, hi int64) *int64 {
	raw, at := f.raw(name)
	if raw == nil {
		return nil
	}
	n, ok := dialect.Whole(raw)
	if !ok || n < lo || n > hi {
		f.r.fail(at, "must be a whole number from %d to %d", lo, hi)
		return nil
	}
	return &n
}

// object reads an object, nil when absent.
func (f *fields) object(name string) *fields {
	raw, at := f.raw(name)
	if raw == nil {
		return nil
	}
	return f.r.parse(at, raw)
}

// list reads an array, nil when absent.
func (f *fields) list(name string) ([]json.RawMessage, string) {
	raw, at := f.raw(name)
	if raw == nil {
		return nil, at
	}
	var items []json.RawMessage
	if json.Unmarshal(raw, &items) != nil {
		f.r.fail(at, "must be an array")
	}
	return items, at
}

// words reads a string or an array of strings.
func (f *fields) words(name string) []string {
	raw, at := f.raw(name)
	if raw == nil {
		return nil
	}
	if raw[0] == '"' {
		return []string{f.str(name)}
	}
	var words []string
	if json.Unmarshal(raw, &words) != nil {
		f.r.fail(at, "must be a string or an array of strings")
	}
	return words
}

// rest calls each for every member that nothing has asked for.
func (f *fields) rest(each func(name string, raw json.RawMessage)) {
	for _, name := range f.obj.Keys() {
		if v := f.member(name); v != nil && !f.seen[name] {
			each(name, v)
		}
	}
}
