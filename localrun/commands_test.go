package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

const secret = "sk-live-abcdefghijklmnop"

func TestProvidersAndCredentials(t *testing.T) {
	t.Parallel()
	h := newHub(t, "VENDOR_KEY="+secret)
	added := decode[providerView](h, "provider", "add", "main", "--kind", "openai", "--credential-env", "VENDOR_KEY")
	assert.Equal(t, "https://api.openai.com/v1", added.BaseURL)
	assert.Equal(t, 1, added.Credentials)

	o := h.run(secret+"\n", "credential", "add", "--provider", "main", "--name", "second", "--weight", "7", "--credential-stdin", "--json")
	require.Equal(t, 0, o.code, o.stderr)
	h.ok("credential", "disable", "second", "--provider", "main")
	list := decode[[]credentialView](h, "credential", "list", "--provider", "main")
	require.Len(t, list, 2)
	assert.Equal(t, "default", list[0].Name)
	assert.True(t, list[0].Active)
	assert.Equal(t, "second", list[1].Name)
	assert.Equal(t, int64(7), list[1].Weight)
	assert.False(t, list[1].Active)
	assert.Equal(t, "disabled by cli", list[1].Error)
	h.ok("credential", "enable", "--provider", "main", "--name", "second")
	assert.True(t, decode[[]credentialView](h, "credential", "list")[1].Active)
	h.ok("credential", "remove", "--provider", "main", "--name", "second")
	assert.Len(t, decode[[]credentialView](h, "credential", "list"), 1)

	h.env = append(h.env, "DEEPSEEK_API_KEY="+secret)
	providers := decode[[]providerView](h, "provider", "list")
	require.Len(t, providers, 2)
	assert.Equal(t, "env", providers[0].Source)
	assert.Equal(t, "deepseek", providers[0].Name)
	assert.Equal(t, "stored", providers[1].Source)
	assert.Equal(t, 1, providers[1].Credentials)
	human := h.ok("provider", "list")
	assert.Regexp(t, `(?m)^NAME +KIND +SOURCE +ENABLED +CREDENTIALS +BASE-URL$`, human)
	assert.Regexp(t, `(?m)^main +openai +stored +yes +1 +https://api\.openai\.com/v1$`, human)

	h.ok("provider", "remove", "main")
	assert.Len(t, decode[[]providerView](h, "provider", "list"), 1)
	for _, list := range []string{"provider", "credential", "key", "user", "rate", "calls"} {
		assert.NotContains(t, h.ok(list, "list", "--json"), secret)
	}
	assert.NotContains(t, string(readAll(t, h.data)), secret, "no secret lies open in the data folder")
}

// readAll is everything in a folder.
func readAll(t *testing.T, dir string) []byte {
	t.Helper()
	var all []byte
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		require.NoError(t, err)
		all = append(all, b...)
	}
	return all
}

func TestProviderTestSaysWhichCredentialWorks(t *testing.T) {
	t.Parallel()
	fake := fakeprovider.Start(t, fakeprovider.OpenAI, fakeprovider.Options{})
	h := newHub(t, "GOOD="+fakeprovider.DefaultKey, "BAD=sk-wrong-0123456789")
	h.ok("provider", "add", "p", "--kind", "openai", "--base-url", fake.URL+"/v1", "--credential-env", "GOOD")
	views := decode[[]probeView](h, "provider", "test", "p")
	require.Len(t, views, 1)
	assert.True(t, views[0].OK)
	assert.Equal(t, http.StatusOK, views[0].HTTPStatus)

	h.ok("credential", "add", "--provider", "p", "--name", "bad", "--credential-env", "BAD")
	o := h.run("", "provider", "test", "p")
	assert.Equal(t, 1, o.code)
	assert.Regexp(t, `(?m)^p +default +ok +\d+ ms +-$`, o.stdout)
	assert.Regexp(t, `(?m)^p +bad +failed +\d+ ms +HTTP 401: the provider refuses the credential$`, o.stdout)
	assert.Equal(t, "aigne-hub: 1 of 2 credentials of p failed\n", o.stderr)
	assert.NotContains(t, o.stdout+o.stderr, "sk-wrong")

	h.ok("provider", "add", "gone", "--kind", "ollama", "--base-url", "http://127.0.0.1:1/v1")
	assert.Equal(t, 1, h.run("", "provider", "test", "gone").code)
	h.ok("provider", "add", "empty", "--kind", "openai")
	assert.Equal(t, 1, h.run("", "provider", "test", "empty").code)
	assert.Equal(t, 3, h.run("", "provider", "test", "nobody").code)

	claude := fakeprovider.Start(t, fakeprovider.Anthropic, fakeprovider.Options{})
	h.ok("provider", "add", "claude", "--kind", "anthropic", "--base-url", claude.URL, "--credential-env", "GOOD")
	assert.True(t, decode[[]probeView](h, "provider", "test", "claude")[0].OK)
	gemini := fakeprovider.Start(t, fakeprovider.Gemini, fakeprovider.Options{})
	h.ok("provider", "add", "gemini", "--kind", "google", "--base-url", gemini.URL, "--credential-env", "GOOD")
	assert.True(t, decode[[]probeView](h, "provider", "test", "gemini")[0].OK)
}

func TestRatesAreStoredInCreditsAndShownWithTheirCost(t *testing.T) {
	t.Parallel()
	h := newHub(t, "AIGNE_HUB_CREDIT_PRICE=0.01")
	v := decode[rateView](h, "rate", "set", "--provider", "openai", "--model", "m", "--input", "2.5", "--output", "10", "--cache-read", "0",
		"--cache-write", "3", "--reasoning", "12", "--context", "128000", "--max-output", "4096", "--cost-input", "1", "--cost-output", "4", "--price", "web_searches=10000")
	assert.Equal(t, map[string]string{"input": "250", "output": "1000", "cache_read": "0", "cache_write_5m": "300", "cache_write_1h": "300",
		"reasoning": "1200", "web_searches": "1000000"}, v.Prices.Base)
	assert.Equal(t, map[string]string{"input": "1", "output": "4"}, v.Cost.Base)
	assert.Equal(t, "rate", v.CostSource)
	assert.Equal(t, int64(128000), v.Context)
	assert.Equal(t, int64(4096), v.MaxOutput)

	h.ok("rate", "set", "m", "--provider", "openai", "--input", "1", "--output", "1")
	h.ok("rate", "set", "gpt-4.1-nano", "--provider", "openai", "--input", "1", "--output", "1")
	h.ok("rate", "set", "e", "--provider", "openai", "--type", "embedding", "--input", "1")
	rates := decode[[]rateView](h, "rate", "list")
	require.Len(t, rates, 3)
	assert.Equal(t, "embedding", string(rates[0].Type))
	assert.Equal(t, "gpt-4.1-nano", rates[1].Model)
	assert.Equal(t, "catalogue", rates[1].CostSource)
	assert.Equal(t, "0.1", rates[1].Cost.Base["input"])
	assert.Equal(t, int64(2), rates[2].Version)
	assert.Equal(t, "unknown", rates[2].CostSource)
	assert.Nil(t, rates[2].Cost, "what is unknown is not 0")
	assert.Regexp(t, `(?m)^openai +m +chatCompletion +2 +input 100, output 100 +unknown +unknown +in use$`, h.ok("rate", "list"))
}

func TestWorkIsPricedByTheUnitAndByVariant(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	v := decode[rateView](h, "rate", "set", "--provider", "openai", "--model", "i", "--type", "imageGeneration",
		"--per-unit", "images=0.04", "--per-unit", "images:hd:1024x1792=0.12", "--price", "images::512x512=16000", "--cost", "images=30000")
	assert.Equal(t, map[string]string{"images": "40000"}, v.Prices.Base)
	assert.Equal(t, []variantView{{"images", "", "512x512", "16000"}, {"images", "hd", "1024x1792", "120000"}}, v.Prices.Variants)
	assert.Equal(t, map[string]string{"images": "30000"}, v.Cost.Base)
	out := h.ok("rate", "list")
	assert.Contains(t, out, "images 40000, images::512x512 16000, images:hd:1024x1792 120000")
	exported := h.ok("export", "-f", "-")
	assert.Regexp(t, `images:hd:1024x1792: "?120000"?`, exported)
	file := filepath.Join(t.TempDir(), "hub.yaml")
	require.NoError(t, os.WriteFile(file, []byte(exported), 0o600))
	other := newHub(t)
	other.ok("apply", "-f", file)
	assert.Equal(t, exported, other.ok("export", "-f", "-"), "there and back")
	v = decode[rateView](h, "rate", "set", "--provider", "openai", "--model", "w", "--type", "audioGeneration", "--per-unit", "seconds=0.0001")
	assert.Equal(t, map[string]string{"seconds": "100"}, v.Prices.Base)
}

func TestUsersKeysAndCredits(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	u := decode[userView](h, "user", "create", "--email", "ann@example.com", "--role", "admin")
	assert.Len(t, u.ID, 26)
	assert.False(t, u.Password)
	o := h.run("correct horse battery\n", "user", "set-password", "--email", "ann@example.com", "--password-stdin")
	require.Equal(t, 0, o.code, o.stderr)
	users := decode[[]userView](h, "user", "list")
	require.Len(t, users, 1)
	assert.True(t, users[0].Password)

	key := h.ok("key", "create", "--user", "ann@example.com", "--name", "laptop")
	assert.Regexp(t, `^sk-hub-[A-Za-z0-9_-]{43}\n$`, key, "alone on standard output")
	made := decode[newKeyView](h, "key", "create", "--user", "ann@example.com", "--name", "short", "--expires", "24h")
	assert.Equal(t, "ann@example.com", made.User)
	assert.NotNil(t, made.ExpiresAt)
	h.ok("key", "revoke", made.ID)
	keys := decode[[]keyView](h, "key", "list", "--user", "ann@example.com")
	require.Len(t, keys, 2)
	assert.Nil(t, keys[0].RevokedAt)
	assert.NotNil(t, keys[1].RevokedAt)
	assert.Equal(t, keys, decode[[]keyView](h, "key", "list"))
	assert.NotContains(t, h.ok("key", "list"), strings.TrimSpace(key))

	g := decode[grantView](h, "credits", "grant", "--user", "ann@example.com", "--amount", "12.000000001", "--reason", "a gift", "--expires", "2099-01-01T00:00:00Z")
	assert.Equal(t, "12.000000001", g.Amount.String())
	assert.Equal(t, "12.000000001", g.Balance.String())
	raw := h.ok("credits", "balance", "--user", "ann@example.com", "--json")
	var b map[string]any
	require.NoError(t, json.Unmarshal([]byte(raw), &b))
	assert.Equal(t, "12.000000001", b["balance"], "amounts are decimal strings")
	assert.Equal(t, "0", b["held"])
	assert.Equal(t, "12.000000001", b["available"])
	assert.Equal(t, "OK: 1 operations, no violations.\n", h.ok("ledger", "verify"))
	assert.True(t, decode[verifyView](h, "ledger", "verify").OK)
}

func TestSetupTokenOnlyWithoutOwner(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	first := h.ok("setup-token")
	assert.Regexp(t, `^setup-[A-Za-z0-9_-]{43}\n$`, first)
	assert.NotEqual(t, first, h.ok("setup-token"))
	h.ok("user", "create", "--email", "o@example.com", "--role", "owner")
	o := h.run("", "setup-token")
	assert.Equal(t, 1, o.code)
	assert.Contains(t, o.stderr, "has an owner already")
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	o := h.run("", "migrate")
	require.Equal(t, 0, o.code, o.stderr)
	assert.Contains(t, o.stderr, "migration applied")
	assert.Equal(t, "The database is up to date.\n", h.ok("migrate"))
}

func TestWrongUse(t *testing.T) {
	t.Parallel()
	h := newHub(t, "K="+secret)
	h.ok("user", "create", "--email", "ann@example.com", "--role", "member")
	h.ok("provider", "add", "p", "--kind", "openai", "--credential-env", "K")
	tests := []struct {
		name, args string
		code       int
		says       string
	}{
		{"an unknown command", "frobnicate", 2, `no command "frobnicate"`},
		{"a command that there is not", "physician", 2, `no command "physician"`},
		{"an unknown subcommand", "provider frob", 2, `no command "frob"; provider has add`},
		{"no subcommand", "provider", 2, "provider needs one of the commands add"},
		{"an unknown flag", "user list --frob", 2, "flag provided but not defined: -frob"},
		{"an unexpected argument", "user list x", 2, `unexpected argument "x"`},
		{"two arguments", "provider remove a b", 2, `unexpected argument "b"`},
		{"name and argument", "provider remove a --name b", 2, "--name is given twice"},
		{"missing flags", "provider add", 2, "add needs --kind, --name"},
		{"an empty flag", "user create --email= --role member", 2, "create needs --email"},
		{"an unknown kind", "provider add --kind x --name y", 2, `"x" is no provider kind`},
		{"a bad name", "provider add --kind openai --name A/B", 2, "provider's name"},
		{"a bad URL", "provider add --kind openai --name y --base-url ftp://x", 2, "base URL"},
		{"a kind without URL", "provider add --kind openai-compatible --name y", 2, "need a base URL"},
		{"two sources of a credential", "provider add --kind openai --name y --credential-env K --credential-stdin", 2, "not both"},
		{"an unset variable", "provider add --kind openai --name y --credential-env NOPE", 2, `"NOPE" is not set`},
		{"no variable", "provider add --kind openai --name y --credential-env=", 2, "is not set"},
		{"nothing on standard input", "provider add --kind openai --name y --credential-stdin", 2, "nothing on standard input"},
		{"no credential", "credential add --provider p --name y", 2, "needs one of"},
		{"a weight of nothing", "credential add --provider p --name y --weight 0 --credential-env K", 2, "weight"},
		{"a weight in words", "credential add --provider p --name y --weight heavy --credential-env K", 2, "weight"},
		{"a name that is taken", "provider add --kind openai --name p", 1, "already"},
		{"a credential that is there", "credential add --provider p --name default --credential-env K", 1, "already"},
		{"an unknown provider", "provider remove nobody", 3, "no stored provider named nobody"},
		{"an unknown provider's credential", "credential add --provider nobody --name x --credential-env K", 3, "no stored provider"},
		{"an unknown credential", "credential disable --provider p --name x", 3, "no credential named x"},
		{"credentials of nobody", "credential list --provider nobody", 3, "no stored provider"},
		{"a chat rate without output", "rate set --provider p --model m --input 1", 2, "needs --output"},
		{"a rate without price", "rate set --provider p --model m --type embedding", 2, "at least one price"},
		{"a rate that is no number", "rate set --provider p --model m --input x --output 1", 2, "dollars per million"},
		{"a rate below zero", "rate set --provider p --model m --input=-1 --output 1", 2, "dollars per million"},
		{"a rate that is too fine", "rate set --provider p --model m --input 0.0000001 --output 1", 2, "six decimals"},
		{"an unknown type", "rate set --provider p --model m --type x --input 1", 2, "type must be"},
		{"a variant of tokens", "rate set --provider p --model m --type embedding --price input:hd=1", 2, "only images and seconds"},
		{"a unit's price that is no number", "rate set --provider p --model m --type imageGeneration --per-unit images=cheap", 2, "one unit"},
		{"a variant of too many parts", "rate set --provider p --model m --type imageGeneration --per-unit images:a:b:c=1", 2, "BUCKET=PRICE"},
		{"a cost of a variant of tokens", "rate set --provider p --model m --type imageGeneration --price images=1 --cost input:hd=1", 2, "only images and seconds"},
		{"an unknown bucket", "rate set --provider p --model m --input 1 --output 1 --price x=1", 2, "BUCKET=PRICE"},
		{"no address", "user create --email nobody --role member", 2, "not an e-mail address"},
		{"no role", "user create --email x@example.com --role king", 2, "role must be"},
		{"an address that is taken", "user create --email ann@example.com --role member", 1, "already"},
		{"a password on the command line", "user set-password --email ann@example.com", 2, "needs --password-stdin"},
		{"a key for nobody", "key create --user bob@example.com --name k", 3, "no user"},
		{"keys of nobody", "key list --user bob@example.com", 3, "no user"},
		{"a key that ends in no time", "key create --user ann@example.com --name k --expires soon", 2, "--expires must be"},
		{"a key that has ended", "key create --user ann@example.com --name k --expires 2001-01-01T00:00:00Z", 2, "future"},
		{"an unknown key", "key revoke nope", 3, "no API key"},
		{"credits for nobody", "credits grant --user bob@example.com --amount 1", 3, "no user"},
		{"credits that are none", "credits grant --user ann@example.com --amount x", 2, "--amount must be"},
		{"no credits", "credits grant --user ann@example.com --amount 0", 2, "greater than 0"},
		{"less than nothing", "credits grant --user ann@example.com --amount=-5", 2, "greater than 0"},
		{"credits that are too fine", "credits grant --user ann@example.com --amount 0.0000000001", 2, "nine decimals"},
		{"nobody's balance", "credits balance bob@example.com", 3, "no user"},
		{"no calls asked for", "calls list --limit 0", 2, "--limit must be"},
		{"a limit in words", "calls list --limit many", 2, "limit"},
		{"nobody's calls", "calls list --user bob@example.com", 3, "no user"},
		{"a file that is not there", "apply -f /nonexistent.yaml", 2, "cannot be read"},
		{"no file", "apply", 2, "needs --file"},
		{"a bad setting", "user list --billing maybe", 2, "AIGNE_HUB_BILLING must be on or off"},
		{"two bad settings", "user list --billing maybe --attempts x", 2, "; AIGNE_HUB_ATTEMPTS"},
		{"a bad setting in front", "--cooldown x user list", 2, "AIGNE_HUB_COOLDOWN"},
		{"nowhere to listen", "serve --listen nowhere", 2, "AIGNE_HUB_LISTEN must be host:port"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			one := &testHub{t: t, data: h.data, env: h.env}
			o := one.run("", strings.Fields(tt.args)...)
			assert.Equal(t, tt.code, o.code, o.stderr)
			assert.Empty(t, o.stdout)
			assert.Regexp(t, `^aigne-hub: [^\n]+\n$`, o.stderr, "one line")
			assert.Contains(t, o.stderr, tt.says)

			o = one.run("", append(strings.Fields(tt.args), "--json")...)
			assert.Equal(t, tt.code, o.code)
			var body struct {
				Error struct{ Message, Code, Param string } `json:"error"`
			}
			require.NoError(t, json.Unmarshal([]byte(o.stderr), &body), o.stderr)
			assert.Contains(t, body.Error.Message, tt.says)
			assert.Regexp(t, `^[a-z_]+$`, body.Error.Code)
			assert.NotContains(t, o.stderr, secret)
		})
	}
}

func TestSettingsStandOnEitherSideOfTheCommand(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	a, b := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
	h.ok("--data", a, "user", "create", "--email", "x@example.com", "--role", "member")
	h.ok("user", "list", "--data", b)
	assert.Len(t, decode[[]userView](h, "user", "--data="+a, "list"), 1)
	assert.Empty(t, decode[[]userView](h, "user", "list", "--data", b))
	assert.NoDirExists(t, h.data, "the flag wins over the environment")
}

func TestAnUnknownSettingIsRefused(t *testing.T) {
	t.Parallel()
	h := newHub(t, "AIGNE_HUB_LISTN=:1", "AIGNE_HUB_BILLING=maybe")
	o := h.run("", "user", "list")
	assert.Equal(t, 2, o.code)
	assert.Contains(t, o.stderr, "AIGNE_HUB_LISTN is not a setting; did you mean AIGNE_HUB_LISTEN?; AIGNE_HUB_BILLING must be on or off")
}
