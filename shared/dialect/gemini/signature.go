package gemini

import (
	"bytes"
	"regexp"

	"github.com/aigne-hub/aigne-hub/shared/chat"
)

// Signatures of other vendors' models go out sealed (chat.Seal) in the place of
// Google's, so that a caller who sends them back gets them to the vendor that
// made them. The seal's id begins with the kind: a signature, or thinking that
// only its vendor can read.
const (
	markSigned   = "s"
	markRedacted = "r"
)

// wrap makes the thoughtSignature of what p carries, "" when it carries none.
func wrap(kind, signature, by string) string {
	if signature == "" || by == chat.SignedGoogle && kind == markSigned {
		return signature
	}
	return chat.Seal(by, kind, signature)
}

// unwrap reads a thoughtSignature. Unsealed it is Google's own.
func unwrap(value string) (kind, signature, by string) {
	by, kind, signature, ok := chat.Unseal(value)
	if !ok || kind != markRedacted && kind != markSigned {
		return markSigned, value, chat.SignedGoogle
	}
	return kind, signature, by
}

// foreign matches a sealed value as it stands in a body. Quoted in a text its
// quotes would be escaped.
var foreign = regexp.MustCompile(`("thought_?[sS]ignature"\s*:\s*)"` + chat.SealPrefix + `[A-Za-z0-9+/=]*"`)

// withoutForeign puts the documented placeholder in the place of signatures that
// Google's models did not make and would refuse.
func withoutForeign(body []byte) []byte {
	if !bytes.Contains(body, []byte(chat.SealPrefix)) {
		return body
	}
	return foreign.ReplaceAll(body, []byte(`${1}"`+unsigned+`"`))
}
