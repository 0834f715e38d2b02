package openai

import (
	"net/http"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// maxN is how many answers OpenAI gives at most.
const maxN = 128

// View reads the head of a request from its bytes.
func (Server) View(r *http.Request, body []byte) (*dialect.View, error) {
	o, err := wire.Parse(body)
	if err != nil {
		return nil, dialect.BadBody(err)
	}
	v := &dialect.View{Object: o, N: 1}
	if r != nil {
		v.Header = r.Header
	}
	if v.Model, _ = o.String("model"); strings.TrimSpace(v.Model) == "" {
		return nil, hub.Invalid("model", "model must name a model.")
	}
	if messages, _ := o.Get("messages"); len(messages) == 0 || messages[0] != '[' {
		return nil, hub.Invalid("messages", "messages must be an array.")
	}
	if o.Has("models") {
		// OpenRouter's list of stand-ins: the call would be priced as one model
		// and served as another.
		return nil, hub.Invalid("models", "models is not taken: name one model in model.")
	}
	if err := viewNumbers(v); err != nil {
		return nil, err
	}
	if v.Stream, err = dialect.Flag(o, "stream"); err != nil {
		return nil, err
	}
	if v.WantsUsage, err = wantsUsage(o); err != nil {
		return nil, err
	}
	v.WantsUsage = v.WantsUsage && v.Stream
	messages, _ := o.Get("messages")
	v.OpaqueInput = opaque(messages)
	v.ServerTools = serverTools(o)
	return v, nil
}

func wantsUsage(o *wire.Object) (wants bool, err error) {
	raw, ok := o.Get("stream_options")
	if !ok || string(raw) == "null" {
		return false, nil
	}
	if raw[0] != '{' {
		return false, hub.Invalid("stream_options", "stream_options must be an object.")
	}
	options, err := wire.Parse(raw)
	if err != nil {
		return false, hub.Invalid("stream_options", "stream_options cannot be read: %v.", err)
	}
	if wants, err = dialect.Flag(options, "include_usage"); err != nil {
		return false, hub.Invalid("stream_options.include_usage", "include_usage must be true or false.")
	}
	return wants, nil
}

// viewNumbers reads the limits. Where a caller sends both names of the output
// limit the larger one counts: it bounds what can be spent.
func viewNumbers(v *dialect.View) error {
	for _, name := range maxTokenFields {
		n, err := positive(v.Object, name)
		if err != nil {
			return err
		}
		if n != nil && (v.MaxOutput == nil || *n > *v.MaxOutput) {
			v.MaxOutput = n
		}
	}
	n, err := positive(v.Object, "n")
	if err != nil {
		return err
	}
	if n != nil {
		if *n > maxN {
			return hub.Invalid("n", "n must be between 1 and %d.", maxN)
		}
		v.N = *n
	}
	v.Thinking = max(budgetIn(v.Object, "reasoning", "max_tokens"), budgetIn(v.Object, "thinking", "budget_tokens"))
	return nil
}

// maxTokenFields are the names of the output limit, the newest first.
var maxTokenFields = []string{"max_completion_tokens", "max_tokens"}

func positive(o *wire.Object, name string) (*int64, error) {
	if !o.Has(name) {
		return nil, nil
	}
	raw, _ := o.Get(name)
	n, ok := dialect.Whole(raw)
	if !ok || n < 1 {
		return nil, hub.Invalid(name, "%s must be a whole number of at least 1.", name)
	}
	return &n, nil
}

// budgetIn reads a thinking budget that vendors take in an object of their own.
func budgetIn(o *wire.Object, name, field string) (n int64) {
	raw, _ := o.Get(name)
	eachMember(raw, func(key []byte, c *cursor) {
		if v := c.value(); string(key) == field {
			n, _ = count(v)
		}
	})
	return n
}

// opaque looks for content that is not in the body. Every part of a kind not
// known here counts as such, as does every member that can hold a reference,
// also where it stands twice or in a part of another type.
func opaque(messages []byte) bool {
	c := cursor{b: messages}
	if !c.enter('[') {
		return true
	}
	found := false
	for c.item() && !found {
		eachMember(c.value(), func(key []byte, c *cursor) {
			v := c.value()
			switch string(key) {
			case "content":
				found = found || opaqueContent(v)
			case "audio": // an earlier answer's sound, by its id
				found = found || v != nil
			}
		})
	}
	return found || c.bad
}

func opaqueContent(raw []byte) bool {
	switch {
	case len(raw) == 0 || raw[0] == '"':
		return false
	case raw[0] == '{':
		return opaquePart(raw)
	}
	c := cursor{b: raw}
	if !c.enter('[') {
		return true
	}
	for c.item() {
		if opaquePart(c.value()) {
			return true
		}
	}
	return c.bad
}

func opaquePart(part []byte) (found bool) {
	if len(part) == 0 || part[0] != '{' {
		return len(part) > 0 && part[0] != '"'
	}
	eachMember(part, func(key []byte, c *cursor) {
		v := c.value()
		switch string(key) {
		case "type":
			switch wire.Text(v) {
			case "text", "refusal", "image_url", "input_audio", "file":
			default:
				found = true
			}
		case "text", "refusal", "cache_control", "detail":
		default:
			found = found || refers(v)
		}
	})
	return found
}

// refers reports whether a value holds, at any depth, a URL that is not its own
// content or a file id. It does not follow more than maxReferDepth levels.
func refers(raw []byte) bool { return refersAt(raw, maxReferDepth) }

const maxReferDepth = 8

func refersAt(raw []byte, depth int) (found bool) {
	if len(raw) == 0 {
		return false
	}
	if depth == 0 {
		return true
	}
	switch raw[0] {
	case '"':
		return strings.Contains(prefix(wire.Text(clip(raw)), 16), "://")
	case '[':
		for c := (cursor{b: raw, i: 1}); c.item(); {
			if refersAt(c.value(), depth-1) {
				return true
			}
		}
	case '{':
		eachMember(raw, func(key []byte, c *cursor) {
			v := c.value()
			switch string(key) {
			case "url", "image_url":
				if v != nil && v[0] == '"' {
					_, inline := cutScheme(wire.Text(clip(v)), "data:")
					found = found || !inline
					return
				}
			case "file_id", "file_url", "id":
				found = found || v != nil
			}
			found = found || refersAt(v, depth-1)
		})
	}
	return found
}

// clip shortens a raw string to its beginning, cutting no escape: megabytes of
// base64 need not be decoded to see what they begin with.
func clip(raw []byte) []byte {
	const most = 64
	i := 1
	for i < most && i < len(raw)-1 {
		switch {
		case raw[i] != '\\':
			i++
		case raw[i+1] == 'u':
			i += 6
		default:
			i += 2
		}
	}
	if i >= len(raw)-1 {
		return raw
	}
	return append(append(make([]byte, 0, i+1), raw[:i]...), '"')
}

func prefix(s string, n int) string { return s[:min(n, len(s))] }

// serverTools looks for what the provider runs and bills by itself.
func serverTools(o *wire.Object) (found bool) {
	if o.Has("web_search_options") || o.Has("plugins") || o.Has("search_parameters") {
		return true
	}
	raw, _ := o.Get("tools")
	c := cursor{b: raw}
	if !c.enter('[') {
		return false
	}
	for c.item() {
		eachMember(c.value(), func(key []byte, c *cursor) {
			if v := c.value(); string(key) == "type" {
				kind := wire.Text(v)
				found = found || kind != "function" && kind != "custom"
			}
		})
	}
	return found
}
