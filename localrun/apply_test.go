package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func (h *testHub) file(content string) string {
	h.t.Helper()
	name := filepath.Join(h.t.TempDir(), "hub.yaml")
	require.NoError(h.t, os.WriteFile(name, []byte(content), 0o600))
	return name
}

func manifestOf(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	return string(b)
}

// steps are the actions of an outcome: "create provider main".
func steps(v applyView) []string {
	var out []string
	for _, c := range v.Changes {
		out = append(out, c.Action+" "+c.Kind+" "+c.Name)
	}
	return out
}

func TestApplyMakesTheHubWhatTheFileSays(t *testing.T) {
	t.Parallel()
	h := newHub(t, "MAIN_KEY="+secret, "SPARE_KEY="+secret+"2")
	file := h.file(manifestOf(t, "hub.yaml"))
	created := []string{
		"create user ann@example.com", "create user bob@example.com", "create provider main", "create credential main/default",
		"create credential main/spare", "create provider local", "create rate main/gpt-x chatCompletion", "create rate main/embed-x embedding",
		"create grant welcome for bob@example.com",
	}
	dry := decode[applyView](h, "apply", "-f", file, "--dry-run")
	assert.Equal(t, created, steps(dry))
	assert.True(t, dry.DryRun)
	assert.Empty(t, decode[[]userView](h, "user", "list"), "a dry run changes nothing")
	assert.Empty(t, decode[[]providerView](h, "provider", "list"))

	out := h.ok("apply", "-f", file)
	assert.Contains(t, out, "9 created, 0 changed, 0 unchanged.")
	assert.NotContains(t, out, secret)
	assert.Equal(t, "5", decode[balanceView](h, "credits", "balance", "bob@example.com").Balance.String())
	credentials := decode[[]credentialView](h, "credential", "list", "--provider", "main")
	require.Len(t, credentials, 2)
	assert.Equal(t, int64(10), credentials[1].Weight)
	assert.False(t, credentials[1].Active)
	assert.EqualValues(t, 8, credentials[0].MaxConcurrent)

	again := decode[applyView](h, "apply", "-f", file)
	assert.Equal(t, 9, again.Unchanged, "%v", steps(again))
	assert.Equal(t, "5", decode[balanceView](h, "credits", "balance", "bob@example.com").Balance.String(), "a grant is given once")
	assert.Equal(t, int64(1), decode[[]rateView](h, "rate", "list")[0].Version)
	h.ok("ledger", "verify")
}

func TestApplyChangesWhatDiffersAndNothingElse(t *testing.T) {
	t.Parallel()
	h := newHub(t, "MAIN_KEY="+secret, "SPARE_KEY="+secret+"2")
	content := manifestOf(t, "hub.yaml")
	h.ok("apply", "-f", h.file(content))
	h.ok("user", "create", "--email", "kept@example.com", "--role", "guest")

	content = strings.NewReplacer("role: member", "role: admin", "weight: 10\n", "weight: 20\n", "active: false", "active: true", "max_concurrent: 8", "max_concurrent: 0", "first_byte: 20s", "idle: 1m0s",
		`input: "2.5"`, `input: "3"`, "http://127.0.0.1:11434/v1", "http://127.0.0.1:11435/v1").Replace(content)
	h.env = []string{"MAIN_KEY=" + secret + "-new"} // and SPARE_KEY is not set: that value stays
	v := decode[applyView](h, "apply", "-f", h.file(content))
	assert.Equal(t, 6, v.Changed)
	details := map[string][]string{}
	for _, c := range v.Changes {
		details[c.Kind+" "+c.Name] = c.Detail
	}
	assert.Equal(t, []string{"role: member → admin"}, details["user bob@example.com"])
	assert.Equal(t, []string{"value: from MAIN_KEY", "max_concurrent: 8 → 0"}, details["credential main/default"])
	assert.Equal(t, []string{"weight: 10 → 20", "active: no → yes"}, details["credential main/spare"])
	assert.Equal(t, []string{`timeouts: {"first_byte":"20s"} → {"first_byte":"20s","idle":"1m0s"}`}, details["provider main"])
	assert.Equal(t, []string{"base_url: http://127.0.0.1:11434/v1 → http://127.0.0.1:11435/v1"}, details["provider local"])
	assert.Equal(t, []string{"credits per million: input 2.5, output 10 → input 3, output 10"}, details["rate main/gpt-x chatCompletion"])
	assert.Len(t, decode[[]userView](h, "user", "list"), 3, "what the file does not name stays")
	assert.Equal(t, 0, decode[applyView](h, "apply", "-f", h.file(content)).Changed)
}

func TestExportIsWhatApplyReads(t *testing.T) {
	t.Parallel()
	// 1 credit is 3 cents: rates in credits have no finite decimals.
	h := newHub(t, "MAIN_KEY="+secret, "SPARE_KEY="+secret+"2", "AIGNE_HUB_CREDIT_PRICE=0.03")
	h.ok("apply", "-f", h.file(manifestOf(t, "hub.yaml")))
	h.ok("credits", "grant", "--user", "bob@example.com", "--amount", "1")
	file := filepath.Join(t.TempDir(), "out.yaml")
	h.ok("export", "-f", file)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.NotContains(t, string(text), secret)
	assert.Contains(t, string(text), `input: "2.5"`)
	assert.Equal(t, string(text), h.ok("export", "-f", "-"))

	h.env = []string{"AIGNE_HUB_CREDIT_PRICE=0.03"}
	same := decode[applyView](h, "apply", "-f", file)
	assert.Equal(t, 0, same.Created+same.Changed, "%v", steps(same))

	other := newHub(t, "HUB_MAIN_DEFAULT_CREDENTIAL="+secret, "HUB_MAIN_SPARE_CREDENTIAL="+secret, "AIGNE_HUB_CREDIT_PRICE=0.03")
	other.ok("apply", "-f", file)
	assert.Equal(t, string(text), other.ok("export", "-f", "-"), "there and back")
	assert.Equal(t, "5", decode[balanceView](other, "credits", "balance", "bob@example.com").Balance.String(), "grants made by hand stay behind")
}

func TestApplyRefusesWhatItCannotMean(t *testing.T) {
	t.Parallel()
	h := newHub(t, "MAIN_KEY="+secret)
	h.ok("apply", "-f", h.file("version: 1\nusers: [{email: o@example.com, role: owner}]\n"+
		"providers: [{kind: openai, name: main}]\ngrants: [{name: g, user: o@example.com, amount: 1}]\n"))
	tests := []struct {
		name, content, says string
		code                int
	}{
		{"an empty file", "", "empty", 2},
		{"no YAML", "version: [", "line 1", 2},
		{"no version", "users: []", "version must be 1", 2},
		{"an unknown field", "version: 1\nusers:\n  - email: a@example.com\n    rol: member\n", "line 4: there is no field rol here", 2},
		{"two documents", "version: 1\n---\nversion: 1\n", "more than one document", 2},
		{"a literal secret", "version: 1\nproviders: [{kind: openai, name: p, credentials: [{name: c, value: " + secret + "}]}]", "must be env:VARIABLE", 2},
		{"an unset variable", "version: 1\nproviders: [{kind: openai, name: p, credentials: [{name: c, value: env:NOPE}]}]", "NOPE is not set", 2},
		{"an unknown kind", "version: 1\nproviders: [{kind: x, name: p}]", "providers[0].kind", 2},
		{"another kind", "version: 1\nproviders: [{kind: ollama, name: main}]", "cannot be changed", 2},
		{"a bad URL", "version: 1\nproviders: [{kind: openai, name: p, base_url: 'ftp://x'}]", "providers[0]", 2},
		{"a provider twice", "version: 1\nproviders: [{kind: openai, name: p}, {kind: openai, name: p}]", "providers[1]: provider p is there twice", 2},
		{"no name", "version: 1\nproviders: [{kind: openai}]", "providers[0].name is missing", 2},
		{"an unknown role", "version: 1\nusers: [{email: a@example.com, role: king}]", "users[0].role", 2},
		{"an unknown bucket", "version: 1\nrates: [{provider: p, model: m, prices: {inptu: 1}}]", "rates[0].prices.inptu", 2},
		{"a price in words", "version: 1\nrates: [{provider: p, model: m, prices: {input: cheap}}]", "rates[0].prices.input", 2},
		{"no price", "version: 1\nrates: [{provider: p, model: m}]", "rates[0].prices is missing", 2},
		{"an unknown type", "version: 1\nrates: [{provider: p, model: m, type: x, prices: {input: 1}}]", "rates[0].type", 2},
		{"a grant for nobody", "version: 1\ngrants: [{name: g, user: x@example.com, amount: 1}]", "grants[0].user", 2},
		{"a grant of nothing", "version: 1\ngrants: [{name: g, user: o@example.com, amount: 0}]", "grants[0].amount", 2},
		{"a grant that grew", "version: 1\ngrants: [{name: g, user: o@example.com, amount: 2}]", "use another name", 2},
		{"a grant that has lapsed", "version: 1\ngrants: [{name: h, user: o@example.com, amount: 2, expires_at: '2001-01-01T00:00:00Z'}]", "in the future", 2},
		{"a time in words", "version: 1\ngrants: [{name: h, user: o@example.com, amount: 2, expires_at: soon}]", "expires_at must be", 2},
		{"the last owner's end", "version: 1\nusers: [{email: o@example.com, role: guest}]", "only owner", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			one := &testHub{t: t, data: h.data, env: h.env}
			o := one.run("", "apply", "-f", one.file(tt.content))
			assert.Equal(t, tt.code, o.code, o.stderr)
			assert.Contains(t, o.stderr, tt.says)
			assert.NotContains(t, o.stderr, secret)
			assert.NotContains(t, o.stderr, "main.manifest", "the program's own words")
		})
	}
	o := h.run("version: 1\nusers: [{email: p@example.com, role: guest}]\n", "apply", "-f", "-")
	assert.Equal(t, 0, o.code, o.stderr)
	assert.Len(t, decode[[]userView](h, "user", "list"), 2, "a file that was refused changed nothing")
}
