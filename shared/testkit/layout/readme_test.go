package layout_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// page is what of a README must be the same in every language.
type page struct {
	headings []string // their levels, as #
	code     []string // fenced blocks, whole
	tables   []string // what tests write between <!-- name --> and <!-- /name -->
	words    []string // code inside of sentences, each once
}

var (
	generated = regexp.MustCompile(`(?s)<!-- (\w+) -->\n.*?<!-- /(\w+) -->`)
	fenced    = regexp.MustCompile("(?ms)^```.*?^```$")
	heading   = regexp.MustCompile(`(?m)^(#+) `)
	word      = regexp.MustCompile("`[^`\n]+`")
)

func readPage(t *testing.T, path string) page {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	rest := string(text)
	take := func(of *regexp.Regexp) []string {
		found := of.FindAllString(rest, -1)
		rest = of.ReplaceAllString(rest, "")
		return found
	}
	p := page{tables: take(generated), code: take(fenced)}
	p.headings, p.words = take(heading), word.FindAllString(rest, -1)
	slices.Sort(p.words)
	p.words = slices.Compact(p.words)
	return p
}

func TestEveryLanguageOfTheReadmeSaysTheSame(t *testing.T) {
	t.Parallel()
	dir := root(t)
	english := readPage(t, filepath.Join(dir, "README.md"))
	others, err := filepath.Glob(filepath.Join(dir, "README.*.md"))
	require.NoError(t, err)
	var names []string
	for _, path := range others {
		name := filepath.Base(path)
		names = append(names, name)
		other := readPage(t, path)
		assert.Equal(t, english.headings, other.headings, "%s: headings", name)
		assert.Equal(t, english.code, other.code, "%s: commands and other blocks", name)
		assert.Equal(t, english.tables, other.tables, "%s: tables made of the code", name)
		assert.Empty(t, without(english.words, other.words), "%s lacks", name)
		assert.Empty(t, without(other.words, english.words), "%s has in addition", name)
	}
	assert.Equal(t, []string{"README.ja.md", "README.zh-TW.md"}, names)
}

func without(all, some []string) (out []string) {
	for _, w := range all {
		if !slices.Contains(some, w) {
			out = append(out, w)
		}
	}
	return out
}

// TestLinksWithinTheReadmeLead follows links to headings, in every language.
func TestLinksWithinTheReadmeLead(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob(filepath.Join(root(t), "README*.md"))
	require.NoError(t, err)
	line := regexp.MustCompile(`(?m)^#+ (.*)$`)
	link := regexp.MustCompile(`\]\(#([^)]+)\)`)
	for _, path := range pages {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		plain := fenced.ReplaceAllString(string(text), "")
		anchors := map[string]bool{}
		for _, m := range line.FindAllStringSubmatch(plain, -1) {
			anchors[anchor(m[1])] = true
		}
		for _, m := range link.FindAllStringSubmatch(plain, -1) {
			assert.True(t, anchors[m[1]], "%s: no heading for #%s", filepath.Base(path), m[1])
		}
	}
}

// anchor is what GitHub makes of a heading: letters, digits, - and _ of it in lower
// case, with - for each space.
func anchor(heading string) string {
	dropped := regexp.MustCompile(`[^\p{L}\p{N}\p{M} _-]`)
	return strings.ReplaceAll(dropped.ReplaceAllString(strings.ToLower(heading), ""), " ", "-")
}
