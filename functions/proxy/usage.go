package proxy

import (
	"bytes"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

const (
	bytesPerToken = 4       // where the text itself is not at hand
	mediaTokens   = 1 << 10 // of a picture, a sound or a document: its bytes say nothing of them
	turnTokens    = 4       // that vendors put around each message
	// A string of base64 this long is no text.
	mediaBytes = 4 << 10
)

// usageOf is what the provider reported, else an estimate from the texts that
// went in and came out.
func (h *handler) usageOf(s dialect.Server, v *dialect.View, r dialect.Report) (hub.Usage, hub.UsageSource) {
	if r.Known {
		return r.Usage, hub.UsageReported
	}
	u := r.Usage
	if u.Prompt() == 0 { // else the provider told the prompt's part at the start, caches and all
		u[hub.Input] = h.promptTokens(s, v)
	}
	u[hub.Output] = max(u[hub.Output], h.tokens.Scale(r.TextBytes, string(r.Sample)))
	u[hub.Reasoning] = max(u[hub.Reasoning], h.tokens.Scale(r.HideBytes, string(r.Sample)))
	return u, hub.UsageEstimated
}

// promptTokens counts the texts of a prompt, its tools and its answer's schema.
// Of a request that has no canonical form only the size is known.
func (h *handler) promptTokens(s dialect.Server, v *dialect.View) int64 {
	c := v.Chat
	if c == nil {
		var err error
		if c, err = s.Decode(v); err != nil {
			return (textBytes(v.Object.Raw()) + bytesPerToken - 1) / bytesPerToken
		}
	}
	var p prompt
	for i := range c.Messages {
		p.extra += turnTokens
		p.parts(c.Messages[i].Parts)
	}
	for i := range c.Tools {
		t := &c.Tools[i]
		p.add(t.Name, t.Description, string(t.Parameters), string(t.Raw))
	}
	if c.Format != nil {
		p.add(c.Format.Description, string(c.Format.Schema))
	}
	return h.tokens.Count(p.text.String()) + p.extra
}

// prompt gathers what a prompt is made of.
type prompt struct {
	text  strings.Builder
	extra int64 // tokens beside the text
}

func (p *prompt) add(texts ...string) {
	for _, t := range texts {
		if t != "" {
			p.text.WriteString(t)
			p.text.WriteByte('\n')
		}
	}
}

func (p *prompt) parts(parts []chat.Part) {
	for i := range parts {
		part := &parts[i]
		p.add(part.Text)
		if part.Media != nil {
			p.extra += mediaTokens
		}
		if c := part.ToolCall; c != nil {
			p.add(c.Name, c.Arguments)
		}
		if r := part.ToolResult; r != nil {
			p.parts(r.Parts)
		}
		p.extra += (textBytes(part.RawJSON) + bytesPerToken - 1) / bytesPerToken
	}
}

// textBytes is the size of JSON with each picture in it at a flat price.
func textBytes(body []byte) int64 {
	n := int64(len(body))
	for rest := body; ; {
		from := bytes.IndexByte(rest, '"')
		if from < 0 {
			return n
		}
		rest = rest[from+1:]
		end := bytes.IndexByte(rest, '"')
		if end < 0 {
			return n
		}
		if end >= mediaBytes && isBase64(rest[:end]) {
			n += mediaTokens*bytesPerToken - int64(end)
		}
		rest = rest[end:]
		if end < mediaBytes {
			continue // the quote that was found may as well open a string
		}
		rest = rest[1:]
	}
}

// isBase64 reports whether s has only the characters of base64 and data URLs.
func isBase64(s []byte) bool {
	for _, c := range s {
		switch {
		case c|0x20 >= 'a' && c|0x20 <= 'z', c >= '+' && c <= ';', c == '=', c == '_':
		default:
			return false
		}
	}
	return true
}
