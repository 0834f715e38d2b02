package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeblocklet"
)

// pagesOfAHost are the pages that a Blocklet Server has in front of a component
// mounted at /hub: it signs people in and out, says what the app looks like, and
// hands the rest to the component with the mount point taken off.
func pagesOfAHost(t *testing.T, server *fakeblocklet.Server, port string) *httptest.Server {
	t.Helper()
	component, err := url.Parse("http://127.0.0.1:" + port)
	require.NoError(t, err)
	const mount = "/hub"
	proxy := httputil.NewSingleHostReverseProxy(component)
	var stranger atomic.Bool // the next to sign in is somebody whom the hub does not let in
	owner, guest := server.Join("Ada", "owner"), server.Join("Guest", "visitor")
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/service/login", func(w http.ResponseWriter, r *http.Request) {
		token := server.Login(owner, "owner")
		if stranger.Load() {
			token = server.Login(guest, "visitor")
		}
		http.SetCookie(w, &http.Cookie{Name: "login_token", Value: token.Reveal(), Path: "/", HttpOnly: true})
		http.SetCookie(w, &http.Cookie{Name: "x-csrf-token", Value: "m.s", Path: "/"})
		to := r.URL.Query().Get("redirect")
		if !strings.HasPrefix(to, mount+"/") {
			http.Error(w, "redirect to "+to, http.StatusBadRequest)
			return
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
	})
	mux.HandleFunc("POST /.well-known/service/api/user/logout", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Csrf-Token") != "m.s" {
			http.Error(w, "forged", http.StatusForbidden)
			return
		}
		stranger.Store(true)
		http.SetCookie(w, &http.Cookie{Name: "login_token", Path: "/", MaxAge: -1})
	})
	mux.HandleFunc("GET "+mount+"/__blocklet__.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprint(w, `{"appName":"Example app","theme":{"prefer":"dark"},"prefix":"/hub/"}`)
	})
	mux.HandleFunc(mount+"/", func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path = strings.TrimPrefix(r.URL.Path, mount)
		r.URL.RawPath = ""
		r.Header.Set("X-Path-Prefix", mount)
		proxy.ServeHTTP(w, r)
	})
	front := httptest.NewServer(mux)
	t.Cleanup(front.Close)
	return front
}

// TestTheConsoleOnABlockletServer drives the console where a Blocklet Server
// serves it below a mount point and signs people in.
func TestTheConsoleOnABlockletServer(t *testing.T) {
	t.Parallel()
	web, err := filepath.Abs("../functions/console/web")
	require.NoError(t, err)
	browser := chromium()
	if why := untried(web, browser); why != "" {
		t.Skip(why)
	}
	server := fakeblocklet.New(t)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := strconv.Itoa(free.Addr().(*net.TCPAddr).Port)
	require.NoError(t, free.Close())
	h := newHub(t, append(server.Environ(), "AIGNE_HUB_DATA=", "BLOCKLET_PORT="+port, "BLOCKLET_DATA_DIR="+filepath.Join(t.TempDir(), "ai-kit"),
		"AIGNE_HUB_BLOCKLET_ROLES=owner=owner,admin=admin,member=member")...)
	s := h.start("serve", "--json")
	front := pagesOfAHost(t, server, port)
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", "e2e/host.mjs")
	cmd.Dir = web
	cmd.Env = append(os.Environ(), "HUB="+front.URL, "CHROMIUM="+browser, "SHOTS="+os.Getenv("AIGNE_HUB_TEST_SHOTS"))
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	require.NoError(t, err, "hub's log: %s", s.log)
}
