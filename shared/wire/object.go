// Package wire looks at bytes without decoding them: JSON objects whose single
// values are read or spliced in place, and server-sent event frames. It knows
// no dialect and no provider.
package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// MaxDepth is how deep a JSON body may nest.
const MaxDepth = 128

// span is a half-open byte range.
type span struct{ start, end int }

type member struct {
	key   string
	entry int // where the key's opening quote stands
	value span
}

type edit struct {
	at   span
	with []byte
}

type addition struct {
	key   string
	value []byte
}

// Object is the top level of one JSON object: where each member's value lies,
// and the edits to be made when it is written out again. Bytes that no edit
// touches leave exactly as they came.
type Object struct {
	raw     []byte
	parsed  []member // all that came
	members []member // those not deleted
	edits   []edit
	added   []addition
	close   int // where the closing brace stands
}

// SyntaxError says why a body is no acceptable JSON object.
type SyntaxError struct {
	Offset int
	Reason string
	Key    string // the repeated key, if that is the fault
}

// Error describes the fault for the client.
func (e *SyntaxError) Error() string {
	if e.Key != "" {
		return fmt.Sprintf("%s at byte %d: %q", e.Reason, e.Offset, e.Key)
	}
	return fmt.Sprintf("%s at byte %d", e.Reason, e.Offset)
}

// Parse checks that body is one valid JSON object, no deeper than MaxDepth and
// with no repeated top-level key (otherwise a call could be priced as one model
// and served as another). It keeps body; do not change it afterwards.
func Parse(body []byte) (*Object, error) {
	s := scanner{b: body}
	o := &Object{raw: body, members: make([]member, 0, 16)}
	s.space()
	if s.i >= len(body) || body[s.i] != '{' {
		return nil, &SyntaxError{Offset: s.i, Reason: "body is not a JSON object"}
	}
	if err := o.parseMembers(&s); err != nil {
		return nil, err
	}
	s.space()
	if s.i != len(body) {
		return nil, &SyntaxError{Offset: s.i, Reason: "bytes after the JSON object"}
	}
	o.parsed = o.members
	return o, nil
}

// manyKeys is how many members are searched one by one for a repeated key: real
// bodies have fewer, and a map would cost them more.
const manyKeys = 32

// repeats reports whether a key came before. Beyond manyKeys it keeps them in
// seen, so that a body of keys only does not cost the square of its length.
func (o *Object) repeats(key string, seen *map[string]struct{}) bool {
	if len(o.members) < manyKeys {
		_, dup := o.find(key)
		return dup
	}
	if *seen == nil {
		*seen = make(map[string]struct{}, 2*manyKeys)
		for i := range o.members {
			(*seen)[o.members[i].key] = struct{}{}
		}
	}
	_, dup := (*seen)[key]
	(*seen)[key] = struct{}{}
	return dup
}

func (o *Object) parseMembers(s *scanner) error {
	s.i++
	s.space()
	if s.peek() == '}' {
		o.close = s.i
		s.i++
		return nil
	}
	var seen map[string]struct{}
	for {
		start := s.i
		if !s.str() {
			return s.fault("expected a key")
		}
		key, err := unquote(s.b[start:s.i])
		if err != nil {
			return &SyntaxError{Offset: start, Reason: "bad key"}
		}
		if o.repeats(key, &seen) {
			return &SyntaxError{Offset: start, Reason: "key appears twice", Key: key}
		}
		s.space()
		if s.peek() != ':' {
			return s.fault("expected a colon")
		}
		s.i++
		s.space()
		v := s.i
		if !s.value(1) {
			return s.fault("bad value")
		}
		o.members = append(o.members, member{key, start, span{v, s.i}})
		s.space()
		switch s.peek() {
		case ',':
			s.i++
			s.space()
		case '}':
			o.close = s.i
			s.i++
			return nil
		default:
			return s.fault("expected a comma or a brace")
		}
	}
}

func (o *Object) find(key string) (int, bool) {
	for i := range o.members {
		if o.members[i].key == key {
			return i, true
		}
	}
	return 0, false
}

// Get returns the raw value of a top-level key, as it came.
func (o *Object) Get(key string) (json.RawMessage, bool) {
	i, ok := o.find(key)
	if !ok {
		return nil, false
	}
	v := o.members[i].value
	return o.raw[v.start:v.end], true
}

// Keys lists the top-level keys in the order they came.
func (o *Object) Keys() []string {
	keys := make([]string, len(o.members))
	for i := range o.members {
		keys[i] = o.members[i].key
	}
	return keys
}

// Raw returns the body as it came.
func (o *Object) Raw() []byte { return o.raw }

// String returns a top-level string, "" and false when absent or of another type.
func (o *Object) String(key string) (string, bool) {
	v, ok := o.Get(key)
	if !ok || len(v) < 2 || v[0] != '"' {
		return "", false
	}
	s, err := unquote(v)
	return s, err == nil
}

// Bool returns a top-level boolean, false when absent or of another type.
func (o *Object) Bool(key string) bool {
	v, ok := o.Get(key)
	return ok && string(v) == "true"
}

// Has reports whether the key is there with a value other than null.
func (o *Object) Has(key string) bool {
	v, ok := o.Get(key)
	return ok && string(v) != "null"
}

// Clone returns an Object over the same bytes without edits, so that several
// targets can each be sent their own version.
func (o *Object) Clone() *Object {
	return &Object{raw: o.raw, parsed: o.parsed, members: o.parsed, close: o.close}
}

// Set replaces the value of a key, or adds the member at the end. What was set
// before for the same key is forgotten. It keeps value until the last Bytes.
func (o *Object) Set(key string, value []byte) {
	if i, ok := o.find(key); ok {
		at := o.members[i].value
		for j := range o.edits {
			if o.edits[j].at == at {
				o.edits[j].with = value
				return
			}
		}
		o.edits = append(o.edits, edit{at, value})
		return
	}
	for i := range o.added {
		if o.added[i].key == key {
			o.added[i].value = value
			return
		}
	}
	o.added = append(o.added, addition{key, value})
}

// Delete removes a member. Deleting what is not there does nothing.
func (o *Object) Delete(key string) {
	i, ok := o.find(key)
	if !ok {
		o.added = slices.DeleteFunc(o.added, func(a addition) bool { return a.key == key })
		return
	}
	at := span{o.members[i].entry, o.members[i].value.end}
	if i+1 < len(o.members) {
		at.end = o.members[i+1].entry
	} else if i > 0 {
		at.start = o.members[i-1].value.end
	}
	o.edits = append(o.edits, edit{at, nil})
	o.members = append(append([]member{}, o.members[:i]...), o.members[i+1:]...)
}

// Bytes returns the object with its edits made.
func (o *Object) Bytes() []byte {
	if len(o.edits) == 0 && len(o.added) == 0 {
		return o.raw
	}
	n := len(o.raw)
	for _, e := range o.edits {
		n += len(e.with)
	}
	for _, a := range o.added {
		n += len(a.key) + len(a.value) + len(`,"":`)
	}
	out := make([]byte, 0, n)
	pos := 0
	for {
		next, ok := o.nextEdit(pos)
		if !ok {
			break
		}
		out = append(out, o.raw[pos:next.at.start]...)
		out = append(out, next.with...)
		pos = next.at.end
	}
	if len(o.added) > 0 {
		out = append(out, o.raw[pos:o.close]...)
		for i, a := range o.added {
			if i > 0 || len(o.members) > 0 {
				out = append(out, ',')
			}
			k, _ := json.Marshal(a.key)
			out = append(append(append(out, k...), ':'), a.value...)
		}
		pos = o.close
	}
	return append(out, o.raw[pos:]...)
}

func (o *Object) nextEdit(pos int) (edit, bool) {
	best, ok := edit{}, false
	for _, e := range o.edits {
		if e.at.start >= pos && (!ok || e.at.start < best.at.start) {
			best, ok = e, true
		}
	}
	return best, ok
}

func unquote(b []byte) (string, error) {
	if bytes.IndexByte(b, '\\') < 0 && isASCII(b) {
		return string(b[1 : len(b)-1]), nil
	}
	var s string
	err := json.Unmarshal(b, &s)
	return s, err
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

// Quote encodes a string as JSON, without HTML escapes.
func Quote(s string) []byte {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string always has a JSON form
	return bytes.TrimRight(out.Bytes(), "\n")
}
