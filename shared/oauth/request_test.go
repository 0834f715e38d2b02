package oauth

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func TestAnAnswerKeepsTheQueryOfItsAddress(t *testing.T) {
	t.Parallel()
	for redirect, want := range map[string]string{
		"https://a.example/cb":     "https://a.example/cb?code=c&iss=https%3A%2F%2Fhub.example&state=a+b%26c",
		"https://a.example/cb?x=1": "https://a.example/cb?x=1&code=c&iss=https%3A%2F%2Fhub.example&state=a+b%26c",
		"com.example.app:/cb":      "com.example.app:/cb?code=c&iss=https%3A%2F%2Fhub.example&state=a+b%26c",
	} {
		r := Request{Redirect: redirect, State: "a b&c"}
		assert.Equal(t, want, r.Answer("https://hub.example", url.Values{"code": {"c"}}))
	}
	r := Request{Redirect: "https://a.example/cb"}
	assert.Equal(t, "https://a.example/cb?error=server_error&error_description=The+hub+met+an+internal+error.+The+request+id+names+it+in+the+log.&iss=i",
		r.Refusal("i", errors.New("a secret inside")), "nothing of the inside is told")
}

func TestErrorsAreInOAuthsWords(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]*hub.Error{
		`{"error":"invalid_grant","error_description":"It is 'bad' ."}`:   fault("invalid_grant", "It is \"bad\" \\é\n."),
		`{"error":"temporarily_unavailable","error_description":"down"}`:  hub.Errorf(hub.CodeUnavailable, "down"),
		`{"error":"temporarily_unavailable","error_description":"later"}`: hub.Errorf(hub.CodeRateLimited, "later"),
		`{"error":"invalid_request","error_description":"too large"}`:     hub.Errorf(hub.CodeTooLarge, "too large"),
		`{"error":"access_denied","error_description":"no"}`:              hub.Errorf(hub.CodeForbidden, "no"),
		`{"error":"invalid_client","error_description":"who"}`:            fault("invalid_client", "who"),
		`{"error":"server_error","error_description":"odd"}`:              hub.Errorf(hub.CodeInternal, "odd"),
	} {
		assert.JSONEq(t, want, string(ErrorBody(err, "")))
	}
}

func TestAClientShowsWhoItIsInOneWay(t *testing.T) {
	t.Parallel()
	read := func(authorization string, values url.Values) (Form, error) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
		if authorization != "" {
			r.Header.Set("Authorization", authorization)
		}
		return ReadForm(r, values)
	}
	basic := func(s string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(s)) }
	f, err := read(basic("a%3Ab:c%25d"), url.Values{})
	require.NoError(t, err)
	assert.Equal(t, []string{"a:b", "c%d"}, []string{f.client, f.secret.Reveal()}, "RFC 6749, section 2.3.1: both are encoded as in forms")
	_, err = read("", url.Values{"resource": {"a", "b"}})
	require.NoError(t, err)
	for name, bad := range map[string]func() (Form, error){
		"twice":    func() (Form, error) { return read("", url.Values{"code": {"a", "b"}}) },
		"a key":    func() (Form, error) { return read("Bearer sk-hub-x", url.Values{}) },
		"no Basic": func() (Form, error) { return read("Basic ???", url.Values{}) },
		"encoded":  func() (Form, error) { return read(basic("a%zz:b"), url.Values{}) },
	} {
		_, err := bad()
		assert.Error(t, err, name)
	}
}

func TestScopesAreThoseThatTheClientMayAskFor(t *testing.T) {
	t.Parallel()
	c := store.OAuthClient{Scopes: []hub.Scope{hub.ScopeInference, hub.ScopeUsage, hub.ScopeAdmin}}
	for text, want := range map[string]string{"": "inference usage", "usage": "usage", " usage  usage inference ": "usage inference", "admin": "admin", "billing": "!", "usage openid": "!"} {
		got, err := scopes(c, text)
		if want == "!" {
			assert.Error(t, err, text)
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, want, words(got), "%q", text)
	}
	_, err := scopes(store.OAuthClient{Scopes: []hub.Scope{hub.ScopeAdmin}}, "")
	require.Error(t, err, "admin has to be named")
}

func TestCodesAreReadHoweverTheyAreTyped(t *testing.T) {
	t.Parallel()
	for range 50 {
		code := userCode()
		assert.Regexp(t, `^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$`, code)
		want := userCodeHash(code)
		assert.Equal(t, want, userCodeHash(strings.ToLower(code)))
		assert.Equal(t, want, userCodeHash(" "+strings.ReplaceAll(code, "-", " ")+"\n"))
		assert.NotEqual(t, want, userCodeHash(code[:8]))
	}
}

func TestOnlyHalfOfARefreshTokenStays(t *testing.T) {
	t.Parallel()
	const a, b, c = hub.Secret("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), hub.Secret("bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"), hub.Secret("ccccccccccccccccccccccccccccccccccccccccccc")
	family, turn, ok := halves(refreshToken(a, b))
	require.True(t, ok)
	family2, turn2, ok := halves(refreshToken(a, c))
	require.True(t, ok)
	assert.Equal(t, family, family2)
	assert.NotEqual(t, turn, turn2)
	for _, bad := range []string{"", "rt-hub-", refreshToken(a, b) + "x", refreshToken(a, b)[1:], "sk-hub-" + a.Reveal() + b.Reveal()} {
		_, _, ok := halves(bad)
		assert.False(t, ok, bad)
	}
}

func TestAKeyIsReadByWhoeverHasTheSessionAlone(t *testing.T) {
	t.Parallel()
	const id, key = hub.Secret("session-id"), hub.Secret("sk-hub-abcdefghijklmnopqrstuvwxyz")
	sealed, err := encrypt(key, "key-id", challenge(id))
	require.NoError(t, err)
	open := func(challenge, keyID string) string {
		raw, err := base64.StdEncoding.DecodeString(sealed)
		require.NoError(t, err)
		require.Equal(t, "Salted__", string(raw[:8]))
		pass, err := pbkdf2.Key(sha512.New, challenge, []byte(keyID), 256, 32)
		require.NoError(t, err)
		k, iv := bytesToKey([]byte(hex.EncodeToString(pass)), raw[8:16])
		block, err := aes.NewCipher(k)
		require.NoError(t, err)
		text := append([]byte{}, raw[16:]...)
		cipher.NewCBCDecrypter(block, iv).CryptBlocks(text, text)
		return string(text)
	}
	assert.True(t, strings.HasPrefix(open(challenge(id), "key-id"), key.Reveal()))
	assert.False(t, strings.HasPrefix(open(challenge("another"), "key-id"), "sk-hub-"))
	assert.False(t, strings.HasPrefix(open(challenge(id), "another"), "sk-hub-"))
	again, err := encrypt(key, "key-id", challenge(id))
	require.NoError(t, err)
	assert.NotEqual(t, sealed, again, "salted")
}

func TestTermsEndWhenTheUserSaid(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	never := terms{At: at}
	assert.Nil(t, never.ends())
	month := terms{At: at, Decision: Decision{Days: 30}}
	assert.Equal(t, at.AddDate(0, 0, 30), *month.ends())
	s := &Server{Now: func() time.Time { return at }}
	assert.Equal(t, at.Add(time.Hour), s.end(nil, time.Hour))
	assert.Equal(t, at.Add(time.Hour), s.end(month.ends(), time.Hour))
	assert.Equal(t, *month.ends(), s.end(month.ends(), 90*24*time.Hour), "no token outlives what was agreed to")
	for _, d := range []Decision{{Days: -1}, {Days: 4000}, {BudgetDay: "x"}, {BudgetMonth: "-1"}, {RPM: new(int64(-1))}} {
		assert.Error(t, d.check())
	}
	assert.True(t, (&Decision{RPM: new(int64(1))}).limited())
	assert.False(t, (&Decision{Allow: true}).limited())
}
