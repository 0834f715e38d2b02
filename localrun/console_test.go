package main

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/functions/console"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

// chromium is the browser that the console is tried in, or "".
func chromium() string {
	if path := os.Getenv("CHROMIUM"); path != "" {
		return path
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// untried says why the console cannot be tried in a browser here, "" where it can.
func untried(web, browser string) string {
	_, node := exec.LookPath("node")
	_, installed := os.Stat(filepath.Join(web, "node_modules", "playwright-core"))
	switch {
	case browser == "":
		return "no Chromium is installed: the console is not tried in a browser (CHROMIUM names one)"
	case node != nil:
		return "node is not installed: the console is not tried in a browser"
	case installed != nil || !console.Built():
		return "the console is not built (make console): it is not tried in a browser"
	}
	return ""
}

// TestConsole drives the console in a browser over a running hub, from the set-up
// to the first call and beyond (functions/console/web/e2e). It fails on a console
// error, a violation of the content security policy, a request to another host,
// and what axe-core calls serious.
func TestConsole(t *testing.T) {
	t.Parallel()
	const model = "gpt-4.1-nano" // the catalogue has it
	web, err := filepath.Abs("../functions/console/web")
	require.NoError(t, err)
	browser := chromium()
	if why := untried(web, browser); why != "" {
		t.Skip(why)
	}
	fake := fakeprovider.Start(t, fakeprovider.OpenAI, fakeprovider.Options{Models: []string{model}})
	talker, media := startTalkers(t)
	run := func(t *testing.T, script, prefix, until string) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		addr := l.Addr().String() // links need it before the hub starts
		require.NoError(t, l.Close())
		h := newHub(t, "AIGNE_HUB_BILLING=on", "AIGNE_HUB_WELCOME_CREDITS=5", "AIGNE_HUB_CAPTURE=on", "AIGNE_HUB_BILLING_ON_ABORT=delivered")
		s := h.serve("--listen", addr, "--public-url", "http://"+addr+prefix)
		ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, "node", script)
		cmd.Dir = web
		cmd.Env = append(os.Environ(), "HUB="+s.url, "TOKEN="+s.token, "MODEL="+model, "CHROMIUM="+browser, "STOP_AFTER="+until,
			"PROVIDER="+fake.URL+"/v1", "PROVIDER_KEY="+fakeprovider.DefaultKey, "TALKER="+talker.URL+"/v1", "MEDIA="+media.Base(), "SHOTS="+os.Getenv("AIGNE_HUB_TEST_SHOTS"))
		out, err := cmd.CombinedOutput()
		t.Logf("%s", out)
		require.NoError(t, err, "hub's log: %s", s.log)
	}
	t.Run("at the root of a host", func(t *testing.T) { run(t, "e2e/run.mjs", "", "") })
	t.Run("below a path, from the set-up to the first call", func(t *testing.T) { run(t, "e2e/run.mjs", "/ai", "a key is made") })
	days, err := filepath.Glob(filepath.Join(web, "e2e", "day-*.mjs"))
	require.NoError(t, err)
	require.NotEmpty(t, days)
	for _, day := range days {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(day), "day-"), ".mjs")
		t.Run(name, func(t *testing.T) {
			run(t, day, "", "")
			if name == "play" {
				requireStopped(t, talker)
			}
		})
	}
}
