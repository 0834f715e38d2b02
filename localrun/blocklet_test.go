package main

import (
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/blocklet"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeblocklet"
)

// TestAHubStartedByABlockletServerHasItsUsers starts the program with nothing but
// what a server puts into the environment of a component.
func TestAHubStartedByABlockletServerHasItsUsers(t *testing.T) {
	t.Parallel()
	server := fakeblocklet.New(t)
	dir := filepath.Join(t.TempDir(), "ai-kit")
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := strconv.Itoa(free.Addr().(*net.TCPAddr).Port)
	require.NoError(t, free.Close())
	h := newHub(t, append(server.Environ(), "AIGNE_HUB_DATA=", "BLOCKLET_PORT="+port, "BLOCKLET_DATA_DIR="+dir)...)
	s := h.start("serve", "--json")
	assert.Equal(t, "http://127.0.0.1:"+port, s.url)
	assert.Empty(t, s.token, "the server's owner needs no set-up token")
	_, err = os.Stat(filepath.Join(dir, "hub.db"))
	require.NoError(t, err)
	require.Eventually(t, func() bool { return server.Listeners() == 1 }, within, 10*time.Millisecond)

	did := server.Join("Ada", "owner")
	token := server.Login(did, "owner")
	me := func(set func(r *http.Request)) (status int, role string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/api/auth/me", http.NoBody)
		require.NoError(t, err)
		set(r)
		res, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer res.Body.Close()
		var m struct{ User struct{ Role string } }
		require.NoError(t, json.NewDecoder(res.Body).Decode(&m))
		return res.StatusCode, m.User.Role
	}
	signedIn := func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "login_token", Value: token.Reveal()}) }
	status, role := me(signedIn)
	assert.Equal(t, 200, status)
	assert.Equal(t, "owner", role)
	status, _ = me(func(r *http.Request) { r.Header.Set("X-User-Did", did); r.Header.Set("X-User-Role", "owner") })
	assert.Equal(t, 401, status, "from this very machine")

	server.Change(did, func(u *blocklet.User) { u.Approved = new(bool) })
	server.Tell("user.updated", did)
	assert.Eventually(t, func() bool { status, _ := me(signedIn); return status == 401 }, 2*time.Second, 20*time.Millisecond)
	assert.NotContains(t, s.log.String(), token.Reveal())

	o := h.run("", "setup-token")
	assert.Equal(t, exitFailed, o.code)
	assert.Contains(t, o.stderr, "People sign in at the Blocklet Server")
	users := decode[[]map[string]any](h, "user", "list")
	require.Len(t, users, 1)
	assert.Equal(t, "ada@host.example", users[0]["email"])

	h.env = append(h.env, "AIGNE_HUB_BLOCKLET=off")
	assert.Contains(t, h.run("", "setup-token").stderr, "has an owner already", "a set-up token is not a way around the server")
	h.env = append(h.env, "AIGNE_HUB_BLOCKLET=on", "BLOCKLET_SESSION_SECRET=")
	o = h.run("", "user", "list")
	assert.Equal(t, exitUsage, o.code)
	assert.Contains(t, o.stderr, "BLOCKLET_SESSION_SECRET must be set")
}
