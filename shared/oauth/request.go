package oauth

import (
	"context"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/identity"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Request is what an application asks for (RFC 6749, section 4.1.1).
type Request struct {
	Client    store.OAuthClient
	Redirect  string // where the answer goes; "" while that is not certain
	named     string // the address as the request gave it; "" when it gave none
	State     string
	Challenge string // of PKCE (RFC 7636), S256
	Scopes    []hub.Scope
	Consent   bool // ask even if the user agreed before
}

// maxQuery is how long a request may be: it has to survive a sign-in, for a part
// of it in a cookie.
const maxQuery = 1800

// challengeForm is that of a SHA-256 hash in base64url.
var challengeForm = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// Parse reads a request. While its Redirect is "" the error must be shown to the
// user and nobody be sent anywhere.
func (s *Server) Parse(ctx context.Context, query string) (Request, error) {
	var r Request
	if len(query) > maxQuery {
		return r, fault("invalid_request", "The request is longer than %d bytes.", maxQuery)
	}
	q, err := url.ParseQuery(query)
	if err != nil {
		return r, fault("invalid_request", "The request cannot be read.")
	}
	for _, name := range []string{"client_id", "redirect_uri"} {
		if len(q[name]) > 1 {
			return r, fault("invalid_request", "%s is given twice.", name)
		}
	}
	if r.Client, err = s.client(ctx, q.Get("client_id")); err != nil {
		return r, err
	}
	r.named = q.Get("redirect_uri")
	if r.Redirect, err = target(r.Client, r.named); err != nil {
		return r, err
	}
	return r, r.rest(q)
}

// client finds a client by the id that a request names.
func (s *Server) client(ctx context.Context, id string) (store.OAuthClient, error) {
	if id == "" {
		return store.OAuthClient{}, fault("invalid_client", "client_id is missing.")
	}
	c, err := s.Desk.Client(ctx, id)
	if hub.CodeOf(err) == hub.CodeNotFound {
		return c, fault("invalid_client", "This application is not known here.")
	}
	return c, err
}

// target is where an answer goes: to the address that the request gives, which
// must be registered, or to the only one there is.
func target(c store.OAuthClient, given string) (string, error) {
	switch {
	case given == "" && len(c.Redirects) == 1:
		return c.Redirects[0], nil
	case given == "":
		return "", fault("invalid_request", "redirect_uri is missing.")
	case slices.ContainsFunc(c.Redirects, func(known string) bool { return identity.SameRedirect(known, given) }):
		return given, nil
	}
	return "", fault("invalid_request", "redirect_uri is not one that the application registered.")
}

// rest reads what can be answered to the application.
func (r *Request) rest(q url.Values) error {
	for _, name := range []string{"response_type", "response_mode", "scope", "state", "code_challenge", "code_challenge_method", "prompt"} {
		if len(q[name]) > 1 {
			return fault("invalid_request", "%s is given twice.", name)
		}
	}
	r.State, r.Consent = q.Get("state"), slices.Contains(strings.Fields(q.Get("prompt")), "consent")
	switch {
	case q.Get("response_type") != "code":
		return fault("unsupported_response_type", "response_type must be code.")
	case q.Get("response_mode") != "" && q.Get("response_mode") != "query":
		return fault("invalid_request", "response_mode must be query.")
	case q.Has("request") || q.Has("request_uri"):
		return fault("request_not_supported", "Request objects are not supported.")
	case q.Get("code_challenge_method") != "S256":
		return fault("invalid_request", "code_challenge_method must be S256.")
	case !challengeForm.MatchString(q.Get("code_challenge")):
		return fault("invalid_request", "code_challenge must be a SHA-256 hash in base64url.")
	}
	r.Challenge = q.Get("code_challenge")
	var err error
	r.Scopes, err = scopes(r.Client, q.Get("scope"))
	return err
}

// scopes are those that a client asks for; none means all that it may ask for but
// admin, which has to be named.
func scopes(c store.OAuthClient, text string) ([]hub.Scope, error) {
	var out []hub.Scope
	for _, word := range strings.Fields(text) {
		scope := hub.Scope(word)
		if !slices.Contains(c.Scopes, scope) {
			return nil, fault("invalid_scope", "The application may not ask for the scope %.40s.", word)
		}
		if !slices.Contains(out, scope) {
			out = append(out, scope)
		}
	}
	if len(out) == 0 {
		out = slices.DeleteFunc(slices.Clone(c.Scopes), func(s hub.Scope) bool { return s == hub.ScopeAdmin })
	}
	if len(out) == 0 {
		return nil, fault("invalid_scope", "scope is missing.")
	}
	return out, nil
}

// Answer is the address that takes a browser back to the application with params
// beside state and issuer (RFC 6749, section 4.1.2; RFC 9207).
func (r *Request) Answer(issuer string, params url.Values) string {
	params.Set("iss", issuer)
	if r.State != "" {
		params.Set("state", r.State)
	}
	sep := "?"
	if strings.Contains(r.Redirect, "?") {
		sep = "&"
	}
	return r.Redirect + sep + params.Encode()
}

// Refusal is the address that takes a browser back with an error.
func (r *Request) Refusal(issuer string, err error) string {
	e := hub.AsError(err)
	return r.Answer(issuer, url.Values{"error": {Word(e)}, "error_description": {described(e)}})
}
