package responses

import (
	"bytes"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/chat"
)

// The thoughts of models of other vendors travel through this language as
// reasoning items whose encrypted_content is ours: it says whose signature it
// is and of what, so that the next turn can give it back to its vendor. The form
// is "aignehub.VENDOR.KIND.CALL.SIGNATURE"; CALL is empty but for calls, and no
// part but the last has a dot.
const foreignMark = "aignehub."

// The kinds of what is signed.
const (
	signedThought  = "t"
	signedRedacted = "r" // opaque data in a thought's stead
	signedCall     = "c" // a tool call (Gemini)
)

// signature is what encrypted_content says.
type signature struct{ vendor, kind, call, text string }

// seal words a signature as encrypted_content. OpenAI's own thoughts are given
// back as they came.
func (s signature) seal() string {
	if s.vendor == chat.SignedOpenAI && s.kind == signedThought {
		return s.text
	}
	clean := func(part string) string { return strings.ReplaceAll(part, ".", "_") }
	return foreignMark + clean(s.vendor) + "." + s.kind + "." + strings.ReplaceAll(s.call, ".", "%2E") + "." + s.text
}

func unseal(content string) signature {
	rest, ours := strings.CutPrefix(content, foreignMark)
	parts := strings.SplitN(rest, ".", 4)
	if !ours || len(parts) < 4 {
		return signature{chat.SignedOpenAI, signedThought, "", content}
	}
	return signature{parts[0], parts[1], strings.ReplaceAll(parts[2], "%2E", "."), parts[3]}
}

// withoutForeign takes out of an input the reasoning items that this package
// made for other vendors' thoughts.
func withoutForeign(input []byte) (own []byte, changed bool) {
	if !bytes.Contains(input, []byte(`"`+foreignMark)) {
		return input, false
	}
	own = append(own, '[')
	eachElement(input, func(item []byte) bool {
		if strings.HasPrefix(textOf(member(item, "encrypted_content")), foreignMark) {
			changed = true
			return true
		}
		if len(own) > 1 {
			own = append(own, ',')
		}
		own = append(own, item...)
		return true
	})
	return append(own, ']'), changed
}
