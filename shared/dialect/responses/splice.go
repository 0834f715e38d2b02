package responses

import (
	"strconv"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
)

// Splice prepares a native request: the caller's own bytes with the model, the
// output limit where it must be lowered, and without thoughts that other vendors
// have signed, which OpenAI would refuse.
func (Client) Splice(v *dialect.View, t dialect.Target) (dialect.Encoded, error) {
	o := v.Object.Clone()
	if v.Model != t.Model {
		o.Set("model", quote(t.Model))
	}
	if v.Stream != t.Stream {
		o.Set("stream", strconv.AppendBool(nil, t.Stream))
	}
	if t.LowerTo > 0 && (v.MaxOutput == nil || *v.MaxOutput > t.LowerTo) {
		o.Set("max_output_tokens", strconv.AppendInt(nil, t.LowerTo, 10))
	}
	if input, ok := o.Get("input"); ok {
		if own, changed := withoutForeign(input); changed {
			o.Set("input", own)
		}
	}
	return dialect.Encoded{Body: o.Bytes()}, nil
}
