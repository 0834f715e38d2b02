// Package oauth lets users sign in to applications with this hub: OAuth 2.1
// (draft-ietf-oauth-v2-1) with authorization code and PKCE, the device flow
// (RFC 8628), and the exchange by which AIGNE's command line is handed a key. What
// an application gets is an API key of the user's, with the limits the user set.
package oauth

import (
	"cmp"
	"encoding/json"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/identity"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Settings are what the operator decides.
type Settings struct {
	Registration bool          // applications may register themselves
	TokenLife    time.Duration // of an access token
	RefreshLife  time.Duration // of a refresh token that is not used
}

// Server is the authorization server.
type Server struct {
	Settings
	Store  *store.Store
	Desk   *operator.Desk
	SignIn *identity.SignIn // counts tries
	Now    hub.Now
}

// The grant types (RFC 6749, sections 4.1.3 and 6; RFC 8628, section 3.4).
const (
	GrantCode    = "authorization_code"
	GrantRefresh = "refresh_token"
	GrantDevice  = "urn:ietf:params:oauth:grant-type:device_code"
)

// fault is an error with a word of OAuth's (RFC 6749, sections 4.1.2.1 and 5.2).
func fault(word, format string, args ...any) *hub.Error {
	code := hub.CodeInvalid
	if word == "invalid_client" {
		code = hub.CodeUnauthenticated
	}
	e := hub.Errorf(code, format, args...)
	e.NativeCode = word
	return e
}

// Word is OAuth's word for an error.
func Word(e *hub.Error) string {
	switch e.Code {
	case hub.CodeUnauthenticated:
		return cmp.Or(e.NativeCode, "invalid_client")
	case hub.CodeForbidden:
		return cmp.Or(e.NativeCode, "access_denied")
	case hub.CodeUnavailable, hub.CodeRateLimited, hub.CodeTimeout:
		return cmp.Or(e.NativeCode, "temporarily_unavailable")
	case hub.CodeInternal:
		return "server_error"
	}
	return cmp.Or(e.NativeCode, "invalid_request")
}

// ErrorBody is the error body of RFC 6749, section 5.2.
func ErrorBody(e *hub.Error, _ string) []byte {
	body, err := json.Marshal(map[string]string{"error": Word(e), "error_description": described(e)})
	if err != nil { // strings always encode
		return []byte(`{"error":"server_error"}`)
	}
	return body
}

// described is a message in the characters that RFC 6749 allows.
func described(e *hub.Error) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '"':
			return '\''
		case r < ' ', r > '~', r == '\\':
			return -1
		}
		return r
	}, e.Message)
}

// Metadata is what RFC 8414 has clients read.
type Metadata struct {
	Issuer            string   `json:"issuer"`
	Authorization     string   `json:"authorization_endpoint"`
	Exchange          string   `json:"token_endpoint"`
	Device            string   `json:"device_authorization_endpoint"`
	Registration      string   `json:"registration_endpoint,omitempty"`
	Revocation        string   `json:"revocation_endpoint"`
	Introspection     string   `json:"introspection_endpoint"`
	Scopes            []string `json:"scopes_supported"`
	ResponseTypes     []string `json:"response_types_supported"`
	ResponseModes     []string `json:"response_modes_supported"`
	Grants            []string `json:"grant_types_supported"`
	ClientAuth        []string `json:"token_endpoint_auth_methods_supported"`
	RevocationAuth    []string `json:"revocation_endpoint_auth_methods_supported"`
	IntrospectionAuth []string `json:"introspection_endpoint_auth_methods_supported"`
	Challenges        []string `json:"code_challenge_methods_supported"`
	IssuerInAnswers   bool     `json:"authorization_response_iss_parameter_supported"` // RFC 9207
	UILocales         []string `json:"ui_locales_supported"`
}

// Metadata describes the server at an issuer.
func (s *Server) Metadata(issuer string) Metadata {
	m := Metadata{
		Issuer: issuer, Authorization: issuer + "/oauth/authorize", Exchange: issuer + "/oauth/token", Device: issuer + "/oauth/device_authorization",
		Revocation: issuer + "/oauth/revoke", Introspection: issuer + "/oauth/introspect",
		ResponseTypes: []string{"code"}, ResponseModes: []string{"query"}, Grants: []string{GrantCode, GrantRefresh, GrantDevice},
		ClientAuth: []string{"none", "client_secret_basic", "client_secret_post"}, RevocationAuth: []string{"none", "client_secret_basic", "client_secret_post"},
		IntrospectionAuth: []string{"client_secret_basic", "client_secret_post"}, Challenges: []string{"S256"}, IssuerInAnswers: true,
		UILocales: identity.Languages(),
	}
	for _, scope := range hub.Scopes() {
		m.Scopes = append(m.Scopes, string(scope))
	}
	if s.Registration {
		m.Registration = issuer + "/oauth/register"
	}
	return m
}
