package functions_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// browser is somebody's browser: it keeps cookies as browsers do and says where
// its requests come from.
type browser struct {
	w      *world
	origin string // of the hub as the browser sees it
	from   string // the client's address; "" for 192.0.2.1
	jar    http.CookieJar
	set    func(r *http.Request) // changes a request before it is sent; nil: nothing
}

const hubOrigin = "https://hub.example.com"

func (w *world) browser() *browser {
	jar, err := cookiejar.New(nil)
	require.NoError(w.t, err)
	return &browser{w: w, origin: hubOrigin, jar: jar}
}

// send sends what a page of the hub would send.
func (b *browser) send(fn, method, path, body string) *httptest.ResponseRecorder {
	b.w.t.Helper()
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	r := httptest.NewRequestWithContext(b.w.t.Context(), method, b.origin+path, content)
	if b.from != "" {
		r.RemoteAddr = b.from
	}
	r.Header.Set("User-Agent", "Test/1.0")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if method != http.MethodGet {
		r.Header.Set("Origin", b.origin)
		r.Header.Set(httpkit.CSRFHeader, "1")
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	at, err := url.Parse(b.origin + path)
	require.NoError(b.w.t, err)
	for _, c := range b.jar.Cookies(at) {
		r.AddCookie(c)
	}
	if b.set != nil {
		b.set(r)
	}
	res := httptest.NewRecorder()
	b.w.fn[fn].ServeHTTP(res, r)
	b.jar.SetCookies(at, res.Result().Cookies())
	for _, c := range res.Result().Cookies() {
		if c.Value != "" {
			b.w.secrets = append(b.w.secrets, c.Value)
		}
		assert.NotContains(b.w.t, res.Body.String(), c.Value+" ", "a cookie's value is in the answer")
	}
	b.w.changed(fn, whose(fn, r), r, res)
	checkers()[fn].Check(b.w.t, method, path, body, res.Code, res.Header(), res.Body.Bytes())
	return res
}

// whose says as whom a browser sends a request: nobody, where nobody looks.
func whose(fn string, r *http.Request) string {
	for _, rt := range all[fn].routes() {
		if rt.Method+" "+rt.Pattern == routeOf(fn, r) && rt.Who == httpkit.Anonymous {
			return ""
		}
	}
	return "whoever is signed in"
}

const goodPassword = "violet kettle sings"

// withPassword gives a user of the world a password.
func (w *world) withPassword(name string) {
	w.t.Helper()
	require.NoError(w.t, w.app.Desk.SetPassword(w.t.Context(), "test", name+"@example.com", goodPassword))
	w.secrets = append(w.secrets, goodPassword)
}

func loginBody(name, password string) string {
	return `{"email":"` + name + `@example.com","password":"` + password + `"}`
}

func (b *browser) signIn(name string) {
	b.w.t.Helper()
	res := b.send("auth", "POST", "/api/auth/login", loginBody(name, goodPassword))
	require.Equal(b.w.t, 200, res.Code, res.Body.String())
}

func TestASessionLetsItsUserInUntilItEnds(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_PUBLIC_URL="+hubOrigin)
	w.withPassword("member")
	b := w.browser()
	res := b.send("auth", "POST", "/api/auth/login", loginBody("MEMBER", goodPassword))
	require.Equal(t, 200, res.Code, res.Body.String())
	assert.JSONEq(t, `{"user":{"id":"ID","email":"member@example.com","name":"","role":"member","language":"","time_zone":""},"session":{"id":"ID","expires_at":"TIME"}}`, settled(res.Body.String()))
	assert.Equal(t, "no-store", res.Header().Get("Cache-Control"))
	cookie := res.Header().Get("Set-Cookie")
	assert.Regexp(t, `^__Host-aigne_hub_session=[A-Za-z0-9_-]{43}; Path=/; Max-Age=2592000; HttpOnly; Secure; SameSite=Lax$`, cookie)

	me := b.send("auth", "GET", "/api/auth/me", "")
	require.Equal(t, 200, me.Code)
	assert.Contains(t, me.Body.String(), `"key":null`)
	assert.Equal(t, 403, b.send("admin", "GET", "/api/admin/users", "").Code, "a session has its user's role")
	assert.Equal(t, 200, b.send("billing", "GET", "/api/user/info", "").Code, "other functions know the session too")
	assert.Equal(t, 401, b.send("proxy", "GET", "/v1/models", "").Code, "calls need a key")

	second := w.browser()
	second.signIn("member")
	list := b.send("auth", "GET", "/api/auth/sessions", "")
	assert.Equal(t, 2, strings.Count(list.Body.String(), `"agent":"Test/1.0"`), list.Body.String())
	assert.Equal(t, 1, strings.Count(list.Body.String(), `"current":true`))
	assert.Contains(t, list.Body.String(), `"address":"192.0.2.1"`)
	assert.Equal(t, 204, b.send("auth", "DELETE", "/api/auth/sessions", "").Code)
	assert.Equal(t, 401, second.send("auth", "GET", "/api/auth/me", "").Code, "ended at once, without a reload")
	assert.Equal(t, 200, b.send("auth", "GET", "/api/auth/me", "").Code)

	stolen := b.jar.Cookies(&url.URL{Scheme: "https", Host: "hub.example.com", Path: "/"})
	out := b.send("auth", "POST", "/api/auth/logout", "")
	assert.Equal(t, 204, out.Code)
	assert.Contains(t, out.Header().Get("Set-Cookie"), "Max-Age=0")
	b.set = func(r *http.Request) { r.AddCookie(stolen[0]) }
	assert.Equal(t, 401, b.send("auth", "GET", "/api/auth/me", "").Code, "signing out ends the session, not only the cookie")

	var acts []string
	require.NoError(t, w.app.Store.Tx(t.Context(), readAudit("member@example.com", &acts)))
	assert.Equal(t, []string{"login", "login", "session.end-all", "logout"}, acts)
}

func TestSignInTellsNobodyWhoHasAnAccount(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_PUBLIC_URL="+hubOrigin)
	w.withPassword("member")
	w.withPassword("guest")
	_, err := w.app.Desk.SetDisabled(t.Context(), "test", "guest@example.com", true)
	require.NoError(t, err)
	wrong := refused("authentication_error", "unauthenticated", "The e-mail address or the password is wrong.")
	for name, password := range map[string]string{"member": "a wrong password", "nobody": goodPassword, "other": "has no password at all", "guest": goodPassword} {
		res := w.browser().send("auth", "POST", "/api/auth/login", loginBody(name, password))
		assert.Equal(t, 401, res.Code, name)
		assert.JSONEq(t, wrong, res.Body.String(), name)
		assert.Empty(t, res.Header().Get("Set-Cookie"))
	}
	var acts []string
	require.NoError(t, w.app.Store.Tx(t.Context(), readAudit("anonymous", &acts)))
	assert.Equal(t, []string{"login.failed", "login.failed", "login.failed", "login.failed"}, acts, "unknown ones too: they take the same time")
}

func TestTriesToSignInAreLimitedByAccountAndAddress(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_PUBLIC_URL="+hubOrigin)
	w.withPassword("member")
	b := w.browser()
	for i := range 10 {
		b.from = "198.51.100." + string(rune('0'+i)) + ":1234"
		require.Equal(t, 401, b.send("auth", "POST", "/api/auth/login", loginBody("member", "a wrong password")).Code)
	}
	b.from = "203.0.113.9:1"
	res := b.send("auth", "POST", "/api/auth/login", loginBody("member", goodPassword))
	assert.Equal(t, 429, res.Code, "the account's tries are used up from everywhere, and for the right password too")
	assert.NotEmpty(t, res.Header().Get("Retry-After"))
	for name, f := range all { // another process, which remembers nothing
		w.fn[name] = f.wire(w.app)
	}
	assert.Equal(t, 429, b.send("auth", "POST", "/api/auth/login", loginBody("MEMBER", goodPassword)).Code)
	for i := range 30 {
		b.from = "[2001:db8::" + string(rune('a'+i%6)) + "]:1"
		require.Equal(t, 401, b.send("auth", "POST", "/api/auth/login", loginBody("nobody"+string(rune('a'+i)), "a wrong password")).Code)
	}
	assert.Equal(t, 429, b.send("auth", "POST", "/api/auth/login", loginBody("someone", "a wrong password")).Code, "an IPv6 network is one address")
	b.from = "203.0.113.9:1"
	assert.Equal(t, 401, b.send("auth", "POST", "/api/auth/login", loginBody("someone", "a wrong password")).Code)
}

func TestAPageOfAnotherSiteCannotUseASession(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_PUBLIC_URL="+hubOrigin, "AIGNE_HUB_CORS_ORIGINS=https://app.example.com")
	w.withPassword("owner")
	b := w.browser()
	b.signIn("owner")
	const groups = `{"groups":["a"]}`
	try := func(set func(h http.Header)) int {
		b.set = func(r *http.Request) { set(r.Header) }
		defer func() { b.set = nil }()
		return b.send("admin", "PUT", "/api/admin/users/member@example.com/groups", groups).Code
	}
	for name, c := range map[string]struct {
		set  func(h http.Header)
		want int
	}{
		"its own page":                      {func(http.Header) {}, 200},
		"its own page in an old browser":    {func(h http.Header) { h.Del("Sec-Fetch-Site") }, 200},
		"a form cannot set the header":      {func(h http.Header) { h.Del(httpkit.CSRFHeader) }, 403},
		"another site":                      {func(h http.Header) { h.Set("Sec-Fetch-Site", "cross-site"); h.Set("Origin", "https://evil.example") }, 403},
		"a sibling":                         {func(h http.Header) { h.Set("Sec-Fetch-Site", "same-site"); h.Set("Origin", "https://blog.example.com") }, 403},
		"another site in an old browser":    {func(h http.Header) { h.Del("Sec-Fetch-Site"); h.Set("Origin", "https://evil.example") }, 403},
		"a page without an origin":          {func(h http.Header) { h.Del("Sec-Fetch-Site"); h.Set("Origin", "null") }, 403},
		"the same host over plain HTTP":     {func(h http.Header) { h.Del("Sec-Fetch-Site"); h.Set("Origin", "http://hub.example.com") }, 403},
		"an origin that the operator lists": {func(h http.Header) { h.Set("Sec-Fetch-Site", "same-site"); h.Set("Origin", "https://app.example.com") }, 200},
		"and not one that looks like it": {func(h http.Header) {
			h.Set("Sec-Fetch-Site", "cross-site")
			h.Set("Origin", "https://app.example.com.evil.example")
		}, 403},
	} {
		assert.Equal(t, c.want, try(c.set), name)
	}
	b.set = func(r *http.Request) {
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set("Origin", "https://evil.example")
	}
	assert.Equal(t, 403, b.send("auth", "POST", "/api/auth/login", loginBody("owner", goodPassword)).Code, "nor sign its visitors in as somebody else")
	assert.Equal(t, 200, b.send("admin", "GET", "/api/admin/users", "").Code, "a link may be followed; its answer stays unread")
	key := w.do("admin", "owner", "PUT", "/api/admin/users/member@example.com/groups", groups)
	assert.Equal(t, 200, key.Code, "keys are exempt: no browser sends them by itself")
}

func TestOnlyListedOriginsReadAnswers(t *testing.T) {
	t.Parallel()
	ask := func(w *world, method, origin string) http.Header {
		b := w.browser()
		b.set = func(r *http.Request) {
			r.Header.Set("Origin", origin)
			if method == "OPTIONS" {
				r.Header.Set("Access-Control-Request-Method", "PUT")
				r.Header.Set("Access-Control-Request-Headers", "authorization,content-type")
			}
		}
		return b.send("usage", method, "/api/user/model-calls", "").Header()
	}
	none := open(t)
	assert.Empty(t, ask(none, "OPTIONS", "https://app.example.com").Get("Access-Control-Allow-Origin"))
	assert.Empty(t, ask(none, "GET", "https://app.example.com").Get("Strict-Transport-Security"))
	one := open(t, "AIGNE_HUB_CORS_ORIGINS=https://app.example.com, https://b.example.com/", "AIGNE_HUB_PUBLIC_URL="+hubOrigin)
	h := ask(one, "OPTIONS", "https://b.example.com")
	assert.Equal(t, "https://b.example.com", h.Get("Access-Control-Allow-Origin"))
	assert.Equal(t, "true", h.Get("Access-Control-Allow-Credentials"))
	assert.Equal(t, "authorization,content-type", h.Get("Access-Control-Allow-Headers"))
	assert.Equal(t, "Origin", h.Get("Vary"))
	assert.NotEmpty(t, h.Get("Strict-Transport-Security"))
	assert.Empty(t, ask(one, "GET", "https://evil.example").Get("Access-Control-Allow-Origin"))
	assert.Equal(t, "https://app.example.com", ask(one, "GET", "https://app.example.com").Get("Access-Control-Allow-Origin"))
	everybody := open(t, "AIGNE_HUB_CORS_ORIGINS=*")
	h = ask(everybody, "GET", "https://evil.example")
	assert.Equal(t, "*", h.Get("Access-Control-Allow-Origin"))
	assert.Empty(t, h.Get("Access-Control-Allow-Credentials"), "never with cookies for everybody")
}

func TestANewPasswordEndsTheOtherSessions(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_PUBLIC_URL="+hubOrigin)
	w.withPassword("member")
	a, b := w.browser(), w.browser()
	a.signIn("member")
	b.signIn("member")
	change := func(current, next string) *httptest.ResponseRecorder {
		return a.send("auth", "PUT", "/api/auth/password", `{"current":"`+current+`","password":"`+next+`"}`)
	}
	const next = "another kettle hums"
	w.secrets = append(w.secrets, next)
	assert.Equal(t, 403, change("not the password", next).Code)
	for _, bad := range []string{"short", "password123", "1234567890", "aaaaaaaaaaaa", "member@example.com", "abcdefghijkl", "Qwertyuiop2024"} {
		assert.Equal(t, 400, change(goodPassword, bad).Code, bad)
	}
	require.Equal(t, 204, change(goodPassword, next).Code)
	assert.Equal(t, 200, a.send("auth", "GET", "/api/auth/me", "").Code)
	assert.Equal(t, 401, b.send("auth", "GET", "/api/auth/me", "").Code)
	assert.Equal(t, 401, b.send("auth", "POST", "/api/auth/login", loginBody("member", goodPassword)).Code)
	assert.Equal(t, 200, b.send("auth", "POST", "/api/auth/login", loginBody("member", next)).Code)
	assert.Equal(t, 403, w.do("auth", "member", "PUT", "/api/auth/password", `{"current":"`+next+`","password":"yet another one"}`).Code,
		"a key that leaked does not change how its owner signs in")
}

func TestADisabledUserIsOutAtOnce(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_PUBLIC_URL="+hubOrigin)
	w.withPassword("member")
	b := w.browser()
	b.signIn("member")
	_, err := w.app.Desk.SetDisabled(t.Context(), "test", "member@example.com", true)
	require.NoError(t, err)
	assert.Equal(t, 401, b.send("auth", "GET", "/api/auth/me", "").Code)
	_, err = w.app.Desk.SetDisabled(t.Context(), "test", "member@example.com", false)
	require.NoError(t, err)
	assert.Equal(t, 401, b.send("auth", "GET", "/api/auth/me", "").Code, "the session is gone for good")
	_, err = w.app.Desk.SetDisabled(t.Context(), "test", "owner@example.com", true)
	assert.Equal(t, hub.CodeConflict, hub.CodeOf(err), "the only owner stays")
}

func TestCookiesFitTheAddressOfTheHub(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		setting, origin, cookie, warning string
	}{
		"below a path":                  {"AIGNE_HUB_PUBLIC_URL=https://example.com/ai", "https://example.com", "__Secure-aigne_hub_session=V; Path=/ai; Max-Age=2592000; HttpOnly; Secure; SameSite=Lax", ""},
		"plain HTTP by choice":          {"AIGNE_HUB_PUBLIC_URL=http://hub.lan:3030", "http://hub.lan:3030", "aigne_hub_session=V; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax", "without encryption"},
		"plain HTTP on this machine":    {"AIGNE_HUB_PUBLIC_URL=http://127.0.0.1:3030", "http://127.0.0.1:3030", "aigne_hub_session=V; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax", ""},
		"plain HTTP without a say":      {"AIGNE_HUB_LOG_LEVEL=info", "http://192.0.2.7:3030", "__Host-aigne_hub_session=V; Path=/; Max-Age=2592000; HttpOnly; Secure; SameSite=Lax", "without encryption"},
		"this machine without a say":    {"AIGNE_HUB_LOG_LEVEL=info", "http://localhost:3030", "__Host-aigne_hub_session=V; Path=/; Max-Age=2592000; HttpOnly; Secure; SameSite=Lax", ""},
		"https that only a proxy knows": {"AIGNE_HUB_TRUSTED_PROXIES=192.0.2.0/24", "http://hub.example.com", "__Host-aigne_hub_session=V; Path=/; Max-Age=2592000; HttpOnly; Secure; SameSite=Lax", ""},
	} {
		w := open(t, c.setting)
		w.withPassword("member")
		b := w.browser()
		b.origin = c.origin
		b.set = func(r *http.Request) {
			r.Header.Del("Sec-Fetch-Site") // which browsers leave out without TLS
			r.Header.Set("X-Forwarded-Proto", "https")
		}
		res := b.send("auth", "POST", "/api/auth/login", loginBody("member", goodPassword))
		require.Equal(t, 200, res.Code, name+res.Body.String())
		set := res.Header().Get("Set-Cookie")
		value := res.Result().Cookies()[0].Value
		assert.Equal(t, c.cookie, strings.Replace(set, value, "V", 1), name)
		if c.warning == "" {
			assert.NotContains(t, res.Body.String(), "warning", name)
			assert.NotContains(t, w.logs.String(), "plain HTTP", name)
		} else {
			assert.Contains(t, res.Body.String(), c.warning, name)
			assert.Contains(t, w.logs.String(), "plain HTTP", name)
		}
	}
}

// TestEveryPageForbidsWhatItDoesNotNeed looks at every route that answers a GET
// with a page.
func TestEveryPageForbidsWhatItDoesNotNeed(t *testing.T) {
	t.Parallel()
	w := open(t)
	pages := 0
	for name, f := range all {
		for _, rt := range f.routes() {
			if rt.Method != http.MethodGet && rt.Method != "" || strings.Contains(rt.Pattern, "{") {
				continue
			}
			res := w.do(name, "owner", "GET", rt.Pattern, "")
			if !strings.HasPrefix(res.Header().Get("Content-Type"), "text/html") {
				continue
			}
			pages++
			policy := res.Header().Get("Content-Security-Policy")
			assert.True(t, strings.HasPrefix(policy, "default-src 'none';"), rt.Pattern)
			assert.Contains(t, policy, "frame-ancestors 'none'", rt.Pattern)
			assert.NotContains(t, policy, "unsafe", rt.Pattern)
			assert.Equal(t, "no-referrer", res.Header().Get("Referrer-Policy"), rt.Pattern)
			assert.Equal(t, "nosniff", res.Header().Get("X-Content-Type-Options"), rt.Pattern)
			assert.NotRegexp(t, `(?i)<script>|<style|\son[a-z]+=|style=`, res.Body.String(), rt.Pattern)
		}
	}
	assert.GreaterOrEqual(t, pages, 3, "console, sign-in, buying credits")
}

func TestAUserEndsOwnSessionsAndNobodyElses(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_PUBLIC_URL="+hubOrigin)
	w.withPassword("member")
	w.withPassword("admin")
	mine, elsewhere, stranger := w.browser(), w.browser(), w.browser()
	mine.signIn("member")
	elsewhere.signIn("member")
	stranger.signIn("admin")
	var list struct {
		Data []struct {
			ID      string `json:"id"`
			Current bool   `json:"current"`
		} `json:"data"`
	}
	require.NoError(t, json.Unmarshal(mine.send("auth", "GET", "/api/auth/sessions", "").Body.Bytes(), &list))
	require.Len(t, list.Data, 2)
	for _, s := range list.Data {
		assert.Equal(t, 404, stranger.send("auth", "DELETE", "/api/auth/sessions/"+s.ID, "").Code, "an admin's own list is no way to others'")
		if !s.Current {
			assert.Equal(t, 204, mine.send("auth", "DELETE", "/api/auth/sessions/"+s.ID, "").Code)
			assert.Equal(t, 404, mine.send("auth", "DELETE", "/api/auth/sessions/"+s.ID, "").Code)
		}
	}
	assert.Equal(t, 401, elsewhere.send("auth", "GET", "/api/auth/me", "").Code)
	assert.Equal(t, 200, mine.send("auth", "GET", "/api/auth/me", "").Code)
}
