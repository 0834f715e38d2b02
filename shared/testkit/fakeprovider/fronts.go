package fakeprovider

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// azurePath is where the v1 API lies at a resource.
const azurePath = "/openai/v1/"

// AzureServes reports whether Azure OpenAI has something at a URL: sound, pictures
// and films are in the preview of its v1 API only.
func AzureServes(u *url.URL) bool {
	rest, ok := strings.CutPrefix(u.Path, azurePath)
	first, _, _ := strings.Cut(rest, "/")
	preview := first == "audio" || first == "images" || first == "videos"
	return ok && (!preview || u.Query().Get("api-version") == "preview")
}

// StartAzure serves an OpenAI fake as Azure OpenAI does: below /openai/v1, with
// the key in an api-key header. It returns the resource's origin.
func StartAzure(t testing.TB, p http.Handler) string {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		rest := strings.TrimPrefix(r.URL.Path, azurePath)
		if !AzureServes(r.URL) || r.Header.Get("Authorization") != "" {
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"error":{"code":"404","message":"Resource not found"}}`))
			return
		}
		r.URL.Path = "/v1/" + rest
		r.Header.Set("Authorization", "Bearer "+r.Header.Get("Api-Key"))
		p.ServeHTTP(w, r)
	})
}

func serve(t testing.TB, h http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL
}

// Vertex is Google's Vertex AI before a Gemini and an Anthropic fake: it takes
// only tokens that its own token endpoint gave to a service account, and speaks
// both languages below publishers/.
type Vertex struct {
	URL    string
	Asked  atomic.Int64 // tokens given
	key    *rsa.PrivateKey
	gemini *Provider
	claude *Provider
}

const (
	vertexProject = "boat-1"
	vertexEmail   = "hub@boat-1.example"
	vertexToken   = "ya29.fake-token-0123456789"
)

// StartVertex serves both fakes until the test ends.
func StartVertex(t testing.TB, gemini, claude *Provider) *Vertex {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	v := &Vertex{key: key, gemini: gemini, claude: claude}
	v.URL = serve(t, v.answer)
	return v
}

// BaseURL is what an operator types, the project left to the credential.
func (v *Vertex) BaseURL() string { return v.URL + "/v1/projects/{project}/locations/us-east5" }

// Account is the service account's JSON key.
func (v *Vertex) Account(t testing.TB) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(v.key)
	require.NoError(t, err)
	return string(encode(object{
		"type": "service_account", "project_id": vertexProject, "private_key_id": "fake-key-id",
		"private_key":  string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		"client_email": vertexEmail, "token_uri": v.URL + "/token",
	}))
}

func (v *Vertex) answer(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/token" {
		v.exchange(w, r)
		return
	}
	if bearer(r) != vertexToken {
		v.fail(w, geminiError(http.StatusUnauthorized, "UNAUTHENTICATED", "Request had invalid authentication credentials."))
		return
	}
	r.Header.Del("Authorization")
	rest, ok := strings.CutPrefix(r.URL.Path, "/v1/projects/"+vertexProject+"/locations/us-east5/publishers/")
	publisher, rest, _ := strings.Cut(rest, "/models/")
	switch {
	case ok && publisher == "google" && strings.HasSuffix(rest, ":countTokens"):
		_, _ = w.Write([]byte(`{"totalTokens":1}`))
	case ok && publisher == "google":
		r.URL.Path = "/v1beta/models/" + rest
		r.Header.Set("X-Goog-Api-Key", DefaultKey)
		v.gemini.ServeHTTP(w, r)
	case ok && publisher == "anthropic":
		v.messages(w, r, rest)
	default:
		v.fail(w, geminiError(http.StatusNotFound, "NOT_FOUND", "Not found."))
	}
}

func (v *Vertex) fail(w http.ResponseWriter, f *fixed) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(f.status)
	_, _ = w.Write(f.body)
}

// exchange gives a token for an assertion that the account signed (RFC 7523).
func (v *Vertex) exchange(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(r.FormValue("assertion"), ".")
	var claims struct {
		Issuer   string `json:"iss"`
		Audience string `json:"aud"`
		Scope    string `json:"scope"`
		Expires  int64  `json:"exp"`
	}
	good := len(parts) == 3 && r.FormValue("grant_type") == "urn:ietf:params:oauth:grant-type:jwt-bearer"
	if good {
		sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
		signature, err := base64.RawURLEncoding.DecodeString(parts[2])
		text, textErr := base64.RawURLEncoding.DecodeString(parts[1])
		good = err == nil && textErr == nil && json.Unmarshal(text, &claims) == nil &&
			rsa.VerifyPKCS1v15(&v.key.PublicKey, crypto.SHA256, sum[:], signature) == nil
	}
	if !good || claims.Issuer != vertexEmail || claims.Audience != v.URL+"/token" || claims.Scope == "" || claims.Expires < time.Now().Unix() {
		v.fail(w, &fixed{status: http.StatusBadRequest, body: encode(object{"error": "invalid_grant", "error_description": "Invalid JWT Signature."})})
		return
	}
	v.Asked.Add(1)
	_, _ = w.Write(encode(object{"access_token": vertexToken, "expires_in": 3599, "token_type": "Bearer"}))
}

// messages turns rawPredict into the Messages API: the model comes from the path,
// the version from the body.
func (v *Vertex) messages(w http.ResponseWriter, r *http.Request, rest string) {
	model, method, _ := strings.Cut(rest, ":")
	raw, err := io.ReadAll(r.Body)
	var body object
	if err != nil || json.Unmarshal(raw, &body) != nil {
		v.fail(w, anthropic{}.bad("The request body is not valid JSON"))
		return
	}
	streams := body["stream"] == true
	switch {
	case body["model"] != nil:
		v.fail(w, anthropic{}.bad("model: Extra inputs are not permitted"))
		return
	case body["anthropic_version"] != "vertex-2023-10-16":
		v.fail(w, anthropic{}.bad("anthropic_version: Field required"))
		return
	case r.Header.Get("Anthropic-Version") != "", streams != (method == "streamRawPredict"), !streams && method != "rawPredict":
		v.fail(w, anthropic{}.bad("the method, the header or \"stream\" is wrong"))
		return
	}
	delete(body, "anthropic_version")
	body["model"] = model
	raw = encode(body)
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(raw)), int64(len(raw))
	r.URL.Path, r.URL.RawPath = "/v1/messages", ""
	r.Header.Set("X-Api-Key", DefaultKey)
	r.Header.Set("Anthropic-Version", "2023-06-01")
	v.claude.ServeHTTP(w, r)
}
