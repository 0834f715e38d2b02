package wire

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The functions below look into JSON without building it: a stream has thousands
// of frames and all but a few are only looked at, and an input can hold megabytes
// of pictures. Text that is no JSON yields nothing or less, never a panic.

// Member returns the raw value of a key of the object in b, nil when it is not
// there. It allocates nothing. Keys with escapes are not found.
func Member(b []byte, name string) (value []byte) {
	rawMembers(b, func(key, v []byte) bool {
		if string(key) == name {
			value = v
			return false
		}
		return true
	})
	return value
}

// EachMember calls f with the members of the object in b until it says no.
func EachMember(b []byte, f func(key string, value []byte) bool) {
	rawMembers(b, func(raw, value []byte) bool {
		key := string(raw)
		if strings.IndexByte(key, '\\') >= 0 {
			key = Text(append(append([]byte{'"'}, raw...), '"'))
		}
		return f(key, value)
	})
}

// rawMembers gives keys as they are written, without their quotes.
func rawMembers(b []byte, f func(key, value []byte) bool) {
	i := skipSpace(b, 0)
	if i >= len(b) || b[i] != '{' {
		return
	}
	for {
		k := skipSpace(b, i+1)
		if k >= len(b) || b[k] != '"' {
			return
		}
		kEnd := skipString(b, k)
		colon := skipSpace(b, kEnd)
		if colon >= len(b) || b[colon] != ':' {
			return
		}
		v := skipSpace(b, colon+1)
		end := skipValue(b, v)
		if end > len(b) || end == v || !f(b[k+1:kEnd-1], b[v:end]) {
			return
		}
		if i = skipSpace(b, end); i >= len(b) || b[i] != ',' {
			return
		}
	}
}

// EachElement calls f with the elements of the array in b until it says no.
func EachElement(b []byte, f func(value []byte) bool) {
	i := skipSpace(b, 0)
	if i >= len(b) || b[i] != '[' {
		return
	}
	for i = skipSpace(b, i+1); i < len(b) && b[i] != ']'; {
		end := skipValue(b, i)
		if end > len(b) || end == i || !f(b[i:end]) {
			return
		}
		if i = skipSpace(b, end); i < len(b) && b[i] == ',' {
			i = skipSpace(b, i+1)
		}
	}
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// skipString returns the index after a string's closing quote, len(b)+1 when
// there is none.
func skipString(b []byte, i int) int {
	for i++; i < len(b); {
		q := bytes.IndexByte(b[i:], '"')
		if q < 0 {
			break
		}
		esc := bytes.IndexByte(b[i:i+q], '\\')
		if esc < 0 {
			return i + q + 1
		}
		i += esc + 2
	}
	return len(b) + 1
}

// skipValue returns the index after the value that begins at i, i when none does,
// beyond len(b) when it does not end.
func skipValue(b []byte, i int) int {
	depth := 0
	for i < len(b) {
		switch b[i] {
		case '"':
			i = skipString(b, i)
		case '{', '[':
			depth++
			i++
			continue
		case '}', ']':
			if depth == 0 {
				return i
			}
			depth--
			i++
		case ',', ' ', '\n', '\t', '\r':
			if depth == 0 {
				return i
			}
			i++
			continue
		default:
			i++
			if depth > 0 || i < len(b) && bytes.IndexByte([]byte(",}] \n\t\r"), b[i]) < 0 {
				continue
			}
		}
		if depth == 0 {
			return i
		}
	}
	return len(b) + 1
}

// Text reads a raw JSON string, "" for anything else.
func Text(raw []byte) string {
	if len(raw) < 2 || raw[0] != '"' {
		return ""
	}
	inside := raw[1 : len(raw)-1]
	if !utf8.Valid(inside) {
		return decoded(raw)
	}
	if bytes.IndexByte(inside, '\\') < 0 {
		return string(inside)
	}
	if s, ok := unescape(inside); ok {
		return s
	}
	return decoded(raw)
}

func decoded(raw []byte) (s string) {
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// unescape handles the one-letter escapes, which are nearly all there are in
// streams.
func unescape(inside []byte) (string, bool) {
	out := make([]byte, 0, len(inside))
	for {
		esc := bytes.IndexByte(inside, '\\')
		if esc < 0 {
			return string(append(out, inside...)), true
		}
		if esc+1 >= len(inside) {
			return "", false
		}
		i := bytes.IndexByte([]byte(`"\/bfnrt`), inside[esc+1])
		if i < 0 {
			return "", false
		}
		out = append(append(out, inside[:esc]...), "\"\\/\b\f\n\r\t"[i])
		inside = inside[esc+2:]
	}
}

// TextLen is how many bytes Text has, 0 for what is no string.
func TextLen(raw []byte) int64 {
	if len(raw) < 2 || raw[0] != '"' {
		return 0
	}
	return InsideLen(raw[1 : len(raw)-1])
}

// InsideLen is how many bytes what stands between the quotes of a raw JSON string
// has once decoded. It allocates nothing.
func InsideLen(inside []byte) int64 {
	const escape = len(`\u0000`)
	n := len(inside)
	for {
		at := bytes.IndexByte(inside, '\\')
		if at < 0 || at+1 >= len(inside) {
			return int64(n)
		}
		if inside[at+1] != 'u' || at+escape > len(inside) {
			n--
			inside = inside[at+2:]
			continue
		}
		n -= escape - escapedLen(inside[at+2:at+escape])
		inside = inside[at+escape:]
	}
}

// escapedLen is the UTF-8 length of the four hexadecimal digits of an escape;
// each half of a surrogate pair counts two of the pair's four bytes.
func escapedLen(hex []byte) int {
	v, err := strconv.ParseUint(string(hex), 16, 16)
	switch {
	case err != nil || v >= 0x800 && (v < 0xd800 || v > 0xdfff):
		return 3
	case v < 0x80:
		return 1
	}
	return 2
}
