// Package gemini speaks Google's generateContent language on both sides, as the
// public Gemini API reference (ai.google.dev/api, v1beta) describes it: what
// callers such as the @google/genai SDK send to the hub, and what the hub sends
// to providers. It makes no HTTP calls and knows no credentials.
package gemini

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// Client is the client side of the language. The zero value is ready.
type Client struct{}

var _ dialect.Client = Client{}

// Name returns dialect.Gemini.
func (Client) Name() dialect.Name { return dialect.Gemini }

// Path returns the method's path below a base URL such as
// https://generativelanguage.googleapis.com/v1beta. Each segment of the model
// name is escaped; a name that brings its own collection ("models/…",
// "tunedModels/…", "publishers/…") keeps it.
func (Client) Path(t dialect.Target) string {
	segments := strings.Split(t.Model, "/")
	for i, s := range segments {
		segments[i] = escapeSegment(s)
	}
	name := strings.Join(segments, "/")
	switch {
	case len(segments) > 1 && collections[segments[0]]:
		name = "/" + name
	case t.Quirks.Vertex:
		name = "/publishers/google/models/" + name
	default:
		name = "/models/" + name
	}
	if t.Stream {
		return name + ":streamGenerateContent?alt=sse"
	}
	return name + ":generateContent"
}

// collections are the first segments of full resource names.
var collections = map[string]bool{"models": true, "tunedModels": true, "publishers": true, "projects": true}

// escapeSegment escapes one path segment. Dot segments are escaped too, so that
// no model name reaches another method of the provider; so are colons, which
// begin the method's name.
func escapeSegment(s string) string {
	if s == "." || s == ".." {
		return strings.ReplaceAll(s, ".", "%2E")
	}
	return strings.ReplaceAll(url.PathEscape(s), ":", "%3A")
}

// Splice returns the caller's body with its output limit lowered where the
// wallet demands it. The model stands in the path; a "model" member, which the
// path overrules, is taken out so that both cannot differ.
func (Client) Splice(v *dialect.View, t dialect.Target) (dialect.Encoded, error) {
	if v == nil || v.Object == nil {
		return dialect.Encoded{}, hub.Errorf(hub.CodeInternal, "The request has no body to forward.")
	}
	o := v.Object.Clone()
	o.Delete("model")
	o.Delete("route") // the hub's own
	if t.LowerTo > 0 {
		if err := lowerOutput(o, t.LowerTo); err != nil {
			return dialect.Encoded{}, err
		}
	}
	return dialect.Encoded{Body: withoutForeign(o.Bytes())}, nil
}

// lowerOutput sets generationConfig.maxOutputTokens to at most limit. The API
// takes each name in camelCase and in snake_case; both at once would leave open
// which one counts.
func lowerOutput(o *wire.Object, limit int64) error {
	key, err := spelling(o, "", "generationConfig", "generation_config")
	if err != nil {
		return err
	}
	config := []byte("{}")
	if o.Has(key) {
		config, _ = o.Get(key)
	}
	c, err := wire.Parse(config)
	if err != nil {
		return hub.Invalid(key, "%s must be an object: %v.", key, err)
	}
	field, err := spelling(c, key+".", "maxOutputTokens", "max_output_tokens")
	if err != nil {
		return err
	}
	if raw, ok := c.Get(field); ok {
		if n, err := strconv.ParseInt(strings.Trim(string(raw), `"`), 10, 64); err == nil && n > 0 && n <= limit {
			return nil
		}
	}
	c.Set(field, strconv.AppendInt(nil, limit, 10))
	o.Set(key, c.Bytes())
	return nil
}

func spelling(o *wire.Object, path, camel, snake string) (string, error) {
	_, hasCamel := o.Get(camel)
	_, hasSnake := o.Get(snake)
	if hasCamel && hasSnake {
		return "", hub.Invalid(path+camel, "%s and %s are the same field; send one of them.", path+camel, path+snake)
	}
	if hasSnake {
		return snake, nil
	}
	return camel, nil
}
