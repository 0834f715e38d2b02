package boot_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// written is the path of a configuration file with that text.
func written(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hub.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestAFlagWinsOverTheEnvironmentThePreferencesAndTheFile(t *testing.T) {
	t.Parallel()
	path := written(t, "attempts: 1\ndrain: 1s\nhedge: 1s\ncooldown: 1s\nbilling: on\nseller: [Example Ltd, '1 Main St, Town']\ntrusted_proxies: [10.0.0.0/8, 192.0.2.1]\n"+
		"oidc_more:\n  - {name: corp, issuer: 'https://login.example.com', client_id: hub}\npublic_url: https://hub.example.com\nmax_body:\n")
	vars := map[string]string{"AIGNE_HUB_CONFIG": path, "AIGNE_HUB_DRAIN": "2s", "AIGNE_HUB_HEDGE": "2s",
		"BLOCKLET_COMPONENT_DID": "z1", "prefs.cooldown": "3s", "prefs.hedge": "3s"}
	c, err := load(vars, map[string]string{"AIGNE_HUB_HEDGE": "4s"})
	require.NoError(t, err)
	assert.EqualValues(t, 1, c.Attempts)
	assert.Equal(t, "2s", c.Drain.String())
	assert.Equal(t, "3s", c.Cooldown.String())
	assert.Equal(t, "4s", c.Hedge.String())
	assert.True(t, c.Billing)
	assert.Equal(t, []string{"Example Ltd", "1 Main St, Town"}, c.Selling.Seller)
	assert.Len(t, c.TrustedProxies, 2)
	require.Len(t, c.Door.Providers, 1)
	assert.Equal(t, "corp", c.Door.Providers[0].Name)
	assert.EqualValues(t, 30_000_000, c.MaxBody, "no value is no word")

	delete(vars, "BLOCKLET_COMPONENT_DID")
	c, err = load(vars, nil)
	require.NoError(t, err)
	assert.Equal(t, "1s", c.Cooldown.String(), "only a Blocklet Server hands preferences over")

	c, err = boot.Load(func(name string) (string, bool) { v, ok := vars[name]; return v, ok }, nil, map[string]string{"AIGNE_HUB_HEDGE": "4s", "AIGNE_HUB_DATA": "/d"})
	require.NoError(t, err)
	from := map[string]string{}
	for _, s := range c.Effective {
		from[s.Key()] = s.From
	}
	assert.Equal(t, path+":1", from["attempts"])
	assert.Equal(t, "environment", from["drain"])
	assert.Equal(t, "flag", from["hedge"])
	assert.Equal(t, "default", from["max_body"])
}

func TestFaultsOfAFileNameKeyAndLine(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		want       []string // after the path
	}{
		{"an unknown key", "\nbiling: on\n", []string{":2: biling is not a setting; did you mean billing?"}},
		{"a flag's spelling", "public-url: x\n", []string{":1: public-url is not a setting; did you mean public_url?"}},
		{"a key twice", "drain: 1s\n\ndrain: 2s\n", []string{":3: drain stands in line 1 already"}},
		{"values", "billing: maybe\nattempts: many\n", []string{`:1: billing must be on or off, not "maybe"`, `:2: attempts must be a whole number from 1 to 100, not "many"`}},
		{"a list where none belongs", "billing: [on]\n", []string{":1: billing must be one value"}},
		{"a mapping where a list belongs", "fetch_allow: {a: b}\n", []string{":1: fetch_allow must be one value or a list of values"}},
		{"another file", "config: x\n", []string{":1: config is not a setting"}},
		{"no mapping", "- a\n", []string{": must be a list of settings such as billing: on"}},
		{"two documents", "drain: 1s\n---\ndrain: 2s\n", []string{": must hold one document"}},
		{"broken", "drain: 'x\n", []string{": line 2:"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := written(t, tt.text)
			_, err := load(nil, map[string]string{"AIGNE_HUB_CONFIG": path})
			var fault *hub.Error
			require.ErrorAs(t, err, &fault)
			assert.Equal(t, hub.CodeInvalid, fault.Code)
			for _, want := range tt.want {
				assert.Contains(t, err.Error(), path+want)
			}
		})
	}
	_, err := load(map[string]string{"AIGNE_HUB_CONFIG": "/nowhere/hub.yaml"}, nil)
	assert.ErrorContains(t, err, "/nowhere/hub.yaml: the configuration file cannot be read: no such file or directory")
	_, err = load(nil, map[string]string{"AIGNE_HUB_CONFIG": written(t, "# nothing\n")})
	assert.NoError(t, err)
}

func TestSecretsOfAFileAreNeitherShownNorRepeated(t *testing.T) {
	t.Parallel()
	const secret = "tok-abcdefghijkl"
	path := written(t, "database: libsql://db.example.com\ndatabase_token: "+secret+"\nmaster_key: not-a-key-"+secret+"\n")
	vars := map[string]string{"AIGNE_HUB_CONFIG": path, "HOME": "/home/me"}
	env := func(name string) (string, bool) { v, ok := vars[name]; return v, ok }
	_, err := boot.Load(env, nil, nil)
	require.Error(t, err)
	assert.NotContains(t, err.Error(), secret)
	c, err := boot.Load(env, nil, map[string]string{"AIGNE_HUB_MASTER_KEY": goodKey})
	require.NoError(t, err)
	hidden := 0
	for _, s := range c.Effective {
		assert.NotContains(t, s.Value, secret)
		assert.NotContains(t, s.Value, goodKey)
		if s.Secret && s.IsSet {
			hidden++
		}
	}
	assert.Equal(t, 2, hidden)
}

// TestTheSchemaAgreesWithTheParsers holds the schema against what Load takes.
func TestTheSchemaAgreesWithTheParsers(t *testing.T) {
	t.Parallel()
	text, err := boot.Schema()
	require.NoError(t, err)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	require.NoError(t, compiler.AddResource("hub.json", doc))
	schema, err := compiler.Compile("hub.json")
	require.NoError(t, err)
	judge := func(text string) error {
		var v any
		require.NoError(t, yaml.Unmarshal([]byte(text), &v))
		b, err := json.Marshal(v)
		require.NoError(t, err)
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		require.NoError(t, err)
		return schema.Validate(doc)
	}
	for _, tt := range []struct {
		text string
		ok   bool
	}{
		{"billing: on", true}, {"billing: true", true}, {"billing: maybe", false},
		{"attempts: 3", true}, {"attempts: 0", false}, {"attempts: many", false},
		{"drain: 1m30s", true}, {"drain: soon", false}, {"max_body: 30MB", true}, {"max_body: 30000000", true}, {"max_body: lots", false},
		{"listen: 127.0.0.1:3030", true}, {"listen: nowhere", false}, {"synchronous: FULL", true}, {"synchronous: HALF", false},
		{"trusted_proxies: [10.0.0.0/8]", true}, {"biling: on", false}, {"config: x", false}, {"credit_price: 0.01", true},
		{"cache: ask", true}, {"cache: sometimes", false},
	} {
		said := judge(tt.text)
		_, err := load(nil, map[string]string{"AIGNE_HUB_CONFIG": written(t, tt.text)})
		assert.Equal(t, tt.ok, said == nil, "schema: %s: %v", tt.text, said)
		assert.Equal(t, tt.ok, err == nil, "parser: %s: %v", tt.text, err)
	}
	for _, s := range boot.Settings() {
		if s.Default == "" || strings.ContainsAny(s.Default, "$,") || s.Key() == "config" {
			continue
		}
		assert.NoError(t, errors.Join(judge(s.Key()+": "+quoted(s.Default))), s.Key())
	}
}

// quoted is a default as YAML, numbers as such.
func quoted(v string) string {
	if strings.Trim(v, "0123456789") == "" {
		return v
	}
	return "'" + v + "'"
}
