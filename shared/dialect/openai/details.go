package openai

import (
	"encoding/json"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/chat"
)

// detail is an entry of reasoning_details, OpenRouter's public form of thinking
// that carries a signature or is sealed
// (https://openrouter.ai/docs/use-cases/reasoning-tokens#preserving-reasoning).
// Entries with one index are pieces of one thought.
type detail struct {
	Type      string `json:"type"` // reasoning.text, reasoning.summary or reasoning.encrypted
	Text      string `json:"text,omitempty"`
	Summary   string `json:"summary,omitempty"`
	Data      string `json:"data,omitempty"`
	Signature string `json:"signature,omitempty"`
	ID        string `json:"id,omitempty"`
	Format    string `json:"format,omitempty"`
	Index     *int   `json:"index,omitempty"`
}

const (
	detailText      = "reasoning.text"
	detailSummary   = "reasoning.summary"
	detailEncrypted = "reasoning.encrypted"
)

// formats are the names of vendors' ways to sign.
var formats = map[string]string{
	chat.SignedAnthropic: "anthropic-claude-v1",
	chat.SignedGoogle:    "google-gemini-v1",
	chat.SignedOpenAI:    "openai-responses-v1",
	chat.SignedXAI:       "xai-responses-v1",
}

// signerOf is the way back; Azure's sealed thinking is OpenAI's.
func signerOf(format string) string {
	for vendor, f := range formats {
		if format == f || strings.HasSuffix(format, "-"+f) {
			return vendor
		}
	}
	return ""
}

// summarised reports whether a vendor seals its thinking and shows a summary;
// the others show and sign it.
func summarised(vendor string) bool { return vendor == chat.SignedOpenAI || vendor == chat.SignedXAI }

// wordsOf is a piece of a thought's text.
func wordsOf(vendor, text, id string, index int) detail {
	d := detail{Type: detailText, Text: text, ID: id, Format: formats[vendor], Index: &index}
	if summarised(vendor) {
		d.Type, d.Text, d.Summary = detailSummary, "", text
	}
	return d
}

// signatureOf is a thought's signature, or its sealed form beside the summary.
func signatureOf(vendor, signature, id string, index int) detail {
	if summarised(vendor) {
		return sealedOf(vendor, signature, id, index)
	}
	return detail{Type: detailText, Signature: signature, ID: id, Format: formats[vendor], Index: &index}
}

func sealedOf(vendor, data, id string, index int) detail {
	return detail{Type: detailEncrypted, Data: data, ID: id, Format: formats[vendor], Index: &index}
}

// detailsOf tells the thinking among parts where some of it has what plain text
// cannot carry; nil otherwise. Signatures of tool calls are told when calls is
// true: callers have them in extra_content already.
func detailsOf(parts []chat.Part, calls bool) []detail {
	var out []detail
	index, needed := 0, false
	for i := range parts {
		p := &parts[i]
		switch p.Kind {
		case chat.Thinking:
			needed = needed || p.Signature != "" || p.ID != ""
			d := wordsOf(p.SignedBy, p.Text, p.ID, index)
			if p.Signature != "" && summarised(p.SignedBy) {
				out = append(out, d)
				d = signatureOf(p.SignedBy, p.Signature, p.ID, index)
			} else {
				d.Signature = p.Signature
			}
			out = append(out, d)
			index++
		case chat.RedactedThinking:
			needed = true
			out = append(out, sealedOf(p.SignedBy, p.Signature, p.ID, index))
			index++
		case chat.ToolCallPart:
			if !calls || p.Signature == "" {
				continue
			}
			needed = true
			vendor := p.SignedBy
			if vendor == "" {
				vendor = chat.SignedGoogle // the only one that signs calls
			}
			out = append(out, sealedOf(vendor, p.Signature, callID(p.ToolCall.ID), index))
			index++
		}
	}
	if !needed {
		return nil
	}
	return out
}

// thoughts reads the thinking of a caller's message: reasoning_details where
// there are any, else the plain text. A detail that has only a signature signs
// the plain text.
func thoughts(plain string, details []detail) []chat.Part {
	var parts []chat.Part
	at := map[string]int{}
	said := false
	for _, d := range details {
		key := detailKey(&d)
		i, known := at[key]
		said = said || d.Text != "" || d.Summary != ""
		switch {
		case d.Type == detailEncrypted && known && parts[i].Kind == chat.Thinking && parts[i].Signature == "":
			parts[i].Signature, parts[i].SignedBy = d.Data, signerOf(d.Format)
			parts[i].ID = firstOf(parts[i].ID, d.ID)
			continue
		case d.Type == detailEncrypted:
			parts = append(parts, chat.Part{Kind: chat.RedactedThinking, Signature: d.Data, SignedBy: signerOf(d.Format), ID: d.ID})
			continue
		case d.Type != detailText && d.Type != detailSummary:
			continue
		case !known:
			i = len(parts)
			at[key] = i
			parts = append(parts, chat.Part{Kind: chat.Thinking})
		}
		p := &parts[i]
		p.Text += d.Text + d.Summary
		p.ID = firstOf(p.ID, d.ID)
		if d.Signature != "" {
			p.Signature += d.Signature
			p.SignedBy = signerOf(d.Format)
		}
	}
	if said || plain == "" {
		return parts
	}
	for i := range parts {
		if parts[i].Kind == chat.Thinking {
			parts[i].Text = plain
			return parts
		}
	}
	return append([]chat.Part{{Kind: chat.Thinking, Text: plain}}, parts...)
}

// signCalls gives tool calls the signatures that came as details of their own,
// named after the call.
func signCalls(parts []chat.Part) []chat.Part {
	out := parts[:0]
next:
	for _, p := range parts {
		if p.Kind == chat.RedactedThinking && p.ID != "" {
			for i := range parts {
				if c := parts[i].ToolCall; c != nil && c.ID == p.ID {
					// out and parts share their backing; calls stand after thinking.
					parts[i].Signature, parts[i].SignedBy = p.Signature, p.SignedBy
					continue next
				}
			}
		}
		out = append(out, p)
	}
	return out
}

// readDetails reads a raw array; entries of a form that is not known are left
// out.
func readDetails(raw []byte) (out []detail) {
	var all []json.RawMessage
	if json.Unmarshal(raw, &all) != nil {
		return nil
	}
	for _, one := range all {
		var d detail
		if json.Unmarshal(one, &d) == nil && strings.HasPrefix(d.Type, "reasoning.") {
			out = append(out, d)
		}
	}
	return out
}

// makerOf names the vendor whose model stands behind a reseller's name for it,
// "" when that does not tell.
func makerOf(model string) string {
	vendor, _, ok := strings.Cut(strings.TrimPrefix(model, "~"), "/")
	if !ok {
		return ""
	}
	switch vendor {
	case "anthropic", "google", "openai":
		return vendor
	case "x-ai", "xai":
		return chat.SignedXAI
	}
	return ""
}

// acceptable leaves out what only another vendor than the model's can read;
// text stays, without its signature.
func acceptable(parts []chat.Part, model string) []chat.Part {
	maker := makerOf(model)
	if maker == "" {
		return parts
	}
	var out []chat.Part
	for _, p := range parts {
		foreign := p.SignedBy != "" && p.SignedBy != maker
		if foreign && p.Kind == chat.RedactedThinking {
			continue
		}
		if foreign {
			p.Signature, p.SignedBy, p.ID = "", "", ""
		}
		out = append(out, p)
	}
	return out
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
