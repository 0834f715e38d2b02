package bundle_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"encoding/json"

	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/blocklet"
)

// host is a Blocklet Server with an app.
type host struct {
	t    *testing.T
	cli  string // the command line's folder
	dir  string // the server's
	home string
	own  bool // started here

	app   string // DID
	url   string // of a proxy that names the app's domain, which nothing resolves
	users map[string]person
}

// person is one of the app's users: signed in, and with an access key.
type person struct{ DID, Token, Key string }

// newHost starts a server, or takes the one that runs in the folder that
// AIGNE_HUB_TEST_BLOCKLET_SERVER names, for those who work on this test.
func newHost(t *testing.T) *host {
	t.Helper()
	said, err := exec.CommandContext(t.Context(), "./cli.sh").Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		t.Skipf("no Blocklet Server is tried: %s", exit.Stderr)
	}
	require.NoError(t, err)
	h := &host{t: t, cli: filepath.Join(filepath.Dir(strings.TrimSpace(string(said))), "..", "..")}
	if h.dir = os.Getenv("AIGNE_HUB_TEST_BLOCKLET_SERVER"); h.dir != "" {
		h.home = filepath.Join(h.dir, "..", "home")
	} else {
		h.start()
	}
	if _, err := os.Stat(filepath.Join(h.dir, "app.json")); err != nil {
		h.script("app")
	}
	h.readApp()
	return h
}

// start makes a server in a short folder and starts it. Without the setting that is
// emptied it asks a machine of the internet before it does anything.
func (h *host) start() {
	h.t.Helper()
	if _, err := exec.LookPath("nginx"); err != nil {
		h.t.Skip("nginx is not installed: no Blocklet Server is tried")
	}
	root, err := os.MkdirTemp("", "blocklet-")
	require.NoError(h.t, err)
	h.dir, h.home, h.own = filepath.Join(root, "server"), filepath.Join(root, "home"), true
	for _, dir := range []string{h.dir, h.home} {
		require.NoError(h.t, os.MkdirAll(dir, 0o700))
	}
	h.t.Cleanup(func() {
		out, err := h.command(context.Background(), "server", "stop", "--force").CombinedOutput()
		if err != nil {
			h.t.Logf("the server does not stop: %v %s", err, out)
		}
		_ = os.RemoveAll(root)
	})
	h.run("server", "init", "-f", "--mode", "debug", "--no-https", "--http-port", "8680", "--https-port", "8643")
	path := filepath.Join(h.dir, ".blocklet-server", "config.yml")
	text, err := os.ReadFile(path)
	require.NoError(h.t, err)
	text = regexp.MustCompile(`registerUrl: .*`).ReplaceAll(text, []byte("registerUrl: ''"))
	require.NoError(h.t, os.WriteFile(path, text, 0o600))
	h.run("server", "start", "--force-intranet")
}

func (h *host) environ() []string {
	return append(os.Environ(), "HOME="+h.home, "ABT_NODE_CUSTOM_DATA_DIR="+filepath.Join(h.home, "arc"), "PATH="+filepath.Join(h.cli, "node_modules", ".bin")+":"+os.Getenv("PATH"))
}

func (h *host) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(h.cli, "node_modules", ".bin", "blocklet"), args...)
	cmd.Dir, cmd.Env = h.dir, h.environ()
	return cmd
}

// run runs ArcBlock's command line in the server's folder.
func (h *host) run(args ...string) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), 10*time.Minute)
	defer cancel()
	// Into a file: the processes that it starts keep what it writes on.
	log, err := os.CreateTemp(h.home, "log")
	require.NoError(h.t, err)
	defer log.Close()
	cmd := h.command(ctx, args...)
	cmd.Stdout, cmd.Stderr = log, log
	err = cmd.Run()
	text, _ := os.ReadFile(log.Name())
	require.NoError(h.t, err, "blocklet %v: %s", args, text)
}

// script does what server.cjs knows and returns what it says.
func (h *host) script(args ...string) string {
	h.t.Helper()
	here, err := filepath.Abs("server.cjs")
	require.NoError(h.t, err)
	ctx, cancel := context.WithTimeout(h.t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", append([]string{here, h.cli}, args...)...)
	cmd.Dir, cmd.Env = h.dir, h.environ()
	var out, fault bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &fault
	require.NoError(h.t, cmd.Run(), "%v: %s", args, fault.String())
	return out.String()
}

func (h *host) readApp() {
	h.t.Helper()
	text, err := os.ReadFile(filepath.Join(h.dir, "app.json"))
	require.NoError(h.t, err)
	var app struct {
		DID   string            `json:"did"`
		Users map[string]person `json:"users"`
	}
	require.NoError(h.t, json.Unmarshal(text, &app))
	h.app, h.users = app.DID, app.Users
	if h.url != "" {
		return
	}
	did, ok := blocklet.ParseDID(app.DID)
	require.True(h.t, ok)
	router, err := url.Parse("http://127.0.0.1:8680")
	require.NoError(h.t, err)
	domain := did.Domain() + ".did.abtnet.io"
	proxy := httptest.NewServer(&httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(router)
		r.Out.Host = domain
	}})
	h.t.Cleanup(proxy.Close)
	h.url = proxy.URL
}

// bundle packs the staged folder as that name and version, and returns it.
func (h *host) bundle(stage, name, did, version string) string {
	h.t.Helper()
	dir := filepath.Join(h.t.TempDir(), "stage")
	require.NoError(h.t, os.CopyFS(dir, os.DirFS(stage)))
	path := filepath.Join(dir, "blocklet.yml")
	text, err := os.ReadFile(path)
	require.NoError(h.t, err)
	for key, value := range map[string]string{"name": name, "did": did, "version": version} {
		text = regexp.MustCompile(`(?m)^`+key+`: .*$`).ReplaceAll(text, []byte(key+": "+value))
	}
	require.NoError(h.t, os.WriteFile(path, text, 0o600))
	cmd := exec.CommandContext(h.t.Context(), "./pack.sh", dir)
	cmd.Env = append(os.Environ(), "BLOCKLET_HOME="+h.home)
	out, err := cmd.CombinedOutput()
	require.NoError(h.t, err, "%s", out)
	return filepath.Join(dir, ".blocklet", "bundle")
}

// deploy installs a bundle, or upgrades to it.
func (h *host) deploy(bundle, mount string) {
	h.t.Helper()
	h.run("deploy", bundle, "--app-id", h.app, "--mount-point", mount)
}

// await waits until the component runs in that version.
func (h *host) await(did, version string) {
	h.t.Helper()
	var said string
	for began := time.Now(); time.Since(began) < 4*time.Minute; time.Sleep(2 * time.Second) {
		said = h.script("components")
		for line := range strings.Lines(said) {
			if f := strings.Fields(line); len(f) > 3 && f[0] == did && f[1] == version && (f[2] == "running" || f[3] == "running") {
				return
			}
		}
	}
	require.Fail(h.t, "the component does not run", "%s", said)
}

// get asks below the app, with a user's sign-in.
func (h *host) get(path string, who person) (*http.Response, error) {
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, h.url+path, http.NoBody)
	if err != nil {
		return nil, err
	}
	if who.Token != "" {
		r.AddCookie(&http.Cookie{Name: "login_token", Value: who.Token})
	}
	return http.DefaultClient.Do(r)
}
