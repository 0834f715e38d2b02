package aigne

import (
	"encoding/json"

	"github.com/aigne-hub/aigne-hub/shared/chat"
)

// The protocol's thoughts are plain text. Some vendors refuse, or stop thinking
// in, a loop of tool calls that comes back without the signatures of what was
// thought before; so the first call carries the signed thinking in its metadata,
// which clients send back with the call.

// keptThought is one thinking part. Signature is sealed (chat.Seal); without
// text it may be all there is.
type keptThought struct {
	Text      string `json:"text,omitempty"`
	Signature string `json:"signature,omitempty"`
	Redacted  bool   `json:"redacted,omitempty"`
}

// keptThoughts are an answer's thoughts, nil when none of them is signed.
func keptThoughts(parts []chat.Part) (kept []keptThought) {
	signed := false
	for _, p := range parts {
		if p.Kind != chat.Thinking && p.Kind != chat.RedactedThinking {
			continue
		}
		k := keptThought{Text: p.Text, Redacted: p.Kind == chat.RedactedThinking}
		if p.Signature != "" || p.ID != "" {
			signed = true
			k.Signature = chat.Seal(p.SignedBy, p.ID, p.Signature)
		}
		kept = append(kept, k)
	}
	if !signed {
		return nil
	}
	return kept
}

// thoughtsOf reads them back from the metadata of a call.
func thoughtsOf(call *fields) (parts []chat.Part) {
	raw, _ := call.raw("metadata")
	var in struct {
		Reasoning []keptThought `json:"reasoning"`
	}
	if json.Unmarshal(raw, &in) != nil {
		return nil // anything else may stand in this open object
	}
	for _, k := range in.Reasoning {
		p := chat.Part{Kind: chat.Thinking, Text: k.Text}
		if k.Redacted {
			p.Kind = chat.RedactedThinking
		}
		p.SignedBy, p.ID, p.Signature, _ = chat.Unseal(k.Signature)
		parts = append(parts, p)
	}
	return parts
}
