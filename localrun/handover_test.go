package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

// succession is a hub and those that take over from it, which are not children of
// the test: it knows them by the files in which they say where they are.
type succession struct {
	t    *testing.T
	h    *testHub
	s    *served
	fake *fakeprovider.Provider
	key  string
}

func newSuccession(t *testing.T, args ...string) *succession {
	t.Helper()
	h := newHub(t)
	fake := fakeprovider.Start(t, fakeprovider.OpenAI, fakeprovider.Options{})
	h.env = append(h.env, "FAKE_KEY="+fakeprovider.DefaultKey)
	h.ok("provider", "add", "--kind", "openai", "--name", "openai", "--base-url", fake.URL+"/v1", "--credential-env", "FAKE_KEY")
	h.ok("user", "create", "--email", "member@example.com", "--role", "member")
	key := strings.TrimSpace(h.ok("key", "create", "--user", "member@example.com", "--name", "test"))
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	t.Cleanup(func() {
		all, err := present(h.data)
		assert.NoError(t, err)
		for _, p := range all {
			_ = syscall.Kill(p.PID, syscall.SIGKILL)
		}
		_ = log.Close()
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("%s", text)
		}
	})
	return &succession{t: t, h: h, s: h.startLogged(binary, log, append([]string{"serve", "--json", "--listen", "127.0.0.1:0"}, args...)...), fake: fake, key: key}
}

// startLogged is start with a log that later processes may write on.
func (h *testHub) startLogged(program string, log *os.File, args ...string) *served {
	h.t.Helper()
	s := &served{t: h.t, ended: make(chan struct{})}
	s.cmd = h.command(context.Background(), args...)
	s.cmd.Path, s.cmd.Args[0] = program, program
	read, write, err := os.Pipe()
	require.NoError(h.t, err)
	s.cmd.Stdout, s.cmd.Stderr = write, log
	require.NoError(h.t, s.cmd.Start())
	require.NoError(h.t, write.Close())
	h.t.Cleanup(func() { s.kill(); _ = read.Close() })
	var g greeting
	decodeErr := json.NewDecoder(bufio.NewReader(read)).Decode(&g)
	go func() { _, _ = io.Copy(io.Discard, read) }()
	go func() {
		_ = s.cmd.Wait()
		close(s.ended)
	}()
	require.NoError(h.t, decodeErr)
	s.url, s.token, s.metrics = g.URL, g.SetupToken, g.Metrics
	return s
}

// pids are the processes that serve now.
func (s *succession) pids() []int {
	s.t.Helper()
	all, err := present(s.h.data)
	require.NoError(s.t, err)
	var pids []int
	for _, p := range all {
		pids = append(pids, p.PID)
	}
	return pids
}

// next waits for a process that none of those was.
func (s *succession) next(before ...int) (pid int) {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		for _, p := range s.pids() {
			if !slices.Contains(before, p) {
				pid = p
				return true
			}
		}
		return false
	}, 2*time.Minute, 20*time.Millisecond)
	return pid
}

// alone waits until that process is the only one.
func (s *succession) alone(pid int) {
	s.t.Helper()
	require.Eventually(s.t, func() bool { return slices.Equal(s.pids(), []int{pid}) }, time.Minute, 20*time.Millisecond)
}

// streams are calls whose answers are held in the middle.
type streams struct {
	gate *fakeprovider.Gate
	wait sync.WaitGroup
}

// begin opens n streams and comes back when all run.
func (s *succession) begin(n int) *streams {
	s.t.Helper()
	st := &streams{gate: fakeprovider.NewGate()}
	s.fake.Always("gpt-fake", fakeprovider.Answer{Text: fakeprovider.Words(30), Frames: 10, Middle: st.gate})
	for range n {
		st.wait.Go(func() {
			status, _, text, err := s.s.call(s.t.Context(), s.key, helloStream)
			assert.NoError(s.t, err, "a stream was cut")
			assert.Equal(s.t, http.StatusOK, status, text)
			assert.Contains(s.t, text, "[DONE]")
		})
	}
	for range n {
		select {
		case <-st.gate.Reached():
		case <-time.After(time.Minute):
			require.Fail(s.t, "streams do not run")
		}
	}
	return st
}

func (st *streams) end() {
	st.gate.Release()
	st.wait.Wait()
}

// callers call without a break until stop is called: every other of them by a new
// connection each time. None repeats by itself.
func (s *succession) callers(n int, calls *atomic.Int64) (stop func()) {
	ctx, cancel := context.WithCancel(s.t.Context())
	var all sync.WaitGroup
	body := strings.ReplaceAll(hello, "gpt-fake", "gpt-fake-mini")
	for i := range n {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: i%2 == 0}}
		all.Go(func() {
			for ctx.Err() == nil {
				r, err := http.NewRequestWithContext(context.WithoutCancel(ctx), http.MethodPost, s.s.url+"/v1/chat/completions", strings.NewReader(body))
				if !assert.NoError(s.t, err) {
					return
				}
				r.GetBody = nil
				r.Header.Set("Authorization", "Bearer "+s.key)
				r.Header.Set("Content-Type", "application/json")
				res, err := client.Do(r)
				if !assert.NoError(s.t, err, "a connection was refused or cut") {
					return
				}
				text, err := io.ReadAll(res.Body)
				assert.NoError(s.t, errors.Join(err, res.Body.Close()))
				assert.Equal(s.t, http.StatusOK, res.StatusCode, "%s", text)
				calls.Add(1)
			}
		})
	}
	return func() { cancel(); all.Wait() }
}

// TestARestartRefusesNobodyAndBreaksNoStream hands a hub over twice, while callers
// come with new connections and old ones, and streams run.
func TestARestartRefusesNobodyAndBreaksNoStream(t *testing.T) {
	t.Parallel()
	s := newSuccession(t, "--metrics-listen", "127.0.0.1:0")
	var calls atomic.Int64
	stop := s.callers(4, &calls)
	more := func() {
		before := calls.Load()
		require.Eventually(t, func() bool { return calls.Load() > before+8 }, time.Minute, 5*time.Millisecond)
	}
	first := s.s.cmd.Process.Pid
	running := s.begin(3)
	more()
	s.s.signal(syscall.SIGUSR2)
	second := s.next(first)
	more()
	running.end()
	assert.Equal(t, 0, s.s.exit(time.Minute), "the first ends in order")
	s.alone(second)
	res, err := http.Get(s.s.metrics)
	require.NoError(t, err, "the listener of the figures is handed over, too")
	require.NoError(t, res.Body.Close())
	assert.Equal(t, 200, res.StatusCode)

	running = s.begin(2)
	require.NoError(t, syscall.Kill(second, syscall.SIGUSR2))
	third := s.next(first, second)
	more()
	running.end()
	s.alone(third)
	more()
	stop()
	t.Logf("%d calls over three processes", calls.Load())
	s.h.ok("ledger", "verify")
	require.NoError(t, syscall.Kill(third, syscall.SIGTERM))
	require.Eventually(t, func() bool { return len(s.pids()) == 0 }, 30*time.Second, 20*time.Millisecond)
}

// TestAProgramThatDoesNotStartLeavesTheOldOneServing replaces the program by one
// that ends at once.
func TestAProgramThatDoesNotStartLeavesTheOldOneServing(t *testing.T) {
	t.Parallel()
	own := filepath.Join(t.TempDir(), "aigne-hub")
	text, err := os.ReadFile(binary)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(own, text, 0o700)) //nolint:gosec // a program
	h := newHub(t)
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	defer log.Close()
	s := h.startLogged(own, log, "serve", "--json", "--listen", "127.0.0.1:0")
	require.NoError(t, os.Rename(own, own+".old"))
	require.NoError(t, os.WriteFile(own, []byte("#!/bin/sh\nexit 7\n"), 0o700)) //nolint:gosec // a program
	s.signal(syscall.SIGUSR2)
	require.Eventually(t, func() bool {
		said, err := os.ReadFile(log.Name())
		return err == nil && strings.Contains(string(said), "this process goes on")
	}, 30*time.Second, 20*time.Millisecond)
	res, err := http.Get(s.url + "/readyz")
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	assert.Equal(t, 200, res.StatusCode)
	s.signal(syscall.SIGTERM)
	assert.Equal(t, 0, s.exit(30*time.Second))
}

// TestADrainedHubStaysAndTakesNoMore is what a host's hook before the stop does.
func TestADrainedHubStaysAndTakesNoMore(t *testing.T) {
	t.Parallel()
	s := newSuccession(t)
	address := strings.TrimPrefix(s.s.url, "http://")
	running := s.begin(1)
	drained := make(chan string)
	go func() { drained <- s.h.ok("drain", "--listen", address) }()
	select {
	case said := <-drained:
		assert.Fail(t, "drain came back before the stream's end", said)
	case <-time.After(time.Second):
	}
	running.end()
	assert.Contains(t, <-drained, "has no open calls and takes no more")
	status, _, text, err := s.s.call(t.Context(), s.key, hello)
	require.NoError(t, err)
	assert.Equal(t, 503, status)
	assert.Contains(t, text, "being stopped")
	res, err := http.Get(s.s.url + "/healthz")
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	assert.Equal(t, 200, res.StatusCode, "it stays, else its keeper would start it anew")
	began := time.Now()
	s.s.signal(syscall.SIGINT)
	assert.Equal(t, 0, s.s.exit(30*time.Second))
	assert.Less(t, time.Since(began), 10*time.Second)
	o := s.h.run("", "drain", "--listen", address)
	assert.Equal(t, exitNotFound, o.code, o.stderr)
}

// TestSystemdsSocketIsServed plays the service manager.
func TestSystemdsSocketIsServed(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	own, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	file, err := own.(*net.TCPListener).File()
	require.NoError(t, err)
	defer file.Close()
	path := filepath.Join(shortDir(t), "notify")
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	require.NoError(t, err)
	defer notify.Close()
	// LISTEN_PID is the process's own number, which a shell knows before it becomes it.
	cmd := h.command(t.Context())
	cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", `LISTEN_PID=$$ exec "$0" serve --json --listen 127.0.0.1:1`, binary}
	cmd.Env = append(cmd.Env, "LISTEN_FDS=1", "LISTEN_FDNAMES=aigne-hub.socket", "NOTIFY_SOCKET="+path)
	cmd.ExtraFiles = []*os.File{file}
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	// What comes before the hub serves waits.
	answer := make(chan error, 1)
	go func() {
		res, err := http.Get("http://" + own.Addr().String() + "/healthz")
		if err == nil {
			err = res.Body.Close()
		}
		answer <- err
	}()
	heard := func() string {
		b := make([]byte, 256)
		require.NoError(t, notify.SetReadDeadline(time.Now().Add(time.Minute)))
		n, err := notify.Read(b)
		require.NoError(t, err)
		return string(b[:n])
	}
	assert.Equal(t, "READY=1", heard())
	require.NoError(t, <-answer)
	var g greeting
	require.NoError(t, json.NewDecoder(bufio.NewReader(out)).Decode(&g))
	assert.Equal(t, "http://"+own.Addr().String(), g.URL)
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	assert.Equal(t, "STOPPING=1", heard())
	require.NoError(t, cmd.Wait())
}

// shortDir is a folder whose name leaves room for a socket's: 108 bytes in all.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "hub")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// TestACertificateIsReplacedWhileTheHubServes changes the files behind a listener
// that speaks TLS, with a fault in between.
func TestACertificateIsReplacedWhileTheHubServes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	roots := issue(t, cert, key, "first.test")
	h := newHub(t)
	fake, apiKey := h.withProvider()
	_ = fake
	s := h.serve("--tls-cert", cert, "--tls-key", key)
	require.True(t, strings.HasPrefix(s.url, "https://"), s.url)
	named := func(name string) (string, error) {
		conn, err := tls.Dial("tcp", strings.TrimPrefix(s.url, "https://"), &tls.Config{RootCAs: roots, ServerName: name, MinVersion: tls.VersionTLS12})
		if err != nil {
			return "", err
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].DNSNames[0], nil
	}
	name, err := named("first.test")
	require.NoError(t, err)
	assert.Equal(t, "first.test", name)
	client := &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "first.test", MinVersion: tls.VersionTLS12}}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/v1/chat/completions", strings.NewReader(helloStream))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+apiKey)
	res, err := client.Do(r)
	require.NoError(t, err)
	text, err := io.ReadAll(res.Body)
	require.NoError(t, errors.Join(err, res.Body.Close()))
	assert.Contains(t, string(text), "[DONE]")
	assert.Equal(t, 2, res.ProtoMajor)

	require.NoError(t, os.WriteFile(key, []byte("half a file"), 0o600))
	s.signal(syscall.SIGHUP)
	require.Eventually(t, func() bool { return strings.Contains(s.log.String(), "the former one stays") }, 10*time.Second, 10*time.Millisecond)
	_, err = named("first.test")
	require.NoError(t, err)

	next := issue(t, cert, key, "second.test")
	roots = next
	s.signal(syscall.SIGHUP)
	require.Eventually(t, func() bool { name, err := named("second.test"); return err == nil && name == "second.test" }, 10*time.Second, 20*time.Millisecond)

	roots = issue(t, cert, key, "third.test") // and nobody says so
	require.Eventually(t, func() bool { name, err := named("third.test"); return err == nil && name == "third.test" }, 2*lookEvery+10*time.Second, 200*time.Millisecond)

	o := h.run("", "serve", "--listen", "127.0.0.1:0", "--tls-cert", cert)
	assert.Equal(t, exitUsage, o.code)
	assert.Contains(t, o.stderr, "AIGNE_HUB_TLS_KEY must be set")
	o = h.run("", "serve", "--listen", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", filepath.Join(dir, "nothing.pem"))
	assert.Equal(t, exitUsage, o.code, fmt.Sprint(o))
	assert.Contains(t, o.stderr, "nothing.pem")
}
