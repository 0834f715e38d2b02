package functions_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeblocklet"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
	"github.com/aigne-hub/aigne-hub/shared/testkit/hrana"
)

// hosted is a hub of two processes on a Blocklet Server.
type hosted struct {
	t      *testing.T
	server *fakeblocklet.Server
	apps   [2]*boot.App
	fn     [2]map[string]http.Handler
}

// eachHosted runs a test on a file and on a libSQL server.
func eachHosted(t *testing.T, settings []string, test func(t *testing.T, h *hosted)) {
	t.Helper()
	t.Run("embedded file", func(t *testing.T) {
		t.Parallel()
		test(t, host(t, "file:"+filepath.Join(t.TempDir(), "hub.db"), "", settings))
	})
	t.Run("libSQL server", func(t *testing.T) {
		t.Parallel()
		url, token := hrana.Start(t)
		test(t, host(t, url, token, settings))
	})
}

// onHost opens a hub on a file.
func onHost(t *testing.T, settings ...string) *hosted {
	t.Helper()
	return host(t, "file:"+filepath.Join(t.TempDir(), "hub.db"), "", settings)
}

func host(t *testing.T, database, token string, settings []string) *hosted {
	t.Helper()
	h := &hosted{t: t, server: fakeblocklet.New(t)}
	data := filepath.Join(t.TempDir(), "data")
	for i := range h.apps {
		h.apps[i] = member(t, data, database, token, append(h.server.Environ(), settings...)...)
		h.fn[i] = map[string]http.Handler{}
		for name, f := range all {
			h.fn[i][name] = f.wire(h.apps[i])
		}
	}
	fake := fakeprovider.Start(t, fakeprovider.OpenAI, fakeprovider.Options{})
	_, err := h.apps[0].Desk.AddProvider(t.Context(), "test", operator.NewProvider{Kind: "openai", BaseURL: fake.URL + "/v1", Credential: fakeprovider.DefaultKey})
	require.NoError(t, err)
	require.NoError(t, h.apps[1].Reload(t.Context()))
	return h
}

// follow has one of the processes listen to the server, as serving does, and both
// look for changes.
func (h *hosted) follow() {
	h.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { h.apps[0].Host.Serve(ctx) })
	for _, a := range h.apps {
		wg.Go(func() { a.Watch(ctx) })
	}
	h.t.Cleanup(func() {
		stop()
		wg.Wait()
	})
	require.Eventually(h.t, func() bool { return h.server.Listeners() == 1 }, 5*time.Second, 5*time.Millisecond)
}

// proof puts who calls onto a request.
type proof func(r *http.Request)

func cookie(token hub.Secret) proof {
	return func(r *http.Request) {
		r.AddCookie(&http.Cookie{Name: "login_token", Value: token.Reveal()})
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		if r.Method != http.MethodGet {
			r.Header.Set(httpkit.CSRFHeader, "1")
		}
	}
}

func bearer(token hub.Secret) proof {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token.Reveal()) }
}

func nobody(*http.Request) {}

// send sends a request to one of the processes.
func (h *hosted) send(process int, fn string, who proof, method, target, body string) *httptest.ResponseRecorder {
	h.t.Helper()
	r := httptest.NewRequestWithContext(h.t.Context(), method, target, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	who(r)
	res := httptest.NewRecorder()
	h.fn[process][fn].ServeHTTP(res, r)
	checkers()[fn].Check(h.t, method, target, body, res.Code, res.Header(), res.Body.Bytes())
	return res
}

// me is what the hub says about the caller; nil when it knows none.
func (h *hosted) me(process int, who proof) *aboutMe {
	h.t.Helper()
	res := h.send(process, "auth", who, "GET", "/api/auth/me", "")
	if res.Code == http.StatusUnauthorized {
		return nil
	}
	require.Equal(h.t, 200, res.Code, res.Body.String())
	var m aboutMe
	require.NoError(h.t, json.Unmarshal(res.Body.Bytes(), &m))
	return &m
}

type aboutMe struct {
	User struct{ ID, Email, Name, Role, Language string }
	// Blocklet is what the server says.
	Blocklet *struct {
		DID    string
		Avatar string
		Roles  []string
	}
}

// role is the caller's role, "" for nobody.
func (h *hosted) role(process int, who proof) string {
	h.t.Helper()
	if m := h.me(process, who); m != nil {
		return m.User.Role
	}
	return ""
}

const askBody = `{"model":"openai/gpt-fake","messages":[{"role":"user","content":"Hi"}]}`

// ask is the status of a model call.
func (h *hosted) ask(process int, who proof) int {
	h.t.Helper()
	return h.send(process, "proxy", who, "POST", "/v1/chat/completions", askBody).Code
}

// within2s asserts that something that is quickly looked up becomes so in time.
func (h *hosted) within2s(so func() bool, what string) {
	h.t.Helper()
	assert.Eventually(h.t, so, 2*time.Second, 20*time.Millisecond, what)
}

// then asserts that something becomes so whose looking up itself takes long on a
// busy machine.
func (h *hosted) then(so func() bool, what string) {
	h.t.Helper()
	assert.Eventually(h.t, so, 20*time.Second, 20*time.Millisecond, what)
}
