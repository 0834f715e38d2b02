package gemini

import (
	"bytes"
	"encoding/base64"
	"regexp"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/chat"
)

// Signatures of other vendors' models go out in the place of Google's, marked,
// so that a caller who sends them back gets them to the vendor that made them.
// The mark is nine bytes, so that its base64 begins every such value.
const mark = "aignehub1"

var marked = []byte(base64.StdEncoding.EncodeToString([]byte(mark)))

// The kinds of marked values: a signature, and thinking that only its vendor can
// read.
const (
	markSigned   = "s"
	markRedacted = "r"
)

// wrap makes the thoughtSignature of what p carries, "" when it carries none.
func wrap(kind, signature, by string) string {
	if signature == "" || by == chat.SignedGoogle && kind == markSigned {
		return signature
	}
	return base64.StdEncoding.EncodeToString([]byte(mark + kind + by + ":" + signature))
}

// unwrap reads a thoughtSignature. Without the mark it is Google's own.
func unwrap(value string) (kind, signature, by string) {
	plain, err := base64.StdEncoding.DecodeString(value)
	rest, ok := strings.CutPrefix(string(plain), mark)
	if err != nil || !ok || len(rest) < 1 {
		return markSigned, value, chat.SignedGoogle
	}
	by, signature, _ = strings.Cut(rest[1:], ":")
	return rest[:1], signature, by
}

// foreign matches a marked value as it stands in a body. Quoted in a text its
// quotes would be escaped.
var foreign = regexp.MustCompile(`("thought_?[sS]ignature"\s*:\s*)"` + string(marked) + `[A-Za-z0-9+/=]*"`)

// withoutForeign puts the documented placeholder in the place of signatures that
// Google's models did not make and would refuse.
func withoutForeign(body []byte) []byte {
	if !bytes.Contains(body, marked) {
		return body
	}
	return foreign.ReplaceAll(body, []byte(`${1}"`+unsigned+`"`))
}
