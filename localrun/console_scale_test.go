package main

import (
	"context"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/functions/console"
	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/testkit/scale"
)

// TestConsoleStaysSmooth measures the console's pages in a browser over a hub with
// AIGNE_HUB_TEST_CONSOLE_CALLS calls of a year behind them: how long each takes to
// show what it has, to take a filter, to turn a page, and whether it stutters while
// it is scrolled. It fails where that is over the limits of e2e/scale.mjs.
func TestConsoleStaysSmooth(t *testing.T) {
	t.Parallel()
	calls, err := strconv.Atoi(os.Getenv("AIGNE_HUB_TEST_CONSOLE_CALLS"))
	if err != nil || calls < 1 {
		t.Skip("AIGNE_HUB_TEST_CONSOLE_CALLS names no number of calls: the console is not measured at scale (100000 take a minute)")
	}
	browser := chromium()
	node, nodeErr := exec.LookPath("node")
	if browser == "" || nodeErr != nil || !console.Built() {
		t.Skip("Chromium, node or the built console (make console) is missing: it is not measured")
	}
	web, err := filepath.Abs("../functions/console/web")
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := l.Addr().String()
	require.NoError(t, l.Close())
	h := newHub(t, "AIGNE_HUB_BILLING=on")
	file := filepath.Join(h.data, "hub.db")
	p, err := scale.Fill(t.Context(), scale.Options{File: file, Calls: calls, Users: 200, Seed: 11, Ledger: true})
	require.NoError(t, err)
	sumUp(t, h.data, file, p)
	s := h.serve("--listen", addr, "--public-url", "http://"+addr)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, "e2e/scale.mjs")
	cmd.Dir = web
	cmd.Env = append(os.Environ(), "HUB="+s.url, "TOKEN="+s.token, "CHROMIUM="+browser, "CALLS="+strconv.Itoa(calls), "SHOTS="+os.Getenv("AIGNE_HUB_TEST_SHOTS"))
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	require.NoError(t, err, "hub's log: %s", s.log)
}

// sumUp makes the sums of calls that were filled in behind the hub's back.
func sumUp(t *testing.T, data, file string, p scale.Population) {
	t.Helper()
	env := map[string]string{"AIGNE_HUB_DATA": data, "AIGNE_HUB_DATABASE": "file:" + file}
	lookup := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	cfg, err := boot.Load(lookup, nil, nil)
	require.NoError(t, err)
	a, err := boot.Open(t.Context(), cfg, boot.Options{Log: slog.New(slog.DiscardHandler), Env: lookup, Migrate: true})
	require.NoError(t, err)
	_, err = a.Roller.Rebuild(t.Context(), p.From, p.Until, false, nil)
	require.NoError(t, err)
	require.NoError(t, a.Close(context.WithoutCancel(t.Context())))
}
