package functions_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeoidc"
)

// federated is a hub with an OpenID provider.
type federated struct {
	*world
	op *fakeoidc.Server
}

func openFederated(t *testing.T, settings ...string) *federated {
	t.Helper()
	op := fakeoidc.New(t, hubOrigin+"/api/auth/oidc/corp/callback")
	w := open(t, append([]string{"AIGNE_HUB_PUBLIC_URL=" + hubOrigin, "AIGNE_HUB_OIDC_ISSUER=" + op.URL, "AIGNE_HUB_OIDC_NAME=corp", "AIGNE_HUB_OIDC_LABEL=Corp",
		"AIGNE_HUB_OIDC_CLIENT_ID=hub", "AIGNE_HUB_OIDC_CLIENT_SECRET=" + op.ClientSecret}, settings...)...)
	w.secrets = append(w.secrets, op.ClientSecret)
	return &federated{w, op}
}

func person(sub, email string, verified bool, groups ...string) map[string]any {
	return map[string]any{"sub": sub, "email": email, "email_verified": verified, "name": "Pat " + sub, "groups": groups}
}

// visit takes a browser to the provider and returns the answer with which it
// sends the browser back.
func (f *federated) visit(target string) *url.URL {
	f.t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	req, err := http.NewRequestWithContext(f.t.Context(), http.MethodGet, target, nil)
	require.NoError(f.t, err)
	res, err := client.Do(req)
	require.NoError(f.t, err)
	require.NoError(f.t, res.Body.Close())
	require.Equal(f.t, http.StatusFound, res.StatusCode)
	back, err := res.Location()
	require.NoError(f.t, err)
	f.secrets = append(f.secrets, back.Query().Get("code")+" ")
	return back
}

// crossSite is how a browser follows the provider's redirect.
func (b *browser) crossSite(target *url.URL) *httptest.ResponseRecorder {
	b.set = func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }
	defer func() { b.set = nil }()
	return b.send("auth", "GET", target.RequestURI(), "")
}

// signIn goes the whole way and returns where the browser ends up.
func (f *federated) signIn(b *browser, query string) string {
	f.t.Helper()
	start := b.send("auth", "GET", "/api/auth/oidc/corp/start"+query, "")
	require.Equal(f.t, 303, start.Code, start.Body.String())
	end := b.crossSite(f.visit(start.Header().Get("Location")))
	require.Equal(f.t, 303, end.Code, end.Body.String())
	assert.Equal(f.t, "no-referrer", end.Header().Get("Referrer-Policy"))
	return end.Header().Get("Location")
}

func (b *browser) role() string {
	res := b.send("auth", "GET", "/api/auth/me", "")
	if res.Code != 200 {
		return ""
	}
	return field(b.w.t, res, "user", "role")
}

// failure is the message that a browser is shown.
func failure(t *testing.T, location string) string {
	t.Helper()
	text, ok := strings.CutPrefix(location, "/sign-in#error=")
	require.True(t, ok, location)
	text, err := url.PathUnescape(text)
	require.NoError(t, err)
	return text
}

func TestAProviderSignsAUserIn(t *testing.T) {
	t.Parallel()
	f := openFederated(t)
	b := f.browser()
	ways := b.send("auth", "GET", "/api/auth/providers", "")
	assert.JSONEq(t, `{"providers":[{"name":"corp","label":"Corp"}],"mail":false,"set_up":true}`, ways.Body.String())
	f.op.SignsIn(person("1", "Member@example.com", true), nil)
	assert.Equal(t, "/usage?x=1", f.signIn(b, "?return_to=%2Fusage%3Fx%3D1"))
	assert.Equal(t, "member", b.role(), "the verified address is that of a user")
	asked := f.op.Asked[0]
	assert.Equal(t, "S256", asked.Get("code_challenge_method"))
	assert.Equal(t, "openid email profile", asked.Get("scope"))

	f.op.SignsIn(person("1", "renamed@elsewhere.example", false), nil)
	c := f.browser()
	f.signIn(c, "")
	assert.Equal(t, "member", c.role(), "from then on the subject counts, not the address")
	list := c.send("auth", "GET", "/api/auth/identities", "")
	assert.Contains(t, list.Body.String(), `"provider":"corp"`)
	var acts []string
	require.NoError(t, f.app.Store.Tx(t.Context(), readAudit("oidc/corp", &acts)))
	assert.Equal(t, []string{"identity.link"}, acts)

	_, err := f.app.Desk.SetDisabled(t.Context(), "test", "member@example.com", true)
	require.NoError(t, err)
	assert.Contains(t, failure(t, f.signIn(f.browser(), "")), "disabled")
}

func TestStrangersStayOutUnlessTheHubProvides(t *testing.T) {
	t.Parallel()
	f := openFederated(t)
	for name, p := range map[string]map[string]any{
		"a stranger":                           person("2", "stranger@example.com", true),
		"a user's address that nobody checked": person("3", "owner@example.com", false),
		"no address":                           person("4", "", true),
	} {
		f.op.SignsIn(p, nil)
		b := f.browser()
		assert.Contains(t, failure(t, f.signIn(b, "")), "Ask an administrator for an invitation", name)
		assert.Empty(t, b.role(), name)
	}
	open := openFederated(t, "AIGNE_HUB_OIDC_PROVISION=on", "AIGNE_HUB_OIDC_ALLOWED_DOMAINS=corp.example, Sub.Corp.example", "AIGNE_HUB_WELCOME_CREDITS=5")
	for address, in := range map[string]bool{"a@corp.example": true, "b@SUB.corp.example": true, "c@evil.example": false, "d@corp.example.evil.example": false, "e@notcorp.example": false} {
		open.op.SignsIn(person(address, address, true), nil)
		b := open.browser()
		open.signIn(b, "")
		assert.Equal(t, map[bool]string{true: "member"}[in], b.role(), address)
	}
	u, err := open.app.Store.UserByEmail(t.Context(), "a@corp.example")
	require.NoError(t, err)
	assert.Equal(t, "Pat a@corp.example", u.Name)
	account, err := open.app.Store.AccountByID(t.Context(), u.AccountID)
	require.NoError(t, err)
	assert.EqualValues(t, 5_000_000_000, account.Balance, "a new user has the welcome gift")
	open.op.SignsIn(person("x", "x@corp.example", false), nil)
	b := open.browser()
	open.signIn(b, "")
	assert.Empty(t, b.role(), "an address that nobody checked is of no domain")
}

func TestGroupsDecideTheRoleAtEachSignIn(t *testing.T) {
	t.Parallel()
	f := openFederated(t, "AIGNE_HUB_OIDC_PROVISION=on", "AIGNE_HUB_OIDC_ROLE_MAP=bosses=owner,admins=admin,staff=member", "AIGNE_HUB_OIDC_GROUPS_CLAIM=roles")
	as := func(sub, email string, groups ...string) string {
		p := person(sub, email, true)
		delete(p, "email") // only the user info says these
		f.op.SignsIn(p, map[string]any{"email": email, "email_verified": "true", "roles": groups})
		b := f.browser()
		f.signIn(b, "")
		return b.role()
	}
	assert.Equal(t, "member", as("1", "new@example.com", "staff", "other"))
	assert.Equal(t, "admin", as("1", "new@example.com", "staff", "admins"))
	assert.Empty(t, as("1", "new@example.com", "other"), "whose groups give no role stays out")
	assert.Equal(t, "member", as("1", "new@example.com", "staff"), "a role is taken back too")
	assert.Equal(t, "owner", as("2", "owner@example.com", "staff"), "but never the last owner's")
	assert.Equal(t, "owner", as("1", "new@example.com", "bosses"))
	assert.Equal(t, "member", as("2", "owner@example.com", "staff"), "now there is another")
}

func TestAnInvitationIsAcceptedByAProvider(t *testing.T) {
	t.Parallel()
	f := openFederated(t)
	_, err := f.app.Desk.Invite(t.Context(), "test", "pat@example.com", hub.RoleAdmin, []string{"team"}, "")
	require.NoError(t, err)
	f.op.SignsIn(person("7", "pat@example.com", true), nil)
	b := f.browser()
	f.signIn(b, "")
	assert.Equal(t, "admin", b.role(), "by the address alone, when it is verified")

	n, err := f.app.Desk.Invite(t.Context(), "test", "sam@example.com", hub.RoleMember, nil, "")
	require.NoError(t, err)
	token := f.token(n.Link.Reveal(), "invitation")
	f.op.SignsIn(person("8", "sam@home.example", false), nil)
	c := f.browser()
	start := c.send("auth", "POST", "/api/auth/oidc/corp/start", `{"invitation":"`+token+`"}`)
	require.Equal(t, 200, start.Code, start.Body.String())
	assert.NotContains(t, start.Body.String(), token)
	c.crossSite(f.visit(field(t, start, "url")))
	assert.Equal(t, "member", c.role(), "by the link, whatever the address there")
	u, err := f.app.Store.UserByEmail(t.Context(), "sam@example.com")
	require.NoError(t, err)
	assert.Equal(t, hub.RoleMember, u.Role)
}

func TestASignedInUserAddsAProvider(t *testing.T) {
	t.Parallel()
	f := openFederated(t)
	f.withPassword("member")
	f.op.SignsIn(person("9", "me@home.example", false), nil)
	b := f.browser()
	const start, link = "/api/auth/oidc/corp/start", `{"link":true,"return_to":"/account"}`
	assert.Equal(t, 401, b.send("auth", "POST", start, link).Code)
	b.signIn("member")
	b.set = func(r *http.Request) {
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set("Origin", "https://evil.example")
	}
	assert.Equal(t, 403, b.send("auth", "POST", start, link).Code, "a page of another site cannot add its own")
	b.set = nil
	begun := b.send("auth", "POST", start, link)
	require.Equal(t, 200, begun.Code)
	assert.Equal(t, "/account", b.crossSite(f.visit(field(t, begun, "url"))).Header().Get("Location"))
	c := f.browser()
	f.signIn(c, "")
	assert.Equal(t, "member", c.role())

	again := b.send("auth", "POST", start, link)
	back := f.visit(field(t, again, "url"))
	b.send("auth", "POST", "/api/auth/logout", "")
	assert.Contains(t, failure(t, b.crossSite(back).Header().Get("Location")), "not signed in any more")

	d := f.browser()
	f.withPassword("other")
	d.signIn("other")
	theirs := d.send("auth", "POST", start, link)
	assert.Contains(t, failure(t, d.crossSite(f.visit(field(t, theirs, "url"))).Header().Get("Location")), "belongs to another user")

	var list struct {
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	require.NoError(t, json.Unmarshal(c.send("auth", "GET", "/api/auth/identities", "").Body.Bytes(), &list))
	require.Len(t, list.Data, 1)
	assert.Equal(t, 404, d.send("auth", "DELETE", "/api/auth/identities/"+list.Data[0].ID, "").Code, "somebody else's stays")
	assert.Equal(t, 204, c.send("auth", "DELETE", "/api/auth/identities/"+list.Data[0].ID, "").Code)
	assert.NotEqual(t, "/", f.signIn(f.browser(), ""), "it lets nobody in any more")
}

func TestAnAnswerIsGoodOnlyInTheBrowserThatAsked(t *testing.T) {
	t.Parallel()
	f := openFederated(t)
	f.op.SignsIn(person("1", "member@example.com", true), nil)
	begin := func(b *browser) *url.URL {
		start := b.send("auth", "GET", "/api/auth/oidc/corp/start", "")
		return f.visit(start.Header().Get("Location"))
	}
	attacker, victim := f.browser(), f.browser()
	back := begin(attacker)
	failure(t, victim.crossSite(back).Header().Get("Location"))
	assert.Empty(t, victim.role(), "another's answer signs nobody in")
	begin(victim)
	failure(t, victim.crossSite(back).Header().Get("Location"))
	assert.Empty(t, victim.role(), "not even in the middle of a sign-in")
	for name, change := range map[string]func(q url.Values){
		"no state":          func(q url.Values) { q.Del("state") },
		"another state":     func(q url.Values) { q.Set("state", strings.Repeat("x", 43)) },
		"another issuer":    func(q url.Values) { q.Set("iss", "https://evil.example") },
		"no code":           func(q url.Values) { q.Del("code") },
		"a made-up code":    func(q url.Values) { q.Set("code", "guess") },
		"the provider's no": func(q url.Values) { q.Set("error", "access_denied") },
	} {
		b := f.browser()
		u := begin(b)
		q := u.Query()
		change(q)
		u.RawQuery = q.Encode()
		failure(t, b.crossSite(u).Header().Get("Location"))
		assert.Empty(t, b.role(), name)
	}
	b := f.browser()
	once := begin(b)
	assert.Equal(t, "/", b.crossSite(once).Header().Get("Location"))
	b.send("auth", "POST", "/api/auth/logout", "")
	failure(t, b.crossSite(once).Header().Get("Location"))
	assert.Empty(t, b.role(), "an answer is used once")
	assert.Equal(t, 404, b.send("auth", "GET", "/api/auth/oidc/nobody/start", "").Code)
}

func TestAForgedTokenSignsNobodyIn(t *testing.T) {
	t.Parallel()
	f := openFederated(t, "AIGNE_HUB_OIDC_ROLE_MAP=*=admin")
	f.op.SignsIn(person("1", "member@example.com", true), nil)
	set := func(name string, value any) fakeoidc.Lie {
		return fakeoidc.Lie{Change: func(c map[string]any) { c[name] = value }}
	}
	past := time.Now().Add(-time.Hour).Unix()
	for name, lie := range map[string]fakeoidc.Lie{
		"another key":                {Forge: true},
		"no signature":               {Unsigned: true},
		"the client's secret as key": {Symmetric: true},
		"another issuer":             set("iss", "https://evil.example"),
		"another audience":           set("aud", "another"),
		"more audiences, no azp":     set("aud", []string{"hub", "another"}),
		"another party":              set("azp", "another"),
		"an old token":               set("exp", past),
		"no expiry":                  {Change: func(c map[string]any) { delete(c, "exp") }},
		"another nonce":              set("nonce", "guess"),
		"no nonce":                   {Change: func(c map[string]any) { delete(c, "nonce") }},
		"another access token":       set("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"),
		"no subject":                 set("sub", ""),
		"somebody else's user info":  {InfoSub: "2", Change: func(c map[string]any) { delete(c, "groups") }},
	} {
		f.op.Lies(lie)
		b := f.browser()
		assert.Contains(t, failure(t, f.signIn(b, "")), "did not work", name)
		assert.Empty(t, b.role(), name)
	}
	f.op.Lies(fakeoidc.Lie{})
	b := f.browser()
	f.signIn(b, "")
	assert.Equal(t, "admin", b.role())
}

func TestNobodyIsLedElsewhere(t *testing.T) {
	t.Parallel()
	f := openFederated(t)
	f.op.SignsIn(person("1", "member@example.com", true), nil)
	for _, to := range []string{"https://evil.example/", "//evil.example", `/\evil.example`, "/%0d%0aSet-Cookie:x=1", "javascript:alert(1)", "", "evil.example", "/\t/evil.example",
		"https:/evil.example", "/" + strings.Repeat("x", 2000)} {
		got := f.signIn(f.browser(), "?return_to="+url.QueryEscape(to))
		if to == "/%0d%0aSet-Cookie:x=1" {
			assert.Equal(t, to, got, "escaped, it is a path like any other")
			continue
		}
		assert.Equal(t, "/", got, to)
	}
}

func TestAProviderThatIsDownIsAskedOnceInAWhile(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	down := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		http.Error(w, "out of order", http.StatusBadGateway)
	}))
	t.Cleanup(down.Close)
	w := open(t, "AIGNE_HUB_PUBLIC_URL="+hubOrigin, "AIGNE_HUB_OIDC_ISSUER="+down.URL, "AIGNE_HUB_OIDC_NAME=corp", "AIGNE_HUB_OIDC_CLIENT_ID=hub")
	for range 5 {
		res := w.browser().send("auth", "GET", "/api/auth/oidc/corp/start", "")
		assert.Equal(t, 503, res.Code)
		assert.NotContains(t, res.Body.String(), "out of order", "the reason is for the log")
	}
	assert.EqualValues(t, 1, asked.Load())
}
