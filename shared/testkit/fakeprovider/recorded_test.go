package fakeprovider

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// recordings is the part of the recordings' manifest that is used here.
type recordings struct {
	Groups []struct {
		ID    string `json:"id"`
		Turn1 struct {
			Variants []struct {
				API  string `json:"api"`
				Kind string `json:"kind"`
				File string `json:"file"`
			} `json:"variants"`
		} `json:"turn1"`
	} `json:"groups"`
}

// paths collects the names of members, such as "choices.delta.content". What
// tools and callers name themselves (arguments) is left out.
func paths(v any, at string, into map[string]bool) {
	switch x := v.(type) {
	case map[string]any:
		for name, sub := range x {
			here := strings.TrimPrefix(at+"."+name, ".")
			into[here] = true
			if name != "args" && name != "input" {
				paths(sub, here, into)
			}
		}
	case []any:
		for _, sub := range x {
			paths(sub, at, into)
		}
	}
}

func collect(t *testing.T, body string, into map[string]bool) {
	t.Helper()
	all := []string{body}
	if e := events(body); len(e) > 0 {
		all = e
	}
	for _, doc := range all {
		var v any
		if doc != "[DONE]" && json.Unmarshal([]byte(doc), &v) == nil {
			paths(v, "", into)
		}
	}
}

// documented members that no recording happens to hold.
var documented = map[Kind]map[string]bool{
	Gemini: set("usageMetadata.cachedContentTokenCount"), // ai.google.dev/api/generate-content#UsageMetadata
}

// A fake that says what no provider says would prove nothing: each member it
// sends must occur in a recorded answer or in its other wire forms.
func TestFakesSayOnlyWhatRealProvidersSay(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("AIGNE_HUB_TEST_FIXTURES")
	if dir == "" {
		t.Skip("AIGNE_HUB_TEST_FIXTURES is not set: 3 groups of recorded answers (OpenAI, Anthropic, Gemini) are skipped")
	}
	text, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	require.NoError(t, err)
	var all recordings
	require.NoError(t, json.Unmarshal(text, &all))
	known := map[string]map[string]bool{}
	for _, g := range all.Groups {
		for _, v := range g.Turn1.Variants {
			if !slices.Contains([]string{"json", "sse"}, v.Kind) {
				continue
			}
			body, err := os.ReadFile(filepath.Join(dir, v.File))
			require.NoError(t, err)
			if known[v.API] == nil {
				known[v.API] = map[string]bool{}
			}
			collect(t, string(body), known[v.API])
		}
	}
	apis := map[Kind]string{OpenAI: "openai-chat", Anthropic: "anthropic", Gemini: "gemini"}
	kinds(t, func(t *testing.T, p *Provider) {
		seen := map[string]bool{}
		for _, a := range []Answer{
			{Text: "text"}, {Text: "text", Reasoning: "thought"}, {Refusal: "no"}, {Text: "text", Cached: 1},
			{ToolCalls: []ToolCall{{Name: "weather", Arguments: `{"city":"Paris"}`}, {Name: "weather"}}},
		} {
			for _, stream := range []bool{false, true} {
				p.Script("", a)
				status, body := ask(t, p, stream, hello(p.kind, stream))
				require.Equal(t, 200, status)
				collect(t, body, seen)
			}
		}
		require.NotEmpty(t, known[apis[p.kind]])
		for path := range seen {
			assert.True(t, known[apis[p.kind]][path] || documented[p.kind][path], "%s: no recorded answer has it", path)
		}
	})
}
