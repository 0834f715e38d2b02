package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSettingsOfAFileAreCheckedShownAndServed(t *testing.T) {
	t.Parallel()
	h := newHub(t, "AIGNE_HUB_DRAIN=7s")
	path := filepath.Join(t.TempDir(), "hub.yaml")
	write := func(text string) { require.NoError(t, os.WriteFile(path, []byte(text), 0o600)) }
	write("billing: on\ndrain: 3s\nattempts: 2\nsmtp_url: smtp://me:hush-hush@mail.example.com:587/?from=hub@example.com\n")
	assert.Contains(t, h.ok("config", "validate", path), path+" is in order")
	out := h.ok("config", "print", path, "--attempts", "9")
	assert.NotContains(t, out, "hush-hush")
	assert.Regexp(t, `(?m)^smtp_url +\(set, not shown\) +`+path+`:4$`, out)
	assert.Regexp(t, `(?m)^drain +7s +environment$`, out)
	assert.Regexp(t, `(?m)^attempts +9 +flag$`, out)
	shown := decode[[]shownSetting](h, "config", "print", "--config", path, "--all")
	assert.Greater(t, len(shown), 100)
	var schema map[string]any
	require.NoError(t, json.Unmarshal([]byte(h.ok("config", "schema")), &schema))
	assert.Equal(t, "object", schema["type"])

	_, key := h.withProvider()
	s := h.serve("--config", path)
	status, _, text, err := s.call(t.Context(), key, hello)
	require.NoError(t, err)
	assert.Equal(t, 400, status, "with billing a model needs a price: %s", text)

	write("biling: on\n\nattempts: many\n")
	o := h.run("", "config", "validate", path)
	assert.Equal(t, exitUsage, o.code)
	assert.Contains(t, o.stderr, path+":1: biling is not a setting; did you mean billing?")
	assert.Contains(t, o.stderr, path+":3: attempts must be a whole number")
	assert.Equal(t, exitUsage, h.run("", "serve", "--config", path).code)
	assert.Equal(t, exitUsage, h.run("", "config", "validate", filepath.Join(t.TempDir(), "none.yaml")).code)
}
