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
// want, in every language of the README: such tables are the same in all. With
// rewrite (a test's own -update) it writes it there instead.
func Section(t *testing.T, name, want string, rewrite bool) {
	t.Helper()
	mod, err := exec.CommandContext(t.Context(), "go", "env", "GOMOD").Output()
	require.NoError(t, err)
	files, err := filepath.Glob(filepath.Join(filepath.Dir(strings.TrimSpace(string(mod))), "README*.md"))
	require.NoError(t, err)
	for _, file := range files {
		section(t, file, name, want, rewrite)
	}
}

func section(t *testing.T, file, name, want string, rewrite bool) {
	t.Helper()
	begin, end := []byte("<!-- "+name+" -->\n"), []byte("<!-- /"+name+" -->")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	head, rest, ok := bytes.Cut(text, begin)
	require.True(t, ok, "%s has no line %q", file, begin)
	table, tail, ok := bytes.Cut(rest, end)
	require.True(t, ok, "%s has no %q", file, end)
	if rewrite {
		require.NoError(t, os.WriteFile(file, bytes.Join([][]byte{head, begin, []byte(want), end, tail}, nil), 0o600))
		return
	}
	require.Equal(t, want, string(table), "%s: run this test with -update", file)
}

// UpdateFlag defines -update for a test binary.
func UpdateFlag() *bool {
	return flag.Bool("update", false, "rewrite the table in README.md")
}
