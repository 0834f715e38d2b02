package anthropic

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// The functions below read JSON without building it: a stream has thousands of
// frames and all but two are only looked at. On text that is not JSON they
// return nil or something shorter, and never read out of bounds.

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
		case '}', ']':
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
			if depth > 0 || (i < len(b) && bytes.IndexByte([]byte(",}] \n\t\r"), b[i]) < 0) {
				continue
			}
		}
		if depth <= 0 {
			return i
		}
	}
	return len(b) + 1
}

// member returns the raw value of a key of the object in b, nil when it is not
// there.
func member(b []byte, key string) []byte {
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
		if end > len(b) {
			return nil
		}
		if string(b[k+1:kEnd-1]) == key {
			return b[v:end]
		}
		if i = skipSpace(b, end); i >= len(b) || b[i] != ',' {
			return nil
		}
	}
}

// elements splits the array in b, which must be valid JSON, into its raw values.
func elements(b []byte) [][]byte {
	var out [][]byte
	i := skipSpace(b, 0)
	if i >= len(b) || b[i] != '[' {
		return nil
	}
	for i = skipSpace(b, i+1); i < len(b) && b[i] != ']'; {
		end := skipValue(b, i)
		if end > len(b) {
			return out
		}
		out = append(out, b[i:end])
		if i = skipSpace(b, end); i < len(b) && b[i] == ',' {
			i = skipSpace(b, i+1)
		}
	}
	return out
}

// textOf reads a raw JSON string, "" for anything else.
func textOf(raw []byte) string {
	if len(raw) < 2 || raw[0] != '"' {
		return ""
	}
	body := raw[1 : len(raw)-1]
	if bytes.IndexByte(body, '\\') < 0 && utf8.Valid(body) {
		return string(body)
	}
	if s, ok := unescape(body); ok {
		return s
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// unescape handles the one-letter escapes, which are nearly all there are in
// streams.
func unescape(body []byte) (string, bool) {
	if !utf8.Valid(body) {
		return "", false
	}
	out := make([]byte, 0, len(body))
	for {
		esc := bytes.IndexByte(body, '\\')
		if esc < 0 {
			return string(append(out, body...)), true
		}
		if esc+1 >= len(body) {
			return "", false
		}
		i := bytes.IndexByte([]byte(`"\/bfnrt`), body[esc+1])
		if i < 0 {
			return "", false
		}
		out = append(append(out, body[:esc]...), "\"\\/\b\f\n\r\t"[i])
		body = body[esc+2:]
	}
}

// textLen is the length in bytes of the text that a raw JSON string stands for.
func textLen(raw []byte) int64 {
	if len(raw) < 2 || raw[0] != '"' {
		return 0
	}
	body := raw[1 : len(raw)-1]
	n := len(body)
	for i := bytes.IndexByte(body, '\\'); i >= 0 && i+1 < len(body); {
		width := 2
		if body[i+1] == 'u' {
			// Half of a surrogate pair stands for two of four bytes; other escapes
			// beyond ASCII for two or three.
			width = 6
			n -= 3
			if i+4 < len(body) && body[i+2] == '0' && body[i+3] == '0' {
				n -= 2
			}
		} else {
			n--
		}
		i += width
		if i >= len(body) {
			break
		}
		next := bytes.IndexByte(body[i:], '\\')
		if next < 0 {
			break
		}
		i += next
	}
	return max(int64(n), 0)
}

// deltaOf returns where the delta of a content_block_delta begins, for data in
// the spelling that Anthropic itself uses; nil for any other. Only the members
// of the delta may be asked for: its end is not looked for.
func deltaOf(data []byte) []byte {
	rest, ok := bytes.CutPrefix(data, []byte(`{"type":"content_block_delta","index":`))
	if !ok {
		return nil
	}
	for len(rest) > 0 && rest[0] >= '0' && rest[0] <= '9' {
		rest = rest[1:]
	}
	rest, ok = bytes.CutPrefix(rest, []byte(`,"delta":`))
	if !ok {
		return nil
	}
	return rest
}

// dataOf returns the data of a frame without allocating where it has one data
// line, as all real ones have.
func dataOf(frame []byte) []byte {
	var data []byte
	for rest := frame; len(rest) > 0; {
		line := rest
		if nl := bytes.IndexByte(rest, '\n'); nl >= 0 {
			line, rest = rest[:nl], rest[nl+1:]
		} else {
			rest = nil
		}
		if v, ok := bytes.CutPrefix(line, []byte("data:")); ok {
			if data != nil {
				_, data = wire.Data(frame)
				return data
			}
			data = bytes.TrimSpace(v)
		}
	}
	return data
}

const hexDigits = "0123456789abcdef"

// appendQuoted appends s as a JSON string. Bytes that are no UTF-8 become the
// replacement character, since a JSON text must be UTF-8.
func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
			dst = append(append(dst, s[start:i]...), `\ufffd`...)
		} else {
			dst = appendEscaped(append(dst, s[start:i]...), c)
		}
		i++
		start = i
	}
	return append(append(dst, s[start:]...), '"')
}

func appendEscaped(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}

// marshal is json.Marshal without escaping for HTML, which would change what
// callers and models wrote into something longer.
func marshal(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(buf.Bytes(), "\n"), nil
}
