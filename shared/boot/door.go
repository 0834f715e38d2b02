package boot

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/identity"
)

// Door says how people sign in.
type Door struct {
	SessionIdle time.Duration // unused for so long, a session is over
	SessionLife time.Duration // after so long, any session is over
	Origins     []string      // whose pages may use the hub; "*": everybody's, without cookies
	Invitation  time.Duration // how long one can be accepted
	Providers   []identity.Provider

	oidc oidcText // until they are complete
	more []oidcText
}

// doorSettings: sign-in and browsers.
func doorSettings() []Setting {
	const year = 366 * 24 * time.Hour
	return []Setting{
		{
			Name: "AIGNE_HUB_SESSION_IDLE", Flag: "session-idle", Default: "168h",
			Doc:   "how long a session may be unused before its user has to sign in again",
			parse: duration(func(c *Config) *time.Duration { return &c.Door.SessionIdle }, time.Minute, year),
		},
		{
			Name: "AIGNE_HUB_SESSION_LIFE", Flag: "session-life", Default: "720h",
			Doc:   "how long any session lasts",
			parse: duration(func(c *Config) *time.Duration { return &c.Door.SessionLife }, time.Minute, year),
		},
		{
			Name: "AIGNE_HUB_INVITATION_LIFE", Flag: "invitation-life", Default: "168h",
			Doc:   "how long an invitation can be accepted",
			parse: duration(func(c *Config) *time.Duration { return &c.Door.Invitation }, time.Minute, year),
		},
		{
			List: ",",
			Name: "AIGNE_HUB_CORS_ORIGINS", Flag: "cors-origins",
			Doc:   "comma-separated origins, such as https://app.example.com, whose pages may use the hub, with its users' sessions; `*`: those of all origins, with API keys only; unset: none",
			parse: parseOrigins,
		},
	}
}

func parseOrigins(c *Config, v string) error {
	for text := range strings.SplitSeq(v, ",") {
		text = strings.TrimRight(strings.TrimSpace(text), "/")
		u, err := url.Parse(text)
		if text != "*" && (err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.Scheme+"://"+u.Host != text) {
			return fmt.Errorf("must list origins such as https://app.example.com, and %q is none", text)
		}
		c.Door.Origins = append(c.Door.Origins, strings.ToLower(text))
	}
	return nil
}

func (c *Config) completeDoor(blame func(name, format string, args ...any)) {
	if c.Door.SessionIdle > c.Door.SessionLife {
		c.Door.SessionIdle = c.Door.SessionLife
	}
	c.completeOIDC(blame)
}

// links are the hub's addresses in mails: of the public address or, for a hub on
// one machine, of where it listens.
func (c Config) links() identity.Links {
	if c.PublicURL != "" {
		return identity.Links{Base: c.PublicURL}
	}
	scheme := "http://"
	if c.TLS.On() {
		scheme = "https://"
	}
	host, port, err := net.SplitHostPort(c.Listen)
	if ip := net.ParseIP(host); err == nil && (host == "" || (ip != nil && ip.IsUnspecified())) {
		return identity.Links{Base: scheme + net.JoinHostPort("127.0.0.1", port)}
	}
	return identity.Links{Base: scheme + c.Listen}
}

// openDoor makes what lets people in.
func (a *App) openDoor() {
	c := a.Config
	a.Sessions = &identity.Sessions{Store: a.Store, Cookies: identity.Cookies{Insecure: strings.HasPrefix(c.PublicURL, "http:")},
		Idle: c.Door.SessionIdle, Life: c.Door.SessionLife, Now: a.Now, Log: a.Log}
	a.SignIn = identity.NewSignIn(a.Store, a.Vault, a.Now, a.Log)
}

// Browser is what browsers may do with the hub.
func (a *App) Browser() httpkit.Browser {
	return httpkit.Browser{PublicURL: a.Config.PublicURL, Origins: a.Config.Door.Origins, Trusted: a.Config.TrustedProxies,
		Encrypted: a.OnLambda()} // which has no plain door
}

// HTTP is what every function's handler needs.
func (a *App) HTTP() httpkit.Deps {
	return httpkit.Deps{Log: a.Log, Now: a.Now, Authenticate: a.authenticate, MaxBody: a.Config.MaxBody, Browser: a.Browser(), Trusted: a.Config.TrustedProxies,
		Access: a.Config.AccessLog, Watch: a.Observe.Watch()}
}

// authenticate finds the caller by an API key or, without one, by what a Blocklet
// Server's user or component shows, or by a session of the hub's own.
func (a *App) authenticate(r *http.Request) (hub.Caller, error) {
	c, err := a.Keys.Authenticate(r)
	if err == nil && c.UserID == "" && a.Host != nil {
		if c, err = a.Host.Authenticate(r); err == nil && c.UserID != "" {
			return a.Keys.Describe(r, c), nil
		}
	}
	if err != nil || c.UserID != "" || (a.Host != nil && a.Host.Only) {
		return c, err
	}
	if c, err = a.Sessions.Authenticate(r); err != nil || c.UserID == "" {
		return c, err
	}
	return a.Keys.Describe(r, c), nil
}

// welcome greets a new user as the books do it.
func (a *App) welcome(ctx context.Context, userID, accountID string) error {
	_, err := a.Book.Welcome(ctx, userID, accountID)
	return err
}
