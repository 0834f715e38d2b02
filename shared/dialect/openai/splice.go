package openai

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// gatewayField is a member that only the hub understands.
const gatewayField = "route"

// Splice prepares a native request. Everything the hub does not have to change
// leaves as it came.
func (Client) Splice(v *dialect.View, t dialect.Target) (dialect.Encoded, error) {
	o := v.Object.Clone()
	if v.Model != t.Model {
		o.Set("model", quote(t.Model))
	}
	if v.Stream != t.Stream {
		o.Set("stream", strconv.AppendBool(nil, t.Stream))
	}
	o.Delete(gatewayField)
	if err := withoutForeign(o, t); err != nil {
		return dialect.Encoded{}, err
	}
	if err := spliceUsage(o, t); err != nil {
		return dialect.Encoded{}, err
	}
	spliceLimit(o, t)
	spliceNames(o, t.Quirks)
	return dialect.Encoded{Body: o.Bytes()}, nil
}

// withoutForeign takes out of the messages what another model's vendor signed and
// this one's does not know: it would refuse a conversation that another began.
// reasoning_details stay where the vendor has them; the signatures of calls are
// Google's, for models of that name.
func withoutForeign(o *wire.Object, t dialect.Target) error {
	raw, _ := o.Get("messages")
	details := !t.Quirks.ReasoningDetails && bytes.Contains(raw, []byte(`"reasoning_details"`))
	calls := !strings.Contains(strings.ToLower(t.Model), "gemini") && bytes.Contains(raw, []byte(`"extra_content"`))
	if !details && !calls {
		return nil
	}
	all, err := eachObject("messages", raw, func(at string, m *wire.Object) error {
		if details {
			m.Delete("reasoning_details")
		}
		of, ok := m.Get("tool_calls")
		if !calls || !ok || of[0] != '[' {
			return nil
		}
		plain, err := eachObject(at+".tool_calls", of, func(_ string, c *wire.Object) error {
			c.Delete("extra_content")
			return nil
		})
		m.Set("tool_calls", plain)
		return err
	})
	if err == nil {
		o.Set("messages", all)
	}
	return err
}

// eachObject calls edit for every element of an array of objects and gives back
// the array.
func eachObject(at string, raw json.RawMessage, edit func(at string, o *wire.Object) error) ([]byte, error) {
	var all []json.RawMessage
	if err := dialect.ReadParam(at, raw, &all, "an array of objects"); err != nil {
		return nil, err
	}
	out := []byte{'['}
	for i, one := range all {
		here := fmt.Sprintf("%s[%d]", at, i)
		el, err := wire.Parse(one)
		if err != nil {
			return nil, badMessage(here, one)
		}
		if err := edit(here, el); err != nil {
			return nil, err
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, el.Bytes()...)
	}
	return append(out, ']'), nil
}

// spliceUsage asks a stream for its usage, without which it can only be
// estimated; the other members of stream_options stay.
func spliceUsage(o *wire.Object, t dialect.Target) error {
	if t.Quirks.NoStreamUsage {
		o.Delete("stream_options")
		return nil
	}
	if !t.Stream {
		return nil
	}
	raw, ok := o.Get("stream_options")
	if !ok || raw[0] != '{' {
		o.Set("stream_options", []byte(`{"include_usage":true}`))
		return nil
	}
	options, err := wire.Parse(raw)
	if err != nil {
		return hub.Invalid("stream_options", "stream_options cannot be read: %v.", err)
	}
	if options.Bool("include_usage") {
		return nil
	}
	options.Set("include_usage", []byte("true"))
	o.Set("stream_options", options.Bytes())
	return nil
}

// spliceLimit lowers the output limit to what the caller's wallet covers, in
// every field the caller used.
func spliceLimit(o *wire.Object, t dialect.Target) {
	if t.LowerTo <= 0 {
		return
	}
	limit := strconv.AppendInt(nil, t.LowerTo, 10)
	said := false
	for _, name := range maxTokenFields {
		if !o.Has(name) {
			continue
		}
		said = true
		raw, _ := o.Get(name)
		if n, ok := dialect.Whole(raw); !ok || n > t.LowerTo {
			o.Set(name, limit)
		}
	}
	if !said {
		o.Set(limitField(t.Quirks), limit)
	}
}

func limitField(q dialect.Quirks) string {
	if q.MaxTokensField != "" {
		return q.MaxTokensField
	}
	return maxTokenFields[0]
}
