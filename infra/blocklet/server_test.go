// Package bundle_test looks at the Blocklet bundle: its description against the
// hub's settings and, where ArcBlock's command line can be had, installed in a real
// Blocklet Server.
package bundle_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
	"github.com/aigne-hub/aigne-hub/shared/testkit/sdk"
)

const (
	ownDID   = "z2qaGvono3X3vkeD63zDPt9rJu7aXkisTs3RY"
	aigneDID = "z8ia3xzq2tMq8CRHfaXj1BTYJyYnEcHbqP8cJ" // AIGNE Hub's, for which its clients look
)

// TestTheBundleInABlockletServer goes from the bundle to streamed answers: under the
// project's own DID, through an upgrade and a stop, and in place of AIGNE Hub.
func TestTheBundleInABlockletServer(t *testing.T) {
	stage := os.Getenv("AIGNE_HUB_TEST_BLOCKLET")
	if stage == "" {
		t.Skip("AIGNE_HUB_TEST_BLOCKLET is not set: no Blocklet Server is tried (make blocklet-check)")
	}
	h := newHost(t)
	h.deploy(h.bundle(stage, ownDID, ownDID, "0.1.0"), "/hub")
	if h.users == nil {
		h.script("users")
		h.readApp()
	}
	h.script("act", "start", ownDID)
	h.await(ownDID, "0.1.0")
	fake := fakeprovider.Start(t, fakeprovider.OpenAI, fakeprovider.Options{})
	data := filepath.Join(h.dir, ".blocklet-server", "data", h.app, ownDID)
	program := func(args ...string) string {
		cmd := exec.CommandContext(t.Context(), filepath.Join(stage, "bin", "linux-amd64", "aigne-hub"), append(args, "--data", data)...)
		cmd.Env = []string{"HOME=" + t.TempDir(), "FAKE_KEY=" + fakeprovider.DefaultKey}
		out, err := cmd.Output()
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("%v: %s", args, exit.Stderr)
		}
		require.NoError(t, err)
		return string(out)
	}
	program("provider", "add", "--kind", "openai", "--name", "fake", "--base-url", fake.URL+"/v1", "--credential-env", "FAKE_KEY")

	h.assertPage()
	h.assertRoles()
	h.assertStreams(fake, nil)
	h.assertSettings(program)

	h.deploy(h.bundle(stage, ownDID, ownDID, "0.2.0"), "/hub")
	h.await(ownDID, "0.2.0")
	h.assertStreams(fake, nil)
	assert.Contains(t, program("calls", "list"), "fake/gpt-fake", "calls of before the upgrade")

	// Within the stop a stream comes to its end: the hook waits for it.
	h.assertStreams(fake, func() { h.script("act", "stop", ownDID) })
	h.script("act", "start", ownDID)
	h.await(ownDID, "0.2.0")
	h.assertStreams(fake, nil)
	program("ledger", "verify")

	h.deploy(h.bundle(stage, "ai-kit", aigneDID, "1.0.0"), "/ai")
	h.script("act", "start", aigneDID)
	h.await(aigneDID, "1.0.0")
	data = filepath.Join(h.dir, ".blocklet-server", "data", h.app, "ai-kit")
	program("provider", "add", "--kind", "openai", "--name", "openai", "--base-url", fake.URL+"/v1", "--credential-env", "FAKE_KEY")
	fake.Forget()
	results := sdk.Run(t, sdk.AIGNE, sdk.Target{BaseURL: h.url, Key: h.users["member"].Key, Model: "openai/gpt-fake"}, "discovery", "whole", "stream")
	assert.Equal(t, h.url+"/ai/api/v2/chat", results["discovery"].URL)
	assert.True(t, results["whole"].OK, "%+v", results["whole"])
	assert.True(t, results["stream"].OK, "%+v", results["stream"])
}

// assertPage: the console below the mount point, and what the server says of the
// component.
func (h *host) assertPage() {
	h.t.Helper()
	res, err := h.get("/hub/", person{})
	require.NoError(h.t, err)
	page, err := io.ReadAll(res.Body)
	require.NoError(h.t, errors.Join(err, res.Body.Close()))
	assert.Equal(h.t, 200, res.StatusCode)
	assert.Contains(h.t, string(page), `<base href="/hub/">`)
	res, err = h.get("/__blocklet__.js?type=json", person{})
	require.NoError(h.t, err)
	text, err := io.ReadAll(res.Body)
	require.NoError(h.t, errors.Join(err, res.Body.Close()))
	var said struct {
		Mounts []struct{ DID, MountPoint string } `json:"componentMountPoints"`
	}
	require.NoError(h.t, json.Unmarshal(text, &said))
	assert.Contains(h.t, said.Mounts, struct{ DID, MountPoint string }{ownDID, "/hub"})
	for _, link := range []string{`"/hub"`, `"/hub/calls"`, `"/hub/credits"`} {
		assert.Contains(h.t, string(text), `"link":`+link)
	}
}

// assertRoles: the app's users are the hub's.
func (h *host) assertRoles() {
	h.t.Helper()
	for name, u := range h.users {
		res, err := h.get("/hub/api/auth/me", u)
		require.NoError(h.t, err)
		var me struct{ User struct{ Role string } }
		require.NoError(h.t, errors.Join(json.NewDecoder(res.Body).Decode(&me), res.Body.Close()))
		assert.Equal(h.t, name, me.User.Role)
	}
	res, err := h.get("/hub/api/auth/me", person{})
	require.NoError(h.t, err)
	require.NoError(h.t, res.Body.Close())
	assert.Equal(h.t, 401, res.StatusCode)
}

// assertStreams calls with an access key of the user centre. The answer is held in
// the middle while during runs, and its beginning must have come before that.
func (h *host) assertStreams(fake *fakeprovider.Provider, during func()) {
	h.t.Helper()
	gate := fakeprovider.NewGate()
	fake.Always("gpt-fake", fakeprovider.Answer{Text: fakeprovider.Words(40), Frames: 10, Middle: gate})
	release := time.AfterFunc(time.Minute, gate.Release)
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, h.url+"/hub/v1/chat/completions",
		strings.NewReader(`{"model":"fake/gpt-fake","stream":true,"messages":[{"role":"user","content":"hello"}]}`))
	require.NoError(h.t, err)
	r.Header.Set("Authorization", "Bearer "+h.users["member"].Key)
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	require.NoError(h.t, err)
	first := make([]byte, 1)
	_, err = io.ReadFull(res.Body, first)
	require.NoError(h.t, err)
	assert.True(h.t, release.Stop(), "the stream was kept until its end")
	if during != nil {
		done := make(chan struct{})
		go func() { during(); close(done) }()
		time.Sleep(8 * time.Second) // the hook is waiting by then
		defer func() { <-done }()
	}
	gate.Release()
	rest, err := io.ReadAll(res.Body)
	require.NoError(h.t, errors.Join(err, res.Body.Close()))
	assert.Equal(h.t, 200, res.StatusCode, "%s", rest)
	assert.Contains(h.t, string(rest), "[DONE]")
}

// assertSettings: a preference that an admin sets is a setting after the restart.
func (h *host) assertSettings(program func(args ...string) string) {
	h.t.Helper()
	models := func() string {
		res, err := h.get("/hub/api/ai/models", person{})
		require.NoError(h.t, err)
		text, err := io.ReadAll(res.Body)
		require.NoError(h.t, errors.Join(err, res.Body.Close()))
		return strings.TrimSpace(string(text))
	}
	program("rate", "set", "--provider", "fake", "--model", "gpt-fake", "--input", "1", "--output", "1")
	require.Eventually(h.t, func() bool { return strings.Contains(models(), "gpt-fake") }, time.Minute, time.Second)
	h.script("settings", ownDID, "prefs.public_models=false")
	h.script("act", "restart", ownDID)
	require.Eventually(h.t, func() bool { return models() == "[]" }, 3*time.Minute, 2*time.Second)
	h.script("settings", ownDID, "prefs.public_models=true")
	h.script("act", "restart", ownDID)
	require.Eventually(h.t, func() bool { return strings.Contains(models(), "gpt-fake") }, 3*time.Minute, 2*time.Second)
}
