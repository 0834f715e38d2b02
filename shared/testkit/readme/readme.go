// Package readme keeps tables of README.md equal to the code that they describe.
// It is for tests only.
package readme

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Section compares what stands between <!-- name --> and <!-- /name --> with
// want. With rewrite (a test's own -update) it writes it there instead.
func Section(t *testing.T, name, want string, rewrite bool) {
	t.Helper()
	mod, err := exec.CommandContext(t.Context(), "go", "env", "GOMOD").Output()
	require.NoError(t, err)
	file := filepath.Join(filepath.Dir(strings.TrimSpace(string(mod))), "README.md")
	begin, end := []byte("<!-- "+name+" -->\n"), []byte("<!-- /"+name+" -->")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	head, rest, ok := bytes.Cut(text, begin)
	require.True(t, ok, "README.md has no line %q", begin)
	table, tail, ok := bytes.Cut(rest, end)
	require.True(t, ok, "README.md has no %q", end)
	if rewrite {
		require.NoError(t, os.WriteFile(file, bytes.Join([][]byte{head, begin, []byte(want), end, tail}, nil), 0o600))
		return
	}
	require.Equal(t, want, string(table), "run this test with -update")
}

// UpdateFlag defines -update for a test binary.
func UpdateFlag() *bool {
	return flag.Bool("update", false, "rewrite the table in README.md")
}
