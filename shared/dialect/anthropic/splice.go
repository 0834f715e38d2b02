package anthropic

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// Splice keeps the caller's bytes but for the model, an output limit above what
// the wallet covers, and "route", which is the hub's own. The caller's version
// and betas go along: they decide what the other bytes mean. Vertex AI has the
// version in the body and the model in the path.
func (Client) Splice(v *dialect.View, t dialect.Target) (dialect.Encoded, error) {
	model, err := json.Marshal(t.Model)
	if err != nil {
		return dialect.Encoded{}, hub.Wrap(hub.CodeInternal, err, "The model's name could not be written.")
	}
	o := v.Object.Clone()
	if t.Quirks.Vertex {
		o.Delete("model")
		o.Set("anthropic_version", []byte(`"`+vertexVersion+`"`))
	} else {
		o.Set("model", model)
	}
	if t.LowerTo > 0 && (v.MaxOutput == nil || *v.MaxOutput > t.LowerTo) {
		o.Set("max_tokens", strconv.AppendInt(nil, t.LowerTo, 10))
	}
	o.Delete("route")
	messages, err := withoutSeals(v)
	if err != nil {
		return dialect.Encoded{}, err
	}
	if messages != nil {
		o.Set("messages", messages)
	}
	h := http.Header{}
	if !t.Quirks.Vertex {
		h.Set("anthropic-version", firstOf(v.Header.Get("anthropic-version"), defaultVersion))
	}
	for _, beta := range v.Header.Values("anthropic-beta") {
		h.Add("anthropic-beta", beta)
	}
	return dialect.Encoded{Body: o.Bytes(), Header: h}, nil
}
