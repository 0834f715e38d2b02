package boot_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/boot"
)

var update = flag.Bool("update", false, "rewrite the table of settings in README.md")

func TestReadmeListsTheSettingsAsTheyAre(t *testing.T) {
	t.Parallel()
	const begin, end = "<!-- settings -->\n", "<!-- /settings -->"
	name := filepath.Join("..", "..", "README.md")
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	head, rest, ok := bytes.Cut(text, []byte(begin))
	require.True(t, ok, "README.md has no line %q", begin)
	table, tail, ok := bytes.Cut(rest, []byte(end))
	require.True(t, ok, "README.md has no %q", end)
	if *update {
		require.NoError(t, os.WriteFile(name, bytes.Join([][]byte{head, []byte(begin + boot.SettingsTable() + end), tail}, nil), 0o600))
		return
	}
	require.Equal(t, boot.SettingsTable(), string(table), "run: go test ./shared/boot -run Readme -update")
}
