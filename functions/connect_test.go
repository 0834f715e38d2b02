package functions_test

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/testkit/connectcli"
)

// session takes the id of a waiting command line out of the page that it opens.
func (b *browser) session(page string) string {
	b.w.t.Helper()
	u, err := url.Parse(page)
	require.NoError(b.w.t, err)
	res := b.send("auth", "GET", u.RequestURI(), "")
	require.Equal(b.w.t, 303, res.Code, res.Body.String())
	where, id, _ := strings.Cut(res.Header().Get("Location"), "#session=")
	assert.Equal(b.w.t, hubOrigin+"/oauth/connect", where)
	id, err = url.QueryUnescape(id)
	require.NoError(b.w.t, err)
	b.w.secrets = append(b.w.secrets, id)
	return id
}

func TestTheAIGNECommandLineIsHandedAKey(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_PUBLIC_URL="+hubOrigin)
	w.withPassword("member")
	server := httptest.NewServer(w.fn["auth"])
	defer server.Close()
	next := connectcli.Connect(t, server.URL)
	b := w.browser()
	id := b.session(next().Page)
	assert.Equal(t, 200, b.send("auth", "GET", "/oauth/connect", "").Code)
	assert.Equal(t, 401, b.send("auth", "POST", "/oauth/connect/read", `{"session":"`+id+`"}`).Code)
	b.signIn("member")
	asked := b.send("auth", "POST", "/oauth/connect/read", `{"session":"`+id+`"}`)
	require.Equal(t, 200, asked.Code, asked.Body.String())
	assert.Contains(t, asked.Body.String(), `"name":"AIGNE CLI"`)
	assert.Contains(t, asked.Body.String(), `"scopes":["inference","usage","billing"],"user":"member@example.com","address":"127.0.0.1"`)
	require.Equal(t, 204, b.send("auth", "POST", "/oauth/connect", `{"session":"`+id+`","allow":true,"days":90,"budget_month":"20"}`).Code)
	// Once: afterwards it is answered, or the command line has taken its key already.
	assert.Contains(t, []int{404, 409}, b.send("auth", "POST", "/oauth/connect", `{"session":"`+id+`","allow":true}`).Code)

	said := next()
	require.Empty(t, said.Fault)
	w.secrets = append(w.secrets, said.Key)
	c, err := w.app.Keys.Caller(t.Context(), hub.Secret(said.Key))
	require.NoError(t, err)
	assert.Equal(t, []string{"member@example.com", said.ID, "AIGNE CLI"}, []string{c.Email, c.KeyID, c.KeyName})
	assert.Contains(t, w.do("auth", "member", "GET", "/api/auth/keys/"+said.ID, "").Body.String(), `"metric":"credits","period":"month","amount":"20"`)
	assert.Equal(t, 404, w.do("auth", "", "GET", connectSession+"?sid="+id, "").Code, "it took the key with it")
	assert.Contains(t, b.send("auth", "GET", "/api/auth/connections", "").Body.String(), `"client_id":"","name":"AIGNE CLI","key_id":"`+said.ID+`"`)
}

func TestACommandLineLearnsThatItsUserSaidNo(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_PUBLIC_URL="+hubOrigin)
	w.withPassword("member")
	server := httptest.NewServer(w.fn["auth"])
	defer server.Close()
	next := connectcli.Connect(t, server.URL)
	b := w.browser()
	id := b.session(next().Page)
	b.signIn("member")
	require.Equal(t, 204, b.send("auth", "POST", "/oauth/connect", `{"session":"`+id+`","allow":false}`).Code)
	assert.Contains(t, next().Fault, "403", "it stops to wait")
	assert.JSONEq(t, `{"data":[],"next_cursor":null}`, b.send("auth", "GET", "/api/auth/connections", "").Body.String())
}

func TestAWaitingCommandLineTellsStrangersNothing(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_PUBLIC_URL="+hubOrigin)
	w.withPassword("member")
	res := w.do("auth", "", "POST", connectSession, "")
	require.Equal(t, 200, res.Code)
	id := field(t, res, "id")
	w.secrets = append(w.secrets, id)
	assert.Equal(t, "no-store", res.Header().Get("Cache-Control"))
	assert.Equal(t, 200, w.do("auth", "", "GET", connectSession+"?sid="+id, "").Code)
	for _, wrong := range []string{"", "x", id + "x"} {
		assert.Equal(t, 404, w.do("auth", "", "GET", connectSession+"?sid="+wrong, "").Code)
		assert.Equal(t, 404, w.do("auth", "", "DELETE", connectSession+"?sid="+wrong, "").Code)
	}
	for _, wrong := range []string{"", "%%", "a b", strings.Repeat("A", 500)} {
		assert.Equal(t, 400, w.do("auth", "", "GET", "/.well-known/service/gen-simple-access-key?__token__="+url.QueryEscape(wrong), "").Code)
	}
	evil := w.do("auth", "", "GET", "/.well-known/service/gen-simple-access-key?__token__="+base64.RawURLEncoding.EncodeToString([]byte("https://evil.example/"))+"&appName=x", "")
	assert.Equal(t, hubOrigin+"/oauth/connect#session="+url.QueryEscape("https://evil.example/"), evil.Header().Get("Location"), "it stays on the hub")

	b := w.browser()
	b.signIn("member")
	require.Equal(t, 204, b.send("auth", "POST", "/oauth/connect", `{"session":"`+id+`","allow":true}`).Code)
	got := w.do("auth", "", "GET", connectSession+"?sid="+id, "")
	assert.NotContains(t, got.Body.String(), "sk-hub-", "the key is encrypted on its way")
	sealed, err := base64.StdEncoding.DecodeString(field(t, got, "accessKeySecret"))
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(string(sealed), "Salted__"))
	w.exec("UPDATE connect_sessions SET expires_at = 1")
	assert.Equal(t, 404, w.do("auth", "", "GET", connectSession+"?sid="+id, "").Code, "what is not taken goes")
	status := 0
	for range 40 {
		if status = w.do("auth", "", http.MethodPost, connectSession, "").Code; status != 200 {
			break
		}
	}
	assert.Equal(t, 429, status, "nobody fills the table")
}
