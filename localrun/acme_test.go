package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/testkit/logbuf"
)

// authority is pebble, Let's Encrypt's own authority for tests: it calls the hub as
// the real one does, at the address to which every name leads here.
type authority struct {
	url, roots string       // roots: where its issuing certificate can be had
	trust      string       // PEM file of its own address's certificate
	client     *http.Client // that trusts it
}

func newAuthority(t *testing.T, hubPort string) *authority {
	t.Helper()
	pebble, err := exec.LookPath("pebble")
	if err != nil {
		t.Skip("pebble is not installed: certificates by ACME are not tried")
	}
	names, err := exec.LookPath("pebble-challtestsrv")
	if err != nil {
		t.Skip("pebble-challtestsrv is not installed: certificates by ACME are not tried")
	}
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	pool := issue(t, cert, key, "localhost")
	listen, manage, dns, management := freePort(t), freePort(t), freePort(t), freePort(t)
	conf, err := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress": "127.0.0.1:" + listen, "managementListenAddress": "127.0.0.1:" + manage, "certificate": cert, "privateKey": key,
		"httpPort": 1, "tlsPort": json.Number(hubPort), "ocspResponderURL": "", "externalAccountBindingRequired": false,
	}})
	require.NoError(t, err)
	path := filepath.Join(dir, "pebble.json")
	require.NoError(t, os.WriteFile(path, conf, 0o600))
	start := func(env []string, name string, args ...string) {
		ctx, cancel := context.WithCancel(context.Background())
		cmd := exec.CommandContext(ctx, name, args...)
		said := &logbuf.Buffer{}
		cmd.Stdout, cmd.Stderr, cmd.Env = said, said, append(os.Environ(), env...)
		require.NoError(t, cmd.Start())
		t.Cleanup(func() {
			cancel()
			_ = cmd.Wait()
			if t.Failed() {
				t.Log(said.String())
			}
		})
	}
	start(nil, names, "-defaultIPv6", "", "-defaultIPv4", "127.0.0.1", "-dns01", "127.0.0.1:"+dns, "-http01", "", "-https01", "", "-tlsalpn01", "", "-management", "127.0.0.1:"+management)
	start([]string{"PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=0"}, pebble, "-config", path, "-dnsserver", "127.0.0.1:"+dns)
	a := &authority{url: "https://localhost:" + listen + "/dir", roots: "https://localhost:" + manage + "/roots/0", trust: cert,
		client: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}}}
	require.Eventually(t, func() bool { _, err := a.get(a.url); return err == nil }, 30*time.Second, 50*time.Millisecond)
	return a
}

func (a *authority) get(url string) ([]byte, error) {
	res, err := a.client.Get(url)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(res.Body)
	if res.StatusCode != http.StatusOK {
		err = errors.Join(err, fmt.Errorf("%s", res.Status))
	}
	return text, errors.Join(err, res.Body.Close())
}

// TestCertificatesComeByACME has one issued at the first visit, serves a stream under
// it, and takes it from the data folder after a restart.
func TestCertificatesComeByACME(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	a := newAuthority(t, port)
	h := newHub(t, "SSL_CERT_FILE="+a.trust)
	_, key := h.withProvider()
	args := []string{"serve", "--json", "--listen", "127.0.0.1:" + port, "--tls-domains", "hub.example.com", "--tls-acme-url", a.url, "--tls-email", "o@example.com"}
	s := h.start(args...)
	require.Equal(t, "https://127.0.0.1:"+port, s.url)
	root, err := a.get(a.roots)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(root))
	visit := func(name string) (string, error) {
		conn, err := tls.DialWithDialer(&net.Dialer{Timeout: time.Minute}, "tcp", "127.0.0.1:"+port, &tls.Config{RootCAs: pool, ServerName: name, MinVersion: tls.VersionTLS12})
		if err != nil {
			return "", err
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.String(), nil
	}
	serial, err := visit("hub.example.com")
	require.NoError(t, err, "%s", s.log)
	_, err = visit("other.example.com")
	require.Error(t, err, "for other names none is asked")
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: "hub.example.com", MinVersion: tls.VersionTLS12}}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/v1/chat/completions", strings.NewReader(helloStream))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+key)
	res, err := client.Do(r)
	require.NoError(t, err)
	text, err := io.ReadAll(res.Body)
	require.NoError(t, errors.Join(err, res.Body.Close()))
	assert.Contains(t, string(text), "[DONE]")
	files, err := os.ReadDir(filepath.Join(h.data, "acme"))
	require.NoError(t, err)
	for _, f := range files {
		info, err := f.Info()
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), f.Name())
	}
	s.kill()
	s = h.start(args...)
	again, err := visit("hub.example.com")
	require.NoError(t, err, "%s", s.log)
	assert.Equal(t, serial, again, "it is kept")
}
