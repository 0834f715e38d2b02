// Package oidc signs people in at an outside identity provider: OpenID Connect's
// authorization code flow with discovery, PKCE, state and nonce. It says who
// somebody is there; who that is here, it does not know.
package oidc

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/identity"
)

// Client signs people in at one provider.
type Client struct {
	identity.Provider
	redirect string
	now      hub.Now
	http     *http.Client

	mu    sync.Mutex
	found *oidc.Provider
	until time.Time
	fault error // of the last try, believed until quiet
	quiet time.Time
}

// New makes a client. redirect is the address that the provider sends browsers
// back to, as it is registered there. Nothing is asked of the provider yet.
func New(p identity.Provider, redirect string, now hub.Now) *Client {
	const patience = 10 * time.Second
	return &Client{Provider: p, redirect: redirect, now: now, http: &http.Client{Timeout: patience,
		// The operator typed the issuer, not where it may send the hub instead.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// Flow is a sign-in on its way. The browser that began it must show it again when
// it comes back; nobody else may read or make one.
type Flow struct {
	Provider   string    `json:"p"`
	State      string    `json:"s"`
	Nonce      string    `json:"n"`
	Verifier   string    `json:"v"`
	Return     string    `json:"r"` // path to go to afterwards
	Invitation string    `json:"i,omitempty"`
	Link       string    `json:"l,omitempty"` // id of the signed-in user who gets the identity
	Expires    time.Time `json:"e"`
}

// flowLife is how long somebody may take to sign in at the provider.
const flowLife = 15 * time.Minute

// Start begins a sign-in: the address to send the browser to, and the flow to
// keep until it is back.
func (c *Client) Start(ctx context.Context, f Flow) (string, Flow, error) {
	config, _, err := c.config(ctx)
	if err != nil {
		return "", f, err
	}
	f.Provider, f.State, f.Nonce, f.Verifier, f.Expires = c.Name, token(), token(), oauth2.GenerateVerifier(), c.now().Add(flowLife)
	return config.AuthCodeURL(f.State, oidc.Nonce(f.Nonce), oauth2.S256ChallengeOption(f.Verifier)), f, nil
}

func token() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // crypto/rand.Read never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

const (
	// discoveryLife is how long a discovery document is believed.
	discoveryLife = time.Hour
	// quietTime is how long a provider that does not answer is left alone: people
	// who begin meanwhile do not queue up behind it.
	quietTime = 5 * time.Second
)

func (c *Client) config(ctx context.Context) (*oauth2.Config, *oidc.Provider, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.found == nil || !c.now().Before(c.until) {
		if c.now().Before(c.quiet) {
			return nil, nil, c.fault
		}
		// The key set that goes with it outlives the request.
		ctx = oidc.ClientContext(context.WithoutCancel(ctx), c.http)
		p, err := oidc.NewProvider(ctx, c.Issuer)
		if err != nil {
			c.fault = hub.Wrap(hub.CodeUnavailable, err, "The identity provider %s does not answer as it should. Please try again, or sign in another way.", c.Label)
			c.quiet = c.now().Add(quietTime)
			return nil, nil, c.fault
		}
		c.found, c.until = p, c.now().Add(discoveryLife)
	}
	endpoint := c.found.Endpoint()
	if c.ClientSecret == "" {
		endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	return &oauth2.Config{ClientID: c.ClientID, ClientSecret: c.ClientSecret.Reveal(), Endpoint: endpoint, RedirectURL: c.redirect, Scopes: c.Scopes}, c.found, nil
}

// Answer is what a browser brings back from the provider (RFC 6749, section
// 4.1.2; RFC 9207).
type Answer struct {
	State, Code, Issuer, Error string
}

func refused(cause error) error {
	return hub.Wrap(hub.CodeForbidden, cause, "The sign-in at the identity provider did not work. Please begin again.")
}

// Finish checks what the browser brought back against the flow that it began,
// and asks the provider who it is.
func (c *Client) Finish(ctx context.Context, f Flow, a Answer) (identity.Claims, error) {
	switch {
	case f.Provider != c.Name, subtle.ConstantTimeCompare([]byte(f.State), []byte(a.State)) != 1, f.State == "":
		return identity.Claims{}, refused(errors.New("the state is not that of this browser"))
	case !f.Expires.After(c.now()):
		return identity.Claims{}, refused(errors.New("the flow has expired"))
	case a.Issuer != "" && a.Issuer != c.Issuer:
		return identity.Claims{}, refused(errors.New("the answer comes from another issuer"))
	case a.Error != "":
		return identity.Claims{}, refused(fmt.Errorf("the provider says %.100q", a.Error))
	case a.Code == "":
		return identity.Claims{}, refused(errors.New("there is no code"))
	}
	config, provider, err := c.config(ctx)
	if err != nil {
		return identity.Claims{}, err
	}
	ctx = oidc.ClientContext(ctx, c.http)
	tokens, err := config.Exchange(ctx, a.Code, oauth2.VerifierOption(f.Verifier))
	if err != nil {
		return identity.Claims{}, refused(exchangeFault(err))
	}
	raw, ok := tokens.Extra("id_token").(string)
	if !ok {
		return identity.Claims{}, refused(errors.New("the provider gave no ID token"))
	}
	id, err := provider.VerifierContext(ctx, &oidc.Config{ClientID: c.ClientID, Now: c.now}).Verify(ctx, raw)
	if err != nil {
		return identity.Claims{}, refused(err)
	}
	if err := c.check(id, f, tokens.AccessToken); err != nil {
		return identity.Claims{}, refused(err)
	}
	claims, err := c.claims(ctx, provider, id, tokens)
	if err != nil {
		return claims, refused(err)
	}
	return claims, nil
}

// exchangeFault leaves the provider's answer out, which may hold tokens.
func exchangeFault(err error) error {
	var answer *oauth2.RetrieveError
	if errors.As(err, &answer) {
		return fmt.Errorf("the provider refuses the code: status %d, %.100q", answer.Response.StatusCode, answer.ErrorCode)
	}
	return err
}

// check is what go-oidc leaves to its callers (OpenID Connect Core, section
// 3.1.3.7).
func (c *Client) check(id *oidc.IDToken, f Flow, access string) error {
	if f.Nonce == "" || subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(f.Nonce)) != 1 {
		return errors.New("the ID token has another nonce")
	}
	var party struct {
		AZP string `json:"azp"`
	}
	if err := id.Claims(&party); err != nil {
		return err
	}
	if (len(id.Audience) > 1 || party.AZP != "") && party.AZP != c.ClientID {
		return errors.New("the ID token was made for another client")
	}
	if id.AccessTokenHash != "" {
		return id.VerifyAccessToken(access)
	}
	return nil
}

// claims reads the ID token and, for what is not in it, the user info.
func (c *Client) claims(ctx context.Context, provider *oidc.Provider, id *oidc.IDToken, tokens *oauth2.Token) (identity.Claims, error) {
	const longest = 255 // of a subject: OpenID Connect Core, section 2
	if id.Subject == "" || len(id.Subject) > longest {
		return identity.Claims{}, errors.New("the ID token has no usable subject")
	}
	var said map[string]json.RawMessage
	if err := id.Claims(&said); err != nil {
		return identity.Claims{}, err
	}
	out := identity.Claims{Issuer: c.Issuer, Subject: id.Subject}
	c.read(&out, said)
	_, grouped := said[c.GroupsClaim]
	if (out.Email != "" && (grouped || len(c.Roles) == 0)) || provider.UserInfoEndpoint() == "" {
		return out, nil
	}
	info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(tokens))
	if err != nil {
		return out, err
	}
	if info.Subject != id.Subject { // OpenID Connect Core, section 5.3.2
		return out, errors.New("the user info is about somebody else")
	}
	more := map[string]json.RawMessage{}
	if err := info.Claims(&more); err != nil {
		return out, err
	}
	if out.Email != "" { // an address and whether it is verified belong together
		delete(more, "email")
		delete(more, "email_verified")
	}
	c.read(&out, more)
	return out, nil
}

func (c *Client) read(out *identity.Claims, said map[string]json.RawMessage) {
	text := func(name string, into *string) {
		var s string
		if json.Unmarshal(said[name], &s) == nil && s != "" {
			*into = strings.TrimSpace(s)
		}
	}
	text("email", &out.Email)
	text("name", &out.Name)
	if v := string(said["email_verified"]); v == "true" || v == `"true"` { // some say it as text
		out.EmailVerified = true
	}
	var many []string
	var one string
	switch raw := said[c.GroupsClaim]; {
	case json.Unmarshal(raw, &many) == nil:
		out.Groups = append(out.Groups, many...)
	case json.Unmarshal(raw, &one) == nil && one != "":
		out.Groups = append(out.Groups, one)
	}
	const most = 1000
	out.Groups = slices.Compact(out.Groups[:min(len(out.Groups), most)])
}
