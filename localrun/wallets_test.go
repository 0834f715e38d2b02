package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestATeamPaysForItsMembersCalls(t *testing.T) {
	t.Parallel()
	h := newHub(t, "AIGNE_HUB_BILLING=on")
	_, own := h.withProvider()
	h.ok("rate", "set", "--provider", "openai", "--model", "gpt-fake", "--input", "1", "--output", "2")
	h.ok("wallet", "create", "--name", "Research")
	h.ok("wallet", "member", "Research", "--user", "member@example.com")
	h.ok("credits", "grant", "--wallet", "Research", "--amount", "5")
	key := decode[newKeyView](h, "key", "create", "--user", "member@example.com", "--name", "research", "--wallet", "Research")
	s := h.serve()
	status, _, answer, err := s.call(t.Context(), key.Key, hello)
	require.NoError(t, err)
	require.Equal(t, 200, status, answer)
	left := decode[balanceView](h, "credits", "balance", "--wallet", "Research")
	assert.Less(t, left.Balance.String(), "5")
	status, _, answer, err = s.call(t.Context(), own, hello)
	require.NoError(t, err)
	assert.Equal(t, 402, status, "the user's own wallet is empty: %s", answer)

	h.ok("credits", "transfer", "--wallet", "Research", "--to-user", "member@example.com", "--amount", "1", "--reason", "a gift")
	h.ok("credits", "adjust", "--user", "member@example.com", "--amount", "-0.5", "--reason", "less")
	assert.Equal(t, "0.5", decode[balanceView](h, "credits", "balance", "member@example.com").Balance.String())
	taken := decode[map[string]string](h, "credits", "reverse", "--user", "member@example.com", "--amount", "2", "--cause", "refund", "--reason", "back")
	assert.Equal(t, map[string]string{"taken": "0.5", "debt": "1.5"}, taken)
	h.ok("wallet", "remove-member", "Research", "--user", "member@example.com")
	status, _, answer, err = s.call(t.Context(), key.Key, hello)
	require.NoError(t, err)
	assert.Equal(t, 403, status, answer)
	assert.Equal(t, 1, h.run("", "wallet", "close", "Research").code, "credits are left on it")
	h.ok("key", "wallet", key.ID)
	h.ok("ledger", "verify", "--all")
	h.ok("ledger", "seal")
}

func TestWalletsAreInTheFile(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	file := filepath.Join(t.TempDir(), "hub.yaml")
	const text = `version: 1
users:
  - {email: ann@example.com, role: member}
wallets:
  - name: Research
    members:
      - {user: ann@example.com, manager: true}
limits:
  - {scope: member, subject: Research/*, metric: credits, period: month, amount: "50"}
  - {scope: member, subject: research/ann@example.com, metric: requests, period: day, amount: "9"}
`
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	assert.Contains(t, h.ok("apply", "-f", file, "--dry-run"), "Research")
	h.ok("apply", "-f", file)
	assert.False(t, decode[[]walletView](h, "wallet", "list")[0].Closed)
	for _, c := range decode[applyView](h, "apply", "-f", file).Changes {
		assert.Equal(t, "none", c.Action, c.Name)
	}
	out := h.ok("export", "-f", "-")
	for _, want := range []string{"- name: Research", "user: ann@example.com", "manager: true", "subject: Research/*", "subject: Research/ann@example.com"} {
		assert.Contains(t, out, want)
	}
	require.NoError(t, os.WriteFile(file, []byte(strings.ReplaceAll(text, "Research/*", "Other/*")), 0o600))
	o := h.run("", "apply", "-f", file)
	assert.Equal(t, 2, o.code)
	assert.Contains(t, o.stderr, "names no wallet")
}
