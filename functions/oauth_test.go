package functions_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/aigne-hub/aigne-hub/shared/identity"
)

// program is a client outside that speaks HTTP to the hub of a world.
type program struct{ w *world }

func (p program) RoundTrip(r *http.Request) (*http.Response, error) {
	body := ""
	if r.Body != nil {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		body = string(b)
	}
	in := httptest.NewRequestWithContext(r.Context(), r.Method, r.URL.String(), strings.NewReader(body))
	in.Header = r.Header.Clone()
	res := httptest.NewRecorder()
	fn := "auth"
	if strings.HasPrefix(r.URL.Path, "/v1/") {
		fn = "proxy"
	} else if strings.HasPrefix(r.URL.Path, "/api/user/") {
		fn = "billing"
	}
	p.w.fn[fn].ServeHTTP(res, in)
	p.w.changed(fn, "", in, res)
	checkers()[fn].Check(p.w.t, r.Method, r.URL.RequestURI(), body, res.Code, res.Header(), res.Body.Bytes())
	return res.Result(), nil
}

// outside is a context in which x/oauth2 reaches the hub.
func (w *world) outside() context.Context {
	return context.WithValue(w.t.Context(), oauth2.HTTPClient, &http.Client{Transport: program{w},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }})
}

// form sends a form and returns status and answer.
func (w *world) form(path string, values url.Values, set ...func(*http.Request)) (int, map[string]any) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, hubOrigin+path, strings.NewReader(values.Encode()))
	require.NoError(w.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, f := range set {
		f(r)
	}
	res, err := program{w}.RoundTrip(r)
	require.NoError(w.t, err)
	defer res.Body.Close()
	var out map[string]any
	require.NoError(w.t, json.NewDecoder(res.Body).Decode(&out))
	for _, name := range []string{"access_token", "refresh_token", "device_code"} {
		if v, ok := out[name].(string); ok {
			w.secrets = append(w.secrets, v)
		}
	}
	return res.StatusCode, out
}

const appRedirect = "https://app.example.com/done"

// application registers an application.
func (w *world) application(fields string) *oauth2.Config {
	w.t.Helper()
	res := w.do("admin", "admin", "POST", "/api/admin/oauth-clients", `{"name":"Paint Shop",`+fields+`}`)
	require.Equal(w.t, 201, res.Code, res.Body.String())
	assert.Equal(w.t, "no-store", res.Header().Get("Cache-Control"))
	c := &oauth2.Config{ClientID: field(w.t, res, "client_id"), ClientSecret: field(w.t, res, "client_secret"), RedirectURL: appRedirect, Scopes: []string{"inference"},
		Endpoint: oauth2.Endpoint{AuthURL: hubOrigin + "/oauth/authorize", TokenURL: hubOrigin + "/oauth/token", DeviceAuthURL: hubOrigin + "/oauth/device_authorization"}}
	if c.ClientSecret != "" {
		w.secrets = append(w.secrets, c.ClientSecret)
	}
	return c
}

const webApp = `"redirect_uris":["` + appRedirect + `"],"scopes":["inference","usage"],"confidential":true`

// answer is where a browser is sent, taken apart.
func answer(t *testing.T, target string) (where string, q url.Values) {
	t.Helper()
	u, err := url.Parse(target)
	require.NoError(t, err)
	q = u.Query()
	u.RawQuery = ""
	return u.String(), q
}

// agree says yes on the page that a request leads to, and returns the code.
func (b *browser) agree(request, terms string) url.Values {
	b.w.t.Helper()
	u, err := url.Parse(request)
	require.NoError(b.w.t, err)
	page := b.send("auth", "GET", u.RequestURI(), "")
	require.Equal(b.w.t, 200, page.Code, page.Header().Get("Location")+page.Body.String())
	body, err := json.Marshal(map[string]string{"query": u.RawQuery})
	require.NoError(b.w.t, err)
	require.Equal(b.w.t, 200, b.send("auth", "POST", "/oauth/authorize/read", string(body)).Code)
	res := b.send("auth", "POST", "/oauth/authorize", strings.TrimSuffix(string(body), "}")+`,"allow":true`+terms+`}`)
	require.Equal(b.w.t, 200, res.Code, res.Body.String())
	_, q := answer(b.w.t, field(b.w.t, res, "url"))
	b.w.secrets = append(b.w.secrets, q.Get("code"))
	return q
}

// byToken calls the hub with a token.
func (w *world) byToken(token, method, path string) *http.Response {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, hubOrigin+path, nil)
	require.NoError(w.t, err)
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := program{w}.RoundTrip(r)
	require.NoError(w.t, err)
	return res
}

func TestAnApplicationSignsInWithTheHub(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_PUBLIC_URL="+hubOrigin)
	w.withPassword("member")
	c := w.application(webApp)
	verifier := oauth2.GenerateVerifier()
	request := c.AuthCodeURL("state-1", oauth2.S256ChallengeOption(verifier))
	at, err := url.Parse(request)
	require.NoError(t, err)

	b := w.browser()
	first := b.send("auth", "GET", at.RequestURI(), "")
	require.Equal(t, 303, first.Code)
	signIn, back, _ := strings.Cut(first.Header().Get("Location"), "#return=")
	assert.Equal(t, identity.SignInPage, signIn)
	back, err = url.QueryUnescape(back)
	require.NoError(t, err)
	assert.Equal(t, at.RequestURI(), back, "sign-in leads back to the question")
	b.signIn("member")

	page := b.send("auth", "GET", back, "")
	assert.Equal(t, 200, page.Code)
	assert.Contains(t, page.Header().Get("Content-Security-Policy"), "frame-ancestors 'none'")
	assert.Equal(t, "DENY", page.Header().Get("X-Frame-Options"))
	asked := b.send("auth", "POST", "/oauth/authorize/read", `{"query":"`+at.RawQuery+`"}`)
	assert.JSONEq(t, `{"name":"Paint Shop","url":"","known":true,"redirect":"https://app.example.com","scopes":["inference"],"user":"member@example.com","address":"","started_at":null}`, asked.Body.String())

	q := b.agree(request, `,"days":30,"budget_month":"12.5","budget_day":"","rpm":60`)
	assert.Equal(t, []string{"state-1", hubOrigin}, []string{q.Get("state"), q.Get("iss")})
	token, err := c.Exchange(w.outside(), q.Get("code"), oauth2.VerifierOption(verifier))
	require.NoError(t, err)
	w.secrets = append(w.secrets, token.AccessToken, token.RefreshToken)
	assert.Equal(t, "Bearer", token.TokenType)
	assert.InDelta(t, time.Hour.Seconds(), time.Until(token.Expiry).Seconds(), 60)
	assert.Equal(t, "inference", token.Extra("scope"))

	me := w.byToken(token.AccessToken, "GET", "/api/auth/me")
	text, err := io.ReadAll(me.Body)
	require.NoError(t, err)
	assert.Contains(t, string(text), `"email":"member@example.com"`)
	assert.Contains(t, string(text), `"name":"Paint Shop"`)
	assert.Equal(t, 200, w.byToken(token.AccessToken, "GET", "/v1/models").StatusCode)
	assert.Equal(t, 403, w.byToken(token.AccessToken, "GET", "/api/user/info").StatusCode, "no more than was agreed to")
	assert.Equal(t, 403, w.byToken(token.AccessToken, "GET", "/api/auth/keys").StatusCode)

	list := b.send("auth", "GET", "/api/auth/connections", "")
	var connections struct {
		Data []struct{ ID, Name, User, KeyID string }
	}
	require.NoError(t, json.Unmarshal([]byte(strings.ReplaceAll(list.Body.String(), "key_id", "KeyID")), &connections))
	require.Len(t, connections.Data, 1)
	detail := w.do("auth", "member", "GET", "/api/auth/keys/"+connections.Data[0].KeyID, "")
	assert.Contains(t, detail.Body.String(), `"metric":"credits","period":"month","amount":"12.5"`)
	assert.Contains(t, detail.Body.String(), `"metric":"requests","period":"minute","amount":"60"`)

	old := *token
	old.Expiry = time.Now().Add(-time.Minute)
	next, err := c.TokenSource(w.outside(), &old).Token()
	require.NoError(t, err)
	w.secrets = append(w.secrets, next.AccessToken, next.RefreshToken)
	assert.NotEqual(t, token.AccessToken, next.AccessToken)
	assert.NotEqual(t, token.RefreshToken, next.RefreshToken)
	assert.Equal(t, 200, w.byToken(next.AccessToken, "GET", "/api/auth/me").StatusCode)
	assert.Equal(t, detail.Code, w.do("auth", "member", "GET", "/api/auth/keys/"+connections.Data[0].KeyID, "").Code, "it stays the same key")

	stranger := w.browser()
	w.withPassword("other")
	stranger.signIn("other")
	assert.Equal(t, 404, stranger.send("auth", "DELETE", "/api/auth/connections/"+connections.Data[0].ID, "").Code)
	assert.JSONEq(t, `{"data":[],"next_cursor":null}`, stranger.send("auth", "GET", "/api/auth/connections", "").Body.String())
	assert.Equal(t, 204, b.send("auth", "DELETE", "/api/auth/connections/"+connections.Data[0].ID, "").Code)
	require.NoError(t, w.app.Reload(t.Context()))
	assert.Equal(t, 401, w.byToken(next.AccessToken, "GET", "/api/auth/me").StatusCode, "revoked at once")
	old.RefreshToken = next.RefreshToken
	_, err = c.TokenSource(w.outside(), &old).Token()
	var refused *oauth2.RetrieveError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, "invalid_grant", refused.ErrorCode)
}

func TestADeviceIsConnectedByACode(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_PUBLIC_URL="+hubOrigin)
	w.withPassword("member")
	c := w.application(`"device":true,"redirect_uris":null`)
	device, err := c.DeviceAuth(w.outside())
	require.NoError(t, err)
	w.secrets = append(w.secrets, device.DeviceCode)
	assert.Equal(t, hubOrigin+"/oauth/device", device.VerificationURI)
	assert.Equal(t, hubOrigin+"/oauth/device?user_code="+device.UserCode, device.VerificationURIComplete)
	assert.Regexp(t, `^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$`, device.UserCode)

	poll := url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {device.DeviceCode}, "client_id": {c.ClientID}}
	_, out := w.form("/oauth/token", poll)
	assert.Equal(t, "authorization_pending", out["error"])
	_, out = w.form("/oauth/token", poll)
	assert.Equal(t, "slow_down", out["error"])

	b := w.browser()
	assert.Equal(t, 200, b.send("auth", "GET", "/oauth/device", "").Code)
	assert.Equal(t, 401, b.send("auth", "POST", "/oauth/device/read", `{"user_code":"x"}`).Code)
	b.signIn("member")
	typed := strings.ToLower(strings.ReplaceAll(device.UserCode, "-", " "))
	asked := b.send("auth", "POST", "/oauth/device/read", `{"user_code":"`+typed+`"}`)
	require.Equal(t, 200, asked.Code, asked.Body.String())
	assert.Contains(t, asked.Body.String(), `"address":"192.0.2.1"`, "who waits is shown")
	assert.Equal(t, 204, b.send("auth", "POST", "/oauth/device", `{"user_code":"`+typed+`","allow":true,"days":0,"budget_day":"1","budget_month":"","rpm":null}`).Code)
	assert.Equal(t, 404, b.send("auth", "POST", "/oauth/device/read", `{"user_code":"`+typed+`"}`).Code, "a code is for one answer")

	_, err = w.app.Store.OAuthClientByID(t.Context(), c.ClientID)
	require.NoError(t, err)
	w.exec("UPDATE oauth_devices SET polled_at = 0")
	token, err := c.DeviceAccessToken(w.outside(), &oauth2.DeviceAuthResponse{DeviceCode: device.DeviceCode, Interval: 1})
	require.NoError(t, err)
	w.secrets = append(w.secrets, token.AccessToken, token.RefreshToken)
	assert.Equal(t, 200, w.byToken(token.AccessToken, "GET", "/api/auth/me").StatusCode)
	w.exec("UPDATE oauth_devices SET polled_at = 0")
	_, out = w.form("/oauth/token", poll)
	assert.Equal(t, "invalid_grant", out["error"], "once")
}

// exec changes the database under the hub's feet.
func (w *world) exec(query string, args ...any) {
	w.t.Helper()
	require.NoError(w.t, w.app.Store.Exec(w.t.Context(), query, args...))
}

func TestClientsLearnWhatTheServerCanDo(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_PUBLIC_URL=https://example.com/hub")
	for path, status := range map[string]int{"/.well-known/oauth-authorization-server": 200, "/.well-known/oauth-authorization-server/hub": 200, "/.well-known/oauth-authorization-server/other": 404} {
		res := w.do("auth", "", "GET", path, "")
		require.Equal(t, status, res.Code, path)
		if status == 200 {
			assert.Equal(t, "https://example.com/hub", field(t, res, "issuer"), "never what a request says")
			assert.Equal(t, "https://example.com/hub/oauth/token", field(t, res, "token_endpoint"))
			assert.Contains(t, res.Body.String(), `"code_challenge_methods_supported":["S256"]`)
			assert.Contains(t, res.Body.String(), `"authorization_response_iss_parameter_supported":true`)
			assert.NotContains(t, res.Body.String(), "registration_endpoint")
		}
	}
	w = open(t)
	for host, issuer := range map[string]string{"localhost:3030": "http://localhost:3030", "[::1]:9": "http://[::1]:9", "evil.example": "http://127.0.0.1:3030", "127.0.0.1.evil.example": "http://127.0.0.1:3030"} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/.well-known/oauth-authorization-server", nil)
		r.Host = host
		r.Header.Set("Origin", "https://any.example")
		res := httptest.NewRecorder()
		w.fn["auth"].ServeHTTP(res, r)
		assert.Equal(t, issuer, field(t, res, "issuer"), host)
		assert.Equal(t, "*", res.Header().Get("Access-Control-Allow-Origin"))
	}
}

func TestPagesOfAllOriginsReachTheTokenEndpointWithoutCookies(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_PUBLIC_URL="+hubOrigin)
	for path, want := range map[string]string{"/oauth/token": "*", "/oauth/authorize": "", "/api/auth/me": "", "/oauth/device": ""} {
		r := httptest.NewRequestWithContext(t.Context(), "OPTIONS", hubOrigin+path, nil)
		r.Header.Set("Origin", "https://spa.example")
		r.Header.Set("Access-Control-Request-Method", "POST")
		res := httptest.NewRecorder()
		w.fn["auth"].ServeHTTP(res, r)
		assert.Equal(t, want, res.Header().Get("Access-Control-Allow-Origin"), path)
		assert.Empty(t, res.Header().Get("Access-Control-Allow-Credentials"), path)
	}
}

func TestApplicationsRegisterThemselvesWhereThatIsAllowed(t *testing.T) {
	t.Parallel()
	const body = `{"client_name":"Editor","redirect_uris":["http://127.0.0.1/cb"],"grant_types":["authorization_code","refresh_token"],"response_types":["code"],
		"token_endpoint_auth_method":"none","scope":"inference","software_id":"ignored"}`
	closed := open(t, "AIGNE_HUB_PUBLIC_URL="+hubOrigin)
	assert.Equal(t, 403, closed.do("auth", "", "POST", "/oauth/register", body).Code)

	w := open(t, "AIGNE_HUB_PUBLIC_URL="+hubOrigin, "AIGNE_HUB_OAUTH_REGISTRATION=on")
	w.withPassword("member")
	res := w.do("auth", "", "POST", "/oauth/register", body)
	require.Equal(t, 201, res.Code, res.Body.String())
	id := field(t, res, "client_id")
	for bad, word := range map[string]string{
		`{"client_name":"X","redirect_uris":["http://evil.example/cb"]}`:                                                  "invalid_redirect_uri",
		`{"client_name":"X","redirect_uris":["javascript:alert(1)"]}`:                                                     "invalid_redirect_uri",
		`{"client_name":"X","redirect_uris":["https://a.example/#x"]}`:                                                    "invalid_redirect_uri",
		`{"client_name":"X","redirect_uris":["https://a.example/cb"],"token_endpoint_auth_method":"client_secret_basic"}`: "invalid_client_metadata",
		`{"client_name":"X","redirect_uris":["https://a.example/cb"],"scope":"inference admin"}`:                          "invalid_client_metadata",
		`{"client_name":"X","redirect_uris":["https://a.example/cb"],"grant_types":["client_credentials"]}`:               "invalid_client_metadata",
		`{"client_name":"","redirect_uris":["https://a.example/cb"]}`:                                                     "invalid_client_metadata",
	} {
		res := w.do("auth", "", "POST", "/oauth/register", bad)
		assert.Equal(t, 400, res.Code, bad)
		assert.Equal(t, word, field(t, res, "error"), bad)
	}
	b := w.browser()
	b.signIn("member")
	c := &oauth2.Config{ClientID: id, RedirectURL: "http://127.0.0.1:49152/cb", Endpoint: oauth2.Endpoint{AuthURL: hubOrigin + "/oauth/authorize", TokenURL: hubOrigin + "/oauth/token"}}
	verifier := oauth2.GenerateVerifier()
	request := c.AuthCodeURL("s", oauth2.S256ChallengeOption(verifier))
	q := b.agree(request, ``)
	token, err := c.Exchange(w.outside(), q.Get("code"), oauth2.VerifierOption(verifier))
	require.NoError(t, err, "a native program listens on any port of its machine")
	w.secrets = append(w.secrets, token.AccessToken, token.RefreshToken)
	u, err := url.Parse(request)
	require.NoError(t, err)
	assert.Contains(t, b.send("auth", "POST", "/oauth/authorize/read", `{"query":"`+u.RawQuery+`"}`).Body.String(), `"known":false`, "nobody vouches for it")
	assert.Equal(t, 200, b.send("auth", "GET", u.RequestURI(), "").Code, "and it is never waved through")
	for range 5 {
		w.do("auth", "", "POST", "/oauth/register", body)
	}
	assert.Equal(t, 429, w.do("auth", "", "POST", "/oauth/register", body).Code)
}

func TestConsentIsRememberedOnlyForTheSame(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_PUBLIC_URL="+hubOrigin)
	w.withPassword("member")
	b := w.browser()
	b.signIn("member")
	c := w.application(webApp)
	exchange := func(terms string) {
		verifier := oauth2.GenerateVerifier()
		q := b.agree(c.AuthCodeURL("s", oauth2.S256ChallengeOption(verifier), oauth2.SetAuthURLParam("prompt", "consent")), terms)
		token, err := c.Exchange(w.outside(), q.Get("code"), oauth2.VerifierOption(verifier))
		require.NoError(t, err)
		w.secrets = append(w.secrets, token.AccessToken, token.RefreshToken)
	}
	ask := func(c *oauth2.Config) int {
		u, err := url.Parse(c.AuthCodeURL("s", oauth2.S256ChallengeOption(oauth2.GenerateVerifier())))
		require.NoError(t, err)
		res := b.send("auth", "GET", u.RequestURI(), "")
		if res.Code == 303 {
			_, q := answer(t, res.Header().Get("Location"))
			assert.NotEmpty(t, q.Get("code"))
			w.secrets = append(w.secrets, q.Get("code"))
		}
		return res.Code
	}
	assert.Equal(t, 200, ask(c))
	exchange(`,"days":0`)
	assert.Equal(t, 303, ask(c), "the same again needs no question")
	more := *c
	more.Scopes = []string{"inference", "usage"}
	assert.Equal(t, 200, ask(&more), "more scopes do")
	exchange(`,"budget_month":"5"`)
	assert.Equal(t, 200, ask(c), "with limits, another key would double them")
}
