package functions_test

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/openapi"
	"github.com/aigne-hub/aigne-hub/shared/openapi/generate"
	"github.com/aigne-hub/aigne-hub/shared/testkit/oas"
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

// checkers hold what functions take and answer against the document.
var checkers = sync.OnceValue(func() map[string]*oas.Checker {
	out := map[string]*oas.Checker{}
	for name, f := range all {
		out[name] = oas.NewChecker(f.routes())
	}
	return out
})
