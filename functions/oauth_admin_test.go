package functions_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

func TestAdminsSeeAndEndWhatUsersAllowed(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_PUBLIC_URL="+hubOrigin)
	w.withPassword("member")
	b := w.browser()
	b.signIn("member")
	c := w.application(webApp)
	get := func() *oauth2.Token {
		verifier := oauth2.GenerateVerifier()
		q := b.agree(c.AuthCodeURL("s", oauth2.S256ChallengeOption(verifier), oauth2.SetAuthURLParam("prompt", "consent")), "")
		token, err := c.Exchange(w.outside(), q.Get("code"), oauth2.VerifierOption(verifier))
		require.NoError(t, err)
		w.secrets = append(w.secrets, token.AccessToken, token.RefreshToken)
		return token
	}
	one, two := get(), get()
	path := "/api/admin/oauth-clients/" + c.ClientID
	assert.Equal(t, 200, w.do("admin", "admin", "GET", path, "").Code)
	assert.Contains(t, w.do("admin", "admin", "GET", "/api/admin/oauth-clients", "").Body.String(), `"name":"Paint Shop"`)
	res := w.do("admin", "admin", "PATCH", path, `{"name":"Paint Shop 2","redirect_uris":["`+appRedirect+`","https://app.example.com/other"]}`)
	assert.Equal(t, "Paint Shop 2", field(t, res, "name"))
	assert.Equal(t, 400, w.do("admin", "admin", "PATCH", path, `{"redirect_uris":["http://app.example.com"]}`).Code)
	res = w.do("admin", "admin", "POST", path+"/rotate-secret", "")
	w.secrets = append(w.secrets, field(t, res, "client_secret"))
	status, out := w.form("/oauth/introspect", url.Values{"token": {one.AccessToken}}, func(r *http.Request) { r.SetBasicAuth(c.ClientID, c.ClientSecret) })
	assert.Equal(t, []any{401, "invalid_client"}, []any{status, out["error"]}, "the old secret has ended")
	c.ClientSecret = field(t, res, "client_secret")
	introspect := func(token string) map[string]any {
		_, out := w.form("/oauth/introspect", url.Values{"token": {token}}, func(r *http.Request) { r.SetBasicAuth(c.ClientID, c.ClientSecret) })
		return out
	}
	got := introspect(one.AccessToken)
	assert.Equal(t, []any{true, "inference", "member@example.com"}, []any{got["active"], got["scope"], got["username"]})
	assert.Equal(t, true, introspect(one.RefreshToken)["active"])
	assert.Equal(t, map[string]any{"active": false}, introspect(w.keys["member"].Reveal()), "other keys are no tokens")

	list := w.do("admin", "admin", "GET", "/api/admin/connections?user=member@example.com", "")
	var connections struct{ Data []struct{ ID string } }
	require.NoError(t, json.Unmarshal(list.Body.Bytes(), &connections))
	require.Len(t, connections.Data, 2)
	assert.Equal(t, 204, w.do("admin", "admin", "DELETE", "/api/admin/connections/"+connections.Data[0].ID, "").Code)
	assert.Equal(t, map[string]any{"active": false}, introspect(one.AccessToken))
	assert.Equal(t, true, introspect(two.AccessToken)["active"])
	assert.Equal(t, 204, w.do("admin", "admin", "DELETE", path, "").Code)
	require.NoError(t, w.app.Reload(t.Context()))
	assert.Equal(t, 401, w.byToken(two.AccessToken, "GET", "/api/auth/me").StatusCode, "with its client, all it was given ends")
	assert.Equal(t, 404, w.do("admin", "admin", "GET", path, "").Code)
	_, err := w.app.Keys.Caller(t.Context(), hub.Secret(two.AccessToken))
	assert.Equal(t, hub.CodeUnauthenticated, hub.CodeOf(err))
}
