package bundle_test

import (
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/aigne-hub/aigne-hub/shared/blocklet"
	"github.com/aigne-hub/aigne-hub/shared/boot"
)

type description struct {
	Name, DID, Version string
	Environments       []struct {
		Name    string
		Default string
		Secure  bool
	}
	Navigation []struct{ Link string }
	Scripts    map[string]string
}

func described(t *testing.T) (d description) {
	t.Helper()
	text, err := os.ReadFile("blocklet.yml")
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, &d))
	return d
}

// TestTheDIDIsTheNames: a DID is derived from bytes; here from the project's name.
func TestTheDIDIsTheNames(t *testing.T) {
	t.Parallel()
	const roleBlocklet = 15
	d := described(t)
	assert.Equal(t, blocklet.Address(ed25519.PublicKey("aigne-hub-go"), roleBlocklet), d.DID)
	assert.Equal(t, d.DID, d.Name)
	assert.Equal(t, ownDID, d.DID)
}

// TestPreferencesAndEnvironmentAreSettings starts from nothing but the defaults that
// the bundle gives.
func TestPreferencesAndEnvironmentAreSettings(t *testing.T) {
	t.Parallel()
	settings := map[string]boot.Setting{}
	for _, s := range boot.Settings() {
		settings[s.Name], settings["prefs."+s.Key()] = s, s
	}
	env := map[string]string{"HOME": "/home/me", "BLOCKLET_COMPONENT_DID": ownDID, "BLOCKLET_PORT": "8100", "BLOCKLET_DATA_DIR": "/data"}
	var environ []string
	for _, e := range described(t).Environments {
		if strings.HasPrefix(e.Name, "AIGNE_HUB_") {
			s, known := settings[e.Name]
			assert.True(t, known, e.Name)
			assert.Equal(t, s.Flag == "", e.Secure, "%s: what is secret is kept so", e.Name)
			environ = append(environ, e.Name+"="+e.Default)
		}
		env[e.Name] = e.Default
	}
	text, err := os.ReadFile("blocklet.prefs.json")
	require.NoError(t, err)
	var form struct {
		Schema struct {
			Properties map[string]struct {
				Title   string
				Default any
				Enum    []struct{ Value string }
			}
		}
	}
	require.NoError(t, json.Unmarshal(text, &form))
	for key, p := range form.Schema.Properties {
		s, known := settings["prefs."+key]
		require.True(t, known, "the preference %s is no setting", key)
		assert.NotEmpty(t, p.Title)
		if p.Default != nil {
			env["prefs."+key] = fmt.Sprint(p.Default)
		}
		for _, choice := range p.Enum {
			_, err := boot.Load(func(name string) (string, bool) {
				return map[string]string{"HOME": "/h", s.Name: choice.Value}[name], true
			}, nil, nil)
			assert.NoError(t, err, key)
		}
	}
	with, err := boot.Load(func(name string) (string, bool) { v, ok := env[name]; return v, ok }, environ, nil)
	require.NoError(t, err)
	for name := range env {
		if strings.HasPrefix(name, "prefs.") {
			delete(env, name)
		}
	}
	without, err := boot.Load(func(name string) (string, bool) { v, ok := env[name]; return v, ok }, environ, nil)
	require.NoError(t, err)
	with.Effective, without.Effective = nil, nil // where values come from
	assert.Equal(t, without, with, "the form's defaults are the hub's own")
}

// TestHooksAreCommands: the server does not look at them before it runs them.
func TestHooksAreCommands(t *testing.T) {
	t.Parallel()
	d := described(t)
	for hook, want := range map[string]string{"preStart": "sh bin/program.sh migrate --copy", "preStop": "sh bin/program.sh drain --all"} {
		assert.Equal(t, want, d.Scripts[hook])
	}
	router, err := os.ReadFile("../../functions/console/web/src/app/router.tsx")
	require.NoError(t, err)
	for _, n := range d.Navigation {
		assert.Contains(t, string(router), `path: "`+n.Link+`"`, "a page of the console")
	}
	assert.True(t, slices.ContainsFunc(d.Navigation, func(n struct{ Link string }) bool { return n.Link == "/" }))
}
