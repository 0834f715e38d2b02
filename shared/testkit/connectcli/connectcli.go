// Package connectcli plays AIGNE's command line while it is connected to a hub, in
// Node. It is for tests only.
package connectcli

import (
	"bufio"
	"embed"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/testkit/npm"
)

//go:embed package.json package-lock.json connect.mjs
var files embed.FS

// Said is what the command line says: the page that it opens, then the key that it
// was handed or what went wrong.
type Said struct {
	Page  string `json:"page"`
	Key   string `json:"key"`
	ID    string `json:"id"`
	Fault string `json:"fault"`
}

// Connect starts the command line against the hub at an origin. next waits for what
// it says next. Where AIGNE_HUB_TEST_AIGNE_CLI names a folder in which @aigne/cli
// is installed, it is that package's own code.
func Connect(t testing.TB, origin string) (next func() Said) {
	t.Helper()
	node := npm.Node(t)
	dir := npm.Install(t, "connectcli", files)
	cmd := exec.CommandContext(t.Context(), node, filepath.Join(dir, "connect.mjs"), origin)
	cmd.Env = append(os.Environ(), "AIGNE_CLI="+os.Getenv("AIGNE_HUB_TEST_AIGNE_CLI"))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed, or has ended
	})
	lines := bufio.NewScanner(out)
	return func() (said Said) {
		t.Helper()
		require.True(t, lines.Scan(), "the command line said nothing more")
		require.NoError(t, json.Unmarshal(lines.Bytes(), &said), lines.Text())
		return said
	}
}
