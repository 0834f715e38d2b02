package upstream

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/provider"
	"github.com/aigne-hub/aigne-hub/shared/routing"
)

const (
	tokenScope    = "https://www.googleapis.com/auth/cloud-platform"
	tokenGrant    = "urn:ietf:params:oauth:grant-type:jwt-bearer" //nolint:gosec // a name, no secret
	tokenLife     = time.Hour                                     // of the assertion; the most that Google takes
	tokenMargin   = time.Minute                                   // a token is not used this long before its end
	tokenPause    = time.Second                                   // a failure answers all who ask within this
	maxTokenBody  = 64 << 10
	maxTokens     = 10_000 // bounds the memory for credentials that no longer exist
	defaultExpiry = 10 * time.Minute
)

// tokens keeps the access tokens of Google service accounts (RFC 7523,
// "JSON Web Token Profile for OAuth 2.0 Authorization Grants", RS256), one a
// credential, each asked for by one caller at a time.
type tokens struct {
	http http.RoundTripper
	now  hub.Now

	mu  sync.Mutex
	all map[[sha256.Size]byte]*token
}

type token struct {
	turn chan struct{} // holds one value: whoever has it may read and write the rest

	value  string
	until  time.Time
	fault  *hub.Error
	failed time.Time
}

func newTokens(rt http.RoundTripper, now hub.Now) *tokens {
	return &tokens{http: rt, now: now, all: map[[sha256.Size]byte]*token{}}
}

func (t *tokens) of(secret hub.Secret) *token {
	key := sha256.Sum256([]byte(secret.Reveal()))
	t.mu.Lock()
	defer t.mu.Unlock()
	k := t.all[key]
	if k == nil {
		if len(t.all) >= maxTokens {
			clear(t.all)
		}
		k = &token{turn: make(chan struct{}, 1)}
		k.turn <- struct{}{}
		t.all[key] = k
	}
	return k
}

// forget drops a token that the provider did not accept.
func (t *tokens) forget(secret hub.Secret) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.all, sha256.Sum256([]byte(secret.Reveal())))
}

// token returns the access token of a service account, asking for one when there
// is none or it is about to end.
func (t *tokens) token(ctx context.Context, p *routing.Provider, secret hub.Secret) (string, error) {
	k := t.of(secret)
	select {
	case <-k.turn:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	defer func() { k.turn <- struct{}{} }()
	now := t.now()
	if k.value != "" && now.Before(k.until) {
		return k.value, nil
	}
	if k.fault != nil && now.Sub(k.failed) < tokenPause {
		return "", k.fault
	}
	value, life, err := t.ask(ctx, p, secret)
	if err != nil {
		if ctx.Err() == nil {
			k.fault, k.failed = hub.AsError(err), t.now()
		}
		return "", err
	}
	k.value, k.until, k.fault = value, now.Add(life-min(tokenMargin, life/2)), nil
	return value, nil
}

// ask exchanges a signed assertion for a token.
func (t *tokens) ask(ctx context.Context, p *routing.Provider, secret hub.Secret) (string, time.Duration, error) {
	account, ok := provider.ParseServiceAccount(secret)
	if !ok {
		return "", 0, provider.Unusable("The provider's credential is not the JSON key of a Google service account. Store it again.")
	}
	if !tokenHost(account.TokenURI, p.BaseURL) {
		return "", 0, provider.Unusable("The service account's token_uri is neither Google's nor at the provider's base URL; nothing was sent there.")
	}
	signed, err := assertion(account, t.now())
	if err != nil {
		return "", 0, err
	}
	form := url.Values{"grant_type": {tokenGrant}, "assertion": {signed}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, account.TokenURI, strings.NewReader(form.Encode()))
	if err != nil {
		return "", 0, provider.Unusable("The service account's token_uri is no URL.")
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("User-Agent", "aigne-hub")
	res, err := t.http.RoundTrip(r)
	if err != nil {
		if ctx.Err() != nil {
			return "", 0, ctx.Err()
		}
		return "", 0, tokenFault(http.StatusBadGateway, "", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxTokenBody))
	if err != nil {
		return "", 0, tokenFault(http.StatusBadGateway, "", err)
	}
	return readToken(res, body)
}

func readToken(res *http.Response, body []byte) (string, time.Duration, error) {
	var answer struct {
		Token   string `json:"access_token"`
		Expires int64  `json:"expires_in"` // seconds
		Error   string `json:"error"`
	}
	bad := json.Unmarshal(body, &answer)
	if res.StatusCode != http.StatusOK {
		fault := tokenFault(res.StatusCode, answer.Error, nil)
		if s, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil && s > 0 {
			fault.RetryAfter = time.Duration(min(s, 24*3600)) * time.Second
		}
		return "", 0, fault
	}
	if bad != nil || answer.Token == "" {
		return "", 0, tokenFault(http.StatusBadGateway, "", errors.New("the answer holds no token"))
	}
	life := time.Duration(min(max(answer.Expires, 0), 24*3600)) * time.Second
	if life == 0 {
		life = defaultExpiry
	}
	return answer.Token, life, nil
}

var errorWord = regexp.MustCompile(`^[a-z_]{1,64}$`)

// tokenFault is a token endpoint's failure. Of its words only the error's name is
// kept: descriptions may quote what was sent.
func tokenFault(status int, word string, cause error) *hub.Error {
	e := &hub.Error{Code: hub.CodeUpstream, Class: hub.ClassRetry, Status: status, Cause: cause,
		Message: "Google's token endpoint could not be reached or did not answer with a token."}
	switch {
	case status == http.StatusTooManyRequests:
		e.Code, e.Class = hub.CodeRateLimited, hub.ClassRateLimit
		e.Message = "Google's token endpoint limits the rate of requests."
	case status == http.StatusRequestTimeout:
	case status >= 400 && status < 500:
		e.Code, e.Class = hub.CodeProviderCredential, hub.ClassCredential
		e.Message = "Google's token endpoint refused the service account."
	}
	if errorWord.MatchString(word) {
		e.Message = strings.TrimSuffix(e.Message, ".") + ": " + word + "."
	}
	return e
}

// tokenHost reports whether an assertion may be sent to a token endpoint: Google's
// own over TLS, or the very host that the operator typed as the base URL. The
// address comes with the key, and keys are pasted from anywhere.
func tokenHost(uri, base string) bool {
	u, err := url.Parse(uri)
	if err != nil || u.Host == "" || u.User != nil {
		return false
	}
	host := strings.ToLower(u.Hostname())
	if u.Scheme == "https" && u.Port() == "" && (host == "accounts.google.com" || strings.HasSuffix(host, ".googleapis.com")) {
		return true
	}
	b, err := url.Parse(base)
	return err == nil && u.Scheme == b.Scheme && strings.EqualFold(u.Host, b.Host)
}

// assertion is the signed claim that the account is who it says.
func assertion(a provider.ServiceAccount, now time.Time) (string, error) {
	key, err := a.Key()
	if err != nil {
		return "", err
	}
	head, err := json.Marshal(map[string]string{"alg": "RS256", "typ": "JWT", "kid": a.KeyID})
	if err != nil {
		return "", provider.Unusable("The service account's key id is no text.")
	}
	claims, err := json.Marshal(map[string]any{"iss": a.Email, "scope": tokenScope, "aud": a.TokenURI,
		"iat": now.Unix(), "exp": now.Add(tokenLife).Unix()})
	if err != nil {
		return "", provider.Unusable("The service account's fields are no texts.")
	}
	text := base64.RawURLEncoding.EncodeToString(head) + "." + base64.RawURLEncoding.EncodeToString(claims)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		return "", provider.Unusable("The service account's private key cannot sign.")
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}
