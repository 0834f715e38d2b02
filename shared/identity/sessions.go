package identity

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Cookies says how the hub's cookies are set.
type Cookies struct {
	// Insecure leaves Secure out: the public address is plain HTTP, where a browser
	// would drop a secure cookie.
	Insecure bool
}

// The cookies' names without what browsers give a meaning to.
const (
	sessionCookie = "aigne_hub_session"
	oidcCookie    = "aigne_hub_oidc"
)

// set puts a cookie for everything below path on the answer; an empty value
// removes it. It lasts for life, or as long as the browser runs for 0.
func (c Cookies) set(w http.ResponseWriter, base, path, value string, life time.Duration) {
	if path == "" {
		path = "/"
	}
	cookie := &http.Cookie{Name: c.name(base, path), Value: value, Path: path, MaxAge: int(life / time.Second), HttpOnly: true, Secure: !c.Insecure, SameSite: http.SameSiteLaxMode}
	if value == "" {
		cookie.MaxAge = -1
	}
	http.SetCookie(w, cookie)
}

// name has the prefix by which a browser keeps other hosts, and pages over plain
// HTTP, from setting the cookie: __Host- only works for the whole host
// (RFC 6265bis, section 4.1.3).
func (c Cookies) name(base, path string) string {
	switch {
	case c.Insecure:
		return base
	case path == "/":
		return "__Host-" + base
	}
	return "__Secure-" + base
}

// values are what a request has under a cookie's name, with either prefix.
func (c Cookies) values(r *http.Request, base string) []string {
	const most = 3 // nobody has more who is not looking for trouble
	var out []string
	for _, path := range []string{"/", "/below"} {
		for _, cookie := range r.CookiesNamed(c.name(base, path)) {
			if cookie.Value != "" && len(out) < most {
				out = append(out, cookie.Value)
			}
		}
		if c.Insecure {
			break
		}
	}
	return out
}

// SetFlow keeps a sealed sign-in that is on its way in the browser; "" removes it.
// prefix is the path that the hub is mounted below.
func (c Cookies) SetFlow(w http.ResponseWriter, prefix, sealed string, life time.Duration) {
	c.set(w, oidcCookie, prefix, sealed, life)
}

// Flow is the sealed sign-in that a browser keeps, "" if there is none.
func (c Cookies) Flow(r *http.Request) string {
	if values := c.values(r, oidcCookie); len(values) > 0 {
		return values[0]
	}
	return ""
}

// Visitor is who stands at the door, before the hub knows who it is.
type Visitor struct {
	Address netip.Addr
	Agent   string // User-Agent
}

// Sessions signs browsers in: a random token in a cookie, its hash in the
// database.
type Sessions struct {
	Store   *store.Store
	Cookies Cookies
	Idle    time.Duration // after which an unused session is over
	Life    time.Duration // after which any session is over
	Now     hub.Now
	Log     *slog.Logger
}

// touchEvery is how far behind the last use of a session or a key may be on record.
const touchEvery = 5 * time.Minute

// Open begins a session for a user and puts its cookie on the answer. path is
// the path that the hub is mounted below. A session that the browser had ends.
func (s *Sessions) Open(ctx context.Context, w http.ResponseWriter, r *http.Request, path string, v Visitor, userID, method string) (store.Session, error) {
	token := hub.Secret(random())
	n := store.Session{Hash: Hash(token), UserID: userID, Method: method, Address: addressText(v.Address), Agent: clipped(v.Agent, 300), ExpiresAt: s.Now().Add(s.Life)}
	old := ""
	if values := s.Cookies.values(r, sessionCookie); len(values) > 0 {
		old = Hash(hub.Secret(values[0]))
	}
	n, err := s.Store.CreateSession(ctx, n, old)
	if err != nil {
		return n, err
	}
	s.Cookies.set(w, sessionCookie, path, token.Reveal(), s.Life)
	return n, nil
}

func addressText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

func clipped(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s)
	return strings.ToValidUTF8(s[:min(len(s), most)], "")
}

// Authenticate finds the caller of a request by its session cookie. Without a
// cookie, or with one that is worth nothing any more, it returns the zero Caller:
// a browser sends old cookies everywhere.
func (s *Sessions) Authenticate(r *http.Request) (hub.Caller, error) {
	n, u, err := s.current(r)
	if err != nil || n.ID == "" {
		return hub.Caller{}, err
	}
	return hub.Caller{UserID: u.ID, Email: u.Email, Role: u.Role, Groups: u.Groups, AccountID: u.AccountID, Session: true}, nil
}

// Current is the session that a request came with; the zero Session for none.
func (s *Sessions) Current(r *http.Request) (store.Session, error) {
	n, _, err := s.current(r)
	return n, err
}

func (s *Sessions) current(r *http.Request) (store.Session, store.User, error) {
	for _, value := range s.Cookies.values(r, sessionCookie) {
		n, u, err := s.Store.SessionByHash(r.Context(), Hash(hub.Secret(value)))
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return n, u, hub.Wrap(hub.CodeUnavailable, err, "Sessions cannot be checked now; the database does not answer.")
		}
		now := s.Now()
		if u.DisabledAt != nil || s.Over(n) {
			continue
		}
		if now.Sub(n.SeenAt) >= min(touchEvery, s.Idle/2) {
			if err := s.Store.TouchSession(r.Context(), n.ID); err != nil {
				s.Log.Warn("session's use not noted", "error", err)
			}
		}
		return n, u, nil
	}
	return store.Session{}, store.User{}, nil
}

// Over reports whether a session has ended by itself.
func (s *Sessions) Over(n store.Session) bool {
	now := s.Now()
	return !n.ExpiresAt.After(now) || !n.SeenAt.Add(s.Idle).After(now)
}

// Close ends the session that a request came with and removes its cookie.
func (s *Sessions) Close(w http.ResponseWriter, r *http.Request, path string) error {
	for _, value := range s.Cookies.values(r, sessionCookie) {
		n, _, err := s.Store.SessionByHash(r.Context(), Hash(hub.Secret(value)))
		if err == nil {
			err = s.Store.EndSession(r.Context(), n.ID)
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	s.Cookies.set(w, sessionCookie, path, "", 0)
	return nil
}
