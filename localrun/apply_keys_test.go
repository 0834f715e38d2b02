package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
)

// Made for these tests.
const (
	ciSecret  = "sk-" + "8e1f4c7a902b5d36e8f17c4a0b92d563"
	docSecret = "sk-" + "1c0ffee2decade3f00d4babe5ace6bad"
)

const keysFile = `version: 1
users:
  - {email: ann@example.com, role: owner}
  - {email: Bob@example.com, role: member}
wallets:
  - {name: Research, members: [{user: Bob@example.com}]}
keys:
  - user: bob@example.com
    name: ci
    expires_at: "2099-01-31T00:00:00Z"
    models: [openai/*, fast]
    ips: [192.0.2.7]
    scopes: [inference, usage]
    wallet: Research
    rpm: 60
    tpm: 10000
    concurrency: 2
    budget_day: "1.50"
    budget_month: 20
    value: env:CI_KEY
  - {user: ann@example.com, name: docs, value: env:DOCS_KEY}
limits:
  - {scope: key, subject: bob@example.com/ci, metric: requests, period: day, amount: 1000}
`

func TestKeysOfAFileAreMadeWithTheSecretsThatClientsHold(t *testing.T) {
	t.Parallel()
	h := newHub(t, "CI_KEY="+ciSecret, "DOCS_KEY="+docSecret)
	file := h.file(keysFile)
	dry := decode[applyView](h, "apply", "-f", file, "--dry-run")
	assert.Contains(t, steps(dry), "create key bob@example.com/ci")
	assert.Empty(t, decode[[]keyView](h, "key", "list"), "a dry run makes none")

	out := h.ok("apply", "-f", file)
	assert.NotContains(t, out, ciSecret)
	keys := decode[[]keyView](h, "key", "list")
	require.Len(t, keys, 2)
	assert.Equal(t, "ci", keys[0].Name)
	v := decode[operator.KeyDetail](h, "key", "show", keys[0].ID)
	assert.Equal(t, []string{"openai/*", "fast"}, v.Models)
	assert.Equal(t, []string{"192.0.2.7/32"}, v.IPs)
	assert.Equal(t, []hub.Scope{hub.ScopeInference, hub.ScopeUsage}, v.Scopes)
	assert.NotEmpty(t, v.WalletID)
	assert.Len(t, v.Limits, 6)
	assert.True(t, strings.HasSuffix(ciSecret, v.Hint))

	again := decode[applyView](h, "apply", "-f", file)
	assert.Zero(t, again.Created+again.Changed, "%v", again.Changes)

	h.env = nil
	changed := strings.NewReplacer("rpm: 60", "rpm: 30", "    tpm: 10000\n", "", "models: [openai/*, fast]", "models: [fast]", "    wallet: Research\n", "").Replace(keysFile)
	diff := decode[applyView](h, "apply", "-f", h.file(changed))
	require.Equal(t, 1, diff.Changed, "%v", steps(diff))
	for _, c := range diff.Changes {
		if c.Action == "change" {
			assert.Equal(t, []string{"models: openai/*,fast → fast", "wallet: research → -", "rpm: 60 → 30", "tpm: 10000 → -"}, c.Detail)
		}
	}
	v = decode[operator.KeyDetail](h, "key", "show", keys[0].ID)
	assert.Equal(t, []string{"fast"}, v.Models)
	assert.Empty(t, v.WalletID)
	assert.Len(t, v.Limits, 5)
}

func TestKeysGoToAnotherHubWithTheirTermsAndWithoutTheirSecrets(t *testing.T) {
	t.Parallel()
	h := newHub(t, "CI_KEY="+ciSecret, "DOCS_KEY="+docSecret)
	h.ok("apply", "-f", h.file(keysFile))
	made := []newKeyView{
		decode[newKeyView](h, "key", "create", "--user", "ann@example.com", "--name", "a.b"),
		decode[newKeyView](h, "key", "create", "--user", "ann@example.com", "--name", "a-b"),
		decode[newKeyView](h, "key", "create", "--user", "ann@example.com", "--name", "twin"),
		decode[newKeyView](h, "key", "create", "--user", "ann@example.com", "--name", "twin"),
		decode[newKeyView](h, "key", "create", "--user", "ann@example.com", "--name", "gone"),
	}
	h.ok("key", "revoke", made[4].ID)
	file := filepath.Join(t.TempDir(), "out.yaml")
	h.ok("export", "-f", file)
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	text := string(b)
	for _, secret := range []string{ciSecret, docSecret, made[0].Key, made[0].Key[len("sk-hub-"):]} {
		assert.NotContains(t, text, secret)
	}
	assert.NotContains(t, text, "name: gone")
	assert.NotContains(t, text, "name: twin", "nobody could tell the two apart")
	assert.Contains(t, text, `("twin" of ann@example.com): another key of its user has the same name`)
	assert.Contains(t, text, "env:HUB_KEY_ANN_EXAMPLE_COM_A_B\n")
	assert.Contains(t, text, "env:HUB_KEY_ANN_EXAMPLE_COM_A_B_2\n", "no two keys share a variable")
	assert.Contains(t, text, "subject: Bob@example.com/ci")

	same := decode[applyView](h, "apply", "-f", file)
	assert.Zero(t, same.Created+same.Changed, "%v", same.Changes)

	other := newHub(t, "HUB_KEY_BOB_EXAMPLE_COM_CI="+ciSecret, "HUB_KEY_ANN_EXAMPLE_COM_DOCS="+docSecret,
		"HUB_KEY_ANN_EXAMPLE_COM_A_B="+made[0].Key, "HUB_KEY_ANN_EXAMPLE_COM_A_B_2="+made[1].Key)
	other.ok("apply", "-f", file)
	var lines []string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "# Left out") {
			lines = append(lines, line)
		}
	}
	assert.Equal(t, strings.Join(lines, ""), other.ok("export", "-f", "-"), "there and back")
}

func TestApplyRefusesKeysThatItCannotMean(t *testing.T) {
	t.Parallel()
	h := newHub(t, "CI_KEY="+ciSecret, "DOCS_KEY="+docSecret, "WEAK=sk-"+strings.Repeat("ab", 30), "OTHER=sk-"+strings.Repeat("0123456789abcdef", 3))
	h.ok("apply", "-f", h.file(keysFile))
	for range 2 {
		h.ok("key", "create", "--user", "ann@example.com", "--name", "twin")
	}
	key := func(fields string) string { return "version: 1\nkeys: [{user: ann@example.com, " + fields + "}]\n" }
	tests := []struct{ name, content, says string }{
		{"a key of nobody", "version: 1\nkeys: [{user: x@example.com, name: k, value: env:OTHER}]", "keys[0].user: there is no user"},
		{"no name", key("value: env:OTHER"), "keys[0].name is missing"},
		{"a new key without a secret", key("name: k"), "keys[0].value"},
		{"a new key with an unset variable", key("name: k, value: env:NOPE"), "NOPE is not set"},
		{"a literal secret", key("name: k, value: " + docSecret), "must be env:VARIABLE"},
		{"a weak secret", key("name: k, value: env:WEAK"), "too weak"},
		{"a secret that is another key's", key("name: k, value: env:CI_KEY"), "another key's"},
		{"another secret for a key", key("name: docs, value: env:OTHER"), "cannot be chosen again"},
		{"one secret for two keys", "version: 1\nkeys: [{user: ann@example.com, name: k, value: env:OTHER}, {user: ann@example.com, name: l, value: env:OTHER}]", "given to two keys"},
		{"a key twice", "version: 1\nkeys: [{user: ann@example.com, name: k}, {user: Ann@example.com, name: k}]", "is there twice"},
		{"a name that two keys have", key("name: twin"), "2 keys named"},
		{"a time in words", key("name: docs, expires_at: soon"), "expires_at must be"},
		{"a time that is over", key("name: docs, expires_at: '2001-01-01T00:00:00Z'"), "in the future"},
		{"no model at all", key("name: docs, models: []"), "keys[0]"},
		{"a network in words", key("name: docs, ips: [intranet]"), "keys[0]"},
		{"an unknown scope", key("name: docs, scopes: [all]"), "keys[0]"},
		{"a budget in words", key("name: docs, budget_day: much"), "keys[0]"},
		{"less than no calls", key("name: docs, rpm: -1"), "keys[0]"},
		{"an application that is not there", key("name: k, app: nope, value: env:OTHER"), "keys[0].app"},
		{"a wallet that is not there", key("name: docs, wallet: Nope"), "keys[0].wallet"},
		{"a wallet of others", key("name: docs, wallet: Research"), "is no member"},
		{"a limit that keys have a word for", "version: 1\nlimits: [{scope: key, subject: ann@example.com/docs, metric: requests, period: minute, amount: 1}]", "has rpm for this"},
		{"a limit of no key", "version: 1\nlimits: [{scope: key, subject: ann@example.com/nope, metric: requests, period: day, amount: 1}]", "there is no key"},
	}
	before := h.ok("export", "-f", "-")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			one := &testHub{t: t, data: h.data, env: h.env}
			o := one.run("", "apply", "-f", one.file(tt.content))
			assert.Equal(t, 2, o.code, o.stderr)
			assert.Contains(t, o.stderr, tt.says)
			assert.NotContains(t, o.stderr, docSecret)
		})
	}
	assert.Equal(t, before, h.ok("export", "-f", "-"), "what is refused changes nothing")
}

func TestAKeyThatExpiredIsLeftAsItIs(t *testing.T) {
	t.Parallel()
	h := newHub(t, "CI_KEY="+ciSecret)
	h.ok("user", "create", "--email", "ann@example.com", "--role", "owner")
	at := time.Now().Add(2 * time.Second).UTC().Format(time.RFC3339Nano)
	file := h.file("version: 1\nkeys: [{user: ann@example.com, name: ci, expires_at: '" + at + "', value: env:CI_KEY}]\n")
	h.ok("apply", "-f", file)
	time.Sleep(2100 * time.Millisecond)
	v := decode[applyView](h, "apply", "-f", file)
	assert.Equal(t, 1, v.Unchanged, "%v", v.Changes)
	assert.NotContains(t, h.ok("export", "-f", "-"), "name: ci")
}
