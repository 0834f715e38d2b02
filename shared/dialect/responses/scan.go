package responses

import "bytes"

// wordOf reads a raw JSON string that has no escapes, as the words of the
// language have none; "" for anything else.
func wordOf(raw []byte) string {
	if len(raw) < 2 || raw[0] != '"' || bytes.IndexByte(raw, '\\') >= 0 {
		return ""
	}
	return string(raw[1 : len(raw)-1])
}

// absent reports whether a value was left out or is null.
func absent(raw []byte) bool { return len(raw) == 0 || string(raw) == "null" }
