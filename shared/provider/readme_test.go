package provider_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/provider"
	"github.com/aigne-hub/aigne-hub/shared/task"
	"github.com/aigne-hub/aigne-hub/shared/testkit/readme"
)

var update = readme.UpdateFlag()

// coded sets names in code, or a dash where there are none.
func coded(list []string, between string) string {
	if len(list) == 0 {
		return "–"
	}
	return "`" + strings.Join(list, "`"+between+"`") + "`"
}

// kindsTable is the Markdown table of all kinds for README.
func kindsTable() string {
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
			k.ID, k.Title, base, coded(k.EnvKeys, between), k.EnvBaseURL, coded(dialects, ", "), chat)
	}
	return b.String()
}

// capabilityTable says what works with each kind.
func capabilityTable() string {
	var b strings.Builder
	b.WriteString("| kind |")
	for _, c := range provider.Capabilities() {
		fmt.Fprintf(&b, " %s |", c)
	}
	for _, w := range task.Kinds() {
		fmt.Fprintf(&b, " %s |", strings.ReplaceAll(string(w), "_", " "))
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(provider.Capabilities())+len(task.Kinds())) + "\n")
	for _, k := range provider.All() {
		fmt.Fprintf(&b, "| `%s` |", k.ID)
		cell := func(works bool) {
			if works {
				b.WriteString(" works |")
			} else {
				b.WriteString(" – |")
			}
		}
		for _, c := range provider.Capabilities() {
			cell(k.Offers(c))
		}
		for _, w := range task.Kinds() {
			cell(k.Does(w))
		}
		b.WriteString("\n")
	}
	return b.String()
}

// fatesTable says what becomes of parameters that do not simply pass.
func fatesTable() string {
	var b strings.Builder
	b.WriteString("| kind | in other words | structured output | forced tools | left out | refused |\n|---|---|---|---|---|---|\n")
	for _, k := range provider.All() {
		if len(k.Dialects) == 0 {
			continue
		}
		schemas, forced := "native", "all"
		switch k.Dialects[0] {
		case dialect.OpenAIChat:
			schemas, forced = schemaWay(k.Quirks), forcing(k.Quirks)
		case dialect.Anthropic:
			schemas = "a forced tool; native with thinking"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s |\n", k.ID, otherWords(k.Quirks), schemas, forced,
			coded(slices.Sorted(slices.Values(k.Quirks.Ignores)), ", "), coded(slices.Sorted(slices.Values(k.Quirks.Refuses)), ", "))
	}
	return b.String()
}

func schemaWay(q dialect.Quirks) string {
	switch {
	case slices.Contains(q.Refuses, "response_format"):
		return "–"
	case q.SchemaInObject:
		return "in `json_object`"
	case !q.NoJSONSchema:
		return "native"
	case q.ToolModes == nil || slices.Contains(q.ToolModes, "required"):
		return "a forced tool"
	case slices.Contains(q.ToolModes, "tool"):
		return "a forced tool; beside others JSON mode, told the schema"
	}
	return "JSON mode, told the schema"
}

func forcing(q dialect.Quirks) string {
	switch {
	case slices.Contains(q.Refuses, "tools"):
		return "–"
	case q.ToolModes == nil:
		return "all"
	}
	var modes []string
	for _, m := range q.ToolModes {
		if m == "required" || m == "tool" {
			modes = append(modes, m)
		}
	}
	return coded(modes, ", ")
}

// otherWords lists what goes under another name or in another place.
func otherWords(q dialect.Quirks) string {
	var words []string
	add := func(on bool, format string, args ...any) {
		if on {
			words = append(words, fmt.Sprintf(format, args...))
		}
	}
	add(q.MaxTokensField != "", "limit: `%s`", q.MaxTokensField)
	for _, name := range slices.Sorted(maps.Keys(q.Renames)) {
		add(true, "`%s`: `%s`", name, q.Renames[name])
	}
	add(q.NoDeveloper, "developer: system")
	add(q.ThinkingSwitch != "", "thinking: `%s`", q.ThinkingSwitch)
	add(q.Efforts != nil, "efforts: %s", strings.Join(q.Efforts, "/"))
	add(q.ReasoningField != "", "thinking back in `%s`", q.ReasoningField)
	add(len(q.Takes) > 0, "also %s", coded(q.Takes, ", "))
	if len(words) == 0 {
		return "–"
	}
	return strings.Join(words, "; ")
}

func TestReadmeListsTheKindsAsTheyAre(t *testing.T) {
	readme.Section(t, "providers", kindsTable(), *update)
	readme.Section(t, "capabilities", capabilityTable(), *update)
	readme.Section(t, "parameters", fatesTable(), *update)
}
