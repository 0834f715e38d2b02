package responses

import (
	"bytes"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// The thoughts of models of other vendors travel through this language as
// reasoning items whose encrypted_content is sealed (chat.Seal): it says whose
// signature it is and of what, so that the next turn can give it back to its
// vendor. The seal's id is the kind and, for calls, the call's id.

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
	return chat.Seal(s.vendor, s.kind+s.call, s.text)
}

func unseal(content string) signature {
	vendor, id, text, ok := chat.Unseal(content)
	if !ok || id == "" {
		return signature{chat.SignedOpenAI, signedThought, "", content}
	}
	return signature{vendor, id[:1], id[1:], text}
}

// withoutForeign takes out of an input the reasoning items that this package
// made for other vendors' thoughts.
func withoutForeign(input []byte) (own []byte, changed bool) {
	if !bytes.Contains(input, []byte(`"`+chat.SealPrefix)) {
		return input, false
	}
	own = append(own, '[')
	wire.EachElement(input, func(item []byte) bool {
		if strings.HasPrefix(wire.Text(wire.Member(item, "encrypted_content")), chat.SealPrefix) {
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
