package responses

import (
	"bytes"
	"encoding/json"
	"strings"
)

// The functions below read JSON without building it: a stream has thousands of
// frames and all but a few are only looked at, and an input can hold megabytes
// of pictures. Text that is no JSON yields nothing or less, never a panic.

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// skipString returns the index after a string's closing quote, beyond len(b)
// when there is none.
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

// skipValue returns the index after the value that begins at i, beyond len(b)
// when it does not end.
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
		case ',':
			if depth == 0 {
				return i
			}
			i++
			continue
		default:
			i++
			if depth > 0 || i < len(b) && !bytes.ContainsRune([]byte(",}] \n\t\r"), rune(b[i])) {
				continue
			}
		}
		if depth == 0 {
			return i
		}
	}
	return len(b) + 1
}

// eachMember calls f with the members of the object in b until it says no.
func eachMember(b []byte, f func(key string, value []byte) bool) {
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
		if end > len(b) || end == v {
			return
		}
		key := string(b[k+1 : kEnd-1])
		if strings.IndexByte(key, '\\') >= 0 {
			key = textOf(b[k:kEnd])
		}
		if !f(key, b[v:end]) {
			return
		}
		if i = skipSpace(b, end); i >= len(b) || b[i] != ',' {
			return
		}
	}
}

// eachElement calls f with the elements of the array in b until it says no.
func eachElement(b []byte, f func(value []byte) bool) {
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

// member returns the raw value of a key of the object in b, nil when it is not
// there. It allocates nothing. Keys with escapes, of which the language has
// none, are not found.
func member(b []byte, name string) []byte {
	i := skipSpace(b, 0)
	if i >= len(b) || b[i] != '{' {
		return nil
	}
	for {
		k := skipSpace(b, i+1)
		if k >= len(b) || b[k] != '"' {
			return nil
		}
		kEnd := skipString(b, k)
		colon := skipSpace(b, kEnd)
		if colon >= len(b) || b[colon] != ':' {
			return nil
		}
		v := skipSpace(b, colon+1)
		end := skipValue(b, v)
		if end > len(b) || end == v {
			return nil
		}
		if string(b[k+1:kEnd-1]) == name {
			return b[v:end]
		}
		if i = skipSpace(b, end); i >= len(b) || b[i] != ',' {
			return nil
		}
	}
}

// textOf reads a raw JSON string, "" for anything else.
func textOf(raw []byte) string {
	if len(raw) < 2 || raw[0] != '"' {
		return ""
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// wordOf reads a raw JSON string that has no escapes, as the words of the
// language have none; "" for anything else.
func wordOf(raw []byte) string {
	if len(raw) < 2 || raw[0] != '"' || bytes.IndexByte(raw, '\\') >= 0 {
		return ""
	}
	return string(raw[1 : len(raw)-1])
}

// textLen is about how many bytes a raw JSON string has once decoded: an escape
// counts as one byte, those of the form \uXXXX as two.
func textLen(raw []byte) int64 {
	if len(raw) < 2 || raw[0] != '"' {
		return 0
	}
	body := raw[1 : len(raw)-1]
	n := len(body)
	for {
		at := bytes.IndexByte(body, '\\')
		if at < 0 || at+1 >= len(body) {
			return int64(max(n, 0))
		}
		width, stands := 2, 1
		if body[at+1] == 'u' {
			width, stands = 6, 2
		}
		n -= width - stands
		body = body[min(at+width, len(body)):]
	}
}

// absent reports whether a value was left out or is null.
func absent(raw []byte) bool { return len(raw) == 0 || string(raw) == "null" }
