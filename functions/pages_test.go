package functions_test

import (
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/aigne-hub/aigne-hub/shared/identity"
	"github.com/aigne-hub/aigne-hub/shared/testkit/chromium"
)

// TestThePagesWorkInABrowser signs in, agrees and refuses through the real pages.
func TestThePagesWorkInABrowser(t *testing.T) {
	t.Parallel()
	door, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	origin := "http://" + door.Addr().String()
	w := open(t, "AIGNE_HUB_PUBLIC_URL="+origin)
	w.withPassword("member")
	plain := http.HandlerFunc(func(res http.ResponseWriter, r *http.Request) { // as the console does it where its application is not built
		if r.URL.Path == identity.SignInPage {
			http.Redirect(res, r, identity.PlainSignIn, http.StatusSeeOther)
			return
		}
		w.fn["auth"].ServeHTTP(res, r)
	})
	server := &httptest.Server{Listener: door, Config: &http.Server{Handler: plain}}
	server.Start()
	defer server.Close()

	c := w.application(`"redirect_uris":["http://127.0.0.1/oauth/consent.css"],"scopes":["inference","usage","billing"],"device":true`)
	c.RedirectURL, c.Scopes = origin+"/oauth/consent.css", nil // a page that is there
	request, err := url.Parse(c.AuthCodeURL("state 1", oauth2.S256ChallengeOption(oauth2.GenerateVerifier())))
	require.NoError(t, err)
	plan := chromium.Plan{Origin: origin, Email: "member@example.com", Password: goodPassword, Authorize: request.RequestURI(), Denied: "/oauth/authorize?client_id=nobody"}
	for range chromium.Settings {
		_, device := w.form("/oauth/device_authorization", url.Values{"client_id": {c.ClientID}})
		plan.Devices = append(plan.Devices, device["user_code"].(string))
		id := field(t, w.do("auth", "", "POST", connectSession, ""), "id")
		plan.Connects = append(plan.Connects, "/.well-known/service/gen-simple-access-key?__token__="+base64.RawURLEncoding.EncodeToString([]byte(id)))
		w.secrets = append(w.secrets, id)
	}
	all := chromium.Look(t, plan)
	require.Len(t, all, chromium.Settings+1)
	for _, saw := range all {
		what := fmt.Sprint(saw.Width, " ", saw.Theme, " ", saw.Language)
		assert.Empty(t, saw.Faults, what)
		if saw.Width == 0 {
			assert.Equal(t, origin+"/", saw.Back, "nobody is led away")
			continue
		}
		assert.Contains(t, saw.Asked, "Paint Shop", what)
		assert.Equal(t, "member@example.com", saw.User, what)
		back, q := answer(t, saw.Back)
		assert.Equal(t, []string{c.RedirectURL, "state 1", origin}, []string{back, q.Get("state"), q.Get("iss")}, what)
		assert.True(t, strings.HasPrefix(q.Get("code"), "ac-hub-"), what)
		w.secrets = append(w.secrets, q.Get("code"))
		assert.True(t, saw.Hidden, what)
		for _, text := range []string{saw.Device, saw.Connect, saw.Fault} {
			assert.NotEmpty(t, text, what)
		}
	}
}
