// Package fakeoidc is a strict OpenID provider for tests: discovery, the
// authorization code flow with PKCE, ID tokens that are really signed, user info.
// It refuses whatever a provider may refuse, and lies when it is told to.
package fakeoidc

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"
)

// Server is a running provider.
type Server struct {
	*httptest.Server
	ClientID, ClientSecret, Redirect string

	t     *testing.T
	key   *rsa.PrivateKey
	other *rsa.PrivateKey

	mu     sync.Mutex
	person map[string]any // who signs in next
	info   map[string]any // what only the user info says
	lie    Lie
	codes  map[string]grant
	access map[string]map[string]any
	Asked  []url.Values // authorization requests, in order
}

// Lie changes an ID token before it is signed, and who signs it.
type Lie struct {
	Change    func(claims map[string]any)
	Forge     bool   // signed by another key
	Unsigned  bool   // alg none
	Symmetric bool   // HS256 with the client's secret
	InfoSub   string // the user info is about somebody else
}

type grant struct {
	claims, info     map[string]any
	challenge, nonce string
}

// New starts a provider with one client.
func New(t *testing.T, redirect string) *Server {
	t.Helper()
	s := &Server{ClientID: "hub", ClientSecret: "fake-client-secret-0123456789", Redirect: redirect, t: t, codes: map[string]grant{}, access: map[string]map[string]any{}}
	var err error
	s.key, err = rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	s.other, err = rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", s.discovery)
	mux.HandleFunc("GET /keys", s.keys)
	mux.HandleFunc("GET /authorize", s.authorize)
	mux.HandleFunc("POST /token", s.token)
	mux.HandleFunc("GET /userinfo", s.userinfo)
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// SignsIn says who signs in next: the claims of the ID token, and those that
// only the user info has.
func (s *Server) SignsIn(claims, info map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.person, s.info = claims, info
}

// Lies makes the provider lie from now on.
func (s *Server) Lies(l Lie) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lie = l
}

func (s *Server) discovery(w http.ResponseWriter, _ *http.Request) {
	s.json(w, http.StatusOK, map[string]any{
		"issuer": s.URL, "authorization_endpoint": s.URL + "/authorize", "token_endpoint": s.URL + "/token", "jwks_uri": s.URL + "/keys",
		"userinfo_endpoint": s.URL + "/userinfo", "response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256"}, "code_challenge_methods_supported": []string{"S256"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic"},
	})
}

func (s *Server) keys(w http.ResponseWriter, _ *http.Request) {
	s.json(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: s.key.Public(), KeyID: "k1", Algorithm: "RS256", Use: "sig"}}})
}

func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Asked = append(s.Asked, q)
	if q.Get("client_id") != s.ClientID || q.Get("redirect_uri") != s.Redirect {
		http.Error(w, "unknown client or redirect_uri", http.StatusBadRequest) // never redirected
		return
	}
	back := url.Values{"state": {q.Get("state")}, "iss": {s.URL}}
	switch {
	case q.Get("response_type") != "code", !slices.Contains(strings.Fields(q.Get("scope")), "openid"), q.Get("code_challenge_method") != "S256",
		len(q.Get("code_challenge")) != 43, len(q.Get("state")) < 32, len(q.Get("nonce")) < 32:
		back.Set("error", "invalid_request")
	case s.person == nil:
		back.Set("error", "access_denied")
	default:
		code := random()
		s.codes[code] = grant{claims: maps.Clone(s.person), info: maps.Clone(s.info), challenge: q.Get("code_challenge"), nonce: q.Get("nonce")}
		back.Set("code", code)
	}
	http.Redirect(w, r, s.Redirect+"?"+back.Encode(), http.StatusFound)
}

func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, secret, ok := r.BasicAuth()
	if !ok || id != s.ClientID || secret != s.ClientSecret {
		s.json(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
		return
	}
	code := r.PostFormValue("code")
	g, known := s.codes[code]
	delete(s.codes, code) // once, whatever comes of it
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if !known || r.PostFormValue("grant_type") != "authorization_code" || r.PostFormValue("redirect_uri") != s.Redirect ||
		base64.RawURLEncoding.EncodeToString(sum[:]) != g.challenge {
		s.json(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant"})
		return
	}
	access := random()
	now := time.Now()
	claims := map[string]any{"iss": s.URL, "aud": s.ClientID, "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(), "nonce": g.nonce, "at_hash": half(access)}
	maps.Copy(claims, g.claims)
	if s.lie.Change != nil {
		s.lie.Change(claims)
	}
	info := map[string]any{"sub": g.claims["sub"]}
	maps.Copy(info, g.info)
	if s.lie.InfoSub != "" {
		info["sub"] = s.lie.InfoSub
	}
	s.access[access] = info
	s.json(w, http.StatusOK, map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": 300, "id_token": s.sign(claims)})
}

func half(access string) string {
	sum := sha256.Sum256([]byte(access))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

func (s *Server) sign(claims map[string]any) string {
	body, err := json.Marshal(claims)
	require.NoError(s.t, err)
	if s.lie.Unsigned {
		b64 := base64.RawURLEncoding.EncodeToString
		return b64([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + b64(body) + "."
	}
	key := jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: s.key, KeyID: "k1"}}
	if s.lie.Forge {
		key.Key = jose.JSONWebKey{Key: s.other, KeyID: "k1"}
	}
	if s.lie.Symmetric {
		key = jose.SigningKey{Algorithm: jose.HS256, Key: []byte(s.ClientSecret + s.ClientSecret)}
	}
	signer, err := jose.NewSigner(key, nil)
	require.NoError(s.t, err)
	signed, err := signer.Sign(body)
	require.NoError(s.t, err)
	text, err := signed.CompactSerialize()
	require.NoError(s.t, err)
	return text
}

func (s *Server) userinfo(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	info, ok := s.access[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
	if !ok {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	s.json(w, http.StatusOK, info)
}

func (s *Server) json(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a client that left
}

func random() string {
	b := make([]byte, 24)
	_, _ = rand.Read(b) // crypto/rand.Read never fails
	return base64.RawURLEncoding.EncodeToString(b)
}
