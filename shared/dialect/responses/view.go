package responses

import (
	"net/http"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// View reads the head of a request from its bytes. input may be left out only
// where another member brings the content.
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
	if o.Has("models") {
		// OpenRouter's list of stand-ins: the call would be priced as one model and
		// served as another.
		return nil, hub.Invalid("models", "models is not taken: name one model in model.")
	}
	input, _ := o.Get("input")
	switch {
	case absent(input):
		if !o.Has("previous_response_id") && !o.Has("prompt") && !o.Has("conversation") {
			return nil, hub.Invalid("input", "input must be a string or an array of items.")
		}
	case input[0] != '"' && input[0] != '[':
		return nil, hub.Invalid("input", "input must be a string or an array of items.")
	}
	if v.Stream, err = dialect.Flag(o, "stream"); err != nil {
		return nil, err
	}
	v.WantsUsage = v.Stream // the closing event holds it, asked for or not
	if v.MaxOutput, err = limit(o); err != nil {
		return nil, err
	}
	v.OpaqueInput = opaque(o, input)
	v.ServerTools = serverTools(o)
	return v, nil
}

func limit(o *wire.Object) (*int64, error) {
	const name = "max_output_tokens"
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

// opaque looks for content that is not in the body: what is stored at the
// provider, files by their id, pictures and documents by their URL.
func opaque(o *wire.Object, input []byte) bool {
	if o.Has("previous_response_id") || o.Has("conversation") || o.Has("prompt") {
		return true
	}
	return refers(input, maxReferDepth)
}

const maxReferDepth = 8

// refers reports whether a value holds, at any depth, a reference to content
// elsewhere. Deeper than it looks it takes for granted that there is one.
func refers(raw []byte, depth int) (found bool) {
	if len(raw) == 0 {
		return false
	}
	if depth == 0 {
		return true
	}
	switch raw[0] {
	case '[':
		wire.EachElement(raw, func(v []byte) bool {
			found = refers(v, depth-1)
			return !found
		})
	case '{':
		wire.EachMember(raw, func(key string, v []byte) bool {
			switch key {
			case "image_url", "file_url":
				found = !absent(v) && !inline(v)
			case "file_id":
				found = !absent(v)
			case "type":
				found = wordOf(v) == "item_reference"
			case "arguments", "text", "encrypted_content":
			default:
				found = refers(v, depth-1)
			}
			return !found
		})
	}
	return found
}

// inline reports whether a raw URL holds its own content.
func inline(raw []byte) bool {
	const most = 16
	return strings.HasPrefix(strings.ToLower(string(raw[:min(len(raw), most)])), `"data:`)
}

// serverTools looks for what the provider runs and bills by itself.
func serverTools(o *wire.Object) (found bool) {
	raw, _ := o.Get("tools")
	wire.EachElement(raw, func(tool []byte) bool {
		found = builtIn(wordOf(wire.Member(tool, "type")))
		return !found
	})
	return found
}

// builtIn reports whether a tool of this type is the provider's own.
func builtIn(kind string) bool {
	switch kind {
	case "function", "custom", "namespace":
		return false
	}
	return true
}
