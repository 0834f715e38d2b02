package anthropic

import (
	"net/url"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
)

// vertexVersion stands in the body of requests to Vertex AI, in place of the model
// and of the anthropic-version header (Anthropic's "Claude on Vertex AI" page).
const vertexVersion = "vertex-2023-10-16"

// vertexPath is below projects/PROJECT/locations/LOCATION. A model's name is one
// segment; its colons are escaped, since one begins the method's name.
func vertexPath(t dialect.Target) string {
	name := strings.ReplaceAll(url.PathEscape(t.Model), ":", "%3A")
	if name == "." || name == ".." {
		name = strings.ReplaceAll(name, ".", "%2E")
	}
	method := ":rawPredict"
	if t.Stream {
		method = ":streamRawPredict"
	}
	return "/publishers/anthropic/models/" + name + method
}
