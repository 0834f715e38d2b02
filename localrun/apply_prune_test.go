package main

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

const pruneFile = `version: 1
users: [{email: ann@example.com, role: owner}]
wallets: [{name: Research}]
providers:
  - {kind: openai, name: main, credentials: [{name: default, value: env:MAIN_KEY}, {name: spare, value: env:MAIN_KEY}]}
  - {kind: openai, name: extra, credentials: [{name: default, value: env:MAIN_KEY}]}
rates:
  - {provider: main, model: gpt-x, prices: {input: "1"}}
  - {provider: extra, model: gpt-y, prices: {input: "1"}}
aliases:
  - {name: smart, rules: [{steps: [{targets: [{model: extra/gpt-y}]}]}]}
  - {name: fast, rules: [{steps: [{targets: [{model: main/gpt-x}]}]}]}
keys:
  - {user: ann@example.com, name: ci, rpm: 5, value: env:CI_KEY}
  - {user: ann@example.com, name: docs, value: env:DOCS_KEY}
limits:
  - {scope: key, subject: ann@example.com/ci, metric: requests, period: day, amount: 9}
  - {scope: user, subject: ann@example.com, metric: tokens, period: day, amount: 9}
  - {scope: member, subject: Research/*, metric: tokens, period: day, amount: 9}
grants: [{name: g, user: ann@example.com, amount: 1}]
`

// allowed makes a key that stands for what a user allowed a command line.
func (h *testHub) allowed(email, name string) {
	h.t.Helper()
	settings := map[string]string{"AIGNE_HUB_DATA": h.data}
	cfg, err := boot.Load(func(key string) (string, bool) { v, ok := settings[key]; return v, ok }, nil, nil)
	require.NoError(h.t, err)
	a, err := boot.Open(h.t.Context(), cfg, boot.Options{Log: slog.New(slog.DiscardHandler)})
	require.NoError(h.t, err)
	defer func() { assert.NoError(h.t, a.Close(h.t.Context())) }()
	u, err := a.Desk.User(h.t.Context(), email)
	require.NoError(h.t, err)
	_, _, err = a.Desk.Connect(h.t.Context(), email, operator.NewConnection{Connection: store.Connection{UserID: u.ID, Name: name, Scopes: []hub.Scope{hub.ScopeInference}}})
	require.NoError(h.t, err)
}

func removals(v applyView) []string {
	var out []string
	for _, s := range steps(v) {
		if name, ok := strings.CutPrefix(s, "remove "); ok {
			out = append(out, name)
		}
	}
	return out
}

func prunable(t *testing.T) *testHub {
	h := newHub(t, "MAIN_KEY="+secret, "CI_KEY="+ciSecret, "DOCS_KEY="+docSecret)
	h.ok("apply", "-f", h.file(pruneFile))
	return h
}

func TestPruneRemovesWhatListsOfTheFileDoNotName(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, content string
		removes       []string
	}{
		{"the same file", pruneFile, nil},
		{"no list", "version: 1\n", nil},
		{"a list without a value", "version: 1\naliases:\n", nil},
		{"people and money stay", "version: 1\nusers: []\nwallets: []\ngrants: []\n", nil},
		{"no alias", "version: 1\naliases: []\n", []string{"alias fast", "alias smart"}},
		{"no limit, but those that stand with a key", "version: 1\nlimits: []\n", []string{"limit key ann@example.com/ci requests day",
			"limit member Research/* tokens day", "limit user ann@example.com tokens day"}},
		{"no key", "version: 1\nkeys: []\n", []string{"key ann@example.com/ci", "key ann@example.com/docs"}},
		{"one key", "version: 1\nkeys: [{user: Ann@example.com, name: ci, rpm: 5}]\n", []string{"key ann@example.com/docs"}},
		{"no provider", "version: 1\nproviders: []\n", []string{"provider extra", "provider main"}},
		{"a provider without a list of credentials", "version: 1\nproviders: [{kind: openai, name: main}]\n", []string{"provider extra"}},
		{"one credential", "version: 1\nproviders: [{kind: openai, name: main, credentials: [{name: spare, value: env:MAIN_KEY}]}]\n",
			[]string{"credential main/default", "provider extra"}},
		{"everything, what refers before what is referred to", "version: 1\nproviders: []\nrates: []\naliases: []\nkeys: []\nlimits: []\n", []string{
			"limit key ann@example.com/ci requests day", "limit member Research/* tokens day", "limit user ann@example.com tokens day",
			"alias fast", "alias smart", "rate extra/gpt-y chatCompletion", "rate main/gpt-x chatCompletion",
			"provider extra", "provider main", "key ann@example.com/ci", "key ann@example.com/docs"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := prunable(t)
			before := h.ok("export", "-f", "-")
			file := h.file(tt.content)
			assert.Empty(t, removals(decode[applyView](h, "apply", "-f", file)), "without the flag nothing goes")
			dry := decode[applyView](h, "apply", "-f", file, "--prune", "--dry-run")
			assert.Equal(t, tt.removes, removals(dry))
			assert.Equal(t, before, h.ok("export", "-f", "-"), "a dry run changes nothing")
			v := decode[applyView](h, "apply", "-f", file, "--prune")
			assert.Equal(t, tt.removes, removals(v))
			assert.Equal(t, len(tt.removes), v.Removed)
			again := decode[applyView](h, "apply", "-f", file, "--prune")
			assert.Zero(t, again.Created+again.Changed+again.Removed, "%v", again.Changes)
			if tt.removes != nil {
				assert.NotEqual(t, before, h.ok("export", "-f", "-"))
			}
			assert.Len(t, decode[[]userView](h, "user", "list"), 1)
			assert.Len(t, decode[[]walletView](h, "wallet", "list"), 1)
			assert.Equal(t, "1", decode[balanceView](h, "credits", "balance", "ann@example.com").Balance.String())
		})
	}
}

func TestPruneSaysWhatItRemoves(t *testing.T) {
	t.Parallel()
	h := prunable(t)
	out := h.ok("apply", "-f", h.file("version: 1\nproviders: []\naliases: []\n"), "--prune")
	assert.Regexp(t, `remove +provider +main +with 2 credential\(s\)`, out)
	assert.Contains(t, out, "0 created, 0 changed, 4 removed, 0 unchanged.")
}

func TestPruneLeavesRatesThatAliasesLeadTo(t *testing.T) {
	t.Parallel()
	h := prunable(t)
	before := h.ok("export", "-f", "-")
	o := h.run("", "apply", "-f", h.file("version: 1\nrates: []\nlimits: []\n"), "--prune")
	assert.Equal(t, 1, o.code)
	assert.Contains(t, o.stderr, "the alias smart, rule 1 leads to it")
	assert.Equal(t, before, h.ok("export", "-f", "-"), "nothing was changed before that was found")
}

func TestPruneLeavesWhatAFileCannotName(t *testing.T) {
	t.Parallel()
	h := prunable(t)
	h.ok("user", "create", "--email", "off@example.com", "--role", "member")
	h.ok("key", "create", "--user", "off@example.com", "--name", "k")
	h.ok("user", "disable", "off@example.com")
	h.allowed("ann@example.com", "docs")
	h.ok("rate", "deprecate", "--provider", "main", "--model", "gpt-x", "--reason", "old", "--refuse-from", time.Now().UTC().Format(time.RFC3339))
	file := filepath.Join(t.TempDir(), "out.yaml")
	h.ok("export", "-f", file)
	v := decode[applyView](h, "apply", "-f", file, "--prune")
	assert.Zero(t, v.Created+v.Changed+v.Removed, "what export writes removes nothing: %v", v.Changes)

	for range 2 {
		h.ok("key", "create", "--user", "ann@example.com", "--name", "twin")
	}
	o := h.run("", "apply", "-f", h.file("version: 1\nkeys: []\n"), "--prune")
	assert.Equal(t, 2, o.code)
	assert.Contains(t, o.stderr, `2 keys named "twin"`)
	for _, k := range decode[[]keyView](h, "key", "list") {
		require.Nil(t, k.RevokedAt)
	}
}
