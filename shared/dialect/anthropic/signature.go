package anthropic

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// Callers of this language keep thinking blocks and send them back, whoever
// answered. A signature or opaque data that Claude did not make is sealed
// (chat.Seal) on its way out and unsealed when it comes back, so that it reaches
// the vendor that made it again and no other.

// sealed is what a caller is given for a signature.
func sealed(signedBy, id, signature string) string {
	if signature == "" && id == "" || id == "" && (signedBy == "" || signedBy == chat.SignedAnthropic) {
		return signature
	}
	return chat.Seal(signedBy, id, signature)
}

// unseal puts a caller's signature back into a part. What is not sealed is
// Claude's.
func unseal(p *chat.Part, signature string) {
	p.Signature = signature
	if by, id, plain, ok := chat.Unseal(signature); ok {
		p.SignedBy, p.ID, p.Signature = by, id, plain
	} else if signature != "" {
		p.SignedBy = chat.SignedAnthropic
	}
}

// forClaude reports whether Claude takes a part's signature back.
func forClaude(p *chat.Part) bool {
	return p.Signature != "" && (p.SignedBy == "" || p.SignedBy == chat.SignedAnthropic)
}

// callSignatures gives tool calls the signatures that came back in blocks of
// their own: this language has no room for one in a call.
func callSignatures(parts []chat.Part) []chat.Part {
	return slices.DeleteFunc(parts, func(p chat.Part) bool {
		if p.Kind != chat.RedactedThinking || p.ID == "" {
			return false
		}
		for i := range parts {
			if c := parts[i].ToolCall; c != nil && c.ID == p.ID {
				parts[i].Signature, parts[i].SignedBy = p.Signature, p.SignedBy
				return true
			}
		}
		return false
	})
}

// withoutSeals takes thinking that Claude did not sign out of a native
// request: the API refuses signatures that are not its own. A body without any
// is given back as it came.
func withoutSeals(v *dialect.View) ([]byte, error) {
	raw, ok := v.Object.Get("messages")
	if !ok || !bytes.Contains(raw, []byte(chat.SealPrefix)) {
		return nil, nil
	}
	messages := list(raw)
	for i, m := range messages {
		o, err := wire.Parse(m)
		if err != nil {
			return nil, hub.Invalid(fmt.Sprintf("messages[%d]", i), "messages[%d] is not an acceptable object: %v.", i, err)
		}
		content, _ := o.Get("content")
		if !bytes.Contains(content, []byte(chat.SealPrefix)) || content[0] != '[' {
			continue
		}
		o.Set("content", ownBlocks(content))
		messages[i] = o.Bytes()
	}
	return array(messages), nil
}

// ownBlocks are the blocks of a turn that Claude takes.
func ownBlocks(content []byte) []byte {
	blocks := list(content)
	for i, b := range blocks {
		blocks[i] = withoutForeignCitations(b)
	}
	blocks = slices.DeleteFunc(blocks, func(b json.RawMessage) bool {
		_, _, _, foreign := chat.Unseal(firstOf(wire.Text(wire.Member(b, "signature")), wire.Text(wire.Member(b, "data"))))
		return foreign
	})
	if len(blocks) == 0 {
		// A turn must say something.
		blocks = append(blocks, json.RawMessage(`{"type":"text","text":"…"}`))
	}
	return array(blocks)
}

// array puts raw values into one, as they are.
func array(of []json.RawMessage) []byte {
	out := []byte{'['}
	for i, raw := range of {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, raw...)
	}
	return append(out, ']')
}
