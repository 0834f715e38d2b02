package openai

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

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
	if !t.Quirks.ReasoningDetails {
		if err := withoutDetails(o); err != nil {
			return dialect.Encoded{}, err
		}
	}
	if err := spliceUsage(o, t); err != nil {
		return dialect.Encoded{}, err
	}
	spliceLimit(o, t)
	spliceNames(o, t.Quirks)
	return dialect.Encoded{Body: o.Bytes()}, nil
}

// withoutDetails takes reasoning_details out of the messages: vendors that do
// not know them refuse a conversation that another model began.
func withoutDetails(o *wire.Object) error {
	raw, _ := o.Get("messages")
	if !bytes.Contains(raw, []byte(`"reasoning_details"`)) {
		return nil
	}
	var all []json.RawMessage
	if err := read("messages", raw, &all, "an array of messages"); err != nil {
		return err
	}
	out := []byte{'['}
	for i, one := range all {
		m, err := wire.Parse(one)
		if err != nil {
			return badMessage(fmt.Sprintf("messages[%d]", i), one)
		}
		m.Delete("reasoning_details")
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, m.Bytes()...)
	}
	o.Set("messages", append(out, ']'))
	return nil
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
		if n, ok := whole(raw); !ok || n > t.LowerTo {
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
