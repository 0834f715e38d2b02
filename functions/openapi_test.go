package functions_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
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
	"github.com/aigne-hub/aigne-hub/shared/openapi/generate"
	"github.com/aigne-hub/aigne-hub/shared/testkit/readme"
)

var update = readme.UpdateFlag()

// tables are all route tables, in the order of the document.
func tables() []generate.Function {
	out := []generate.Function{{Name: "common", Routes: openapi.Common()}}
	for _, name := range []string{"proxy", "auth", "usage", "billing", "admin"} {
		out = append(out, generate.Function{Name: name, Routes: all[name].routes()})
	}
	return out
}

func TestTheOpenAPIDocumentIsThatOfTheRoutes(t *testing.T) {
	t.Parallel()
	want, err := generate.Document(tables())
	require.NoError(t, err)
	path := filepath.Join("..", "shared", "openapi", "openapi.json")
	if *update {
		require.NoError(t, os.WriteFile(path, want, 0o644))
		return
	}
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(want, got), "shared/openapi/openapi.json is not what the routes say; run: go test ./functions -run OpenAPI -update")
	assert.Equal(t, string(want), string(openapi.Document("")), "what is served is what is kept")
}

func TestEveryRouteSaysWhatItTakesAndGives(t *testing.T) {
	t.Parallel()
	for name, f := range all {
		for _, rt := range f.routes() {
			what, d := name+": "+rt.Name(), rt.Doc
			assert.NotEmpty(t, d.Summary, "%s has no summary in docs.go", what)
			own := d.Vendor == ""
			if rt.Method == http.MethodPost || rt.Method == http.MethodPut || rt.Method == http.MethodPatch {
				assert.True(t, !own || d.Request != nil || d.Takes != "", "%s: say the type of its body in docs.go, or httpkit.NoBody", what)
			}
			if rt.Method == http.MethodGet {
				assert.True(t, !own || d.Response != nil || d.Gives != "", "%s: say the type of its answer in docs.go", what)
			}
			assert.True(t, own || name == "proxy", "%s: only the words of other vendors are described elsewhere", what)
		}
	}
}

// kept is the document as answers are held against it: an object has no field that
// the document does not know.
var kept = sync.OnceValue(func() *jsonschema.Compiler {
	var doc any
	if err := json.Unmarshal(openapi.Document(""), &doc); err != nil {
		panic(err)
	}
	strict(doc)
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource("mem:///openapi.json", doc); err != nil {
		panic(err)
	}
	return c
})

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

var compiling sync.Mutex // a compiler is not for several at once

// conforms holds an answer, and the body of a request that was taken, against the
// document. It reports false where the document has no schema for the answer.
func conforms(t *testing.T, fn, method, target, body string, res *httptest.ResponseRecorder) bool {
	t.Helper()
	rt, ok := routeOf(fn, method, target)
	if !ok || !strings.HasPrefix(res.Header().Get("Content-Type"), "application/json") {
		return false
	}
	const asJSON = "/content/application~1json/schema"
	operation := "#/paths/" + strings.NewReplacer("...}", "}", "/", "~1").Replace(rt.Pattern) + "/" + strings.ToLower(rt.Method)
	if res.Code < 300 && rt.Doc.Request != nil {
		assert.NoError(t, fits(t, operation+"/requestBody"+asJSON, []byte(body)), "%s %s took a body that /openapi.json does not allow: %s", method, target, body)
	}
	pointer := operation + "/responses/" + strconv.Itoa(res.Code) + asJSON
	switch {
	case res.Code >= 400 && rt.ErrorBody != nil, res.Code < 400 && rt.Doc.Response == nil:
		return false
	case res.Code >= 400:
		pointer = "#/components/schemas/Error"
	case !slices.Contains(append(rt.Doc.Also, rt.Doc.Success()), res.Code):
		assert.Fail(t, "a status that the document does not know", "%s %s: %d", method, target, res.Code)
		return true
	}
	assert.NoError(t, fits(t, pointer, res.Body.Bytes()), "%s %s is not answered as /openapi.json says: %s", method, target, res.Body)
	return true
}

// fits holds a JSON value against a schema in the document.
func fits(t *testing.T, pointer string, value []byte) error {
	t.Helper()
	compiling.Lock()
	s, err := kept().Compile("mem:///openapi.json" + strings.NewReplacer("{", "%7B", "}", "%7D").Replace(pointer))
	compiling.Unlock()
	require.NoError(t, err)
	got, err := jsonschema.UnmarshalJSON(bytes.NewReader(value))
	require.NoError(t, err)
	return s.Validate(got)
}

// routers find the route of a request, by function.
var routers = sync.OnceValue(func() map[string]*http.ServeMux {
	out := map[string]*http.ServeMux{}
	for name, f := range all {
		mux := http.NewServeMux()
		for _, rt := range f.routes() {
			mux.Handle(rt.Name(), named(rt))
		}
		out[name] = mux
	}
	return out
})

type named httpkit.Route

func (named) ServeHTTP(http.ResponseWriter, *http.Request) {}

func routeOf(fn, method, target string) (httpkit.Route, bool) {
	r := httptest.NewRequest(method, target, nil)
	h, _ := routers()[fn].Handler(r)
	n, ok := h.(named)
	return httpkit.Route(n), ok
}
