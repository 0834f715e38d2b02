package provider

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// account is the JSON key of a service account with a private key in PEM form.
func account(t *testing.T, block *pem.Block) hub.Secret {
	t.Helper()
	b, err := json.Marshal(map[string]string{"type": "service_account", "project_id": "boat-1", "private_key_id": "kid-hunter2",
		"private_key": string(pem.EncodeToMemory(block)), "client_email": "hub@boat-1.example", "token_uri": "https://oauth2.googleapis.com/token"})
	require.NoError(t, err)
	return hub.Secret(b)
}

func TestCredentialsAreCheckedByKind(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	elliptical, err := x509.MarshalPKCS8PrivateKey(curve)
	require.NoError(t, err)
	good := account(t, &pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
	for name, tt := range map[string]struct {
		kind   string
		secret hub.Secret
		want   string // "" for a refusal
	}{
		"a key":                        {OpenAI, "hunter2", "api_key"},
		"a pair":                       {Bedrock, `{"access_key_id":"hunter2","secret_access_key":"s","session_token":"t"}`, "access_key_pair"},
		"half a pair":                  {Bedrock, `{"access_key_id":"hunter2"}`, ""},
		"an API key of Bedrock":        {Bedrock, "ABSKhunter2", "api_key"},
		"a short-term one":             {Bedrock, "bedrock-api-key-hunter2", "api_key"},
		"any text for Bedrock":         {Bedrock, "AKIAhunter2", ""},
		"a service account":            {Vertex, good, "custom"},
		"one in the old form":          {Vertex, account(t, &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}), "custom"},
		"one with another sort of key": {Vertex, account(t, &pem.Block{Type: "PRIVATE KEY", Bytes: elliptical}), ""},
		"one with a broken key":        {Vertex, hub.Secret(strings.Replace(good.Reveal(), "BEGIN", "hunter2", 1)), ""},
		"a user's credential":          {Vertex, `{"type":"authorized_user","refresh_token":"hunter2"}`, ""},
		"a path":                       {Vertex, "/home/hunter2/key.json", ""},
	} {
		got, err := CheckCredential(find(t, tt.kind), tt.secret)
		assert.Equal(t, tt.want, got, name)
		if tt.want == "" {
			e := hub.AsError(err)
			assert.Equal(t, []any{hub.CodeInvalid, "credential"}, []any{e.Code, e.Param}, name)
			assert.NotContains(t, e.Error(), "hunter2", name)
		}
	}
}

func TestEachSecretOfACredentialIsHidden(t *testing.T) {
	t.Parallel()
	assert.Equal(t, []string{"hunter22"}, Hidden(" hunter22\n"))
	assert.Empty(t, Hidden("short"), "what stands in ordinary words")
	pair := Hidden(`{"access_key_id":"AKIAEXAMPLE","secret_access_key":"wJalrX","session_token":"FwoGZX"}`)
	for _, want := range []string{"AKIAEXAMPLE", "wJalrX", "FwoGZX"} {
		assert.Contains(t, pair, want)
	}
	texts := Hidden(account(t, &pem.Block{Type: "PRIVATE KEY", Bytes: []byte(strings.Repeat("secret", 20))}))
	assert.Contains(t, texts, "kid-hunter2")
	lines := strings.Split(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte(strings.Repeat("secret", 20))})), "\n")
	assert.Contains(t, texts, lines[1])
	assert.NotContains(t, texts, lines[0], "the mark of any key")
}
