package functions_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
)

// attack is a hub with an application that a user is about to sign in to.
type attack struct {
	*world
	b        *browser
	c        *oauth2.Config
	verifier string
}

func openAttack(t *testing.T) *attack {
	t.Helper()
	w := open(t, "AIGNE_HUB_PUBLIC_URL="+hubOrigin)
	w.withPassword("member")
	b := w.browser()
	b.signIn("member")
	return &attack{w, b, w.application(webApp), oauth2.GenerateVerifier()}
}

// code has the user say yes.
func (a *attack) code() string {
	return a.b.agree(a.c.AuthCodeURL("s", oauth2.S256ChallengeOption(a.verifier), oauth2.SetAuthURLParam("prompt", "consent")), "").Get("code")
}

// exchange is what the application sends for a code; change alters it.
func (a *attack) exchange(code string, change ...string) (int, map[string]any) {
	v := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "code_verifier": {a.verifier}, "redirect_uri": {appRedirect},
		"client_id": {a.c.ClientID}, "client_secret": {a.c.ClientSecret}}
	for i := 0; i < len(change); i += 2 {
		if v.Set(change[i], change[i+1]); change[i+1] == "" {
			v.Del(change[i])
		}
	}
	return a.form("/oauth/token", v)
}

func (a *attack) refresh(token string, change ...string) (int, map[string]any) {
	v := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}, "client_id": {a.c.ClientID}, "client_secret": {a.c.ClientSecret}}
	for i := 0; i < len(change); i += 2 {
		v.Set(change[i], change[i+1])
	}
	return a.form("/oauth/token", v)
}

// alive reports whether a token is good for anything, everywhere.
func (a *attack) alive(token any) bool {
	require.NoError(a.t, a.app.Reload(a.t.Context()))
	return a.byToken(token.(string), "GET", "/api/auth/me").StatusCode == http.StatusOK
}

// refusedFor checks an answer of the token endpoint that gives nothing.
func refusedFor(t *testing.T, word string, status int, out map[string]any) {
	t.Helper()
	assert.Equal(t, word, out["error"], out)
	assert.Equal(t, map[bool]int{true: 401, false: 400}[word == "invalid_client"], status)
	assert.Len(t, out, 2, "an error and its description: %v", out)
}

func TestACodeIsWorthNothingToOthers(t *testing.T) {
	t.Parallel()
	a := openAttack(t)
	other := a.application(webApp)
	public := a.application(`"redirect_uris":["` + appRedirect + `"],"scopes":["inference"]`)
	for name, c := range map[string]struct {
		word   string
		change []string
	}{
		"with another verifier":            {"invalid_grant", []string{"code_verifier", oauth2.GenerateVerifier()}},
		"without a verifier":               {"invalid_grant", []string{"code_verifier", ""}},
		"with the challenge as verifier":   {"invalid_grant", []string{"code_verifier", oauth2.S256ChallengeFromVerifier(a.verifier)}},
		"with another address":             {"invalid_grant", []string{"redirect_uri", "https://app.example.com/other"}},
		"without the address":              {"invalid_grant", []string{"redirect_uri", ""}},
		"of another client":                {"invalid_grant", []string{"client_id", other.ClientID, "client_secret", other.ClientSecret}},
		"of another client without secret": {"invalid_grant", []string{"client_id", public.ClientID, "client_secret", ""}},
		"without the secret":               {"invalid_client", []string{"client_secret", ""}},
		"with another's secret":            {"invalid_client", []string{"client_secret", other.ClientSecret}},
		"of a client that there is not":    {"invalid_client", []string{"client_id", "01ARZ3NDEKTSV4RRFFQ69G5FAV"}},
		"for another kind of grant":        {"unsupported_grant_type", []string{"grant_type", "client_credentials"}},
		"for a password":                   {"unsupported_grant_type", []string{"grant_type", "password", "username", "member@example.com", "password", goodPassword}},
		"that is made up":                  {"invalid_grant", []string{"code", "ac-hub-made-up"}},
	} {
		t.Run(name, func(t *testing.T) {
			status, out := a.exchange(a.code(), c.change...)
			refusedFor(t, c.word, status, out)
		})
	}
	code := a.code()
	status, out := a.exchange(code, "code_verifier", oauth2.GenerateVerifier())
	refusedFor(t, "invalid_grant", status, out)
	status, out = a.exchange(code)
	refusedFor(t, "invalid_grant", status, out) // it had its one try
	status, _ = a.exchange(a.code(), "client_id", other.ClientID, "client_secret", other.ClientSecret)
	assert.Equal(t, 400, status)

	late := a.code()
	a.exec("UPDATE oauth_codes SET expires_at = expires_at - 60001 WHERE used_at IS NULL")
	status, out = a.exchange(late)
	refusedFor(t, "invalid_grant", status, out)

	gone := a.code()
	_, err := a.app.Desk.SetDisabled(t.Context(), "test", "member@example.com", true)
	require.NoError(t, err)
	status, out = a.exchange(gone)
	refusedFor(t, "invalid_grant", status, out)
}

func TestACodeThatComesTwiceTakesBackWhatItGave(t *testing.T) {
	t.Parallel()
	a := openAttack(t)
	code := a.code()
	status, out := a.exchange(code)
	require.Equal(t, 200, status, out)
	require.True(t, a.alive(out["access_token"]))
	status, again := a.exchange(code)
	refusedFor(t, "invalid_grant", status, again)
	assert.False(t, a.alive(out["access_token"]))
	status, again = a.refresh(out["refresh_token"].(string))
	refusedFor(t, "invalid_grant", status, again)

	// Both at once: whoever is first, in the end nobody has a key.
	code = a.code()
	got := make(chan map[string]any, 2)
	for range 2 {
		go func() {
			_, out := a.exchange(code)
			got <- out
		}()
	}
	for _, out := range []map[string]any{<-got, <-got} { // when both have their answers
		if out["access_token"] != nil {
			assert.False(t, a.alive(out["access_token"]))
		}
	}
}

func TestARefreshTokenThatComesTwiceEndsTheConnection(t *testing.T) {
	t.Parallel()
	a := openAttack(t)
	_, first := a.exchange(a.code())
	other := a.application(webApp)
	status, out := a.refresh(first["refresh_token"].(string), "client_id", other.ClientID, "client_secret", other.ClientSecret)
	refusedFor(t, "invalid_grant", status, out)
	status, out = a.refresh(first["refresh_token"].(string), "scope", "inference usage")
	refusedFor(t, "invalid_scope", status, out)
	status, second := a.refresh(first["refresh_token"].(string))
	require.Equal(t, 200, status, second)
	assert.True(t, a.alive(first["access_token"]), "for calls on their way, half a minute")
	assert.True(t, a.alive(second["access_token"]))

	status, out = a.refresh(first["refresh_token"].(string))
	refusedFor(t, "invalid_grant", status, out)
	assert.False(t, a.alive(second["access_token"]))
	status, out = a.refresh(second["refresh_token"].(string))
	refusedFor(t, "invalid_grant", status, out)

	_, third := a.exchange(a.code())
	token := third["refresh_token"].(string)
	forged := token[:len(token)-1] + map[bool]string{true: "B", false: "A"}[strings.HasSuffix(token, "A")]
	status, out = a.refresh(forged)
	refusedFor(t, "invalid_grant", status, out)
	assert.False(t, a.alive(third["access_token"]), "who knows half of a token had one")

	_, fourth := a.exchange(a.code())
	a.exec("UPDATE oauth_connections SET refresh_until = 1 WHERE revoked_at IS NULL")
	status, out = a.refresh(fourth["refresh_token"].(string))
	refusedFor(t, "invalid_grant", status, out)

	_, fifth := a.exchange(a.code())
	_, err := a.app.Desk.SetDisabled(t.Context(), "test", "member@example.com", true)
	require.NoError(t, err)
	status, out = a.refresh(fifth["refresh_token"].(string))
	refusedFor(t, "invalid_grant", status, out)
	assert.False(t, a.alive(fifth["access_token"]), "a disabled user's tokens die")
}

func TestTokensAreRevokedByTheirOwnClientOnly(t *testing.T) {
	t.Parallel()
	a := openAttack(t)
	other := a.application(webApp)
	_, one := a.exchange(a.code())
	revoke := func(token any, c *oauth2.Config) (int, map[string]any) {
		return a.form("/oauth/revoke", url.Values{"token": {token.(string)}}, func(r *http.Request) { r.SetBasicAuth(c.ClientID, c.ClientSecret) })
	}
	status, out := revoke(one["access_token"], other)
	assert.Equal(t, []any{200, map[string]any{}}, []any{status, out}, "others learn nothing")
	assert.True(t, a.alive(one["access_token"]))
	for _, token := range []string{"rubbish", a.keys["member"].Reveal(), ""} {
		status, _ = revoke(token, a.c)
		assert.Equal(t, map[bool]int{true: 400, false: 200}[token == ""], status, token)
	}
	assert.Equal(t, 200, a.byToken(a.keys["member"].Reveal(), "GET", "/api/auth/me").StatusCode, "a client does not revoke keys")
	status, _ = revoke(one["refresh_token"], a.c)
	assert.Equal(t, 200, status)
	assert.False(t, a.alive(one["access_token"]))
	_, two := a.exchange(a.code())
	_, _ = revoke(two["access_token"], a.c)
	status, out = a.refresh(two["refresh_token"].(string))
	refusedFor(t, "invalid_grant", status, out)
}

func TestNobodyIsSentToAnAddressThatIsNotRegistered(t *testing.T) {
	t.Parallel()
	a := openAttack(t)
	two := a.application(`"redirect_uris":["` + appRedirect + `","http://127.0.0.1:1/cb"],"scopes":["inference"]`)
	for name, q := range map[string]url.Values{
		"another host":            {"client_id": {a.c.ClientID}, "redirect_uri": {"https://evil.example/done"}},
		"a longer path":           {"client_id": {a.c.ClientID}, "redirect_uri": {appRedirect + "/../../evil"}},
		"a query":                 {"client_id": {a.c.ClientID}, "redirect_uri": {appRedirect + "?x=1"}},
		"a port":                  {"client_id": {a.c.ClientID}, "redirect_uri": {"https://app.example.com:444/done"}},
		"a user":                  {"client_id": {a.c.ClientID}, "redirect_uri": {"https://app.example.com@evil.example/done"}},
		"other letters":           {"client_id": {a.c.ClientID}, "redirect_uri": {"https://APP.example.com/done"}},
		"twice":                   {"client_id": {a.c.ClientID}, "redirect_uri": {appRedirect, "https://evil.example/"}},
		"two clients":             {"client_id": {a.c.ClientID, two.ClientID}, "redirect_uri": {appRedirect}},
		"an unknown client":       {"client_id": {"nobody"}, "redirect_uri": {appRedirect}},
		"no client":               {"redirect_uri": {appRedirect}},
		"no address of several":   {"client_id": {two.ClientID}},
		"a path on the machine":   {"client_id": {two.ClientID}, "redirect_uri": {"http://127.0.0.1:1/other"}},
		"another machine":         {"client_id": {two.ClientID}, "redirect_uri": {"http://127.0.0.1.evil.example/cb"}},
		"a user on the machine":   {"client_id": {two.ClientID}, "redirect_uri": {"http://127.0.0.1:1@evil.example/cb"}},
		"a script":                {"client_id": {a.c.ClientID}, "redirect_uri": {"javascript:alert(1)"}},
		"an address with a break": {"client_id": {a.c.ClientID}, "redirect_uri": {appRedirect + "\r\nSet-Cookie: a=b"}},
	} {
		t.Run(name, func(t *testing.T) {
			q.Set("response_type", "code")
			q.Set("code_challenge", oauth2.S256ChallengeFromVerifier(a.verifier))
			q.Set("code_challenge_method", "S256")
			res := a.b.send("auth", "GET", "/oauth/authorize?"+q.Encode(), "")
			assert.Equal(t, 400, res.Code)
			assert.Empty(t, res.Header().Get("Location"))
			assert.Regexp(t, `data-fault="(client|request)"`, res.Body.String())
			body, err := json.Marshal(map[string]any{"query": q.Encode(), "allow": true})
			require.NoError(t, err)
			res = a.b.send("auth", "POST", "/oauth/authorize", string(body))
			assert.Contains(t, []int{400, 404}, res.Code, "nor when the user says yes")
			assert.NotContains(t, res.Body.String(), "ac-hub-")
		})
	}
}

func TestWhatTheApplicationDidWrongIsToldToIt(t *testing.T) {
	t.Parallel()
	a := openAttack(t)
	for name, c := range map[string]struct {
		word   string
		change []string
	}{
		"plain PKCE":         {"invalid_request", []string{"code_challenge_method", "plain"}},
		"no PKCE":            {"invalid_request", []string{"code_challenge", "", "code_challenge_method", ""}},
		"no method":          {"invalid_request", []string{"code_challenge_method", ""}},
		"a short challenge":  {"invalid_request", []string{"code_challenge", "abc"}},
		"a token at once":    {"unsupported_response_type", []string{"response_type", "token"}},
		"the fragment":       {"invalid_request", []string{"response_mode", "fragment"}},
		"a scope too many":   {"invalid_scope", []string{"scope", "inference admin"}},
		"an unknown scope":   {"invalid_scope", []string{"scope", "openid"}},
		"an object instead":  {"request_not_supported", []string{"request", "e30"}},
		"an address of such": {"request_not_supported", []string{"request_uri", "https://evil.example/"}},
	} {
		t.Run(name, func(t *testing.T) {
			u, err := url.Parse(a.c.AuthCodeURL("the state", oauth2.S256ChallengeOption(a.verifier)))
			require.NoError(t, err)
			q := u.Query()
			for i := 0; i < len(c.change); i += 2 {
				q.Set(c.change[i], c.change[i+1])
			}
			res := a.b.send("auth", "GET", "/oauth/authorize?"+q.Encode(), "")
			require.Equal(t, 303, res.Code)
			where, got := answer(t, res.Header().Get("Location"))
			assert.Equal(t, appRedirect, where)
			assert.Equal(t, []string{c.word, "the state", hubOrigin}, []string{got.Get("error"), got.Get("state"), got.Get("iss")})
			assert.Empty(t, got.Get("code"))
		})
	}
}

func TestOnlyTheHubsOwnPageSaysYes(t *testing.T) {
	t.Parallel()
	a := openAttack(t)
	u, err := url.Parse(a.c.AuthCodeURL("s", oauth2.S256ChallengeOption(a.verifier)))
	require.NoError(t, err)
	body := `{"query":"` + u.RawQuery + `","allow":true}`
	for name, set := range map[string]func(*http.Request){
		"a page of another site": func(r *http.Request) {
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			r.Header.Set("Origin", "https://evil.example")
		},
		"a form": func(r *http.Request) { r.Header.Del(httpkit.CSRFHeader) },
		"an API key": func(r *http.Request) {
			r.Header.Del("Cookie")
			r.Header.Set("Authorization", "Bearer "+a.keys["member"].Reveal())
		},
		"a page in another frame": func(r *http.Request) {
			r.Header.Set("Sec-Fetch-Site", "same-site")
			r.Header.Set("Origin", "https://other.example.com")
		},
	} {
		for _, path := range []string{"/oauth/authorize", "/oauth/device", "/oauth/connect"} {
			a.b.set = set
			res := a.b.send("auth", "POST", path, map[bool]string{true: body, false: `{"allow":true}`}[path == "/oauth/authorize"])
			assert.Equal(t, 403, res.Code, name+" at "+path)
			assert.NotContains(t, res.Body.String(), "ac-hub-")
		}
	}
	a.b.set = nil
	res := a.b.send("auth", "POST", "/oauth/authorize", strings.Replace(body, `"allow":true`, `"allow":false`, 1))
	_, q := answer(t, field(t, res, "url"))
	assert.Equal(t, []string{"access_denied", ""}, []string{q.Get("error"), q.Get("code")})
	for field, bad := range map[string]string{"days": `-1`, "budget_month": `"-1"`, "budget_day": `"x"`, "rpm": `-5`} {
		res := a.b.send("auth", "POST", "/oauth/authorize", strings.TrimSuffix(body, "}")+fmt.Sprintf(`,%q:%s}`, field, bad))
		assert.Equal(t, 400, res.Code, field)
		assert.Contains(t, res.Body.String(), field)
	}
}

func TestCodesOfDevicesCannotBeTriedOut(t *testing.T) {
	t.Parallel()
	a := openAttack(t)
	c := a.application(`"device":true,"redirect_uris":null`)
	status, out := a.form("/oauth/device_authorization", url.Values{"client_id": {a.c.ClientID}, "client_secret": {a.c.ClientSecret}})
	refusedFor(t, "unauthorized_client", status, out)
	begin := func() map[string]any {
		status, out := a.form("/oauth/device_authorization", url.Values{"client_id": {c.ClientID}})
		require.Equal(t, 200, status, out)
		return out
	}
	device := begin()
	poll := func(device map[string]any, as *oauth2.Config) (int, map[string]any) {
		a.exec("UPDATE oauth_devices SET polled_at = 0")
		return a.form("/oauth/token", url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {device["device_code"].(string)},
			"client_id": {as.ClientID}, "client_secret": {as.ClientSecret}})
	}
	status, out = poll(device, a.c)
	refusedFor(t, "invalid_grant", status, out)

	for i := range 10 {
		a.b.from = fmt.Sprintf("198.51.100.%d:1", i)
		assert.Equal(t, 404, a.b.send("auth", "POST", "/oauth/device/read", `{"user_code":"BBBB-BBB`+string("BCDFGHJKLM"[i])+`"}`).Code)
	}
	a.b.from = "203.0.113.1:1"
	right := `{"user_code":"` + device["user_code"].(string) + `"`
	assert.Equal(t, 429, a.b.send("auth", "POST", "/oauth/device/read", right+`}`).Code, "the user's tries are used up, from everywhere and for the right one")
	assert.Equal(t, 429, a.b.send("auth", "POST", "/oauth/device", right+`,"allow":true}`).Code)
	status, out = poll(device, c)
	refusedFor(t, "authorization_pending", status, out)

	a.withPassword("other")
	b := a.browser()
	b.signIn("other")
	assert.Equal(t, 204, b.send("auth", "POST", "/oauth/device", right+`,"allow":false}`).Code)
	status, out = poll(device, c)
	refusedFor(t, "access_denied", status, out)

	late := begin()
	a.exec("UPDATE oauth_devices SET expires_at = 1 WHERE state = 'pending'")
	assert.Equal(t, 404, b.send("auth", "POST", "/oauth/device", `{"user_code":"`+late["user_code"].(string)+`","allow":true}`).Code)
	status, out = poll(late, c)
	refusedFor(t, "expired_token", status, out)
	for range 40 {
		if status, out = a.form("/oauth/device_authorization", url.Values{"client_id": {c.ClientID}}); status == 429 {
			break
		}
	}
	assert.Equal(t, []any{429, "temporarily_unavailable"}, []any{status, out["error"]}, "nobody fills the table")
}
