package upstream

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/provider"
	"github.com/aigne-hub/aigne-hub/shared/routing"
)

const keyPair = `{"access_key_id":"AKIAEXAMPLE","secret_access_key":"wJalrXUtnFEMI","session_token":"FwoGZXIvYXdz"}`

// bedrockAt plans a call to a Bedrock of the test.
func bedrockAt(t *testing.T, region string, secret hub.Secret, serve http.HandlerFunc) Call {
	t.Helper()
	c := call(t, serve)
	kind, _ := provider.Find(provider.Bedrock)
	p := c.Plan.Targets[0].Provider
	p.Kind, p.Region, p.Credentials[0].Secret = kind, region, secret
	return c
}

func TestARequestIsSignedWithItsRegionAndClock(t *testing.T) {
	t.Parallel()
	var got http.Header
	c := bedrockAt(t, "eu-west-1", keyPair, func(_ http.ResponseWriter, r *http.Request) { got = r.Header })
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	a, _, err := New(settings(), func() time.Time { return at }).Do(t.Context(), c)
	require.NoError(t, err)
	require.NoError(t, a.Body.Close())
	assert.Equal(t, "20260304T050607Z", got.Get("X-Amz-Date"))
	assert.Equal(t, "FwoGZXIvYXdz", got.Get("X-Amz-Security-Token"))
	assert.True(t, strings.HasPrefix(got.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20260304/eu-west-1/bedrock/aws4_request, SignedHeaders="), got.Get("Authorization"))
	assert.NotContains(t, got.Get("Authorization"), "wJalrXUtnFEMI")
}

func TestAProviderThatEchoesAPartOfItsCredentialTellsNobody(t *testing.T) {
	t.Parallel()
	c := bedrockAt(t, "us-east-1", keyPair, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte("AKIAEXAMPLE wJalrXUtnFEMI FwoGZXIvYXdz end"))
	})
	_, trace, err := New(settings(), time.Now).Do(t.Context(), c)
	require.Error(t, err)
	assert.Equal(t, "*** *** *** end", hub.AsError(err).Message)
	assert.Equal(t, "*** *** *** end", trace.Attempts[0].Error)
}

func TestWithoutARegionNothingIsSent(t *testing.T) {
	t.Parallel()
	c := bedrockAt(t, "", keyPair, func(http.ResponseWriter, *http.Request) { t.Error("sent") })
	_, trace, err := New(settings(), time.Now).Do(t.Context(), c)
	assert.Equal(t, hub.CodeProviderCredential, hub.CodeOf(err))
	assert.Contains(t, trace.Attempts[0].Error, "region")
	for base, want := range map[string]string{
		"https://bedrock-runtime.us-gov-west-1.amazonaws.com":   "us-gov-west-1",
		"https://bedrock-runtime-fips.us-east-1.amazonaws.com":  "us-east-1",
		"https://bedrock.example.com":                           "",
		"https://vpce-1.bedrock-runtime.eu-west-1.vpce.example": "",
		"::": "",
	} {
		assert.Equal(t, want, regionOf(base), base)
	}
}

func TestARefusedTokenIsAskedForAnew(t *testing.T) {
	t.Parallel()
	b := openBank(t)
	var seen []string
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			b.Config.Handler.ServeHTTP(w, r)
			return
		}
		seen = append(seen, r.Header.Get("Authorization"))
		if len(seen) == 1 {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	t.Cleanup(front.Close)
	p := vertexAt(front.URL)
	p.Credentials = []routing.Credential{{ID: "c", Name: "main", Secret: serviceAccount(t, front.URL+"/token")}}
	c := Call{
		Plan:    routing.Plan{Targets: []routing.Target{{Provider: p, Model: "m"}}},
		Prepare: func(*routing.Target) (Request, error) { return Request{Path: "/x", Body: []byte("{}")}, nil },
		Fault: func(_ *routing.Target, status int, _ http.Header, _ []byte) *hub.Error {
			return &hub.Error{Code: hub.CodeProviderCredential, Class: hub.ClassCredential, Status: status, Message: "no"}
		},
	}
	client := New(settings(), time.Now)
	_, _, err := client.Do(t.Context(), c)
	require.Error(t, err)
	a, _, err := client.Do(t.Context(), c)
	require.NoError(t, err)
	require.NoError(t, a.Body.Close())
	assert.Equal(t, []string{"Bearer ya29.token-a", "Bearer ya29.token-b"}, seen)
}
