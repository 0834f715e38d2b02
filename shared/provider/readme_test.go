package provider_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/provider"
)

var update = flag.Bool("update", false, "rewrite the table of providers in README.md")

// kindsTable is the Markdown table of all kinds for README.
func kindsTable() string {
	names := func(list []string, between string) string {
		if len(list) == 0 {
			return "–"
		}
		return "`" + strings.Join(list, "`"+between+"`") + "`"
	}
	var b strings.Builder
	b.WriteString("| kind | provider | base URL | credential variables | base URL variable | dialects | chat |\n|---|---|---|---|---|---|---|\n")
	for _, k := range provider.All() {
		base, between, chat := "you give it", " or ", "not yet"
		if k.BaseURL != "" {
			base = "`" + k.BaseURL + "`"
		}
		if k.Auth == provider.SigV4 {
			between = ", " // they belong together
		}
		if k.Can(hub.TypeChat) {
			chat = "works"
		}
		var dialects []string
		for _, d := range k.Dialects {
			dialects = append(dialects, string(d))
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | `%s` | %s | %s |\n",
			k.ID, k.Title, base, names(k.EnvKeys, between), k.EnvBaseURL, names(dialects, ", "), chat)
	}
	return b.String()
}

func TestReadmeListsTheKindsAsTheyAre(t *testing.T) {
	t.Parallel()
	const begin, end = "<!-- providers -->\n", "<!-- /providers -->"
	name := filepath.Join("..", "..", "README.md")
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	head, rest, ok := bytes.Cut(text, []byte(begin))
	require.True(t, ok, "README.md has no line %q", begin)
	table, tail, ok := bytes.Cut(rest, []byte(end))
	require.True(t, ok, "README.md has no %q", end)
	if *update {
		require.NoError(t, os.WriteFile(name, bytes.Join([][]byte{head, []byte(begin + kindsTable() + end), tail}, nil), 0o600))
		return
	}
	require.Equal(t, kindsTable(), string(table), "run: go test ./shared/provider -run Readme -update")
}
