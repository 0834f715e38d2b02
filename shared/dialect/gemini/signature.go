package gemini

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/chat"
)

// Signatures of other vendors' models go out sealed (chat.Seal) in the place of
// Google's, so that a caller who sends them back gets them to the vendor that
// made them. The seal's id begins with the kind: a signature, or thinking that
// only its vendor can read. The thought's own id follows, where it has one.
const (
	markSigned   = "s"
	markRedacted = "r"
)

// wrap makes the thoughtSignature of what p carries, "" when it carries none.
func wrap(kind string, p *chat.Part) string {
	if p.Signature == "" || p.SignedBy == chat.SignedGoogle && kind == markSigned {
		return p.Signature
	}
	return chat.Seal(p.SignedBy, kind+p.ID, p.Signature)
}

// unwrap reads a thoughtSignature into a part and says of which kind it is.
// Unsealed it is Google's own.
func unwrap(value string, p *chat.Part) (kind string) {
	if value == "" {
		return markSigned
	}
	by, id, signature, ok := chat.Unseal(value)
	for _, kind := range []string{markRedacted, markSigned} {
		if rest, is := strings.CutPrefix(id, kind); ok && is {
			p.Signature, p.SignedBy, p.ID = signature, by, rest
			return kind
		}
	}
	p.Signature, p.SignedBy = value, chat.SignedGoogle
	return markSigned
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
