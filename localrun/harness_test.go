package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
	"github.com/aigne-hub/aigne-hub/shared/testkit/logbuf"
)

// binary is the real command, built once for all tests.
var binary string

func TestMain(m *testing.M) {
	code, err := withBinary(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func withBinary(m *testing.M) (code int, err error) {
	dir, err := os.MkdirTemp("", "aigne-hub-test-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	binary = filepath.Join(dir, "aigne-hub")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		return 0, fmt.Errorf("build: %w\n%s", err, out)
	}
	return m.Run(), nil
}

// testHub is a data folder and the command that works on it.
type testHub struct {
	t    *testing.T
	data string
	env  []string // beside what every process needs
}

func newHub(t *testing.T, env ...string) *testHub {
	t.Helper()
	return &testHub{t: t, data: filepath.Join(t.TempDir(), "data"), env: env}
}

// outcome is what a command said.
type outcome struct {
	code           int
	stdout, stderr string
}

// command makes the process; nothing of the surroundings reaches it.
func (h *testHub) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Env = append([]string{"HOME=" + h.t.TempDir(), "AIGNE_HUB_DATA=" + h.data}, h.env...)
	return cmd
}

// run carries a command out; input becomes its standard input.
func (h *testHub) run(input string, args ...string) outcome {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), time.Minute)
	defer cancel()
	cmd := h.command(ctx, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		require.NoError(h.t, err)
	}
	return outcome{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// ok carries out a command that must succeed silently and returns what it printed.
func (h *testHub) ok(args ...string) string {
	h.t.Helper()
	o := h.run("", args...)
	require.Equal(h.t, 0, o.code, "%v: %s", args, o.stderr)
	require.Empty(h.t, o.stderr, "%v", args)
	return o.stdout
}

// decode carries out a command with --json and reads its document.
func decode[T any](h *testHub, args ...string) T {
	h.t.Helper()
	out := h.ok(append(args, "--json")...)
	dec := json.NewDecoder(strings.NewReader(out))
	dec.DisallowUnknownFields()
	var v T
	require.NoError(h.t, dec.Decode(&v), out)
	require.ErrorIs(h.t, dec.Decode(&v), io.EOF, "one document")
	return v
}

// served is a hub that serves.
type served struct {
	t                 *testing.T
	cmd               *exec.Cmd
	url               string
	token             string
	metrics, profiles string
	log               *logbuf.Buffer
	ended             chan struct{}
}

// serve starts the hub on a free port and waits until it says where it is.
func (h *testHub) serve(args ...string) *served {
	h.t.Helper()
	return h.start(append([]string{"serve", "--json", "--listen", "127.0.0.1:0"}, args...)...)
}

// start starts a hub by a whole command, which prints its greeting as JSON.
func (h *testHub) start(args ...string) *served {
	h.t.Helper()
	s := &served{t: h.t, log: &logbuf.Buffer{}, ended: make(chan struct{})}
	s.cmd = h.command(context.Background(), args...)
	s.cmd.Stderr = s.log
	out, err := s.cmd.StdoutPipe()
	require.NoError(h.t, err)
	require.NoError(h.t, s.cmd.Start())
	h.t.Cleanup(s.kill)
	var g greeting
	decodeErr := json.NewDecoder(bufio.NewReader(out)).Decode(&g)
	go func() {
		_ = s.cmd.Wait() // the state tells how it ended
		close(s.ended)
	}()
	require.NoError(h.t, decodeErr, "%s", s.log)
	s.url, s.token, s.metrics, s.profiles = g.URL, g.SetupToken, g.Metrics, g.Profiles
	return s
}

func (s *served) signal(sig os.Signal) {
	s.t.Helper()
	require.NoError(s.t, s.cmd.Process.Signal(sig))
}

// kill ends the process without warning.
func (s *served) kill() {
	_ = s.cmd.Process.Signal(syscall.SIGKILL) // it may have ended already
	<-s.ended
}

// exit waits for the process's end and returns its code.
func (s *served) exit(within time.Duration) int {
	s.t.Helper()
	select {
	case <-s.ended:
	case <-time.After(within):
		require.Fail(s.t, "the process did not end", "%s", s.log)
	}
	return s.cmd.ProcessState.ExitCode()
}

// call asks for an answer and reads it.
func (s *served) call(ctx context.Context, key, body string) (status int, header http.Header, answer string, err error) {
	return s.callWith(ctx, key, body, nil)
}

// callWith is call with more headers.
func (s *served) callWith(ctx context.Context, key, body string, more http.Header) (status int, header http.Header, answer string, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		return 0, nil, "", err
	}
	maps.Copy(r.Header, more)
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil, "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return res.StatusCode, res.Header, string(text), err
}

const hello = `{"model":"openai/gpt-fake","max_tokens":64,"messages":[{"role":"user","content":"hello"}]}`

const helloStream = `{"model":"openai/gpt-fake","max_tokens":64,"stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"hello there"}]}`

// withProvider gives the hub a fake provider named openai and a member with a key.
func (h *testHub) withProvider() (fake *fakeprovider.Provider, key string) {
	h.t.Helper()
	fake = fakeprovider.Start(h.t, fakeprovider.OpenAI, fakeprovider.Options{})
	h.env = append(h.env, "FAKE_KEY="+fakeprovider.DefaultKey)
	h.ok("provider", "add", "--kind", "openai", "--name", "openai", "--base-url", fake.URL+"/v1", "--credential-env", "FAKE_KEY")
	h.ok("user", "create", "--email", "member@example.com", "--role", "member")
	return fake, strings.TrimSpace(h.ok("key", "create", "--user", "member@example.com", "--name", "test"))
}
