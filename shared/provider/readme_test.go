package provider_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/provider"
	"github.com/aigne-hub/aigne-hub/shared/testkit/readme"
)

var update = readme.UpdateFlag()

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
		if k.Auth == provider.SigV4 || k.Auth == provider.GoogleAccount {
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
	readme.Section(t, "providers", kindsTable(), *update)
}
