package functions_test

import (
	"bytes"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// startProvider builds and starts the example server of zitadel/oidc, an OpenID
// provider that others wrote. It has a module file of its own (infra/oidc.mod), so
// that nothing of it is in the hub.
func startProvider(t *testing.T, redirect string) (issuer string) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "provider")
	build := exec.CommandContext(t.Context(), "go", "build", "-modfile=infra/oidc.mod", "-o", program, "github.com/zitadel/oidc/v3/example/server")
	build.Dir = ".."
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))

	free, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(free.Addr().String())
	require.NoError(t, err)
	require.NoError(t, free.Close())
	run := exec.CommandContext(t.Context(), program)
	run.Env = append(os.Environ(), "PORT="+port, "REDIRECT_URI="+redirect)
	var log bytes.Buffer
	run.Stderr = &log
	require.NoError(t, run.Start())
	t.Cleanup(func() {
		_ = run.Process.Kill()
		_ = run.Wait() // it was killed
		if t.Failed() {
			t.Log(log.String())
		}
	})
	issuer = "http://localhost:" + port + "/"
	require.Eventually(t, func() bool {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, issuer+".well-known/openid-configuration", nil)
		require.NoError(t, err)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return false
		}
		return res.Body.Close() == nil && res.StatusCode == http.StatusOK
	}, 20*time.Second, 50*time.Millisecond)
	return issuer
}

func TestAProviderThatOthersWroteSignsAUserIn(t *testing.T) {
	t.Parallel()
	const callback = hubOrigin + "/api/auth/oidc/real/callback"
	issuer := startProvider(t, callback)
	w := open(t, "AIGNE_HUB_PUBLIC_URL="+hubOrigin, "AIGNE_HUB_OIDC_ISSUER="+issuer, "AIGNE_HUB_OIDC_NAME=real", "AIGNE_HUB_OIDC_CLIENT_ID=web",
		"AIGNE_HUB_OIDC_CLIENT_SECRET=secret", "AIGNE_HUB_OIDC_PROVISION=on", "AIGNE_HUB_OIDC_ALLOWED_DOMAINS=zitadel.ch", "AIGNE_HUB_OIDC_ROLE_MAP=*=member")
	b := w.browser()
	start := b.send("auth", "GET", "/api/auth/oidc/real/start?return_to=/usage", "")
	require.Equal(t, 303, start.Code, start.Body.String())

	// The same browser, as far as the provider sees it.
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	there := &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if r.URL.Host == "hub.example.com" {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	send := func(method, target, form string) *http.Response {
		req, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(form))
		require.NoError(t, err)
		if form != "" {
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		res, err := there.Do(req)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		return res
	}
	page := send(http.MethodGet, start.Header().Get("Location"), "")
	require.Equal(t, http.StatusOK, page.StatusCode)
	request := page.Request.URL.Query().Get("authRequestID")
	require.NotEmpty(t, request, page.Request.URL.Path)
	form := url.Values{"id": {request}, "username": {"test-user@localhost"}, "password": {"verysecure"}}
	done := send(http.MethodPost, issuer+"login/username", form.Encode())
	back, err := done.Location()
	require.NoError(t, err, done.Status)
	require.Equal(t, callback, back.Scheme+"://"+back.Host+back.Path)

	end := b.crossSite(back)
	assert.Equal(t, "/usage", end.Header().Get("Location"))
	me := b.send("auth", "GET", "/api/auth/me", "")
	require.Equal(t, 200, me.Code, me.Body.String())
	assert.Equal(t, "test-user@zitadel.ch", field(t, me, "user", "email"))
	assert.Equal(t, "Test User", field(t, me, "user", "name"))
	assert.Equal(t, "member", b.role())
}
