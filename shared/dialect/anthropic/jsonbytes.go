package anthropic

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// elements splits the array in b, which must be valid JSON, into its raw values.
func elements(b []byte) (out [][]byte) {
	wire.EachElement(b, func(value []byte) bool {
		out = append(out, value)
		return true
	})
	return out
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
