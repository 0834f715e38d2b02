package upstream

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/provider"
	"github.com/aigne-hub/aigne-hub/shared/routing"
)

var loopback = prefixes("127.0.0.1/32")

func TestOnlyPublicAddressesAreReachable(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{
		"0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1",
		"172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1",
		"224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1", "100::1",
		"2001::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::", "fc00::1", "fd12::1", "fe80::1", "fec0::1", "ff02::1", "fe80::1%eth0", "3fff::1",
	} {
		assert.False(t, reachable(netip.MustParseAddr(addr), nil), addr)
	}
	for _, addr := range []string{"1.1.1.1", "8.8.8.8", "172.15.0.1", "172.32.0.1", "100.63.255.255", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"} {
		assert.True(t, reachable(netip.MustParseAddr(addr), nil), addr)
	}
	assert.True(t, reachable(netip.MustParseAddr("127.0.0.1"), loopback))
	assert.True(t, reachable(netip.MustParseAddr("::ffff:127.0.0.1"), loopback))
	assert.False(t, reachable(netip.MustParseAddr("127.0.0.2"), loopback))
	assert.False(t, reachable(netip.Addr{}, nil))
}

// site serves what its paths say.
func site(t *testing.T) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Empty(t, r.Header.Get("Authorization"))
		assert.Empty(t, r.Header.Get("Cookie"))
		assert.Empty(t, r.Header.Get("Referer"))
		http.SetCookie(w, &http.Cookie{Name: "track", Value: "me"})
		switch r.URL.Path {
		case "/png":
			w.Header().Set("Content-Type", "image/png; charset=x")
			_, _ = io.WriteString(w, "\x89PNG\r\n\x1a\nrest")
		case "/sniffed":
			w.Header().Set("Content-Type", "application/octet-stream")
			_, _ = io.WriteString(w, "\x89PNG\r\n\x1a\nrest")
		case "/html":
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<html>")
		case "/endless":
			w.Header().Set("Content-Type", "image/png")
			for range 1 << 10 {
				_, _ = w.Write(make([]byte, 1<<10))
			}
		case "/empty":
			w.Header().Set("Content-Type", "image/png")
		case "/to":
			http.Redirect(w, r, r.URL.Query().Get("url"), http.StatusFound)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(srv.Close)
	return srv
}

func TestAFileIsFetched(t *testing.T) {
	t.Parallel()
	srv := site(t)
	f := NewFetcher(loopback)
	t.Cleanup(f.Close)
	for _, path := range []string{"/png", "/sniffed", "/to?url=/png"} {
		got, err := f.Get(t.Context(), srv.URL+path, 100, "image/")
		require.NoError(t, err, path)
		assert.Equal(t, "image/png", got.Type)
		assert.Equal(t, "\x89PNG\r\n\x1a\nrest", string(got.Data))
	}
}

func TestWhatMustNotBeFetchedIsRefused(t *testing.T) {
	t.Parallel()
	srv := site(t)
	_, port, _ := strings.Cut(strings.TrimPrefix(srv.URL, "http://"), ":")
	f := NewFetcher(loopback)
	t.Cleanup(f.Close)
	for url, says := range map[string]string{
		srv.URL + "/html":    "another type",
		srv.URL + "/endless": "more than 1000 bytes",
		srv.URL + "/empty":   "empty",
		srv.URL + "/missing": "status 404",
		srv.URL + "/loop":    "too many redirects",
		srv.URL + "/to?url=http://127.0.0.2:" + port + "/png":        "not public", // by a redirect
		srv.URL + "/to?url=http://169.254.169.254/latest/meta-data/": "not public",
		srv.URL + "/to?url=file:///etc/passwd":                       "only http and https",
		srv.URL + "/to?url=gopher://127.0.0.1/":                      "only http and https",
		"http://[::1]:" + port + "/png":                              "not public",
		"http://10.0.0.1/":                                           "not public",
		"http://0.0.0.0:" + port + "/png":                            "not public",
		"http://127.0.0.1:22/":                                       "port",
		"http://u:p@127.0.0.1:" + port + "/png":                      "cannot be fetched",
		"ftp://example.com/":                                         "only http and https",
		"//example.com/":                                             "only http and https",
		"http://%zz":                                                 "no URL",
		"http://" + strings.Repeat("x", maxURL):                      "longer",
	} {
		_, err := f.Get(t.Context(), url, 1000, "image/")
		require.Error(t, err, url)
		assert.Equal(t, hub.CodeInvalid, hub.CodeOf(err), url)
		assert.Contains(t, hub.AsError(err).Message, says, url)
		assert.NotContains(t, hub.AsError(err).Message, "127.0.0", url)
	}
}

func TestANameThatLeadsInsideIsRefusedWhenItIsDialled(t *testing.T) {
	t.Parallel()
	srv := site(t)
	_, port, _ := strings.Cut(strings.TrimPrefix(srv.URL, "http://"), ":")
	f := NewFetcher(nil)
	t.Cleanup(f.Close)
	for _, host := range []string{"localhost", "127.0.0.1", "2130706433", "0x7f.1", "127.1"} {
		_, err := f.Get(t.Context(), "http://"+host+":"+port+"/png", 1000)
		require.Error(t, err, host)
	}
	_, err := f.Get(t.Context(), "http://localhost:"+port+"/png", 1000)
	require.ErrorIs(t, err, errInside, "whatever the name says, the address counts")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = f.Get(ctx, srv.URL, 1)
	require.Error(t, err)
}

func TestADownloadsKeyStaysWithItsProvider(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Empty(t, r.Header.Get("Authorization"), "the key goes nowhere else")
		_, _ = io.WriteString(w, "elsewhere")
	}))
	t.Cleanup(other.Close)
	home := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !assert.Equal(t, "Bearer secret-key", r.Header.Get("Authorization")) {
			return
		}
		switch r.URL.Path {
		case "/v1/file":
			http.Redirect(w, r, "/moved", http.StatusFound)
		case "/moved":
			_, _ = io.WriteString(w, "here")
		case "/v1/away":
			http.Redirect(w, r, other.URL, http.StatusFound)
		case "/v1/inside":
			http.Redirect(w, r, "http://10.0.0.1/", http.StatusFound)
		case "/v1/round":
			http.Redirect(w, r, "/v1/round", http.StatusFound)
		default:
			http.Error(w, "no secret-key here", http.StatusNotFound)
		}
	}))
	t.Cleanup(home.Close)
	c := New(lenient(), time.Now)
	t.Cleanup(c.Close)
	f := NewFetcher(loopback)
	target := &routing.Target{Provider: &routing.Provider{Name: "p", Kind: provider.Kind{Auth: provider.Bearer}, BaseURL: home.URL + "/v1"}}
	key := routing.Credential{Name: "k", Secret: "secret-key"}
	fault := func(_ *routing.Target, status int, _ http.Header, body []byte) *hub.Error {
		return &hub.Error{Code: hub.CodeUpstream, Status: status, Message: string(body)}
	}
	for path, want := range map[string]string{"/file": "here", "/away": "elsewhere"} {
		res, err := c.Download(t.Context(), f, target, key, Request{Path: path}, fault)
		require.NoError(t, err, path)
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		assert.Equal(t, want, string(body))
	}
	for path, says := range map[string]string{"/inside": "not public", "/round": "redirects without end", "/none": "no *** here"} {
		res, err := c.Download(t.Context(), f, target, key, Request{Path: path}, fault)
		if err == nil {
			res.Body.Close()
		}
		require.Error(t, err, path)
		var e *hub.Error
		require.ErrorAs(t, err, &e)
		assert.Contains(t, e.Message, says, fmt.Sprint(path))
	}
}
