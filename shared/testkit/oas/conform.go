package oas

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/openapi"
)

// Checker holds what a function takes and answers against the document of the hub.
type Checker struct{ router *http.ServeMux }

// NewChecker makes a checker for the routes of a function, as its Routes returns them.
func NewChecker(routes []httpkit.Route) *Checker {
	c := &Checker{http.NewServeMux()}
	for _, rt := range routes {
		c.router.Handle(rt.Name(), named(rt))
	}
	return c
}

// named is a route that http.ServeMux finds for a request.
type named httpkit.Route

func (named) ServeHTTP(http.ResponseWriter, *http.Request) {}

// Check holds an answer, and the body of a request that was taken, against the
// document. It reports the route, and whether the document has a schema for the answer.
func (c *Checker) Check(t testing.TB, method, target, body string, status int, header http.Header, answer []byte) (route string, checked bool) {
	t.Helper()
	h, _ := c.router.Handler(httptest.NewRequestWithContext(t.Context(), method, target, nil))
	n, ok := h.(named)
	if !ok {
		return "", false
	}
	rt := httpkit.Route(n)
	const asJSON = "/content/application~1json/schema"
	operation := "#/paths/" + strings.NewReplacer("...}", "}", "/", "~1").Replace(rt.Pattern) + "/" + strings.ToLower(rt.Method)
	if status < 300 && rt.Doc.Request != nil {
		assert.NoError(t, fits(t, operation+"/requestBody"+asJSON, []byte(body)), "%s %s took a body that /openapi.json does not allow: %s", method, target, body)
	}
	if !strings.HasPrefix(header.Get("Content-Type"), "application/json") {
		return rt.Name(), false
	}
	pointer := operation + "/responses/" + strconv.Itoa(status) + asJSON
	switch {
	case status >= 400 && rt.ErrorBody != nil, status < 400 && rt.Doc.Response == nil:
		return rt.Name(), false
	case status >= 400:
		pointer = "#/components/schemas/Error"
	case !slices.Contains(append(rt.Doc.Also, rt.Doc.Success()), status):
		assert.Fail(t, "a status that the document does not know", "%s %s: %d", method, target, status)
		return rt.Name(), true
	}
	assert.NoError(t, fits(t, pointer, answer), "%s %s is not answered as /openapi.json says: %s", method, target, answer)
	return rt.Name(), true
}

// compiler has the document as answers are held against it: an object has no field
// that the document does not know. It is not for several at once.
var compiler = sync.OnceValues(func() (*jsonschema.Compiler, error) {
	var doc any
	if err := json.Unmarshal(openapi.Document(""), &doc); err != nil {
		return nil, err
	}
	strict(doc)
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	return c, c.AddResource(address, doc)
})

const address = "mem:///openapi.json"

var compiling sync.Mutex

func strict(v any) {
	switch v := v.(type) {
	case map[string]any:
		if _, is := v["properties"].(map[string]any); is && v["type"] == "object" && v["additionalProperties"] == nil {
			v["additionalProperties"] = false
		}
		for _, inner := range v {
			strict(inner)
		}
	case []any:
		for _, inner := range v {
			strict(inner)
		}
	}
}

// fits holds a JSON value against a schema in the document.
func fits(t testing.TB, pointer string, value []byte) error {
	t.Helper()
	compiling.Lock()
	c, err := compiler()
	require.NoError(t, err)
	s, err := c.Compile(address + strings.NewReplacer("{", "%7B", "}", "%7D").Replace(pointer))
	compiling.Unlock()
	require.NoError(t, err)
	got, err := jsonschema.UnmarshalJSON(bytes.NewReader(value))
	require.NoError(t, err)
	return s.Validate(got)
}
