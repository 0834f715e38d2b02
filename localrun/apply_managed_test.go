package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

const managedFile = `version: 1
users: [{email: ann@example.com, role: owner}]
providers:
  - {kind: openai, name: main, managed: file, credentials: [{name: default, value: env:MAIN_KEY}]}
rates:
  - {provider: main, model: gpt-x, prices: {input: "1"}, managed: file}
aliases:
  - {name: smart, rules: [{steps: [{targets: [{model: main/gpt-x}]}]}], managed: file}
keys:
  - {user: ann@example.com, name: ci, rpm: 5, value: env:CI_KEY, managed: file}
limits:
  - {scope: user, subject: ann@example.com, metric: tokens, period: day, amount: 9, managed: file}
`

func TestWhatAFileMarksIsChangedByTheFileOnly(t *testing.T) {
	t.Parallel()
	h := newHub(t, "MAIN_KEY="+secret, "CI_KEY="+ciSecret)
	h.ok("apply", "-f", h.file(managedFile))
	again := decode[applyView](h, "apply", "-f", h.file(managedFile))
	assert.Zero(t, again.Created+again.Changed, "%v", again.Changes)
	text := h.ok("export", "-f", "-")
	assert.Equal(t, 5, strings.Count(text, "managed: file\n"))

	key := decode[[]keyView](h, "key", "list")[0].ID
	limit := ""
	for _, l := range decode[[]limitView](h, "limit", "list") {
		if l.Scope == "user" {
			limit = l.ID
		}
	}
	for _, list := range []string{"provider", "rate", "alias", "limit", "key"} {
		assert.Contains(t, h.ok(list, "list", "--json"), `"managed": "file"`, list)
	}
	others := [][]string{
		{"provider", "remove", "main"}, {"provider", "set", "main", "--timeout", "idle=5s"}, {"credential", "disable", "--provider", "main", "default"},
		{"rate", "remove", "--provider", "main", "--model", "gpt-x", "--force"},
		{"rate", "set", "--provider", "main", "--model", "gpt-x", "--input", "2", "--output", "3"}, {"alias", "remove", "smart"},
		{"limit", "remove", limit}, {"limit", "set", "--scope", "key", "--subject", key, "--metric", "requests", "--period", "minute", "--amount", "9"},
		{"key", "edit", key, "--rpm", "none"}, {"key", "rotate", key},
	}
	for _, args := range others {
		o := h.run("", args...)
		assert.Equal(t, 1, o.code, "%v: %s", args, o.stderr)
		assert.Contains(t, o.stderr, "A file manages", "%v", args)
	}
	assert.Equal(t, text, h.ok("export", "-f", "-"), "nothing was changed")

	changed := strings.NewReplacer("rpm: 5", "rpm: 6", "amount: 9", "amount: 8", `input: "1"`, `input: "2"`, "name: main, managed", "name: main, enabled: false, managed").Replace(managedFile)
	assert.Equal(t, 4, decode[applyView](h, "apply", "-f", h.file(changed)).Changed, "the file itself may")

	released := strings.ReplaceAll(changed, ", managed: file", "")
	v := decode[applyView](h, "apply", "-f", h.file(released))
	assert.Equal(t, 5, v.Changed)
	for _, c := range v.Changes {
		if c.Action == "change" {
			assert.Equal(t, []string{"managed: file → -"}, c.Detail, c.Kind)
		}
	}
	assert.EqualValues(t, 2, decode[[]rateView](h, "rate", "list")[0].Version, "a mark makes no new price")
	for _, args := range [][]string{{"alias", "remove", "smart"}, {"limit", "remove", limit}, {"key", "revoke", key}, {"provider", "remove", "main"}} {
		h.ok(args...)
	}
}

func TestPruneRemovesWhatAFileManages(t *testing.T) {
	t.Parallel()
	h := newHub(t, "MAIN_KEY="+secret, "CI_KEY="+ciSecret)
	h.ok("apply", "-f", h.file(managedFile))
	v := decode[applyView](h, "apply", "-f", h.file("version: 1\nproviders: []\nrates: []\naliases: []\nkeys: []\nlimits: []\n"), "--prune")
	assert.Equal(t, 5, v.Removed)
}

func TestOnlyAFileManages(t *testing.T) {
	t.Parallel()
	var m manifest
	_, err := readManifest([]byte(strings.Replace(managedFile, "rpm: 5, value: env:CI_KEY, managed: file", "managed: me", 1)))
	assert.Equal(t, "keys[0].managed", hub.AsError(err).Param)
	assert.NoError(t, m.checkManaged())
}
