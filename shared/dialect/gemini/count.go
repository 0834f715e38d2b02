package gemini

import (
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
)

var (
	_ dialect.Counter       = Server{}
	_ dialect.PromptCounter = Client{}
)

// Counted encodes the answer to countTokens (ai.google.dev/api/tokens).
func (Server) Counted(tokens int64) []byte {
	return encodeJSON(map[string]int64{"totalTokens": tokens})
}

// Count prepares countTokens with the caller's own bytes. A whole request inside
// it names the model again, which must be the one of the path.
func (c Client) Count(v *dialect.View, t dialect.Target) (string, dialect.Encoded, error) {
	t.Stream = false
	path := strings.TrimSuffix(c.Path(t), ":"+Generate)
	o := v.Object.Clone()
	o.Delete("model")
	key, err := spelling(o, "", "generateContentRequest", "generate_content_request")
	if err != nil {
		return "", dialect.Encoded{}, err
	}
	if raw, ok := o.Get(key); ok && o.Has(key) {
		inner, err := parse(key, raw)
		if err != nil {
			return "", dialect.Encoded{}, err
		}
		inner.Set("model", quoted(strings.TrimPrefix(path, "/")))
		o.Set(key, inner.Bytes())
	}
	return path + ":" + CountTokens, dialect.Encoded{Body: withoutForeign(o.Bytes())}, nil
}
