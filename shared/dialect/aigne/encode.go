package aigne

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
)

// encodeJSON encodes v, leaving < > & as they are.
func encodeJSON(v any) []byte {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if enc.Encode(v) != nil {
		// Only raw JSON from a provider that is none can fail.
		return []byte("{}")
	}
	return bytes.TrimRight(out.Bytes(), "\n")
}

// appendQuoted appends s as a JSON string; bytes that are no UTF-8 become
// U+FFFD.
func appendQuoted(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			dst = utf8.AppendRune(dst, r)
			i += n
			continue
		}
		i++
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c >= 0x20:
			dst = append(dst, c)
		case c == '\n':
			dst = append(dst, '\\', 'n')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(dst, '"')
}

// call is a tool call while its arguments come in.
type call struct {
	index     int
	id, name  string
	args      []byte
	signature string
}

// calls are the tool calls of a choice, in the order they began.
type calls []*call

func (cs *calls) at(index int) *call {
	for _, c := range *cs {
		if c.index == index {
			return c
		}
	}
	c := &call{index: index}
	*cs = append(*cs, c)
	return c
}

// add takes in the events that make up calls.
func (cs *calls) add(ev chat.Event) {
	c := cs.at(ev.Index)
	switch ev.Kind {
	case chat.EventToolCall:
		c.id, c.name = ev.ID, ev.Name
		if c.id == "" {
			c.id = randomID("call_")
		}
	case chat.EventToolArgs:
		c.args = append(c.args, ev.Text...)
	case chat.EventSignature:
		c.signature += ev.Text
	}
}

// callsOf reads the calls of a whole answer.
func callsOf(parts []chat.Part) calls {
	var cs calls
	for _, p := range parts {
		if p.Kind != chat.ToolCallPart || p.ToolCall == nil {
			continue
		}
		c := &call{index: len(cs), id: p.ToolCall.ID, name: p.ToolCall.Name, args: []byte(p.ToolCall.Arguments), signature: p.Signature}
		if c.id == "" {
			c.id = randomID("call_")
		}
		cs = append(cs, c)
	}
	return cs
}

// argsText is the arguments as JSON text, "{}" when there were none.
func (c *call) argsText() string {
	if len(bytes.TrimSpace(c.args)) == 0 {
		return "{}"
	}
	return string(c.args)
}

// argsJSON is the arguments as the protocol wants them, an object. What a model
// left unfinished is shown as text: the client then sees that it is none.
func (c *call) argsJSON() json.RawMessage {
	text := c.argsText()
	if !json.Valid([]byte(text)) {
		return appendQuoted(nil, text)
	}
	return json.RawMessage(text)
}

// credits is what the call cost as a JSON number, exactly, when the client is to
// see it: billing is on and something was charged.
func credits(c dialect.Closing) json.Number {
	if !c.Billed || c.Credits <= 0 {
		return ""
	}
	return json.Number(c.Credits.String())
}

// modelOf is the model as the provider named it in its answer, else as the hub
// names it there.
func modelOf(answered string, c dialect.Closing) string {
	if answered != "" {
		return answered
	}
	return c.Model
}

// firstChoice is the choice with index 0, nil when there is none.
func firstChoice(res *chat.Response) *chat.Choice {
	for i := range res.Choices {
		if res.Choices[i].Index == 0 {
			return &res.Choices[i]
		}
	}
	return nil
}
