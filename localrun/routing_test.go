package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/routing"
)

func TestAliasesAreDefinedListedPlannedAndRemoved(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	_, key := h.withProvider()
	h.ok("rate", "set", "--provider", "openai", "--model", "gpt-fake", "--input", "1", "--output", "2", "--context", "1000")
	h.ok("alias", "set", "smart", "--to", "openai/gpt-fake=3,openai/gpt-other=1", "--to", "openai/gpt-last")
	all := decode[[]aliasView](h, "alias", "list")
	require.Len(t, all, 1)
	assert.Equal(t, []routing.Step{
		{Targets: []routing.Weighted{{Model: "openai/gpt-fake", Weight: 3}, {Model: "openai/gpt-other", Weight: 1}}},
		{Targets: []routing.Weighted{{Model: "openai/gpt-last"}}},
	}, all[0].Rules[0].Steps)
	assert.Contains(t, h.ok("alias", "list"), "openai/gpt-fake=3,openai/gpt-other=1 then openai/gpt-last")

	h.ok("alias", "set", "smart", "--rules", `[{"when":{"groups":["pilots"]},"steps":[{"targets":[{"model":"openai/gpt-pilot"}]}]},{"policy":"cheap","steps":[{"targets":[{"model":"openai/gpt-fake"}]}]}]`)
	plan := decode[routing.Explained](h, "plan", "smart", "--tokens", "10")
	assert.Equal(t, "alias smart, rule 2, policy cheap", plan.Why)
	require.Len(t, plan.Targets, 1)
	assert.Equal(t, "openai/gpt-fake", plan.Targets[0].Target)
	assert.True(t, plan.Targets[0].Native)
	u := decode[userView](h, "user", "set-groups", "member@example.com", "--groups", "pilots, beta")
	assert.Equal(t, []string{"pilots", "beta"}, u.Groups)
	assert.Equal(t, "openai/gpt-pilot", decode[routing.Explained](h, "plan", "smart", "--user", "member@example.com").Targets[0].Target)
	o := h.run("", "plan", "smart", "--tokens", "5000")
	assert.Equal(t, 1, o.code)
	assert.Contains(t, o.stderr, "context is smaller")
	assert.Contains(t, h.ok("plan", "openai/gpt-fake"), "openai/gpt-fake")
	assert.Empty(t, decode[userView](h, "user", "set-groups", "member@example.com").Groups)

	s := h.serve()
	status, _, answer, err := s.call(t.Context(), key, strings.Replace(hello, "openai/gpt-fake", "smart", 1))
	require.NoError(t, err)
	require.Equal(t, 200, status, answer)
	assert.Equal(t, "alias smart, rule 2, policy cheap", decode[[]callView](h, "calls", "list")[0].Why)
	h.ok("alias", "remove", "smart")
	assert.Empty(t, decode[[]aliasView](h, "alias", "list"))
	assert.Equal(t, 3, h.run("", "alias", "remove", "smart").code)
}

func TestLimitsAreSetListedAndRemoved(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.ok("user", "create", "--email", "ann@example.com", "--role", "member")
	h.ok("limit", "set", "--scope", "user", "--subject", "ann@example.com", "--metric", "requests", "--period", "minute", "--amount", "60")
	h.ok("limit", "set", "--scope", "user", "--subject", "ann@example.com", "--metric", "requests", "--period", "minute", "--amount", "30")
	h.ok("limit", "set", "--scope", "app", "--metric", "credits", "--period", "month", "--amount", "2.5")
	created := decode[newKeyView](h, "key", "create", "--user", "ann@example.com", "--name", "ci", "--rpm", "5", "--tpm", "1000", "--concurrency", "2", "--budget-month", "1.5")
	all := decode[[]limitView](h, "limit", "list")
	got := map[string]string{}
	for _, l := range all {
		got[l.Scope+" "+l.Metric+" "+l.Period] = l.Amount
		if l.Scope == "key" {
			assert.Equal(t, created.ID, l.Subject)
		}
	}
	assert.Equal(t, map[string]string{"user requests minute": "30", "app credits month": "2.5",
		"key requests minute": "5", "key tokens minute": "1000", "key concurrency now": "2", "key credits month": "1.5"}, got)
	for _, l := range all {
		h.ok("limit", "remove", l.ID)
	}
	assert.Empty(t, decode[[]limitView](h, "limit", "list"))
	for _, wrong := range [][]string{
		{"limit", "set", "--scope", "planet", "--metric", "requests", "--period", "day", "--amount", "1"},
		{"limit", "set", "--scope", "key", "--metric", "requests", "--period", "year", "--amount", "1"},
		{"limit", "set", "--scope", "key", "--metric", "concurrency", "--period", "day", "--amount", "1"},
		{"limit", "set", "--scope", "key", "--metric", "credits", "--period", "day", "--amount", "many"},
		{"key", "create", "--user", "ann@example.com", "--name", "x", "--rpm", "-1"},
		{"key", "create", "--user", "ann@example.com", "--name", "x", "--budget-month", "much"},
		{"user", "set-groups", "ann@example.com", "--groups", "owner"},
		{"plan", "x", "--needs", "love"},
		{"plan", "x", "--type", "love"},
	} {
		assert.Equal(t, 2, h.run("", wrong...).code, "%v", wrong)
	}
	assert.Equal(t, 3, h.run("", "limit", "remove", "nope").code)
	assert.Len(t, decode[[]keyView](h, "key", "list"), 1, "no key is left of what was refused")
}

const routingManifest = `version: 1
users:
  - email: ann@example.com
    role: member
    groups: [pilots]
aliases:
  - name: smart
    rules:
      - when:
          groups: [pilots]
          min_tokens: 10
        steps:
          - targets:
              - model: main/gpt-x
                weight: 9
              - model: main/gpt-y
                weight: 1
      - policy: cheap
        steps:
          - targets:
              - model: main/gpt-y
limits:
  - scope: user
    subject: ann@example.com
    metric: tokens
    period: day
    amount: 100000
  - scope: key
    metric: concurrency
    amount: 4
  - scope: model
    subject: smart
    metric: credits
    period: month
    amount: "2.5"
`

func TestApplyAndExportCarryRoutingAndLimits(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	v := decode[applyView](h, "apply", "-f", h.file(routingManifest))
	assert.Equal(t, []string{"create user ann@example.com", "create alias smart", "create limit user ann@example.com tokens day",
		"create limit key * concurrency now", "create limit model smart credits month"}, steps(v))
	assert.Equal(t, []string{"pilots"}, decode[[]userView](h, "user", "list")[0].Groups)
	assert.Equal(t, 5, decode[applyView](h, "apply", "-f", h.file(routingManifest)).Unchanged)

	changed := strings.NewReplacer("weight: 9", "weight: 8", "amount: 4", "amount: 5", "[pilots]\naliases", "[pilots, beta]\naliases").Replace(routingManifest)
	v = decode[applyView](h, "apply", "-f", h.file(changed))
	assert.Equal(t, 3, v.Changed, "%v", v.Changes)
	h.ok("key", "create", "--user", "ann@example.com", "--name", "ci", "--rpm", "5")
	file := h.file("")
	h.ok("export", "-f", file)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Contains(t, string(text), "subject: ann@example.com")
	assert.Contains(t, string(text), "min_tokens: 10")
	assert.Contains(t, string(text), "rpm: 5")
	assert.NotContains(t, string(text), "requests", "a key's own limit stands with the key")
	other := newHub(t, "HUB_KEY_ANN_EXAMPLE_COM_CI="+ciSecret)
	assert.Equal(t, 6, decode[applyView](other, "apply", "-f", file).Created)
	assert.Equal(t, decode[[]aliasView](h, "alias", "list"), decode[[]aliasView](other, "alias", "list"))
	assert.Equal(t, 6, decode[applyView](h, "apply", "-f", file).Unchanged)

	for wrong, says := range map[string]string{
		strings.Replace(routingManifest, "policy: cheap", "policy: best", 1):                               "no policy",
		strings.Replace(routingManifest, "period: day", "period: year", 1):                                 "period must be",
		strings.Replace(routingManifest, "subject: ann@example.com", "subject: bob@example.com", 1):        "no user bob@example.com",
		strings.Replace(routingManifest, "groups: [pilots]\naliases", "groups: [owner]\naliases", 1):       "is a role",
		strings.Replace(routingManifest, "model: main/gpt-x\n", "model: smart\n", 1):                       "is an alias itself",
		strings.Replace(routingManifest, "min_tokens", "least_tokens", 1):                                  "no field least_tokens",
		strings.Replace(routingManifest, "metric: concurrency", "metric: concurrency\n    period: day", 1): "has no period",
	} {
		o := h.run("", "apply", "-f", h.file(wrong))
		assert.Equal(t, 2, o.code, "%s", o.stderr)
		assert.Contains(t, o.stderr, says)
	}
}
