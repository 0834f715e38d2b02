package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
	"github.com/aigne-hub/aigne-hub/shared/testkit/logbuf"
)

const proxied = "hub.example.com" // as infra/proxy names it

// behind is a hub behind a proxy, and a client that trusts the proxy.
type behind struct {
	t    *testing.T
	h    *testHub
	fake *fakeprovider.Provider
	key  string
	hub  string // its address
	port string // the proxy's
	pool *x509.CertPool
}

func newBehind(t *testing.T) *behind {
	t.Helper()
	h := newHub(t, "AIGNE_HUB_PUBLIC_URL=https://"+proxied, "AIGNE_HUB_TRUSTED_PROXIES=127.0.0.1")
	fake, key := h.withProvider()
	address := "127.0.0.1:" + freePort(t)
	h.serve("--listen", address)
	return &behind{t: t, h: h, fake: fake, key: key, hub: address, port: freePort(t)}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// run starts the proxy and ends it with the test.
func (b *behind) run(name string, args ...string) {
	b.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, name, args...)
	said := &logbuf.Buffer{}
	cmd.Stdout, cmd.Stderr = said, said
	cmd.Env = append(os.Environ(), "HOME="+b.t.TempDir(), "XDG_DATA_HOME="+b.t.TempDir(), "XDG_CONFIG_HOME="+b.t.TempDir())
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	require.NoError(b.t, cmd.Start())
	b.t.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
		if b.t.Failed() {
			b.t.Log(said.String())
		}
	})
	require.Eventually(b.t, func() bool {
		conn, err := net.Dial("tcp", "127.0.0.1:"+b.port)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}, 30*time.Second, 20*time.Millisecond, "%s", said)
}

// assertPassedOn calls through the proxy: a stream whose answer is held in the middle
// must have begun at the client, and a large request must pass.
func (b *behind) assertPassedOn() {
	b.t.Helper()
	dialer := &net.Dialer{}
	client := &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: b.pool, MinVersion: tls.VersionTLS12},
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "tcp", "127.0.0.1:"+b.port)
		}}}
	post := func(body string) *http.Response {
		r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, "https://"+proxied+"/v1/chat/completions", strings.NewReader(body))
		require.NoError(b.t, err)
		r.Header.Set("Authorization", "Bearer "+b.key)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-Forwarded-For", "203.0.113.9")
		res, err := client.Do(r)
		require.NoError(b.t, err)
		return res
	}
	gate := fakeprovider.NewGate()
	b.fake.Always("gpt-fake", fakeprovider.Answer{Text: fakeprovider.Words(40), Frames: 10, Middle: gate})
	release := time.AfterFunc(time.Minute, gate.Release) // so that a proxy that buffers fails the test in time
	res := post(helloStream)
	first := make([]byte, 1)
	_, err := io.ReadFull(res.Body, first)
	require.NoError(b.t, err)
	assert.True(b.t, release.Stop(), "the proxy kept the stream until its end")
	gate.Release()
	rest, err := io.ReadAll(res.Body)
	require.NoError(b.t, errors.Join(err, res.Body.Close()))
	assert.Contains(b.t, string(rest), "[DONE]")

	res = post(strings.Replace(hello, "hello", strings.Repeat("word ", 400_000), 1)) // 2 MB
	text, err := io.ReadAll(res.Body)
	require.NoError(b.t, errors.Join(err, res.Body.Close()))
	assert.Equal(b.t, http.StatusOK, res.StatusCode, "%.300s", text)
}

// conf is a file of infra/proxy with the addresses of the test.
func (b *behind) conf(name string, pairs ...string) string {
	b.t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "infra", "proxy", name))
	require.NoError(b.t, err)
	out := string(text)
	for i := 0; i < len(pairs); i += 2 {
		require.Contains(b.t, out, pairs[i])
		out = strings.ReplaceAll(out, pairs[i], pairs[i+1])
	}
	return out
}

func TestBehindNginx(t *testing.T) {
	t.Parallel()
	path, err := exec.LookPath("nginx")
	if err != nil {
		t.Skip("nginx is not installed: infra/proxy/nginx.conf is not tried")
	}
	b := newBehind(t)
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	b.pool = issue(t, cert, key, proxied)
	conf := b.conf("nginx.conf", "127.0.0.1:3030", b.hub, "listen 443 ssl", "listen 127.0.0.1:"+b.port+" ssl",
		"/etc/ssl/hub.example.com.pem", cert, "/etc/ssl/hub.example.com.key", key)
	var temp strings.Builder
	for _, what := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		temp.WriteString(what + "_temp_path " + filepath.Join(dir, what) + ";\n")
	}
	whole := "daemon off;\nmaster_process off;\nerror_log stderr;\npid " + filepath.Join(dir, "pid") + ";\nevents {}\nhttp {\naccess_log off;\n" + temp.String() + conf + "}\n"
	file := filepath.Join(dir, "nginx.conf")
	require.NoError(t, os.WriteFile(file, []byte(whole), 0o600))
	b.run(path, "-p", dir, "-c", file)
	b.assertPassedOn()
}

func TestBehindCaddy(t *testing.T) {
	t.Parallel()
	path, err := exec.LookPath("caddy")
	if err != nil {
		t.Skip("caddy is not installed: infra/proxy/Caddyfile is not tried")
	}
	b := newBehind(t)
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	b.pool = issue(t, cert, key, proxied)
	conf := b.conf("Caddyfile", "127.0.0.1:3030", b.hub, "hub.example.com {", proxied+":"+b.port+" {\n\ttls "+cert+" "+key)
	file := filepath.Join(dir, "Caddyfile")
	require.NoError(t, os.WriteFile(file, []byte("{\n\tadmin off\n\tauto_https off\n}\n"+conf), 0o600))
	b.run(path, "run", "--config", file, "--adapter", "caddyfile")
	b.assertPassedOn()
}
