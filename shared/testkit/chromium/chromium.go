// Package chromium looks at the hub's pages in the Chromium of the machine. It is
// for tests only and skips them where there is none.
package chromium

import (
	"bufio"
	"bytes"
	"embed"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/testkit/npm"
)

//go:embed package.json package-lock.json pages.mjs
var files embed.FS

// Plan is what a user does in the browser.
type Plan struct {
	Chromium  string   `json:"chromium"` // set by Look
	Origin    string   `json:"origin"`
	Email     string   `json:"email"`
	Password  string   `json:"password"`
	Authorize string   `json:"authorize"` // path of a request to sign in to an application
	Denied    string   `json:"denied"`    // path of one that is not accepted
	Devices   []string `json:"devices"`   // codes, one for each setting
	Connects  []string `json:"connects"`  // paths that command lines open, likewise
	Shots     string   `json:"shots"`     // folder for pictures, $AIGNE_HUB_TEST_SHOTS; "": none
}

// Settings is how many widths, themes and languages there are.
const Settings = 6

// Saw is what there was to see with one setting.
type Saw struct {
	Width    int      `json:"width"` // 0: the visit that tries to be led away
	Theme    string   `json:"theme"`
	Language string   `json:"language"`
	Faults   []string `json:"faults"` // errors of scripts, refusals of the policy, what does not fit
	Asked    string   `json:"asked"`
	User     string   `json:"user"`
	Back     string   `json:"back"` // where the browser ended
	Device   string   `json:"device"`
	Connect  string   `json:"connect"`
	Hidden   bool     `json:"hidden"` // the session's id has left the address
	Fault    string   `json:"fault"`
}

// Look carries out a plan.
func Look(t testing.TB, p Plan) []Saw {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			p.Chromium = path
		}
	}
	if p.Chromium == "" {
		t.Skip("no Chromium is installed: the pages are NOT looked at in a browser (1 test skipped)")
	}
	node := npm.Node(t)
	dir := npm.Install(t, "chromium", files)
	p.Shots = os.Getenv("AIGNE_HUB_TEST_SHOTS")
	plan, err := json.Marshal(p)
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), node, filepath.Join(dir, "pages.mjs"))
	cmd.Env = append(os.Environ(), "PLAN="+string(plan))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err, string(out))
	var all []Saw
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		var saw Saw
		require.NoError(t, json.Unmarshal(lines.Bytes(), &saw), lines.Text())
		all = append(all, saw)
	}
	return all
}
