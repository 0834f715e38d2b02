package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestTheUnitIsUnderstoodAndStrict lets systemd's own tool read the units and judge
// what the service may do; README names the figure.
func TestTheUnitIsUnderstoodAndStrict(t *testing.T) {
	t.Parallel()
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed: the systemd units are not judged")
	}
	dir := t.TempDir()
	for _, name := range []string{"aigne-hub.service", "aigne-hub.socket"} {
		text, err := os.ReadFile(filepath.Join("..", "infra", name))
		require.NoError(t, err)
		text = []byte(strings.ReplaceAll(string(text), "/usr/local/bin/aigne-hub", binary))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), text, 0o600))
	}
	for _, name := range []string{"aigne-hub.service", "aigne-hub.socket"} {
		out, err := exec.CommandContext(t.Context(), analyze, "verify", filepath.Join(dir, name)).CombinedOutput()
		require.NoError(t, err, "%s", out)
		assert.NotContains(t, string(out), name+":", "a line that is not understood")
	}
	out, err := exec.CommandContext(t.Context(), analyze, "security", "--offline=true", "--no-pager", filepath.Join(dir, "aigne-hub.service")).CombinedOutput()
	require.NoError(t, err, "%s", out)
	found := regexp.MustCompile(`Overall exposure level for aigne-hub.service: ([0-9.]+)`).FindSubmatch(out)
	require.NotNil(t, found, "%s", out)
	exposure, err := strconv.ParseFloat(string(found[1]), 64)
	require.NoError(t, err)
	assert.Less(t, exposure, 1.5, "%s", out)
}
