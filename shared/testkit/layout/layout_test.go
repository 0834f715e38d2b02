// Package layout_test keeps the shape of the repository: which way imports go,
// what stands at the top, how long files get.
package layout_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/aigne-hub/aigne-hub/"

// forbidden lists, for packages that begin with a prefix, the prefixes they must
// not import. Everything else may stand on what lies below it.
var forbidden = []struct {
	from string
	to   []string
}{
	{"shared/hub", []string{"shared/"}},
	{"shared/money", []string{"shared/", "functions/"}},
	{"shared/wire", []string{"shared/", "functions/"}},
	{"shared/chat", []string{"shared/store", "shared/dialect", "shared/provider", "shared/routing", "shared/upstream"}},
	{"shared/dialect", []string{"shared/store", "shared/provider", "shared/routing", "shared/upstream", "shared/admission", "shared/httpkit"}},
	{"shared/provider", []string{"shared/store", "shared/routing", "shared/upstream", "shared/admission"}},
	{"shared/pricing", []string{"shared/store", "shared/routing", "shared/dialect", "shared/provider"}},
	{"shared/store", []string{"shared/routing", "shared/dialect", "shared/provider", "shared/pricing", "shared/admission", "shared/httpkit"}},
	{"shared/routing", []string{"shared/store", "shared/upstream", "shared/admission", "shared/httpkit"}},
	{"shared/httpkit", []string{"shared/store", "shared/routing", "shared/dialect", "shared/boot"}},
	{"shared/lambdahttp", []string{"shared/store", "shared/routing", "shared/dialect", "shared/boot"}},
	{"shared/movein", []string{"shared/operator", "shared/boot", "shared/httpkit", "shared/admission"}},
	{"shared/", []string{"functions/", "localrun"}},
	{"functions/", []string{"localrun"}},
}

type pkg struct {
	ImportPath string
	Dir        string
	Imports    []string
	GoFiles    []string
}

func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Dir,Imports,GoFiles", module+"...")
	out, err := cmd.Output()
	require.NoError(t, err)
	var all []pkg
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else {
			require.NoError(t, err)
		}
		all = append(all, p)
	}
}

func TestImportsGoOneWay(t *testing.T) {
	t.Parallel()
	all := packages(t)
	require.Greater(t, len(all), 20)
	for _, p := range all {
		from := strings.TrimPrefix(p.ImportPath, module)
		if strings.HasPrefix(from, "shared/testkit") {
			continue // tests stand on everything
		}
		for _, imp := range p.Imports {
			to, own := strings.CutPrefix(imp, module)
			if !own {
				continue
			}
			assert.False(t, strings.HasPrefix(to, "shared/testkit"), "%s imports test code %s", from, to)
			for _, rule := range forbidden {
				if !strings.HasPrefix(from+"/", rule.from) || strings.HasPrefix(to+"/", rule.from+"/") {
					continue
				}
				for _, not := range rule.to {
					bad := strings.HasPrefix(to+"/", not) && (rule.from == "shared/" || to != "shared/hub")
					assert.False(t, bad, "%s must not import %s", from, to)
				}
			}
		}
		assertOwnFunction(t, from, p.Imports)
		assertOwnDialect(t, from, p.Imports)
	}
}

// assertOwnFunction: no function imports another.
func assertOwnFunction(t *testing.T, from string, imports []string) {
	t.Helper()
	if !strings.HasPrefix(from, "functions/") {
		return
	}
	own := strings.Join(strings.Split(from, "/")[:2], "/")
	for _, imp := range imports {
		to := strings.TrimPrefix(imp, module)
		assert.False(t, strings.HasPrefix(to, "functions/") && !strings.HasPrefix(to+"/", own+"/"), "%s imports the function %s", from, to)
	}
}

// assertOwnDialect: dialects do not import each other.
func assertOwnDialect(t *testing.T, from string, imports []string) {
	t.Helper()
	if !strings.HasPrefix(from, "shared/dialect/") {
		return
	}
	for _, imp := range imports {
		to := strings.TrimPrefix(imp, module)
		assert.False(t, strings.HasPrefix(to, "shared/dialect/"), "the dialect %s imports %s", from, to)
	}
}

func root(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "env", "GOMOD").Output()
	require.NoError(t, err)
	return filepath.Dir(strings.TrimSpace(string(out)))
}

func TestTheTopLevelIsAsTheOwnerFixedIt(t *testing.T) {
	t.Parallel()
	allowed := []string{"functions", "shared", "localrun", "infra", "testdata", "template.yaml", "go.mod", "go.sum", "Makefile",
		"README.md", "CHANGELOG.md", "LICENSE", "bin", "dist"} // the last two are built and not in git
	entries, err := os.ReadDir(root(t))
	require.NoError(t, err)
	for _, e := range entries {
		name := e.Name()
		translated := strings.HasPrefix(name, "README.") && strings.HasSuffix(name, ".md")
		assert.True(t, strings.HasPrefix(name, ".") || translated || slices.Contains(allowed, name), "%s does not belong at the top", name)
	}
}

func TestFilesStayReadable(t *testing.T) {
	t.Parallel()
	const longest = 400
	for _, p := range packages(t) {
		assert.NotContains(t, []string{"util", "common", "helpers", "types", "manager"}, filepath.Base(p.ImportPath))
		for _, f := range p.GoFiles {
			text, err := os.ReadFile(filepath.Join(p.Dir, f))
			require.NoError(t, err)
			assert.LessOrEqual(t, bytes.Count(text, []byte("\n")), longest, "%s/%s", p.ImportPath, f)
		}
	}
}
