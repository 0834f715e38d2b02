package blocklet_test

import (
	"bytes"
	_ "embed" // what the public packages made
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/blocklet"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakepaymentkit"
)

// users.json is what shared/testkit/fakepaymentkit/users.mjs prints for 1800000000:
// made by ArcBlock's own packages with keys that protect nothing.
//
//go:embed testdata/users.json
var recordedUsers []byte

type signedText struct {
	Method    string            `json:"method"`
	URL       string            `json:"url"`
	Query     map[string]any    `json:"query"`
	Body      string            `json:"body"`
	PublicKey string            `json:"publicKey"`
	Headers   map[string]string `json:"headers"`
}

type made struct {
	Now    int64                     `json:"now"`
	Secret hub.Secret                `json:"secret"`
	App    struct{ DID, ASK string } `json:"app"`
	Server struct{ DID, PK string }  `json:"server"`
	Person string                    `json:"person"`
	Comp   string                    `json:"component"`
	Logins map[string]hub.Secret     `json:"logins"`
	Forged map[string]hub.Secret     `json:"forged"`
	Access struct {
		Key hub.Secret
		DID string
	} `json:"access"`
	Good   map[string]hub.Secret `json:"senders"`
	Bad    map[string]hub.Secret `json:"badSenders"`
	Calls  []signedText          `json:"calls"`
	Remote map[string]signedText `json:"remote"`
	Curve  signedText            `json:"curve"`
}

// recorded reads what the packages made, and the environment that it is for.
func recorded(t *testing.T) (made, *blocklet.Environment, time.Time) {
	t.Helper()
	var m made
	require.NoError(t, json.Unmarshal(recordedUsers, &m))
	vars := map[string]string{"BLOCKLET_APP_ASK": m.App.ASK, "BLOCKLET_APP_ID": m.App.DID, "BLOCKLET_APP_PID": m.App.DID, "BLOCKLET_COMPONENT_DID": m.Comp,
		"BLOCKLET_SESSION_SECRET": m.Secret.Reveal(), "ABT_NODE_PK": m.Server.PK, "BLOCKLET_APP_URL": "https://app.example"}
	env, ok, err := blocklet.ReadEnvironment(func(n string) (string, bool) { v, ok := vars[n]; return v, ok })
	require.NoError(t, err)
	require.True(t, ok)
	return m, env, time.Unix(m.Now, 0)
}

func TestThePublicPackagesStillMakeWhatIsRecorded(t *testing.T) {
	t.Parallel()
	m, _, now := recorded(t)
	assert.JSONEq(t, string(recordedUsers), string(fakepaymentkit.RunUsers(t, now)))
	assert.Len(t, m.Logins, 5)
	assert.Len(t, m.Forged, 17)
}

func TestALoginTokenOfTheServerSaysWhoItIs(t *testing.T) {
	t.Parallel()
	m, env, now := recorded(t)
	require.True(t, env.HasUsers())
	for role, token := range m.Logins {
		if role == "custom" {
			role = "editor"
		}
		for at, when := range map[string]time.Time{"at once": now, "with a clock that is behind": now.Add(-50 * time.Second), "a day later": now.Add(86399 * time.Second)} {
			l, err := env.VerifyLogin(token, when)
			require.NoError(t, err, at)
			assert.Equal(t, blocklet.Login{DID: m.Person, Role: role, Name: "Ada 张", EmailVerified: true, IssuedAt: now.UTC(), ExpiresAt: now.Add(86400 * time.Second).UTC()}, l)
		}
		for at, when := range map[string]time.Time{"after its end": now.Add(86400 * time.Second), "before its time": now.Add(-61 * time.Second)} {
			_, err := env.VerifyLogin(token, when)
			require.ErrorIs(t, err, blocklet.ErrToken, at)
		}
	}
}

func TestAForgedLoginTokenSaysNothing(t *testing.T) {
	t.Parallel()
	m, env, now := recorded(t)
	for name, token := range m.Forged {
		_, err := env.VerifyLogin(token, now)
		require.ErrorIs(t, err, blocklet.ErrToken, name)
	}
	good := m.Logins["member"].Reveal()
	parts := strings.Split(good, ".")
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	require.NoError(t, err)
	raised := base64.RawURLEncoding.EncodeToString(bytes.Replace(claims, []byte(`"role":"member"`), []byte(`"role":"owner"`), 1))
	owners := strings.Split(m.Logins["owner"].Reveal(), ".")
	head := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	for name, token := range map[string]string{
		"nothing": "", "two parts": parts[0] + "." + parts[1], "four parts": good + ".x", "no signature": parts[0] + "." + parts[1] + ".",
		"a tampered role":              parts[0] + "." + raised + "." + parts[2],
		"another token's claims":       parts[0] + "." + owners[1] + "." + parts[2],
		"another token's signature":    parts[0] + "." + parts[1] + "." + owners[2],
		"RS256 in the head":            head(`{"alg":"RS256","typ":"JWT"}`) + "." + parts[1] + "." + parts[2],
		"a padded signature":           good + "=",
		"a signature with a line end":  good + "\n",
		"a signature of other bits":    good[:len(good)-1] + "J",
		"a part that is no base64":     parts[0] + ".!." + parts[2],
		"a token that is far too long": parts[0] + "." + strings.Repeat("A", 10_000) + "." + parts[2],
	} {
		_, err := env.VerifyLogin(hub.Secret(token), now)
		require.ErrorIs(t, err, blocklet.ErrToken, name)
	}
	bare, ok, err := blocklet.ReadEnvironment(func(n string) (string, bool) {
		return map[string]string{"BLOCKLET_APP_ASK": m.App.ASK, "BLOCKLET_COMPONENT_DID": m.Comp}[n], true
	})
	require.NoError(t, err)
	require.True(t, ok)
	assert.False(t, bare.HasUsers())
	_, err = bare.VerifyLogin(hub.Secret(good), now)
	require.ErrorIs(t, err, blocklet.ErrToken, "no secret is not an empty secret")
}

func TestTheServersOwnProofIsKnownFromOthers(t *testing.T) {
	t.Parallel()
	m, env, now := recorded(t)
	for name, token := range m.Good {
		require.NoError(t, env.VerifySender(token, now), name)
		require.NoError(t, env.VerifySender(token, now.Add(10*time.Minute)), name)
		require.ErrorIs(t, env.VerifySender(token, now.Add(time.Hour)), blocklet.ErrSender, name)
		parts := strings.Split(token.Reveal(), ".")
		require.ErrorIs(t, env.VerifySender(hub.Secret(parts[0]+"."+parts[1]+"."), now), blocklet.ErrSender)
		require.ErrorIs(t, env.VerifySender(hub.Secret(parts[0]+"."+parts[1][:len(parts[1])-4]+"."+parts[2]), now), blocklet.ErrSender)
	}
	for name, token := range m.Bad {
		require.ErrorIs(t, env.VerifySender(token, now), blocklet.ErrSender, name)
	}
	for name, token := range m.Logins {
		require.ErrorIs(t, env.VerifySender(token, now), blocklet.ErrSender, name)
	}
}

func TestAnAccessKeyIsKnownByItsDID(t *testing.T) {
	t.Parallel()
	m, _, _ := recorded(t)
	id, ok := blocklet.AccessKeyID(m.Access.Key)
	require.True(t, ok)
	assert.Equal(t, m.Access.DID, id)
	text := m.Access.Key.Reveal()
	for _, bad := range []string{"", "blocklet-", "blocklet-z", text[:len(text)-4], text + "1111", strings.Replace(text, "-z", "-y", 1), "blocklet-z" + strings.Repeat("z", 60), text[:15] + "0" + text[16:]} {
		_, ok := blocklet.AccessKeyID(hub.Secret(bad))
		assert.False(t, ok, bad)
	}
}

// arrived is a signed request as the hub gets it.
func (s signedText) arrived(t *testing.T) *http.Request {
	t.Helper()
	target := s.URL
	if len(s.Query) > 0 {
		u, err := url.Parse(target)
		require.NoError(t, err)
		more := u.Query()
		for k, v := range s.Query {
			b, err := json.Marshal(v)
			require.NoError(t, err)
			more.Set(k, strings.Trim(string(b), `"`))
		}
		u.RawQuery = more.Encode()
		target = u.String()
	}
	r := httptest.NewRequest(s.Method, target, strings.NewReader(s.Body))
	for k, v := range s.Headers {
		r.Header.Set(k, v)
	}
	return r
}

func TestAComponentsCallIsTakenAsItWasSigned(t *testing.T) {
	t.Parallel()
	m, env, now := recorded(t)
	require.Len(t, m.Calls, 2)
	for _, c := range m.Calls {
		require.True(t, blocklet.SignedByComponent(c.arrived(t)))
		for at, when := range map[string]time.Time{"at once": now, "just in time": now.Add(5 * time.Minute), "a clock behind": now.Add(-time.Minute)} {
			call, err := env.Key.VerifyCall(c.arrived(t), []byte(c.Body), when)
			require.NoError(t, err, at)
			assert.Equal(t, m.Comp, call.DID)
			assert.Equal(t, now.Add(5*time.Minute+time.Second).Unix(), call.ExpiresAt.Unix())
		}
		for at, when := range map[string]time.Time{"too late": now.Add(301 * time.Second), "too early": now.Add(-61 * time.Second)} {
			_, err := env.Key.VerifyCall(c.arrived(t), []byte(c.Body), when)
			require.ErrorIs(t, err, blocklet.ErrSignature, at)
		}
		for what, change := range map[string]func(r *http.Request){
			"another path":        func(r *http.Request) { r.URL.Path += "x" },
			"another method":      func(r *http.Request) { r.Method = http.MethodPut },
			"another query":       func(r *http.Request) { r.URL.RawQuery = "a=b" },
			"another end":         func(r *http.Request) { r.Header.Set("X-Component-Sig-Exp", "1800000299") },
			"another start":       func(r *http.Request) { r.Header.Set("X-Component-Sig-Iat", "1799999999") },
			"no component":        func(r *http.Request) { r.Header.Del("X-Component-Did") },
			"another's signature": func(r *http.Request) { r.Header.Set("X-Component-Sig", m.Remote["plain"].Headers["x-component-sig"]) },
		} {
			r := c.arrived(t)
			change(r)
			_, err := env.Key.VerifyCall(r, []byte(c.Body), now)
			require.ErrorIs(t, err, blocklet.ErrSignature, what)
		}
		_, err := env.Key.VerifyCall(c.arrived(t), []byte(`{"another":"body"}`), now)
		require.ErrorIs(t, err, blocklet.ErrSignature)
	}
}

func TestNobodySignsACallForLonger(t *testing.T) {
	t.Parallel()
	_, env, now := recorded(t)
	r := httptest.NewRequest(http.MethodGet, "/api/x", http.NoBody)
	require.NoError(t, env.Key.Sign(r, nil, "zDID", now))
	late := r.Clone(t.Context())
	late.Header.Set("X-Component-Sig-Iat", "1")
	_, err := env.Key.VerifyCall(late, nil, now)
	require.ErrorIs(t, err, blocklet.ErrSignature)
}

func TestARemoteApplicationsCallIsTakenAsItWasSigned(t *testing.T) {
	t.Parallel()
	m, _, now := recorded(t)
	require.Len(t, m.Remote, 3)
	key := func(s signedText) []byte {
		raw, err := hex.DecodeString(strings.TrimPrefix(s.PublicKey, "0x"))
		require.NoError(t, err)
		return raw
	}
	for name, s := range m.Remote {
		s.Method, s.URL = http.MethodPost, "/api/v1/chat/completions"
		_, err := blocklet.VerifyRemote(key(s), s.arrived(t), []byte(s.Body), now.Add(9*time.Minute))
		require.NoError(t, err, name)
		_, err = blocklet.VerifyRemote(key(s), s.arrived(t), []byte(s.Body), now.Add(11*time.Minute))
		require.ErrorIs(t, err, blocklet.ErrRemote, name)
		_, err = blocklet.VerifyRemote(key(s), s.arrived(t), []byte(strings.Replace(s.Body, "Hi", "Ho", 1)), now)
		require.ErrorIs(t, err, blocklet.ErrRemote, name)
		r := s.arrived(t)
		r.Header.Set("X-App-User-Did", "zSomebodyElse")
		_, err = blocklet.VerifyRemote(key(s), r, []byte(s.Body), now)
		require.ErrorIs(t, err, blocklet.ErrRemote, "%s: nobody speaks for another user", name)
		r = s.arrived(t)
		r.Header.Set("X-App-Id", m.App.DID)
		_, err = blocklet.VerifyRemote(key(s), r, []byte(s.Body), now)
		require.ErrorIs(t, err, blocklet.ErrRemote, "%s: a DID that is another key's", name)
	}
	c := m.Curve
	c.Method, c.URL = http.MethodPost, "/api/v1/chat/completions"
	_, err := blocklet.VerifyRemote(key(c), c.arrived(t), []byte(c.Body), now)
	require.ErrorIs(t, err, blocklet.ErrRemote, "keys of another curve are not taken, as AI Kit takes none")
}

func TestArcBlocksOwnServerTellsWhatHappensToUsers(t *testing.T) {
	t.Parallel()
	const serverKey = "0x0202020202020202020202020202020202020202020202020202020202020202" + "8139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b394"
	m, _, _ := recorded(t)
	port := fakepaymentkit.StartChannel(t, serverKey, m.App.DID, m.Comp, "channel key", m.Person)
	heard := listen(t, m, port, "channel key")
	assert.Equal(t, "joined", <-heard)
	assert.Equal(t, "refused", <-heard, "an event that the server did not sign")
	assert.Equal(t, "user.permission.updated "+m.Person, <-heard, "what is not about users is not heard")

	heard = listen(t, m, port, "another key")
	assert.Contains(t, <-heard, "into its channel")
}

// listen listens to a channel until the test ends; what is heard, and the end, come
// as text.
func listen(t *testing.T, m made, port, apiKey string) <-chan string {
	t.Helper()
	vars := map[string]string{"BLOCKLET_APP_ASK": m.App.ASK, "BLOCKLET_APP_ID": m.App.DID, "BLOCKLET_APP_PID": m.App.DID, "BLOCKLET_COMPONENT_DID": m.Comp,
		"ABT_NODE_PK": m.Server.PK, "ABT_NODE_SERVICE_PORT": port, "BLOCKLET_COMPONENT_API_KEY": apiKey}
	env, _, err := blocklet.ReadEnvironment(func(n string) (string, bool) { v, ok := vars[n]; return v, ok })
	require.NoError(t, err)
	require.True(t, env.CanListen())
	heard := make(chan string, 10)
	l := &blocklet.Listener{Env: env, Now: time.Now, Joined: func() { heard <- "joined" }, Refused: func() { heard <- "refused" },
		User: func(e blocklet.UserEvent) { heard <- e.Kind + " " + e.DID }}
	go func() { heard <- l.Run(t.Context()).Error() }()
	return heard
}
