package upstream

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/provider"
	"github.com/aigne-hub/aigne-hub/shared/routing"
)

var accountKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// serviceAccount is a JSON key whose tokens come from tokenURI.
func serviceAccount(t *testing.T, tokenURI string) hub.Secret {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(accountKey())
	require.NoError(t, err)
	b, err := json.Marshal(map[string]string{"type": "service_account", "project_id": "boat-1", "private_key_id": "kid-1",
		"private_key":  string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		"client_email": "hub@boat-1.example", "token_uri": tokenURI})
	require.NoError(t, err)
	return hub.Secret(b)
}

// bank is a token endpoint.
type bank struct {
	*httptest.Server
	asked  atomic.Int64
	answer atomic.Pointer[http.HandlerFunc]
	last   atomic.Value // the assertion
}

func openBank(t *testing.T) *bank {
	t.Helper()
	b := &bank{}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := b.asked.Add(1)
		b.last.Store(r.FormValue("assertion"))
		if h := b.answer.Load(); h != nil {
			(*h)(w, r)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"access_token": "ya29.token-" + string(rune('a'+n-1)), "expires_in": 3600, "token_type": "Bearer"})
	}))
	t.Cleanup(b.Close)
	return b
}

func (b *bank) says(status int, body string) {
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	})
	b.answer.Store(&h)
}

func vertexAt(base string) *routing.Provider {
	kind, _ := provider.Find(provider.Vertex)
	return &routing.Provider{Name: "v", Kind: kind, BaseURL: base + "/v1/projects/{project}/locations/global"}
}

func TestAServiceAccountIsExchangedForATokenThatIsKept(t *testing.T) {
	t.Parallel()
	b, now := openBank(t), time.Unix(1_800_000_000, 0)
	secret, p := serviceAccount(t, b.URL+"/token"), vertexAt(b.URL)
	c := New(settings(), func() time.Time { return now })
	ask := func() string {
		r, err := http.NewRequest(http.MethodPost, "https://h.example/?key=callers", nil)
		require.NoError(t, err)
		r.Header.Set("X-Goog-Api-Key", "callers")
		require.NoError(t, c.Authorize(t.Context(), p, r, nil, secret))
		assert.Empty(t, r.Header.Get("X-Goog-Api-Key"))
		assert.Empty(t, r.URL.RawQuery)
		return r.Header.Get("Authorization")
	}
	assert.Equal(t, "Bearer ya29.token-a", ask())
	now = now.Add(58 * time.Minute)
	assert.Equal(t, "Bearer ya29.token-a", ask())
	now = now.Add(90 * time.Second) // within a minute of its end
	assert.Equal(t, "Bearer ya29.token-b", ask())
	c.tokens.forget(secret)
	assert.Equal(t, "Bearer ya29.token-c", ask(), "one that was refused is not used again")
	base, err := BaseURL(p, secret)
	require.NoError(t, err)
	assert.Equal(t, b.URL+"/v1/projects/boat-1/locations/global", base)

	parts := strings.Split(b.last.Load().(string), ".")
	require.Len(t, parts, 3)
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	require.NoError(t, err)
	require.NoError(t, rsa.VerifyPKCS1v15(&accountKey().PublicKey, crypto.SHA256, sum[:], signature))
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	require.NoError(t, err)
	var got map[string]any
	require.NoError(t, json.Unmarshal(claims, &got))
	assert.Equal(t, map[string]any{"iss": "hub@boat-1.example", "scope": tokenScope, "aud": b.URL + "/token",
		"iat": float64(now.Unix()), "exp": float64(now.Add(time.Hour).Unix())}, got)
}

func TestManyCallsAskForOneToken(t *testing.T) {
	t.Parallel()
	b := openBank(t)
	secret, p := serviceAccount(t, b.URL+"/token"), vertexAt(b.URL)
	c := New(settings(), time.Now)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			token, err := c.tokens.token(t.Context(), p, secret)
			assert.NoError(t, err)
			assert.Equal(t, "ya29.token-a", token)
		})
	}
	wg.Wait()
	assert.Equal(t, int64(1), b.asked.Load())
}

func TestATokenEndpointsFailureHasItsClassAndNoSecret(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		status int
		body   string
		class  hub.Class
	}{
		"the account is deleted": {400, `{"error":"invalid_grant","error_description":"hunter2"}`, hub.ClassCredential},
		"the key is revoked":     {401, `{"error":"invalid_client"}`, hub.ClassCredential},
		"too many":               {429, `{}`, hub.ClassRateLimit},
		"down":                   {503, `<html>hunter2`, hub.ClassRetry},
		"no token":               {200, `{"hunter2":1}`, hub.ClassRetry},
		"no JSON":                {200, `hunter2`, hub.ClassRetry},
		"a redirect":             {302, ``, hub.ClassRetry},
	} {
		b := openBank(t)
		b.says(tt.status, tt.body)
		secret := serviceAccount(t, b.URL+"/token")
		c := New(settings(), time.Now)
		for range 3 {
			_, err := c.tokens.token(t.Context(), vertexAt(b.URL), secret)
			assert.Equal(t, tt.class, hub.AsError(err).Class, name)
			assert.NotContains(t, err.Error(), "hunter2", name)
		}
		assert.Equal(t, int64(1), b.asked.Load(), "%s: who asks within a second is told the same", name)
	}
}

func TestAssertionsGoOnlyWhereTheyMay(t *testing.T) {
	t.Parallel()
	const base = "https://gate.example/v1"
	for uri, want := range map[string]bool{
		"https://oauth2.googleapis.com/token":              true,
		"https://accounts.google.com/o/oauth2/token":       true,
		"https://gate.example/token":                       true,
		"http://oauth2.googleapis.com/token":               false,
		"https://oauth2.googleapis.com:8443/token":         false,
		"https://oauth2.googleapis.com.evil.example/token": false,
		"https://evilgoogleapis.com/token":                 false,
		"https://u@oauth2.googleapis.com/token":            false,
		"http://gate.example/token":                        false,
		"https://gate.example:444/token":                   false,
		"http://169.254.169.254/token":                     false,
		"":                                                 false,
	} {
		assert.Equal(t, want, tokenHost(uri, base), uri)
	}
	_, err := New(settings(), time.Now).tokens.token(t.Context(), vertexAt(base), serviceAccount(t, "http://169.254.169.254/token"))
	assert.Equal(t, hub.ClassCredential, hub.AsError(err).Class)
}

func TestACallerThatLeavesDoesNotSpoilTheTokenOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		secret := serviceAccount(t, "https://oauth2.googleapis.com/token")
		first := true
		tok := newTokens(roundTripper(func(r *http.Request) (*http.Response, error) {
			if first {
				first = false
				<-r.Context().Done()
				return nil, r.Context().Err()
			}
			rec := httptest.NewRecorder()
			_, _ = rec.WriteString(`{"access_token":"ya29.x"}`)
			return rec.Result(), nil
		}), time.Now)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		go func() { _, _ = tok.token(ctx, vertexAt("https://h.example"), secret) }()
		synctest.Wait()
		token, err := tok.token(t.Context(), vertexAt("https://h.example"), secret)
		require.NoError(t, err)
		assert.Equal(t, "ya29.x", token)
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
