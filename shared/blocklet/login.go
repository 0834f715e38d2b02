package blocklet

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// LoginCookie is the cookie in which a Blocklet Server keeps its users' tokens.
const LoginCookie = "login_token"

// skew is how far the clocks of one machine's processes, or of its containers,
// may be apart.
const skew = 60 * time.Second

// maxToken is the longest token, in bytes, that is looked at.
const maxToken = 8 << 10

// Login is what a login token says about its bearer. The server that made it
// vouches for all of it.
type Login struct {
	DID           string
	Role          string // of the passport that was chosen at sign-in
	Name          string
	EmailVerified bool
	IssuedAt      time.Time
	ExpiresAt     time.Time
}

// ErrToken says that a token was not made by this app's server for signing in, or
// is not good now.
var ErrToken = errors.New("the login token is not good")

// LooksLikeLogin reports whether a bearer value has the form of a login token
// rather than that of any kind of key.
func LooksLikeLogin(token hub.Secret) bool { return strings.Count(token.Reveal(), ".") == 2 }

// DIDs of people: base58 of whatever key they have, or the address of an Ethereum
// wallet.
var personDID = regexp.MustCompile(`^(z[1-9A-HJ-NP-Za-km-z]{10,63}|0x[0-9A-Fa-f]{40})$`)

// VerifyLogin checks a login token: a JWT (RFC 7519) that the server made with
// the app's own secret. The algorithm is HS256 and nothing else, whatever the
// token says.
func (e *Environment) VerifyLogin(token hub.Secret, now time.Time) (Login, error) {
	text := token.Reveal()
	parts := strings.Split(text, ".")
	if e.sessionSecret == "" || len(text) > maxToken || len(parts) != 3 || strings.ContainsAny(text, "\r\n") {
		return Login{}, ErrToken
	}
	sig, err := base64.RawURLEncoding.Strict().DecodeString(parts[2])
	if err != nil {
		return Login{}, ErrToken
	}
	// The key is the text of the variable itself, with its 0x.
	mac := hmac.New(sha256.New, []byte(e.sessionSecret.Reveal()))
	mac.Write([]byte(parts[0] + "." + parts[1]))
	if !hmac.Equal(sig, mac.Sum(nil)) {
		return Login{}, ErrToken
	}
	var head struct {
		Algorithm string   `json:"alg"`
		Type      string   `json:"typ"`
		Critical  []string `json:"crit"`
	}
	if !segment(parts[0], &head) || head.Algorithm != "HS256" || (head.Type != "" && !strings.EqualFold(head.Type, "JWT")) || head.Critical != nil {
		return Login{}, ErrToken
	}
	var claims loginClaims
	if !segment(parts[1], &claims) {
		return Login{}, ErrToken
	}
	return e.login(claims, now)
}

type loginClaims struct {
	Type      string          `json:"type"`
	TokenType string          `json:"tokenType"`
	DID       string          `json:"did"`
	Role      string          `json:"role"`
	Name      string          `json:"fullName"`
	KYC       json.RawMessage `json:"kyc"`
	OAuth     json.RawMessage `json:"oauth"`
	Issuer    string          `json:"iss"`
	Audience  json.RawMessage `json:"aud"`
	IssuedAt  int64           `json:"iat"`
	NotBefore int64           `json:"nbf"`
	ExpiresAt int64           `json:"exp"`
}

// login checks what a token says whose signature is right. The server makes other
// tokens with the same secret: for its own dashboards (another type), to renew a
// session (tokenType refresh), and for programs that a user let in for something
// less than everything (oauth).
func (e *Environment) login(c loginClaims, now time.Time) (Login, error) {
	did := strings.TrimPrefix(c.DID, "did:abt:")
	limit := now.Add(skew).Unix()
	switch {
	case c.Type != "user", strings.HasPrefix(c.TokenType, "refresh"), !absent(c.OAuth), c.Role == "", len(c.Role) > 64, !personDID.MatchString(did):
		return Login{}, ErrToken
	case c.ExpiresAt <= now.Unix(), c.IssuedAt <= 0, c.IssuedAt > limit, c.NotBefore > limit:
		return Login{}, ErrToken
	case c.Issuer != "" && !e.isApp(c.Issuer), !e.forApp(c.Audience):
		return Login{}, ErrToken
	}
	kyc := strings.Trim(string(c.KYC), `"`)
	return Login{DID: did, Role: c.Role, Name: c.Name, EmailVerified: kyc == "1" || kyc == "3",
		IssuedAt: time.Unix(c.IssuedAt, 0).UTC(), ExpiresAt: time.Unix(c.ExpiresAt, 0).UTC()}, nil
}

// isApp reports whether a DID is one of the app's.
func (e *Environment) isApp(did string) bool {
	did = strings.TrimPrefix(did, "did:abt:")
	return did != "" && (did == e.AppID || did == e.AppPID)
}

// forApp reports whether an audience (RFC 7519, section 4.1.3) has the app in it.
// Login tokens have none as of Blocklet Server 1.17.
func (e *Environment) forApp(audience json.RawMessage) bool {
	if absent(audience) {
		return true
	}
	var one string
	if json.Unmarshal(audience, &one) == nil {
		return e.isApp(one)
	}
	var many []string
	if json.Unmarshal(audience, &many) != nil {
		return false
	}
	for _, a := range many {
		if e.isApp(a) {
			return true
		}
	}
	return false
}

func absent(v json.RawMessage) bool { return len(v) == 0 || bytes.Equal(v, []byte("null")) }

// segment reads one part of a JWT.
func segment(text string, into any) bool {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return err == nil && json.Unmarshal(raw, into) == nil
}
