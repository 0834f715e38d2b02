package oauth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/identity"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Form is a request to one of the endpoints that programs use.
type Form struct {
	url.Values
	client string // of the Authorization header
	secret hub.Secret
	basic  bool
}

// ReadForm takes a form with the client's own credentials, if it sent them in the
// header (RFC 6749, section 2.3.1).
func ReadForm(r *http.Request, values url.Values) (Form, error) {
	f := Form{Values: values}
	for name, v := range values {
		if len(v) > 1 && name != "resource" { // of which there may be several (RFC 8707), and none is looked at
			return f, fault("invalid_request", "%.40s is given twice.", name)
		}
	}
	id, secret, ok := r.BasicAuth()
	if !ok {
		if r.Header.Get("Authorization") != "" {
			return f, fault("invalid_client", "The Authorization header must be Basic with client_id and client_secret.")
		}
		return f, nil
	}
	f.basic = true
	plain, err := url.QueryUnescape(secret)
	if err == nil {
		f.client, err = url.QueryUnescape(id)
	}
	if f.secret = hub.Secret(plain); err != nil {
		return f, fault("invalid_client", "The Authorization header cannot be read.")
	}
	return f, nil
}

// authenticate finds the client of a form. Whether it is unknown or its secret is
// wrong, the answer is the same.
func (s *Server) authenticate(ctx context.Context, f Form) (store.OAuthClient, error) {
	id, secret := f.Get("client_id"), hub.Secret(f.Get("client_secret"))
	if f.basic {
		if (id != "" && id != f.client) || secret != "" {
			return store.OAuthClient{}, fault("invalid_request", "The client must show who it is in one way.")
		}
		id, secret = f.client, f.secret
	}
	c, err := s.client(ctx, id)
	wrong := fault("invalid_client", "The client is not known here, or its secret is wrong.")
	if hub.CodeOf(err) == hub.CodeUnauthenticated {
		return c, wrong
	}
	if err != nil {
		return c, err
	}
	given := ""
	if secret != "" {
		given = identity.Hash(secret)
	}
	if subtle.ConstantTimeCompare([]byte(given), []byte(c.SecretHash)) != 1 {
		return c, wrong
	}
	return c, nil
}

// Tokens is what an application is handed (RFC 6749, section 5.1).
type Tokens struct {
	Access    string `json:"access_token"`
	Type      string `json:"token_type"`
	ExpiresIn int64  `json:"expires_in"` // seconds
	Refresh   string `json:"refresh_token"`
	Scope     string `json:"scope"`
}

// Token answers the token endpoint.
func (s *Server) Token(ctx context.Context, f Form) (Tokens, error) {
	c, err := s.authenticate(ctx, f)
	if err != nil {
		return Tokens{}, err
	}
	switch f.Get("grant_type") {
	case GrantCode:
		return s.exchange(ctx, c, f)
	case GrantRefresh:
		return s.refresh(ctx, c, f)
	case GrantDevice:
		return s.deviceTokens(ctx, c, f)
	case "":
		return Tokens{}, fault("invalid_request", "grant_type is missing.")
	}
	return Tokens{}, fault("unsupported_grant_type", "grant_type must be authorization_code, refresh_token or %s.", GrantDevice)
}

// errCode is the answer to any code that is not good, whatever is wrong with it.
var errCode = fault("invalid_grant", "The authorization code is not good: it is wrong, used, too old, or another client's.")

var verifierForm = regexp.MustCompile(`^[A-Za-z0-9._~-]{43,128}$`)

// exchange gives tokens for an authorization code, once. A code that comes once
// more takes back what it gave: one of the two was not the application. A code
// that comes with a wrong verifier is spent.
func (s *Server) exchange(ctx context.Context, c store.OAuthClient, f Form) (Tokens, error) {
	hash := identity.Hash(hub.Secret(f.Get("code")))
	code, err := s.Store.OAuthCodeByHash(ctx, hash)
	switch {
	case errors.Is(err, store.ErrNotFound) || (err == nil && code.ClientID != c.ID):
		return Tokens{}, errCode
	case err != nil:
		return Tokens{}, err
	}
	if err := s.Store.UseOAuthCode(ctx, hash); errors.Is(err, store.ErrNotFound) {
		return Tokens{}, errors.Join(errCode, s.replayed(ctx, hash, code.ConnectionID))
	} else if err != nil {
		return Tokens{}, err
	}
	verifier := f.Get("code_verifier")
	sum := sha256.Sum256([]byte(verifier))
	challenge := base64.RawURLEncoding.EncodeToString(sum[:])
	if code.RedirectURI != f.Get("redirect_uri") || !verifierForm.MatchString(verifier) || subtle.ConstantTimeCompare([]byte(challenge), []byte(code.Challenge)) != 1 {
		return Tokens{}, errCode
	}
	var t terms
	if err := json.Unmarshal([]byte(code.Terms), &t); err != nil {
		return Tokens{}, err
	}
	out, err := s.hand(ctx, c, code.UserID, code.ConnectionID, t, hash)
	if errors.Is(err, store.ErrNotFound) {
		return Tokens{}, errCode
	}
	return out, err
}

func (s *Server) replayed(ctx context.Context, hash, connection string) error {
	err := s.Store.ReplayOAuthCode(ctx, hash)
	if errors.Is(err, store.ErrNotFound) { // it was never used, only too old
		return nil
	}
	if err != nil {
		return err
	}
	err = s.Desk.RevokeConnection(ctx, "system", connection, "its authorization code came twice")
	if hub.CodeOf(err) == hub.CodeNotFound {
		return nil
	}
	return err
}

// hand makes the key and the connection that a user agreed to.
func (s *Server) hand(ctx context.Context, c store.OAuthClient, userID, connection string, t terms, code string) (Tokens, error) {
	u, err := s.Store.UserByID(ctx, userID)
	if err != nil {
		return Tokens{}, err
	}
	now, ends := s.Now().UTC(), t.ends()
	if u.DisabledAt != nil || (ends != nil && !ends.After(now)) {
		return Tokens{}, fault("invalid_grant", "The user can no longer use the hub.")
	}
	family, turn := identity.NewToken(), identity.NewToken()
	expires, until := s.end(ends, s.TokenLife), s.end(ends, s.RefreshLife)
	key, n, err := s.Desk.Connect(ctx, u.Email, operator.NewConnection{Connection: store.Connection{
		ID: connection, UserID: u.ID, ClientID: c.ID, Name: c.Name, Scopes: t.Scopes, Limited: t.Decision.limited(), EndsAt: ends,
		Family: identity.Hash(family), Turn: identity.Hash(turn), RefreshUntil: &until},
		Expires: &expires, Limits: t.Decision.limits(), Code: code})
	if err != nil {
		return Tokens{}, err
	}
	return s.tokens(key, expires, family, turn, n), nil
}

// end is when something ends that lasts so long, but no longer than its
// connection.
func (s *Server) end(connection *time.Time, life time.Duration) time.Time {
	at := s.Now().Add(life).UTC()
	if connection != nil && connection.Before(at) {
		return *connection
	}
	return at
}

func (s *Server) tokens(key hub.Secret, expires time.Time, family, turn hub.Secret, n store.Connection) Tokens {
	return Tokens{Access: key.Reveal(), Type: "Bearer", ExpiresIn: int64(expires.Sub(s.Now()) / time.Second), Refresh: refreshToken(family, turn), Scope: words(n.Scopes)}
}

func words(scopes []hub.Scope) string {
	out := make([]string, len(scopes))
	for i, scope := range scopes {
		out[i] = string(scope)
	}
	return strings.Join(out, " ")
}

// RefreshPrefix begins every refresh token. Two halves follow: one names the
// connection and stays, the other changes with each use. Whoever comes with an old
// second half has what somebody else used, or had it taken.
const RefreshPrefix = "rt-hub-"

func refreshToken(family, turn hub.Secret) string {
	return RefreshPrefix + family.Reveal() + turn.Reveal()
}

// halves are the hashes of a refresh token's two halves.
func halves(token string) (family, turn string, ok bool) {
	const half = 43
	rest, ok := strings.CutPrefix(token, RefreshPrefix)
	if !ok || len(rest) != 2*half {
		return "", "", false
	}
	return identity.Hash(hub.Secret(rest[:half])), identity.Hash(hub.Secret(rest[half:])), true
}

var errRefresh = fault("invalid_grant", "The refresh token is not good: it is wrong, used, revoked, too old, or another client's.")

// graceOfRefresh is how long the access token before stays good, for calls that
// are on their way.
const graceOfRefresh = 30 * time.Second

// refresh gives the next tokens for a refresh token. One that was used before ends
// the connection.
func (s *Server) refresh(ctx context.Context, c store.OAuthClient, f Form) (Tokens, error) {
	token := f.Get("refresh_token")
	family, turn, ok := halves(token)
	if !ok {
		return Tokens{}, errRefresh
	}
	n, err := s.Store.ConnectionByFamily(ctx, family)
	switch {
	case errors.Is(err, store.ErrNotFound) || (err == nil && n.ClientID != c.ID):
		return Tokens{}, errRefresh
	case err != nil:
		return Tokens{}, err
	case subtle.ConstantTimeCompare([]byte(turn), []byte(n.Turn)) != 1:
		return Tokens{}, errors.Join(errRefresh, s.Desk.RevokeConnection(ctx, "system", n.ID, "a refresh token came twice"))
	case n.EndsAt != nil && !n.EndsAt.After(s.Now()):
		return Tokens{}, errRefresh
	}
	if asked := strings.Fields(f.Get("scope")); len(asked) > 0 {
		if got, err := scopes(store.OAuthClient{Scopes: n.Scopes}, f.Get("scope")); err != nil || len(got) != len(n.Scopes) {
			return Tokens{}, fault("invalid_scope", "The scopes stay those that the user agreed to: %s.", words(n.Scopes))
		}
	}
	key, next := identity.NewKey(), identity.NewToken()
	expires := s.end(n.EndsAt, s.TokenLife)
	err = s.Store.RefreshConnection(ctx, n, store.Refreshed{Turn: identity.Hash(next), Until: s.end(n.EndsAt, s.RefreshLife),
		KeyHash: identity.Hash(key), KeyHint: identity.Hint(key), KeyExpires: expires, Grace: s.Now().Add(graceOfRefresh)})
	if errors.Is(err, store.ErrNotFound) {
		return Tokens{}, s.lost(ctx, n)
	}
	if err != nil {
		return Tokens{}, err
	}
	return s.tokens(key, expires, hub.Secret(token[len(RefreshPrefix):len(token)-len(next)]), next, n), nil
}

// lost answers to a refresh token that was good a moment ago: it ended, or somebody
// else was faster, who then has to go too.
func (s *Server) lost(ctx context.Context, before store.Connection) error {
	n, err := s.Store.ConnectionByID(ctx, before.ID)
	if err == nil && n.Turn != before.Turn {
		err = s.Desk.RevokeConnection(ctx, "system", n.ID, "a refresh token came twice")
	}
	return errors.Join(errRefresh, err)
}

// connection finds what a client's token, of either kind, belongs to. nil: the
// token is not good for this client.
func (s *Server) connection(ctx context.Context, c store.OAuthClient, token string) (*store.Connection, error) {
	var n store.Connection
	family, turn, refresh := halves(token)
	key, err := store.APIKey{}, error(nil)
	if refresh {
		n, err = s.Store.ConnectionByFamily(ctx, family)
	} else if key, _, err = s.Store.KeyByHash(ctx, identity.Hash(hub.Secret(token))); err == nil {
		n, err = s.Store.ConnectionOfKey(ctx, key.ID)
	}
	if errors.Is(err, store.ErrNotFound) || (err == nil && (n.ClientID != c.ID || (refresh && n.Turn != turn))) {
		return nil, nil
	}
	return &n, err
}

// Revoke ends what a token belongs to (RFC 7009). A token that is not good, or not
// the client's, is no error: there is nothing left to do.
func (s *Server) Revoke(ctx context.Context, f Form) error {
	c, err := s.authenticate(ctx, f)
	if err != nil {
		return err
	}
	if f.Get("token") == "" {
		return fault("invalid_request", "token is missing.")
	}
	n, err := s.connection(ctx, c, f.Get("token"))
	if err != nil || n == nil {
		return err
	}
	return s.Desk.RevokeConnection(ctx, n.Email, n.ID, "by the application")
}

// Introspection is what a client learns of one of its tokens (RFC 7662, section
// 2.2): only Active, and that false, when it is not good.
type Introspection struct {
	Active    bool   `json:"active"`
	Scope     string `json:"scope,omitempty"`
	ClientID  string `json:"client_id,omitempty"`
	Username  string `json:"username,omitempty"`
	TokenType string `json:"token_type,omitempty"`
	Expires   int64  `json:"exp,omitempty"`
	Issued    int64  `json:"iat,omitempty"`
	Subject   string `json:"sub,omitempty"`
}

// Introspect tells a confidential client about one of its own tokens.
func (s *Server) Introspect(ctx context.Context, f Form) (Introspection, error) {
	c, err := s.authenticate(ctx, f)
	switch {
	case err != nil:
		return Introspection{}, err
	case c.SecretHash == "":
		return Introspection{}, fault("invalid_client", "Only clients with a secret may ask about tokens.")
	case f.Get("token") == "":
		return Introspection{}, fault("invalid_request", "token is missing.")
	}
	n, err := s.connection(ctx, c, f.Get("token"))
	if err != nil || n == nil || n.RevokedAt != nil {
		return Introspection{}, err
	}
	u, err := s.Store.UserByID(ctx, n.UserID)
	if err != nil || u.DisabledAt != nil {
		return Introspection{}, err
	}
	out := Introspection{Active: true, Scope: words(n.Scopes), ClientID: c.ID, Username: u.Email, TokenType: "Bearer", Issued: n.CreatedAt.Unix(), Subject: u.ID}
	end := n.RefreshUntil
	if !strings.HasPrefix(f.Get("token"), RefreshPrefix) {
		key, _, err := s.Store.KeyByHash(ctx, identity.Hash(hub.Secret(f.Get("token"))))
		if err != nil {
			return Introspection{}, err
		}
		if end = key.ExpiresAt; key.Old(identity.Hash(hub.Secret(f.Get("token")))) {
			end = key.OldUntil
		}
		if key.RotatedAt != nil {
			out.Issued = key.RotatedAt.Unix()
		}
	} else {
		out.TokenType = "refresh_token"
	}
	if end != nil {
		if !end.After(s.Now()) {
			return Introspection{}, nil
		}
		out.Expires = end.Unix()
	}
	return out, nil
}
